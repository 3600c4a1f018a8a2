"""Rows of a store as a table: a column for each field."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.table import Column, Table
from rich.text import Text

from scapi._base.escaping import terminal as plain
from scapi.cli.fitted_tables import figure, table
from scapi.cli.formatting import NOTHING, clock, number
from scapi.enums import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec

__all__ = ["records"]

#: Fields that tell rows apart and that people don't read.
MACHINE = {"additional", "key", "n", "seen_at"}


def records(rows: Sequence[msgspec.Struct], now: datetime) -> Table:
    """Render rows as a table without the columns that are empty in every row."""
    names = [] if not rows else [name for name in rows[0].__struct_fields__ if name not in MACHINE]
    values = {name: [getattr(row, name) for row in rows] for name in names}
    shown = {name: column for name, column in values.items() if any(value is not None for value in column)}
    figures = {name for name, column in shown.items() if any(isinstance(value, int | float) for value in column)}
    figures -= {"quality"}
    result = table(*(figure(name) if name in figures else Column(name, overflow="fold") for name in shown))
    for cells in zip(*shown.values(), strict=True):
        result.add_row(*map(_shown, cells))
    return result


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
