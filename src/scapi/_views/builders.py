"""Build frames part by part: the rows of each page become columns of a library before the next page is fetched.

Memory holds the frame so far, the columns of the last few thousand rows, and one page.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from scapi._base.extras import extra
from scapi._base.json_types import is_array
from scapi._views.filled_columns import Table
from scapi._views.values import packed, plain, texts

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from scapi._views.columns import Filled, Kind
    from scapi.models import BulkResult


F = TypeVar("F")

#: How many rows become one part of the frame. More rows mean fewer parts, but more Python objects, which take several
#: times the memory of a frame.
PART = 10_000


class Library(NamedTuple, Generic[F]):
    """The functions that make one kind of frame.

    Attributes:
        pack: Converts the values of models to values for the library.
        make: Makes a frame of columns.
        join: Joins one or more frames with the same columns.
    """

    pack: Callable[[Filled], Filled]
    make: Callable[[list[Filled]], F]
    join: Callable[[list[F]], F]


class Builder(Generic[F]):
    """Builds a frame part by part.

    Args:
        library: The library of the frame.
        model: The model of the rows.
        flatten: See `scapi.frames.to_dicts`.
        explode: See `scapi.frames.to_dicts`.
        keyed: Whether rows have the key and region of a bulk result, which become the columns `key` and `region`.

    Raises:
        TypeError: The model isn't a model.
        ValueError: There is nothing to flatten or explode.
    """

    def __init__(self, library: Library[F], model: type, *, flatten: bool, explode: bool, keyed: bool) -> None:
        self._library = library
        self._table = Table(model, flatten=flatten, explode=explode)
        self._keyed = keyed
        self._parts: list[F] = []
        self._columns = self._filled([], [])

    def add(self, rows: list[Any], keys: list[tuple[str, str]] | None = None) -> None:
        """Add some rows, each with its key and region if there are keys."""
        for start in range(0, len(rows), PART):
            part = slice(start, start + PART)
            for column, more in zip(self._columns, self._filled(rows[part], keys and keys[part]), strict=True):
                column.values.extend(more.values)
            if len(self._columns[0].values) >= PART:
                self._make()

    def add_result(self, result: BulkResult[Any]) -> None:
        """Add the rows of a bulk result, or raise its error."""
        value = result.unwrap()
        rows: list[Any] = value if is_array(value) else [value]
        self.add(rows, [(result.key, result.region)] * len(rows))

    def finish(self) -> F:
        """Return the frame."""
        if self._columns[0].values or not self._parts:
            self._make()
        return self._parts[0] if len(self._parts) == 1 else self._library.join(self._parts)

    def _filled(self, rows: list[Any], keys: list[tuple[str, str]] | None) -> list[Filled]:
        return [self._library.pack(column) for column in self._table.fill(rows, keys if self._keyed else None)]

    def _make(self) -> None:
        self._parts.append(self._library.make(self._columns))
        self._columns = self._filled([], [])


def refuse_json(json: bool) -> None:
    """Raise a `ValueError` for a client with `json=True`, before anything is requested."""
    if json:
        raise ValueError("json=True gives plain objects, and frames are made of models: use another client for them")


def dicts() -> Library[list[dict[str, Any]]]:
    """Return the functions that make lists of plain dicts."""

    def pack(column: Filled) -> Filled:
        return column._replace(values=plain(column))

    def make(columns: list[Filled]) -> list[dict[str, Any]]:
        names = [column.name for column in columns]
        return [dict(zip(names, row, strict=True)) for row in zip(*(column.values for column in columns), strict=True)]

    def join(parts: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
        return list(chain.from_iterable(parts))

    return Library(pack, make, join)


def polars() -> Library[pl.DataFrame]:
    """Return the functions that make polars frames."""
    with extra("polars"):
        import polars as pl
    kinds: dict[Kind, pl.DataType] = {
        "string": pl.String(),
        "int": pl.Int64(),
        "float": pl.Float64(),
        "bool": pl.Boolean(),
        "time": pl.Datetime("us", "UTC"),
        "strings": pl.List(pl.String()),
        "json": pl.String(),
    }

    def series(column: Filled) -> pl.Series:
        kind = kinds[column.kind]
        if column.kind == "time":
            # polars casts integers all at once, but converts `datetime` objects one by one.
            return pl.Series(column.name, column.values, pl.Int64()).cast(kind)
        if column.kind == "strings":
            # The same applies to texts and lists.
            return pl.Series(column.name, texts(column.values), pl.String()).str.json_decode(kind)
        return pl.Series(column.name, column.values, kind)

    def make(columns: list[Filled]) -> pl.DataFrame:
        return pl.DataFrame(list(map(series, columns)))

    return Library(packed, make, pl.concat)


def pandas() -> Library[pd.DataFrame]:
    """Return the functions that make pandas frames."""
    with extra("pandas"):
        import pandas as pd
    kinds: dict[Kind, Any] = {
        "string": "string",
        "int": "Int64",
        "float": "float64",
        "bool": "boolean",
        "time": "Int64",
        "strings": "object",
        "json": "string",
    }

    def series(column: Filled) -> pd.Series[Any]:
        values: pd.Series[Any] = pd.Series(column.values, dtype=kinds[column.kind])
        if column.kind == "time":
            return pd.to_datetime(values, unit="us", utc=True).astype("datetime64[us, UTC]")
        return values

    def make(columns: list[Filled]) -> pd.DataFrame:
        return pd.DataFrame({column.name: series(column) for column in columns})

    def join(parts: list[pd.DataFrame]) -> pd.DataFrame:
        return pd.concat(parts, ignore_index=True)

    return Library(packed, make, join)


def arrow() -> Library[pa.Table]:
    """Return the functions that make Arrow tables."""
    with extra("arrow"):
        import pyarrow as pa
    kinds: dict[Kind, pa.DataType] = {
        "string": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "time": pa.timestamp("us", "UTC"),
        "strings": pa.list_(pa.string()),
        "json": pa.string(),
    }

    def make(columns: list[Filled]) -> pa.Table:
        return pa.table({column.name: pa.array(column.values, kinds[column.kind]) for column in columns})

    return Library(packed, make, pa.concat_tables)
