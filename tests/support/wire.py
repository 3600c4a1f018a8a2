"""A server on this machine that misbehaves on the wire, around a `FakeApi` that says what to answer.

One server serves any number of mounts, each with a path prefix, a fake and a fault of its own, so that a test of one
fault neither starts a server nor disturbs another.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Event, Thread
from weakref import WeakValueDictionary

from scapi.testing import FakeApi, Reply

HOST = "127.0.0.1"
#: For clients of unencrypted servers: to read the certificates of all authorities takes longer than most tests.
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
#: Seconds between two bytes of a server that drips: less than any timeout, so that only a deadline for all ends it.
DRIP = 0.05

Wire = Callable[["Reply", asyncio.StreamWriter], Awaitable[None]]


def head(reply: Reply, **changes: str) -> bytes:
    """Status line and headers of an answer, `changes` over the usual ones (`content_length`)."""
    phrase = HTTPStatus(reply.status).phrase if reply.status in set(HTTPStatus) else "Unknown"
    usual = {} if reply.status in {204, 304} else {"content-length": str(len(reply.body))}
    headers = usual | dict(reply.headers) | {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST in place of FIN."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def reset_at_once(reply: Reply, writer: asyncio.StreamWriter) -> None:
    _reset(writer)


async def close_at_once(reply: Reply, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset_in_headers(reply: Reply, writer: asyncio.StreamWriter) -> None:
    await _send(writer, head(reply)[:25])
    _reset(writer)


async def reset_in_body(reply: Reply, writer: asyncio.StreamWriter) -> None:
    await _send(writer, head(reply) + reply.body[: len(reply.body) // 2])
    _reset(writer)


async def close_in_body(reply: Reply, writer: asyncio.StreamWriter) -> None:
    await _send(writer, head(reply) + reply.body[: len(reply.body) // 2])
    writer.close()


async def never(reply: Reply, writer: asyncio.StreamWriter) -> None:
    await writer.wait_closed()


async def drip_headers(reply: Reply, writer: asyncio.StreamWriter) -> None:
    await _drip(writer, head(reply))


async def drip_body(reply: Reply, writer: asyncio.StreamWriter) -> None:
    await _send(writer, head(reply))
    await _drip(writer, reply.body)


async def _drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    for byte in data:
        await _send(writer, bytes([byte]))
        await asyncio.sleep(DRIP)


async def length_too_long(reply: Reply, writer: asyncio.StreamWriter) -> None:
    await _send(writer, head(reply, content_length=str(len(reply.body) + 10)) + reply.body)
    writer.close()


async def length_too_short(reply: Reply, writer: asyncio.StreamWriter) -> None:
    await _send(writer, head(reply, content_length=str(len(reply.body) // 2)) + reply.body)


async def two_answers(reply: Reply, writer: asyncio.StreamWriter) -> None:
    """The answer, and one more that nobody asked for: whoever keeps the connection gets it for the next request."""
    unasked = Reply(418, {"content-type": "text/plain"}, b"for somebody else")
    await _send(writer, head(reply) + reply.body + head(unasked) + unasked.body)


async def no_http(reply: Reply, writer: asyncio.StreamWriter) -> None:
    await _send(writer, b"SSH-2.0-OpenSSH_9.6\r\n")
    writer.close()


async def bad_chunks(reply: Reply, writer: asyncio.StreamWriter) -> None:
    await _send(writer, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnot-hex\r\n")
    writer.close()


async def endless_headers(reply: Reply, writer: asyncio.StreamWriter) -> None:
    await _send(writer, b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: %s\r\n" % (n, b"y" * 999) for n in range(300)))
    writer.close()


@dataclass
class Mount:
    """One fake behind the server, under a prefix of its own."""

    url: str
    fake: FakeApi
    wire: Wire | None = None
    #: Headers of what has arrived, lower-case names.
    arrived: list[dict[str, str]] = field(default_factory=list, repr=False)

    def heal(self) -> None:
        """From now on answer as the API does."""
        self.wire = None
        self.fake.heal()


def generous() -> FakeApi:
    """A fake with points for any number of calls."""
    return FakeApi(limit=10**9, user_limit=10**9, sales={"zyv9": 40}, reset_jitter=True)


class WireServer:
    """The server; its event loop runs in a thread of its own."""

    def __init__(self) -> None:
        self.connections: set[asyncio.StreamWriter] = set()
        self.accepted = 0
        # Each is held by the test that asked for it: hundreds of fakes make a full collection of garbage take longer
        # than some tests give a request.
        self._mounts: WeakValueDictionary[str, Mount] = WeakValueDictionary()
        self._numbers = itertools.count()
        self._loop = asyncio.new_event_loop()
        self._listeners: dict[socket.socket, asyncio.Server] = {}
        ready = Event()
        self._thread = Thread(target=self._run, args=[ready], name="wire-server", daemon=True)
        self._thread.start()
        ready.wait()
        self.port = self.listen()

    def _run(self, ready: Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.call_soon(ready.set)
        self._loop.run_forever()
        self._loop.close()

    def listen(self, listener: socket.socket | None = None, tls: ssl.SSLContext | None = None) -> int:
        """Listen at one more port."""
        sock = listener or socket.create_server((HOST, 0), backlog=1024)
        start = asyncio.start_server(self._serve, sock=sock, ssl=tls, backlog=1024, limit=2**20)
        self._listeners[sock] = asyncio.run_coroutine_threadsafe(start, self._loop).result()
        return int(sock.getsockname()[1])

    def unlisten(self, listener: socket.socket) -> None:
        """Close a port again."""
        if listener in self._listeners:
            done = Event()
            server = self._listeners.pop(listener)
            self._loop.call_soon_threadsafe(lambda: (server.close(), done.set()))
            done.wait()

    def mount(
        self, fake: FakeApi | None = None, *, host: str = HOST, port: int | None = None, scheme: str = "http"
    ) -> Mount:
        """Serve a fake of its own, with points for any number of calls unless it is given."""
        prefix = f"/{next(self._numbers)}"
        mount = Mount(f"{scheme}://{host}:{port or self.port}{prefix}", fake or generous())
        self._mounts[prefix] = mount
        return mount

    def strike(self, mount: Mount) -> None:
        """Called for every request before it is answered: the place to switch a fault on for this one."""

    def drop_connections(self) -> None:
        """Reset all connections, those that are idle too."""
        done = Event()
        self._loop.call_soon_threadsafe(lambda: ([_reset(one) for one in list(self.connections)], done.set()))
        done.wait()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _stop(self) -> None:
        for listener in self._listeners.values():
            listener.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(writer)
        self.accepted += 1
        try:
            with suppress(OSError, EOFError, asyncio.CancelledError):
                while await self._answer(reader, writer):
                    pass
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            self.connections.discard(writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        method, target, _ = first.split(" ")
        _, number, rest = target.split("/", 2)
        mount = self._mounts["/" + number]
        mount.arrived.append(headers)
        self.strike(mount)
        wire = mount.wire
        reply = mount.fake.handle(method, "/" + rest, list(headers.items()), body)
        if reply.delay:
            hangs_up = asyncio.ensure_future(reader.read(1))
            done, _ = await asyncio.wait([hangs_up], timeout=min(reply.delay, 3600))
            hangs_up.cancel()
            if done:
                return False
        wire = {"reset": reset_at_once, "cut": close_in_body}.get(reply.ending, wire)
        if wire is never:
            await reader.read(1)
            return False
        if wire is not None:
            await wire(reply, writer)
            return not writer.is_closing()
        await _send(writer, head(reply) + reply.body)
        return True


@contextmanager
def wire_server() -> Iterator[WireServer]:
    """A server for the `with` block."""
    server = WireServer()
    try:
        yield server
    finally:
        server.close()


def unused_port() -> tuple[socket.socket, int]:
    """A port that refuses connections as long as nobody listens on the socket."""
    reserved = socket.socket()
    reserved.bind((HOST, 0))
    return reserved, int(reserved.getsockname()[1])


def wait_until(condition: Callable[[], bool], *, seconds: float = 30.0) -> bool:
    """Whether a condition comes true in time, looked at from a thread that may block."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()
