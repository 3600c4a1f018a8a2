"""Models as flat records: one name and one kind per column, the same for a page full of rows and for an empty one."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
from msgspec import inspect

from scapi._base import formatting
from scapi._base.json_types import is_array
from scapi.enums import Quality

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Kind", "Record", "columns", "flat", "record"]

Kind: TypeAlias = Literal["int", "float", "str", "bool", "time", "json"]
Record: TypeAlias = dict[str, Any]

KINDS: Mapping[type[inspect.Type], Kind] = {
    inspect.IntType: "int",
    inspect.FloatType: "float",
    inspect.BoolType: "bool",
    inspect.StrType: "str",
    inspect.EnumType: "str",
    inspect.DateTimeType: "time",
}

#: What models answer beyond their fields.
PROPERTIES: Mapping[str, Kind] = {"active": "bool", "quality": "str", "upgrade_level": "int", "unit_price": "float"}


@cache
def columns(model: type[msgspec.Struct]) -> Mapping[str, Kind]:
    """The columns of a model in their order, with what each holds; nested values are `"json"`."""
    info = inspect.type_info(model)
    assert isinstance(info, inspect.StructType)
    fields: dict[str, Kind] = {field.name: _kind(field.type) for field in info.fields}
    fields.update((name, kind) for name, kind in PROPERTIES.items() if hasattr(model, name))
    return fields


def _kind(type_: inspect.Type) -> Kind:
    """The kind of a field. Of `X | None` it is that of `X`."""
    if isinstance(type_, inspect.UnionType):
        type_ = next(part for part in type_.types if not isinstance(part, inspect.NoneType))
    return KINDS.get(type(type_), "json")


def record(row: msgspec.Struct) -> Record:
    """A model with all its columns. Times stay `datetime`, nested models become dicts."""
    return {name: _value(getattr(row, name)) for name in columns(type(row))}


def _value(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return record(value)
    if isinstance(value, Quality):
        return value.name.lower()
    if isinstance(value, Enum):
        return value.value
    return [_value(item) for item in value] if is_array(value) else value


def flat(cells: Record) -> Record:
    """A record in which nothing is nested and nothing is a `datetime`: what a line of CSV can hold."""
    return {name: _cell(value) for name, value in cells.items()}


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return formatting.moment(value, "T", "auto", "Z")
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list | bool) else value
