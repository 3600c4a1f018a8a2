"""Read bodies in which all rows differ from the model in the same fields ("drift"), at the speed of msgspec.

msgspec's error names the field that it can't read. The body is then read into models that accept any value in the
drifted fields. The values of each such field are repaired as one column, and the result is converted to the real
models. If drift alone doesn't explain the errors, `lenient` reads the rows.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, get_args, get_origin

import msgspec

from scapi._api import lenient
from scapi._api.lenient import Field, Losses, Unreadable, fields_of
from scapi._base.annotations import is_nullable, is_record, plain_type

if TYPE_CHECKING:
    from collections.abc import Callable


#: The maximum number of drifted fields. Each one means reading the body again, up to the first row that has it.
MOST = 16

#: The drifted fields: each with its model and its key in JSON.
Odd = frozenset[tuple[type, str]]


class Drifted(NamedTuple):
    """A body that was read into models that accept any value in the drifted fields."""

    document: Any
    odd: Odd


def decode_loosely(body: bytes, model: type, wire: Callable[[Any], Any]) -> Drifted | None:
    """Decode a body although some fields have drifted, and find these fields.

    Args:
        body: JSON that contains a list of rows and no other list.
        model: The type of a row.
        wire: Returns the type of the whole body for the type of a row.

    Returns:
        The body and its drifted fields, or `None` if drift alone doesn't explain the errors.
    """
    odd: Odd = frozenset()
    while len(odd) <= MOST:
        try:
            return Drifted(msgspec.json.decode(body, type=wire(_loosened(model, odd)), strict=False), odd)
        except msgspec.ValidationError as failure:
            place = _failed_field(str(failure), model)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if place is None or place in odd:
            return None
        odd |= {place}
    return None


def _failed_field(failure: str, model: type) -> tuple[type, str] | None:
    """Return the field that msgspec could not read: its model and its key in JSON."""
    found = re.search(r" - at `\$[^\[`]*\[\d+\]([^`]*)`$", failure)
    if not found or not is_record(model):
        return None
    owner: Any = model
    place: tuple[type, str] | None = None
    for key in re.findall(r"\.(\w+)", found[1]):
        field = next((field for field in fields_of(owner) if field.key == key), None)
        if field is None:
            return None
        place, owner = (owner, key), _inner(field)
        if owner is None:
            return place
    if place is not None:
        # A nested record lacks a required field or is not an object.
        return place
    missing = re.match(r"Object missing required field `(\w+)`", failure)
    return (owner, missing[1]) if missing else None


def _inner(field: Field) -> type[msgspec.Struct] | None:
    """Return the model of the record in a field, or of the records in its list."""
    kind = plain_type(field.kind)
    kind = get_args(kind)[0] if get_origin(kind) is list else kind
    return kind if is_record(kind) else None


@lru_cache(maxsize=256)
def _loosened(model: Any, odd: Odd) -> Any:
    """Return a model that accepts any value in its drifted fields, or the model itself if none drifted."""
    if not is_record(model) or not _is_touched(model, odd):
        return model
    fields = [(field.name, *_loosened_field(model, field, odd)) for field in fields_of(model)]
    return msgspec.defstruct(model.__name__, fields, kw_only=True, gc=False)


def _loosened_field(model: type, field: Field, odd: Odd) -> tuple[Any, Any]:
    if (model, field.key) in odd:
        return Any, msgspec.field(name=field.key, default=msgspec.UNSET)
    kind, inner = field.kind, _inner(field)
    if inner is not None and _is_touched(inner, odd):
        loose = _loosened(inner, odd)
        kind = list[loose] if get_origin(plain_type(kind)) is list else loose  # type: ignore[valid-type]  # built at run time
        kind = Optional[kind] if is_nullable(field.kind) else kind  # noqa: UP045  # made at run time
    if field.required:
        return kind, msgspec.field(name=field.key)
    if isinstance(field.default, type):
        return kind, msgspec.field(name=field.key, default_factory=field.default)
    # A constant is much faster than a function that returns it.
    return kind, msgspec.field(name=field.key, default=field.default())


def _is_touched(model: type[msgspec.Struct], odd: Odd) -> bool:
    """Return whether a model or one of its nested records has drifted fields."""
    return any(
        (model, field.key) in odd or ((inner := _inner(field)) is not None and _is_touched(inner, odd))
        for field in fields_of(model)
    )


# ── converting to the real models ─────────────────────────────────────────────────────────────────────────────────────


def convert_rows(loose: list[Any], model: type, odd: Odd, losses: Losses) -> list[Any]:
    """Convert loosely read rows to models. Returns a model or an `Unreadable` for each row."""
    if not is_record(model) or not _is_touched(model, odd):
        return loose
    lost: dict[int, Unreadable] = {}
    for field in fields_of(model):
        if (model, field.key) in odd:
            values = _read_any(loose, field, losses)
        elif (inner := _inner(field)) is not None and _is_touched(inner, odd):
            values = _records(list(map(attrgetter(field.name), loose)), field, inner, odd, losses)
        else:
            continue
        # The first reason counts.
        lost = _set_field(loose, field, values, losses) | lost
    if not lost:
        return msgspec.convert(loose, list[model], strict=False, from_attributes=True)  # type: ignore[valid-type]  # built at run time
    kept = [row for n, row in enumerate(loose) if n not in lost]
    made = iter(msgspec.convert(kept, list[model], strict=False, from_attributes=True))  # type: ignore[valid-type]  # built at run time
    return [lost[n] if n in lost else next(made) for n in range(len(loose))]


def _read_any(loose: list[Any], field: Field, losses: Losses) -> list[Any]:
    """Read a drifted column. `UNSET` stands for the default."""
    values = list(map(attrgetter(field.name), loose))
    takes_null = field.required or field.nullable
    if not takes_null and values.count(None) == len(values):
        return [msgspec.UNSET] * len(values)
    sent = [value for value in values if value is not msgspec.UNSET and (takes_null or value is not None)]
    read = lenient.read(sent, field.kind, losses, field.where)
    if len(sent) == len(values):
        return read
    absent: Any = Unreadable(lenient.missing(field.key)) if field.required else msgspec.UNSET
    left = iter(read)
    return [
        next(left) if value is not msgspec.UNSET and (takes_null or value is not None) else absent for value in values
    ]


def _records(values: list[Any], field: Field, model: type[msgspec.Struct], odd: Odd, losses: Losses) -> list[Any]:
    """Convert a column of records, or of lists of records, to models."""
    if get_origin(plain_type(field.kind)) is not list:
        made = iter(convert_rows([value for value in values if value is not None], model, odd, losses))
        return [None if value is None else next(made) for value in values]
    items = convert_rows(list(chain.from_iterable(values)), model, odd, losses)
    return lenient.regroup(items, list(map(len, values)), losses, field.where)


def _set_field(loose: list[Any], field: Field, values: list[Any], losses: Losses) -> dict[int, Unreadable]:
    """Set the values of a field. Returns the rows that can't be read because of it."""
    name, default = field.name, field.default
    kinds = set(map(type, values))
    if msgspec.UnsetType in kinds:
        make: Callable[[], Any] = default if isinstance(default, type) else repeat(default()).__next__
        values = [make() if value is msgspec.UNSET else value for value in values]
    for row, value in zip(loose, values, strict=True):
        setattr(row, name, value)
    if Unreadable not in kinds:
        return {}
    unreadable = {n: value for n, value in enumerate(values) if type(value) is Unreadable}
    if field.required or field.exact:
        return {n: lenient.with_path(field.key, value) for n, value in unreadable.items()}
    for n in unreadable:
        setattr(loose[n], name, default())
    losses.add(field.where, len(unreadable), str(next(iter(unreadable.values()))))
    return {}
