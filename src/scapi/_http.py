"""What both worlds need of httpx: how to connect, what to send, how to read the answer, what its errors mean.

httpx is imported by this module and its two users, `_aio` and `_threads`, and by nothing else.
"""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from scapi import _version
from scapi._core.arguments import LOOPBACK
from scapi._core.response import KEPT, Reply, bare
from scapi.config import Config
from scapi.exceptions import DecodeError, RequestTimeoutError, ScApiException, TransportError

if TYPE_CHECKING:
    from scapi._core.outgoing import Outgoing

__all__ = [
    "CONNECT_TIMEOUT",
    "FAILURES",
    "MAX_CONNECTIONS",
    "TIMEOUT",
    "Body",
    "check_client",
    "connection_options",
    "request",
    "request_by",
    "translated",
]

TIMEOUT = 30.0
CONNECT_TIMEOUT = 10.0
#: Connections of one client. More calls than that at once wait for one to become free, first come, first served.
MAX_CONNECTIONS = 64
#: Seconds that an idle connection is kept for the next call.
KEEPALIVE = 60.0

#: What a request can fail with. A `TimeoutError` is our own deadline; an `OSError` gets past httpx in rare races.
FAILURES = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError)

HEADERS = {
    "User-Agent": f"scapi/{_version.__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
}


def connection_options(url: str) -> dict[str, Any]:
    """The arguments of an httpx transport that holds one connection to the host of `url`."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEPALIVE)
    return {"verify": _tls(urlsplit(url).scheme), "limits": limits, "proxy": _proxy(url)}


@cache
def _tls(scheme: str) -> ssl.SSLContext:
    """One context for all connections: loading the certificates takes longer than a request."""
    return httpx.create_ssl_context() if scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _proxy(url: str) -> httpx.Proxy | None:
    """The proxy that the environment names for this URL. Our own transports don't look there by themselves."""
    parts = urlsplit(url)
    if parts.hostname in LOOPBACK or proxy_bypass(parts.netloc):
        return None
    proxy = getproxies().get(parts.scheme) or getproxies().get("all")
    return httpx.Proxy(proxy) if proxy else None


def check_client(client: object, kind: type) -> None:
    """Refuse a client of the other world, or anything else that isn't one."""
    if client is not None and not isinstance(client, kind):
        raise TypeError(f"http_client must be an httpx.{kind.__name__}, not {type(client).__name__}")


def request(outgoing: Outgoing, timeout: float) -> httpx.Request:
    """The request for a transport of ours. No phase gets more time than the whole call has."""
    return httpx.Request(
        outgoing.method,
        outgoing.url,
        headers=HEADERS | outgoing.headers(),
        content=outgoing.content(),
        extensions={"timeout": _phases(timeout)},
    )


def request_by(client: httpx.Client | httpx.AsyncClient, outgoing: Outgoing, timeout: float | None) -> httpx.Request:
    """The request for a client of the caller's, with what that client adds to its requests."""
    return client.build_request(
        outgoing.method,
        outgoing.url,
        headers=HEADERS | outgoing.headers(),
        content=outgoing.content(),
        timeout=httpx.Timeout(**_phases(timeout)) if timeout else httpx.USE_CLIENT_DEFAULT,
    )


def _phases(timeout: float) -> dict[str, float]:
    return {"connect": min(timeout, CONNECT_TIMEOUT), "read": timeout, "write": timeout, "pool": timeout}


class Body:
    """Collects the body of an answer, up to a limit, so that a gzip bomb ends in an error, not in swap."""

    def __init__(self, response: httpx.Response, outgoing: Outgoing) -> None:
        self.encoded = "content-encoding" in response.headers
        self._response = response
        self._outgoing = outgoing
        self._limit = Config.MAX_BODY
        self._size = 0
        self._chunks: list[bytes] = []

    @property
    def length(self) -> int | None:
        """How many bytes the whole body has, if the server said so."""
        stated = self._response.headers.get("content-length", "")
        return int(stated) if stated.isdecimal() and not self.encoded else None

    def add(self, chunk: bytes) -> None:
        """Take the next chunk, or raise `DecodeError` once there are too many of them."""
        self._size += len(chunk)
        if self._size > self._limit:
            raise DecodeError(
                f"the body is larger than Config.MAX_BODY, {self._limit} bytes",
                body=self._outgoing.redact(b"".join(self._chunks))[:KEPT],
                url=self._outgoing.url,
                status=self._response.status_code,
            )
        self._chunks.append(chunk)

    def reply(self) -> Reply:
        """The whole answer."""
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        return Reply(self._response.status_code, self._response.headers, body)


def translated(cause: Exception, url: str) -> ScApiException:
    """The documented error for one of httpx, with its cause chained.

    The cause loses its traceback: the frames of an HTTP library hold headers and bodies, and a traceback that shows
    local variables would print them.
    """
    host = urlsplit(url).netloc
    reason = str(cause) or type(cause).__name__
    error: ScApiException
    if isinstance(cause, httpx.TimeoutException | TimeoutError):
        connecting = isinstance(cause, httpx.ConnectTimeout)
        doing = "could not be connected to" if connecting else "did not answer"
        error = RequestTimeoutError(f"{host} {doing} in time", connecting=connecting)
    elif isinstance(cause, httpx.DecodingError):
        error = DecodeError(f"the body can't be decompressed: {reason}", url=url)
    else:
        error = TransportError(f"no answer from {host}: {reason}")
    error.__cause__ = bare(cause)
    return error
