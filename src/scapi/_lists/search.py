"""Find the place in a history, newest first, where the sales of a time begin, without reading all that is newer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Search:
    """A search for the newest sale that is not newer than a time.

    It asks for single rows, at offsets that double until one is old enough, and then halves the distance. A row that
    was too new stays too new, whatever is sold meanwhile, so the result is always safe to begin from. If anything else
    about the answers is odd, the result is only further up than it need be.

    Args:
        until: The time.
        page_size: The number of sales of a page.

    Attributes:
        offset: The offset of the row to ask for now.
        start: An offset that all sales up to the time stand behind, and once the search is done less than a page
            before them.
        done: Whether there is nothing more to ask for.
    """

    def __init__(self, until: datetime, page_size: int) -> None:
        self.offset: int = page_size
        self.start: int = 0
        self.done = False
        self._until = until
        self._page_size = page_size
        self._end: int | None = None

    def feed(self, time: datetime | None, total: int) -> None:
        """Take the row that was asked for.

        Args:
            time: Its time, `None` if there is no such row or it can't be read.
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
        """Return whether a page is too far down, as one out of a cache may be: its first sale has this time."""
        return self.start > 0 and (time is None or time <= self._until)

    def step_back(self) -> None:
        """Begin a page further up."""
        self.start = max(0, self.start - self._page_size)
