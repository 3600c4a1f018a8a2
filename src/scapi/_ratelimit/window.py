"""When the server's window of points ends, read from the headers of its answers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from scapi._http.headers import parse_http_date

if TYPE_CHECKING:
    from collections.abc import Mapping


#: Seconds.
WINDOW = 60.0
# Seconds by which two resets may differ and still be the same one: the server's resets jitter by a millisecond.
SAME_RESET = 0.1
# Seconds to stay away from a reset, and by which one may seem farther away than a window, or past, and still be
# believed. A `Date` has whole seconds, and is written a little later than the counters.
RESET_MARGIN = 0.05
RESET_SLACK = 5.0
PAST_SLACK = 1.0
# Local and remote clock run apart by less than this share.
DRIFT = 200e-6

#: To which window an answer belongs: to one that nobody has seen before, the newest, an older one, one that was over
#: when the answer was sent, or that is unknown.
Relation = Literal["new", "same", "old", "past", "unknown"]


@dataclass(frozen=True, slots=True)
class RateLimitHeaders:
    """The rate-limit headers of one answer: points, and times in seconds since the epoch.

    What can't be read is `None`. Odd values are read so that less is spent, not more.
    """

    remaining: int | None = None
    limit: int | None = None
    reset: float | None = None
    date: float | None = None

    @classmethod
    def parse(cls, headers: Mapping[str, str]) -> RateLimitHeaders | None:
        """Read the headers of an answer, found by their lower-case names.

        Returns:
            What could be read, or `None` where that is neither what remains nor the limit nor the reset.
        """
        remaining, limit, reset = (_read_numbers(headers.get(name)) for name in NAMES)
        # Twice the same header is a list; of two counters the lesser counts, of two resets the later.
        most = min((count for count in limit if count >= 0), default=None)
        left = max(0, min(remaining)) if remaining else None
        if left is None and most is None and not reset:
            return None
        return cls(
            remaining=left if left is None or most is None else min(left, most),
            limit=most,
            reset=_read_time(max(reset)) if reset else None,
            date=parse_http_date(headers.get("date", "")),
        )

    @staticmethod
    def any_in(headers: Mapping[str, str]) -> bool:
        """Tell whether an answer has such headers, readable or not."""
        return any(name in headers for name in NAMES)


NAMES = ("x-ratelimit-remaining", "x-ratelimit-limit", "x-ratelimit-reset")
# Longer texts are no counters or times, and Python refuses to read very long numbers.
NUMBER = re.compile(r"\s*([+-]?[0-9]{1,15})(?:\.[0-9]{0,20})?\s*", re.ASCII)
# Times of these years are believed. As milliseconds they are numbers above `MILLISECONDS`, as seconds below.
EARLIEST, LATEST = 946_684_800, 4_102_444_800  # 2000 to 2100
MILLISECONDS = 100_000_000_000


def _read_numbers(text: str | None) -> list[int]:
    """Read the whole numbers of a header, rounded down towards zero; none where any part can't be read."""
    if text is not None and len(text) <= 15 and text.isascii() and text.isdecimal():  # the usual case, and quick
        return [int(text)]
    parts = [NUMBER.fullmatch(part) for part in (text or "").split(",")]
    return [int(part[1]) for part in parts if part] if all(parts) else []


def _read_time(number: int) -> float | None:
    """Read a time in milliseconds, or in seconds, since the epoch."""
    seconds = number / 1000 if number >= MILLISECONDS else float(number)
    return seconds if EARLIEST <= seconds <= LATEST else None


class WindowClock:
    """When the server's window ends, by the local monotonic clock.

    Every answer proves that the server's clock was *at least* so much ahead of ours when the answer arrived:
    by its `Date`, and because its reset was then at most one window away. The greatest of these bounds is
    used, so that the reset is expected late rather than early, by little more than the quickest answer's way
    back.
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
        """Learn from an answer, and say to which window it belongs."""
        if now - self._seen > 2 * self._longest:
            # Whatever was wrong with the last reset, or has happened to the clocks since, ends here.
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
        """Tell the local time at which the newest window seen is certainly over."""
        assert self.reset is not None
        return self.reset - self._ahead + RESET_MARGIN

    def distrust(self, now: float) -> None:
        """Learn that the newest window isn't over although it ought to be: keep only what is certain."""
        assert self.reset is not None
        self._trusts_date = False
        self._ahead = self.reset - self.length - now

    def next_reset(self, now: float) -> float | None:
        """Tell the next reset by the server's clock, seconds since the epoch."""
        if self.reset is None:
            return None
        over = now - self.ends()
        return self.reset if over < 0 else self.reset + self.length * (1 + over // self.length)

    def _is_sane(self, reset: float, date: float | None, now: float) -> bool:
        """Refuse a reset that is farther away than the longest window."""
        delays = [] if date is None else [reset - date]
        if self.reset is not None:
            # The server's clock can't be later than the last reset and the time since.
            delays.append(reset - self.reset - (now - self._seen))
        if not delays:
            return True
        if max(delays) > self.length + RESET_SLACK:
            self.length = self._longest
        return max(delays) <= self.length + RESET_SLACK

    def _learn_length(self, step: float) -> None:
        # Twice the same: a single odd step is a server that has been started anew.
        if step < self.length - SAME_RESET and abs(step - self._step) <= SAME_RESET:
            self.length = step
        self._step = step
