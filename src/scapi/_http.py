"""What both worlds need of httpx: how to connect, what to send, how to read the answer, what its errors mean.

httpx is imported by this module and its two users, `_aio` and `_threads`, and by nothing else.
"""

from __future__ import annotations

import os
import socket
import ssl
import zlib
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from scapi import _version
from scapi._core.arguments import LOOPBACK
from scapi._core.response import KEPT, Reply
from scapi._core.traces import strip
from scapi.config import Config
from scapi.exceptions import DecodeError, RequestTimeoutError, ScApiException, TransportError

if TYPE_CHECKING:
    from zlib import _Decompress  # pyright: ignore[reportPrivateUsage]  # typeshed's name, there is no public one

    import httpcore

    from scapi._core.outgoing import Outgoing

__all__ = [
    "CONNECT_TIMEOUT",
    "MAX_CONNECTIONS",
    "TIMEOUT",
    "Body",
    "check_client",
    "connection_options",
    "failure",
    "has_leftovers",
    "is_ready",
    "request",
    "request_by",
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
    return {"verify": _tls(), "limits": limits, "proxy": _proxy(url)}


@cache
def _tls() -> ssl.SSLContext:
    """One context for all connections: loading the certificates takes longer than a request."""
    return httpx.create_ssl_context()


def is_ready(
    connection: httpcore.ConnectionInterface | httpcore.AsyncConnectionInterface, request: httpcore.Request
) -> bool:
    """Whether a connection can take a request: it is there, at rest, not too old, and leads to the right host."""
    return connection.is_idle() and not connection.has_expired() and connection.can_handle_request(request.url.origin)


def has_leftovers(transport: httpx.HTTPTransport | httpx.AsyncHTTPTransport) -> bool:
    """Whether more than the answer has arrived. On a connection that is kept, the next request would be answered by it.

    Neither httpx nor httpcore looks at this or has a method for it; a test sees to it that it goes on working.
    """
    pool: Any = vars(transport)["_pool"]
    for connection in pool.connections:
        link = connection
        while link is not None and not hasattr(link, "_h11_state"):
            link = getattr(link, "_connection", None)
        if link is not None and link._h11_state.trailing_data[0]:
            return True
    return False


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
    # Without a token along with it, as after a redirect, the URL itself may be what opens the door: it isn't kept.
    url = _url(outgoing.url) if outgoing.credentials else httpx.URL(outgoing.url)
    return httpx.Request(
        outgoing.method,
        url,
        # The host is named here because httpx would look through all headers for it and make them anew.
        headers={"Host": url.netloc.decode("ascii"), **HEADERS, **outgoing.headers()},
        content=outgoing.content(),
        extensions={"timeout": _phases(timeout)},
    )


#: Parsing a URL takes httpx as long as a quarter of the rest of a call, and collectors ask for the same ones forever.
_url = lru_cache(maxsize=512)(httpx.URL)


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
        self._response = response
        self._outgoing = outgoing
        self._limit = Config.MAX_BODY
        self._size = 0
        self._begun = False
        self._chunks: list[bytes] = []
        self._gzip = self._decompressor(response.headers.get("content-encoding", "identity").strip().lower())
        self._encoded = self._gzip is not None

    @property
    def length(self) -> int | None:
        """How many bytes the whole body has, if the server said so."""
        stated = self._response.headers.get("content-length", "")
        return int(stated) if stated.isdecimal() and not self._encoded else None

    def add(self, chunk: bytes) -> None:
        """Take the next chunk off the wire, or raise `DecodeError` if it can't be decompressed or is too much."""
        # One byte more than allowed is enough to know that it is too much.
        chunk = self.unpack(chunk, self._limit - self._size + 1)
        self._size += len(chunk)
        if self._size > self._limit:
            raise self._error(f"the body is larger than Config.MAX_BODY, {self._limit} bytes")
        self._chunks.append(chunk)

    def unpack(self, chunk: bytes, most: int = 0) -> bytes:
        """A chunk off the wire, decompressed if need be, up to so many bytes; 0 for all of them."""
        if self._gzip is None:
            return chunk
        self._begun = True
        try:
            return self._gzip.decompress(chunk, most)
        except zlib.error as cause:
            raise self._error(f"the body can't be decompressed: {cause}") from cause

    def reply(self) -> Reply:
        """The whole answer."""
        if self._gzip and self._begun and not self._gzip.eof:
            raise self._error("the body can't be decompressed: it is cut off")
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        return Reply(self._response.status_code, self._response.headers, body)

    def stream(self) -> httpx.SyncByteStream | httpx.AsyncByteStream:
        """Where the chunks come from."""
        if not self._response.is_stream_consumed:
            return self._response.stream
        # A mock has made the body, or a hook of the caller's client has read it; either way it is decompressed.
        self._gzip = None
        return httpx.ByteStream(self._response.content)

    def _decompressor(self, encoding: str) -> _Decompress | None:
        """What unpacks the body. An encoding that wasn't asked for is refused: `gzip, gzip` packs 1 MB into a byte."""
        if encoding in {"identity", ""}:
            return None
        if encoding not in {"gzip", "x-gzip"}:
            raise self._error(f"the body is encoded as {encoding[:40]!r}, which was not asked for")
        return zlib.decompressobj(zlib.MAX_WBITS | 16)

    def _error(self, message: str) -> DecodeError:
        body = self._outgoing.redact(b"".join(self._chunks))[:KEPT]
        return DecodeError(message, body=body, url=self._outgoing.url, status=self._response.status_code)


def failure(cause: BaseException, url: str, *, outer: BaseException | None, closed: bool) -> BaseException:
    """What to raise for an exception that came out of httpx, a cancellation or an interruption included.

    Those that aren't translated are raised as they are, but without their tracebacks.

    Args:
        cause: The exception.
        url: Where the request went.
        outer: What was being handled when the request began.
        closed: Whether the client has been closed meanwhile.
    """
    chain = strip(cause, outer)
    if closed and isinstance(cause, Exception):
        error: BaseException = TransportError("the client was closed during the call")
    elif isinstance(cause, FAILURES):
        error = _translated(cause, url, _reason(chain))
    else:
        return cause
    error.__cause__ = cause
    return error


def _translated(cause: BaseException, url: str, reason: str) -> ScApiException:
    """The documented error for one of httpx."""
    host = urlsplit(url).netloc
    if isinstance(cause, httpx.TimeoutException | TimeoutError):
        connecting = isinstance(cause, httpx.ConnectTimeout)
        doing = "could not be connected to" if connecting else "did not answer"
        return RequestTimeoutError(f"{host} {doing} in time", connecting=connecting)
    if isinstance(cause, httpx.DecodingError):
        return DecodeError(f"the body can't be decompressed: {reason}", url=url)
    return TransportError(f"no answer from {host}: {reason}")


def _reason(chain: list[BaseException]) -> str:
    """What the system said, where it said something: `All connection attempts failed` helps nobody."""
    for link in reversed(chain):
        if isinstance(link, ssl.SSLError | socket.gaierror):
            return str(link)
        if isinstance(link, OSError) and link.errno:
            return os.strerror(link.errno)
    return next((str(link) for link in chain if str(link)), type(chain[0]).__name__)
