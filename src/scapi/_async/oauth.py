"""`OAuthClient`: from the first click to a token, and on to the next one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self, TypeAlias, TypedDict, TypeVar, Unpack

from scapi._api import decoding
from scapi._async.context import Closable
from scapi._auth import oauth
from scapi._base import validation
from scapi._base.secrets import Secret
from scapi._http.credentials import Credentials
from scapi._http.guard import Guard
from scapi._http.network import Network
from scapi._primitives import aio
from scapi.config import BaseUrl
from scapi.exceptions import LoginError
from scapi.models import UserToken

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from concurrent.futures import Future

    import httpx

    from scapi._auth.oauth import AuthorizeUrl, Proof, Redirect
    from scapi._http.messages import HttpRequest
    from scapi.models import AppToken, User

    #: Credentials, redirect URI, base URL, timeout, and how to reach it.
    _State: TypeAlias = tuple[Credentials, str, str, float | None, Network]


T = TypeVar("T")

#: Where a login comes back to by default: register it for the application.
REDIRECT_URI = "http://localhost:8723/callback"


class Options(TypedDict, total=False):
    """The arguments of the client beside its credentials."""

    redirect_uri: str
    base_url: str | None
    timeout: float | None
    http_client: httpx.AsyncClient | None
    proxy: str | Secret | None
    verify: ssl.SSLContext | str | bool | None


class OAuthClient(Closable):
    """Gets tokens, for the application itself and for the users who log in.

    No call is ever sent twice: a code and a refresh token are good for one use.

    Source: https://eapi.stalzone.com/auth.html

    Args:
        client_id: The application's id.
        client_secret: The application's secret.
        redirect_uri: Where the browser goes after the login: exactly one of those registered for the application.
        base_url: Where the OAuth server is; `BaseUrl.OAUTH` by default.
        timeout: Seconds that a request may take in all; 30 by default, at most 10 of them to connect.
        http_client: An `httpx.AsyncClient`, or one of `httpx2`, of your own to send with. It is used as it is and never
            closed.
        proxy: The URL of an HTTP, HTTPS or SOCKS5 proxy, in place of the one that the environment names.
        verify: What TLS trusts: an `ssl.SSLContext`, or the path of a file or folder of certificates. By default what
            `SSL_CERT_FILE` or `SSL_CERT_DIR` names, otherwise the certificates of `certifi`.

    Raises:
        CredentialsError: There are no credentials, or only half a pair.
        ValueError: An argument is out of its range.

    Example:
        from scapi import OAuthClient

        async with OAuthClient(client_id="...", client_secret="...") as oauth:
            token = await oauth.login()
    """

    __module__ = aio.PUBLIC

    def __init__(
        self,
        *,
        client_id: str | None,
        client_secret: str | Secret | None,
        redirect_uri: str = REDIRECT_URI,
        base_url: str | None = None,
        timeout: float | None = None,
        http_client: httpx.AsyncClient | None = None,
        proxy: str | Secret | None = None,
        verify: ssl.SSLContext | str | bool | None = None,
    ) -> None:
        client_secret, proxy = Secret.of(client_secret), Secret.of(proxy)
        self.__setstate__(
            (
                Credentials(client_id=client_id, client_secret=client_secret).check_pair(),
                oauth.checked_redirect_uri(redirect_uri),
                BaseUrl.OAUTH.value if base_url is None else validation.base_url("base_url", base_url),
                None if timeout is None else validation.positive("timeout", timeout),
                Network(http_client, proxy, verify).check(),
            )
        )

    def __getstate__(self) -> _State:
        self._network.check_pickled(self)
        return self._credentials, self._redirect_uri, self._base_url, self._timeout, self._network

    def __setstate__(self, state: _State) -> None:
        # httpx is imported with the first client: it takes longer than all of ours.
        from scapi._async.transport import Transport

        self._credentials, self._redirect_uri, self._base_url, self._timeout, self._network = state
        self._transport = Transport(base_url=self._base_url, timeout=self._timeout, network=self._network)

    @classmethod
    def from_env(cls, **options: Unpack[Options]) -> Self:
        """A client with the credentials of the environment, in `SCAPI_CLIENT_ID` and `SCAPI_CLIENT_SECRET`.

        Args:
            options: Any other argument of the class.

        Raises:
            CredentialsError: The environment has none, or only half a pair.
        """
        # Not `os.environ.get`: its repr, which a traceback may show, is the whole environment.
        return cls(client_id=os.getenv("SCAPI_CLIENT_ID"), client_secret=os.getenv("SCAPI_CLIENT_SECRET"), **options)

    def get_authorize_url(self, *, state: str | None = None) -> AuthorizeUrl:
        """The URL at which a user logs in. For programs that have a web page of their own; others take `login()`.

        Args:
            state: What the redirect is to bring back, which ties it to one visitor; a random one by default.

        Returns:
            The URL, a string whose attribute `state` is what the redirect's `state` must equal.
        """
        return oauth.authorize_url(self._base_url, self._credentials, self._redirect_uri, state)

    async def get_app_token(self) -> AppToken:
        """A token of the application itself. `AppClient(client_id=..., client_secret=...)` needs none.

        Raises:
            UnauthorizedError: The server doesn't know the application.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        request = oauth.token_request(self._base_url, self._credentials, "client_credentials")
        return await self._call(request, oauth.app_token)

    async def get_user_token(self, code: str | Secret) -> UserToken:
        """The token of the user whose login ended in a code.

        Args:
            code: The `code` of the redirect, once its `state` was found to be the right one. It is good for one use,
                and for a short time.

        Raises:
            ValueError: The code is empty, no string, or can't be written as UTF-8.
            BadRequestError: The code is unknown, used or expired; `message` says what the server said.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        code = Secret.of(code)
        return await self._call(self._code_request(code, self._redirect_uri), oauth.user_token)

    def _code_request(self, code: Secret, redirect_uri: str, proof: Proof | None = None) -> HttpRequest:
        return oauth.token_request(
            self._base_url,
            self._credentials,
            "authorization_code",
            code=code,
            redirect_uri=redirect_uri,
            **(proof.fields() if proof else {}),
        )

    async def refresh_user_token(self, refresh_token: str | Secret | UserToken) -> UserToken:
        """The next token of a user. The old pair is dead by then, so save the new one at once.

        Args:
            refresh_token: The refresh token, or the whole token that holds it.

        Raises:
            ValueError: The refresh token is empty, no string, or can't be written as UTF-8.
            UnauthorizedError: The refresh token is unknown, used or expired (a `BadRequestError` on some servers).
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        refresh_token = Secret.of(
            refresh_token.refresh_token if isinstance(refresh_token, UserToken) else refresh_token
        )
        request = oauth.token_request(self._base_url, self._credentials, "refresh_token", refresh_token=refresh_token)
        return await self._call(request, oauth.user_token)

    async def validate_user_token(self, token: str | Secret | UserToken) -> User:
        """The account that a user token belongs to.

        Args:
            token: The user token.

        Raises:
            CredentialsError: The token holds characters that can't be sent.
            UnauthorizedError: The token is not valid, or not any more.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        token = token if isinstance(token, UserToken) else Secret.of(token)
        return await self._call(oauth.user_request(self._base_url, oauth.bearer(token).check()), decoding.USER)

    async def login(
        self,
        *,
        timeout: float = 300.0,
        open_browser: bool = True,
        port: int | None = None,
        ask: Callable[[str], str] = input,
    ) -> UserToken:
        """Have somebody log in with the browser of this machine, and get their token.

        Opens the browser and listens at the redirect URI, on this machine only, until the browser comes back. Where
        there is no browser, prints the URL, to be opened anywhere, and reads the address that the login ended at.
        Whoever comes to that port without the `state` of this login, or by a foreign name of this machine, is ignored.
        The code is of no use to anybody else where the server knows PKCE.

        Args:
            timeout: Seconds that the user may take, above 0.
            open_browser: Whether to look for a browser at all; `False` prints the URL at once.
            port: The port of the redirect URI, 1 to 65535, in place of the one that the client was made with. The
                changed redirect URI must be registered for the application too.
            ask: Shows a text to the user and returns the line that they enter.

        Raises:
            LoginError: The port is taken, the user refused, nobody logged in in time, or the pasted address has the
                wrong `state`, so that it isn't the answer to this login.
            ValueError: The redirect URI is not a plain http URI of this machine, or an argument is out of its range.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        # Servers and sockets are for the few who log in: nobody else pays for their import.
        from scapi._auth import loopback

        timeout = validation.positive("timeout", timeout)
        redirect_uri = oauth.loopback(self._redirect_uri, port)
        proof = oauth.Proof()
        url = oauth.authorize_url(self._base_url, self._credentials, redirect_uri, None, proof)
        with loopback.listen(redirect_uri, url.state) as arrived:
            loopback.send_user(url, redirect_uri, arrived, open_browser=open_browser, ask=ask)
            redirect = await _arrival(arrived, timeout)
        request = self._code_request(redirect.code(url.state), redirect_uri, proof)
        return await self._call(request, oauth.user_token)

    async def _call(self, http_request: HttpRequest, decode: Callable[[bytes], T]) -> T:
        http_request.check()
        with Guard(http_request):
            return decoding.read(await self._transport.send(http_request), decode, http_request)

    async def close(self) -> None:
        """End the requests under way and close all connections; an `http_client` of your own stays open."""
        await self._transport.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_credentials"):
            # Tracebacks that show local variables meet this one where the constructor refuses an argument.
            return "OAuthClient(...)"
        return f"OAuthClient({self._credentials!r}, redirect_uri={self._redirect_uri!r}, base_url={self._base_url!r})"


def for_application(credentials: Credentials, base_url: str, timeout: float | None, network: Network) -> OAuthClient:
    """A client from what another client has checked already."""
    client = OAuthClient.__new__(OAuthClient)
    client.__setstate__((credentials, REDIRECT_URI, base_url, timeout, network))
    return client


async def _arrival(arrived: Future[Redirect], timeout: float) -> Redirect:
    """Wait for the browser to come back."""
    wakeup = aio.Wakeup()
    arrived.add_done_callback(lambda _: wakeup.wake())
    ends = aio.now() + timeout
    while not arrived.done():
        left = ends - aio.now()
        if left <= 0:
            raise LoginError(f"nobody logged in within {timeout:g} seconds")
        await wakeup.wait(min(left, 1))
    return arrived.result()
