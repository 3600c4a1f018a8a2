"""Number rows that are equal in every field: sales and lots have no ids."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeAlias, TypeVar

from scapi.models.auction import SALES_OVERLAP, AuctionLot, AuctionPrice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["NumberedRow", "RowCounts", "numbered"]

Row = TypeVar("Row", AuctionPrice, AuctionLot)

#: How often each key came, with the time of its row: the state of `numbered` between two pages.
RowCounts: TypeAlias = dict[int, tuple[datetime | None, int]]


class NumberedRow(NamedTuple, Generic[Row]):
    """A row with its unique key among all rows of its item and region.

    Attributes:
        row: The sale or lot.
        key: Its `key()`.
        n: Its number among the equal rows, from 0.
    """

    row: Row
    key: int
    n: int


def numbered(rows: Iterable[Row], seen: RowCounts | None = None) -> Iterator[NumberedRow[Row]]:
    """Number equal rows from 0, in their order.

    Sales of one second that are equal in everything count as several, because the server isn't known to send one twice.
    `(key, n)` distinguishes them, and is the same whenever the same rows are read again. So a table with this primary
    key can receive a page twice without a change:

        seen: scapi.models.RowCounts = {}
        async for sale in client.auction("zyv9").iter_price_history(since="7d", additional=True):
            for row, key, n in scapi.numbered([sale], seen): ...

    Args:
        rows: Sales or lots of one item and region, in the order of the API.
        seen: The counts so far; they are updated. Use one dict for all pages of a walk, and an empty one for each new
            walk. It is plain data: save it with the state of a walk that you resume later. Sales that are more than
            `SALES_OVERLAP` away from the current one are dropped, so it stays small.

    Returns:
        The rows, each with its key and number.
    """
    counts: RowCounts = {} if seen is None else seen
    for row in rows:
        key = row.key()
        _, n = counts.get(key, (None, 0))
        # Lots have no time: they come in any order, and there are few of them, so none is dropped.
        time: datetime | None = getattr(row, "time", None)
        if time is not None and not n:
            _drop_old(counts, time)
        counts[key] = time, n + 1
        yield NumberedRow(row, key, n)


def _drop_old(counts: RowCounts, now: datetime) -> None:
    """Drop the oldest entries that are further from now than a late sale can be."""
    for key, (time, _) in list(islice(counts.items(), 2)):
        if time is None or abs(time - now) <= SALES_OVERLAP:
            return
        del counts[key]
