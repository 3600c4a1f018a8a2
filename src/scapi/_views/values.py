"""Convert values for frames, for dicts, and for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, cast

import msgspec

from scapi._base.formatting import EPOCH, FIRST, LAST, integer, moment
from scapi._views.columns import PROPERTIES, Column, Filled, spelled
from scapi.models._plain import plain as named

DAY, SECOND = 86_400_000_000, 1_000_000


def packed(column: Filled) -> Filled:
    """Convert a column for frames: times to microseconds since the epoch (UTC), JSON to text."""
    name, kind, values = column
    if kind == "json":
        return Filled(name, kind, texts(values))
    if kind == "millis":
        return Filled(name, "time", [None if value is None else value * 1000 for value in values])
    return Filled(name, kind, _micros(values)) if kind == "time" else column


def plain(column: Filled) -> list[Any]:
    """Convert the values of a column for dicts: times to aware `datetime` (UTC), JSON to a copy."""
    kind, values = column.kind, column.values
    if kind == "json":
        # A copy, so that changing the dict doesn't change the model.
        return cast("list[Any]", msgspec.to_builtins(values))
    if kind == "millis":
        return [None if value is None else EPOCH + timedelta(milliseconds=value) for value in values]
    if kind == "time":
        return [value if value is None or value.tzinfo is UTC else value.astimezone(UTC) for value in values]
    return values


def _micros(times: list[datetime | None]) -> list[int | None]:
    return [
        None if time is None else (since := time - EPOCH).days * DAY + since.seconds * SECOND + since.microseconds
        for time in times
    ]


def texts(values: list[Any]) -> list[str | None]:
    """Encode each value that isn't `None` as JSON text.

    One call encodes them all, and the result is split at line breaks: JSON has them in escapes only.
    """
    texts = cast("list[str | None]", ENCODER.encode_lines(values).decode().split("\n")[:-1])
    return (
        texts
        if None not in values
        else [text if value is not None else None for text, value in zip(texts, values, strict=True)]
    )


ENCODER = msgspec.json.Encoder()


def readable(column: Column, value: Any, apart: str = ",") -> str:
    """Format a value for people: times in UTC to the second, numbers in groups of thousands.

    Args:
        column: The column of the value.
        value: The value of the model, not `None`.
        apart: The separator between groups of thousands.
    """
    match column.kind:
        case "time":
            outside = "after the year 9999" if value > LAST else "before the year 1" if value < FIRST else ""
            return outside or moment(value)
        case "int" if column.name != "id":  # an id is a name
            return integer(value).replace(",", apart)
        case "float":
            return f"{value:,.2f}".replace(",", apart)
        case "strings":
            return ", ".join(value)
        case _:
            return str(value)


def as_object(row: msgspec.Struct) -> dict[str, Any]:
    """Convert a record to a dict that also has its properties, such as `unit_price`. `additional` comes last."""
    cells: dict[str, Any] = named(row)
    for name in row.__struct_fields__:
        # The lot of an event.
        if type(inner := getattr(row, name)) in PROPERTIES:
            cells[name] = as_object(inner)
    for name in PROPERTIES.get(type(row), ()):
        value = getattr(row, name)
        cells[name] = spelled(value) if isinstance(value, IntEnum) else value
    if "additional" in cells:
        cells["additional"] = cells.pop("additional")
    return cells
