"""Read the sales or lots of an item page by page: number equal rows, and find what each page completes. Pure.

Equal rows are distinguished by a number that is counted across the pages of a poll. A poll must therefore see all rows
of a time, or none: it begins and ends between two times, never in the middle of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from scapi._base.formatting import EPOCH
from scapi.models import SALES_OVERLAP, AuctionLot, AuctionPrice

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

T = TypeVar("T")

#: The older end of a span that reaches back to the first sale.
BEGINNING = EPOCH


class Numbered(NamedTuple, Generic[T]):
    """A row, its identifying key, and its number among equal rows, from 1."""

    row: T
    key: int
    n: int


class SalesPiece(NamedTuple):
    """A page of sales, ready to be written.

    Attributes:
        rows: The sales.
        newest: The newer end of the interval that is complete once they are written; `None` if there is none.
        oldest: The older end, exclusive.
    """

    rows: list[Numbered[AuctionPrice]]
    newest: datetime | None
    oldest: datetime


class LotsPiece(NamedTuple):
    """A page of lots, ready to be written.

    Attributes:
        rows: The lots.
        at: When the poll began.
        complete: Whether this page is the last one of a poll that saw all lots.
    """

    rows: list[Numbered[AuctionLot]]
    at: datetime
    complete: bool


class SalesReading:
    """One poll of the sales of an item, newest first.

    Args:
        newest: Where the poll begins. It sees all sales of this time and older ones, such as a backfill that continues
            at `span.oldest`. By default it begins with the newest sale.
    """

    def __init__(self, newest: datetime | None = None) -> None:
        self._reached = newest
        self._counts: dict[int, tuple[datetime, int]] = {}

    def piece(self, sales: Iterable[AuctionPrice], *, end: datetime | None = None) -> SalesPiece:
        """Take the next page.

        Args:
            sales: The sales that weren't on an earlier page, newest first; none beyond `end`.
            end: On the last page, the time down to which everything was read: the `since` that sales had to be newer
                than, or `BEGINNING` if the history ended. Without it, more sales of the page's last time may follow.
        """
        sales = list(sales)
        newest = self._reached or max((sale.time for sale in sales), default=None)
        if newest is None:
            return SalesPiece([], None, BEGINNING)
        rows = [self._numbered(sale) for sale in sales]
        oldest = min(end or (sales[-1].time if sales else newest), newest)
        self._reached = oldest
        # Later sales can't equal any that are still to come, even if rows turn up late.
        self._counts = {key: seen for key, seen in self._counts.items() if seen[0] - SALES_OVERLAP <= oldest}
        return SalesPiece(rows, newest, oldest)

    def _numbered(self, sale: AuctionPrice) -> Numbered[AuctionPrice]:
        key = sale.key()
        n = self._counts.get(key, (sale.time, 0))[1] + 1
        self._counts[key] = sale.time, n
        return Numbered(sale, key, n)


class LotsReading:
    """One poll of the lots of an item.

    Args:
        at: When it began. Of two polls the later one counts, in whichever order they are written.
    """

    def __init__(self, at: datetime) -> None:
        self.at = at
        self._counts: dict[int, int] = {}

    def piece(self, lots: Iterable[AuctionLot], *, complete: bool = False) -> LotsPiece:
        """Take the next page.

        Args:
            lots: The lots that weren't on an earlier page.
            complete: Whether the poll has now seen all lots. Lots that it didn't see are gone.
        """
        return LotsPiece([self._numbered(lot) for lot in lots], self.at, complete)

    def _numbered(self, lot: AuctionLot) -> Numbered[AuctionLot]:
        key = lot.key()
        n = self._counts[key] = self._counts.get(key, 0) + 1
        return Numbered(lot, key, n)
