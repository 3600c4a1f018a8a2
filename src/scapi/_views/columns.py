"""Rows to columns: which column has which name and kind, and how its values are got out of rows.

This is what every frame library is fed with. The columns of a model depend on the model alone, never on the rows, so
that an empty page has the same columns, of the same kinds, as a full one.

A column is made at once for all rows, never row by row: a Python function per value costs several times what decoding
the row does.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar, cast, get_args, get_origin

import msgspec

from scapi._base.annotations import plain_type
from scapi._base.formatting import FIRST, INTEGERS, LAST
from scapi._base.json_types import is_array
from scapi.models import AuctionLot, AuctionPrice, BulkResult, EmissionState

T = TypeVar("T")

#: `time` is an aware `datetime`, `millis` is milliseconds since the epoch; `strings` is a list of them; `json` is what
#: JSON can hold. Frames hold times as microseconds since the epoch, UTC, and JSON as text: see `packed`.
Kind: TypeAlias = Literal["string", "int", "float", "bool", "time", "millis", "strings", "json"]

#: From rows to the values of a column.
Getter: TypeAlias = Callable[[list[Any]], list[Any]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY, SECOND = 86_400_000_000, 1_000_000
#: What Python can call a time, in milliseconds since the epoch: the years 1 to 9999.
MILLISECONDS = range(-62_135_596_800_000, 253_402_300_800_000)

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
    "spawn_time": "millis",
    "buyer": "string",
}


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


class Rows(NamedTuple):
    """Rows of one model, and for each the key of the bulk result that it came in."""

    model: type
    rows: list[Any]
    keys: list[str] | None


# ── rows to a table ───────────────────────────────────────────────────────────────────────────────────────────────────


class Table:
    """The columns of rows of one model, which come part by part.

    Args:
        model: What the rows are.
        flatten: Give every known key of `additional` a column of its own.
        explode: Give every record in a row's list of records a row of its own.

    Raises:
        TypeError: The model is neither one of the API nor `str`.
        ValueError: There is nothing to flatten or explode.
    """

    def __init__(self, model: type, *, flatten: bool = False, explode: bool = False) -> None:
        if not issubclass(model, str | msgspec.Struct):
            raise TypeError(f"rows must be models or strings, not {model.__name__}")
        if flatten and "additional" not in _field_names(model):
            raise ValueError(f"flatten must be False for {model.__name__}, which has no additional")
        inner = records_in(model) if explode else None
        if explode and inner is None:
            raise ValueError(f"explode must be False for {model.__name__}, which has no list of records")
        self.model = model
        self._flatten = flatten
        self._columns = columns_of(model)
        self._records, self._inside = "", list[Column]()
        self._count = 0
        if inner is not None:
            self._records, kind = inner
            self._columns = [column for column in self._columns if column.name != self._records]
            # A row without any records stays, with nothing in their columns.
            self._inside = [column._replace(get=_present(column.get)) for column in columns_of(kind)]

    def fill(self, rows: list[Any], keys: list[str] | None = None) -> list[Filled]:
        """The columns of some more rows; `keys` has the key of the bulk result that each of them came in.

        Raises:
            TypeError: A row isn't of the model.
            ValueError: An integer needs more than 64 bits, or a time another year than 1 to 9999.
        """
        for kind in dict.fromkeys(map(type, rows)):
            if not issubclass(kind, self.model) or kind is BulkResult:
                raise TypeError(f"rows must be models of one kind, not both {self.model.__name__} and {kind.__name__}")
        filled = list[Filled]()
        if self._inside:
            each = [getattr(row, self._records) or [None] for row in rows]
            rows, keys = _repeated(rows, each), keys and _repeated(keys, each)
            filled = _filled(self._inside, list(chain.from_iterable(each)))
        filled = [*self._outside(rows), *filled]
        for column in filled:
            if column.kind == "int":
                _check_size(column, self._count)
            elif column.kind == "time":
                _check_year(column, self._count)
        self._count += len(rows)
        return filled if keys is None else [Filled("key", "string", keys), *filled]

    def _outside(self, rows: list[Any]) -> list[Filled]:
        if not self._flatten:
            return _filled(self._columns, rows)
        at = [column.name for column in self._columns].index("additional")
        return [*_filled(self._columns[:at], rows), *_flattened(rows), *_filled(self._columns[at + 1 :], rows)]


def gathered(rows: Iterable[Any], model: type | None) -> Rows:
    """The rows, taken out of the bulk results that they may come in."""
    if isinstance(rows, str) or not isinstance(rows, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
        raise TypeError(f"rows must be an iterable of models, not {rows!r}")
    pages, keys = [rows if is_array(rows) else list(rows)], None
    if pages[0] and all(isinstance(row, BulkResult) for row in pages[0]):
        results = cast("list[BulkResult[Any]]", pages[0])
        pages = [value if is_array(value := result.unwrap()) else [value] for result in results]
        keys = _repeated([result.key for result in results], pages)
    found = list(chain.from_iterable(pages))
    named = [getattr(page, "model", None) for page in (rows, *pages)]
    known = next((kind for kind in (model, *named, *map(type, found[:1])) if kind is not None), None)
    if known is None:
        raise ValueError("model must say what the rows are, since there are none")
    return Rows(known, found, keys)


def _repeated(values: Iterable[T], each: list[list[Any]]) -> list[T]:
    """Every value as often as the list that belongs to it is long."""
    return [value for value, inner in zip(values, each, strict=True) for value in repeat(value, len(inner))]


def _filled(columns: list[Column], rows: list[Any]) -> list[Filled]:
    return [Filled(column.name, column.kind, column.get(rows)) for column in columns]


def _check_size(column: Filled, before: int) -> None:
    """Refuse what would overflow, and say where it is; the libraries only say that something did."""
    values = column.values if None not in column.values else [value for value in column.values if value is not None]
    try:
        array("q", values)
    except OverflowError:
        for row, value in enumerate(column.values, before):
            if value is not None and value not in INTEGERS:
                raise ValueError(f"{column.name} of row {row} must fit in 64 bits, which {value} doesn't") from None


def _check_year(column: Filled, before: int) -> None:
    """Refuse what UTC has no year for, such as the last hours of 9999 west of it, and say where it is."""
    if all(time is None or time.tzinfo is UTC for time in column.values):
        return
    for row, time in enumerate(column.values, before):
        if time is not None and not FIRST <= time <= LAST:
            raise ValueError(f"{column.name} of row {row} must be within the years 1 to 9999 in UTC, which it isn't")


# ── values as frames and as dicts hold them ───────────────────────────────────────────────────────────────────────────


def packed(column: Filled) -> Filled:
    """A column as frames hold it: a time is its microseconds since the epoch, UTC, and JSON is text."""
    name, kind, values = column
    if kind == "json":
        return Filled(name, kind, texts(values))
    if kind == "millis":
        return Filled(name, "time", [None if value is None else value * 1000 for value in values])
    return Filled(name, kind, _micros(values)) if kind == "time" else column


def plain(column: Filled) -> list[Any]:
    """The values of a column as dicts hold them: a time is an aware `datetime`, UTC, and JSON is a copy of itself."""
    kind, values = column.kind, column.values
    if kind == "json":
        # A copy, since those who change a dict of theirs don't mean the model that it came from.
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
    """Each value that isn't `None` as JSON text.

    One call encodes them all: a text of JSON has no line breaks but in escapes.
    """
    texts = cast("list[str | None]", ENCODER.encode_lines(values).decode().split("\n")[:-1])
    return (
        texts
        if None not in values
        else [text if value is not None else None for text, value in zip(texts, values, strict=True)]
    )


ENCODER = msgspec.json.Encoder()


# ── a model to columns ────────────────────────────────────────────────────────────────────────────────────────────────


def columns_of(model: type) -> list[Column]:
    """The columns of a model: its fields, those of the records in it, and its properties.

    Args:
        model: A model of the API, or `str`, which has one column `name`.
    """
    if not issubclass(model, msgspec.Struct):
        return [Column("name", "string", list)]
    found = [column for field in msgspec.structs.fields(model) for column in _columns(field.name, field.type)]
    return found + [Column(name, kind, _property(name, kind)) for name, kind in PROPERTIES.get(model, {}).items()]


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


def _field_names(model: type) -> set[str]:
    return {field.name for field in msgspec.structs.fields(model)} if issubclass(model, msgspec.Struct) else set()


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
        return _from_additional(name, FROM_ADDITIONAL[name], _spelled if kind == "string" else None)
    return _values(name)


def _spelled(member: IntEnum | None) -> str | None:
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


def _present(get: Getter) -> Getter:
    """Get something out of those rows that aren't `None`."""

    def values(rows: list[Any]) -> list[Any]:
        if None not in rows:
            return get(rows)
        found = iter(get([row for row in rows if row is not None]))
        return [None if row is None else next(found) for row in rows]

    return values


def _within(name: str, get: Getter) -> Getter:
    """Get something out of a record that may be absent."""
    outer, inner = _values(name), _present(get)
    return lambda rows: inner(outer(rows))


# ── `additional`, a key a column ──────────────────────────────────────────────────────────────────────────────────────


def _flattened(rows: list[Any]) -> list[Filled]:
    """A column for every known key, and what remains."""
    details = [row.additional for row in rows]
    columns = [
        Filled(key, kind, _fitted(kind, [found.get(key) for found in details])) for key, kind in ADDITIONAL.items()
    ]
    in_columns = sum(len(column.values) - column.values.count(None) for column in columns)
    # As many values as have columns: nothing remains, and nobody needs to look for it in every row.
    remains = in_columns < sum(map(len, details))
    return [*columns, Filled("additional", "json", list(map(_rest, details)) if remains else [None] * len(rows))]


def _fitted(kind: Kind, raws: list[Any]) -> list[Any]:
    """The values that fit into a column of this kind, `None` in place of the others."""
    exact, least, most = USUAL[kind]
    if {exact, NOTHING}.issuperset(map(type, raws)):
        # Values of one type are looked at all together.
        values = [raw for raw in raws if raw is not None] if least < most else []
        if not values or (min(values) >= least and max(values) <= most):
            return raws
    fit = FITTING[kind]
    return [None if raw is None else fit(raw) for raw in raws]


def _rest(details: dict[str, Any]) -> dict[str, Any] | None:
    """What has no column of its own."""
    return {key: value for key, value in details.items() if not _has_column(key, value)} or None


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


def _millis(value: Any) -> int | None:
    # The server writes times in `additional` as milliseconds.
    whole = _int(value)
    return whole if whole is not None and whole in MILLISECONDS else None


#: The value as its column holds it, or `None` where it is of another kind and stays in the JSON.
FITTING: Mapping[Kind, Callable[[Any], Any]] = {
    "string": _string,
    "strings": _strings,
    "float": _float,
    "int": _int,
    "millis": _millis,
}

NOTHING = type(None)
#: What most values of a kind are: their type, and between which bounds they fit; equal bounds are none.
USUAL: Mapping[Kind, tuple[type, int, int]] = {
    "string": (str, 0, 0),
    "strings": (NOTHING, 0, 0),
    "float": (float, 0, 0),
    "int": (int, INTEGERS.start, INTEGERS.stop - 1),
    "millis": (int, MILLISECONDS.start, MILLISECONDS.stop - 1),
}
