"""Read the annotations of the models."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

import msgspec


def plain_type(kind: Any) -> Any:
    """Return the type inside `Annotated[...]` and `... | None`."""
    if get_origin(kind) is Annotated:
        return plain_type(get_args(kind)[0])
    if get_origin(kind) in {UnionType, Union}:
        return plain_type(next(part for part in get_args(kind) if part is not type(None)))
    return kind


def is_nullable(kind: Any) -> bool:
    """Return whether an annotation allows `None`."""
    if get_origin(kind) is Annotated:
        return is_nullable(get_args(kind)[0])
    return kind is Any or (get_origin(kind) in {UnionType, Union} and type(None) in get_args(kind))


def is_record(kind: Any) -> TypeGuard[type[msgspec.Struct]]:
    """Return whether a type is a msgspec struct."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
