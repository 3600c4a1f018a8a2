"""`OAuthClient`: logs users in, and fetches and refreshes tokens."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self, TypeAlias, TypedDict, TypeVar, Unpack
from urllib.parse import urlsplit

from scapi._api import decoding
from scapi._api.settings import Settings, checked_user_agent
from scapi._async.clock import Clock
from scapi._async.closable import Closable
from scapi._auth import oauth
from scapi._base import validation
from scapi._base.secrets import Secret
from scapi._http.credentials import Credentials
from scapi._http.guard import Guard
from scapi._http.network import Network
from scapi._primitives import aio
from scapi.config import start_oauth_url
from scapi.exceptions import LoginError
from scapi.models import ResponseInfo, UserToken

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from concurrent.futures import Future

    import httpx

    from scapi._auth.oauth import AuthorizeUrl, Proof, Redirect
    from scapi._http.messages import HttpRequest, HttpResponse
    from scapi.models import AppToken, User

    #: Credentials, redirect URI, options, network.
    _State: TypeAlias = tuple[Credentials, str, Settings, Network]


T = TypeVar("T")

#: The default redirect URI of a login. It must be registered for the application.
REDIRECT_URI = "http://localhost:8723/callback"


class Options(TypedDict, total=False):
    """The arguments of the client, except for its credentials."""

    redirect_uri: str
    base_url: str | None
    timeout: float | None
    on_response: Callable[[ResponseInfo], object] | None
    user_agent: str | None
    http_client: httpx.AsyncClient | None
    proxy: str | Secret | None
    verify: ssl.SSLContext | str | bool | None


class OAuthClient(Closable):
    """Fetches tokens, for the application itself and for the users who log in.

    Requests are never retried: a code and a refresh token work only once.

    Source: https://eapi.stalzone.com/auth.html

    Args:
        client_id: The application's id.
        client_secret: The application's secret.
        redirect_uri: Where the browser goes after the login. It must equal one that is registered for the application.
        base_url: The URL of the OAuth server. By default `SCAPI_OAUTH_URL` from the environment, otherwise
            `BaseUrl.OAUTH`.
        timeout: Seconds that a request may take in total; 30 by default, at most 10 of them to connect.
        on_response: A plain function that gets a `ResponseInfo` for each response, as of `AppClient`.
        user_agent: The name of the program, such as `market-bot/1.2`. It precedes scapi's own in `User-Agent`.
        http_client: Your own `httpx.AsyncClient`, or one of `httpx2`, to send requests with. It is used unchanged and
            never closed.
        proxy: The URL of an HTTP, HTTPS or SOCKS5 proxy, instead of the one that the environment names.
        verify: The certificates that TLS trusts: an `ssl.SSLContext`, or the path of a file or folder. By default
            those that `SSL_CERT_FILE` or `SSL_CERT_DIR` names, otherwise those of `certifi`.

    Raises:
        CredentialsError: The id, the secret or both are missing.
        ValueError: An argument is out of range.

    Examples:
        ```python
        from scapi import OAuthClient

        async with OAuthClient.from_env() as oauth:
            token = await oauth.get_app_token()
        ```
    """

    __module__ = aio.PUBLIC
    _clock = Clock()

    def __init__(
        self,
        *,
        client_id: str | None,
        client_secret: str | Secret | None,
        redirect_uri: str = REDIRECT_URI,
        base_url: str | None = None,
        timeout: float | None = None,
        on_response: Callable[[ResponseInfo], object] | None = None,
        user_agent: str | None = None,
        http_client: httpx.AsyncClient | None = None,
        proxy: str | Secret | None = None,
        verify: ssl.SSLContext | str | bool | None = None,
    ) -> None:
        client_secret, proxy = Secret.of(client_secret), Secret.of(proxy)
        self.__setstate__(
            (
                Credentials(client_id=client_id, client_secret=client_secret).check_pair(),
                oauth.checked_redirect_uri(redirect_uri),
                Settings(
                    start_oauth_url() if base_url is None else validation.base_url("base_url", base_url),
                    user_agent=checked_user_agent(user_agent),
                ).changed(timeout=timeout, on_response=on_response),
                Network(http_client, proxy, verify).check(),
            )
        )

    def __getstate__(self) -> _State:
        self._network.check_pickled(self)
        return self._credentials, self._redirect_uri, self._settings, self._network

    def __setstate__(self, state: _State) -> None:
        # Imported with the first client, because importing httpx takes longer than importing scapi.
        from scapi._async.transport import Transport

        self._credentials, self._redirect_uri, self._settings, self._network = state
        self._base_url, timeout = self._settings.base_url, self._settings.timeout
        self._transport = Transport(base_url=self._base_url, timeout=timeout, network=self._network, clock=self._clock)

    @classmethod
    def from_env(cls, **options: Unpack[Options]) -> Self:
        """Create a client with the credentials from the environment: `SCAPI_CLIENT_ID` and `SCAPI_CLIENT_SECRET`.

        Args:
            options: Any other argument of the class.

        Raises:
            CredentialsError: One or both variables are missing.
        """
        # Not `os.environ.get`: a traceback may show the repr of `os.environ`, which is the whole environment.
        return cls(client_id=os.getenv("SCAPI_CLIENT_ID"), client_secret=os.getenv("SCAPI_CLIENT_SECRET"), **options)

    def get_authorize_url(self, *, state: str | None = None) -> AuthorizeUrl:
        """Return the URL at which a user logs in. For programs with their own web page; others use `login()`.

        Args:
            state: The value that the redirect returns, which ties it to one visitor; random by default.

        Returns:
            The URL, a string with an attribute `state`. The `state` of the redirect must equal it.
        """
        return oauth.authorize_url(self._base_url, self._credentials, self._redirect_uri, state)

    async def get_app_token(self) -> AppToken:
        """Fetch a token for the application itself. `AppClient(client_id=..., client_secret=...)` does this for you.

        Raises:
            UnauthorizedError: The server doesn't know the application.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        request = oauth.token_request(self._base_url, self._credentials, "client_credentials")
        return await self._call(request, oauth.app_token)

    async def get_user_token(self, code: str | Secret) -> UserToken:
        """Exchange the code of a login for the user's token.

        Args:
            code: The `code` of the redirect. Check the `state` of the redirect first. A code works once, and only for a
                short time.

        Raises:
            ValueError: The code is empty, not a string, or can't be encoded as UTF-8.
            BadRequestError: The code is unknown, used or expired; `message` is the server's message.
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
        """Fetch the next token of a user. The old pair stops working, so save the new one at once.

        Args:
            refresh_token: The refresh token, or the whole token that contains it.

        Raises:
            ValueError: The refresh token is empty, not a string, or can't be encoded as UTF-8.
            UnauthorizedError: The refresh token is unknown, used or expired (a `BadRequestError` on some servers).
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        refresh_token = Secret.of(
            refresh_token.refresh_token if isinstance(refresh_token, UserToken) else refresh_token
        )
        request = oauth.token_request(self._base_url, self._credentials, "refresh_token", refresh_token=refresh_token)
        return await self._call(request, oauth.user_token)

    async def validate_user_token(self, token: str | Secret | UserToken) -> User:
        """Fetch the account that a user token belongs to.

        Args:
            token: The user token.

        Raises:
            CredentialsError: The token contains characters that can't be sent.
            UnauthorizedError: The token is invalid or expired.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        token = token if isinstance(token, UserToken) else Secret.of(token)
        return await self._call(oauth.user_request(self._base_url, oauth.bearer(token).check()), decoding.USER)

    async def login(
        self,
        *,
        login_timeout: float = 300.0,
        open_browser: bool = True,
        port: int | None = None,
        ask: Callable[[str], str] = input,
    ) -> UserToken:
        """Log a user in with the browser of this machine, and return their token.

        Opens the browser and listens on the redirect URI, on this machine only, until the browser comes back. Without a
        browser, prints the URL, which the user may open anywhere, and reads the address that the login ended at.
        Requests to that port without the `state` of this login, or with a foreign host name, are ignored. If the server
        supports PKCE, the code is useless to anybody else.

        Args:
            login_timeout: Seconds that the user may take, above 0.
            open_browser: Whether to look for a browser; `False` prints the URL at once.
            port: The port of the redirect URI, 1 to 65535, instead of the client's. The changed redirect URI must be
                registered for the application too.
            ask: Shows a text to the user and returns the line that they enter.

        Raises:
            LoginError: The port is taken, the user refused, nobody logged in in time, or the pasted address belongs to
                another login: its `state` is wrong.
            ValueError: The redirect URI is not a plain http URI of this machine, or an argument is out of range.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        # Imported here because only a login needs an HTTP server.
        from scapi._auth import loopback

        login_timeout = validation.positive("login_timeout", login_timeout)
        redirect_uri = oauth.loopback(self._redirect_uri, port)
        proof = oauth.Proof()
        url = oauth.authorize_url(self._base_url, self._credentials, redirect_uri, None, proof)
        with loopback.listen(redirect_uri, url.state) as arrived:
            loopback.send_user(url, redirect_uri, arrived, open_browser=open_browser, ask=ask)
            redirect = await self._arrival(arrived, login_timeout)
        request = self._code_request(redirect.code(url.state), redirect_uri, proof)
        return await self._call(request, oauth.user_token)

    async def _arrival(self, arrived: Future[Redirect], timeout: float) -> Redirect:
        """Wait for the browser to come back."""
        wakeup = aio.Wakeup()
        arrived.add_done_callback(lambda _: wakeup.wake())
        ends = self._clock.now() + timeout
        while not arrived.done():
            left = ends - self._clock.now()
            if left <= 0:
                raise LoginError(f"nobody logged in within {timeout:g} seconds")
            await self._clock.wait(wakeup, min(left, 1))
        return arrived.result()

    async def _call(self, http_request: HttpRequest, decode: Callable[[bytes], T]) -> T:
        http_request.check()
        http_request.extra = self._settings.headers()
        begun = self._clock.now()
        with Guard(http_request):
            response = await self._transport.send(http_request)
            self._tell(http_request, response, self._clock.now() - begun)
            return decoding.read(response, decode, http_request)

    def _tell(self, http_request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        """Pass a response to `on_response`."""
        if self._settings.on_response is not None:
            path = urlsplit(http_request.url).path
            info = ResponseInfo(
                method=http_request.method,
                operation=f"oauth_{path.rpartition('/')[2]}",
                path=path,
                status=response.status,
                headers=http_request.redact_headers(response.headers),
                seconds=seconds,
                attempts=1,
                waited=0.0,
                remaining=None,
            )
            self._settings.on_response(info)

    async def close(self) -> None:
        """Cancel the requests in progress and close all connections. Your own `http_client` stays open."""
        await self._transport.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_credentials"):
            # The constructor rejected an argument, and a traceback shows local variables.
            return "OAuthClient(...)"
        return f"OAuthClient({self._credentials!r}, redirect_uri={self._redirect_uri!r}, base_url={self._base_url!r})"


def for_application(credentials: Credentials, settings: Settings, network: Network) -> OAuthClient:
    """Create a client from arguments that another client has already validated."""
    client = OAuthClient.__new__(OAuthClient)
    client.__setstate__((credentials, REDIRECT_URI, settings, network))
    return client
