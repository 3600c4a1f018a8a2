"""The two clients: `AppClient` for what is public, `UserClient` for what belongs to a player too."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict, Unpack

from scapi._api import demo_tokens, requests
from scapi._api.settings import DEFAULT_RETRY, Settings
from scapi._async import bulk
from scapi._async.bulk import AuctionsEndpoint
from scapi._async.context import Closable
from scapi._async.endpoints import AuctionEndpoint, ClanEndpoint, UserClanEndpoint
from scapi._async.oauth import for_application
from scapi._async.pages import Rows
from scapi._async.renewal import Renewal
from scapi._async.session import Session
from scapi._async.watch import Watcher
from scapi._auth import oauth
from scapi._base import validation
from scapi._http.credentials import Credentials
from scapi._http.network import DIRECT, Network
from scapi._lists import paginator
from scapi._lists.bulk import Plan, check_keys
from scapi._lists.watching import EmissionBook
from scapi.config import BaseUrl
from scapi.enums import Region
from scapi.models import CharacterProfile, ClanInfo, OperationSession

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable
    from datetime import datetime

    import httpx

    from scapi._async.results import Results
    from scapi._retry import Retry
    from scapi.enums import OperationsMap, Order, SortOperations
    from scapi.models import (
        Character,
        EmissionEvent,
        EmissionState,
        EmissionWatchState,
        Listing,
        RateLimit,
        RegionInfo,
        UserToken,
        WatchError,
    )


class Options(TypedDict, total=False):
    """The arguments that all clients have beside their credentials."""

    base_url: str | None
    region: Region | str | None
    json: bool
    timeout: float | None
    retry: Retry | None
    pace: bool | Literal["even"]
    queue_timeout: float | None
    http_client: httpx.AsyncClient | None
    proxy: str | None
    verify: ssl.SSLContext | str | bool | None


class _Client(Closable):
    """What both clients can do. Any credentials will do for it.

    Source: https://eapi.stalzone.com/reference
    """

    _session: Session

    async def regions(self) -> list[RegionInfo]:
        """The regions of the game. The only endpoint that costs no points.

        Returns:
            The regions; a row that can't be read is in the list's `rejected`.

        Raises:
            ScApiException: Any failure, see `scapi.exceptions`.
        """
        return await self._session.call(requests.regions())

    async def emission(self, region: Region | str | None = None) -> EmissionState:
        """The emission that runs, and the one before it. The server refreshes it every 10 to 15 seconds.

        Args:
            region: The region; that of the client or `Config` by default.

        Raises:
            ScApiException: Any failure, see `scapi.exceptions`.
        """
        return await self._session.call(requests.emission(self._session.settings.region_for(region)))

    def watch_emission(
        self,
        region: Region | str | None = None,
        *,
        interval: float = 15.0,
        on_error: Callable[[WatchError], object] | None = None,
        state: EmissionWatchState | None = None,
    ) -> Watcher[EmissionEvent, EmissionWatchState]:
        """The beginnings and ends of emissions, from now on.

        One that came and went unseen is reported all the same; of several, the API tells the last alone.

        Args:
            region: The region; that of the client or `Config` by default.
            interval: Seconds from one look to the next, above 0. The server has news every 10 to 15 seconds.
            on_error: A function that gets each failure, which otherwise is an event of its own.
            state: The saved `state` of an earlier watcher, to go on where it was.

        Returns:
            An iterator that ends when it or the client is closed, and not before.

        Raises:
            TypeError: `on_error` can't be called, or `state` is that of another kind of watcher.
            ValueError: An argument is out of its range, or the client has `json=True`.
        """
        book = EmissionBook(self._session.settings.region_for(region), state)
        return Watcher(self._session, book, interval=interval, where=None, on_error=on_error)

    async def profile(self, username: str, region: Region | str | None = None) -> CharacterProfile:
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

    async def clans(
        self, *, limit: int | None = None, offset: int | None = None, region: Region | str | None = None
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

    async def operations_sessions(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        sort: SortOperations | str | None = None,
        order: Order | str | None = None,
        map: OperationsMap | str | None = None,
        username: str | None = None,
        before: datetime | str | None = None,
        after: datetime | str | None = None,
        region: Region | str | None = None,
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

    def iter_clans(self, *, limit: int | None = None, region: Region | str | None = None) -> Rows[ClanInfo]:
        """All clans of a region, page by page, the next page on its way while one is used.

        A clan comes once, unless it changes its place in the list by more than pages overlap (30 places) while they
        are read. The API doesn't say what the list is sorted by.

        Args:
            limit: How many clans in all, 0 or more; all of them by default.
            region: The region; that of the client or `Config` by default.

        Raises:
            ValueError: An argument is out of its range; raised at once, before anything is sent.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        first = requests.clans(self._session.settings.region_for(region), limit=requests.MAX_LIMIT, offset=0)
        return Rows(self._session, paginator.Walk(first, limit=limit), ClanInfo)

    def iter_operations_sessions(
        self,
        *,
        limit: int | None = None,
        sort: SortOperations | str | None = None,
        order: Order | str | None = None,
        map: OperationsMap | str | None = None,
        username: str | None = None,
        before: datetime | str | None = None,
        after: datetime | str | None = None,
        region: Region | str | None = None,
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
        return Rows(self._session, paginator.Walk(first, limit=limit), OperationSession)

    def profiles(
        self,
        names: Iterable[str],
        region: Region | str | None = None,
        *,
        concurrency: int = 8,
        on_error: Literal["raise", "yield"] = "raise",
        progress: Callable[[int, int | None], object] | None = None,
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

        Raises:
            ValueError: An argument is out of its range; raised at once, before anything is sent.
            ScApiException: Any failure, with `on_error="raise"`.
        """
        plan = Plan(check_keys("names", names), requests.name_part, concurrency, on_error, progress)
        build = partial(requests.profile, self._session.settings.region_for(_checked(region)))
        return bulk.answers(self._session, plan, build, CharacterProfile)

    def auctions(self, item_ids: Iterable[str], region: Region | str | None = None) -> AuctionsEndpoint:
        """The lots and the price histories of many items.

        Args:
            item_ids: The items' ids. They are taken as calls complete, so they may come from a generator, even from
                an endless one; one that can be run through only once is good for one call on the result.
            region: The region of all calls on the result; that of the client or `Config` by default.
        """
        return AuctionsEndpoint(self._session, item_ids, _checked(region))

    def auction(self, item_id: str, region: Region | str | None = None) -> AuctionEndpoint:
        """The lots and the price history of an item.

        Args:
            item_id: The item's id as in the item database, such as `zyv9`. Ids that the database lacks work too.
            region: The region of all calls on the result; that of the client or `Config` by default.
        """
        return AuctionEndpoint(self._session, item_id, _checked(region))

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


class AppClient(_Client):
    """The API as an application sees it.

    Args:
        token: An application token.
        client_id: The application's id, together with `client_secret`, in place of a token.
        client_secret: The application's secret.
        base_url: The host; `Config.BASE_URL` by default, see `BaseUrl`.
        region: The region of calls that name none; `Config.REGION` by default, as it is at the call.
        json: Return the decoded JSON exactly as the server sent it, in place of models.
        timeout: Seconds that a request may take in all; 30 by default, at most 10 of them to connect.
        retry: What to do about failures that pass; `None` sends once and raises at once.
        pace: `True` waits before the points of the minute would be overdrawn, `"even"` also spreads the calls evenly
            over the minute, `False` never waits beforehand.
        queue_timeout: Seconds that all waits of a call may take in sum (for its points, after failures, for a free
            connection) before it raises; as long as it takes by default. A call that can't get its turn in time raises
            `RateLimitError` at once.
        http_client: An `httpx.AsyncClient`, or one of `httpx2`, of your own to send with. It is used as it is and never
            closed.
        proxy: The URL of an HTTP, HTTPS or SOCKS5 proxy, in place of the one that the environment names.
        verify: What TLS trusts: an `ssl.SSLContext`, or the path of a file or folder of certificates. By default what
            `SSL_CERT_FILE` or `SSL_CERT_DIR` names, otherwise the certificates of `certifi`.

    Raises:
        CredentialsError: There are no credentials, or only half a pair.
        ValueError: An argument is out of its range.

    Example:
        from scapi import AppClient

        async with AppClient(client_id="...", client_secret="...") as client:
            emission = await client.emission(region="eu")
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        base_url: str | None = None,
        region: Region | str | None = None,
        json: bool = False,
        timeout: float | None = None,
        retry: Retry | None = DEFAULT_RETRY,
        pace: bool | Literal["even"] = True,
        queue_timeout: float | None = None,
        http_client: httpx.AsyncClient | None = None,
        proxy: str | None = None,
        verify: ssl.SSLContext | str | bool | None = None,
    ) -> None:
        credentials = Credentials(token=token, client_id=client_id, client_secret=client_secret)
        token = client_secret = None  # from here on something may raise, and tracebacks show local variables
        network = Network(http_client, proxy, verify)
        proxy = None  # it may hold a password
        settings = Settings.of(
            base_url=base_url,
            region=region,
            json=json,
            timeout=timeout,
            retry=retry,
            pace=pace,
            queue_timeout=queue_timeout,
        )
        self._session = Session(settings, credentials.check(), network=network.check())

    if not TYPE_CHECKING:  # or type checkers would take any name for an attribute

        def __getattr__(self, name: str) -> Any:
            whose = ": only a UserClient has it" if name in {"characters", "friends"} else ""
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}{whose}", name=name, obj=self
            )

    @classmethod
    def from_env(cls, **options: Unpack[Options]) -> Self:
        """A client with the credentials of the environment.

        They are in `SCAPI_TOKEN`, or in `SCAPI_CLIENT_ID` and `SCAPI_CLIENT_SECRET`.

        Args:
            options: Any other argument of the class.

        Raises:
            CredentialsError: The environment has none, or only half a pair.
        """
        # Not `os.environ.get`: its repr, which a traceback may show, is the whole environment.
        return cls(
            token=os.getenv("SCAPI_TOKEN"),
            client_id=os.getenv("SCAPI_CLIENT_ID"),
            client_secret=os.getenv("SCAPI_CLIENT_SECRET"),
            **options,
        )

    @classmethod
    def demo(cls, **options: Unpack[Options]) -> Self:
        """A client of the public demo host, with the token that is published for it.

        The demo host answers with made-up data; profiles are always 404.

        Args:
            options: Any other argument of the class; `base_url` is `BaseUrl.DEMO` unless given.
        """
        options.setdefault("base_url", BaseUrl.DEMO)
        return cls(token=demo_tokens.APP_TOKEN, **options)

    def clan(self, clan_id: str, region: Region | str | None = None) -> ClanEndpoint:
        """A clan.

        Args:
            clan_id: The clan's uuid.
            region: The region of all calls on the result; that of the client or `Config` by default.
        """
        return ClanEndpoint(self._session, clan_id, _checked(region))


class UserClient(_Client):
    """The API as a player's application sees it: all that is public, and what belongs to the player.

    Args:
        token: A user token, as text or as `OAuthClient` returned it.
        refresh_token: What renews the token; that of `token` by default, where it has one.
        client_id: The id of the application that the token was made for. With it and what follows, the token is
            renewed by itself: just before it expires, where that is known, and once when the server refuses it.
        client_secret: The application's secret.
        on_token: A function that gets every new token before any call goes on, to save it: the old pair is dead by
            then. It must not call this client.
        oauth_url: Where the token is renewed; `BaseUrl.OAUTH` by default.
        base_url: The host; `Config.BASE_URL` by default, see `BaseUrl`.
        region: The region of calls that name none; `Config.REGION` by default, as it is at the call.
        json: Return the decoded JSON exactly as the server sent it, in place of models.
        timeout: Seconds that a request may take in all; 30 by default, at most 10 of them to connect.
        retry: What to do about failures that pass; `None` sends once and raises at once.
        pace: `True` waits before the points of the minute would be overdrawn, `"even"` also spreads the calls evenly
            over the minute, `False` never waits beforehand.
        queue_timeout: Seconds that all waits of a call may take in sum (for its points, after failures, for a free
            connection) before it raises; as long as it takes by default. A call that can't get its turn in time raises
            `RateLimitError` at once.
        http_client: An `httpx.AsyncClient`, or one of `httpx2`, of your own to send with. It is used as it is and never
            closed.
        proxy: The URL of an HTTP, HTTPS or SOCKS5 proxy, in place of the one that the environment names.
        verify: What TLS trusts: an `ssl.SSLContext`, or the path of a file or folder of certificates. By default what
            `SSL_CERT_FILE` or `SSL_CERT_DIR` names, otherwise the certificates of `certifi`.

    Raises:
        CredentialsError: There is no token, or only a part of what renews it.
        ValueError: An argument is out of its range.

    Example:
        from scapi import UserClient

        async with UserClient(token="...") as client:
            characters = await client.characters()
    """

    def __init__(
        self,
        *,
        token: str | UserToken | None,
        refresh_token: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        on_token: Callable[[UserToken], object] | None = None,
        oauth_url: str | None = None,
        base_url: str | None = None,
        region: Region | str | None = None,
        json: bool = False,
        timeout: float | None = None,
        retry: Retry | None = DEFAULT_RETRY,
        pace: bool | Literal["even"] = True,
        queue_timeout: float | None = None,
        http_client: httpx.AsyncClient | None = None,
        proxy: str | None = None,
        verify: ssl.SSLContext | str | bool | None = None,
    ) -> None:
        pair = oauth.held(token, refresh_token)
        application = Credentials(client_id=client_id, client_secret=client_secret)
        asked = bool(refresh_token or client_id or client_secret or on_token)
        token = refresh_token = client_secret = (
            ""  # from here on something may raise, and tracebacks show local variables
        )
        network = Network(http_client, proxy, verify)
        proxy = None  # it may hold a password
        settings = Settings.of(
            base_url=base_url,
            region=region,
            json=json,
            timeout=timeout,
            retry=retry,
            pace=pace,
            queue_timeout=queue_timeout,
        )
        credentials, renewal = oauth.bearer(pair).check(), None
        if oauth.renewable(pair, application, asked=asked):
            url = BaseUrl.OAUTH.value if oauth_url is None else validation.base_url("oauth_url", oauth_url)
            open_client = partial(for_application, application, url, settings.timeout, network.check())
            renewal = Renewal(pair, open_client, on_token)
        self._session = Session(settings, credentials, renewal, network=network.check())

    @classmethod
    def demo(cls, **options: Unpack[Options]) -> Self:
        """A client of the public demo host, with the user token that is published for it.

        Args:
            options: Any other argument of the class; `base_url` is `BaseUrl.DEMO` unless given.
        """
        options.setdefault("base_url", BaseUrl.DEMO)
        return cls(token=demo_tokens.USER_TOKEN, **options)

    async def characters(self, region: Region | str | None = None) -> list[Character]:
        """The user's characters, with their clans.

        Args:
            region: The region; that of the client or `Config` by default.

        Returns:
            The characters; a row that can't be read is in the list's `rejected`.

        Raises:
            ScApiException: Any failure, see `scapi.exceptions`.
        """
        return await self._session.call(requests.characters(self._session.settings.region_for(region)))

    async def friends(self, character: str, region: Region | str | None = None) -> list[str]:
        """The names of the friends of one of the user's characters.

        Args:
            character: The name of a character of the user.
            region: The region; that of the client or `Config` by default.

        Raises:
            ScApiException: Any failure, see `scapi.exceptions`.
        """
        return await self._session.call(requests.friends(self._session.settings.region_for(region), character))

    def clan(self, clan_id: str, region: Region | str | None = None) -> UserClanEndpoint:
        """A clan, with its members where one of the user's characters is among them.

        Args:
            clan_id: The clan's uuid.
            region: The region of all calls on the result; that of the client or `Config` by default.
        """
        return UserClanEndpoint(self._session, clan_id, _checked(region))


def _checked(region: Region | str | None) -> Region | None:
    return None if region is None else validation.choice("region", region, Region)
