"""A look at an item, page by page: numbers equal rows, and says what each page completes. Pure.

Equal rows are told apart by counting, and a count goes on over the pages of a look. A look must therefore see all rows
of a time, or none: it begins and ends between two times, never in the middle of one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from scapi.models import SALES_OVERLAP, AuctionLot, AuctionPrice

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

#: The older end of a span that goes back to the first sale ever.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Numbered(NamedTuple, Generic[T]):
    """A row, what tells it from others, and its number among equal ones, from 1."""

    row: T
    key: int
    n: int


class SalesPiece(NamedTuple):
    """A page of a look at sales, ready to be written.

    Attributes:
        rows: The sales.
        newest: The newer end of what is complete once they are written; `None` where nothing is.
        oldest: The older end, which isn't part of it itself.
    """

    rows: list[Numbered[AuctionPrice]]
    newest: datetime | None
    oldest: datetime


class LotsPiece(NamedTuple):
    """A page of a look at lots, ready to be written.

    Attributes:
        rows: The lots.
        at: When the look began.
        complete: Whether this page is the last one of a look that saw all lots.
    """

    rows: list[Numbered[AuctionLot]]
    at: datetime
    complete: bool


class SalesReading:
    """One look at the sales of an item, newest first.

    Args:
        newest: Where the look begins: it sees all sales of this time and older ones, as those of a backfill that goes
            on at `span.oldest`. By default it begins with the newest sale that there is.
    """

    def __init__(self, newest: datetime | None = None) -> None:
        self._reached = newest
        self._counts: dict[int, tuple[datetime, int]] = {}

    def piece(self, sales: Iterable[AuctionPrice], *, end: datetime | None = None) -> SalesPiece:
        """Take the next page.

        Args:
            sales: The sales of the page that no page before has brought, newest first; none beyond `end`.
            end: On the last page, up to where everything was read: the `since` that sales had to be newer than, or
                `BEGINNING` where the history ended. Without it, more sales of the page's last time may follow.
        """
        sales = list(sales)
        newest = self._reached or max((sale.time for sale in sales), default=None)
        if newest is None:
            return SalesPiece([], None, BEGINNING)
        rows = [self._numbered(sale) for sale in sales]
        oldest = min(end or (sales[-1].time if sales else newest), newest)
        self._reached = oldest
        # What is later than this can't be equal to anything that is still to come, however late rows turn up.
        self._counts = {key: seen for key, seen in self._counts.items() if seen[0] - SALES_OVERLAP <= oldest}
        return SalesPiece(rows, newest, oldest)

    def _numbered(self, sale: AuctionPrice) -> Numbered[AuctionPrice]:
        key = sale.key()
        n = self._counts.get(key, (sale.time, 0))[1] + 1
        self._counts[key] = sale.time, n
        return Numbered(sale, key, n)


class LotsReading:
    """One look at the lots of an item.

    Args:
        at: When it began. Lots that are seen later by another look are newer, whichever is written first.
    """

    def __init__(self, at: datetime) -> None:
        self.at = at
        self._counts: dict[int, int] = {}

    def piece(self, lots: Iterable[AuctionLot], *, complete: bool = False) -> LotsPiece:
        """Take the next page.

        Args:
            lots: The lots of the page that no page before has brought.
            complete: Whether the look has seen all lots with this page: those that it didn't see are gone.
        """
        return LotsPiece([self._numbered(lot) for lot in lots], self.at, complete)

    def _numbered(self, lot: AuctionLot) -> Numbered[AuctionLot]:
        key = lot.key()
        n = self._counts[key] = self._counts.get(key, 0) + 1
        return Numbered(lot, key, n)
