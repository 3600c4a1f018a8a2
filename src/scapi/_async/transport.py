"""Sends requests through an httpx transport that leases httpcore connections."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from scapi._async.connection import Call, Connection
from scapi._http import httpx_adapter
from scapi._http.httpx_adapter import httpcore, httpx
from scapi._http.leases import Leases
from scapi._primitives import aio
from scapi._retry import QueueTimeoutError, RetryState
from scapi.exceptions import ClosedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi._async.clock import Clock
    from scapi._http.messages import HttpRequest, HttpResponse
    from scapi._http.network import Network


#: The request extension that holds the `Call` which the request belongs to.
CALL = "scapi"


class Transport:
    """Sends requests and returns complete responses. Safe to use from many tasks and threads, and after a fork.

    Args:
        base_url: The host that all requests go to.
        network: How to reach the host.
        timeout: Seconds that one request may take in total once it has a connection; `None` for 30, or for the timeout
            of the caller's `http_client`.
        clock: The time, and how to wait for a free connection.
    """

    #: True until the constructor has finished: if it raises, there is nothing to close.
    _refuses = True

    def __init__(self, *, base_url: str, network: Network, clock: Clock, timeout: float | None = None) -> None:
        httpx_adapter.check_client(network.http_client, httpx.AsyncClient)
        self._timeout = timeout
        self._http_client: httpx.AsyncClient | None = network.http_client
        self._pools = aio.PerRuntime(partial(PooledTransport, network, clock), f"client of {base_url}")
        self._refuses = False

    async def send(
        self,
        http_request: HttpRequest,
        sink: aio.Sink | None = None,
        *,
        retry_state: RetryState | None = None,
        timeout: float | None = None,
    ) -> HttpResponse:
        """Send a request and read the whole response, or raise the documented error.

        Args:
            http_request: The request.
            sink: Receives the body of a 2xx response instead of the result: chunk by chunk, each with the total length
                if it is known. Such a response may have any size, and take any time as long as data keeps arriving.
            retry_state: Limits and counts the wait for a free connection. A `QueueTimeoutError` is raised when no time
                is left.
            timeout: Seconds that this request may take, instead of the timeout of the transport.
        """
        if self.closed:
            raise ClosedError("the client is closed")
        # The exception that the caller is handling is not the cause of ours.
        outer = sys.exception()
        try:
            response = await self._send(
                http_request, sink, retry_state or RetryState(None), self._timeout if timeout is None else timeout
            )
            return httpx_adapter.log(http_request, response)
        except BaseException as cause:  # noqa: BLE001  # raised again, without the secrets in its traceback
            raise httpx_adapter.failure(cause, http_request.url, outer=outer, closed=self.closed)  # noqa: B904  # chained there

    async def _send(
        self, http_request: HttpRequest, sink: aio.Sink | None, retry_state: RetryState, timeout: float | None
    ) -> HttpResponse:
        if self._http_client is not None:
            return await self._send_by_client(self._http_client, http_request, sink, timeout)
        pool = await self._pools.get()
        call = Call(timeout or httpx_adapter.TIMEOUT, retry_state)
        with call.hold:
            try:
                async with call.deadline:
                    unread = await pool.handle_async_request(httpx_adapter.request(http_request, {CALL: call}))
                    httpx_adapter.check_end(unread, http_request)
                    response = await _read(unread, http_request, sink, call.deadline, call.timeout)
                    call.is_complete = True
                    return response
            except Exception as cause:
                if call.connection is None or (error := call.connection.error_for(cause)) is cause:
                    raise
                raise error from cause
            finally:
                await pool.release(call)

    async def _send_by_client(
        self, client: httpx.AsyncClient, http_request: HttpRequest, sink: aio.Sink | None, timeout: float | None
    ) -> HttpResponse:
        # A foreign client doesn't report how long a request waited for a connection, so `retry_state` can't count it.
        request = httpx_adapter.request_by(client, http_request, timeout)
        async with aio.Deadline() as deadline:
            deadline.set(timeout)
            response = await client.send(request, stream=True, follow_redirects=False)
            return await _read(response, http_request, sink, deadline, timeout)

    @property
    def closed(self) -> bool:
        """Whether the transport is closed: nothing can be sent any more."""
        return self._refuses or (self._http_client is not None and self._http_client.is_closed)

    def refuse(self) -> None:
        """Reject all requests from now on."""
        self._refuses = True

    async def close(self) -> None:
        """Cancel the requests in progress and close all connections. The caller's own `http_client` stays open."""
        self.refuse()
        await self._pools.close()


async def _read(
    response: httpx.Response,
    http_request: HttpRequest,
    sink: aio.Sink | None,
    deadline: aio.Deadline,
    timeout: float | None,
) -> HttpResponse:
    """Read the body of a response, or pass it to the sink part by part."""
    try:
        body, parts = httpx_adapter.body_of(response, http_request)
        async for part in parts:
            if sink and response.is_success:
                # The sink has no time limit, and the next part of the body gets the full timeout again.
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


class PooledTransport(httpx.AsyncHTTPTransport):
    """An httpx transport with a connection pool of our own.

    It subclasses httpx's transport because libraries that mock or trace HTTP patch the method of that class.

    Args:
        network: How to reach the hosts.
        clock: The time, and how to wait for a free connection.
    """

    def __init__(self, network: Network, clock: Clock) -> None:
        # `super().__init__` would create an httpcore pool. `_pool`, to which httpx passes each request, is the only
        # private name of httpx that we use.
        self._pool: Any = Pool(network, clock)

    async def release(self, call: Call) -> None:
        """Release the connection of a finished call."""
        await self._pool.release(call)

    def __len__(self) -> int:
        return len(self._pool)


class Pool:
    """The connection pool of one runtime, see `PerRuntime`.

    Args:
        network: How to reach the hosts.
        clock: The time, and how to wait for a free connection.
    """

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock
        self._leases: Leases[Connection] = Leases(httpx_adapter.MAX_CONNECTIONS)
        self._closed = False

    def __len__(self) -> int:
        return len(self._leases)

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request over the most recently used connection, or over a new one."""
        call: Call = httpx_adapter.extensions_of(request)[CALL]
        connection = await self._lease(call, request.url.origin)
        try:
            return await connection.exchange(request)
        except (httpcore.NetworkError, httpcore.RemoteProtocolError):
            if request.method != b"GET" or not connection.was_closed_while_idle:
                raise
        # The server closed the idle connection just as the request was sent, so a retry is safe.
        self._leases.give_back(connection, keep=False)
        connection = await self._lease(call, request.url.origin, fresh=True)
        return await connection.exchange(request)

    async def _lease(self, call: Call, origin: httpcore.Origin, *, fresh: bool = False) -> Connection:
        take = partial(self._leases.take, call.hold, origin, partial(Connection, origin, self._network), fresh=fresh)
        call.connection = connection = take() or await self._wait(call, take)
        connection.begin(call)
        await self._close_the_dropped()
        self.check()
        return connection

    async def _wait(self, call: Call, take: Callable[[], Connection | None]) -> Connection:
        """Wait in the queue until a connection is free."""
        wakeup = aio.Wakeup()
        begun = self._clock.now()
        self._leases.join_queue(call.hold, wakeup.wake)
        try:
            while (connection := take()) is None:
                left = begun + call.retry_state.left - self._clock.now()
                if left <= 0:
                    raise QueueTimeoutError("no connection was free within queue_timeout; nothing was sent")
                # Check every second: the call that should wake this one may have been interrupted.
                await self._clock.wait(wakeup, min(left, 1))
                self.check()
        finally:
            self._leases.leave_queue(call.hold)
            call.retry_state.spend(self._clock.now() - begun)
        return connection

    def check(self) -> None:
        """Raise a `ClosedError` if the pool is closed."""
        if self._closed:
            raise ClosedError("the client was closed during the call")

    async def release(self, call: Call) -> None:
        """Release the connection of a call, and keep it for the next call if it is reusable."""
        if call.connection is not None:
            # If an exception interrupts httpcore or h11 between two steps, they report to be idle although the next
            # request would fail. So a connection is only kept after a complete call.
            self._leases.give_back(call.connection, keep=call.is_complete and call.connection.become_idle())
        # Check this last: a `close` before `give_back` didn't see this connection among the idle ones.
        if self._closed:
            self._leases.clear()
        await self._close_the_dropped()

    async def aclose(self) -> None:
        """Cancel the calls in progress and close the connections. Each call closes the connection that it uses."""
        self._closed = True
        for connection in self._leases:
            connection.end()
        self._leases.clear()
        await self._close_the_dropped()

    async def _close_the_dropped(self) -> None:
        while self._leases.dropped:
            await self._leases.dropped.pop().aclose()
