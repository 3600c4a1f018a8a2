"""Messages between a process and the shared part of its budget. `shared.lua` and `shared_step` are the other side.

Times in the messages are milliseconds. Fields missing from a request are unknown or unchanged.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from scapi._http.headers import parse_retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scapi._ratelimit.window import Outcome, RateLimitHeaders, WindowClock


class Grant(NamedTuple):
    """Points for one ticket. `id` is unique, or 0 for a request that was sent without a grant."""

    operation: str
    points: int
    id: int
    window: int


#: The grant of a free call.
NOTHING = Grant("", 0, 0, 0)


class Sent(NamedTuple):
    """A request in flight, sent at `started` by the local clock (seconds) and at `began` by the database's (ms)."""

    grant: Grant
    started: float
    began: float


class Reply(msgspec.Struct, frozen=True):
    """The state of the budget that the database returns at the end of each step."""

    id: str
    now: float
    window: int
    blocked: float
    foreign: bool
    paced: bool
    others: int
    again: float
    processes: int
    version: int
    limit: int | None = None
    remaining: int | None = None
    reset: float | None = None
    left: float | None = None
    costs: dict[str, int] | None = None


class Known(NamedTuple):
    """The state as of the last reply or response, with local times. `others` are the points of other processes."""

    limit: int | None = None
    remaining: int | None = None
    ends: float | None = None
    blocked: float = -math.inf
    is_foreign: bool = False
    is_paced: bool = True
    processes: int = 0
    others: int = 0

    @classmethod
    def from_reply(cls, reply: Reply, now: float) -> Known:
        """Convert a reply that arrived at `now`."""
        return cls(
            limit=reply.limit,
            remaining=reply.remaining,
            ends=None if reply.left is None else now + reply.left / 1000,
            blocked=now + reply.blocked / 1000 if reply.blocked > 0 else -math.inf,
            is_foreign=reply.foreign,
            is_paced=reply.paced,
            processes=max(1, reply.processes),
            others=max(0, reply.others),
        )

    def at(self, now: float) -> Known:
        """Return the state at `now`, without a window that is over."""
        return self._replace(remaining=None, ends=None) if self.ends is not None and self.ends <= now else self

    def with_report(self, told: Mapping[str, Any], reset: float | None) -> Known:
        """Apply a report of the window that ends at `reset` before the database does."""
        remaining = 0 if told.get("status") == 429 else told.get("remaining")
        is_present = reset is not None and abs(told.get("reset", 0) / 1000 - reset) < 1 and not told.get("over")
        if remaining is None or self.ends is None or not is_present:
            return self
        least = remaining if self.remaining is None else min(self.remaining, remaining)
        return Known(told.get("limit", self.limit), least, *self[2:])


def read(told: Sequence[Any]) -> tuple[Reply, list[Grant]]:
    """Read what the script returns: the fields of a reply in order, and the grants.

    Raises:
        ValueError, TypeError: It isn't a reply of the script: the keys belong to something else.
    """
    name, now, window, blocked, foreign, paced, others, again, *rest = told
    processes, version, limit, remaining, reset, left, costs, grants = rest
    reply = Reply(
        id=_text(name),
        now=now,
        window=window,
        blocked=blocked,
        foreign=bool(foreign),
        paced=bool(paced),
        others=others,
        again=again,
        processes=processes,
        version=version,
        limit=limit,
        remaining=remaining,
        reset=reset,
        left=left,
        costs=None if costs is None else dict(zip(map(_text, costs[::2]), costs[1::2], strict=True)),
    )
    return reply, [Grant(_text(operation), *numbers) for operation, *numbers in grants]


def _text(told: bytes | str) -> str:
    return told if isinstance(told, str) else told.decode()


def report(request: Sent, clock: WindowClock, now: float, outcome: Outcome) -> dict[str, Any]:
    """Return the report of a request. Learn from its response when the window ends.

    Args:
        request: The request.
        clock: The window's end by the local clock.
        now: Local monotonic seconds.
        outcome: How the request ended.
    """
    grant, (sent, status, headers, seen) = request.grant, outcome
    told: dict[str, Any] = {
        "op": grant.operation,
        "points": grant.points,
        "id": grant.id,
        "window": grant.window,
        "started": round(request.began),
        "verdict": "none" if sent else "unsent",
    }
    if status is not None:
        told["status"] = status
    if status == 429:
        asked = parse_retry_after(headers)
        told["asked"] = milliseconds(clock.length if asked is None else asked)
    if sent and seen is not None:
        _observe(told, seen, clock, request, now)
    elif sent and status is not None and 200 <= status < 300 and outcome.is_bare():
        told["verdict"] = "bare"
    return told


def _observe(told: dict[str, Any], seen: RateLimitHeaders, clock: WindowClock, request: Sent, now: float) -> None:
    """Add to a report what the headers of its response say."""
    verdict = clock.observe(seen, now)
    # The database knows better which window it is, because it has the reports of all processes.
    told["verdict"] = verdict if verdict in {"past", "unknown"} else "known"
    if seen.remaining is not None:
        told["remaining"] = seen.remaining
    if seen.limit is not None:
        told["limit"] = seen.limit
    if seen.reset is not None:
        told["reset"] = round(seen.reset * 1000)
    if clock.reset is None:
        told["over"] = False
        return
    ends = clock.ends()
    told["left"] = milliseconds(max(0.0, ends - now))
    # A request can't be charged to a window that was over before it began.
    over = told["over"] = verdict == "same" and ends <= request.started
    if over and told.get("status") == 429:
        clock.distrust(now)


def milliseconds(seconds: float) -> int:
    """Return seconds as whole milliseconds, rounded up."""
    return math.ceil(seconds * 1000)
