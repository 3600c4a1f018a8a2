"""When to look at what: the schedule of a watcher. Pure: time and chance are arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from scapi._base import validation
from scapi._lists.failures import is_permanent
from scapi.exceptions import RateLimitError, ScApiException
from scapi.models import WatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scapi._lists.differs import Differ


E = TypeVar("E")

#: The longest wait after failures, in seconds, where the interval is shorter.
LONGEST_WAIT = 300.0

#: Points that a page of lots or sales costs, and the seconds for which the server grants its points.
POINTS_PER_PAGE = 2
WINDOW = 60.0

#: The share of the points that a watcher of many items takes, so that something is left for other calls.
SHARE = 0.9


class Backoff:
    """How long to wait between two looks at the same thing.

    Args:
        interval: Seconds from one look to the next, above 0.
        rng: Draws from 0 to 1.
    """

    def __init__(self, interval: float, rng: Callable[[], float]) -> None:
        self.interval = interval
        self.failures = 0
        self._rng = rng

    def after_success(self, took: float) -> float:
        """Return the seconds to wait after a look that took so many."""
        self.failures = 0
        return max(0.0, self.interval - took)

    def after_failure(self, error: Exception) -> float:
        """Return the seconds to wait after a failed look: drawn below a bound that doubles each time (full jitter)."""
        self.failures += 1
        longest = max(LONGEST_WAIT, self.interval)
        wait = self._rng() * min(longest, self.interval * 2.0 ** min(self.failures, 64))
        asked = error.retry_after if isinstance(error, RateLimitError) else 0.0
        return min(longest, max(wait, asked))


class Watched(Generic[E]):
    """One thing that is watched.

    Attributes:
        differ: What is known of it.
        due: When to look next, in monotonic seconds.
        backoff: How long to wait between looks.
    """

    def __init__(self, differ: Differ[E, Any], due: float, backoff: Backoff) -> None:
        self.differ = differ
        self.due = due
        self.backoff = backoff


class Schedule(Generic[E]):
    """Looks at one or many things, one after another.

    The looks at many things are spread over the interval. Together they take no more than a share of the points: where
    the interval is too short for that, it becomes longer.

    Args:
        differs: What is watched.
        interval: Seconds from one look at a thing to the next, above 0.
        rng: Draws from 0 to 1.
        now: Monotonic seconds.

    Raises:
        ValueError: The interval is out of its range.
    """

    def __init__(
        self, differs: Iterable[Differ[E, Any]], interval: float, rng: Callable[[], float], now: float
    ) -> None:
        interval = validation.positive("interval", interval)
        found = list(differs)
        self._watched = [
            Watched(differ, now + interval * place / len(found), Backoff(interval, rng))
            for place, differ in enumerate(found)
        ]
        self._is_shared = len(found) > 1
        self._earliest = now

    def next(self) -> Watched[E] | None:
        """Return what to look at next; `None` if nothing is left that the server doesn't refuse."""
        return min(self._watched, key=lambda watched: watched.due, default=None)

    def wait(self, watched: Watched[E], now: float) -> float:
        """Return the seconds until the look at it, 0 or less if it is time."""
        return max(watched.due, self._earliest) - now

    def spent(self, pages: int, limit: int | None, began: float) -> None:
        """Put the next look off until its points are there.

        Args:
            pages: How many pages the last look has asked for.
            limit: The points of a window, `None` while they are unknown.
            began: When it began, in monotonic seconds.
        """
        if self._is_shared and limit:
            self._earliest = began + pages * POINTS_PER_PAGE * WINDOW / (limit * SHARE)

    def succeeded(self, watched: Watched[E], began: float, now: float) -> None:
        """Plan the next look after one that found out what there is."""
        watched.due = now + watched.backoff.after_success(now - began)

    def failed(self, watched: Watched[E], error: ScApiException, now: float) -> WatchError:
        """Plan the next look after one that failed, unless the server refuses the item for good."""
        permanent = watched.differ.item_id is not None and is_permanent(error)
        wait = watched.backoff.after_failure(error)
        if permanent:
            self._watched.remove(watched)
            wait = 0.0
        watched.due = now + wait
        return WatchError(
            region=watched.differ.region,
            item_id=watched.differ.item_id,
            error=error,
            failures=watched.backoff.failures,
            wait=wait,
            permanent=permanent,
        )
