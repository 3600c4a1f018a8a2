"""One connection of httpcore, each wait of which ends when the call that uses it has to be through."""

from __future__ import annotations

import threading
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
    """One request on its way.

    Attributes:
        hold: Locked for as long as the call lasts, see `Leases`.
        deadline: When the call has to be through.
        timeout: Seconds that it may take, once it has a connection.
        retry_state: Bounds the wait for one, and counts it.
        connection: The connection that it has.
        is_through: Whether the whole answer was read, and nothing was raised until then.
    """

    def __init__(self, timeout: float, retry_state: RetryState) -> None:
        self.hold = threading.Lock()
        self.deadline = aio.Deadline()
        self.timeout = timeout
        self.retry_state = retry_state
        self.connection: Connection | None = None
        self.is_through = False


class Connection(httpcore.AsyncNetworkBackend):
    """A connection of httpcore, and the network under it, where each wait ends when the call has to be through.

    Args:
        origin: Where it leads to.
        network: How to get there.

    Attributes:
        is_open: Whether the connection stands, TLS and the proxy's part included.
        has_received: Whether anything has come since the last request.
        rested: When the last call was over, on the monotonic clock.
    """

    def __init__(self, origin: httpcore.Origin, network: Network) -> None:
        self._origin = origin
        self._proxy = httpx_adapter.proxy_for(origin, network)
        self._stream: _Stream | None = None
        self._call: Call | None = None
        self._is_reused = self._is_past_the_proxy = False
        self.is_open = self.has_received = False
        self._parser: h11.Connection | None = None
        #: TLS to the server, and to the proxy around that.
        self._tls: list[Any] = []
        self.rested = 0.0
        # Only a pool knows how to make the connections of all kinds of proxies. It is not used for anything else.
        self._connection = httpcore.AsyncConnectionPool(
            ssl_context=httpx_adapter.tls(network.verify) if origin.scheme == b"https" else None,
            proxy=self._proxy,
            keepalive_expiry=httpx_adapter.KEEPALIVE,
            network_backend=self,
        ).create_connection(origin)

    def fits(self, origin: object) -> bool:
        """Return whether the connection leads to this origin."""
        return origin == self._origin

    def is_ready(self) -> bool:
        """Return whether the next request can be sent: the server hasn't closed, and nothing has come unasked."""
        return not self._connection.has_expired()

    def begin(self, call: Call) -> None:
        """Work for a call from now on. Connecting may take `CONNECT_TIMEOUT` of its time."""
        self._call, self._ends = call, aio.now() + call.timeout
        self._is_reused, self.has_received = self.is_open, False
        call.deadline.set(call.timeout if self.is_open else min(call.timeout, httpx_adapter.CONNECT_TIMEOUT))

    async def exchange(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request and read the head of its answer."""
        if not self.is_open:
            httpx_adapter.extensions_of(request)["trace"] = self._trace
        return await self._connection.handle_async_request(request)

    async def _trace(self, event: str, details: dict[str, Any]) -> None:
        """Follow how the connection is made, as httpcore tells it."""
        if event in {"proxy.start_tls.started", "socks.setup_socks5_connection.complete"}:
            self._is_past_the_proxy = True
        elif event == "http11.send_request_headers.started" and details["request"].method != b"CONNECT":
            self.is_open = True
            details["request"].extensions.pop("trace")
            self._deadline.set(self._ends - aio.now())
            httpx_adapter.logger.debug("connected to %s:%d", self._origin.host.decode("ascii"), self._origin.port)

    @property
    def _deadline(self) -> aio.Deadline:
        assert self._call
        return self._call.deadline

    @property
    def was_closed_while_idle(self) -> bool:
        """Whether a request failed because the server closed the connection before it came."""
        return self._is_reused and not self.has_received

    def blame(self, cause: Exception) -> Exception:
        """Return the error that says which part of the way an exception comes from."""
        at_the_proxy = not (self.is_open or self._is_past_the_proxy) or isinstance(cause, httpx.ProxyError)
        if self._proxy is not None and at_the_proxy and not isinstance(cause, ScApiException):
            return httpx_adapter.ProxyFailed(self._proxy)
        if not self.is_open and isinstance(cause, TimeoutError | httpx.TimeoutException):
            return httpx_adapter.ConnectTimeout()
        return cause

    def rests(self) -> bool:
        """Return whether the call is through and has left nothing behind: the next one would get it."""
        if self._stream is None or not self._connection.is_idle():
            return False
        self._parser = self._parser or httpx_adapter.h11_of(self._connection)
        self.rested = aio.now()
        if self._parser is None or self._parser.trailing_data != (b"", False):
            return False
        return not any(httpx_adapter.has_unread_bytes(encrypted) for encrypted in self._tls)

    def end(self) -> None:
        """End the call that uses the connection."""
        if self._call is not None:
            self._call.deadline.end()

    async def aclose(self) -> None:
        """Close the connection. httpcore leaves open what broke off while the connection was made."""
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
        return self.uses(await aio.connect(backend, host, port, self._deadline))

    def uses(self, stream: httpcore.AsyncNetworkStream) -> _Stream:
        """Keep a stream, and return it with deadlines."""
        self._stream = _Stream(stream, self)
        return self._stream

    def left(self, stream: httpcore.AsyncNetworkStream) -> float | None:
        """Return how long a wait for a stream may take."""
        return self._deadline.left(stream)

    async def start_tls(
        self, stream: httpcore.AsyncNetworkStream, ssl_context: ssl.SSLContext, server_hostname: str | None
    ) -> httpcore.AsyncNetworkStream:
        """Encrypt a stream."""
        left = self._deadline.left()
        handshake = partial(stream.start_tls, ssl_context, server_hostname, left)
        encrypted = await aio.uninterrupted(handshake, self._deadline)
        self._tls.append(encrypted.get_extra_info("ssl_object"))
        return self.uses(encrypted)


class _Stream(httpcore.AsyncNetworkStream):
    """A stream of httpcore whose waits end when the call has to be through, whatever timeout httpcore gives them."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, connection: Connection) -> None:
        self._stream = stream
        self._connection = connection

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # All that may have come at once: what is left over, anyio would keep where nobody looks for it.
        data = await self._stream.read(max(max_bytes, aio.LEAST_READ), self._connection.left(self._stream))
        if data:
            self._connection.has_received = True
        else:  # the server's end, and not ours: that one ends no answer
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
