"""The endpoint of one item on the auction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from scapi._api import requests
from scapi._api.model_or_json import JsonT_co, ModelOrJson, model_or_json
from scapi._async.pages import Rows, SaleRows, read_all, server_time
from scapi._async.watch import Watcher
from scapi._lists.lots import Cheapest, all_lots
from scapi._lists.paginator import Paginator
from scapi._lists.sales import SalesPaginator
from scapi._lists.watch_differs import LotsDiffer, SalesDiffer, event_filter
from scapi._primitives import aio
from scapi.models import AuctionLot, AuctionPrice

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from scapi._async.session import Session
    from scapi._ratelimit.priorities import Priority
    from scapi.enums import OrderLike, RegionLike, SortAuctionLike
    from scapi.models import (
        Listing,
        LotEvent,
        LotsWatchState,
        SaleEvent,
        SalesWalkState,
        SalesWatchState,
        WatchError,
    )


class AuctionEndpoint(ModelOrJson[JsonT_co]):
    """One item on the auction of a region.

    Source: https://eapi.stalzone.com/reference
    """

    __module__ = aio.PUBLIC

    def __init__(self, session: Session, item_id: str, region: RegionLike | None) -> None:
        requests.item_part(item_id)
        self.item_id = item_id
        self._session = session
        self._region = region

    @model_or_json
    async def lots(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        sort: SortAuctionLike | None = None,
        order: OrderLike | None = None,
        additional: bool | None = None,
        region: RegionLike | None = None,
    ) -> Listing[AuctionLot]:
        """Get one page of the lots on offer.

        Lots are minutes late, and some are still listed after they ended: check `end_time` if it matters.

        Args:
            limit: How many lots, 0 to 200; `Config.LIMIT` (20) by default.
            offset: How many lots to skip; `Config.OFFSET` (0) by default.
            sort: What to sort by; `Config.SORT_AUCTION` (time created) by default.
            order: The direction; `Config.ORDER_AUCTION` (ascending) by default.
            additional: Whether to include details of the piece (quality, level); `Config.ADDITIONAL` by default.
            region: The region; that of the endpoint, the client or `Config` by default.

        Returns:
            The lots, with their total number as `total`.

        Raises:
            ValueError: An argument is out of its range; nothing was sent.
            BadRequestError: The server doesn't know the item.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        return await self._session.call(
            requests.lots(
                self._session.settings.region_for(region, self._region),
                self.item_id,
                limit=limit,
                offset=offset,
                sort=sort,
                order=order,
                additional=additional,
            )
        )

    @model_or_json
    def iter_lots(
        self,
        *,
        limit: int | None = None,
        sort: SortAuctionLike | None = None,
        order: OrderLike | None = None,
        additional: bool | None = None,
        region: RegionLike | None = None,
        priority: Priority | None = None,
    ) -> Rows[AuctionLot]:
        """Get all lots on offer, page by page. The next page is fetched while one is used.

        A lot that is on offer from the first page to the last comes exactly once, however many others come and go.
        There are two exceptions, in which it may come twice or not at all: sorted by current price, because bids change
        it; and sorted by a price that more lots share than fit on a page.

        Args:
            limit: The maximum number of lots, 0 or more; all of them by default.
            sort: What to sort by; `Config.SORT_AUCTION` (time created, the most stable order) by default.
            order: The direction; `Config.ORDER_AUCTION` (ascending) by default.
            additional: Whether to include details of the piece (quality, level); `Config.ADDITIONAL` by default.
            region: The region; that of the endpoint, the client or `Config` by default.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Raises:
            ValueError: An argument is out of its range; raised at once, before anything is sent.
            BadRequestError: The server doesn't know the item.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        place = self._session.settings.region_for(region, self._region), self.item_id
        most = requests.MAX_LIMIT
        first = requests.lots(*place, limit=most, offset=0, sort=sort, order=order, additional=additional)
        return Rows(self._session.with_priority(priority), Paginator(first, limit=limit), AuctionLot)

    async def cheapest(
        self: AuctionEndpoint[Literal[False]],
        n: int = 1,
        *,
        where: Callable[[AuctionLot], object] | None = None,
        region: RegionLike | None = None,
        priority: Priority | None = None,
    ) -> Listing[AuctionLot]:
        """Find the cheapest lots per piece, among all that can be bought immediately.

        All lots of the item are read. Lots without a buyout are left out, and so are lots that have ended or end
        within a minute.

        Args:
            n: How many lots, 1 or more.
            where: A function that returns whether a lot matters; all lots matter by default.
            region: The region; that of the endpoint, the client or `Config` by default.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Returns:
            The lots, cheapest first, with `additional`. `total` is the number of lots to choose from. If there is none,
            the listing is empty.

        Raises:
            TypeError: `where` isn't callable.
            ValueError: An argument is out of its range, or the client has `json=True`; nothing was sent.
            BadRequestError: The server doesn't know the item.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        if self._session.settings.json:
            raise ValueError("json=True gives plain objects, and prices are compared in models: use another client")
        cheapest, session = Cheapest(n, where), self._session.with_priority(priority)
        where_to = self._session.settings.region_for(region, self._region)
        lots = await read_all(session, all_lots(where_to, self.item_id))
        return cheapest.pick(lots, server_time(session))

    def watch_lots(
        self: AuctionEndpoint[Literal[False]],
        *,
        where: Callable[[AuctionLot], object] | None = None,
        interval: float = 60.0,
        on_failure: Callable[[WatchError], object] | None = None,
        state: LotsWatchState | None = None,
        region: RegionLike | None = None,
        priority: Priority | None = None,
    ) -> Watcher[LotEvent, LotsWatchState]:
        """Watch lots appear and disappear, from now on, with the details of each piece.

        Each check reads all lots of the item. Lots of the first check are not reported. A bid doesn't make a lot a new
        one.

        Args:
            where: A function that returns whether a lot matters; all lots matter by default.
            interval: Seconds between checks, above 0. The server's own data is minutes late.
            on_failure: A function that gets each failure; by default each failure is an event.
            state: The saved `state` of an earlier watcher, to continue from there.
            region: The region; that of the endpoint, the client or `Config` by default.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Returns:
            An iterator that ends when it or the client is closed, or when the server refuses the item permanently. This
            is reported as a `permanent` error.

        Raises:
            TypeError: A function isn't callable, or `state` belongs to another kind of watcher.
            ValueError: An argument is out of its range, `state` belongs to another item or region, or the client has
                `json=True`.
        """
        differ = LotsDiffer(self._session.settings.region_for(region, self._region), self.item_id, state)
        return Watcher(
            self._session.with_priority(priority),
            [differ],
            lambda: differ.state,
            interval=interval,
            where=None if where is None else event_filter(where, "lot"),
            on_failure=on_failure,
        )

    @model_or_json
    async def price_history(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        additional: bool | None = None,
        region: RegionLike | None = None,
    ) -> Listing[AuctionPrice]:
        """Get one page of the completed sales, newest first.

        Args:
            limit: How many sales, 0 to 200; `Config.LIMIT` (20) by default.
            offset: How many sales to skip; `Config.OFFSET` (0) by default. New sales push the older ones down.
            additional: Whether to include details of the piece (quality, level); `Config.ADDITIONAL` by default.
            region: The region; that of the endpoint, the client or `Config` by default.

        Returns:
            The sales, with their total number as `total`.

        Raises:
            ValueError: An argument is out of its range; nothing was sent.
            BadRequestError: The server doesn't know the item.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        return await self._session.call(
            requests.price_history(
                self._session.settings.region_for(region, self._region),
                self.item_id,
                limit=limit,
                offset=offset,
                additional=additional,
            )
        )

    @model_or_json
    def iter_price_history(
        self,
        since: datetime | timedelta | str | None = None,
        until: datetime | timedelta | str | None = None,
        *,
        limit: int | None = None,
        additional: bool | None = None,
        resume: SalesWalkState | None = None,
        region: RegionLike | None = None,
        priority: Priority | None = None,
    ) -> SaleRows:
        """Get all completed sales, newest first, page by page. The next page is fetched while one is used.

        Every sale comes exactly once, even while new ones push the older ones down. Sales made after the first page was
        read may be missing; the next collection gets them. If nothing is new, there is one request.

        Args:
            since: Only sales strictly newer than this: a `datetime` (naive means UTC), an ISO 8601 string, or an age as
                a `timedelta` or as text such as `"7d"` or `"36h"`.
            until: Only sales up to and including this time. Pages of newer sales are skipped.
            limit: The maximum number of sales, 0 or more; all of them by default.
            additional: Whether to include details of the piece (quality, level); `Config.ADDITIONAL` by default.
            resume: The saved `state` of an earlier walk, to continue from there. `since`, `until` and `limit` are
                ignored then; those of that walk apply.
            region: The region; that of the endpoint, the client or `Config` by default.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Returns:
            An iterator over the sales, with its `state`.

        Raises:
            TypeError: `resume` has the wrong type.
            ValueError: An argument is out of its range, or `resume` belongs to another item, region or
                `additional`; raised at once, before anything is sent.
            BadRequestError: The server doesn't know the item.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        paginator = SalesPaginator(
            self._session.settings.region_for(region, self._region),
            self.item_id,
            since=since,
            until=until,
            limit=limit,
            additional=additional,
            resume=resume,
            now=self._session.clock.utc(),
        )
        return SaleRows(self._session.with_priority(priority), paginator)

    def watch_sales(
        self: AuctionEndpoint[Literal[False]],
        since: datetime | timedelta | str | None = None,
        *,
        where: Callable[[AuctionPrice], object] | None = None,
        interval: float = 60.0,
        on_failure: Callable[[WatchError], object] | None = None,
        state: SalesWatchState | None = None,
        region: RegionLike | None = None,
        priority: Priority | None = None,
    ) -> Watcher[SaleEvent, SalesWatchState]:
        """Watch new sales, with the details of each piece. Each comes once, the sales of one check oldest first.

        A sale that appears late is reported too, if it is at most 30 minutes older than the newest known one.

        Args:
            since: Also report existing sales that are strictly newer than this: a `datetime` (naive means UTC), an ISO
                8601 string, or an age as a `timedelta` or as text such as `"2h"`. By default only sales that appear
                from now on.
            where: A function that returns whether a sale matters; all sales matter by default.
            interval: Seconds between checks, above 0. The server's own data is minutes late.
            on_failure: A function that gets each failure; by default each failure is an event.
            state: The saved `state` of an earlier watcher, to continue from there; `since` is ignored then.
            region: The region; that of the endpoint, the client or `Config` by default.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Returns:
            An iterator that ends when it or the client is closed, or when the server refuses the item permanently. This
            is reported as a `permanent` error.

        Raises:
            TypeError: A function isn't callable, or `state` belongs to another kind of watcher.
            ValueError: An argument is out of its range, `state` belongs to another item or region, or the client has
                `json=True`.
        """
        where_to = self._session.settings.region_for(region, self._region)
        differ = SalesDiffer(where_to, self.item_id, since, state, self._session.clock.utc())
        return Watcher(
            self._session.with_priority(priority),
            [differ],
            lambda: differ.state,
            interval=interval,
            where=None if where is None else event_filter(where, "sale"),
            on_failure=on_failure,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.item_id!r})"
