"""Walk down the history of an item: choose the next page, number its sales, and find what it completes. Pure.

The API pages by offset, and sales have no ids. Two facts make an exact walk possible:

- **A page is a snapshot.** Equal sales on a page are different sales, so the number of a sale among its equals on one
  page is never too large, even if sales are made during the walk. Sales are written by time, key and number, so no
  sale is written twice, even if pages overlap or several collectors read them.
- **A history is sorted by time, and only grows.** A second is complete if all its sales are on one page, between an
  older and a newer sale. The next page begins one sale before the first sale of the last second, so each second is
  read as a whole once. New sales only shift the page towards newer sales. A page that doesn't begin above the complete
  part has left a gap, and is fetched again from further up.

A second with more sales than a page is read from several pages with the same `total`: then nothing moved between them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from scapi._collect.spans import Interval, settled_before
from scapi._store.reading import BEGINNING, Numbered

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from scapi.models import AuctionPrice, Listing

    #: The number of equal sales, by key.
    Counts: TypeAlias = dict[int, int]

#: Sales per page, the maximum of the API.
PAGE = 200

#: Later than any sale.
END = datetime.max.replace(tzinfo=UTC)

#: How many pages in a row may complete nothing. This happens while many sales are made, after an outdated response from
#: a cache, or on a server that ignores the offset.
PATIENCE = 12


class Taken(NamedTuple):
    """The result of taking a page.

    Attributes:
        rows: All its sales, each with its number among equal ones.
        complete: The interval that this page completed; `None` if there is none.
        is_last: Whether the walk is finished.
    """

    rows: list[Numbered[AuctionPrice]]
    complete: Interval | None
    is_last: bool


class _Crowd(NamedTuple):
    """A second that continues after the last page.

    Attributes:
        total: The total number of sales. While it stays the same, nothing has moved.
        counts: The number of equal sales of the second so far.
    """

    total: int
    counts: Counts


class HistoryWalk:
    """A walk down a history, from its top or from a gap.

    Args:
        until: Stop at this time.
        gap: Begin at the newer end of this gap; by default at the top.
        newer: The number of sales known to be newer than the gap. If there are more, that costs a page or two.
        enough: Stop after this many pages, as soon as they completed something. Older sales are left as a gap. By
            default the number of pages is unlimited.

    Attributes:
        offset: The offset of the next page to fetch.
        done: Whether the walk has ended.
        stuck: Why the walk ended early; `None` if it didn't.
        total: The number of sales, as of the last page.
        newest: The time of the newest sale, if the walk began at the top.
        left: The number of sales as old as the last one read, or older; `None` until it is known.
    """

    def __init__(
        self, until: datetime, *, gap: Interval | None = None, newer: int = 0, enough: int | None = None
    ) -> None:
        self.offset = max(0, newer - 1)
        self.done = False
        self.stuck: str | None = None
        self.total = 0
        self.newest: datetime | None = None
        self._until = until
        self._enough = enough
        self._from_top = gap is None
        #: All later sales were read. Sales of exactly this time may be missing.
        self._bound = END if gap is None else gap.newest
        self._settled = END if gap is not None else BEGINNING
        self.left: int | None = None
        self._crowd: _Crowd | None = None
        self._pages = self._idle = 0

    def take(self, page: Listing[AuctionPrice]) -> Taken:
        """Take the fetched page, and choose the next one.

        Args:
            page: The page at `offset`, of up to `PAGE` sales, with `additional`.
        """
        self._pages += 1
        self.total = page.total
        crowd, self._crowd = self._crowd, None
        goes_on = crowd is not None and crowd.total == page.total and bool(page) and page[0].time <= self._bound
        self._idle = 0 if goes_on else self._idle + 1
        counts = crowd.counts if crowd and goes_on else {}
        rows = _numbered(page, counts)
        complete = self._step(page, rows, counts, goes_on=goes_on)
        if self._idle > PATIENCE and not self.done:
            self._give_up(f"{PATIENCE} pages in a row completed nothing")
        return Taken(rows, complete, self.done and self.stuck is None)

    def _step(
        self, page: Listing[AuctionPrice], rows: list[Numbered[AuctionPrice]], counts: Counts, *, goes_on: bool
    ) -> Interval | None:
        times = [sale.time for sale in page]
        if times != sorted(times, reverse=True):
            self._give_up("the server's sales aren't sorted by time")
            return None
        if not times:
            self._take_nothing(page)
            return None
        if self._from_top and self.offset == 0:
            self.newest = times[0]
            self._settled = settled_before(times[0])
        end = self.offset + len(page) + len(page.rejected)
        oldest = BEGINNING if end >= page.total else times[-1]
        if not (self.offset == 0 or goes_on or times[0] > self._bound):
            self._step_back(page.total)
            return None
        if oldest < self._bound:
            return self._go_down(page, oldest, _place(page, times.index(times[-1])))
        if oldest == self._bound:
            # This second fills the rest of the page and may continue on the next one, if nothing moves meanwhile.
            self._crowd = _Crowd(page.total, counts | {key: n for sale, key, n in rows if sale.time == oldest})
            self.offset = end
        else:
            # Many sales were made meanwhile, so the whole page is newer than the bound.
            expected = self.offset if self.left is None else page.total - self.left - 1
            self.offset = max(expected, end - 1)
        return None

    def _go_down(self, page: Listing[AuctionPrice], oldest: datetime, last: int) -> Interval | None:
        """Move the bound to the oldest time of a page. The sales of that time begin at the place `last`."""
        complete = Interval(min(self._bound, self._settled), oldest)
        self._bound, self._idle = oldest, 0
        self.left = page.total - self.offset - last
        self.offset = max(0, self.offset + last - 1)
        is_enough = self._enough is not None and self._pages >= self._enough and oldest < self._settled
        self.done = oldest <= self._until or is_enough
        return complete if complete.oldest < complete.newest else None

    def _step_back(self, total: int) -> None:
        """Move the offset up: the page began below the complete part, or in the middle of a second."""
        expected = self.offset if self.left is None else total - self.left - 1
        self.offset = max(0, min(expected, self.offset - PAGE + 1))

    def _take_nothing(self, page: Listing[AuctionPrice]) -> None:
        """Take a page without readable sales."""
        if page.total == 0 and self._from_top:
            self.done = True
        elif page.total == 0:
            self._give_up("the server says that there are no sales any more")
        elif page.rejected:
            self.offset += len(page.rejected)
        else:
            self.offset = max(0, min(self.offset, page.total) - PAGE + 1)

    def _give_up(self, reason: str) -> None:
        self.done, self.stuck = True, reason


def _place(page: Listing[AuctionPrice], index: int) -> int:
    """Return the place of a sale on the page as it was sent, including unreadable rows."""
    for rejected in sorted(page.rejected):
        index += rejected.index <= index
    return index


def _numbered(sales: Iterable[AuctionPrice], counts: Counts) -> list[Numbered[AuctionPrice]]:
    """Number the sales of a page after those that were counted before. The time is a part of the key."""
    counts = counts.copy()
    rows: list[Numbered[AuctionPrice]] = []
    for sale in sales:
        key = sale.key()
        n = counts[key] = counts.get(key, 0) + 1
        rows.append(Numbered(sale, key, n))
    return rows
