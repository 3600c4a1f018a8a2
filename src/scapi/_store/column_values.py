"""Convert sales and lots to the values of their columns, and find those that the database can't hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from scapi._store.schema import lot, sale
from scapi._store.times import micros
from scapi._store.write_results import Unstored
from scapi.models.details import whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Table

    from scapi._store.driver_sql import Values
    from scapi._store.reading import Numbered
    from scapi._store.rows import Place
    from scapi.models import AuctionLot, AuctionPrice

T = TypeVar("T")

encode = msgspec.json.Encoder().encode


class Limit(NamedTuple):
    """The limit of a column.

    Attributes:
        name: Its name.
        place: Its place in its table.
        bits: How many bits a value may have, with its sign.
    """

    name: str
    place: int
    bits: int

    @property
    def most(self) -> int:
        """The greatest value that the column holds."""
        return (1 << self.bits - 1) - 1


def _limits(table: Table, **bits: int) -> list[Limit]:
    return [Limit(name, table.columns.keys().index(name), each) for name, each in bits.items()]


SALE_LIMITS = _limits(sale, amount=64, price=64, quality=32, level=32)
LOT_LIMITS = _limits(lot, amount=64, start_price=64, buyout_price=64, bid=64, quality=32, level=32)


def _storable(rows: list[tuple[T, Values]], limits: list[Limit]) -> tuple[list[tuple[T, Values]], list[Unstored[T]]]:
    """Split rows into those that the database can hold, with their column values, and the others."""
    # Nearly always all rows fit. The extremes of a column show that much faster than a look at each row.
    if all(_holds(limit, [values[limit.place] for _, values in rows]) for limit in limits):
        return rows, []
    stored: list[tuple[T, Values]] = []
    unstored: list[Unstored[T]] = []
    for row, values in rows:
        beyond = next((limit for limit in limits if not _holds(limit, [values[limit.place]])), None)
        if beyond is None:
            stored.append((row, values))
        else:
            reason = f"{beyond.name} must fit in {beyond.bits} bits, which {values[beyond.place]} doesn't"
            unstored.append(Unstored(row, reason))
    return stored, unstored


def _holds(limit: Limit, values: Iterable[int | None]) -> bool:
    """Return whether a column can hold all values."""
    numbers = list(filter(None, values))  # a column can hold `None` and 0
    return min(numbers, default=0) >= -limit.most and max(numbers, default=0) <= limit.most


def storable_sales(
    place: Place, rows: Iterable[Numbered[AuctionPrice]], seen_at: int
) -> tuple[list[tuple[AuctionPrice, Values]], list[Unstored[AuctionPrice]]]:
    """Return the sales that the database can hold, with their column values and sorted by place, and the others."""
    values: list[tuple[AuctionPrice, Values]] = [
        (
            row,
            (
                place.region,
                place.item,
                micros(row.time),
                key,
                n,
                row.amount,
                row.price,
                _quality(row),
                row.upgrade_level,
                _json(row.additional),
                seen_at,
            ),
        )
        for row, key, n in rows
    ]
    stored, unstored = _storable(values, SALE_LIMITS)
    stored.sort(key=place_of_sale)
    return stored, unstored


def storable_lots(
    place: Place, rows: Iterable[Numbered[AuctionLot]], at: int
) -> tuple[list[tuple[AuctionLot, Values]], list[Unstored[AuctionLot]]]:
    """Return the lots that the database can hold, with their column values and sorted by place, and the others."""
    values: list[tuple[AuctionLot, Values]] = [
        (
            row,
            (
                place.region,
                place.item,
                key,
                n,
                row.amount,
                row.start_price,
                row.buyout_price,
                row.current_price,
                row.start_time and micros(row.start_time),
                row.end_time and micros(row.end_time),
                _quality(row),
                row.upgrade_level,
                _json(row.additional),
                at,
                at,
                None,
            ),
        )
        for row, key, n in rows
    ]
    stored, unstored = _storable(values, LOT_LIMITS)
    stored.sort(key=place_of_lot)
    return stored, unstored


def _quality(row: AuctionPrice | AuctionLot) -> int | None:
    """Return the number of the quality. To make its enum would take longer than to read all other fields."""
    return whole(row.additional.get("qlt"))


def _json(additional: dict[str, Any]) -> str | None:
    return encode(additional).decode() if additional else None


def place_of_sale(row: tuple[AuctionPrice, Values]) -> Values:
    """Return the time, the key and the number of a sale."""
    return row[1][2:5]


def place_of_lot(row: tuple[AuctionLot, Values]) -> Values:
    """Return the key and the number of a lot."""
    return row[1][2:4]
