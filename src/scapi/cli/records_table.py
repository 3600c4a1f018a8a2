"""Render rows of a store as a table with a column for each field."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from rich.table import Column
from rich.text import Text

from scapi._base.escaping import terminal as plain
from scapi.cli.fitted_tables import FittedTable, figure, fixed
from scapi.cli.formatting import NOTHING, clock, number
from scapi.enums import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec

__all__ = ["records"]

#: Fields that tell rows apart and that people don't read.
MACHINE = {"additional", "key", "n", "seen_at"}

#: Columns that a narrow terminal does without, in this order.
SPARE = (
    *("owner", "first_seen", "last_seen", "start_time", "error_at", "lots_at", "aside", "turnover", "start_price"),
    *("bid", "total", "mean", "vwap", "end_time", "oldest", "min", "max", "gone_at", "p10", "p90", "profit", "pieces"),
    *("sales", "buyout_price", "sales_at", "count", "gaps", "lots", "open", "region", "amount", "high", "low", "price"),
)


def records(rows: Sequence[msgspec.Struct], now: datetime) -> FittedTable:
    """Render rows as a table without the columns that are empty in every row, or for which there is no room."""
    names = [] if not rows else [name for name in rows[0].__struct_fields__ if name not in MACHINE]
    values = {name: [getattr(row, name) for row in rows] for name in names}
    figures = {name for name, column in values.items() if any(isinstance(value, int | float) for value in column)}
    figures -= {"quality"}
    columns = [figure(name) if name in figures else _column(name) for name in names]
    cells = [_cells(column) for column in values.values()]
    return FittedTable(columns, list(zip(*cells, strict=True)), SPARE, drop_empty=True)


def _column(name: str) -> Column:
    """Make a column of text. Names of items and errors may go over several lines, everything else not."""
    return Column(name) if name in {"item", "error", "aside"} else fixed(name)


def _cells(values: Sequence[Any]) -> list[str | Text]:
    cells = [_shown(value) for value in values]
    times = [value for value in values if isinstance(value, datetime)]
    if times and all(value.time() == time.min for value in times):
        # Days, such as those of candles.
        return [cell[: len("2026-08-19")] for cell in cells]
    return cells


def _shown(value: Any) -> str | Text:
    match value:
        case None:
            return NOTHING
        case Quality():
            return Text(value.name.lower(), value.color)
        case datetime():
            return clock(value)
        case float() if abs(value) < 100:
            return number(value, 2)
        case int() | float():
            return number(value)
        case _:
            return Text(plain(str(value)))
