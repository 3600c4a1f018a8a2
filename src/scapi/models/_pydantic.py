"""Schemas that let records be fields of pydantic models. They are plain dicts, so pydantic isn't imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from scapi._base.annotations import plain_type
from scapi.models._plain import enc_hook, from_plain, plain

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Schema", "object_schema", "record_schema"]

Schema = dict[str, Any]


def record_schema(model: type[msgspec.Struct], handler: Any) -> Schema:
    """Build the core schema of a record.

    A record is accepted as it is, or read from a dict or JSON with the names of the attributes or of the API. It is
    written with the names of the attributes.

    Args:
        model: The record.
        handler: Pydantic's handler, which builds the schemas of the fields.
    """
    fields = {
        field.name: (_field_schema(field.type, handler), field.required) for field in msgspec.structs.fields(model)
    }
    return object_schema(model, model.__name__, fields, read=lambda raw: from_plain(raw, model), write=_written)


def _written(record: msgspec.Struct) -> Any:
    """Convert a record to plain data. Errors in it become their type and text."""
    cells = plain(record)
    return {name: enc_hook(cell) if isinstance(cell, Exception) else cell for name, cell in cells.items()}


def _field_schema(kind: Any, handler: Any) -> Schema:
    plain_kind = plain_type(kind)
    is_error = isinstance(plain_kind, type) and issubclass(plain_kind, Exception)
    return {"type": "any"} if is_error else handler.generate_schema(kind)


def object_schema(
    kind: type,
    name: str,
    fields: dict[str, tuple[Schema, bool]],
    *,
    read: Callable[[Any], Any],
    write: Callable[[Any], Any],
) -> Schema:
    """Build the core schema of an object that our functions read and write.

    Args:
        kind: The type of a value that needs no conversion.
        name: The name of the schema in documents.
        fields: The schema of each field, and whether it is required. Only the JSON schema uses them.
        read: Converts plain data to a value, or raises a `msgspec.ValidationError`.
        write: Converts a value to plain data.
    """

    def take(value: Any, _: Any) -> Any:
        if isinstance(value, kind):
            return value
        try:
            return read(value)
        except msgspec.ValidationError as cause:
            raise ValueError(str(cause)) from None

    members = {
        field: {"type": "typed-dict-field", "schema": schema, "required": required}
        for field, (schema, required) in fields.items()
    }
    return {
        "type": "function-wrap",
        "function": {"type": "no-info", "function": take},
        "schema": {"type": "typed-dict", "fields": members, "cls_name": name},
        "serialization": {"type": "function-plain", "function": write},
        "ref": f"{kind.__module__}.{name}:{id(kind)}",
    }
