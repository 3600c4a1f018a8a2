"""One httpcore connection. All its waits end at the deadline of the call that uses it."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from scapi._http import httpx_adapter
from scapi._http.httpx_adapter import httpcore, httpx
from scapi._primitives import aio
from scapi.exceptions import ScApiException

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    import h11

    from scapi._http.network import Network
    from scapi._retry import RetryState


class Call:
    """One request in progress.

    Attributes:
        hold: Locked while the call lasts, see `Leases`.
        deadline: When the call must be finished.
        timeout: Seconds that the call may take once it has a connection.
        retry_state: Limits and counts the wait for a connection.
        connection: The connection that the call uses.
        is_complete: Whether the whole response was read without an exception.
    """

    def __init__(self, timeout: float, retry_state: RetryState) -> None:
        self.hold = threading.Lock()
        self.deadline = aio.Deadline()
        self.timeout = timeout
        self.retry_state = retry_state
        self.connection: Connection | None = None
        self.is_complete = False


class Connection(httpcore.AsyncNetworkBackend):
    """An httpcore connection and its network backend. All waits end at the deadline of the current call.

    Args:
        origin: The origin that it connects to.
        network: How to reach the origin.

    Attributes:
        is_open: Whether the connection is established, including TLS and the proxy.
        has_received: Whether any bytes have arrived since the last request.
        idle_since: When the last call ended, in monotonic seconds.
    """

    def __init__(self, origin: httpcore.Origin, network: Network) -> None:
        self._origin = origin
        self._proxy = httpx_adapter.proxy_for(origin, network)
        self._stream: _Stream | None = None
        self._call: Call | None = None
        self._is_reused = self._is_past_the_proxy = False
        self.is_open = self.has_received = False
        self._parser: h11.Connection | None = None
        #: The TLS objects of the connection: to the proxy, to the server, or both.
        self._tls: list[Any] = []
        self.idle_since = 0.0
        # Only a pool can create the right kind of connection for each proxy. It serves no other purpose.
        self._connection = httpcore.AsyncConnectionPool(
            ssl_context=httpx_adapter.tls(network.verify) if origin.scheme == b"https" else None,
            proxy=self._proxy,
            keepalive_expiry=httpx_adapter.KEEPALIVE,
            network_backend=self,
        ).create_connection(origin)

    def leads_to(self, origin: object) -> bool:
        """Return whether the connection goes to this origin."""
        return origin == self._origin

    def is_ready(self) -> bool:
        """Return whether the next request can be sent: the server hasn't closed the connection or sent stray bytes."""
        return not self._connection.has_expired()

    def begin(self, call: Call) -> None:
        """Assign the connection to a call. Connecting may take up to `CONNECT_TIMEOUT` of the call's time."""
        self._call, self._ends = call, time.monotonic() + call.timeout
        self._is_reused, self.has_received = self.is_open, False
        call.deadline.set(call.timeout if self.is_open else min(call.timeout, httpx_adapter.CONNECT_TIMEOUT))

    async def exchange(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request and read the head of the response."""
        if not self.is_open:
            httpx_adapter.extensions_of(request)["trace"] = self._trace
        return await self._connection.handle_async_request(request)

    async def _trace(self, event: str, details: dict[str, Any]) -> None:
        """Note from httpcore's trace events how far connecting has come."""
        if event in {"proxy.start_tls.started", "socks.setup_socks5_connection.complete"}:
            self._is_past_the_proxy = True
        elif event == "http11.send_request_headers.started" and details["request"].method != b"CONNECT":
            self.is_open = True
            details["request"].extensions.pop("trace")
            self._deadline.set(self._ends - time.monotonic())
            httpx_adapter.logger.debug("connected to %s:%d", self._origin.host.decode("ascii"), self._origin.port)

    @property
    def _deadline(self) -> aio.Deadline:
        assert self._call
        return self._call.deadline

    @property
    def was_closed_while_idle(self) -> bool:
        """Whether a request failed because the server had already closed the idle connection."""
        return self._is_reused and not self.has_received

    def error_for(self, cause: Exception) -> Exception:
        """Return the error to raise for an exception: a proxy error, a connect timeout or the exception itself."""
        at_the_proxy = not (self.is_open or self._is_past_the_proxy) or isinstance(cause, httpx.ProxyError)
        if self._proxy is not None and at_the_proxy and not isinstance(cause, ScApiException):
            return httpx_adapter.ProxyFailed(self._proxy)
        if not self.is_open and isinstance(cause, TimeoutError | httpx.TimeoutException):
            return httpx_adapter.ConnectTimeout()
        return cause

    def become_idle(self) -> bool:
        """Return whether the connection is reusable, and note the time.

        Unread bytes make it unusable: the next call would read them as its response.
        """
        if self._stream is None or not self._connection.is_idle():
            return False
        self._parser = self._parser or httpx_adapter.h11_of(self._connection)
        self.idle_since = time.monotonic()
        if self._parser is None or self._parser.trailing_data != (b"", False):
            return False
        return not any(httpx_adapter.has_unread_bytes(encrypted) for encrypted in self._tls)

    def end(self) -> None:
        """Cancel the call that uses the connection."""
        if self._call is not None:
            self._call.deadline.end()

    async def aclose(self) -> None:
        """Close the stream directly, because httpcore leaves it open if connecting was interrupted."""
        if self._stream is not None:
            await self._stream.aclose()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the host, or to its proxy."""
        backend: Any = httpcore.AnyIOBackend()
        return self.wrap(await aio.connect(backend, host, port, self._deadline))

    def wrap(self, stream: httpcore.AsyncNetworkStream) -> _Stream:
        """Wrap a stream with the deadline of the call, and remember it."""
        self._stream = _Stream(stream, self)
        return self._stream

    def left(self, stream: httpcore.AsyncNetworkStream) -> float | None:
        """Return how long a wait for a stream may take, in seconds."""
        return self._deadline.left(stream)

    async def start_tls(
        self, stream: httpcore.AsyncNetworkStream, ssl_context: ssl.SSLContext, server_hostname: str | None
    ) -> httpcore.AsyncNetworkStream:
        """Encrypt a stream."""
        left = self._deadline.left()
        handshake = partial(stream.start_tls, ssl_context, server_hostname, left)
        encrypted = await aio.uninterrupted(handshake, self._deadline)
        self._tls.append(encrypted.get_extra_info("ssl_object"))
        return self.wrap(encrypted)


class _Stream(httpcore.AsyncNetworkStream):
    """An httpcore stream whose waits end at the deadline of the call. Timeouts from httpcore are ignored."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, connection: Connection) -> None:
        self._stream = stream
        self._connection = connection

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # Read everything that may have arrived: anyio would keep the rest in a buffer that nothing checks.
        data = await self._stream.read(max(max_bytes, aio.LEAST_READ), self._connection.left(self._stream))
        if data:
            self._connection.has_received = True
        else:  # raises if we closed the stream ourselves: only the server's end of file may end a response
            self._connection.left(self._stream)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, self._connection.left(self._stream))

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        return await self._connection.start_tls(self._stream, ssl_context, server_hostname)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
