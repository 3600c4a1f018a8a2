"""What both worlds need to talk HTTP: limits, TLS, proxies, the caller's own httpx client, and what errors mean.

httpx itself is only imported where a client of the caller's sends: it takes longer than all of ours.
"""

from __future__ import annotations

import inspect
import logging
import math
import os
import select
import socket
import sys
from base64 import b64encode
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from scapi._core import arguments, http1
from scapi._core.body import Body
from scapi._core.traces import strip
from scapi.exceptions import DecodeError, RequestTimeoutError, ScApiException, TransportError

if TYPE_CHECKING:
    import ssl

    import httpx

    from scapi._core.outgoing import Outgoing
    from scapi._core.response import Reply

__all__ = [
    "CONNECT_TIMEOUT",
    "KEEPALIVE",
    "MAX_CONNECTIONS",
    "READ_SIZE",
    "TIMEOUT",
    "ConnectTimeout",
    "body_of",
    "check_client",
    "failure",
    "is_intercepted",
    "log",
    "proxy",
    "request_by",
    "tls",
    "wait",
]

logger = logging.getLogger("scapi")

TIMEOUT = 30.0
CONNECT_TIMEOUT = 10.0
#: Connections of one client. More calls than that at once wait for one to become free, first come, first served.
MAX_CONNECTIONS = 64
#: Seconds that an idle connection is kept for the next call.
KEEPALIVE = 60.0
#: Bytes that are read off the wire at once, into a buffer that a connection keeps: an allocation of this size for each
#: read would cost more than the read.
READ_SIZE = 256 * 1024


class ConnectTimeout(TimeoutError):
    """The connection could not be made in time, so that nothing was sent."""


# ── connecting ────────────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def tls() -> ssl.SSLContext:
    """One context for all connections: loading the certificates takes longer than a request."""
    import ssl

    import certifi

    # As httpx does it, so that nothing changes for who passes a client.
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if not file and not folder:
        file = certifi.where()
    context = ssl.create_default_context(cafile=file or None, capath=None if file else folder)
    context.set_alpn_protocols(["http/1.1"])
    return context


def proxy(origin: http1.Origin) -> http1.Proxy | None:
    """The proxy that the environment names for a host, or a `TransportError` if it is of a kind that isn't spoken."""
    url = _proxy(origin)
    try:
        return _parsed(url) if url else None
    except ValueError:
        # Neither the URL nor the error is shown: a password that isn't encoded is in both of them.
        raise TransportError("the proxy that the environment names is no valid URL") from None


def _parsed(url: str) -> http1.Proxy:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    origin = http1.Origin(parts.scheme, parts.hostname or "", parts.port or 80)
    if not arguments.is_host(origin.host):
        raise ValueError("a proxy needs a host")
    if origin.scheme != "http":
        raise TransportError(
            f"the environment names a {origin.scheme} proxy, and only http proxies are spoken to: pass "
            "http_client=httpx.Client(proxy=...), or an httpx.AsyncClient, which can do more"
        )
    user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return http1.Proxy(origin, f"Basic {b64encode(user.encode()).decode()}" if user != ":" else "")


def _proxy(origin: http1.Origin) -> str | None:
    from urllib.request import getproxies, proxy_bypass

    if origin.host in arguments.LOOPBACK or proxy_bypass(f"{origin.host}:{origin.port}"):
        return None
    return getproxies().get(origin.scheme) or getproxies().get("all")


def wait(descriptor: int, seconds: float = 0.0, *, to_write: bool = False) -> bool:
    """Whether something can be read from a socket, or written to it, within so many seconds."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT if to_write else select.POLLIN)
        return bool(poll.poll(math.ceil(1000 * seconds)))
    # Windows has no `poll`, no limit to the numbers that `select` takes, and calls a failed connection an exception.
    reads, writes = ([], [descriptor]) if to_write else ([descriptor], [])
    return any(select.select(reads, writes, writes, seconds))


# ── httpx in place of connections of our own ──────────────────────────────────────────────────────────────────────────


def check_client(client: object, kind: str) -> None:
    """Refuse a client of the other world, or anything else that isn't one."""
    if client is None:
        return
    import httpx

    if not isinstance(client, getattr(httpx, kind)):
        raise TypeError(f"http_client must be an httpx.{kind}, not {type(client).__name__}")


#: Where those who mock HTTP in tests put themselves: pytest-httpx in the first two, respx in the others.
_PLACES = (
    ("httpx", "HTTPTransport", "handle_request"),
    ("httpx", "AsyncHTTPTransport", "handle_async_request"),
    ("httpcore", "HTTPConnection", "handle_request"),
    ("httpcore", "AsyncHTTPConnection", "handle_async_request"),
)


def is_intercepted() -> bool:
    """Whether somebody mocks what httpx sends. Our requests then go by httpx too, where they are expected."""
    if "httpx" not in sys.modules:
        return False
    for module, owner, name in _PLACES:
        found = getattr(getattr(sys.modules.get(module), owner, None), name, None)
        # Who only watches, as OpenTelemetry does, wraps what was there.
        method = inspect.unwrap(found) if found else None
        if method and not (type(method) is FunctionType and method.__module__.startswith(module)):
            return True
    return False


def request_by(client: httpx.Client | httpx.AsyncClient, outgoing: Outgoing, timeout: float | None) -> httpx.Request:
    """The request for a client of the caller's, with what that client adds to its requests."""
    import httpx

    return client.build_request(
        outgoing.method,
        outgoing.url,
        headers=http1.HEADERS | outgoing.headers(),
        content=outgoing.content(),
        timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT)) if timeout else httpx.USE_CLIENT_DEFAULT,
    )


def body_of(response: httpx.Response, outgoing: Outgoing) -> tuple[Body, Any]:
    """What collects the body of an answer to a client of the caller's, and where its parts come from."""
    import httpx

    headers = dict(response.headers)
    if not response.is_stream_consumed:
        return Body(response.status_code, headers, outgoing), response.stream
    # A mock has made the body, or a hook of the caller's client has read it; either way it is decompressed.
    headers.pop("content-encoding", None)
    return Body(response.status_code, headers, outgoing), httpx.ByteStream(response.content)


# ── what came of it ───────────────────────────────────────────────────────────────────────────────────────────────────


def log(outgoing: Outgoing, reply: Reply) -> Reply:
    """The answer, for who debugs. The query isn't told: after a redirect it may be what opens the door."""
    if logger.isEnabledFor(logging.DEBUG):
        url = outgoing.url.partition("?")[0]
        logger.debug("%s %s: status %d, %d bytes", outgoing.method, url, reply.status, len(reply.body))
    return reply


def failure(cause: BaseException, url: str, *, outer: BaseException | None, closed: bool) -> BaseException:
    """What to raise for an exception that came up while a request was sent, a cancellation or an interruption included.

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
    elif isinstance(cause, _failures()):
        error = _translated(cause, url, _reason(chain))
    else:
        return cause
    error.__cause__ = cause
    return error


def _failures() -> tuple[type[Exception], ...]:
    return http1.ProtocolError, TimeoutError, OSError, *_of_httpx("HTTPError", "InvalidURL")


def _of_httpx(*names: str) -> tuple[type[Exception], ...]:
    """Classes of httpx's errors. Where httpx isn't loaded none of them can have come up."""
    httpx = sys.modules.get("httpx")
    return tuple(getattr(httpx, name) for name in names if hasattr(httpx, name))


def _translated(cause: BaseException, url: str, reason: str) -> ScApiException:
    """The documented error for one of the network's, or of httpx."""
    host = urlsplit(url).netloc
    if isinstance(cause, (TimeoutError, *_of_httpx("TimeoutException"))):
        connecting = isinstance(cause, (ConnectTimeout, *_of_httpx("ConnectTimeout")))
        doing = "could not be connected to" if connecting else "did not answer"
        return RequestTimeoutError(f"{host} {doing} in time", connecting=connecting)
    if isinstance(cause, _of_httpx("DecodingError")):
        return DecodeError(f"the body can't be decompressed: {reason}", url=url)
    return TransportError(f"no answer from {host}: {reason}")


def _reason(chain: list[BaseException]) -> str:
    """What the system said, where it said something: `All connection attempts failed` helps nobody."""
    for link in reversed(chain):
        if isinstance(link, socket.gaierror) or type(link).__module__ == "ssl":
            return str(link)
        if isinstance(link, OSError) and link.errno:
            return os.strerror(link.errno)
    return next((str(link) for link in chain if str(link)), type(chain[0]).__name__)
