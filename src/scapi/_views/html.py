"""Render listings and records as HTML tables, for notebooks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from scapi._base.escaping import page as escape
from scapi._views.columns import Column, Filled, columns_of, records_in
from scapi._views.values import packed, readable
from scapi.models import Statistic

if TYPE_CHECKING:
    from collections.abc import Iterable

    import msgspec

    from scapi.models import Listing


#: The most rows that a table shows.
SHOWN = 20

#: A narrow no-break space between groups of thousands.
NARROW = "\u202f"

#: The styles of cells and of the headings above them. Without `nowrap`, a time would break into three lines.
LEFT, RIGHT = "text-align:left", "text-align:right"
STYLES = {"int": RIGHT, "float": RIGHT, "time": f"{LEFT};white-space:nowrap"}


def listing(page: Listing[Any]) -> str:
    """Render a page as a table, with its place in the whole list below."""
    model: type | None = page.model or next(map(type, page), None)
    return f"{_rows(model, page[:SHOWN])}<p>{_place(page)}</p>" if model else f"<p>{_place(page)}</p>"


def record(row: msgspec.Struct) -> str:
    """Render a record as a table of its fields, and the records in it as a table below."""
    model = type(row)
    nested = records_in(model)
    columns = [column for column in columns_of(model) if nested is None or column.name != nested[0]]
    cells = (f'<th style="text-align:left">{escape(column.name)}</th>{_cell(column, row, LEFT)}' for column in columns)
    body = "".join(f"<tr>{cell}</tr>" for cell in cells)
    below = "" if nested is None else f"<p>{escape(nested[0])}</p>{_rows(nested[1], getattr(row, nested[0]))}"
    return f"<table><tbody>{body}</tbody></table>{below}"


def _rows(model: type, rows: Iterable[Any]) -> str:
    columns = columns_of(model)
    pairs = [(column, STYLES.get(column.kind, LEFT)) for column in columns]
    head = "".join(f'<th style="{style}">{escape(column.name)}</th>' for column, style in pairs)
    body = "".join(f"<tr>{''.join(_cell(column, row, style) for column, style in pairs)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _place(page: Listing[Any]) -> str:
    shown = f"{min(len(page), SHOWN)} of {len(page)} rows shown, offset {page.offset}, {page.total} in all"
    return f"{shown}, {len(page.rejected)} rejected" if page.rejected else shown


def _cell(column: Column, row: Any, style: str) -> str:
    if isinstance(row, Statistic) and column.name == "value" and isinstance(row.parsed, timedelta):
        return f'<td style="{style}">{row.parsed}</td>'  # nobody reads milliseconds
    filled = Filled(column.name, column.kind, column.get([row]))
    [value] = (packed(filled) if column.kind == "json" else filled).values
    text = "" if value is None else readable(column, value, apart=NARROW)
    return f'<td style="{style}">{escape(text)}</td>'
