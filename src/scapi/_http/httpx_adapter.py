"""The HTTP library, and what both worlds need from it: limits, TLS, proxies, requests, responses and errors.

No other module imports httpx or httpcore. Their maintained forks, httpx2 and httpcore2, have the same names: to switch,
import those as `httpx` and `httpcore` below. This module is imported with the first client, because httpx takes longer
to import than all of scapi.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import ssl
import sys
from contextlib import suppress
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import h11
import httpcore
import httpx

from scapi import _version
from scapi._base import escaping, validation
from scapi._base.extras import extra
from scapi._base.secrets import Secret, reveal
from scapi._http.body import Body
from scapi._http.redaction import Redactor, mask_all
from scapi._http.tracebacks import strip
from scapi.exceptions import ClosedError, DecodeError, RequestTimeoutError, ScApiException, TransportError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType

    from scapi._http.messages import HttpRequest, HttpResponse
    from scapi._http.network import Network

# The generated transport imports the libraries from here.
__all__ = ["httpcore", "httpx"]

logger = logging.getLogger("scapi")

TIMEOUT = 30.0
CONNECT_TIMEOUT = 10.0
#: The maximum number of connections of one client. Further calls wait for a free one, first come, first served.
MAX_CONNECTIONS = 64
#: How long an idle connection is kept for the next call, in seconds.
KEEPALIVE = 60.0

HEADERS = {
    "User-Agent": f"scapi/{_version.__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
}

#: A header value: Latin-1 without ASCII control characters except tabs.
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class ConnectTimeout(TimeoutError):
    """The connection could not be made in time. Nothing was sent."""


class ProxyFailed(Exception):
    """A proxy can't be reached, or rejects the request. The cause says why. User and password aren't shown.

    Attributes:
        redactor: Masks the user and password. The proxy may echo them.
    """

    def __init__(self, proxy: httpcore.Proxy) -> None:
        url = proxy.url
        self.redactor = Redactor(
            *(part.decode("latin-1") for part in proxy.auth or ()),
            *(value.partition(b" ")[2].decode("latin-1") for _, value in proxy.headers),
        )
        super().__init__(f"the proxy {url.scheme.decode()}://{url.host.decode()}:{url.origin.port}")


# ── connecting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def tls(verify: ssl.SSLContext | str | bool) -> ssl.SSLContext:
    """Return the TLS context for these settings. It is cached: loading certificates takes longer than a request.

    Args:
        verify: A context, the path of a file or folder of certificates, or whether to verify at all. `True` uses the
            certificates at `SSL_CERT_FILE` or `SSL_CERT_DIR`, otherwise those of `certifi`.

    Raises:
        ValueError: There are no certificates at that path.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    return _tls(verify, os.environ.get("SSL_CERT_FILE") or None, os.environ.get("SSL_CERT_DIR") or None)


@cache
def _tls(verify: str | bool, file: str | None, folder: str | None) -> ssl.SSLContext:
    if verify is False:
        return httpx.create_ssl_context(verify=False)
    if verify is not True:
        return _trusting("verify", verify)
    if file:
        return _trusting("SSL_CERT_FILE", file)
    if folder:
        return _trusting("SSL_CERT_DIR", folder)
    return httpx.create_ssl_context(trust_env=False)


def _trusting(name: str, path: str) -> ssl.SSLContext:
    place = validation.path(name, path)
    is_folder = place.is_dir()
    try:
        return ssl.create_default_context(cafile=None if is_folder else place, capath=place if is_folder else None)
    except OSError as cause:  # `ssl.SSLError` is a subclass
        reason = cause.strerror if cause.filename or not isinstance(cause, ssl.SSLError) else "no certificate in it"
        raise ValueError(f"{name} must name a file or folder of certificates, not {path!r}: {reason}") from None


def proxy_for(origin: httpcore.Origin, network: Network) -> httpcore.Proxy | None:
    """Return the proxy for an origin: the one of the client, or the one that the environment names.

    Raises:
        ValueError: The proxy's URL can't be used. The message shows neither the URL nor the cause: both may contain the
            password.
    """
    url = network.proxy or Secret.of(_proxy_of_the_environment(origin))
    if not url:
        return None
    proxy = _parsed(url)
    if proxy is None:
        name = "the proxy that the environment names" if network.proxy is None else "proxy"
        raise ValueError(f"{name} must be a URL such as 'http://user:password@proxy.example:3128' or 'socks5://...'")
    where = proxy.url
    if where.scheme.startswith("socks"):
        with extra("socks"):
            import_module("socksio")  # httpcore needs it
    return httpcore.Proxy(
        httpcore.URL(scheme=where.raw_scheme, host=where.raw_host, port=where.port, target=where.raw_path),
        auth=proxy.raw_auth and (_Unshown(proxy.raw_auth[0]), _Unshown(proxy.raw_auth[1])),
        headers=proxy.headers.raw,
        ssl_context=tls(network.verify) if where.scheme == "https" else None,
    )


class _Unshown(bytes):
    """The user or password for a proxy, hidden in logs. httpcore requires bytes, and logs them at DEBUG."""

    def __repr__(self) -> str:
        return "***"


def _parsed(url: Secret) -> httpx.Proxy | None:
    # Nothing is raised here: the new error would keep httpx's error, which contains the URL, as its context.
    with suppress(httpx.InvalidURL, ValueError):
        proxy = httpx.Proxy(url.reveal() if "://" in url.reveal() else f"http://{url.reveal()}")
        if validation.is_host(proxy.url.host):
            return proxy
    return None


def _proxy_of_the_environment(origin: httpcore.Origin) -> str | None:
    host = origin.host.decode("ascii")
    if host in validation.LOOPBACK or proxy_bypass(f"{host}:{origin.port}"):
        return None
    return getproxies().get(origin.scheme.decode("ascii")) or getproxies().get("all")


def h11_of(connection: object) -> h11.Connection | None:
    """Return the HTTP parser of an httpcore connection. It knows about data received after a response.

    Neither httpx nor httpcore checks for such data, and it would be read as the response to the next request. The
    parser is found by its type, so that nothing here depends on a private name.
    """
    for value in vars(connection).values():
        if isinstance(value, h11.Connection):
            return value
        if isinstance(value, httpcore.ConnectionInterface | httpcore.AsyncConnectionInterface):
            return h11_of(value)
    return None


def has_unread_bytes(encrypted: Any) -> bool:
    """Return whether TLS holds unread bytes. They are invisible on the socket.

    Args:
        encrypted: The `ssl_object` of an httpcore stream.
    """
    if not isinstance(encrypted, ssl.SSLObject):
        return bool(encrypted.pending())
    # TLS over buffers: received data may not be decrypted yet, and only a read shows it.
    try:
        encrypted.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        pass
    return True


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def request(http_request: HttpRequest, extensions: Mapping[str, Any]) -> httpx.Request:
    """Build the request for one of our transports."""
    # A URL without credentials beside it, as after a redirect, may contain some itself: it isn't cached.
    url = _url(http_request.url) if http_request.credentials else httpx.URL(http_request.url)
    return httpx.Request(
        http_request.method,
        url,
        # Without a Host header httpx would search and rebuild all headers.
        headers=_encoded({"Host": url.netloc.decode("ascii")} | HEADERS | http_request.headers()),
        content=http_request.content(),
        extensions=dict(extensions),
    )


def extensions_of(request: Any) -> dict[str, Any]:
    """Return the extensions of an httpcore request, with a more precise type."""
    extensions: dict[str, Any] = request.extensions
    return extensions


#: Parsing a URL takes httpx a quarter as long as the rest of a call, and collectors request the same URLs forever.
_url = lru_cache(maxsize=512)(httpx.URL)


def _encoded(headers: Mapping[str, str | Secret]) -> list[tuple[bytes, bytes]]:
    """Return headers as they are sent.

    Raises:
        ValueError: A header can't be sent. The message names the header, not the value.
    """
    for name, value in headers.items():
        if not VALUE.fullmatch(reveal(value)):
            raise ValueError(f"the header {name} contains characters that can't be sent")
    return [(name.encode("ascii"), reveal(value).encode("latin-1")) for name, value in headers.items()]


def request_by(client: Any, http_request: HttpRequest, timeout: float | None) -> httpx.Request:
    """Build the request for the caller's client, including its default headers and other settings."""
    library = next(library for library in _libraries() if isinstance(client, library.Client | library.AsyncClient))
    built: httpx.Request = client.build_request(
        http_request.method,
        http_request.url,
        headers=_encoded(HEADERS | http_request.headers()),
        content=http_request.content(),
        timeout=library.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT))
        if timeout
        else library.USE_CLIENT_DEFAULT,
    )
    return built


def check_client(client: object, kind: type[httpx.AsyncClient | httpx.Client]) -> None:
    """Raise `TypeError` for anything but a client of this world."""
    if client is None or any(isinstance(client, getattr(library, kind.__name__)) for library in _libraries()):
        return
    found = f"{type(client).__module__}.{type(client).__qualname__}"
    raise TypeError(f"http_client must be an httpx.{kind.__name__} or an httpx2.{kind.__name__}, not {found}")


def _libraries() -> list[ModuleType]:
    """Return httpx, and its fork if that is loaded: otherwise no object can be an instance of its classes."""
    return [sys.modules[name] for name in ("httpx", "httpx2") if name in sys.modules]


# ── responses ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def body_of(response: httpx.Response, http_request: HttpRequest) -> tuple[Body, Any]:
    """Return a collector for the body of a response, and the stream to read it from."""
    headers = dict(response.headers)
    if response.is_stream_consumed:
        # A mock made the body, or a hook of the caller's client has read it: it is already decompressed.
        headers.pop("content-encoding", None)
        return Body(response.status_code, headers, http_request), httpx.ByteStream(response.content)
    return Body(response.status_code, headers, http_request), response.stream


def check_end(response: httpx.Response, http_request: HttpRequest) -> None:
    """Raise an error for a response over TLS with neither a length nor chunks: truncation can't be detected."""
    if response.extensions.get("network_stream") is None or response.status_code in {204, 304}:
        return  # it comes from a mock, or has no body
    if http_request.url.startswith("https:") and not {"content-length", "transfer-encoding"} & response.headers.keys():
        raise httpx.RemoteProtocolError("the response has neither a length nor chunks: truncation can't be detected")


def log(http_request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Log the response at DEBUG. The query is left out: after a redirect it may contain credentials."""
    if logger.isEnabledFor(logging.DEBUG):
        url = http_request.url.partition("?")[0]
        logger.debug(
            "%s %s: status %d, %d bytes", http_request.method, escaping.log(url), response.status, len(response.body)
        )
    return response


# ── errors ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def failure(cause: BaseException, url: str, *, outer: BaseException | None, closed: bool) -> BaseException:
    """Return the exception to raise for one that occurred while sending a request.

    Exceptions that aren't translated, such as a cancellation, are returned unchanged but without their tracebacks.

    Args:
        cause: The exception.
        url: The URL of the request.
        outer: The exception that was being handled when the request began.
        closed: Whether the client has been closed in the meantime.
    """
    chain = strip(cause, outer)
    if isinstance(cause, ProxyFailed):
        for link in chain:
            mask_all(link, cause.redactor)
    if closed and isinstance(cause, Exception):
        error: BaseException = ClosedError("the client was closed during the call")
    elif isinstance(cause, (ProxyFailed, OSError, *_of_the_libraries("HTTPError", "InvalidURL"))):
        error = _translated(cause, url, escaping.log(_reason(chain)))
    else:
        return cause
    error.__cause__ = cause
    return error


def _of_the_libraries(*names: str) -> tuple[type[Exception], ...]:
    return tuple(getattr(library, name) for library in _libraries() for name in names)


def _translated(cause: BaseException, url: str, reason: str) -> ScApiException:
    """Return the documented error for an error of the network or of httpx."""
    host = urlsplit(url).netloc
    timeouts: tuple[type[Exception], ...] = (TimeoutError, *_of_the_libraries("TimeoutException"))
    if isinstance(cause, ProxyFailed):
        if isinstance(cause.__cause__, timeouts):
            return RequestTimeoutError(f"could not connect to {cause} in time", connecting=True)
        return TransportError(f"no response from {host}: {cause} failed: {reason}")
    if isinstance(cause, timeouts):
        # After a `PoolTimeout` of the caller's client nothing was sent either.
        connecting = isinstance(cause, (ConnectTimeout, *_of_the_libraries("ConnectTimeout", "PoolTimeout")))
        failed = f"could not connect to {host}" if connecting else f"{host} did not respond"
        return RequestTimeoutError(f"{failed} in time", connecting=connecting)
    if isinstance(cause, _of_the_libraries("DecodingError")):
        return DecodeError(f"the body can't be decompressed: {reason}", url=url)
    return TransportError(f"no response from {host}: {reason}")


def _reason(chain: Iterable[BaseException]) -> str:
    """Return the reason that the system gave, if any. It says more than `All connection attempts failed`."""
    links = list(chain)
    for link in reversed(links):
        if isinstance(link, socket.gaierror | ssl.SSLError):
            return str(link)
        if isinstance(link, OSError) and link.errno:
            return os.strerror(link.errno)
    messages = (str(link) for link in links if not isinstance(link, ProxyFailed))
    return next((text for text in messages if text), type(links[-1]).__name__)
