"""Find where the sales up to a time begin in a history (newest first), without reading all newer sales."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Search:
    """A search for the newest sale that is not newer than a time.

    It fetches single rows, at offsets that double until a row is old enough, and then bisects. A row that was too new
    stays too new, whatever is sold meanwhile, so no wanted sale is ever above the result. Otherwise inconsistent
    responses only make the result smaller than necessary.

    Args:
        until: The time.
        page_size: The number of sales per page.

    Attributes:
        offset: The offset of the next row to fetch.
        start: No sale up to the time is before this offset. When the search is done, the first one is at most a page
            behind it.
        done: Whether the search is done.
    """

    def __init__(self, until: datetime, page_size: int) -> None:
        self.offset: int = page_size
        self.start: int = 0
        self.done = False
        self._until = until
        self._page_size = page_size
        self._end: int | None = None

    def feed(self, time: datetime | None, total: int) -> None:
        """Process the row that was fetched.

        Args:
            time: The row's time, `None` if there is no such row or it can't be read.
            total: The number of rows in the whole list.
        """
        if time is not None and time > self._until:
            self.start = self.offset
        else:
            self._end = min(self.offset, total)
        if self._end is None:
            self.offset *= 2
            return
        self.done = self._end - self.start <= self._page_size
        self.offset = (self.start + self._end) // 2

    def is_below(self, time: datetime | None) -> bool:
        """Return whether a page whose first sale has this time is too far down, as a page from a cache may be."""
        return self.start > 0 and (time is None or time <= self._until)

    def step_back(self) -> None:
        """Move the start up by a page."""
        self.start = max(0, self.start - self._page_size)
