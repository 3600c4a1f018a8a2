"""Render listings and records as text, for a prompt."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

import msgspec

from scapi._base import formatting
from scapi._base.escaping import terminal
from scapi._base.json_types import is_array
from scapi._views.columns import PROPERTIES, columns_of
from scapi._views.values import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scapi.models import Listing

#: The most rows of a listing that are shown, and the most characters of a line and of a cell.
SHOWN, LINE, CELL = 10, 120, 24


def record(row: msgspec.Struct) -> str:
    """Render a record on one line: its fields and properties, `additional` last, and lists of records as a count."""
    names = [*row.__struct_fields__, *PROPERTIES.get(type(row), ())]
    names.sort(key=lambda name: name == "additional")
    return f"{type(row).__name__}({', '.join(f'{name}={_spelled(getattr(row, name))}' for name in names)})"


def _spelled(value: Any) -> str:
    if isinstance(value, datetime):
        return formatting.moment(value, "T", "auto", "Z")
    if isinstance(value, Enum):
        return str(value) if isinstance(value, int) else repr(value.value)
    if is_array(value) and value and isinstance(value[0], msgspec.Struct):
        return f"[{len(value)} {type(value[0]).__name__}]"
    return repr(value)


def listing(page: Listing[Any]) -> str:
    """Render a page as a line with the number of rows, and a table of the first ones."""
    model = page.model or next(map(type, page), None)
    kind = "rows" if model is None else model.__name__
    head = f"Listing of {len(page)} {kind}, {page.total:,} in all, offset {page.offset}, limit {page.limit}"
    if page.rejected:
        head += f", {len(page.rejected)} rejected"
    lines = _table(model, list(page[:SHOWN])) if page and model else []
    if len(page) > SHOWN:
        lines.append(f"… {len(page) - SHOWN} more")
    return "\n".join([head, *(f"  {line}".rstrip() for line in lines)])


def _table(model: type, rows: Sequence[Any]) -> list[str]:
    """Render the columns that aren't empty, as many as fit into a line. Times come last."""
    if not issubclass(model, msgspec.Struct):
        return [_cut(repr(row), LINE - 2) for row in rows]
    lines = [""] * (len(rows) + 1)
    for column in sorted(columns_of(model), key=lambda column: column.kind == "time"):
        values = column.get(list(rows))
        if column.kind in {"json", "strings"} or all(value in (None, "") for value in values):
            continue
        cells = ["" if value is None else _cut(terminal(readable(column, value)), CELL) for value in values]
        cells.insert(0, column.name)
        width = max(map(_width, cells))
        if _width(lines[0]) + width > LINE - 7:  # the margin, the gap, and a mark for what is missing
            return [f"{line}  …" if number == 0 else line for number, line in enumerate(lines)]
        pads = [" " * (width - _width(cell)) for cell in cells]
        right = column.kind in {"int", "float"}
        padded = [pad + cell if right else cell + pad for cell, pad in zip(cells, pads, strict=True)]
        lines = [f"{line}  {cell}" if line else cell for line, cell in zip(lines, padded, strict=True)]
    return lines


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _width(text: str) -> int:
    """Return the width of a text in a terminal. East Asian letters are two columns wide."""
    return len(text) if text.isascii() else sum(2 if east_asian_width(char) in "WF" else 1 for char in text)
