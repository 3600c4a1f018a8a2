"""Frames: models as tables of polars, pandas and Arrow, with the same columns whatever rows there are.

    from scapi import frames

    frames.to_polars(client.auction("zyv9").price_history(limit=200, additional=True))

A `Listing` has the same as methods. Column names are those of the models; records in a record have theirs in front
(`clan_info_name`). Times are `datetime[us, UTC]`, integers have 64 bits, enums are strings, and what models answer
beside their fields has columns, too: `quality`, `upgrade_level` and `unit_price` of lots and sales.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from scapi import _conflict  # noqa: F401  # raises where another package overwrote this one
from scapi._core.columns import Filled, Kind, moment, table
from scapi._core.extras import extra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd
    import polars as pl
    import pyarrow as pa

__all__ = ["to_arrow", "to_dicts", "to_pandas", "to_polars"]

#: How a dict holds what a frame holds as a number or as text.
NATIVE: Mapping[Kind, Callable[[Any], Any]] = {"time": moment, "json": msgspec.json.decode}


def to_dicts(
    rows: Iterable[Any], *, model: type | None = None, flatten: bool = False, explode: bool = False
) -> list[dict[str, Any]]:
    """Rows as plain dicts, with the columns of a frame as keys.

    Times are aware `datetime`. What frames hold as JSON text is a dict or a list here.

    Args:
        rows: A `Listing` or any other iterable of models of one kind, or results of a bulk call, whose keys become the
            column `key`.
        model: What the rows are; needed only where there are none and `rows` isn't a `Listing`.
        flatten: Give every known key of `additional` a column of its own (`qlt`, `ptn`, `spawn_time`, ...); what
            remains is in `additional`.
        explode: Give every participant of a session, or statistic of a profile, a row of its own. A session without
            participants keeps its row.

    Raises:
        TypeError: The rows aren't models of one kind.
        ValueError: There are no rows and nothing says what they would be; or there is nothing to flatten or explode;
            or an integer needs more than 64 bits, or a time another year than 1 to 9999.
        ScApiException: A bulk result has an error in place of a value.
    """
    columns = table(rows, model=model, flatten=flatten, explode=explode)
    names = [column.name for column in columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*map(_native, columns), strict=True)]


def to_polars(
    rows: Iterable[Any], *, model: type | None = None, flatten: bool = False, explode: bool = False
) -> pl.DataFrame:
    """Rows as a polars frame; needs the extra `polars`.

    Args:
        rows: As of `to_dicts`, like the other arguments.
        model: What the rows are, where nothing else tells.
        flatten: Known keys of `additional` as columns; what remains is JSON text, as all of it is without.
        explode: A row for every participant or statistic; without, they are JSON text.

    Raises:
        ImportError: polars isn't installed.
        TypeError: As of `to_dicts`.
        ValueError: As of `to_dicts`.
        ScApiException: As of `to_dicts`.
    """
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
        # Integers become times all at once; `datetime` objects would be looked at one by one.
        raw = pl.Int64() if column.kind == "time" else kinds[column.kind]
        return pl.Series(column.name, column.values, raw).cast(kinds[column.kind])

    return pl.DataFrame([series(column) for column in table(rows, model=model, flatten=flatten, explode=explode)])


def to_pandas(
    rows: Iterable[Any], *, model: type | None = None, flatten: bool = False, explode: bool = False
) -> pd.DataFrame:
    """Rows as a pandas frame; needs the extra `pandas`.

    Strings, integers and booleans are pandas' nullable ones, so that an absent value doesn't turn 64-bit integers into
    floats.

    Args:
        rows: As of `to_dicts`, like the other arguments.
        model: What the rows are, where nothing else tells.
        flatten: Known keys of `additional` as columns; what remains is JSON text, as all of it is without.
        explode: A row for every participant or statistic; without, they are JSON text.

    Raises:
        ImportError: pandas isn't installed.
        TypeError: As of `to_dicts`.
        ValueError: As of `to_dicts`.
        ScApiException: As of `to_dicts`.
    """
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

    columns = table(rows, model=model, flatten=flatten, explode=explode)
    return pd.DataFrame({column.name: series(column) for column in columns})


def to_arrow(
    rows: Iterable[Any], *, model: type | None = None, flatten: bool = False, explode: bool = False
) -> pa.Table:
    """Rows as an Arrow table; needs the extra `arrow`.

    Args:
        rows: As of `to_dicts`, like the other arguments.
        model: What the rows are, where nothing else tells.
        flatten: Known keys of `additional` as columns; what remains is JSON text, as all of it is without.
        explode: A row for every participant or statistic; without, they are JSON text.

    Raises:
        ImportError: pyarrow isn't installed.
        TypeError: As of `to_dicts`.
        ValueError: As of `to_dicts`.
        ScApiException: As of `to_dicts`.
    """
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
    columns = table(rows, model=model, flatten=flatten, explode=explode)
    return pa.table({column.name: pa.array(column.values, kinds[column.kind]) for column in columns})


def _native(column: Filled) -> list[Any]:
    change = NATIVE.get(column.kind)
    return column.values if change is None else [None if value is None else change(value) for value in column.values]
