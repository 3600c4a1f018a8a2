"""Convert sales and lots to the values of their columns, and find those that the database can't hold.

This works on whole columns, which takes much less time than to work on each row.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from scapi._store.times import micros
from scapi._store.write_results import Unstored
from scapi.models.details import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeAlias

    from scapi._store.driver_sql import Values
    from scapi._store.reading import Numbered
    from scapi._store.rows import Place
    from scapi.models import AuctionLot, AuctionPrice

    #: The values of each column, in the order of the table.
    Columns: TypeAlias = Mapping[str, Iterable[Any]]

T = TypeVar("T")

#: How many bits a value may have, with its sign.
SALE_BITS = {"amount": 64, "price": 64, "quality": 32, "level": 32}
LOT_BITS = {**dict.fromkeys(("amount", "start_price", "buyout_price", "bid"), 64), "quality": 32, "level": 32}

encode = msgspec.json.Encoder().encode


def storable_sales(
    place: Place, rows: list[Numbered[AuctionPrice]], seen_at: int
) -> tuple[list[tuple[AuctionPrice, Values]], list[Unstored[AuctionPrice]]]:
    """Return the sales that the database can hold, with their column values and sorted by place, and the others."""
    sales = [row for row, _, _ in rows]
    columns = {
        "region": repeat(place.region),
        "item": repeat(place.item),
        "time": [micros(sale.time) for sale in sales],
        "key": [key for _, key, _ in rows],
        "n": [n for _, _, n in rows],
        "amount": [sale.amount for sale in sales],
        "price": [sale.price for sale in sales],
        "quality": _qualities(sales),
        "level": [sale.upgrade_level for sale in sales],
        "additional": _texts(sales),
        "seen_at": repeat(seen_at),
    }
    stored, unstored = _storable(sales, columns, SALE_BITS)
    stored.sort(key=place_of_sale)
    return stored, unstored


def storable_lots(
    place: Place, rows: list[Numbered[AuctionLot]], at: int
) -> tuple[list[tuple[AuctionLot, Values]], list[Unstored[AuctionLot]]]:
    """Return the lots that the database can hold, with their column values and sorted by place, and the others."""
    lots = [row for row, _, _ in rows]
    columns = {
        "region": repeat(place.region),
        "item": repeat(place.item),
        "key": [key for _, key, _ in rows],
        "n": [n for _, _, n in rows],
        "amount": [lot.amount for lot in lots],
        "start_price": [lot.start_price for lot in lots],
        "buyout_price": [lot.buyout_price for lot in lots],
        "bid": [lot.current_price for lot in lots],
        "start_time": [lot.start_time and micros(lot.start_time) for lot in lots],
        "end_time": [lot.end_time and micros(lot.end_time) for lot in lots],
        "quality": _qualities(lots),
        "level": [lot.upgrade_level for lot in lots],
        "additional": _texts(lots),
        "first_seen": repeat(at),
        "last_seen": repeat(at),
        "gone_at": repeat(None),
    }
    stored, unstored = _storable(lots, columns, LOT_BITS)
    stored.sort(key=place_of_lot)
    return stored, unstored


def place_of_sale(row: tuple[AuctionPrice, Values]) -> Values:
    """Return the time, the key and the number of a sale."""
    return row[1][2:5]


def place_of_lot(row: tuple[AuctionLot, Values]) -> Values:
    """Return the key and the number of a lot."""
    return row[1][2:4]


def _qualities(rows: Iterable[AuctionPrice | AuctionLot]) -> list[int | None]:
    """Return the numbers of qualities. Their enums would take longer to make than all other values."""
    return [whole(row.additional.get("qlt")) for row in rows]


def _texts(rows: Iterable[AuctionPrice | AuctionLot]) -> list[str | None]:
    return [encode(row.additional).decode() if row.additional else None for row in rows]


def _storable(
    rows: list[T], columns: Columns, bits: Mapping[str, int]
) -> tuple[list[tuple[T, Values]], list[Unstored[T]]]:
    """Split rows into those that the database can hold, with their column values, and the others."""
    found = list(zip(rows, zip(*columns.values(), strict=False), strict=True))
    if all(_fits(columns[name], most) for name, most in bits.items()):
        return found, []
    stored: list[tuple[T, Values]] = []
    unstored: list[Unstored[T]] = []
    for row, values in found:
        named = dict(zip(columns, values, strict=True))
        beyond = next((name for name, most in bits.items() if not _fits([named[name]], most)), None)
        if beyond is None:
            stored.append((row, values))
        else:
            reason = f"{beyond} must fit in {bits[beyond]} bits, which {named[beyond]} doesn't"
            unstored.append(Unstored(row, reason))
    return stored, unstored


def _fits(values: Iterable[int | None], bits: int) -> bool:
    """Return whether a column of so many bits can hold all values."""
    numbers = list(filter(None, values))  # a column can hold `None` and 0
    most = (1 << bits - 1) - 1
    return -most <= min(numbers, default=0) and max(numbers, default=0) <= most
