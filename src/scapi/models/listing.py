"""A page of rows, with its position in the whole list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, SupportsIndex, TypeVar, get_args, overload

import msgspec

from scapi.models._plain import enc_hook, from_plain, plain
from scapi.models._pydantic import Schema, object_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    import polars as pl
    import pyarrow as pa

__all__ = ["Listing", "Rejected"]

T = TypeVar("T")
R = TypeVar("R")


class Rejected(NamedTuple):
    """A row that can't be read.

    Attributes:
        index: Its position in the page as the server sent it, from 0.
        raw: The row as the server sent it.
        reason: Why it could not be read.
    """

    index: int  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]  # `tuple.index` isn't needed here
    raw: Any
    reason: str


class Listing(list[T]):
    """One page of rows: a `list` with the number of rows in the whole list.

    A slice or a copy is a listing too, with the same position in the whole list, and `sort()` sorts a listing in place.
    `sorted()`, `+` and comprehensions make plain lists, which the functions of `scapi.frames` take.

    Attributes:
        total: The number of rows in the whole list. It may change between two pages.
        limit: The number of rows that were requested.
        offset: The number of rows before this page.
        rejected: The rows of this page that could not be read.
        model: The type of the rows, also if there are none; `None` if it is unknown.
        has_more: Whether there are rows after this page.
    """

    __slots__ = ("_received", "has_more", "limit", "model", "offset", "rejected", "total")

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
        self._received = len(self) + len(self.rejected)
        # An empty page ends the list, whatever `total` is: a loop over pages must end.
        self.has_more = offset + self._received < total and (self._received > 0 or limit == 0)

    @property
    def next_offset(self) -> int | None:
        """The `offset` of the next page; `None` on the last page."""
        return self.offset + self._received if self.has_more else None

    @overload
    def __getitem__(self, place: SupportsIndex, /) -> T: ...
    @overload
    def __getitem__(self, place: slice, /) -> Listing[T]: ...
    def __getitem__(self, place: SupportsIndex | slice, /) -> T | Listing[T]:
        if not isinstance(place, slice):
            return super().__getitem__(place)
        page = {"total": self.total, "limit": self.limit, "offset": self.offset}
        part = Listing(super().__getitem__(place), **page, rejected=self.rejected, model=self.model)
        part.has_more, part._received = self.has_more, self._received
        return part

    def copy(self) -> Listing[T]:
        """Return a listing of the same rows."""
        return self[:]

    def __repr__(self) -> str:
        from scapi._views import text

        return text.listing(self)

    @overload
    def to_dict(self, *, wire: Literal[False] = False) -> dict[str, Any]: ...
    @overload
    def to_dict(self, *, wire: bool) -> Any: ...
    def to_dict(self, *, wire: bool = False) -> Any:
        """Return the page as plain data. `to_dicts` returns only the rows, as columns.

        Args:
            wire: Return the page as the API sends it, with rejected rows at their positions: an object with the rows
                and the total, or a list if the API sends a list. By default an object with `total`, `limit`, `offset`,
                `next_offset`, `rows` and `rejected`, and with the names and values of `to_dict` of the rows.
        """
        if not wire:
            place = {"total": self.total, "limit": self.limit, "offset": self.offset, "next_offset": self.next_offset}
            return {**place, "rows": plain(list(self)), "rejected": [list(row) for row in self.rejected]}
        rows: list[Any] = plain(list(self), wire=True)
        for rejected in self.rejected:
            rows.insert(rejected.index, rejected.raw)
        names: tuple[str, str] | None = getattr(self.model or next(map(type, self), None), "_page", None)
        return rows if names is None else {names[1]: self.total, names[0]: rows}

    def to_json(self, *, wire: bool = False) -> str:
        """Return the result of `to_dict` as JSON.

        Args:
            wire: See `to_dict`.
        """
        return msgspec.json.encode(self.to_dict(wire=wire), enc_hook=enc_hook).decode()

    @staticmethod
    def from_json(text: str | bytes, model: type[R]) -> Listing[R]:
        """Read a page that `to_json()` wrote.

        Args:
            text: The JSON.
            model: The type of the rows.

        Raises:
            ValueError: The text isn't such a page.
        """
        try:
            return _read(msgspec.json.decode(text), model)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as cause:
            raise ValueError(f"text must be what Listing.to_json() returned: {cause}") from None

    def to_dicts(self, *, flatten: bool = False, explode: bool = False) -> list[dict[str, Any]]:
        """Return the rows as plain dicts with aware times, see `scapi.frames.to_dicts`.

        Args:
            flatten: Put each known key of `additional` in its own column.
            explode: Put each participant of a session in its own row.

        Raises:
            ValueError: There is nothing to flatten or explode, or an integer needs more than 64 bits.
        """
        from scapi import frames

        return frames.to_dicts(self, flatten=flatten, explode=explode)

    def to_polars(self, *, flatten: bool = False, explode: bool = False) -> pl.DataFrame:
        """Return the rows as a polars frame, with the same columns if there are none; see `scapi.frames.to_polars`.

        Args:
            flatten: Put each known key of `additional` in its own column.
            explode: Put each participant of a session in its own row.

        Raises:
            ImportError: polars isn't installed.
            ValueError: See `to_dicts`.
        """
        from scapi import frames

        return frames.to_polars(self, flatten=flatten, explode=explode)

    def to_pandas(self, *, flatten: bool = False, explode: bool = False) -> pd.DataFrame:
        """Return the rows as a pandas frame, with the same columns if there are none; see `scapi.frames.to_pandas`.

        Args:
            flatten: Put each known key of `additional` in its own column.
            explode: Put each participant of a session in its own row.

        Raises:
            ImportError: pandas isn't installed.
            ValueError: See `to_dicts`.
        """
        from scapi import frames

        return frames.to_pandas(self, flatten=flatten, explode=explode)

    def to_arrow(self, *, flatten: bool = False, explode: bool = False) -> pa.Table:
        """Return the rows as an Arrow table, with the same columns if there are none; see `scapi.frames.to_arrow`.

        Args:
            flatten: Put each known key of `additional` in its own column.
            explode: Put each participant of a session in its own row.

        Raises:
            ImportError: pyarrow isn't installed.
            ValueError: See `to_dicts`.
        """
        from scapi import frames

        return frames.to_arrow(self, flatten=flatten, explode=explode)

    def _repr_html_(self) -> str:
        """Return the HTML table that notebooks show."""
        from scapi._views import html

        return html.listing(self)

    def __reduce__(self) -> tuple[Any, ...]:
        names = ("total", "limit", "offset", "rejected", "model")
        state = {"has_more": self.has_more, "_received": self._received}
        return _restore, (list(self), {name: getattr(self, name) for name in names}, state)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Schema:
        (model,) = get_args(source) or (Any,)
        count: Schema = {"type": "int"}
        fields: dict[str, Schema] = {
            "total": count,
            "limit": count,
            "offset": count,
            "next_offset": {"type": "nullable", "schema": count},
            "rows": {"type": "list", "items_schema": handler.generate_schema(model)},
            "rejected": {"type": "list", "items_schema": {"type": "any"}},
        }
        return object_schema(
            cls,
            f"Listing_{getattr(model, '__name__', 'Any')}",
            {name: (schema, True) for name, schema in fields.items()},
            read=lambda raw: _read(raw, model),
            write=cls.to_dict,
        )


class _Page(msgspec.Struct):
    """A page as `to_json` writes it."""

    total: int
    limit: int
    rows: list[Any]
    offset: int = 0
    rejected: list[Rejected] = []


def _read(raw: Any, model: type[T]) -> Listing[T]:
    """Convert the result of `Listing.to_dict` back to a page."""
    page = msgspec.convert(raw, _Page)
    rows = [from_plain(row, model) for row in page.rows]
    place = {"total": page.total, "limit": page.limit, "offset": page.offset}
    return Listing(rows, **place, rejected=page.rejected, model=model)


def _restore(rows: list[T], place: dict[str, Any], state: dict[str, Any]) -> Listing[T]:
    listing = Listing(rows, **place)
    for name, value in state.items():
        setattr(listing, name, value)
    return listing
