"""What a shared state learns from the reports of requests. `shared.lua` does the same in Redis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from scapi._ratelimit.shared_state import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scapi._ratelimit.shared_state import State

#: Resets that differ by no more milliseconds than this are the same one.
SAME_RESET = 100


def settle(state: State, report: Mapping[str, Any], length: float, now: float) -> None:
    """Learn from the report of a request.

    Args:
        state: The state.
        report: The report, see `shared_messages.report`.
        length: Milliseconds of a window.
        now: The database's time in milliseconds.
    """
    if state.measuring is not None and state.measuring == report["id"]:
        state.measuring = state.measuring_since = None
    verdict, status = report["verdict"], report.get("status")
    if verdict == "unsent":
        return
    has_points = verdict in {"known", "unknown", "past"}
    if has_points and _observe(state, report, length, now):
        return
    if verdict == "bare":
        state.is_unpaced = True
    state.lose(report["points"], now)
    if state.remaining is None:
        # It may have been charged, so the next response's cost can't be measured from the limit.
        state.is_whole = False
    if status != 429:
        return
    if not has_points:
        state.stop(now + report["asked"], is_foreign=True)
        return
    if state.ends is None:
        state.ends = now + length
    state.remaining = 0
    state.stop(state.ends)


def _observe(state: State, report: Mapping[str, Any], length: float, now: float) -> bool:
    """Learn from a response with points. Return True if its cost is accounted for."""
    state.is_unpaced = False
    is_refused = report.get("status") == 429
    remaining: int | None = 0 if is_refused else report.get("remaining")
    if remaining is None:
        return False
    verdict, is_open = _verdict(state, report), state.remaining is not None
    if verdict == "old" or (verdict == "same" and not is_open and report["over"]):
        # A request from an earlier window was charged to that one. In this window, its headers come from a cache.
        return bool(report["window"] != state.window)
    state.limit = report.get("limit", state.limit)
    if verdict == ("same" if is_open else "new") and report["window"] == state.window and not is_refused:
        _measure(state, report, remaining)
    if verdict == "new":
        _begin_window(state, report, remaining, now)
    else:
        _keep_end(state, report, verdict, length, now)
        _lower(state, report, remaining)
    if verdict in {"new", "same"}:
        state.seen = now
    state.unseen = [entry for entry in state.unseen if entry[0] > report["started"]]
    if is_refused and state.ends is not None:
        state.stop(state.ends)
    return verdict != "past"


def _verdict(state: State, report: Mapping[str, Any]) -> str:
    """Return which window a response belongs to, by the server's resets that all processes saw."""
    verdict: str = report["verdict"]
    if verdict != "known":
        return verdict
    if state.reset is None or report["reset"] > state.reset + SAME_RESET:
        return "new"
    return "old" if report["reset"] < state.reset - SAME_RESET else "same"


def _measure(state: State, report: Mapping[str, Any], remaining: int) -> None:
    """Learn a cost if nothing else can have been charged meanwhile. The least of several samples counts."""
    if state.alone != report["id"] or state.alone_from is None:
        return
    cost = state.alone_from - remaining
    if cost >= 1:
        before = state.costs.get(report["op"], [])
        after = state.costs[report["op"]] = [*before, cost][-SAMPLES:]
        state.version += not before or min(before) != min(after)


def _begin_window(state: State, report: Mapping[str, Any], remaining: int, now: float) -> None:
    if state.remaining is not None:
        state.new_window(now)
    state.reset = report["reset"]
    state.reset_ends = state.ends = now + report["left"]
    state.remaining, state.least = remaining, report.get("remaining")
    state.is_whole = False
    if not state.is_foreign:
        state.blocked = None


def _keep_end(state: State, report: Mapping[str, Any], verdict: str, length: float, now: float) -> None:
    """Take the earliest end of a window: each process is certain of its own by its own clock."""
    if verdict == "same":
        ends = now + report["left"]
        is_open = state.remaining is not None and state.reset_ends is not None
        state.ends = state.reset_ends = min(state.reset_ends or math.inf, ends) if is_open else ends
    elif state.ends is None:
        state.ends = now + length


def _lower(state: State, report: Mapping[str, Any], remaining: int) -> None:
    """Take the least points of a window: a cached response may have more with the same reset."""
    known = (report.get("remaining"), state.least, state.limit)
    state.least = min((points for points in known if points is not None), default=None)
    before = state.least if state.remaining is None else state.remaining
    state.remaining = remaining if before is None else min(before, remaining)
