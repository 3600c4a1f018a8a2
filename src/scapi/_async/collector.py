"""The collector: everything that is sold and offered, into a store, for as long as it runs."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scapi._api import requests
from scapi._async.collecting import Hooks, Run
from scapi._base import validation
from scapi._collect import times
from scapi._collect.agenda import Wanted
from scapi._lists.bulk import MAX_CONCURRENCY, check_keys
from scapi._primitives import aio
from scapi._store.rows import Place
from scapi.enums import Region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta

    from scapi._async.clients import AppClient, UserClient
    from scapi._async.store import Store
    from scapi._collect.records import Collected, CollectedLot, CollectedSale, Progress
    from scapi._collect.times import Length


class Collector:
    """Collects sales and lots into a store: every sale exactly once, whatever happens in between.

    It may be killed at any moment and goes on where it was, since rows and what they complete are one transaction. It
    fits what was asked for into the points that there are: fresh sales come before lots, and lots before the past.
    Several collectors may share a store: each item of a region has one of them at a time, by a lease.

    Args:
        client: Asks the API. It isn't closed.
        store: Takes what it answers. It isn't closed.
        items: The ids of the items.
        regions: The regions; that of the client by default.
        sales: Time between two looks at the sales of an item: seconds, a `timedelta`, or such as `"5m"`; `None` for
            no sales. Busy items are looked at up to four times as often, where points are left.
        lots: The same of its lots; none by default.
        since: Down to when the past is collected: a time, such as `"30d"`, or `"all"`. By default only what is sold
            from now on, and what is missing between two runs.
        concurrency: How many calls are under way at once, 1 to 64.
        lease: Seconds until another collector may take over what this one leaves without a word, above 0.
        progress: Called with a `Progress` twice a second at most.
        on_sale: Called with a `CollectedSale` for each sale that turns up at an item that was known before, after it
            was stored. Sales of the past aren't told. A sale isn't told twice, and not at all if the collector is
            killed between the two.
        on_lot: The same with a `CollectedLot`, for lots that turn up or go.
        clock: Tells the seconds since 1970.

    Raises:
        TypeError: A function can't be called, or `items` is one string.
        ValueError: An argument is out of its range, or the client has `json=True`.
    """

    __module__ = aio.PUBLIC

    def __init__(
        self,
        client: AppClient | UserClient,
        store: Store,
        items: Iterable[str],
        *,
        regions: Iterable[Region | str] | None = None,
        sales: Length | None = 300.0,
        lots: Length | None = None,
        since: datetime | timedelta | str | None = None,
        concurrency: int = 8,
        lease: float = 30.0,
        progress: Callable[[Progress], object] | None = None,
        on_sale: Callable[[CollectedSale], object] | None = None,
        on_lot: Callable[[CollectedLot], object] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._session = client._session  # pyright: ignore[reportPrivateUsage]  # it paces the calls of a client of ours
        if self._session.settings.json:
            raise ValueError("json=True gives plain objects, and a collector stores models: use another client for it")
        self._store = store
        where = [self._session.settings.region_for(None)] if regions is None else check_keys("regions", regions)
        names = [str(validation.choice("regions", region, Region)) for region in where]
        ids = list(check_keys("items", items))
        for item in ids:
            requests.item_part(item)
        self._places = [Place(region, item) for item in dict.fromkeys(ids) for region in dict.fromkeys(names)]
        if not self._places:
            raise ValueError("items and regions must name one each at least")
        self._wanted = Wanted(
            sales=None if sales is None else times.length("sales", sales),
            lots=None if lots is None else times.length("lots", lots),
            since=None if since is None else times.moment("since", since, datetime.fromtimestamp(clock(), UTC)),
        )
        if sales is None and lots is None:
            raise ValueError("sales and lots must not both be None: there would be nothing to collect")
        self._concurrency = validation.integer("concurrency", concurrency, 1, MAX_CONCURRENCY)
        self._lease = validation.positive("lease", lease)
        self._hooks = Hooks(
            None if progress is None else aio.callback("progress", progress),
            None if on_sale is None else aio.callback("on_sale", on_sale),
            None if on_lot is None else aio.callback("on_lot", on_lot),
        )
        self._clock = clock
        self._runs: list[Run] = []

    async def run(self) -> Collected:
        """Collect until `stop` is called, or the client is closed.

        A cancelled task or an interrupt ends it at once too. Failures of single items don't: they are in `Progress`,
        and in the store.

        Returns:
            What it did.

        Raises:
            StoreError: The database failed.
            UnauthorizedError: The credentials are no good.
            ScApiException: No call at all can succeed, for any other reason.
        """
        return await self._collect(once=False)

    async def once(self) -> Collected:
        """Look at everything once, and collect the whole past down to `since`.

        Returns:
            What it did; `failing` has the items that it had to leave.

        Raises:
            StoreError: The database failed.
            UnauthorizedError: The credentials are no good.
            ScApiException: No call at all can succeed, for any other reason.
        """
        return await self._collect(once=True)

    def stop(self) -> None:
        """End what runs after the pages that are under way; from any task or thread."""
        for run in list(self._runs):
            run.stop()

    async def _collect(self, *, once: bool) -> Collected:
        run = Run(
            self._session,
            self._store,
            self._places,
            self._wanted,
            self._hooks,
            once=once,
            concurrency=self._concurrency,
            lease=self._lease,
            clock=self._clock,
        )
        self._runs.append(run)
        try:
            return await run.run()
        finally:
            self._runs.remove(run)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._places)} items of a region)"
