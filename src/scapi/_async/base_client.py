"""The base of both clients: the endpoints that accept any credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

from scapi._api import requests
from scapi._api.model_or_json import JsonT_co, ModelOrJson, model_or_json
from scapi._async import bulk
from scapi._async.auctions import AuctionsEndpoint
from scapi._async.clock import Clock
from scapi._async.closable import Closable
from scapi._async.endpoints import AuctionEndpoint
from scapi._async.pages import Rows
from scapi._async.session import Session
from scapi._async.watch import Watcher
from scapi._base import validation
from scapi._http.network import DIRECT
from scapi._lists.bulk import Plan, check_keys, check_regions
from scapi._lists.paginator import Paginator
from scapi._lists.watch_differs import EmissionDiffer
from scapi.enums import Region
from scapi.models import CharacterProfile, ClanInfo, OperationSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from scapi._api.requests import Param
    from scapi._api.settings import Settings
    from scapi._async.renewal import Renewal
    from scapi._async.results import Results
    from scapi._http.credentials import Credentials
    from scapi._ratelimit.priorities import Priority
    from scapi.enums import OperationsMapLike, OrderLike, RegionLike, SortOperationsLike
    from scapi.models import (
        EmissionEvent,
        EmissionState,
        EmissionWatchState,
        Listing,
        RateLimit,
        RegionInfo,
        WatchError,
    )


T = TypeVar("T")


class BaseClient(Closable, ModelOrJson[JsonT_co]):
    """The methods of both clients. They accept any credentials.

    Source: https://eapi.stalzone.com/reference
    """

    _session: Session
    _clock = Clock()

    @model_or_json
    async def regions(self) -> list[RegionInfo]:
        """Get the regions of the game. This is the only endpoint that costs no points.

        Returns:
            The regions; a row that can't be read is in the list's `rejected`.

        Raises:
            ScApiException: Any failure, see `scapi.exceptions`.
        """
        return await self._session.call(requests.regions())

    @model_or_json
    async def emission(self, region: RegionLike | None = None) -> EmissionState:
        """Get the current emission and the previous one. The server refreshes them every 10 to 15 seconds.

        Args:
            region: The region; that of the client or `Config` by default.

        Raises:
            ScApiException: Any failure, see `scapi.exceptions`.
        """
        return await self._session.call(requests.emission(self._session.settings.region_for(region)))

    def watch_emission(
        self: BaseClient[Literal[False]],
        region: RegionLike | None = None,
        *,
        interval: float = 15.0,
        on_failure: Callable[[WatchError], object] | None = None,
        state: EmissionWatchState | None = None,
        priority: Priority | None = None,
    ) -> Watcher[EmissionEvent, EmissionWatchState]:
        """Watch emissions begin and end, from now on.

        An emission that began and ended between two requests is reported too; of several, the API shows only the last.

        Args:
            region: The region; that of the client or `Config` by default.
            interval: Seconds between requests, above 0. The server refreshes its data every 10 to 15 seconds.
            on_failure: A function that gets each failure; by default each failure is an event.
            state: The saved `state` of an earlier watcher, to continue from there.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Returns:
            An iterator that only ends when it or the client is closed.

        Raises:
            TypeError: `on_failure` isn't callable, or `state` belongs to another kind of watcher.
            ValueError: An argument is out of its range, or the client has `json=True`.
        """
        differ = EmissionDiffer(self._session.settings.region_for(region), state)
        return Watcher(
            self._session.with_priority(priority),
            [differ],
            lambda: differ.state,
            interval=interval,
            where=None,
            on_failure=on_failure,
        )

    @model_or_json
    async def profile(self, username: str, region: RegionLike | None = None) -> CharacterProfile:
        """Get the public profile of a character.

        Args:
            username: The character's name, as the game spells it. By one source, upper and lower case matters.
            region: The region; that of the client or `Config` by default.

        Raises:
            NotFoundError: There is no such character.
            DecodeError: The response was empty. The server does this for some characters that exist.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        return await self._session.call(requests.profile(self._session.settings.region_for(region), username))

    @model_or_json
    async def clans(
        self, *, limit: int | None = None, offset: int | None = None, region: RegionLike | None = None
    ) -> Listing[ClanInfo]:
        """Get one page of the clans of a region.

        Args:
            limit: How many clans, 0 to 200; `Config.LIMIT` (20) by default.
            offset: How many clans to skip; `Config.OFFSET` (0) by default.
            region: The region; that of the client or `Config` by default.

        Returns:
            The clans, with their total number as `total`.

        Raises:
            ValueError: An argument is out of its range; nothing was sent.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        where = self._session.settings.region_for(region)
        return await self._session.call(requests.clans(where, limit=limit, offset=offset))

    @model_or_json
    async def operations_sessions(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        sort: SortOperationsLike | None = None,
        order: OrderLike | None = None,
        map: OperationsMapLike | None = None,
        username: str | None = None,
        before: datetime | str | None = None,
        after: datetime | str | None = None,
        region: RegionLike | None = None,
    ) -> Listing[OperationSession]:
        """Get one page of the finished sessions of operations.

        Args:
            limit: How many sessions, 0 to 100; `Config.LIMIT` (20) by default.
            offset: How many sessions to skip; `Config.OFFSET` (0) by default.
            sort: What to sort by; `Config.SORT_OPERATIONS` (time of finish) by default.
            order: The direction; `Config.ORDER_OPERATIONS` (descending) by default.
            map: Only sessions on this map.
            username: Only sessions that this character took part in.
            before: Only sessions that ended before this time: a `datetime` (naive means UTC) or an ISO 8601 string.
            after: Only sessions that ended after this time.
            region: The region; that of the client or `Config` by default.

        Returns:
            The sessions, with their total number as `total`.

        Raises:
            ValueError: An argument is out of its range; nothing was sent.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        return await self._session.call(
            requests.operations_sessions(
                self._session.settings.region_for(region),
                limit=limit,
                offset=offset,
                sort=sort,
                order=order,
                map=map,
                username=username,
                before=before,
                after=after,
            )
        )

    @model_or_json
    def iter_clans(
        self, *, limit: int | None = None, region: RegionLike | None = None, priority: Priority | None = None
    ) -> Rows[ClanInfo]:
        """Get all clans of a region, page by page. The next page is fetched while one is used.

        Each clan comes once, unless it moves by more places than pages overlap (30) while they are read. The API
        doesn't document how the list is sorted.

        Args:
            limit: The maximum number of clans, 0 or more; all of them by default.
            region: The region; that of the client or `Config` by default.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Raises:
            ValueError: An argument is out of its range; raised at once, before anything is sent.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        first = requests.clans(self._session.settings.region_for(region), limit=requests.MAX_LIMIT, offset=0)
        return Rows(self._session.with_priority(priority), Paginator(first, limit=limit), ClanInfo)

    @model_or_json
    def iter_operations_sessions(
        self,
        *,
        limit: int | None = None,
        sort: SortOperationsLike | None = None,
        order: OrderLike | None = None,
        map: OperationsMapLike | None = None,
        username: str | None = None,
        before: datetime | str | None = None,
        after: datetime | str | None = None,
        region: RegionLike | None = None,
        priority: Priority | None = None,
    ) -> Rows[OperationSession]:
        """Get all finished sessions of operations, page by page. The next page is fetched while one is used.

        Every session comes exactly once, even while new ones push the older ones down.

        Args:
            limit: The maximum number of sessions, 0 or more; all of them by default.
            sort: What to sort by; `Config.SORT_OPERATIONS` (time of finish) by default.
            order: The direction; `Config.ORDER_OPERATIONS` (descending) by default.
            map: Only sessions on this map.
            username: Only sessions that this character took part in.
            before: Only sessions that ended before this time: a `datetime` (naive means UTC) or an ISO 8601 string.
            after: Only sessions that ended after this time.
            region: The region; that of the client or `Config` by default.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Raises:
            ValueError: An argument is out of its range; raised at once, before anything is sent.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        first = requests.operations_sessions(
            self._session.settings.region_for(region),
            limit=requests.MAX_LIMIT_OPERATIONS,
            offset=0,
            sort=sort,
            order=order,
            map=map,
            username=username,
            before=before,
            after=after,
        )
        return Rows(self._session.with_priority(priority), Paginator(first, limit=limit), OperationSession)

    @model_or_json
    def profiles(
        self,
        names: Iterable[str],
        region: RegionLike | None = None,
        *,
        concurrency: int = 8,
        on_error: Literal["raise", "yield"] = "raise",
        progress: Callable[[int, int | None], object] | None = None,
        priority: Priority | None = None,
    ) -> Results[CharacterProfile]:
        """Get the public profiles of many characters, as they arrive.

        There is one result per name, and a repeated name gets as many results. Only the calls in progress are held in
        memory, so `names` may be an endless generator.

        Args:
            names: The characters' names, as the game spells them.
            region: The region; that of the client or `Config` by default.
            concurrency: Number of concurrent calls, 1 to 64.
            on_error: `"raise"` stops the rest and raises the first error, with its key noted; `"yield"` returns each
                error as the `error` of its result.
            progress: Called after each name with the number of names done and the total, which is `None` if `names` has
                no length.
            priority: The priority of the calls: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Raises:
            ValueError: An argument is out of its range; raised at once, before anything is sent.
            ScApiException: Any failure, with `on_error="raise"`.
        """
        regions = (str(self._session.settings.region_for(checked_region(region))),)
        plan = Plan(
            check_keys("names", names),
            regions,
            requests.name_part,
            concurrency=concurrency,
            on_error=on_error,
            progress=progress,
        )
        return bulk.request_each(
            self._session.with_priority(priority), plan, lambda target: requests.profile(*target), CharacterProfile
        )

    def auctions(
        self, item_ids: Iterable[str], region: RegionLike | Iterable[RegionLike] | None = None
    ) -> AuctionsEndpoint[JsonT_co]:
        """Return the endpoint of many items on the auction.

        Args:
            item_ids: The items' ids. They are read as calls complete, so a generator may produce them, even an endless
                one. A generator that can be iterated only once allows one call on the result.
            region: The region of all calls on the result, or a list of regions: each item is then requested in each of
                them, and `result.region` names the region. That of the client or `Config` by default.
        """
        return AuctionsEndpoint(self._session, item_ids, check_regions(region))

    def auction(self, item_id: str, region: RegionLike | None = None) -> AuctionEndpoint[JsonT_co]:
        """Return the endpoint of one item on the auction.

        Args:
            item_id: The item's id as in the item database, such as `zyv9`. Ids that aren't in the database work too.
            region: The region of all calls on the result; that of the client or `Config` by default.
        """
        return AuctionEndpoint(self._session, item_id, checked_region(region))

    @overload
    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, Param] | None = None,
        cost: int | None = None,
        model: None = None,
    ) -> Any: ...
    @overload
    async def get(
        self: BaseClient[Literal[False]],
        path: str,
        *,
        params: Mapping[str, Param] | None = None,
        cost: int | None = None,
        model: type[T],
    ) -> T: ...
    @overload
    async def get(
        self: BaseClient[bool],
        path: str,
        *,
        params: Mapping[str, Param] | None = None,
        cost: int | None = None,
        model: type[object],
    ) -> Any: ...
    async def get(
        self, path: str, *, params: Mapping[str, Param] | None = None, cost: int | None = None, model: Any = None
    ) -> Any:
        """Send any other GET request to the API, with the credentials, pacing, retries and errors of all calls.

        Use it for endpoints that are newer than this version.

        Args:
            path: The path below the host with its region, such as `"ru/emission"`. No request goes to another host.
            params: The query. Times are formatted as the API expects them, and `None` values are left out.
            cost: The points that the call costs, 0 or more. They are measured by default.
            model: The type of the result: a model of `scapi.models`, your own `msgspec.Struct`, or a list of one of
                these, such as `list[ClanMember]`. By default the result is plain JSON.

        Raises:
            TypeError: `model` is something else.
            ValueError: An argument is out of its range; nothing was sent.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        return await self._session.call(requests.get(path, params=params, cost=cost, model=model))

    def _view(self, options: dict[str, Any]) -> Self:
        view = object.__new__(type(self))
        vars(view).update(vars(self))
        view._session = self._session.view(self._session.settings.changed(**options))
        return view

    @property
    def ratelimit(self) -> RateLimit:
        """The points that are left, as of the last responses; all `None` before the first one."""
        return self._session.ratelimit

    async def close(self) -> None:
        """End the calls in progress and close all connections. Your own `http_client` stays open."""
        await self._session.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_session"):
            # Tracebacks with local variables show such an object if the constructor rejects an argument.
            return f"{type(self).__name__}(...)"
        settings, credentials = self._session.settings, self._session.credentials
        return f"{type(self).__name__}({credentials!r}, base_url={settings.base_url!r}, region={settings.region!s})"

    def __getstate__(self) -> tuple[Settings, Credentials, Renewal | None]:
        self._session.network.check_pickled(self)
        return self._session.settings, self._session.credentials, self._session.renewal

    def __setstate__(self, state: tuple[Settings, Credentials, Renewal | None]) -> None:
        self._session = Session(*state, network=DIRECT, clock=self._clock)


def checked_region(region: RegionLike | None) -> Region | None:
    """Return the region as a `Region`, or raise a `ValueError`. `None` stays `None`."""
    return None if region is None else validation.choice("region", region, Region)
