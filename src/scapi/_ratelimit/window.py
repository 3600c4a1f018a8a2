"""Predicts from response headers when the server's rate-limit window ends."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from scapi._http.headers import parse_http_date

if TYPE_CHECKING:
    from collections.abc import Mapping


#: The length of a window in seconds.
WINDOW = 60.0
#: Two resets that differ by less than these seconds are the same: the server's resets jitter by a millisecond.
SAME_RESET = 0.1
#: Seconds to wait after a reset before it counts as over.
RESET_MARGIN = 0.05
#: A reset is accepted if it seems up to `RESET_SLACK` seconds farther away than a window, or less than `PAST_SLACK`
#: seconds in the past: a `Date` has whole seconds, and is written a little later than the counters.
RESET_SLACK = 5.0
PAST_SLACK = 1.0
#: The local and the remote clock drift apart by less than this fraction.
DRIFT = 200e-6

#: The window that a response belongs to: a new one, the newest known one, an older one, one that was over when the
#: response was sent, or an unknown one.
Relation = Literal["new", "same", "old", "past", "unknown"]


class RateLimitHeaders(NamedTuple):
    """The rate-limit headers of one response: points, and times in seconds since the epoch.

    Invalid or missing values are `None`. Odd values are read cautiously, so that fewer points are spent.
    """

    remaining: int | None = None
    limit: int | None = None
    reset: float | None = None
    date: float | None = None

    @classmethod
    def parse(cls, headers: Mapping[str, str]) -> RateLimitHeaders | None:
        """Read the headers of a response. Their names must be in lower case.

        Returns:
            The valid values, or `None` if there is no valid remaining count, limit or reset.
        """
        remaining, limit, reset = map(_read_numbers, map(headers.get, NAMES))
        if limit and min(limit) < 0:
            limit = [count for count in limit if count >= 0]
        if not (remaining or limit or reset):
            return None
        # A repeated header is a list. Use the smaller of two counters and the later of two resets.
        most = min(limit) if limit else None
        left = max(0, min(remaining)) if remaining else None
        if left is not None and most is not None and left > most:
            left = most
        return cls(left, most, _read_time(max(reset)) if reset else None, parse_http_date(headers.get("date", "")))


class Outcome(NamedTuple):
    """How an attempt ended.

    Attributes:
        sent: Whether the request may have reached the server.
        status: Status of the response; `None`: there was none.
        headers: Headers of the response, by lower-case name.
        seen: What they say of the points.
    """

    sent: bool
    status: int | None
    headers: Mapping[str, str]
    seen: RateLimitHeaders | None

    @classmethod
    def read(cls, *, sent: bool, status: int | None, headers: Mapping[str, str] | None) -> Outcome:
        """Return an outcome with its headers read."""
        return cls(sent, status, headers, RateLimitHeaders.parse(headers)) if headers else cls(sent, status, {}, None)

    def is_bare(self) -> bool:
        """Return whether a response has no rate-limit headers, valid or not."""
        return self.status is not None and self.seen is None and not any(name in self.headers for name in NAMES)


NAMES = ("x-ratelimit-remaining", "x-ratelimit-limit", "x-ratelimit-reset")
#: Longer numbers are not counters or times, and Python refuses to parse very long ones.
NUMBER = re.compile(r"\s*([+-]?[0-9]{1,15})(?:\.[0-9]{0,20})?\s*", re.ASCII)
#: Times from these years are accepted. Numbers from `MILLISECONDS` on are milliseconds, smaller ones are seconds.
EARLIEST, LATEST = 946_684_800, 4_102_444_800  # 2000 to 2100
MILLISECONDS = 100_000_000_000


def _read_numbers(text: str | None) -> list[int]:
    """Read the numbers of a header, rounded towards zero. Returns an empty list if any part is invalid."""
    if text is not None and len(text) <= 15 and text.isascii() and text.isdecimal():  # fast path for the usual case
        return [int(text)]
    parts = [NUMBER.fullmatch(part) for part in (text or "").split(",")]
    return [int(part[1]) for part in parts if part] if all(parts) else []


def _read_time(number: int) -> float | None:
    """Read a time in milliseconds or seconds since the epoch."""
    seconds = number / 1000 if number >= MILLISECONDS else float(number)
    return seconds if EARLIEST <= seconds <= LATEST else None


class WindowClock:
    """Predicts the end of the server's window on the local monotonic clock.

    Every response gives two lower bounds for how far the server's clock is ahead of ours: its `Date`, and its reset,
    which is at most one window away. The largest bound of all responses is used. So the reset is expected late rather
    than early, by little more than the network latency of the fastest response.
    """

    def __init__(self, length: float = WINDOW) -> None:
        self.length = length
        self.reset: float | None = None
        self._longest = length
        self._step = 0.0
        self._ahead = -math.inf
        self._seen = -math.inf
        self._trusts_date = True

    def observe(self, seen: RateLimitHeaders, now: float) -> Relation:
        """Learn from a response, and return which window it belongs to."""
        if now - self._seen > 2 * self._longest:
            # Start over: the last reset may have been wrong, or a clock may have changed since.
            self.reset, self._ahead = None, -math.inf
        if seen.reset is None or (self.reset is not None and seen.reset < self.reset - SAME_RESET):
            return "unknown" if seen.reset is None else "old"
        date = seen.date if self._trusts_date else None
        is_new = self.reset is None or seen.reset > self.reset + SAME_RESET
        if is_new and date is not None and seen.reset - date <= -PAST_SLACK:
            return "past"
        if is_new and not self._is_sane(seen.reset, date, now):
            return "unknown"
        if is_new and self.reset is not None:
            self._learn_length(seen.reset - self.reset)
        self._ahead = max(
            self._ahead - DRIFT * (now - self._seen) if math.isfinite(self._ahead) else -math.inf,
            seen.reset - self.length - now,
            -math.inf if date is None else date - now,
        )
        self._seen = now
        if is_new:
            self.reset = seen.reset
        return "new" if is_new else "same"

    def ends(self) -> float:
        """Return the local time at which the newest known window is certainly over."""
        assert self.reset is not None
        return self.reset - self._ahead + RESET_MARGIN

    def distrust(self, now: float) -> None:
        """Correct a wrong prediction: the newest window isn't over yet, so keep only the bound from its reset."""
        assert self.reset is not None
        self._trusts_date = False
        self._ahead = self.reset - self.length - now

    def next_reset(self, now: float) -> float | None:
        """Return the next reset on the server's clock, in seconds since the epoch."""
        if self.reset is None:
            return None
        over = now - self.ends()
        return self.reset if over < 0 else self.reset + self.length * (1 + over // self.length)

    def _is_sane(self, reset: float, date: float | None, now: float) -> bool:
        """Return whether a reset lies within one window. If the learned length is too short, restore the longest."""
        delays = [] if date is None else [reset - date]
        if self.reset is not None:
            # The last reset was still ahead when seen, so the server's time is at most that reset plus the time since.
            delays.append(reset - self.reset - (now - self._seen))
        if not delays:
            return True
        if max(delays) > self.length + RESET_SLACK:
            self.length = self._longest
        return max(delays) <= self.length + RESET_SLACK

    def _learn_length(self, step: float) -> None:
        # Require the same step twice: a single odd step is a restart of the server.
        if step < self.length - SAME_RESET and abs(step - self._step) <= SAME_RESET:
            self.length = step
        self._step = step
