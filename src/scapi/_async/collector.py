"""The collector, which fetches sales and lots into a store continuously."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scapi._api import requests
from scapi._async.clients import UserClient
from scapi._async.collector_loop import Hooks, Run
from scapi._base import validation
from scapi._collect import arguments
from scapi._collect.agenda import Wanted
from scapi._collect.jobs import CLAN, EMISSION
from scapi._lists.bulk import MAX_CONCURRENCY, check_keys, check_regions
from scapi._primitives import aio
from scapi._store.rows import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta

    from scapi._async.clients import AppClient
    from scapi._async.store import Store
    from scapi._collect.arguments import Interval
    from scapi._collect.records import Collected, CollectedLot, CollectedSale, Progress
    from scapi.enums import RegionLike


class Collector:
    """Collects sales, lots, emissions and clan members into a store: each exactly once, whatever happens in between.

    It may be killed at any moment and continues where it stopped, because rows and the spans that they complete share a
    transaction. It adapts to the available points: fresh sales come before lots, and lots before the past. Several
    collectors may share a store: a lease assigns each item of a region to one of them at a time.

    Args:
        client: The client for the API. It isn't closed.
        store: The store to write to. It isn't closed.
        items: The ids of the items; none by default, if there are emissions or clans to collect.
        sales: The time between two polls of the sales of an item: seconds, a `timedelta`, or text such as `"5m"`;
            `None` for no sales. Busy items are polled up to four times as often if points are left.
        lots: The time between two polls of the lots of an item, in the same form; no lots by default.
        emissions: The time between two polls of the emission of each region, in the same form; no emissions by default.
            A poll costs one point. The API shows the current emission and the last one, so even an hour misses few.
        clans: The ids of clans whose members are collected. Needs a `UserClient` with a character in each of them, and
            a single region.
        members: The time between two polls of the members of a clan, in the same form.
        since: Collect the past back to this time: a time, a duration such as `"30d"`, or `"all"`. By default only new
            sales and those missing between two runs are collected.
        region: A region, or several; the client's region by default.
        concurrency: The greatest number of concurrent calls, 1 to 64.
        lease: Seconds until another collector may take over the items of this one if it dies, above 0.
        on_progress: Called with a `Progress` at most twice a second.
        on_sale: Called with a `CollectedSale` for each new sale of an item that was collected before, after the sale
            was stored. It isn't called for sales of the past. It is called at most once per sale, and not at all if
            the collector is killed just after storing it.
        on_lot: Called with a `CollectedLot` for each lot that appears or disappears, under the same conditions.
        clock: Returns the seconds since 1970.
        progress: Another name of `on_progress`.

    Raises:
        TypeError: A callback isn't callable, or `items` or `clans` is a single string.
        ValueError: An argument is out of its range, the client has `json=True`, or it isn't a user's and there are
            clans.
    """

    __module__ = aio.PUBLIC

    def __init__(
        self,
        client: AppClient | UserClient,
        store: Store,
        items: Iterable[str] = (),
        *,
        sales: Interval | None = 300.0,
        lots: Interval | None = None,
        emissions: Interval | None = None,
        clans: Iterable[str] = (),
        members: Interval = 3600.0,
        since: datetime | timedelta | str | None = None,
        region: RegionLike | Iterable[RegionLike] | None = None,
        concurrency: int = 8,
        lease: float = 30.0,
        on_progress: Callable[[Progress], object] | None = None,
        on_sale: Callable[[CollectedSale], object] | None = None,
        on_lot: Callable[[CollectedLot], object] | None = None,
        clock: Callable[[], float] = time.time,
        progress: Callable[[Progress], object] | None = None,
    ) -> None:
        self._session = client._session  # pyright: ignore[reportPrivateUsage]  # shares the client's pacing
        if self._session.settings.json:
            raise ValueError("json=True gives plain objects, and a collector stores models: use another client for it")
        self._store = store
        regions = check_regions(region) or (self._session.settings.region_for(),)
        ids = [_item(item) for item in check_keys("items", items)]
        wanted_clans = [_clan(clan) for clan in check_keys("clans", clans)]
        if wanted_clans and not isinstance(client, UserClient):
            raise ValueError("clans need a UserClient: only a user with a character in a clan may see its members")
        if wanted_clans and len(regions) > 1:
            raise ValueError(f"clans are in one region: use a collector of their own, not one for {', '.join(regions)}")
        if ids and sales is None and lots is None:
            raise ValueError("sales and lots must not both be None: there would be nothing to collect of the items")
        others = [*([EMISSION] if emissions is not None else []), *wanted_clans]
        self._places = [Place(str(region), each) for each in dict.fromkeys([*ids, *others]) for region in regions]
        if not self._places:
            raise ValueError("items must contain at least one id, unless there are emissions or clans to collect")
        self._wanted = Wanted(
            sales=None if sales is None else arguments.seconds("sales", sales),
            lots=None if lots is None else arguments.seconds("lots", lots),
            since=None if since is None else arguments.beginning("since", since, datetime.fromtimestamp(clock(), UTC)),
            emissions=None if emissions is None else arguments.seconds("emissions", emissions),
            members=arguments.seconds("members", members),
        )
        if progress is not None:
            if on_progress is not None:
                raise ValueError("on_progress and progress are two names of one argument: pass one of them")
            on_progress = progress
        self._concurrency = validation.integer("concurrency", concurrency, 1, MAX_CONCURRENCY)
        self._lease = validation.positive("lease", lease)
        self._hooks = Hooks(
            None if on_progress is None else aio.callback("on_progress", on_progress),
            None if on_sale is None else aio.callback("on_sale", on_sale),
            None if on_lot is None else aio.callback("on_lot", on_lot),
        )
        self._clock = clock
        self._runs: list[Run] = []
        self._last: Run | None = None

    async def run(self) -> Collected:
        """Collect until `stop` is called or the client is closed.

        A cancelled task or an interrupt ends it at once. Failures of single items don't end it. They are reported in
        `Progress` and in the store.

        Returns:
            The result of the run.

        Raises:
            StoreError: The database failed.
            UnauthorizedError: The credentials are invalid.
            ScApiException: No call can succeed for any other reason.
        """
        return await self._collect(once=False)

    async def once(self) -> Collected:
        """Look at everything once, and collect the past back to `since`.

        Returns:
            The result of the run; `failing` lists the items that it gave up.

        Raises:
            StoreError: The database failed.
            UnauthorizedError: The credentials are invalid.
            ScApiException: No call can succeed for any other reason.
        """
        return await self._collect(once=True)

    @property
    def collected(self) -> Collected | None:
        """What the last run has collected so far, also after an interrupt or an error; `None` before the first run.

        It doesn't count what an interrupt stopped halfway, although the store may have some of its rows.
        """
        return None if self._last is None else self._last.collected

    def stop(self) -> None:
        """End all runs after their current pages. May be called from any task or thread."""
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
        self._last = run
        self._runs.append(run)
        try:
            return await run.run()
        finally:
            self._runs.remove(run)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._places)} items of a region)"


def _item(item: str) -> str:
    """Return the id of an item, checked."""
    requests.item_part(item)
    if ":" in item:
        raise validation.refuse("items", item, "the ids of items, which have no colon")
    return item


def _clan(clan: str) -> str:
    """Return the id of a clan as the store keeps it, checked."""
    requests.clan_part(clan)
    return f"{CLAN}{clan}"
