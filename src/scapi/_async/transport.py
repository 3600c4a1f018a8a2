"""Sends requests over connections of httpcore, through a transport of httpx."""

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
        call = Call(timeout or httpx_adapter.TIMEOUT, retry_state)
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

    async def release(self, call: Call) -> None:
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
        call: Call = httpx_adapter.extensions_of(request)[CALL]
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

    async def _lease(self, call: Call, origin: httpcore.Origin, *, fresh: bool = False) -> Connection:
        take = partial(self._leases.take, call.hold, origin, partial(Connection, origin, self._network), fresh=fresh)
        call.connection = connection = take() or await self._wait(call, take)
        connection.begin(call)
        await self._close_the_dropped()
        self.check()
        return connection

    async def _wait(self, call: Call, take: Callable[[], Connection | None]) -> Connection:
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

    async def release(self, call: Call) -> None:
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
