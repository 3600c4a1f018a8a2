"""Estimate how long fetching takes. This depends more on the API's points than on the network."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.progress import ProgressColumn
from rich.text import Text

from scapi.cli.formatting import number

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from rich.progress import Task

    from scapi.models import RateLimit

#: The rows and the cost in points of a page of a long list.
ROWS, COST = 200, 2

#: The length of a window of points in seconds.
WINDOW = 60.0


class CountColumn(ProgressColumn):
    """The number of rows so far and in all, such as `4 200/82 319`."""

    def render(self, task: Task) -> Text:
        """Show both numbers, or a question mark if there is no total."""
        total = "?" if task.total is None else number(int(task.total))
        return Text(f"{number(int(task.completed))}/{total}", style="progress.download")


class RemainingColumn(ProgressColumn):
    """The remaining time: estimated from the speed so far, or from the waits for points if these take longer.

    Args:
        ratelimit: Returns the rate limit; `None` if no points are needed.
    """

    max_refresh = 0.5

    def __init__(self, ratelimit: Callable[[], RateLimit] | None) -> None:
        super().__init__()
        self._ratelimit = ratelimit

    def render(self, task: Task) -> Text:
        """Show the remaining time, or nothing if it is unknown."""
        if task.remaining is None or task.finished:
            return Text("")
        left = task.time_remaining or 0.0
        if self._ratelimit is not None:
            left = max(left, seconds_for_points(task.remaining, self._ratelimit(), datetime.now(UTC)))
        return Text(f"{left:.0f} s left" if left < 100 else f"{left / 60:.0f} min left", style="cyan")


def seconds_for_points(rows: float, ratelimit: RateLimit, now: datetime) -> float:
    """Estimate how long it takes until there are enough points for the rows, in seconds.

    Args:
        rows: The number of rows still to fetch.
        ratelimit: The last known rate limit.
        now: The present time (aware).
    """
    limit, remaining, reset = ratelimit.limit, ratelimit.remaining, ratelimit.reset
    if not limit or remaining is None or reset is None:
        return 0.0
    missing = math.ceil(rows / ROWS) * COST - remaining
    if missing <= 0:
        return 0.0
    until_reset: timedelta = reset - now
    return max(0.0, until_reset.total_seconds()) + (math.ceil(missing / limit) - 1) * WINDOW
