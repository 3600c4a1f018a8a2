"""The columns of a model: their names, their kinds, and how their values are got out of rows.

They depend on the model alone, never on the rows, so that an empty page has the same columns, of the same kinds, as a
full one. A column is made at once for all rows, never row by row: a Python function per value costs several times what
decoding the row does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import IntEnum, StrEnum
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeAlias, get_args, get_origin

import msgspec

from scapi._base.annotations import plain_type
from scapi.models import AuctionLot, AuctionPrice, EmissionState

#: `time` is an aware `datetime`, `millis` is milliseconds since the epoch; `strings` is a list of them; `json` is what
#: JSON can hold. Frames hold times as microseconds since the epoch, UTC, and JSON as text: see `packed`.
Kind: TypeAlias = Literal["string", "int", "float", "bool", "time", "millis", "strings", "json"]

#: From rows to the values of a column.
Getter: TypeAlias = Callable[[list[Any]], list[Any]]

SCALARS: Mapping[Any, Kind] = {str: "string", int: "int", float: "float", bool: "bool"}

TRADED: Mapping[str, Kind] = {"quality": "string", "upgrade_level": "int", "unit_price": "float"}
#: What models answer beside their fields.
PROPERTIES: Mapping[type, Mapping[str, Kind]] = {
    AuctionLot: TRADED,
    AuctionPrice: TRADED,
    EmissionState: {"active": "bool"},
}

#: Properties that follow from one key of `additional` alone.
FROM_ADDITIONAL = {"quality": "qlt", "upgrade_level": "ptn"}
#: Types by which equal values of such a key mean the same. `True` equals 1, but is no number here.
COMPARABLE = {int, float, str, type(None)}

#: How many values of such a key are remembered. Qualities are seven and levels sixteen, as far as anybody knows.
MOST_KNOWN = 1000


class Column(NamedTuple):
    """One column: its name, the kind of its values, and the way from rows to values."""

    name: str
    kind: Kind
    get: Getter


class Filled(NamedTuple):
    """A column with its values."""

    name: str
    kind: Kind
    values: list[Any]


def columns_of(model: type) -> list[Column]:
    """Return the columns of a model: its fields, those of the records in it, its properties, and `additional` at last.

    Args:
        model: A model of the API, or `str`, which has one column `name`.
    """
    if not issubclass(model, msgspec.Struct):
        return [Column("name", "string", list)]
    found = [column for field in msgspec.structs.fields(model) for column in _columns(field.name, field.type)]
    found += [Column(name, kind, _property(name, kind)) for name, kind in PROPERTIES.get(model, {}).items()]
    # It is as long as all others together.
    return sorted(found, key=lambda column: column.name == "additional")


def records_in(model: type) -> tuple[str, type[msgspec.Struct]] | None:
    """The field of a model that holds a list of records, and what these are."""
    for field in msgspec.structs.fields(model) if issubclass(model, msgspec.Struct) else ():
        kind = plain_type(field.type)
        if (
            get_origin(kind) is list
            and isinstance(inner := get_args(kind)[0], type)
            and issubclass(inner, msgspec.Struct)
        ):
            return field.name, inner
    return None


def _columns(name: str, declared: Any) -> list[Column]:
    kind = plain_type(declared)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [Column(f"{name}_{inner}", of, _within(name, get)) for inner, of, get in columns_of(kind)]
    return [_scalar(name, kind)]


def _scalar(name: str, kind: Any) -> Column:
    if kind in SCALARS:
        return Column(name, SCALARS[kind], _values(name))
    if kind is datetime:
        return Column(name, "time", _values(name))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return Column(name, "string", _members(name))
    return Column(name, "strings" if kind == list[str] else "json", _values(name))


def _property(name: str, kind: Kind) -> Getter:
    if name in FROM_ADDITIONAL:
        return _from_additional(name, FROM_ADDITIONAL[name], spelled if kind == "string" else None)
    return _values(name)


def spelled(member: IntEnum | None) -> str | None:
    return None if member is None else member.name.lower()


def _values(name: str) -> Getter:
    get = attrgetter(name)
    return lambda rows: list(map(get, rows))


def _members(name: str) -> Getter:
    """The values of an enum's members."""
    get = attrgetter(name)
    return lambda rows: [None if member is None else member.value for member in map(get, rows)]


def _from_additional(name: str, key: str, change: Callable[[Any], Any] | None) -> Getter:
    """A property that follows from one key of `additional`, asked once for each value that the key has."""
    get = attrgetter(name)
    known: dict[Any, Any] = {}

    def ask(row: Any) -> Any:
        return get(row) if change is None else change(get(row))

    def values(rows: list[Any]) -> list[Any]:
        raws = [row.additional.get(key) for row in rows]
        if not COMPARABLE.issuperset(map(type, raws)):
            return list(map(ask, rows))
        if len(known) > MOST_KNOWN:
            known.clear()
        try:
            return list(map(known.__getitem__, raws))
        except KeyError:
            known.update({raw: ask(row) for raw, row in dict(zip(raws, rows, strict=True)).items()})
            return list(map(known.__getitem__, raws))

    return values


def present(get: Getter) -> Getter:
    """Get something out of those rows that aren't `None`."""

    def values(rows: list[Any]) -> list[Any]:
        if None not in rows:
            return get(rows)
        found = iter(get([row for row in rows if row is not None]))
        return [None if row is None else next(found) for row in rows]

    return values


def _within(name: str, get: Getter) -> Getter:
    """Get something out of a record that may be absent."""
    outer, inner = _values(name), present(get)
    return lambda rows: inner(outer(rows))
