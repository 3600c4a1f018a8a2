"""A page of rows that knows where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    import polars as pl
    import pyarrow as pa

__all__ = ["Listing", "Rejected"]

T = TypeVar("T")


class Rejected(NamedTuple):
    """A row that could not be read.

    Attributes:
        index: Its place in the page as the server sent it, from 0.
        raw: The row as it was sent.
        reason: Why it could not be read.
    """

    index: int  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]  # nobody needs tuple.index of these
    raw: Any
    reason: str


class Listing(list[T]):
    """One page of rows: a `list` that knows how many there are in all.

    Attributes:
        total: How many rows the server has in all; it may change between two pages.
        limit: How many rows were asked for.
        offset: How many rows come before this page.
        rejected: The rows of this page that could not be read.
        model: What the rows are, also where there are none; `None` if nobody said.
        has_more: Whether there are rows after this page.
    """

    __slots__ = ("has_more", "limit", "model", "offset", "rejected", "total")

    def __init__(
        self,
        rows: Iterable[T] = (),
        *,
        total: int,
        limit: int,
        offset: int = 0,
        rejected: Sequence[Rejected] = (),
        model: type[T] | None = None,
    ) -> None:
        super().__init__(rows)
        self.total = total
        self.limit = limit
        self.offset = offset
        self.rejected = list(rejected)
        self.model = model
        received = len(self) + len(self.rejected)
        # A page that came back empty although it was asked for is the end, whatever `total` says: a loop must stop.
        self.has_more = offset + received < total and (received > 0 or limit == 0)

    def __repr__(self) -> str:
        place = f"total={self.total}, limit={self.limit}, offset={self.offset}, rejected={len(self.rejected)}"
        return f"Listing({super().__repr__()}, {place})"

    def to_dicts(self, *, flatten: bool = False, explode: bool = False) -> list[dict[str, Any]]:
        """The rows as plain dicts with aware times; see `scapi.frames.to_dicts`.

        Args:
            flatten: Give every known key of `additional` a column of its own.
            explode: Give every participant of a session a row of its own.

        Raises:
            ValueError: There is nothing to flatten or explode, or an integer needs more than 64 bits.
        """
        from scapi import frames

        return frames.to_dicts(self, flatten=flatten, explode=explode)

    def to_polars(self, *, flatten: bool = False, explode: bool = False) -> pl.DataFrame:
        """The rows as a polars frame, with the same columns when there are none; see `scapi.frames.to_polars`.

        Args:
            flatten: Give every known key of `additional` a column of its own.
            explode: Give every participant of a session a row of its own.

        Raises:
            ImportError: polars isn't installed.
            ValueError: As of `to_dicts`.
        """
        from scapi import frames

        return frames.to_polars(self, flatten=flatten, explode=explode)

    def to_pandas(self, *, flatten: bool = False, explode: bool = False) -> pd.DataFrame:
        """The rows as a pandas frame, with the same columns when there are none; see `scapi.frames.to_pandas`.

        Args:
            flatten: Give every known key of `additional` a column of its own.
            explode: Give every participant of a session a row of its own.

        Raises:
            ImportError: pandas isn't installed.
            ValueError: As of `to_dicts`.
        """
        from scapi import frames

        return frames.to_pandas(self, flatten=flatten, explode=explode)

    def to_arrow(self, *, flatten: bool = False, explode: bool = False) -> pa.Table:
        """The rows as an Arrow table, with the same columns when there are none; see `scapi.frames.to_arrow`.

        Args:
            flatten: Give every known key of `additional` a column of its own.
            explode: Give every participant of a session a row of its own.

        Raises:
            ImportError: pyarrow isn't installed.
            ValueError: As of `to_dicts`.
        """
        from scapi import frames

        return frames.to_arrow(self, flatten=flatten, explode=explode)

    def _repr_html_(self) -> str:
        """What notebooks show."""
        from scapi._views import html

        return html.listing(self)

    def __reduce__(self) -> tuple[Any, ...]:
        place = {name: getattr(self, name) for name in ("total", "limit", "offset", "rejected", "model")}
        return _restore, (list(self), place)


def _restore(rows: list[T], place: dict[str, Any]) -> Listing[T]:
    return Listing(rows, **place)
