"""Sends requests over connections of httpcore, through a transport of httpx."""

from __future__ import annotations

import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from scapi._http import httpx_adapter
from scapi._http.httpx_adapter import httpcore, httpx
from scapi._http.leases import Leases
from scapi._primitives import aio
from scapi._retry import QueueTimeoutError, RetryState
from scapi.exceptions import ClosedError, ScApiException

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    import h11

    from scapi._http.messages import HttpRequest, HttpResponse
    from scapi._http.network import Network


#: The extension of a request that tells the pool which call it belongs to.
CALL = "scapi"


class Transport:
    """Sends requests and returns whole answers, from any number of tasks and threads, and after a fork.

    Args:
        base_url: The host that all requests go to.
        network: How to reach the host.
        timeout: Seconds that one request may take in all, as soon as a connection is free for it; `None` for 30, or
            for what the client of the caller's says.
    """

    #: Until the constructor is through there is nothing to close.
    _refuses = True

    def __init__(self, *, base_url: str, network: Network, timeout: float | None = None) -> None:
        httpx_adapter.check_client(network.http_client, httpx.AsyncClient)
        self._timeout = timeout
        self._http_client: httpx.AsyncClient | None = network.http_client
        self._pools = aio.PerRuntime(partial(PooledTransport, network), f"client of {base_url}")
        self._refuses = False

    async def send(
        self,
        http_request: HttpRequest,
        sink: aio.Sink | None = None,
        *,
        retry_state: RetryState | None = None,
        timeout: float | None = None,
    ) -> HttpResponse:
        """Send a request and read its answer whole, or raise the documented error.

        Args:
            http_request: The request.
            sink: Takes the body of a 2xx in place of the result: chunk by chunk, each with the length of the whole if
                that is known. Such an answer may be of any size, and take its time as long as something arrives.
            retry_state: Bounds the wait for a free connection, and counts it. When its patience ends, a
                `QueueTimeoutError` is raised.
            timeout: Seconds that this request may take, in place of what the transport was made with.
        """
        if self.closed:
            raise ClosedError("the client is closed")
        # What the caller is handling just now is none of ours.
        outer = sys.exception()
        try:
            response = await self._send(
                http_request, sink, retry_state or RetryState(None), self._timeout if timeout is None else timeout
            )
            return httpx_adapter.log(http_request, response)
        except BaseException as cause:  # noqa: BLE001  # it is raised again, without what its traceback would show
            raise httpx_adapter.failure(cause, http_request.url, outer=outer, closed=self.closed)  # noqa: B904  # chained there

    async def _send(
        self, http_request: HttpRequest, sink: aio.Sink | None, retry_state: RetryState, timeout: float | None
    ) -> HttpResponse:
        if self._http_client is not None:
            return await self._borrow(self._http_client, http_request, sink, timeout)
        pool = await self._pools.get()
        call = _Call(timeout or httpx_adapter.TIMEOUT, retry_state)
        with call.hold:
            try:
                async with call.deadline:
                    unread = await pool.handle_async_request(httpx_adapter.request(http_request, {CALL: call}))
                    httpx_adapter.check_end(unread, http_request)
                    response = await _read(unread, http_request, sink, call.deadline, call.timeout)
                    call.is_through = True
                    return response
            except Exception as cause:
                if call.connection is None or (error := call.connection.blame(cause)) is cause:
                    raise
                raise error from cause
            finally:
                await pool.release(call)

    async def _borrow(
        self, client: httpx.AsyncClient, http_request: HttpRequest, sink: aio.Sink | None, timeout: float | None
    ) -> HttpResponse:
        # No client tells how long a request waits for a connection of its own, so `retry_state` hears nothing of it.
        request = httpx_adapter.request_by(client, http_request, timeout)
        async with aio.Deadline() as deadline:
            deadline.set(timeout)
            response = await client.send(request, stream=True, follow_redirects=False)
            return await _read(response, http_request, sink, deadline, timeout)

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._refuses or (self._http_client is not None and self._http_client.is_closed)

    def refuse(self) -> None:
        """Send nothing from now on."""
        self._refuses = True

    async def close(self) -> None:
        """End the requests under way and close all connections. A client of the caller's is left alone."""
        self.refuse()
        await self._pools.close()


async def _read(
    response: httpx.Response,
    http_request: HttpRequest,
    sink: aio.Sink | None,
    deadline: aio.Deadline,
    timeout: float | None,
) -> HttpResponse:
    """Read the body of an answer, or hand it to the sink part by part."""
    try:
        body, parts = httpx_adapter.body_of(response, http_request)
        async for part in parts:
            if sink and response.is_success:
                # The sink may take its time, after which the next part of the body has the whole timeout again.
                deadline.set(None)
                for piece in body.unpack(part):
                    await sink(piece, body.length)
                deadline.set(timeout)
            else:
                body.add(part)
            deadline.left()
        return body.response()
    finally:
        await response.aclose()


class _Call:
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


class PooledTransport(httpx.AsyncHTTPTransport):
    """A transport of httpx whose connections are ours to lease.

    It is httpx's own class, because those who mock or trace HTTP put themselves in the place of that class's method.

    Args:
        network: How to reach the hosts.
    """

    def __init__(self, network: Network) -> None:
        # Not `super().__init__`, which would make a pool of httpcore's. The name is private, and the only one of httpx
        # that is used: the method of httpx hands each request to what it finds there.
        self._pool: Any = Pool(network)

    async def release(self, call: _Call) -> None:
        """Take back the connection of a call that is over."""
        await self._pool.release(call)

    def __len__(self) -> int:
        return len(self._pool)


class Pool:
    """The connections that belong together, see `PerRuntime`.

    Args:
        network: How to reach the hosts.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._leases: Leases[Connection] = Leases(httpx_adapter.MAX_CONNECTIONS)
        self._closed = False

    def __len__(self) -> int:
        return len(self._leases)

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request over the connection that was used last, or over a new one."""
        call: _Call = httpx_adapter.extensions_of(request)[CALL]
        connection = await self._lease(call, request.url.origin)
        try:
            return await connection.exchange(request)
        except (httpcore.NetworkError, httpcore.RemoteProtocolError):
            if request.method != b"GET" or not connection.was_closed_while_idle:
                raise
        # The server has closed the connection while the request was on its way to it.
        self._leases.give_back(connection, keep=False)
        connection = await self._lease(call, request.url.origin, fresh=True)
        return await connection.exchange(request)

    async def _lease(self, call: _Call, origin: httpcore.Origin, *, fresh: bool = False) -> Connection:
        take = partial(self._leases.take, call.hold, origin, partial(Connection, origin, self._network), fresh=fresh)
        call.connection = connection = take() or await self._wait(call, take)
        connection.begin(call)
        await self._close_the_dropped()
        self.check()
        return connection

    async def _wait(self, call: _Call, take: Callable[[], Connection | None]) -> Connection:
        """Stand in line for a connection."""
        wakeup = aio.Wakeup()
        begun = aio.now()
        self._leases.stand_in_line(call.hold, wakeup.wake)
        try:
            while (connection := take()) is None:
                left = begun + call.retry_state.left - aio.now()
                if left <= 0:
                    raise QueueTimeoutError("no connection was free within queue_timeout; nothing was sent")
                # Whoever was to wake this call may have been interrupted.
                await wakeup.wait(min(left, 1))
                self.check()
        finally:
            self._leases.leave_line(call.hold)
            call.retry_state.spend(aio.now() - begun)
        return connection

    def check(self) -> None:
        """Raise a `ClosedError` if the pool is closed."""
        if self._closed:
            raise ClosedError("the client was closed during the call")

    async def release(self, call: _Call) -> None:
        """Take back the connection of a call, and keep it if nothing is left on it."""
        if call.connection is not None:
            # An exception may have come between two steps of httpcore's or h11's: what they say of themselves then is
            # that they are idle, but the next request would fail.
            self._leases.give_back(call.connection, keep=call.is_through and call.connection.rests())
        # Looked at after that: whoever closed the pool before has not seen the connection among those that rest.
        if self._closed:
            self._leases.clear()
        await self._close_the_dropped()

    async def aclose(self) -> None:
        """End the calls under way and close the connections. Each call closes the one that it uses."""
        self._closed = True
        for connection in self._leases:
            connection.end()
        self._leases.clear()
        await self._close_the_dropped()

    async def _close_the_dropped(self) -> None:
        while self._leases.dropped:
            await self._leases.dropped.pop().aclose()


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
        self._call: _Call | None = None
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

    def begin(self, call: _Call) -> None:
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
