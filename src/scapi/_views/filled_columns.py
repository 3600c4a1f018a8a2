"""Convert rows of one model to columns with values."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from datetime import UTC
from itertools import chain, repeat
from typing import Any, NamedTuple, TypeVar, cast

import msgspec

from scapi._base.formatting import FIRST, INTEGERS, LAST, integer
from scapi._base.json_types import is_array
from scapi._views.additional_columns import flattened
from scapi._views.columns import Column, Filled, columns_of, present, records_in
from scapi.models import BulkError, BulkResult, BulkValue

T = TypeVar("T")


class Rows(NamedTuple):
    """Rows of one model, each with the key and the region of its bulk result."""

    model: type
    rows: list[Any]
    keys: list[tuple[str, str]] | None


class Table:
    """Converts rows of one model to columns, part by part.

    Args:
        model: The model of the rows.
        flatten: Whether every known key of `additional` gets a column of its own.
        explode: Whether every record in a row's list of records gets a row of its own.
        bounded: Whether to refuse integers of more than 64 bits and times outside the years 1 to 9999.

    Raises:
        TypeError: The model is neither a model of the API nor `str`.
        ValueError: There is nothing to flatten or explode.
    """

    def __init__(self, model: type, *, flatten: bool = False, explode: bool = False, bounded: bool = True) -> None:
        if not issubclass(model, str | msgspec.Struct):
            raise TypeError(f"rows must be models or strings, not {model.__name__}")
        if flatten and "additional" not in getattr(model, "__struct_fields__", ()):
            raise ValueError(f"flatten must be False for {model.__name__}, which has no additional")
        inner = records_in(model) if explode else None
        if explode and inner is None:
            raise ValueError(f"explode must be False for {model.__name__}, which has no list of records")
        self.model = model
        self._flatten = flatten
        self._bounded = bounded
        self._columns = columns_of(model)
        self._records, self._inside = "", list[Column]()
        self._count = 0
        if inner is not None:
            self._records, kind = inner
            self._columns = [column for column in self._columns if column.name != self._records]
            # A row without records keeps one line, with empty columns.
            self._inside = [column._replace(get=present(column.get)) for column in columns_of(kind)]

    def fill(self, rows: list[Any], keys: list[tuple[str, str]] | None = None) -> list[Filled]:
        """Convert some more rows to columns. `keys` has the key and the region of each row's bulk result.

        Raises:
            TypeError: A row is of another model.
            ValueError: An integer needs more than 64 bits, or a time is outside the years 1 to 9999.
        """
        for kind in dict.fromkeys(map(type, rows)):
            if not issubclass(kind, self.model) or kind in {BulkValue, BulkError}:
                raise TypeError(f"rows must be models of one kind, not both {self.model.__name__} and {kind.__name__}")
        filled = list[Filled]()
        if self._inside:
            each = [getattr(row, self._records) or [None] for row in rows]
            rows, keys = _repeated(rows, each), keys and _repeated(keys, each)
            filled = _filled(self._inside, list(chain.from_iterable(each)))
        filled = [*self._outside(rows), *filled]
        for column in filled:
            if self._bounded and column.kind == "int":
                _check_size(column, self._count)
            elif self._bounded and column.kind == "time":
                _check_year(column, self._count)
        self._count += len(rows)
        if keys is None:
            return filled
        labels = [Filled("key", "string", [key for key, _ in keys]), Filled("region", "string", [at for _, at in keys])]
        return [*labels, *filled]

    def _outside(self, rows: list[Any]) -> list[Filled]:
        if not self._flatten:
            return _filled(self._columns, rows)
        at = [column.name for column in self._columns].index("additional")
        return [*_filled(self._columns[:at], rows), *flattened(rows), *_filled(self._columns[at + 1 :], rows)]


def collect_rows(rows: Iterable[Any], model: type | None) -> Rows:
    """Take the rows out of a page, an iterable, or the results of a bulk call."""
    if isinstance(rows, str) or not isinstance(rows, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
        raise TypeError(f"rows must be an iterable of models, not {rows!r}")
    pages, keys = [rows if is_array(rows) else list(rows)], None
    if pages[0] and all(isinstance(row, BulkValue | BulkError) for row in pages[0]):
        results = cast("list[BulkResult[Any]]", pages[0])
        pages = [value if is_array(value := result.unwrap()) else [value] for result in results]
        keys = _repeated([(result.key, result.region) for result in results], pages)
    found = list(chain.from_iterable(pages))
    named = [getattr(page, "model", None) for page in (rows, *pages)]
    known = next((kind for kind in (model, *named, *map(type, found[:1])) if kind is not None), None)
    if known is None:
        raise ValueError("model must say what the rows are, since there are none")
    return Rows(known, found, keys)


def _repeated(values: Iterable[T], each: list[list[Any]]) -> list[T]:
    """Repeat each value as often as its list is long."""
    return [value for value, inner in zip(values, each, strict=True) for value in repeat(value, len(inner))]


def _filled(columns: list[Column], rows: list[Any]) -> list[Filled]:
    return [Filled(column.name, column.kind, column.get(rows)) for column in columns]


def _check_size(column: Filled, before: int) -> None:
    """Raise a `ValueError` that names the row of an integer that would overflow. The libraries don't name it."""
    values = column.values if None not in column.values else [value for value in column.values if value is not None]
    try:
        array("q", values)
    except OverflowError:
        for row, value in enumerate(column.values, before):
            if value is not None and value not in INTEGERS:
                raise ValueError(
                    f"{column.name} of row {row} must fit in 64 bits, which {integer(value)} doesn't"
                ) from None


def _check_year(column: Filled, before: int) -> None:
    """Raise a `ValueError` that names the row of a time outside the years of UTC, such as the end of 9999 in -12:00."""
    if all(time is None or time.tzinfo is UTC for time in column.values):
        return
    for row, time in enumerate(column.values, before):
        if time is not None and not FIRST <= time <= LAST:
            raise ValueError(f"{column.name} of row {row} must be within the years 1 to 9999 in UTC, which it isn't")
