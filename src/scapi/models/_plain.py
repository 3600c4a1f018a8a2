"""Convert records to plain dicts and JSON, and back.

Each field has two names: Python's (`item_id`), which programs use, and the API's (`itemId`), which the server sends.
Both can be read.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args, get_origin

import msgspec

from scapi._base.annotations import is_record, plain_type
from scapi._base.json_types import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["enc_hook", "from_plain", "plain"]

T = TypeVar("T")

#: Types that are plain already. Most values have one of these, so they are checked first.
SCALARS = frozenset({str, int, float, bool, type(None)})


def plain(value: Any, *, wire: bool = False) -> Any:
    """Convert a record to plain data: dicts, lists, and the values of enums.

    Args:
        value: The record, or a value in a record.
        wire: Use the API's names, leave out fields that are `None`, and write times as text, as the API does. By
            default fields have Python's names, and times stay `datetime`.
    """
    if type(value) in SCALARS:
        return value
    if isinstance(value, msgspec.Struct):
        tag = value.__struct_config__
        made = {} if tag.tag_field is None else {tag.tag_field: tag.tag}
        names = value.__struct_encode_fields__ if wire else value.__struct_fields__
        for name, field in zip(names, value.__struct_fields__, strict=True):
            inner = getattr(value, field)
            if inner is not None or not wire or field not in _optional(type(value)):
                made[name] = plain(inner, wire=wire)
        return made
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [plain(item, wire=wire) for item in cast("Iterable[Any]", value)]
    if is_object(value):
        return {key: plain(item, wire=wire) for key, item in value.items()}
    return msgspec.to_builtins(value) if wire and isinstance(value, datetime) else value


@cache
def _optional(kind: type[msgspec.Struct]) -> frozenset[str]:
    """Return the names of the fields that a record may lack."""
    return frozenset(field.name for field in msgspec.structs.fields(kind) if not field.required)


def enc_hook(value: Any) -> Any:
    """Convert a value that JSON has no type for: an error to its type and text, a path to text."""
    if isinstance(value, Exception):
        return {"type": type(value).__name__, "message": str(value)}
    if isinstance(value, PurePath):
        return str(value)
    raise NotImplementedError


def from_plain(raw: Any, kind: type[T]) -> T:
    """Convert plain values to a record. Their names may be Python's or the API's.

    Raises:
        msgspec.ValidationError: The values don't fit the record.
    """
    return msgspec.convert(_as_sent(raw, plain_type(kind)), kind, str_keys=True, dec_hook=_dec_hook)


def _as_sent(raw: Any, kind: Any) -> Any:
    """Rename the fields of records to the API's names. `kind` is a plain type."""
    if is_record(kind) and is_object(raw):
        fields, named = _fields(kind), dict[str, Any]()
        for key, value in raw.items():
            name, inner = fields.get(key, (key, None))
            named[name] = value if inner is None else _as_sent(value, inner)
        return named
    if is_array(raw) and len(args := get_args(kind)) == 1:
        inner = plain_type(args[0])
        return [_as_sent(item, inner) for item in raw]
    return raw


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, tuple[str, Any]]:
    """Return the fields of a record: the API's name and the plain type, which is `None` unless it contains records."""
    found: dict[str, tuple[str, Any]] = {}
    for field in msgspec.structs.fields(kind):
        inner = plain_type(field.type)
        holds = any(is_record(plain_type(part)) for part in (inner, *get_args(inner)))
        found[field.name] = field.encode_name, inner if holds else None
    return found


def _dec_hook(kind: Any, raw: Any) -> Any:
    """Convert to a type that msgspec doesn't know: a listing inside a record, or a path. Errors can't be read."""
    listing = get_origin(kind)
    if listing is None:
        if issubclass(kind, PurePath) and isinstance(raw, str):
            return kind(raw)
        raise ValueError(f"no {kind.__name__} can be read from JSON")
    (model,) = get_args(kind)
    rows = msgspec.convert(raw, list[model], dec_hook=_dec_hook)  # type: ignore[valid-type]  # built at run time
    return listing(rows, total=len(rows), limit=len(rows), model=model)
