"""The endpoint of many items on the auction, in one or several regions."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Any, Literal

from scapi._api import requests
from scapi._api.model_or_json import JsonT_co, ModelOrJson, model_or_json
from scapi._async import bulk
from scapi._async.pages import read_all, server_time
from scapi._async.results import Results, SaleResults
from scapi._async.watch import Watcher
from scapi._lists import saved_states
from scapi._lists.bulk import Plan, Target, check_keys
from scapi._lists.lots import Cheapest, all_lots
from scapi._lists.paginator import Paginator
from scapi._lists.sales import SalesPaginator, SalesPaginators
from scapi._lists.watch_differs import LotsDiffer, SalesDiffer, event_filter
from scapi._primitives import aio
from scapi.models import (
    AuctionLot,
    AuctionPrice,
    BulkLotsWatchState,
    BulkSalesWatchState,
    BulkWalkState,
    Listing,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime, timedelta

    from scapi._async.session import Session
    from scapi._ratelimit.priorities import Priority
    from scapi.enums import OrderLike, Region, SortAuctionLike
    from scapi.models import LotEvent, SaleEvent, WatchError


class AuctionsEndpoint(ModelOrJson[JsonT_co]):
    """Many items on the auction, in one or several regions.

    Results come as they arrive, in no particular order. Only the calls in progress are held in memory.

    Source: https://eapi.stalzone.com/reference
    """

    __module__ = aio.PUBLIC

    def __init__(self, session: Session, item_ids: Iterable[str], regions: tuple[Region, ...] | None) -> None:
        self._session = session
        self._item_ids = check_keys("item_ids", item_ids)
        self._given_regions = regions

    @model_or_json
    def lots(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        sort: SortAuctionLike | None = None,
        order: OrderLike | None = None,
        additional: bool | None = None,
        concurrency: int = 8,
        on_error: Literal["raise", "yield"] = "raise",
        progress: Callable[[int, int | None], object] | None = None,
        priority: Priority | None = None,
    ) -> Results[Listing[AuctionLot]]:
        """Get one page of the lots of each item. Each given id has one result per region, repeated ids too.

        Args:
            limit: How many lots of each item, 0 to 200; `Config.LIMIT` (20) by default.
            offset: How many lots of each item to skip; `Config.OFFSET` (0) by default.
            sort: What to sort by; `Config.SORT_AUCTION` (time created) by default.
            order: The direction; `Config.ORDER_AUCTION` (ascending) by default.
            additional: Whether to include details of the piece (quality, level); `Config.ADDITIONAL` by default.
            concurrency: Number of concurrent calls, 1 to 64.
            on_error: `"raise"` stops the rest and raises the first error, with its key noted; `"yield"` returns each
                error as the `error` of its result.
            progress: Called after each item with the number of items done and the total, which is `None` if the ids
                have no length. An item counts once per region.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Raises:
            ValueError: An argument is out of its range; raised at once, before anything is sent.
            ScApiException: Any failure, with `on_error="raise"`.
        """
        options: dict[str, Any] = {"limit": limit, "offset": offset, "sort": sort, "order": order}
        options["additional"] = additional
        requests.lots(self._regions[0], "any", **options)
        plan = self._plan(concurrency, on_error, progress)
        session = self._session.with_priority(priority)
        return bulk.request_each(session, plan, lambda target: requests.lots(*target, **options), AuctionLot)

    @model_or_json
    def iter_lots(
        self,
        *,
        limit: int | None = None,
        sort: SortAuctionLike | None = None,
        order: OrderLike | None = None,
        additional: bool | None = None,
        concurrency: int = 8,
        on_error: Literal["raise", "yield"] = "raise",
        progress: Callable[[int, int | None], object] | None = None,
        priority: Priority | None = None,
    ) -> Results[Listing[AuctionLot]]:
        """Get all lots of many items, page by page as pages arrive.

        The pages of one item come in order and contain the same lots as `AuctionEndpoint.iter_lots`. Pages of different
        items are interleaved. On the last page of an item `has_more` is false. An item without lots has one empty page.

        Args:
            limit: The maximum number of lots of each item, 0 or more; all of them by default.
            sort: What to sort by; `Config.SORT_AUCTION` (time created, the most stable order) by default.
            order: The direction; `Config.ORDER_AUCTION` (ascending) by default.
            additional: Whether to include details of the piece (quality, level); `Config.ADDITIONAL` by default.
            concurrency: Number of items that are read at once, 1 to 64.
            on_error: `"raise"` stops the rest and raises the first error, with its key noted; `"yield"` returns each
                error as the `error` of a result, which is the last one of its item.
            progress: Called after each item with the number of items done and the total, which is `None` if the ids
                have no length. An item counts once per region.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Raises:
            ValueError: An argument is out of its range; raised at once, before anything is sent.
            ScApiException: Any failure, with `on_error="raise"`.
        """

        def begin(target: Target) -> Paginator[AuctionLot]:
            most = requests.MAX_LIMIT
            first = requests.lots(*target, limit=most, offset=0, sort=sort, order=order, additional=additional)
            return Paginator(first, limit=limit)

        begin(Target(self._regions[0], "any"))
        plan = self._plan(concurrency, on_error, progress)
        session = self._session.with_priority(priority)
        return Results(session, plan, bulk.pages_of(bulk.walk_each(session, plan, begin)), AuctionLot)

    def cheapest(
        self: AuctionsEndpoint[Literal[False]],
        n: int = 1,
        *,
        where: Callable[[AuctionLot], object] | None = None,
        concurrency: int = 8,
        on_error: Literal["raise", "yield"] = "raise",
        progress: Callable[[int, int | None], object] | None = None,
        priority: Priority | None = None,
    ) -> Results[Listing[AuctionLot]]:
        """Find the cheapest lots of each item per piece, among all that can be bought immediately.

        All lots of each item are read. Lots without a buyout are left out, and so are lots that have ended or end
        within a minute. An item without such lots has an empty result.

        Args:
            n: How many lots of each item, 1 or more.
            where: A function that returns whether a lot matters; all lots matter by default.
            concurrency: Number of items that are read at once, 1 to 64.
            on_error: `"raise"` stops the rest and raises the first error, with its key noted; `"yield"` returns each
                error as the `error` of its result.
            progress: Called after each item with the number of items done and the total, which is `None` if the ids
                have no length. An item counts once per region.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Raises:
            TypeError: `where` isn't callable.
            ValueError: An argument is out of its range, or the client has `json=True`; raised at once, before anything
                is sent.
            ScApiException: Any failure, with `on_error="raise"`.
        """
        if self._session.settings.json:
            raise ValueError("json=True gives plain objects, and prices are compared in models: use another client")
        cheapest, session = Cheapest(n, where), self._session.with_priority(priority)

        async def find(target: Target) -> Listing[AuctionLot]:
            lots = await read_all(session, all_lots(target.region, target.key))
            return cheapest.pick(lots, server_time(session))

        return bulk.call_each(session, self._plan(concurrency, on_error, progress), find, AuctionLot)

    def watch_lots(
        self: AuctionsEndpoint[Literal[False]],
        *,
        where: Callable[[AuctionLot], object] | None = None,
        interval: float = 60.0,
        on_failure: Callable[[WatchError], object] | None = None,
        state: BulkLotsWatchState | None = None,
        priority: Priority | None = None,
    ) -> Watcher[LotEvent, BulkLotsWatchState]:
        """Watch the lots of many items appear and disappear, from now on, with the details of each piece.

        Each check reads all lots of an item. Lots of its first check are not reported. Checks are spread over the
        interval; if they would cost more than nine tenths of the points, the interval becomes longer. An item that the
        server refuses is reported once, as a `permanent` error; the others continue.

        Args:
            where: A function that returns whether a lot matters; all lots matter by default.
            interval: Seconds between checks of an item, above 0. The server's own data is minutes late.
            on_failure: A function that gets each failure; by default each failure is an event.
            state: The saved `state` of an earlier watcher, to continue from there. Items that are missing from it start
                afresh, and other items in it are ignored.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Returns:
            An iterator that ends when it or the client is closed, or when the server refuses all items.

        Raises:
            TypeError: A function isn't callable, or `state` belongs to another kind of watcher.
            ValueError: An argument is out of its range, or the client has `json=True`.
        """
        known = saved_states.checked("state", state, BulkLotsWatchState) or BulkLotsWatchState()
        by_target = {Target(item.region, item.item_id): item for item in known.items}
        differs = [LotsDiffer(*target, by_target.get(target)) for target in self._watched]
        return Watcher(
            self._session.with_priority(priority),
            differs,
            lambda: BulkLotsWatchState(items=[differ.state for differ in differs]),
            interval=interval,
            where=None if where is None else event_filter(where, "lot"),
            on_failure=on_failure,
        )

    @model_or_json
    def price_history(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        additional: bool | None = None,
        concurrency: int = 8,
        on_error: Literal["raise", "yield"] = "raise",
        progress: Callable[[int, int | None], object] | None = None,
        priority: Priority | None = None,
    ) -> Results[Listing[AuctionPrice]]:
        """Get one page of the sales of each item, newest first.

        Each given id has one result per region, repeated ids too.

        Args:
            limit: How many sales of each item, 0 to 200; `Config.LIMIT` (20) by default.
            offset: How many sales of each item to skip; `Config.OFFSET` (0) by default.
            additional: Whether to include details of the piece (quality, level); `Config.ADDITIONAL` by default.
            concurrency: Number of concurrent calls, 1 to 64.
            on_error: `"raise"` stops the rest and raises the first error, with its key noted; `"yield"` returns each
                error as the `error` of its result.
            progress: Called after each item with the number of items done and the total, which is `None` if the ids
                have no length. An item counts once per region.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Raises:
            ValueError: An argument is out of its range; raised at once, before anything is sent.
            ScApiException: Any failure, with `on_error="raise"`.
        """
        options: dict[str, Any] = {"limit": limit, "offset": offset, "additional": additional}
        requests.price_history(self._regions[0], "any", **options)
        plan = self._plan(concurrency, on_error, progress)
        session = self._session.with_priority(priority)
        return bulk.request_each(session, plan, lambda target: requests.price_history(*target, **options), AuctionPrice)

    @model_or_json
    def iter_price_history(
        self,
        since: Mapping[str, datetime | timedelta | str | None] | datetime | timedelta | str | None = None,
        until: datetime | timedelta | str | None = None,
        *,
        limit: int | None = None,
        additional: bool | None = None,
        resume: BulkWalkState | None = None,
        concurrency: int = 8,
        on_error: Literal["raise", "yield"] = "raise",
        progress: Callable[[int, int | None], object] | None = None,
        priority: Priority | None = None,
    ) -> SaleResults:
        """Get the whole price histories of many items, page by page as pages arrive.

        The pages of one item come in order, newest sales first, and contain each sale exactly once, like
        `AuctionEndpoint.iter_price_history`. Pages of different items are interleaved. On the last page of an item
        `has_more` is false. An item without new sales has one empty page.

        Args:
            since: Only sales strictly newer than this: a `datetime` (naive means UTC), an ISO 8601 string, or an age as
                a `timedelta` or as text such as `"7d"` or `"36h"`. Give one value for all items, or a mapping by id;
                items that are missing from it, or `None` in it, are read whole.
            until: Only sales up to and including this time, for all items.
            limit: The maximum number of sales of each item, 0 or more; all of them by default.
            additional: Whether to include details of the piece (quality, level); `Config.ADDITIONAL` by default.
            resume: The saved `state` of an earlier call, to continue from there. For the items in it `since`, `until`
                and `limit` are ignored; the saved ones apply.
            concurrency: Number of items that are read at once, 1 to 64.
            on_error: `"raise"` stops the rest and raises the first error, with its key noted; `"yield"` returns each
                error as the `error` of a result, which is the last one of its item.
            progress: Called after each item with the number of items done and the total, which is `None` if the ids
                have no length. An item counts once per region.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Returns:
            An iterator over the pages, with its `state`.

        Raises:
            TypeError: `resume` has the wrong type.
            ValueError: An argument is out of its range, or `resume` was saved with another `additional`; raised at
                once, before anything is sent.
            ScApiException: Any failure, with `on_error="raise"`.
        """
        walks = SalesPaginators(
            since=since, until=until, limit=limit, additional=additional, resume=resume, now=self._session.clock.utc()
        )
        walks.begin(Target(self._regions[0], "any"))
        plan = self._plan(concurrency, on_error, progress)
        session = self._session.with_priority(priority)
        steps = bulk.walk_each(session, plan, walks.begin, SalesPaginator.state)
        return SaleResults(session, plan, steps, walks.resumed)

    def watch_sales(
        self: AuctionsEndpoint[Literal[False]],
        since: datetime | timedelta | str | None = None,
        *,
        where: Callable[[AuctionPrice], object] | None = None,
        interval: float = 60.0,
        on_failure: Callable[[WatchError], object] | None = None,
        state: BulkSalesWatchState | None = None,
        priority: Priority | None = None,
    ) -> Watcher[SaleEvent, BulkSalesWatchState]:
        """Watch the new sales of many items, each once, with the details of each piece.

        The sales of one check of an item come oldest first. A sale that appears late is reported too, if it is at most
        30 minutes older than the newest known one. Checks are spread over the interval; if they would cost more than
        nine tenths of the points, the interval becomes longer. An item that the server refuses is reported once, as a
        `permanent` error; the others continue.

        Args:
            since: Also report existing sales that are strictly newer than this: a `datetime` (naive means UTC), an ISO
                8601 string, or an age as a `timedelta` or as text such as `"2h"`. By default only sales that appear
                from now on.
            where: A function that returns whether a sale matters; all sales matter by default.
            interval: Seconds between checks of an item, above 0. The server's own data is minutes late.
            on_failure: A function that gets each failure; by default each failure is an event.
            state: The saved `state` of an earlier watcher, to continue from there. Items that are missing from it start
                with `since`, and other items in it are ignored.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Returns:
            An iterator that ends when it or the client is closed, or when the server refuses all items.

        Raises:
            TypeError: A function isn't callable, or `state` belongs to another kind of watcher.
            ValueError: An argument is out of its range, or the client has `json=True`.
        """
        now = self._session.clock.utc()
        known = saved_states.checked("state", state, BulkSalesWatchState) or BulkSalesWatchState()
        by_target = {Target(item.region, item.item_id): item for item in known.items}
        differs = [SalesDiffer(*target, since, by_target.get(target), now) for target in self._watched]
        return Watcher(
            self._session.with_priority(priority),
            differs,
            lambda: BulkSalesWatchState(items=[differ.state for differ in differs]),
            interval=interval,
            where=None if where is None else event_filter(where, "sale"),
            on_failure=on_failure,
        )

    @property
    def _regions(self) -> tuple[str, ...]:
        """The regions that a call made now uses."""
        regions = self._given_regions or (self._session.settings.region_for(),)
        return tuple(map(str, regions))

    @property
    def _watched(self) -> list[Target]:
        """The targets of a watcher created now: each item once per region."""
        return list(dict.fromkeys(Target(region, key) for key in self._item_ids for region in self._regions))

    def _plan(
        self,
        concurrency: int,
        on_error: Literal["raise", "yield"],
        progress: Callable[[int, int | None], object] | None,
    ) -> Plan:
        return Plan(
            self._item_ids,
            self._regions,
            requests.item_part,
            concurrency=concurrency,
            on_error=on_error,
            progress=progress,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({reprlib.repr(self._item_ids)}, region={', '.join(self._regions)})"
