"""The columns of a model: names, kinds, and how to read their values from rows.

They depend on the model alone, so an empty page has the same columns as a full one. A column is read for all rows at
once: a Python call per value takes several times as long as decoding the row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import IntEnum, StrEnum
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeAlias, get_args, get_origin

import msgspec

from scapi._base.annotations import is_record, plain_type
from scapi.enums import Quality
from scapi.models import AuctionLot, AuctionPrice, EmissionState

#: `time` is an aware `datetime`, `millis` is milliseconds since the epoch; `strings` is a list of them; `json` is what
#: JSON can hold. Frames hold times as microseconds since the epoch, UTC, and JSON as text: see `packed`.
Kind: TypeAlias = Literal["string", "int", "float", "bool", "time", "millis", "strings", "json"]

#: Reads the values of a column from rows.
Getter: TypeAlias = Callable[[list[Any]], list[Any]]

#: The kinds of fields by their type; the others hold JSON.
KINDS: Mapping[Any, Kind] = {
    str: "string",
    int: "int",
    float: "float",
    bool: "bool",
    datetime: "time",
    list[str]: "strings",
}

TRADED: Mapping[str, Kind] = {"quality": "string", "upgrade_level": "int", "unit_price": "float"}
#: The properties of models that become columns.
PROPERTIES: Mapping[type, Mapping[str, Kind]] = {
    AuctionLot: TRADED,
    AuctionPrice: TRADED,
    EmissionState: {"active": "bool"},
}

#: Properties that depend on a single key of `additional`.
FROM_ADDITIONAL = {"quality": "qlt", "upgrade_level": "ptn"}
#: Types of such a key's values that may be looked up in a dict. `True` equals 1, but counts as no number here.
COMPARABLE = {int, float, str, type(None)}

#: How many values of such a key are remembered. Seven qualities and sixteen levels are known.
MOST_KNOWN = 1000


class Column(NamedTuple):
    """A column: its name, the kind of its values, and the function that reads them."""

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
    for name, kind in PROPERTIES.get(model, {}).items():
        key, change = FROM_ADDITIONAL.get(name), spelled if kind == "string" else None
        found.append(Column(name, kind, _values(name) if key is None else _from_additional(name, key, change)))
    # `additional` is as wide as all others together.
    return sorted(found, key=lambda column: column.name == "additional")


def records_in(model: type) -> tuple[str, type[msgspec.Struct]] | None:
    """Return the field of a model that holds a list of records, and their type."""
    for field in msgspec.structs.fields(model) if issubclass(model, msgspec.Struct) else ():
        kind = plain_type(field.type)
        if get_origin(kind) is list and is_record(inner := get_args(kind)[0]):
            return field.name, inner
    return None


def _columns(name: str, declared: Any) -> list[Column]:
    """Return the columns of one field: several for a nested record."""
    kind, get = plain_type(declared), _values(name)
    if is_record(kind):
        return [column._replace(name=f"{name}_{column.name}", get=_within(get, column)) for column in columns_of(kind)]
    if kind is Quality:

        def names(rows: list[Any]) -> list[Any]:
            return [None if quality is None else quality.name.lower() for quality in get(rows)]

        return [Column(name, "string", names)]
    if isinstance(kind, type) and issubclass(kind, StrEnum):

        def values(rows: list[Any]) -> list[Any]:
            return [None if member is None else member.value for member in get(rows)]

        return [Column(name, "string", values)]
    return [Column(name, KINDS.get(kind, "json"), get)]


def spelled(member: IntEnum | None) -> str | None:
    """Spell a quality as tables do, such as `rare`."""
    return None if member is None else member.name.lower()


def _values(name: str) -> Getter:
    get = attrgetter(name)
    return lambda rows: list(map(get, rows))


def _from_additional(name: str, key: str, change: Callable[[Any], Any] | None) -> Getter:
    """Read a property that depends on a single key of `additional`, once for each value of the key."""
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
    """Read values from the rows that aren't `None`."""

    def values(rows: list[Any]) -> list[Any]:
        if None not in rows:
            return get(rows)
        found = iter(get([row for row in rows if row is not None]))
        return [None if row is None else next(found) for row in rows]

    return values


def _within(outer: Getter, column: Column) -> Getter:
    """Read values from a nested record, which may be absent."""
    inner = present(column.get)
    return lambda rows: inner(outer(rows))
