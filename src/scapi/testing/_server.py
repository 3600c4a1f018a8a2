"""The fake behind a real socket: uvicorn in a separate thread."""

import asyncio
import socket
import struct
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event, Thread

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from scapi.testing._asgi import ASGIApp

HOST = "127.0.0.1"

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for 0 seconds: closing such a socket sends RST instead of FIN."""

ROUNDS = 1000
"""The most rounds of the event loop that the end of a server waits for its tasks; few take more than five."""


class _FaultyProtocol(H11Protocol):
    """Lets the application close a connection early or reset it. ASGI has no messages for that."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        # asyncio sets this only for sockets that name their protocol, and those of create_server don't. Without it,
        # every response waits 40 ms for the client's delayed acknowledgement of the headers.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, "cut": transport.close, "reset": lambda: _reset(transport)}


def _reset(transport: asyncio.Transport) -> None:
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()


class _Server(uvicorn.Server):
    """A server with an event for being ready. It ends at once; uvicorn's own looks every 0.1 s whether it should."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self.ready.set()

    async def main_loop(self) -> None:
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # asyncio never closes a connection that it is about to accept when its server closes, so those come first.
        for _ in range(ROUNDS):
            await self._disconnect()
            if asyncio.all_tasks() == {asyncio.current_task()}:
                break
        for server in self.servers:
            server.close()
        await self._disconnect()

    async def _disconnect(self) -> None:
        """Abort what is connected: after the `with` block nobody waits for a response, and some would never come."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    def end(self) -> None:
        """End from another thread."""
        self._loop.call_soon_threadsafe(self._over.set)


@contextmanager
def serve(app: ASGIApp, *, port: int = 0) -> Generator[str]:
    """Serve an application on this machine while the `with` block lasts.

    Args:
        app: The application.
        port: TCP port; 0 picks a free one.

    Yields:
        The base URL.
    """
    # Bound here, not by uvicorn, so that a port in use raises an OSError in the caller.
    with socket.create_server((HOST, port), backlog=1024) as listener:
        server = _Server(_config(app))
        thread = Thread(target=server.run, args=([listener],), name="scapi-fake", daemon=True)
        thread.start()
        server.ready.wait()
        try:
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            server.end()
            thread.join()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_FaultyProtocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=60,
    )
