"""Lists read to their end, the next page on its way while one is used."""

from __future__ import annotations

import threading
from contextlib import aclosing
from datetime import UTC, datetime
from operator import length_hint
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from scapi._primitives import aio
from scapi._views import builders
from scapi.models import AuctionPrice

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

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
    """All rows of a list: an iterator over them, and a way to a frame that leaves the models out.

    `to_polars()` and its like read what is left of the list, page by page, into the columns of one frame. In memory
    meanwhile are the frame so far and a page, never all rows as models. Columns and kinds are those of
    `scapi.frames`. Nothing is sent before the first row, or a frame, is asked for.
    """

    __module__ = aio.PUBLIC

    def __init__(self, session: Session, paginator: Paginator[T], model: type[T]) -> None:
        self._pages = _pages(session, paginator)
        #: The last page that came, and its rows that were not handed out yet. One attribute, so that no interrupt can
        #: come between the two.
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
        """End the iteration, and the call that is under way for the next page."""
        page, rows = self._current
        self._dropped += length_hint(rows)
        self._current = page, iter(())
        await self._pages.aclose()

    async def to_dicts(self, *, flatten: bool = False, explode: bool = False) -> list[dict[str, Any]]:
        """Return all rows as plain dicts with aware times.

        Args:
            flatten: Give every known key of `additional` a column of its own.
            explode: Give every participant of a session a row of its own.

        Raises:
            ValueError: There is nothing to flatten or explode, or the client has `json=True`, both raised before
                anything is sent; or an integer needs more than 64 bits, or a time another year than 1 to 9999.
            ScApiException: A page could not be read. There is no frame of the others then.
        """
        return await self._built(builders.dicts(), flatten, explode)

    async def to_polars(self, *, flatten: bool = False, explode: bool = False) -> pl.DataFrame:
        """Read all rows into a polars frame; needs the extra `polars`.

        Args:
            flatten: Give every known key of `additional` a column of its own.
            explode: Give every participant of a session a row of its own.

        Raises:
            ImportError: polars isn't installed; nothing was sent.
            ValueError: As of `to_dicts`.
            ScApiException: As of `to_dicts`.
        """
        return await self._built(builders.polars(), flatten, explode)

    async def to_pandas(self, *, flatten: bool = False, explode: bool = False) -> pd.DataFrame:
        """Read all rows into a pandas frame; needs the extra `pandas`.

        Args:
            flatten: Give every known key of `additional` a column of its own.
            explode: Give every participant of a session a row of its own.

        Raises:
            ImportError: pandas isn't installed; nothing was sent.
            ValueError: As of `to_dicts`.
            ScApiException: As of `to_dicts`.
        """
        return await self._built(builders.pandas(), flatten, explode)

    async def to_arrow(self, *, flatten: bool = False, explode: bool = False) -> pa.Table:
        """Read all rows into an Arrow table; needs the extra `arrow`.

        Args:
            flatten: Give every known key of `additional` a column of its own.
            explode: Give every participant of a session a row of its own.

        Raises:
            ImportError: pyarrow isn't installed; nothing was sent.
            ValueError: As of `to_dicts`.
            ScApiException: As of `to_dicts`.
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
    """All sales of an item, newest first, as an iterator that can be broken off and resumed."""

    __module__ = aio.PUBLIC

    def __init__(self, session: Session, paginator: SalesPaginator) -> None:
        super().__init__(session, paginator, AuctionPrice)
        self._paginator = paginator

    @property
    def state(self) -> SalesWalkState:
        """What to resume from: it covers exactly the sales that were handed out, at any time.

        Save it after you have dealt with a sale. A walk that is resumed with it asks for no more than the rest.
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
    """Return the time of the server, up to a minute too late: its points come back at this time at the latest."""
    return session.ratelimit.reset or datetime.now(UTC)


async def _pages(session: Session, paginator: Paginator[T]) -> AsyncGenerator[Listing[T]]:
    """Yield the pages of a list. The next one is asked for once it is known to be needed."""

    async def fetch(request: Request[Listing[T]]) -> Listing[T]:
        return await session.call(request, fresh=True)

    hold = threading.Lock()
    with hold:
        async with Ahead(fetch, hold) as ahead:
            while not paginator.done:
                listing = paginator.feed(await ahead.get(paginator.request))
                if not paginator.done:
                    ahead.start(paginator.request)
                yield listing


class Ahead(Generic[A, R]):
    """Makes a call before its result is asked for, one call at a time. Leaving the context ends the call under way.

    Args:
        call: What is called.
        hold: Held in a `with` for as long as results are wanted, see `scapi._primitives.holds`.
    """

    def __init__(self, call: aio.Call[A, R], hold: threading.Lock) -> None:
        self._call = call
        self._workers: aio.Workers[A, R] = aio.Workers(1, hold)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._workers.end()

    def start(self, argument: A) -> None:
        """Begin the call whose result is asked for next."""
        self._workers.start(self._call, argument)

    async def get(self, argument: A) -> R:
        """Return the result of the call that was begun, or of one that is made now."""
        return await (self._workers.result() if self._workers else self._call(argument))
