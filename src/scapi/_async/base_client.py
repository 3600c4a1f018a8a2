"""What both clients can do: the endpoints that any credentials are good for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

from scapi._api import requests
from scapi._api.model_or_json import JsonT_co, ModelOrJson, model_or_json
from scapi._async import bulk
from scapi._async.auctions import AuctionsEndpoint
from scapi._async.context import Closable
from scapi._async.endpoints import AuctionEndpoint
from scapi._async.pages import Rows
from scapi._async.session import Session
from scapi._async.watch import Watcher
from scapi._base import validation
from scapi._http.network import DIRECT
from scapi._lists.bulk import Plan, check_keys, check_regions
from scapi._lists.differs import EmissionDiffer
from scapi._lists.paginator import Paginator
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
    """What both clients can do. Any credentials will do for it.

    Source: https://eapi.stalzone.com/reference
    """

    _session: Session

    @model_or_json
    async def regions(self) -> list[RegionInfo]:
        """The regions of the game. The only endpoint that costs no points.

        Returns:
            The regions; a row that can't be read is in the list's `rejected`.

        Raises:
            ScApiException: Any failure, see `scapi.exceptions`.
        """
        return await self._session.call(requests.regions())

    @model_or_json
    async def emission(self, region: RegionLike | None = None) -> EmissionState:
        """The emission that runs, and the one before it. The server refreshes it every 10 to 15 seconds.

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
        on_error: Callable[[WatchError], object] | None = None,
        state: EmissionWatchState | None = None,
        priority: Priority | None = None,
    ) -> Watcher[EmissionEvent, EmissionWatchState]:
        """The beginnings and ends of emissions, from now on.

        One that came and went unseen is reported all the same; of several, the API tells the last alone.

        Args:
            region: The region; that of the client or `Config` by default.
            interval: Seconds from one look to the next, above 0. The server has news every 10 to 15 seconds.
            on_error: A function that gets each failure, which otherwise is an event of its own.
            state: The saved `state` of an earlier watcher, to go on where it was.
            priority: Which calls go first: `"high"`, `"normal"` or `"low"`; that of the client by default.

        Returns:
            An iterator that ends when it or the client is closed, and not before.

        Raises:
            TypeError: `on_error` can't be called, or `state` is that of another kind of watcher.
            ValueError: An argument is out of its range, or the client has `json=True`.
        """
        differ = EmissionDiffer(self._session.settings.region_for(region), state)
        return Watcher(
            self._session.with_priority(priority),
            [differ],
            lambda: differ.state,
            interval=interval,
            where=None,
            on_error=on_error,
        )

    @model_or_json
    async def profile(self, username: str, region: RegionLike | None = None) -> CharacterProfile:
        """The public profile of a character.

        Args:
            username: The character's name, in any case.
            region: The region; that of the client or `Config` by default.

        Raises:
            NotFoundError: There is no such character.
            DecodeError: The server answered with nothing, as it does for some characters that exist.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        return await self._session.call(requests.profile(self._session.settings.region_for(region), username))

    @model_or_json
    async def clans(
        self, *, limit: int | None = None, offset: int | None = None, region: RegionLike | None = None
    ) -> Listing[ClanInfo]:
        """One page of the clans of a region.

        Args:
            limit: How many clans, 0 to 200; `Config.LIMIT` (20) by default.
            offset: How many clans to skip; `Config.OFFSET` (0) by default.
            region: The region; that of the client or `Config` by default.

        Returns:
            The clans, with their number in all as `total`.

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
        """One page of the finished sessions of operations.

        Args:
            limit: How many sessions, 0 to 100; `Config.LIMIT` (20) by default.
            offset: How many sessions to skip; `Config.OFFSET` (0) by default.
            sort: What to sort by; `Config.SORT_OPERATIONS` (time of finish) by default.
            order: In which direction; `Config.ORDER_OPERATIONS` (descending) by default.
            map: Only sessions on this map.
            username: Only sessions that this character took part in.
            before: Only sessions that ended before this time: a `datetime` (naive means UTC) or an ISO 8601 string.
            after: Only sessions that ended after this time.
            region: The region; that of the client or `Config` by default.

        Returns:
            The sessions, with their number in all as `total`.

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
        """All clans of a region, page by page, the next page on its way while one is used.

        A clan comes once, unless it changes its place in the list by more than pages overlap (30 places) while they
        are read. The API doesn't say what the list is sorted by.

        Args:
            limit: How many clans in all, 0 or more; all of them by default.
            region: The region; that of the client or `Config` by default.
            priority: Which calls go first: `"high"`, `"normal"` or `"low"`; that of the client by default.

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
        """All finished sessions of operations, page by page, the next page on its way while one is used.

        Every session comes exactly once, also while new ones push the older ones down.

        Args:
            limit: How many sessions in all, 0 or more; all of them by default.
            sort: What to sort by; `Config.SORT_OPERATIONS` (time of finish) by default.
            order: In which direction; `Config.ORDER_OPERATIONS` (descending) by default.
            map: Only sessions on this map.
            username: Only sessions that this character took part in.
            before: Only sessions that ended before this time: a `datetime` (naive means UTC) or an ISO 8601 string.
            after: Only sessions that ended after this time.
            region: The region; that of the client or `Config` by default.
            priority: Which calls go first: `"high"`, `"normal"` or `"low"`; that of the client by default.

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
        """The public profiles of many characters, as they arrive.

        Each name is answered exactly once, and as often as it is among the names. No more is held than what is under
        way, so `names` may be a generator, and may be endless.

        Args:
            names: The characters' names, in any case.
            region: The region; that of the client or `Config` by default.
            concurrency: How many calls are under way at once, 1 to 64.
            on_error: `"raise"` ends the rest and raises the first error, with its key noted; `"yield"` hands each error
                over as the `error` of its result.
            progress: Called after each name with how many are done, and how many there are, `None` where `names` has
                no length.
            priority: Which calls go first: `"high"`, `"normal"` or `"low"`; that of the client by default.

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
        return bulk.answers(
            self._session.with_priority(priority), plan, lambda target: requests.profile(*target), CharacterProfile
        )

    def auctions(
        self, item_ids: Iterable[str], region: RegionLike | Iterable[RegionLike] | None = None
    ) -> AuctionsEndpoint[JsonT_co]:
        """The lots and the price histories of many items.

        Args:
            item_ids: The items' ids. They are taken as calls complete, so they may come from a generator, even from
                an endless one; one that can be run through only once is good for one call on the result.
            region: The region of all calls on the result, or several in a list: each item is then asked for in each of
                them, and `result.region` says which one it is about. That of the client or `Config` by default.
        """
        return AuctionsEndpoint(self._session, item_ids, check_regions(region))

    def auction(self, item_id: str, region: RegionLike | None = None) -> AuctionEndpoint[JsonT_co]:
        """The lots and the price history of an item.

        Args:
            item_id: The item's id as in the item database, such as `zyv9`. Ids that the database lacks work too.
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
        """Any other GET of the API, with credentials, pacing, retries and errors as all calls have them.

        It is for endpoints that are newer than this version.

        Args:
            path: The path below the host with its region, such as `"ru/emission"`. Nothing goes to another host.
            params: The query. Times are written as the API wants them, and what is `None` is left out.
            cost: Points that the call costs, 0 or more. By default they are measured.
            model: What the answer becomes: a model of `scapi.models`, a `msgspec.Struct` of your own, or a list of one
                of these, such as `list[ClanMember]`. By default the answer is plain JSON.

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
        """The points that are left, as the last answers told; all `None` before the first one."""
        return self._session.ratelimit

    async def close(self) -> None:
        """End the calls under way and close all connections; an `http_client` of your own stays open."""
        await self._session.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_session"):
            # Tracebacks that show local variables meet this one where the constructor refuses an argument.
            return f"{type(self).__name__}(...)"
        settings, credentials = self._session.settings, self._session.credentials
        return f"{type(self).__name__}({credentials!r}, base_url={settings.base_url!r}, region={settings.region!s})"

    def __getstate__(self) -> tuple[Settings, Credentials, Renewal | None]:
        self._session.network.check_pickled(self)
        return self._session.settings, self._session.credentials, self._session.renewal

    def __setstate__(self, state: tuple[Settings, Credentials, Renewal | None]) -> None:
        self._session = Session(*state, network=DIRECT)


def checked_region(region: RegionLike | None) -> Region | None:
    """Return the region that was asked for, or raise a `ValueError`."""
    return None if region is None else validation.choice("region", region, Region)
