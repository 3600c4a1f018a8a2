"""Convert models to frames of polars, pandas and Arrow. The columns depend on the model, not on the rows.

```python
from scapi import frames
from scapi.sync import AppClient

with AppClient(token="...") as client:
    frame = frames.to_polars(client.auction("zyv9").price_history(limit=200, additional=True))
```

A `Listing` has the same functions as methods. Columns are named after the fields of the models; the fields of a nested
record have its name in front (`clan_info_name`). Times are `datetime[us, UTC]`, integers have 64 bits, enums are
strings. Lots and sales also have the columns `quality`, `upgrade_level` and `unit_price`; `additional` comes last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from scapi import _conflict  # noqa: F401  # raises where another package overwrote this one
from scapi._views import builders
from scapi._views.filled_columns import collect_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from scapi._views.builders import Library

__all__ = ["to_arrow", "to_dicts", "to_pandas", "to_polars"]

F = TypeVar("F")


def to_dicts(
    rows: Iterable[Any], *, model: type | None = None, flatten: bool = False, explode: bool = False
) -> list[dict[str, Any]]:
    """Convert rows to plain dicts, with the columns of a frame as keys.

    Times are aware `datetime`. Dicts and lists stay as they are; in frames they are JSON text.

    Args:
        rows: A `Listing` or any other iterable of models of one type, or results of a bulk call, whose keys become the
            column `key`.
        model: The type of the rows; needed only if there are none and `rows` isn't a `Listing`.
        flatten: Put each known key of `additional` in its own column (`qlt`, `ptn`, `spawn_time`, ...). The rest stays
            in `additional`.
        explode: Put each participant of a session, or statistic of a profile, in its own row. A session without
            participants keeps its row.

    Raises:
        TypeError: The rows aren't models of one type.
        ValueError: There are no rows and no `model`; or there is nothing to flatten or explode; or an integer needs
            more than 64 bits, or a year is outside 1 to 9999.
        ScApiException: A bulk result has an error instead of a value.
    """
    return _built(builders.dicts(), rows, model, flatten=flatten, explode=explode)


def to_polars(
    rows: Iterable[Any], *, model: type | None = None, flatten: bool = False, explode: bool = False
) -> pl.DataFrame:
    """Convert rows to a polars frame; needs the extra `polars`.

    Args:
        rows: See `to_dicts`.
        model: See `to_dicts`.
        flatten: See `to_dicts`. The rest of `additional`, or all of it without `flatten`, is JSON text.
        explode: See `to_dicts`. Without it participants and statistics are JSON text.

    Raises:
        ImportError: polars isn't installed.
        TypeError: See `to_dicts`.
        ValueError: See `to_dicts`.
        ScApiException: See `to_dicts`.
    """
    return _built(builders.polars(), rows, model, flatten=flatten, explode=explode)


def to_pandas(
    rows: Iterable[Any], *, model: type | None = None, flatten: bool = False, explode: bool = False
) -> pd.DataFrame:
    """Convert rows to a pandas frame; needs the extra `pandas`.

    Strings, integers and booleans have pandas' nullable types, so absent values don't turn 64-bit integers into floats.

    Args:
        rows: See `to_dicts`.
        model: See `to_dicts`.
        flatten: See `to_dicts`. The rest of `additional`, or all of it without `flatten`, is JSON text.
        explode: See `to_dicts`. Without it participants and statistics are JSON text.

    Raises:
        ImportError: pandas isn't installed.
        TypeError: See `to_dicts`.
        ValueError: See `to_dicts`.
        ScApiException: See `to_dicts`.
    """
    return _built(builders.pandas(), rows, model, flatten=flatten, explode=explode)


def to_arrow(
    rows: Iterable[Any], *, model: type | None = None, flatten: bool = False, explode: bool = False
) -> pa.Table:
    """Convert rows to an Arrow table; needs the extra `arrow`.

    Args:
        rows: See `to_dicts`.
        model: See `to_dicts`.
        flatten: See `to_dicts`. The rest of `additional`, or all of it without `flatten`, is JSON text.
        explode: See `to_dicts`. Without it participants and statistics are JSON text.

    Raises:
        ImportError: pyarrow isn't installed.
        TypeError: See `to_dicts`.
        ValueError: See `to_dicts`.
        ScApiException: See `to_dicts`.
    """
    return _built(builders.arrow(), rows, model, flatten=flatten, explode=explode)


def _built(library: Library[F], rows: Iterable[Any], model: type | None, *, flatten: bool, explode: bool) -> F:
    found = collect_rows(rows, model)
    keyed = found.keys is not None
    builder = builders.Builder(library, found.model, flatten=flatten, explode=explode, keyed=keyed)
    builder.add(found.rows, found.keys)
    return builder.finish()
