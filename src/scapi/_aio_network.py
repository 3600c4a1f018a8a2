"""A connection of the async world. `_threads_network` is its twin."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from scapi import _http
from scapi._core import http1

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from scapi._core.outgoing import Outgoing
    from scapi._core.response import Reply

__all__ = ["Link"]

#: Seconds after which the next address of a host is tried while the one before has not answered (RFC 8305).
NEXT_ADDRESS = 0.25


class Link(asyncio.BufferedProtocol):
    """A connection to a host, for one request after another.

    Args:
        origin: The host.

    Attributes:
        origin: The host.
        is_open: Whether the connection was made.
    """

    def __init__(self, origin: http1.Origin) -> None:
        self.origin = origin
        self.is_open = False
        self._answer = http1.engine()
        self._proxy: http1.Proxy | None = None
        self._view = memoryview(bytearray(_http.READ_SIZE))
        self._chunks: deque[bytes] = deque()
        self._arrival: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._ended = self._is_paused = False
        self._transport: Any = None
        self._rests_since: float | None = None

    async def open(self) -> None:
        """Make the connection: directly, or as the environment says through a proxy."""
        loop = asyncio.get_running_loop()
        proxy = _http.proxy(self.origin)
        place = proxy.origin if proxy else self.origin
        tls = _http.tls() if self.origin.scheme == "https" else None
        try:
            if proxy and tls:
                await loop.create_connection(lambda: self, place.host, place.port, **_options(loop))
                await self._tunnel(proxy)
                # The transport is another one from here on, which `connection_made` is not told.
                self._transport = await loop.start_tls(self._transport, self, tls, server_hostname=self.origin.host)
            else:
                self._proxy = proxy
                await loop.create_connection(lambda: self, place.host, place.port, ssl=tls, **_options(loop))
        except BaseException:
            self.close()
            raise
        self.is_open = True
        _http.logger.debug("connected to %s:%d", self.origin.host, self.origin.port)

    async def _tunnel(self, proxy: http1.Proxy) -> None:
        self._transport.write(http1.tunnel(self.origin, proxy))
        answer = self._answer()
        while not answer.status:
            answer.take(await self._read())
        http1.check_tunnel(answer)
        if self._chunks:  # they would be taken for what comes encrypted
            raise http1.ProtocolError("the proxy goes on talking after it has connected")

    async def exchange(self, outgoing: Outgoing, sink: Callable[[bytes, int | None], Awaitable[None]] | None) -> Reply:
        """Send a request and read the answer to it. Parts of the body go to the sink, where there is one."""
        exchange = http1.Exchange(outgoing, self._answer(), streams=sink is not None)
        self._rests_since = None
        self._transport.write(exchange.request(self._proxy))
        while not exchange.complete:
            for part in exchange.take(await self._read()):
                assert sink
                await sink(part, exchange.length)
        if exchange.reusable:
            self._rests_since = time.monotonic()
        return exchange.reply()

    @property
    def rests(self) -> bool:
        """Whether the last answer is through and left nothing behind."""
        # What comes while reading is paused nobody is told of, least of all with TLS, which has read it already.
        return self._rests_since is not None and not (self._ended or self._is_paused or self._chunks)

    @property
    def is_ready(self) -> bool:
        """Whether the next request can be sent."""
        is_fresh = (self._rests_since or 0.0) + _http.KEEPALIVE > time.monotonic()
        # The socket is asked too, because a loop that was busy hasn't heard yet of what has come, or of its end.
        return is_fresh and self.rests and not _http.wait(self._transport.get_extra_info("socket").fileno())

    def close(self) -> None:
        """End the connection at once."""
        if self._transport:
            self._transport.abort()

    async def _read(self) -> bytes:
        if not self._chunks and not self._ended:
            self._arrival = asyncio.get_running_loop().create_future()
            if self._is_paused and not self._transport.is_closing():
                self._is_paused = False
                self._transport.resume_reading()
            try:
                await self._arrival
            finally:
                self._arrival = None
        if self._chunks:
            return self._chunks.popleft()
        if self._error:
            raise self._error
        return b""

    # ── asyncio's side ────────────────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        # Not the buffer itself: asyncio's TLS writes to a part of what it gets here, and a part of that is a copy.
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        self._chunks.append(bytes(self._view[:nbytes]))
        if self._arrival is None and not self._is_paused:
            # Whoever sends more than is asked for may not fill our memory with it.
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._error = True, exc
        self._wake()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)


def _options(loop: asyncio.AbstractEventLoop) -> dict[str, Any]:
    # Other event loops than asyncio's own, as uvloop's, try one address after the other and have no such argument.
    return {"happy_eyeballs_delay": NEXT_ADDRESS} if isinstance(loop, asyncio.BaseEventLoop) else {}
