"""Read decoded JSON that doesn't fit the models, by columns instead of row by row.

If the server changes, it changes all rows alike. So a bad field that msgspec's error names is repaired in all records
of a model at once.

As little as possible is lost: a field rather than its record, a nested record rather than the outer one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import chain, compress, islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_args, get_origin

import msgspec

from scapi._base.annotations import is_nullable, is_record, plain_type

if TYPE_CHECKING:
    from collections.abc import Callable


T = TypeVar("T")


class Unreadable(NamedTuple):
    """The placeholder in a column for a value that can't be read.

    Attributes:
        reason: The error message of msgspec.
        path: The path of the error in the value, such as `.clan.info`; empty for the value itself.
    """

    reason: str
    path: str = ""

    def __str__(self) -> str:
        return f"{self.reason} - at `${self.path}`" if self.path else self.reason


class Loss(NamedTuple):
    """How many values of a field were lost, and the reason for the first one."""

    values: int
    reason: str


class Losses(dict[str, Loss]):
    """The values left out of readable records, by field, such as `ClanInfo.leader`."""

    def add(self, where: str, count: int, reason: str) -> None:
        """Add `count` lost values of a field."""
        before, first = self.get(where, (0, reason))
        self[where] = Loss(before + count, first)


class Field(NamedTuple):
    """A field of a model.

    Attributes:
        name: Its name in the model.
        key: Its key in JSON.
        where: Its name in `Losses`.
        kind: Its type.
        required: Whether a record without it is unreadable.
        nullable: Whether null is allowed.
        exact: Whether an unreadable value makes the record unreadable, because the default would be misleading.
        default: Returns its default if it is not required.
    """

    name: str
    key: str
    where: str
    kind: Any
    required: bool
    nullable: bool
    exact: bool
    default: Callable[[], Any]


def read(values: list[Any], kind: Any, losses: Losses, where: str) -> list[Any]:
    """Read a column of decoded JSON.

    Args:
        values: The values. Records among them are modified.
        kind: The type of each value, any that msgspec supports.
        losses: Collects the values that are left out of records and lists.
        where: The column's name in `losses`.

    Returns:
        The converted value or an `Unreadable` for each value.
    """
    inner = plain_type(kind)
    if is_nullable(kind) and (empty := _empty_indexes(values, inner)):
        if emptied := len([n for n in empty if values[n] is not None]):
            losses.add(where, emptied, "an empty object")
        present = iter(read([value for n, value in enumerate(values) if n not in empty], kind, losses, where))
        return [None if n in empty else next(present) for n in range(len(values))]
    if is_record(inner):
        return _records(values, inner, losses)
    if get_origin(inner) is list:
        return _lists(values, inner, losses, where)
    return _scalars(_times(values) if inner is datetime else values, kind)


def _empty_indexes(values: list[Any], kind: Any) -> set[int]:
    """Return the indexes of values that mean `None`: nulls, and empty objects if records are expected."""
    if is_record(kind):
        return {n for n, value in enumerate(values) if value is None or value == {}}
    return {n for n, value in enumerate(values) if value is None}


def _scalars(values: list[Any], kind: Any) -> list[Any]:
    try:
        found: list[Any] = msgspec.convert(values, list[kind], strict=False)
        return found
    except msgspec.ValidationError:
        return [_scalar(value, kind) for value in values]


def _scalar(value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as failure:
        return Unreadable(str(failure))


def _times(values: list[Any]) -> list[Any]:
    """Read times that msgspec rejects: without seconds, with a short offset, or a date only. No offset means UTC."""
    try:
        moments = [datetime.fromisoformat(value) for value in values]
    except (ValueError, TypeError):
        return [_time(value) for value in values]
    if any(map(str.isdecimal, values)):
        return [_time(value) for value in values]
    # `combine` is five times as fast as `replace`.
    return [datetime.combine(moment, moment.time(), UTC) if moment.tzinfo is None else moment for moment in moments]


def _time(value: Any) -> Any:
    return _times([value])[0] if _is_time(value) else value


def _is_time(value: Any) -> bool:
    """Return whether a value is a time. Digits alone are not: they may be milliseconds but would parse as a date."""
    try:
        return not value.isdecimal() and bool(datetime.fromisoformat(value))
    except (AttributeError, ValueError):
        return False


def _lists(values: list[Any], kind: Any, losses: Losses, where: str) -> list[Any]:
    """Read lists, with all their items as one column. Unreadable items are left out."""
    are_lists = [isinstance(value, list) for value in values]
    lists: list[list[Any]] = [value for value, is_list in zip(values, are_lists, strict=True) if is_list]
    found = read(list(chain.from_iterable(lists)), get_args(kind)[0], losses, where)
    kept = iter(regroup(found, list(map(len, lists)), losses, where))
    return [next(kept) if is_list else _scalar(value, kind) for value, is_list in zip(values, are_lists, strict=True)]


def regroup(items: list[Any], lengths: list[int], losses: Losses, where: str) -> list[list[Any]]:
    """Cut a column of items back into lists. Unreadable items are left out."""
    readable = [type(item) is not Unreadable for item in items]
    if False in readable:
        losses.add(where, readable.count(False), str(items[readable.index(False)]))
    left, flags = iter(items), iter(readable)
    return [list(compress(islice(left, length), islice(flags, length))) for length in lengths]


# ── records ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _records(values: list[Any], model: type[msgspec.Struct], losses: Losses) -> list[Any]:
    """Read records. Each bad field is repaired in all of them at once."""
    # The reason why a value is not a record depends only on its type.
    strange: dict[type, Any] = {type(value): value for value in values if not isinstance(value, dict)}
    reasons = {kind: _scalar(value, model) for kind, value in strange.items()}
    found = {n: reasons[type(value)] for n, value in enumerate(values) if type(value) in reasons}
    left: dict[int, dict[str, Any]] = {n: value for n, value in enumerate(values) if n not in found}
    unread = {field.key: field for field in fields_of(model)}
    while True:
        records = list(left.values())
        try:
            read_now = msgspec.convert(records, list[model], strict=False)  # type: ignore[valid-type]  # built at run time
        except msgspec.ValidationError as failure:
            lost = _repair(model, left, unread, str(failure), losses)
        else:
            break
        for n in lost:
            del left[n]
        found.update(lost)
    if not found:
        return read_now
    found.update(zip(left, read_now, strict=True))
    return [found[n] for n in range(len(values))]


def _repair(
    model: type[msgspec.Struct],
    left: dict[int, dict[str, Any]],
    unread: dict[str, Field],
    failure: str,
    losses: Losses,
) -> dict[int, Unreadable]:
    """Repair the field that an error names. Returns the records that can't be read because of it."""
    named = re.search(r" - at `\$\[\d+\]\.([^.\[`]+)[^`]*`$", failure)
    field = unread.get(named[1]) if named else None
    if field is None:
        # The error names no field if a record lacks a required one.
        return _incomplete(left, model)
    if _drop_nulls(left, field):
        return {}
    del unread[field.key]
    return _read_field(left, field, losses)


def _incomplete(left: dict[int, dict[str, Any]], model: type[msgspec.Struct]) -> dict[int, Unreadable]:
    """Return the records without a required field."""
    lost: dict[int, Unreadable] = {}
    for key in [field.key for field in fields_of(model) if field.required]:
        reason = Unreadable(missing(key))
        lost.update((n, reason) for n, record in left.items() if key not in record and n not in lost)
    return lost


def _drop_nulls(left: dict[int, dict[str, Any]], field: Field) -> bool:
    """Drop nulls of a field that has a default but doesn't allow null. Returns whether there were any."""
    if field.required or field.nullable:
        return False
    key = field.key
    holders = [record for record in left.values() if key in record and record[key] is None]
    for record in holders:
        del record[key]
    return bool(holders)


def _read_field(left: dict[int, dict[str, Any]], field: Field, losses: Losses) -> dict[int, Unreadable]:
    """Replace the values of a field by converted ones. Returns the records that can't be read because of it."""
    key = field.key
    holders = {n: record for n, record in left.items() if key in record}
    values = read([record[key] for record in holders.values()], field.kind, losses, field.where)
    for record, value in zip(holders.values(), values, strict=True):
        record[key] = value
    unreadable = {n: value for n, value in zip(holders, values, strict=True) if type(value) is Unreadable}
    if field.required or field.exact:
        return {n: with_path(key, value) for n, value in unreadable.items()}
    for n in unreadable:
        del holders[n][key]
    if unreadable:
        losses.add(field.where, len(unreadable), str(next(iter(unreadable.values()))))
    return {}


def with_path(key: str, value: Unreadable) -> Unreadable:
    """Return an unreadable value with its path from the record that contains it. A missing field has no path."""
    return value if value.reason == missing(key) else Unreadable(value.reason, f".{key}{value.path}")


def missing(key: str) -> str:
    """Return msgspec's message for a record without a required field."""
    return f"Object missing required field `{key}`"


@lru_cache(maxsize=64)
def fields_of(model: type[msgspec.Struct]) -> tuple[Field, ...]:
    """Return the fields of a model. Cached, because msgspec takes 0.1 ms for each call."""
    exact = getattr(model, "_exact", ())
    return tuple(
        Field(
            name=field.name,
            key=field.encode_name,
            where=f"{model.__name__}.{field.name}",
            kind=field.type,
            required=field.required,
            nullable=is_nullable(field.type),
            exact=field.name in exact,
            default=_default(field),
        )
        for field in msgspec.structs.fields(model)
    )


def _default(field: msgspec.structs.FieldInfo) -> Callable[[], Any]:
    return partial(_value, field.default) if field.default_factory is msgspec.NODEFAULT else field.default_factory


def _value(value: T) -> T:
    return value
