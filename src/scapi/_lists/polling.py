"""The schedule of a watcher: what to poll, and when. Pure: time and random numbers are arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from scapi._base import validation
from scapi._lists.failures import is_permanent
from scapi.exceptions import RateLimitError, ScApiException
from scapi.models import WatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scapi._lists.watch_differs import Differ


E = TypeVar("E")

#: The longest wait after failures, in seconds, where the interval is shorter.
LONGEST_WAIT = 300.0

#: The points that a page of lots or sales costs, and the length of the server's window of points in seconds.
POINTS_PER_PAGE = 2
WINDOW = 60.0

#: The share of the points that a watcher of many items uses. The rest is left for other calls.
SHARE = 0.9


class Backoff:
    """The waits between two polls of the same thing.

    Args:
        interval: Seconds from one poll to the next, above 0.
        rng: Returns a random number from 0 to 1.
    """

    def __init__(self, interval: float, rng: Callable[[], float]) -> None:
        self.interval = interval
        self.failures = 0
        self._rng = rng

    def after_success(self, took: float) -> float:
        """Return the seconds to wait after a poll that took `took` seconds."""
        self.failures = 0
        return max(0.0, self.interval - took)

    def after_failure(self, error: Exception) -> float:
        """Return the seconds to wait after a failed poll: random below a bound that doubles each time (full jitter)."""
        self.failures += 1
        longest = max(LONGEST_WAIT, self.interval)
        wait = self._rng() * min(longest, self.interval * 2.0 ** min(self.failures, 64))
        retry_after = error.retry_after if isinstance(error, RateLimitError) else 0.0
        return min(longest, max(wait, retry_after))


class Watched(Generic[E]):
    """A thing that is watched.

    Attributes:
        differ: Its known state.
        due: When to poll next, in monotonic seconds.
        backoff: The waits between polls.
    """

    def __init__(self, differ: Differ[E, Any], due: float, backoff: Backoff) -> None:
        self.differ = differ
        self.due = due
        self.backoff = backoff


class Schedule(Generic[E]):
    """Polls one or many things, one after another.

    Polls of many things are spread over the interval. Together they use only a share of the points. If the interval is
    too short for that, it becomes longer.

    Args:
        differs: The things to watch.
        interval: Seconds from one poll of a thing to the next, above 0.
        rng: Returns a random number from 0 to 1.
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
        """Return the next thing to poll, or `None` if the server rejects all of them."""
        return min(self._watched, key=lambda watched: watched.due, default=None)

    def wait(self, watched: Watched[E], now: float) -> float:
        """Return the seconds until the poll, 0 or less if it is due."""
        return max(watched.due, self._earliest) - now

    def spent(self, pages: int, limit: int | None, began: float) -> None:
        """Delay the next poll until its points are available.

        Args:
            pages: How many pages the last poll has requested.
            limit: The points per window, `None` while unknown.
            began: When the last poll began, in monotonic seconds.
        """
        if self._is_shared and limit:
            self._earliest = began + pages * POINTS_PER_PAGE * WINDOW / (limit * SHARE)

    def succeeded(self, watched: Watched[E], began: float, now: float) -> None:
        """Schedule the next poll after a successful one."""
        watched.due = now + watched.backoff.after_success(now - began)

    def failed(self, watched: Watched[E], error: ScApiException, now: float) -> WatchError:
        """Schedule the next poll after a failed one, unless the server rejects the item permanently."""
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
