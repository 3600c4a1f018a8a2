"""Iterates over all rows of a list, and fetches the next page while one is in use."""

from __future__ import annotations

import threading
from contextlib import aclosing
from operator import length_hint
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from scapi._primitives import aio
from scapi._views import builders
from scapi.models import AuctionPrice

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from datetime import datetime

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from scapi._api.requests import Request
    from scapi._async.session import Session
    from scapi._lists.paginator import Paginator
    from scapi._lists.sales import SalesPaginator
    from scapi._views.builders import Library
    from scapi.models import Listing, SalesWalkState


A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")
F = TypeVar("F")

END: Any = object()


class Rows(Generic[T]):
    """An iterator over all rows of a list, which can also load them into a frame without keeping the models.

    `to_polars()` and the similar methods read the remaining rows, page by page, into the columns of one frame. They
    keep the frame so far and one page in memory, never all rows as models. Columns and types are those of
    `scapi.frames`. Nothing is sent before you request the first row or a frame.
    """

    __module__ = aio.PUBLIC

    def __init__(self, session: Session, paginator: Paginator[T], model: type[T]) -> None:
        self._pages = _pages(session, paginator)
        #: The last page, and its rows that were not returned yet. One attribute, so that an interrupt can't separate
        #: the two.
        self._current: tuple[Listing[T] | None, Iterator[T]] = None, iter(())
        self._dropped = 0
        self._model = model
        self._json = session.settings.json

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while (row := next(self._current[1], END)) is END:
            page = await self._pages.__anext__()
            self._current = page, iter(page)
        return row

    async def aclose(self) -> None:
        """End the iteration and cancel the request for the next page."""
        page, rows = self._current
        self._dropped += length_hint(rows)
        self._current = page, iter(())
        await self._pages.aclose()

    async def to_dicts(self, *, flatten: bool = False, explode: bool = False) -> list[dict[str, Any]]:
        """Return all rows as plain dicts with aware times.

        Args:
            flatten: Put each known key of `additional` in its own column.
            explode: Put each participant of a session in its own row.

        Raises:
            ValueError: There is nothing to flatten or explode, or the client has `json=True`; both are raised before
                anything is sent. Or an integer needs more than 64 bits, or a year is outside 1 to 9999.
            ScApiException: A page could not be read. Rows of other pages are not returned.
        """
        return await self._built(builders.dicts(), flatten, explode)

    async def to_polars(self, *, flatten: bool = False, explode: bool = False) -> pl.DataFrame:
        """Read all rows into a polars frame; needs the extra `polars`.

        Args:
            flatten: Put each known key of `additional` in its own column.
            explode: Put each participant of a session in its own row.

        Raises:
            ImportError: polars isn't installed; nothing was sent.
            ValueError: See `to_dicts`.
            ScApiException: See `to_dicts`.
        """
        return await self._built(builders.polars(), flatten, explode)

    async def to_pandas(self, *, flatten: bool = False, explode: bool = False) -> pd.DataFrame:
        """Read all rows into a pandas frame; needs the extra `pandas`.

        Args:
            flatten: Put each known key of `additional` in its own column.
            explode: Put each participant of a session in its own row.

        Raises:
            ImportError: pandas isn't installed; nothing was sent.
            ValueError: See `to_dicts`.
            ScApiException: See `to_dicts`.
        """
        return await self._built(builders.pandas(), flatten, explode)

    async def to_arrow(self, *, flatten: bool = False, explode: bool = False) -> pa.Table:
        """Read all rows into an Arrow table; needs the extra `arrow`.

        Args:
            flatten: Put each known key of `additional` in its own column.
            explode: Put each participant of a session in its own row.

        Raises:
            ImportError: pyarrow isn't installed; nothing was sent.
            ValueError: See `to_dicts`.
            ScApiException: See `to_dicts`.
        """
        return await self._built(builders.arrow(), flatten, explode)

    async def _built(self, library: Library[F], flatten: bool, explode: bool) -> F:
        builders.refuse_json(self._json)
        builder = builders.Builder(library, self._model, flatten=flatten, explode=explode, keyed=False)
        async with aclosing(self):
            builder.add(list(self._current[1]))
            async for page in self._pages:
                self._current = page, iter(())
                builder.add(page)
        return builder.finish()


class SaleRows(Rows[AuctionPrice]):
    """An iterator over all sales of an item, newest first, that can be stopped and resumed."""

    __module__ = aio.PUBLIC

    def __init__(self, session: Session, paginator: SalesPaginator) -> None:
        super().__init__(session, paginator, AuctionPrice)
        self._paginator = paginator

    @property
    def state(self) -> SalesWalkState:
        """The state to resume from. It covers exactly the sales that were returned so far.

        Save it after you have processed a sale. A walk that is resumed from it fetches only the rest.
        """
        page, rows = self._current
        return self._paginator.state(page, self._dropped + length_hint(rows))


async def read_all(session: Session, paginator: Paginator[T]) -> list[T]:
    """Return all rows of a list."""
    rows: list[T] = []
    while not paginator.done:
        rows += paginator.feed(await session.call(paginator.request, fresh=True))
    return rows


def server_time(session: Session) -> datetime:
    """Return an upper bound of the server's time, at most a minute late: the next reset of the rate limit."""
    return session.ratelimit.reset or session.clock.utc()


async def _pages(session: Session, paginator: Paginator[T]) -> AsyncGenerator[Listing[T]]:
    """Yield the pages of a list. The next page is requested as soon as it is known to exist."""

    async def fetch(request: Request[Listing[T]]) -> Listing[T]:
        return await session.call(request, fresh=True)

    hold = threading.Lock()
    with hold:
        async with Prefetch(fetch, hold) as prefetch:
            while not paginator.done:
                listing = paginator.feed(await prefetch.get(paginator.request))
                if not paginator.done:
                    prefetch.start(paginator.request)
                yield listing


class Prefetch(Generic[A, R]):
    """Starts a call before its result is needed, one call at a time. Leaving the context cancels it.

    Args:
        call: The function to call.
        hold: Locked while results are needed, see `scapi._primitives.held_objects`.
    """

    def __init__(self, call: aio.Call[A, R], hold: threading.Lock) -> None:
        self._call = call
        self._workers: aio.Workers[A, R] = aio.Workers(1, hold)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._workers.end()

    def start(self, argument: A) -> None:
        """Start the call whose result `get` returns next."""
        self._workers.start(self._call, argument)

    async def get(self, argument: A) -> R:
        """Return the result of the started call. If there is none, make the call now."""
        return await (self._workers.result() if self._workers else self._call(argument))
