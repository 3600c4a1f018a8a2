"""Render rows of a store as a table with a column for each field."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from rich.table import Column
from rich.text import Text

from scapi._base.escaping import terminal as plain
from scapi._base.formatting import EPOCH
from scapi._store.rows import Gap
from scapi.cli.fitted_tables import FittedTable, figure, fixed
from scapi.cli.formatting import NOTHING, clock, number
from scapi.enums import Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import msgspec

__all__ = ["records"]

#: Fields that tell rows apart and that people don't read.
MACHINE = {"additional", "key", "n", "seen_at"}

#: The headings of fields that aren't just the name of the field. Times get ` (UTC)`, too.
HEADINGS = {
    "aside": "Checked rarely",
    "amount": "Pieces",
    "buyout_price": "Buyout",
    "count": "Sales",
    "end_time": "Ends",
    "error": "Last error",
    "error_at": "Failed",
    "gone_at": "Gone",
    "looked_at": "Checked",
    "lots_at": "Lots checked",
    "newest": "Complete until",
    "oldest": "Complete from",
    "owner": "Collector",
    "sales_at": "Sales checked",
    "start_price": "Start",
    "start_time": "Listed",
    "total": "Sales in all",
    "unit_price": "Per piece",
    "vwap": "VWAP",
}
#: The ends of an interval in which sales may be missing.
GAP = {"newest": "Missing until", "oldest": "Missing from"}

#: Fields whose columns a narrow terminal does without, in this order.
SPARE = (
    *("owner", "first_seen", "last_seen", "start_time", "error_at", "lots_at", "aside", "turnover", "start_price"),
    *("bid", "total", "mean", "vwap", "end_time", "oldest", "min", "max", "gone_at", "p10", "p90", "profit", "pieces"),
    *("sales", "buyout_price", "sales_at", "count", "gaps", "lots", "open", "region", "amount", "high", "low", "price"),
)


def records(rows: Sequence[msgspec.Struct], now: datetime) -> FittedTable:
    """Render rows as a table without the columns that are empty in every row, or for which there is no room."""
    names = [] if not rows else _ordered(rows[0].__struct_fields__)
    values = {name: [getattr(row, name) for row in rows] for name in names}
    special = HEADINGS | GAP if rows and isinstance(rows[0], Gap) else HEADINGS
    headings = {name: _heading(name, column, special) for name, column in values.items()}
    columns = [_column(name, headings[name], column) for name, column in values.items()]
    cells = [_cells(column) for column in values.values()]
    spare = [headings[name] for name in SPARE if name in headings]
    return FittedTable(columns, list(zip(*cells, strict=True)), spare, drop_empty=True)


def _ordered(fields: Iterable[str]) -> list[str]:
    """Return the fields that people read. The beginning of an interval stands before its end."""
    names = [name for name in fields if name not in MACHINE]
    if "newest" in names:
        place = names.index("newest")
        names[place : place + 2] = ["oldest", "newest"]
    return names


def _heading(name: str, values: Sequence[Any], special: Mapping[str, str]) -> str:
    text = special.get(name) or name.replace("_", " ").capitalize()
    return f"{text} (UTC)" if any(isinstance(value, datetime) for value in values) else text


def _column(name: str, heading: str, values: Sequence[Any]) -> Column:
    """Make a column of numbers or of text. Names of items and errors may go over several lines, everything else not."""
    if name != "quality" and any(isinstance(value, int | float) for value in values):
        return figure(heading)
    return Column(heading) if name in {"item", "error", "aside"} else fixed(heading)


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
            return "the first sale" if value == EPOCH else clock(value)
        case float() if abs(value) < 100:
            return number(value, 2)
        case int() | float():
            return number(value)
        case _:
            return Text(plain(str(value)))
