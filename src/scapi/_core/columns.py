"""Rows to columns: which column has which name and kind, and how its values are got out of a row.

This is what every frame library is fed with. The columns of a model depend on the model alone, never on the rows, so
that an empty page has the same columns, of the same kinds, as a full one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar, cast, get_args, get_origin

import msgspec

from scapi._core.formatting import INTEGERS
from scapi._core.response import is_array, plain_type
from scapi.models import AuctionLot, AuctionPrice, BulkResult, EmissionState

__all__ = ["Column", "Filled", "Kind", "columns_of", "moment", "records_in", "table"]

T = TypeVar("T")

#: `time` is microseconds since the epoch, UTC; `strings` is a list of them; `json` is JSON text.
Kind: TypeAlias = Literal["string", "int", "float", "bool", "time", "strings", "json"]

Getter: TypeAlias = Callable[[Any], Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
#: What Python can call a time, in milliseconds since the epoch: the years 1 to 9999.
MILLISECONDS = range(-62_135_596_800_000, 253_402_300_800_000)
MICROSECONDS = range(MILLISECONDS.start * 1000, MILLISECONDS.stop * 1000)

#: What fits into a column of this kind, and what to say of what doesn't.
SIZES: Mapping[Kind, tuple[range, str]] = {
    "int": (INTEGERS, "fit in 64 bits, which {} doesn't"),
    "time": (MICROSECONDS, "be within the years 1 to 9999 in UTC, which it isn't"),
}

SCALARS: Mapping[Any, Kind] = {str: "string", int: "int", float: "float", bool: "bool"}

TRADED: Mapping[str, Kind] = {"quality": "string", "upgrade_level": "int", "unit_price": "float"}
#: What models answer beside their fields.
PROPERTIES: Mapping[type, Mapping[str, Kind]] = {
    AuctionLot: TRADED,
    AuctionPrice: TRADED,
    EmissionState: {"active": "bool"},
}

#: The keys of `additional` whose meaning is known, by what they hold.
ADDITIONAL: Mapping[str, Kind] = {
    "qlt": "int",
    "ptn": "int",
    "upgrade_bonus": "float",
    "bonus_properties": "strings",
    "stats_random": "float",
    "ndmg": "float",
    "md_k": "float",
    "it_transf_count": "int",
    "spawn_time": "time",
    "buyer": "string",
}


class Column(NamedTuple):
    """One column: its name, the kind of its values, and the way from a row to a value."""

    name: str
    kind: Kind
    get: Getter


class Filled(NamedTuple):
    """A column with its values."""

    name: str
    kind: Kind
    values: list[Any]


class _Rows(NamedTuple):
    """Rows of one model, and for each the key of the bulk result that it came in."""

    model: type
    rows: list[Any]
    keys: list[str] | None


# ── rows to a table ───────────────────────────────────────────────────────────────────────────────────────────────────


def table(
    rows: Iterable[Any], *, model: type | None = None, flatten: bool = False, explode: bool = False
) -> list[Filled]:
    """The columns of some rows; see `scapi.frames.to_dicts` for arguments and errors."""
    found = _gathered(rows, model)
    if flatten and "additional" not in _field_names(found.model):
        raise ValueError(f"flatten must be False for {found.model.__name__}, which has no additional")
    columns = columns_of(found.model, flatten=flatten)
    if not explode:
        return [*_keys(found.keys), *_filled(columns, found.rows)]
    inner = records_in(found.model)
    if inner is None:
        raise ValueError(f"explode must be False for {found.model.__name__}, which has no list of records")
    name, model = inner
    # A row without any records stays, with nothing in their columns.
    each = [getattr(row, name) or [None] for row in found.rows]
    outer = [column for column in columns if column.name != name]
    inside = [column._replace(get=_unless_none(column.get)) for column in columns_of(model)]
    return [
        *_keys(found.keys and _repeated(found.keys, each)),
        *_filled(outer, _repeated(found.rows, each)),
        *_filled(inside, list(chain.from_iterable(each))),
    ]


def _gathered(rows: Iterable[Any], model: type | None) -> _Rows:
    """The rows, taken out of the bulk results that they may come in."""
    if isinstance(rows, str) or not isinstance(rows, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
        raise TypeError(f"rows must be an iterable of models, not {rows!r}")
    pages, keys = [rows if is_array(rows) else list(rows)], None
    if pages[0] and all(isinstance(row, BulkResult) for row in pages[0]):
        results = cast("list[BulkResult[Any]]", pages[0])
        pages = [value if is_array(value := result.unwrap()) else [value] for result in results]
        keys = _repeated([result.key for result in results], pages)
    found = list(chain.from_iterable(pages))
    kinds = dict.fromkeys(map(type, found))
    named = [getattr(page, "model", None) for page in (rows, *pages)]
    known = next((kind for kind in (model, *named, *kinds) if kind is not None), None)
    if known is None:
        raise ValueError("model must say what the rows are, since there are none")
    if strange := [kind for kind in kinds if not issubclass(kind, known) or kind is BulkResult]:
        raise TypeError(f"rows must be models of one kind, not both {known.__name__} and {strange[0].__name__}")
    if not issubclass(known, str | msgspec.Struct):
        raise TypeError(f"rows must be models or strings, not {known.__name__}")
    return _Rows(known, found, keys)


def _repeated(values: Iterable[T], each: list[list[Any]]) -> list[T]:
    """Every value as often as the list that belongs to it is long."""
    return [value for value, inner in zip(values, each, strict=True) for value in repeat(value, len(inner))]


def _keys(keys: list[str] | None) -> list[Filled]:
    return [] if keys is None else [Filled("key", "string", keys)]


def _filled(columns: list[Column], rows: list[Any]) -> list[Filled]:
    filled = [Filled(column.name, column.kind, list(map(column.get, rows))) for column in columns]
    for column in filled:
        if column.kind in SIZES:
            _check_size(column, *SIZES[column.kind])
    return filled


def _check_size(column: Filled, allowed: range, meant: str) -> None:
    """Refuse what would overflow, and say where it is; the libraries only say that something did."""
    for row, value in enumerate(column.values):
        if value is not None and value not in allowed:
            raise ValueError(f"{column.name} of row {row} must {meant.format(value)}")


# ── a model to columns ────────────────────────────────────────────────────────────────────────────────────────────────


def columns_of(model: type, *, flatten: bool = False) -> list[Column]:
    """The columns of a model: its fields, those of the records in it, and its properties.

    Args:
        model: A model of the API, or `str`, which has one column `name`.
        flatten: Give every known key of `additional` a column of its own; what remains is JSON in `additional`.
    """
    if not issubclass(model, msgspec.Struct):
        return [Column("name", "string", str)]
    found = [column for field in msgspec.structs.fields(model) for column in _columns(field.name, field.type, flatten)]
    return found + [Column(name, kind, _property(name, kind)) for name, kind in PROPERTIES.get(model, {}).items()]


def records_in(model: type) -> tuple[str, type[msgspec.Struct]] | None:
    """The field of a model that holds a list of records, and what these are."""
    for field in msgspec.structs.fields(model) if issubclass(model, msgspec.Struct) else ():
        kind = plain_type(field.type)
        if get_origin(kind) is list and issubclass(inner := get_args(kind)[0], msgspec.Struct):
            return field.name, inner
    return None


def _field_names(model: type) -> set[str]:
    return {field.name for field in msgspec.structs.fields(model)} if issubclass(model, msgspec.Struct) else set()


def _columns(name: str, declared: Any, flatten: bool) -> list[Column]:
    kind = plain_type(declared)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [Column(f"{name}_{inner}", of, _within(name, get)) for inner, of, get in columns_of(kind)]
    if flatten and name == "additional":
        return _flattened(name)
    return [_scalar(name, kind)]


def _scalar(name: str, kind: Any) -> Column:
    if kind in SCALARS:
        return Column(name, SCALARS[kind], attrgetter(name))
    if kind is datetime:
        return Column(name, "time", _through(name, _micros))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return Column(name, "string", _through(name, attrgetter("value")))
    if kind == list[str]:
        return Column(name, "strings", attrgetter(name))
    return Column(name, "json", _through(name, _json))


def _property(name: str, kind: Kind) -> Getter:
    return _through(name, _spelled) if kind == "string" else attrgetter(name)


def _spelled(member: IntEnum) -> str:
    return member.name.lower()


def _unless_none(get: Getter) -> Getter:
    return lambda row: None if row is None else get(row)


def _through(name: str, change: Getter) -> Getter:
    """Get a field and change it, but for `None`."""
    get = attrgetter(name)
    return lambda row: None if (value := get(row)) is None else change(value)


def _within(name: str, get: Getter) -> Getter:
    """Get something out of a record that may be absent."""
    outer, inner = attrgetter(name), _unless_none(get)
    return lambda row: inner(outer(row))


def _micros(time: datetime) -> int:
    return (time - EPOCH) // MICROSECOND


def moment(micros: int) -> datetime:
    """The time that a value of kind `time` stands for, aware."""
    return EPOCH + micros * MICROSECOND


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


# ── `additional`, a key a column ──────────────────────────────────────────────────────────────────────────────────────


def _flattened(name: str) -> list[Column]:
    get = attrgetter(name)

    def known(key: str, kind: Kind) -> Column:
        fit = FITTING[kind]

        def value(row: Any) -> Any:
            return None if (raw := get(row).get(key)) is None else fit(raw)

        return Column(key, kind, value)

    def rest(row: Any) -> str | None:
        left = {key: value for key, value in get(row).items() if not _has_column(key, value)}
        return _json(left) if left else None

    return [*(known(key, kind) for key, kind in ADDITIONAL.items()), Column(name, "json", rest)]


def _has_column(key: str, value: Any) -> bool:
    kind = ADDITIONAL.get(key)
    return kind is not None and FITTING[kind](value) is not None


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _strings(value: Any) -> list[str] | None:
    return value if is_array(value) and all(isinstance(item, str) for item in value) else None


def _float(value: Any) -> float | None:
    # Beyond 2**53 not every integer is a float.
    exact = type(value) is float or (type(value) is int and abs(value) <= 2**53)
    return float(value) if exact else None


def _int(value: Any) -> int | None:
    # 3.0 is whole, too. `bool` is no number here.
    whole = int(value) if type(value) is float and value.is_integer() else value
    return whole if type(whole) is int and whole in INTEGERS else None


def _time(value: Any) -> int | None:
    # The server writes times in `additional` as milliseconds.
    whole = _int(value)
    return whole * 1000 if whole is not None and whole in MILLISECONDS else None


#: The value as its column holds it, or `None` where it is of another kind and stays in the JSON.
FITTING: Mapping[Kind, Getter] = {
    "string": _string,
    "strings": _strings,
    "float": _float,
    "int": _int,
    "time": _time,
}
