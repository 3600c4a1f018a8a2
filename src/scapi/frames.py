"""Frames: models as tables of polars, pandas and Arrow. The columns depend on the model, not on the rows.

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
    """Make plain dicts of rows, with the columns of a frame as keys.

    Times are aware `datetime`. Dicts and lists stay what they are; frames have JSON text for them.

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
    return _built(builders.dicts(), rows, model, flatten=flatten, explode=explode)


def to_polars(
    rows: Iterable[Any], *, model: type | None = None, flatten: bool = False, explode: bool = False
) -> pl.DataFrame:
    """Make a polars frame of rows; needs the extra `polars`.

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
    return _built(builders.polars(), rows, model, flatten=flatten, explode=explode)


def to_pandas(
    rows: Iterable[Any], *, model: type | None = None, flatten: bool = False, explode: bool = False
) -> pd.DataFrame:
    """Make a pandas frame of rows; needs the extra `pandas`.

    Strings, integers and booleans have pandas' nullable types, so that absent values don't turn 64-bit integers into
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
    return _built(builders.pandas(), rows, model, flatten=flatten, explode=explode)


def to_arrow(
    rows: Iterable[Any], *, model: type | None = None, flatten: bool = False, explode: bool = False
) -> pa.Table:
    """Make an Arrow table of rows; needs the extra `arrow`.

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
    return _built(builders.arrow(), rows, model, flatten=flatten, explode=explode)


def _built(library: Library[F], rows: Iterable[Any], model: type | None, *, flatten: bool, explode: bool) -> F:
    found = collect_rows(rows, model)
    keyed = found.keys is not None
    builder = builders.Builder(library, found.model, flatten=flatten, explode=explode, keyed=keyed)
    builder.add(found.rows, found.keys)
    return builder.finish()
