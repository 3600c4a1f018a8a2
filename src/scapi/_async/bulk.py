"""Many keys in one call: results as they arrive, no more of them under way than asked for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Generic, Literal, Self, TypeVar

from scapi._api import requests
from scapi._async.results import Results
from scapi._base import validation
from scapi._lists import bulk
from scapi._lists.paginator import Walk
from scapi._primitives import aio
from scapi.models import AuctionLot, AuctionPrice, BulkResult, Listing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable
    from datetime import datetime

    from scapi._api.requests import Request
    from scapi._async.session import Session
    from scapi._lists.bulk import Plan
    from scapi.enums import Order, Region, SortAuction


A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")


class AuctionsEndpoint:
    """Many items on the auction of a region.

    Results come as they arrive, in no particular order. No more of them is held than what is under way.

    Source: https://eapi.stalzone.com/reference
    """

    def __init__(self, session: Session, item_ids: Iterable[str], region: Region | str | None) -> None:
        self._session = session
        self._item_ids = bulk.check_keys("item_ids", item_ids)
        self._region = region

    def lots(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        sort: SortAuction | str | None = None,
        order: Order | str | None = None,
        additional: bool | None = None,
        concurrency: int = 8,
        on_error: Literal["raise", "yield"] = "raise",
        progress: Callable[[int, int | None], object] | None = None,
    ) -> Results[Listing[AuctionLot]]:
        """One page of the lots of each item. Each id is answered exactly once, and as often as it was given.

        Args:
            limit: How many lots of each item, 0 to 200; `Config.LIMIT` (20) by default.
            offset: How many lots of each item to skip; `Config.OFFSET` (0) by default.
            sort: What to sort by; `Config.SORT_AUCTION` (time created) by default.
            order: In which direction; `Config.ORDER_AUCTION` (ascending) by default.
            additional: Whether to tell what is known of the piece (quality, level); `Config.ADDITIONAL` by default.
            concurrency: How many calls are under way at once, 1 to 64.
            on_error: `"raise"` ends the rest and raises the first error, with its key noted; `"yield"` hands each
                error over as the `error` of its result.
            progress: Called after each item with how many are done, and how many there are, `None` where the ids have
                no length.

        Raises:
            ValueError: An argument is out of its range; raised at once, before anything is sent.
            ScApiException: Any failure, with `on_error="raise"`.
        """
        build = partial(
            requests.lots, self._where, limit=limit, offset=offset, sort=sort, order=order, additional=additional
        )
        build("any")
        return answers(self._session, self._plan(concurrency, on_error, progress), build, AuctionLot)

    def price_history(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        additional: bool | None = None,
        concurrency: int = 8,
        on_error: Literal["raise", "yield"] = "raise",
        progress: Callable[[int, int | None], object] | None = None,
    ) -> Results[Listing[AuctionPrice]]:
        """One page of the sales of each item, newest first. Each id is answered exactly once, as often as it was given.

        Args:
            limit: How many sales of each item, 0 to 200; `Config.LIMIT` (20) by default.
            offset: How many sales of each item to skip; `Config.OFFSET` (0) by default.
            additional: Whether to tell what is known of the piece (quality, level); `Config.ADDITIONAL` by default.
            concurrency: How many calls are under way at once, 1 to 64.
            on_error: `"raise"` ends the rest and raises the first error, with its key noted; `"yield"` hands each
                error over as the `error` of its result.
            progress: Called after each item with how many are done, and how many there are, `None` where the ids have
                no length.

        Raises:
            ValueError: An argument is out of its range; raised at once, before anything is sent.
            ScApiException: Any failure, with `on_error="raise"`.
        """
        build = partial(requests.price_history, self._where, limit=limit, offset=offset, additional=additional)
        build("any")
        return answers(self._session, self._plan(concurrency, on_error, progress), build, AuctionPrice)

    def iter_price_history(
        self,
        since: Mapping[str, datetime | str | None] | datetime | str | None = None,
        *,
        limit: int | None = None,
        additional: bool | None = None,
        concurrency: int = 8,
        on_error: Literal["raise", "yield"] = "raise",
        progress: Callable[[int, int | None], object] | None = None,
    ) -> Results[Listing[AuctionPrice]]:
        """The whole histories of many items, page by page as pages arrive.

        The pages of one item come in order, newest sales first, and hold each sale exactly once, as those of
        `AuctionEndpoint.iter_price_history` do; the pages of different items come between each other. The last page of
        an item has a `has_more` that is false. An item without new sales has one page, which is empty.

        Args:
            since: Only sales strictly newer than this: a time for all items, or a time for each by its id, where an
                item that has none, or `None`, is read whole. A naive `datetime` means UTC.
            limit: How many sales of each item in all, 0 or more; all of them by default.
            additional: Whether to tell what is known of the piece (quality, level); `Config.ADDITIONAL` by default.
            concurrency: How many items are read at once, 1 to 64.
            on_error: `"raise"` ends the rest and raises the first error, with its key noted; `"yield"` hands each
                error over as the `error` of a result, which is the last one of its item.
            progress: Called after each item with how many are done, and how many there are, `None` where the ids have
                no length.

        Raises:
            ValueError: An argument is out of its range; raised at once, before anything is sent.
            ScApiException: Any failure, with `on_error="raise"`.
        """
        times: Mapping[str, datetime | str | None] = since if isinstance(since, Mapping) else {}
        usual = None if isinstance(since, Mapping) else since
        for key, time in times.items():
            if time is not None:
                validation.moment(f"since[{key!r}]", time)
        build = partial(requests.price_history, self._where, limit=requests.MAX_LIMIT, offset=0, additional=additional)

        def begin(key: str) -> Walk[AuctionPrice]:
            return Walk(build(key), limit=limit, since=times.get(key, usual))

        begin("any")
        plan = self._plan(concurrency, on_error, progress)
        return Results(self._session, plan, _histories(self._session, plan, begin), AuctionPrice)

    @property
    def _where(self) -> Region | str:
        return self._session.settings.region_for(self._region)

    def _plan(
        self,
        concurrency: int,
        on_error: Literal["raise", "yield"],
        progress: Callable[[int, int | None], object] | None,
    ) -> Plan:
        return bulk.Plan(self._item_ids, requests.item_part, concurrency, on_error, progress)


def answers(session: Session, plan: Plan, build: Callable[[str], Request[T]], model: type) -> Results[T]:
    """The answer to one request for each key; `model` is what its rows are, or it itself."""
    return Results(session, plan, _answers(session, plan, build), model)


async def _answers(session: Session, plan: Plan, build: Callable[[str], Request[T]]) -> AsyncGenerator[BulkResult[T]]:

    async def answer(key: str) -> BulkResult[T]:
        try:
            value = await session.call(build(key))
            return BulkResult(key=key, value=value)
        except bulk.FAILURES as error:
            return plan.failed(key, error)

    hold = threading.Lock()
    with hold:
        async with FanOut(answer, plan.keys, plan.concurrency, hold) as results:
            async for result in results:
                plan.tell()
                yield result


async def _histories(
    session: Session, plan: Plan, begin: Callable[[str], Walk[T]]
) -> AsyncGenerator[BulkResult[Listing[T]]]:
    """The pages of one walk for each key."""
    steps: _Steps[T] = _Steps(plan.keys)

    async def step(at: tuple[str, Walk[T] | None]) -> BulkResult[Listing[T]]:
        key, walk = at
        try:
            walk = walk or begin(key)
            page = Listing[T](total=0, limit=0) if walk.done else walk.take(await session.call(walk.request))
        except bulk.FAILURES as error:
            return plan.failed(key, error)
        if page.has_more:
            steps.begun.append((key, walk))
        return BulkResult(key=key, value=page)

    hold = threading.Lock()
    with hold:
        async with FanOut(step, steps, plan.concurrency, hold) as results:
            async for result in results:
                if result.value is None or not result.value.has_more:
                    plan.tell()
                yield result


class _Steps(Generic[T]):
    """What can be done now: the next pages of the walks that have one, and only then the keys without a walk."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = iter(keys)
        self.begun: deque[tuple[str, Walk[T] | None]] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[str, Walk[T] | None]:
        return self.begun.popleft() if self.begun else (next(self._keys), None)


class FanOut(Generic[A, R]):
    """The results of many calls, as they complete. Leaving the context ends the calls under way.

    No generator, which a loop that ends, or the collector, would close at the same time as the one that iterates.

    Args:
        function: What is called with each item.
        items: Taken one by one, each when a call completes; asked again even after there was nothing left, as long as
            calls are under way. Its error is raised after the result that is there already.
        limit: How many calls may be under way at once, 1 or more.
        hold: Held in a `with` for as long as results are wanted, see `scapi._primitives.holds`.
    """

    def __init__(self, function: aio.Call[A, R], items: Iterable[A], limit: int, hold: threading.Lock) -> None:
        self._function = function
        self._source = iter(items)
        self._limit = limit
        self._workers: aio.Workers[A, R] = aio.Workers(limit, hold)
        self._error: Exception | None = None
        self._begin()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._workers.end()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        if self._error:
            raise self._error
        if not self._workers:
            raise StopAsyncIteration
        result = await self._workers.result()
        self._begin()
        return result

    def _begin(self) -> None:
        try:
            for item in islice(self._source, self._limit - len(self._workers)):
                self._workers.start(self._function, item)
        except Exception as error:  # noqa: BLE001  # it is the source's, and raised when its turn comes
            self._error = error
