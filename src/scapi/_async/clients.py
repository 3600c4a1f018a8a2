"""The two clients: `AppClient` for public data, `UserClient` also for the data of a player."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload

from scapi._api import demo_tokens, requests
from scapi._api.model_or_json import JsonT_co, model_or_json
from scapi._api.settings import DEFAULT_RESERVE, DEFAULT_RETRY, Settings
from scapi._async.base_client import BaseClient, checked_region
from scapi._async.clan import ClanEndpoint, UserClanEndpoint
from scapi._async.oauth import for_application
from scapi._async.renewal import Renewal
from scapi._async.session import Session
from scapi._auth import oauth
from scapi._base import validation
from scapi._base.secrets import Secret
from scapi._http.credentials import Credentials
from scapi._http.network import Network
from scapi._primitives import aio
from scapi.config import BaseUrl, start_oauth_url
from scapi.models import UserToken

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    import httpx

    from scapi._async.options import AppOptions, CallOptions, Options, UserOptions
    from scapi._ratelimit.priorities import Priority
    from scapi._ratelimit.protocol import BudgetSource, Pacing
    from scapi._retry import Retry
    from scapi.enums import RegionLike
    from scapi.models import Character, ResponseInfo


class AppClient(BaseClient[JsonT_co]):
    """The API as an application sees it.

    Args:
        token: An application token. Without a token and an id-secret pair, the client reads the environment variable
            `SCAPI_TOKEN`, or `SCAPI_CLIENT_ID` and `SCAPI_CLIENT_SECRET`.
        client_id: The application's id. Use it with `client_secret` instead of a token.
        client_secret: The application's secret.
        base_url: The host; `Config.BASE_URL` by default, see `BaseUrl`.
        region: The default region of calls; `Config.REGION` at the time of the call if omitted.
        json: Return the decoded JSON exactly as the server sent it instead of models.
        timeout: Total seconds for one request; 30 by default, at most 10 of them to connect.
        retry: How to retry temporary failures: a `Retry`, or the number of attempts including the first. `None` sends
            once and raises at once.
        pace: `True` waits before the points of the minute would be overdrawn, `"even"` also spreads the calls evenly
            over the minute, `False` never waits beforehand.
        queue_timeout: Total seconds that a call may wait (for its points, after failures, for a free connection)
            before it raises; no limit by default. A call that can't get its turn in time raises `RateLimitError` at
            once.
        priority: `"high"` calls get the points of a minute before `"normal"` ones, and these before `"low"` ones. The
            order holds across all clients of the same key.
        reserve: Share of each minute's points that is kept for calls that aren't low, 0 to 1. The greatest reserve of
            all clients of the same key counts. At the end of the minute low calls get what is left of it.
        on_response: A plain function that gets a `ResponseInfo` for each response, also for successful ones. It is
            called in the task or thread of the call, so it must be quick. An exception in it is logged once and
            dropped. Cached responses don't count.
        user_agent: The name of the program, such as `market-bot/1.2`. It precedes scapi's own in `User-Agent`.
        budget: The object that shares the key's points among the calls, such as a `scapi.pacing.RedisBudget` for many
            processes. By default the Redis at `SCAPI_REDIS_URL`, otherwise a budget of this process.
        cache: Seconds to reuse responses by method name, such as `{"lots": 30}`. `True` means 10 for `emission`, 60 for
            `lots`, `price_history` and `profile`, and a day for `regions`. Equal concurrent calls become one request.
            Iterators, watchers and collectors bypass it. `None`, the default, caches nothing.
        http_client: Your own `httpx.AsyncClient`, or one of `httpx2`, to send with. It is used as it is and never
            closed.
        proxy: The URL of an HTTP, HTTPS or SOCKS5 proxy, instead of the one from the environment.
        verify: What TLS trusts: an `ssl.SSLContext`, or the path of a file or folder of certificates. By default the
            path in `SSL_CERT_FILE` or `SSL_CERT_DIR`, otherwise the certificates of `certifi`.

    Raises:
        CredentialsError: There are no credentials, or only half of a pair.
        ValueError: An argument is out of its range.

    Examples:
        ```python
        from scapi import AppClient

        async with AppClient(token="...", region="eu") as client:
            emission = await client.emission()
        ```
    """

    __module__ = aio.PUBLIC

    @overload
    def __init__(
        self: AppClient[Literal[False]], *, json: Literal[False] = False, **options: Unpack[AppOptions]
    ) -> None: ...
    @overload
    def __init__(self: AppClient[bool], *, json: bool, **options: Unpack[AppOptions]) -> None: ...
    def __init__(
        self,
        *,
        token: str | Secret | None = None,
        client_id: str | None = None,
        client_secret: str | Secret | None = None,
        base_url: str | None = None,
        region: RegionLike | None = None,
        json: bool = False,
        timeout: float | None = None,
        retry: Retry | int | None = DEFAULT_RETRY,
        pace: bool | Literal["even"] = True,
        queue_timeout: float | None = None,
        priority: Priority = "normal",
        reserve: float = DEFAULT_RESERVE,
        on_response: Callable[[ResponseInfo], object] | None = None,
        user_agent: str | None = None,
        budget: Pacing | BudgetSource | None = None,
        cache: bool | Mapping[str, float] | None = None,
        http_client: httpx.AsyncClient | None = None,
        proxy: str | Secret | None = None,
        verify: ssl.SSLContext | str | bool | None = None,
    ) -> None:
        token, client_secret, proxy = Secret.of(token), Secret.of(client_secret), Secret.of(proxy)
        settings = Settings.of(
            base_url=base_url,
            region=region,
            json=json,
            timeout=timeout,
            retry=retry,
            pace=pace,
            queue_timeout=queue_timeout,
            priority=priority,
            reserve=reserve,
            on_response=on_response,
            user_agent=user_agent,
            budget=budget,
            cache=cache,
        )
        credentials = Credentials.given_or_of_environment(token, client_id, client_secret).check()
        network = Network(http_client, proxy, verify).check()
        self._session = Session(settings, credentials, network=network, clock=self._clock)

    if not TYPE_CHECKING:  # otherwise type checkers would accept any attribute

        def __getattr__(self, name: str) -> Any:
            hint = ": only a UserClient has it" if name in {"characters", "friends"} else ""
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}", name=name, obj=self)

    @overload
    def with_options(self, **options: Unpack[CallOptions]) -> Self: ...
    @overload
    def with_options(self, *, json: Literal[False], **options: Unpack[CallOptions]) -> AppClient[Literal[False]]: ...
    @overload
    def with_options(self, *, json: bool, **options: Unpack[CallOptions]) -> AppClient[bool]: ...
    def with_options(self, **options: Any) -> AppClient[bool]:
        """Return a view of this client with other options, for one call or for a part of a program.

        The view shares the connections, points and token of this client. Closing either closes both.

        Args:
            options: What to change: `timeout`, `retry`, `pace`, `queue_timeout`, `priority`, `cache`, `region`,
                `json` or `on_response`, as in the constructor. All others stay as they are.

        Raises:
            TypeError: An option is unknown or has the wrong type.
            ValueError: An option is out of its range.
        """
        return self._view(options)

    @overload
    @classmethod
    def from_env(cls, *, json: Literal[False] = False, **options: Unpack[Options]) -> Self: ...
    @overload
    @classmethod
    def from_env(cls, *, json: bool, **options: Unpack[Options]) -> AppClient[bool]: ...
    @classmethod
    def from_env(cls, **options: Any) -> AppClient[bool]:
        """Return a client with credentials from the environment, like the constructor without credentials.

        It reads `SCAPI_TOKEN`, or `SCAPI_CLIENT_ID` and `SCAPI_CLIENT_SECRET`.

        Args:
            options: Any other argument of the class.

        Raises:
            CredentialsError: The environment has no credentials, or only half of a pair.
        """
        return cls(token=None, client_id=None, client_secret=None, **options)

    @overload
    @classmethod
    def demo(cls, *, json: Literal[False] = False, **options: Unpack[Options]) -> Self: ...
    @overload
    @classmethod
    def demo(cls, *, json: bool, **options: Unpack[Options]) -> AppClient[bool]: ...
    @classmethod
    def demo(cls, **options: Any) -> AppClient[bool]:
        """Return a client of the public demo host, with the token published for it.

        The demo host returns made-up data; profiles are always 404.

        Args:
            options: Any other argument of the class; `base_url` is `BaseUrl.DEMO` unless given.
        """
        options.setdefault("base_url", BaseUrl.DEMO)
        return cls(token=demo_tokens.APP_TOKEN, **options)

    def clan(self, clan_id: str, region: RegionLike | None = None) -> ClanEndpoint[JsonT_co]:
        """Return the endpoint of a clan.

        Args:
            clan_id: The clan's uuid.
            region: The region of all calls on the result; that of the client or `Config` by default.
        """
        return ClanEndpoint(self._session, clan_id, checked_region(region))


class UserClient(BaseClient[JsonT_co]):
    """The API as a player's application sees it: all public data, and the data of the player.

    Args:
        token: A user token, as text or as `OAuthClient` returned it. Without a token and a `refresh_token`, the client
            reads the environment variables `SCAPI_USER_TOKEN` and `SCAPI_REFRESH_TOKEN`. `SCAPI_CLIENT_ID` and
            `SCAPI_CLIENT_SECRET` complete such a refresh token unless you pass a pair.
        refresh_token: The token that renews `token`; by default the one that `token` contains, if any.
        client_id: The id of the application that the token was made for. With `client_id` and `client_secret` the
            client renews the token: just before it expires, if that is known, and once when the server refuses it.
        client_secret: The application's secret.
        on_token: A function that gets each new token, to save it. It is called before any call continues; the old pair
            is invalid by then. It must not call this client.
        oauth_url: The server that renews the token. By default `SCAPI_OAUTH_URL` from the environment, otherwise
            `BaseUrl.OAUTH`.
        base_url: The host; `Config.BASE_URL` by default, see `BaseUrl`.
        region: The default region of calls; `Config.REGION` at the time of the call if omitted.
        json: Return the decoded JSON exactly as the server sent it instead of models.
        timeout: Total seconds for one request; 30 by default, at most 10 of them to connect.
        retry: How to retry temporary failures: a `Retry`, or the number of attempts including the first. `None` sends
            once and raises at once.
        pace: `True` waits before the points of the minute would be overdrawn, `"even"` also spreads the calls evenly
            over the minute, `False` never waits beforehand.
        queue_timeout: Total seconds that a call may wait (for its points, after failures, for a free connection)
            before it raises; no limit by default. A call that can't get its turn in time raises `RateLimitError` at
            once.
        priority: `"high"` calls get the points of a minute before `"normal"` ones, and these before `"low"` ones. The
            order holds across all clients of the same key.
        reserve: Share of each minute's points that is kept for calls that aren't low, 0 to 1. The greatest reserve of
            all clients of the same key counts. At the end of the minute low calls get what is left of it.
        on_response: A plain function that gets a `ResponseInfo` for each response, also for successful ones, and for
            those of renewals of the token. It is called in the task or thread of the call, so it must be quick. An
            exception in it is logged once and dropped. Cached responses don't count.
        user_agent: The name of the program, such as `market-bot/1.2`. It precedes scapi's own in `User-Agent`.
        budget: The object that shares the key's points among the calls, such as a `scapi.pacing.RedisBudget` for many
            processes. By default the Redis at `SCAPI_REDIS_URL`, otherwise a budget of this process.
        cache: Seconds to reuse responses by method name, such as `{"lots": 30}`. `True` means 10 for `emission`, 60 for
            `lots`, `price_history` and `profile`, and a day for `regions`. Equal concurrent calls become one request.
            Iterators, watchers and collectors bypass it. `None`, the default, caches nothing.
        http_client: Your own `httpx.AsyncClient`, or one of `httpx2`, to send with. It is used as it is and never
            closed.
        proxy: The URL of an HTTP, HTTPS or SOCKS5 proxy, instead of the one from the environment.
        verify: What TLS trusts: an `ssl.SSLContext`, or the path of a file or folder of certificates. By default the
            path in `SSL_CERT_FILE` or `SSL_CERT_DIR`, otherwise the certificates of `certifi`.

    Raises:
        CredentialsError: There is no token, or something needed to renew it is missing.
        ValueError: An argument is out of its range.

    Examples:
        ```python
        from scapi import UserClient

        async with UserClient.from_env() as client:
            characters = await client.characters()
        ```
    """

    __module__ = aio.PUBLIC

    @overload
    def __init__(
        self: UserClient[Literal[False]], *, json: Literal[False] = False, **options: Unpack[UserOptions]
    ) -> None: ...
    @overload
    def __init__(self: UserClient[bool], *, json: bool, **options: Unpack[UserOptions]) -> None: ...
    def __init__(
        self,
        *,
        token: str | Secret | UserToken | None = None,
        refresh_token: str | Secret | None = None,
        client_id: str | None = None,
        client_secret: str | Secret | None = None,
        on_token: Callable[[UserToken], object] | None = None,
        oauth_url: str | None = None,
        base_url: str | None = None,
        region: RegionLike | None = None,
        json: bool = False,
        timeout: float | None = None,
        retry: Retry | int | None = DEFAULT_RETRY,
        pace: bool | Literal["even"] = True,
        queue_timeout: float | None = None,
        priority: Priority = "normal",
        reserve: float = DEFAULT_RESERVE,
        on_response: Callable[[ResponseInfo], object] | None = None,
        user_agent: str | None = None,
        budget: Pacing | BudgetSource | None = None,
        cache: bool | Mapping[str, float] | None = None,
        http_client: httpx.AsyncClient | None = None,
        proxy: str | Secret | None = None,
        verify: ssl.SSLContext | str | bool | None = None,
    ) -> None:
        token = token if isinstance(token, UserToken) else Secret.of(token)
        refresh_token, client_secret, proxy = Secret.of(refresh_token), Secret.of(client_secret), Secret.of(proxy)
        settings = Settings.of(
            base_url=base_url,
            region=region,
            json=json,
            timeout=timeout,
            retry=retry,
            pace=pace,
            queue_timeout=queue_timeout,
            priority=priority,
            reserve=reserve,
            on_response=on_response,
            user_agent=user_agent,
            budget=budget,
            cache=cache,
        )
        network = Network(http_client, proxy, verify).check()
        application = Credentials(client_id=client_id, client_secret=client_secret)
        is_renewed = bool(refresh_token or client_id or client_secret or on_token)
        if token is None and refresh_token is None:
            pair, application = oauth.pair_of_environment(application)
            is_renewed = is_renewed or bool(pair.refresh_token)
        else:
            pair = oauth.pair_of(token, refresh_token)
        credentials, renewal = oauth.bearer(pair).check(missing=oauth.NO_USER), None
        if is_renewed:
            oauth.check_renewable(pair, application)
            url = start_oauth_url() if oauth_url is None else validation.base_url("oauth_url", oauth_url)
            open_client = partial(for_application, application, settings._replace(base_url=url), network)
            renewal = Renewal(pair, open_client, on_token, self._clock)
        self._session = Session(settings, credentials, renewal, network=network, clock=self._clock)

    @overload
    def with_options(self, **options: Unpack[CallOptions]) -> Self: ...
    @overload
    def with_options(self, *, json: Literal[False], **options: Unpack[CallOptions]) -> UserClient[Literal[False]]: ...
    @overload
    def with_options(self, *, json: bool, **options: Unpack[CallOptions]) -> UserClient[bool]: ...
    def with_options(self, **options: Any) -> UserClient[bool]:
        """Return a view of this client with other options, for one call or for a part of a program.

        The view shares the connections, points and token of this client. Closing either closes both.

        Args:
            options: What to change: `timeout`, `retry`, `pace`, `queue_timeout`, `priority`, `cache`, `region`,
                `json` or `on_response`, as in the constructor. All others stay as they are.

        Raises:
            TypeError: An option is unknown or has the wrong type.
            ValueError: An option is out of its range.
        """
        return self._view(options)

    @overload
    @classmethod
    def from_env(
        cls,
        *,
        json: Literal[False] = False,
        on_token: Callable[[UserToken], object] | None = None,
        **options: Unpack[Options],
    ) -> Self: ...
    @overload
    @classmethod
    def from_env(
        cls, *, json: bool, on_token: Callable[[UserToken], object] | None = None, **options: Unpack[Options]
    ) -> UserClient[bool]: ...
    @classmethod
    def from_env(cls, *, on_token: Callable[[UserToken], object] | None = None, **options: Any) -> UserClient[bool]:
        """Return a client with the token from the environment, like the constructor without a token.

        It reads `SCAPI_USER_TOKEN`. With `SCAPI_REFRESH_TOKEN`, `SCAPI_CLIENT_ID` and `SCAPI_CLIENT_SECRET` it also
        renews the token.

        Args:
            on_token: A function that gets each new token, to save it. It is called before any call continues.
            options: Any other argument that the clients have in common.

        Raises:
            CredentialsError: The environment has no token, or something needed to renew it is missing.
        """
        return cls(token=None, refresh_token=None, on_token=on_token, **options)

    @overload
    @classmethod
    def demo(cls, *, json: Literal[False] = False, **options: Unpack[Options]) -> Self: ...
    @overload
    @classmethod
    def demo(cls, *, json: bool, **options: Unpack[Options]) -> UserClient[bool]: ...
    @classmethod
    def demo(cls, **options: Any) -> UserClient[bool]:
        """Return a client of the public demo host, with the user token published for it.

        Args:
            options: Any other argument of the class; `base_url` is `BaseUrl.DEMO` unless given.
        """
        options.setdefault("base_url", BaseUrl.DEMO)
        return cls(token=demo_tokens.USER_TOKEN, **options)

    @model_or_json
    async def characters(self, region: RegionLike | None = None) -> list[Character]:
        """Get the user's characters, with their clans.

        Args:
            region: The region; that of the client or `Config` by default.

        Returns:
            The characters; a row that can't be read is in the list's `rejected`.

        Raises:
            ScApiException: Any failure, see `scapi.exceptions`.
        """
        return await self._session.call(requests.characters(self._session.settings.region_for(region)))

    @model_or_json
    async def friends(self, character: str, region: RegionLike | None = None) -> list[str]:
        """Get the names of the friends of one of the user's characters.

        Args:
            character: The name of a character of the user.
            region: The region; that of the client or `Config` by default.

        Raises:
            ScApiException: Any failure, see `scapi.exceptions`.
        """
        return await self._session.call(requests.friends(self._session.settings.region_for(region), character))

    def clan(self, clan_id: str, region: RegionLike | None = None) -> UserClanEndpoint[JsonT_co]:
        """Return the endpoint of a clan. It lists the members if one of the user's characters is in the clan.

        Args:
            clan_id: The clan's uuid.
            region: The region of all calls on the result; that of the client or `Config` by default.
        """
        return UserClanEndpoint(self._session, clan_id, checked_region(region))
