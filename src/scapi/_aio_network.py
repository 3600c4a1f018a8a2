"""How httpcore reaches the network from asyncio: directly, because its own way over anyio costs a third of a call."""

from __future__ import annotations

import asyncio
import select
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Generator, Iterable

__all__ = ["Backend"]

#: Seconds after which the next address of a host is tried while the one before has not answered (RFC 8305).
NEXT_ADDRESS = 0.25


class Backend(httpcore.AsyncNetworkBackend):
    """Makes connections."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        with _connecting():
            async with asyncio.timeout(timeout):
                _, stream = await loop.create_connection(_Stream, host, port, **_options(loop))
        return stream


def _options(loop: asyncio.AbstractEventLoop) -> dict[str, Any]:
    # Other event loops than asyncio's own, as uvloop's, try one address after the other and have no such argument.
    return {"happy_eyeballs_delay": NEXT_ADDRESS} if isinstance(loop, asyncio.BaseEventLoop) else {}


class _Stream(httpcore.AsyncNetworkStream, asyncio.Protocol):
    """A connection that hands over what arrives as it arrives, uncopied."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._arrival: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._ended = False
        self._transport: Any = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._chunks and not self._ended:
            await self._arrived(timeout)
        if self._chunks:
            return self._chunks.popleft()
        if self._error:
            raise httpcore.ReadError(str(self._error)) from self._error
        return b""

    async def _arrived(self, timeout: float | None) -> None:
        self._arrival = asyncio.get_running_loop().create_future()
        if not self._transport.is_closing():
            self._transport.resume_reading()
        try:
            async with asyncio.timeout(timeout):
                await self._arrival
        except TimeoutError as cause:
            raise httpcore.ReadTimeout(str(cause)) from cause
        finally:
            self._arrival = None

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if self._ended:
            raise httpcore.WriteError("the connection is closed") from self._error
        # A request is a few hundred bytes, so there is no use in waiting until the system has taken them.
        self._transport.write(buffer)

    async def aclose(self) -> None:
        self._transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            with _connecting():
                async with asyncio.timeout(timeout):
                    self._transport = await loop.start_tls(
                        self._transport, self, ssl_context, server_hostname=server_hostname
                    )
        except BaseException:
            self._transport.abort()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            # On an idle connection it means: closed by the server, or spoiled by bytes that nobody asked for. The
            # socket is asked too, because a loop that was busy hasn't heard of either yet.
            link = self._transport.get_extra_info("socket")
            return self._ended or bool(self._chunks) or _is_readable(link.fileno())
        return self._transport.get_extra_info(info)

    # ── asyncio's side ────────────────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._chunks.append(data)
        if self._arrival is None:
            # Whoever sends more than is asked for may not fill our memory with it.
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


def _is_readable(descriptor: int) -> bool:
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))
    # Windows has no `poll`, and no limit to the numbers that `select` takes.
    return bool(select.select([descriptor], [], [], 0)[0])


@contextmanager
def _connecting() -> Generator[None]:
    try:
        yield
    except TimeoutError as cause:
        raise httpcore.ConnectTimeout(str(cause)) from cause
    except OSError as cause:
        raise httpcore.ConnectError(str(cause)) from cause
