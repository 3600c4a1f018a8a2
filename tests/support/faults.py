"""The fault table: everything that can go wrong between client and server, and what scapi makes of it."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme

from scapi._http import httpx_adapter
from scapi.config import Config
from scapi.exceptions import (
    ClientError,
    DecodeError,
    RateLimitError,
    RequestError,
    RequestTimeoutError,
    ScApiException,
    ServerError,
    TransportError,
)
from tests.support import wire
from tests.support.wire import Mount, WireServer

if TYPE_CHECKING:
    from scapi.testing import FakeApi

__all__ = ["AMPLE", "FAULTS", "SECRET", "Fault", "faulty", "leaks", "resources"]

#: The token of every client in these tests, to be looked for wherever it must not be.
SECRET = "s3cr3t-t0ken-of-the-tests"

#: Seconds for a fault that ends only by the client's own deadline, and for all others.
SHORT, AMPLE = 0.25, 30.0

#: The largest body that a client takes which is sent a bomb, in bytes, and a bomb of three times that.
LIMIT = 2 * 2**20
BOMB = gzip.compress(b"[" + b" " * (3 * LIMIT) + b"]", 9)
#: Deeper than any interpreter goes: 3.11 stops at 1,000, 3.13 at 10,000.
DEEP = b"[" * 50_000
HTML = "<html><head><title>Maintenance</title></head><body>Back soon</body></html>"
JSON_ERROR = b'{"title": "Internal server error", "status": 500, "details": {}}'
PACKED = {"content-encoding": "gzip", "content-type": "application/json"}

Arrange = Callable[[Mount], None]


@dataclass(frozen=True)
class Fault:
    """One row of the table.

    Attributes:
        name: As in the documentation.
        error: The exact class of the exception; `None` for a fault that the caller never notices.
        retried: Whether a `Retry` sends the request again.
        says: What the message tells.
        arrange: Switches the fault on.
        timeout: Seconds that the client gives each request.
        world: How to open and heal a fault that lies before the server: see `PLACES`.
    """

    name: str
    error: type[ScApiException] | None
    retried: bool
    says: str
    arrange: Arrange | None = None
    timeout: float = AMPLE
    place: str = "server"


def _wire(how: wire.Wire) -> Arrange:
    def arrange(mount: Mount) -> None:
        mount.wire = how

    return arrange


def _fake(kind: Any = "status", **options: Any) -> Arrange:
    return lambda mount: mount.fake.fail("*", kind, **options)


def _bomb(mount: Mount) -> None:
    Config.MAX_BODY = LIMIT
    mount.fake.fail("*", status=200, body=BOMB, headers=PACKED)


def _redirect(location: str, **options: Any) -> Arrange:
    return _fake(status=302, body=b"", headers={"location": location}, **options)


T, R, D, C, S = TransportError, RequestTimeoutError, DecodeError, ClientError, ServerError

FAULTS = (
    Fault("connection refused", T, True, "refused", place="refused"),
    Fault("name doesn't resolve", T, True, "Name or service not known", place="dns"),
    Fault("certificate not trusted", T, True, "certificate verify failed", place="tls"),
    Fault("reset before the answer", T, True, "no response from 127.0.0.1", _wire(wire.reset_at_once)),
    Fault("closed before the answer", T, True, "no response from 127.0.0.1", _wire(wire.close_at_once)),
    Fault("reset within the headers", T, True, "no response from 127.0.0.1", _wire(wire.reset_in_headers)),
    Fault("reset within the body", T, True, "no response from 127.0.0.1", _wire(wire.reset_in_body)),
    Fault("closed within the body", T, True, "closed connection without", _fake("cut")),
    Fault("Content-Length too long", T, True, "closed connection without", _wire(wire.length_too_long)),
    Fault("Content-Length too short", D, False, "", _wire(wire.length_too_short)),
    Fault("two answers to one request", None, False, "", _wire(wire.two_answers)),
    Fault("not HTTP", T, True, "no response from 127.0.0.1", _wire(wire.no_http)),
    Fault("broken chunks", T, True, "no response from 127.0.0.1", _wire(wire.bad_chunks)),
    Fault("endless headers", T, True, "no response from 127.0.0.1", _wire(wire.endless_headers)),
    Fault("never answers", R, False, "in time", _fake("delay", delay=float("inf")), SHORT),
    Fault("one byte at a time, headers", R, False, "in time", _wire(wire.drip_headers), SHORT),
    Fault("one byte at a time, body", R, False, "in time", _wire(wire.drip_body), SHORT),
    Fault("half a JSON", D, False, "truncated", _fake("broken_json")),
    Fault("invalid UTF-8", D, False, "utf-8", _fake(status=200, body=b'["\xff\xfe"]')),
    Fault("JSON nested 50,000 deep", D, False, "recursion", _fake(status=200, body=DEEP)),
    Fault("broken gzip", D, False, "decompressed", _fake(status=200, body=BOMB[:9] + b"???", headers=PACKED)),
    Fault("gzip cut off", D, False, "", _fake(status=200, body=gzip.compress(JSON_ERROR)[:-20], headers=PACKED)),
    Fault("gzip bomb", D, False, "larger than Config.MAX_BODY", _bomb),
    Fault("HTML with 200", D, False, "HTML page", _fake("html", status=200, body=HTML)),
    Fault("empty 200", D, False, "empty", _fake("empty")),
    Fault("204", D, False, "empty", _fake("empty", status=204)),
    Fault("redirect on the same host", None, False, "", _redirect("?moved=1", times=1)),
    Fault(
        "redirect to another host", RequestError, False, "http://elsewhere.test/", _redirect("http://elsewhere.test/")
    ),
    Fault("redirect in a loop", RequestError, False, "perhaps in a loop", _redirect("?moved=again")),
    Fault("301 without Location", RequestError, False, "301", _fake(status=301, body=b"")),
    Fault("418", C, False, "418", _fake(status=418)),
    Fault("429 storm", RateLimitError, True, "Rate limit exceeded", _fake(status=429, headers={"retry-after": "0"})),
    Fault("500 with JSON", S, False, "Internal server error", _fake(status=500, body=JSON_ERROR)),
    Fault("500 with HTML", S, False, "Maintenance", _fake("html", status=500, body=HTML)),
    Fault("502 with HTML", S, True, "Bad gateway", _fake("html")),
    Fault("503", S, True, "503", _fake()),
    Fault("504", S, True, "504", _fake(status=504)),
)


@dataclass
class Faulty:
    """A fault that is switched on."""

    url: str
    mount: Mount
    heal: Callable[[], None]


@contextmanager
def faulty(fault: Fault, server: WireServer, fake: FakeApi | None = None) -> Iterator[Faulty]:
    """A host where the fault is on until it is healed, with a fake of its own unless one is given."""
    with PLACES[fault.place](server, fake) as place:
        place.mount.fake.app_token = SECRET
        if fault.arrange:
            fault.arrange(place.mount)
        yield place


@contextmanager
def _at_the_server(server: WireServer, fake: FakeApi | None) -> Iterator[Faulty]:
    mount = server.mount(fake)
    yield Faulty(mount.url, mount, mount.heal)


@contextmanager
def _refused(server: WireServer, fake: FakeApi | None) -> Iterator[Faulty]:
    reserved, port = wire.unused_port()
    mount = server.mount(fake, port=port)
    try:
        yield Faulty(mount.url, mount, lambda: server.listen(reserved) and None)
    finally:
        server.unlisten(reserved)
        reserved.close()


@contextmanager
def _unresolved(server: WireServer, fake: FakeApi | None) -> Iterator[Faulty]:
    real = socket.getaddrinfo

    def fail(*args: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    # `localhost`, because plain http to any other name warns.
    mount = server.mount(fake, host="localhost")
    socket.getaddrinfo = fail
    try:
        yield Faulty(mount.url, mount, lambda: setattr(socket, "getaddrinfo", real))
    finally:
        socket.getaddrinfo = real


@contextmanager
def _untrusted(server: WireServer, fake: FakeApi | None) -> Iterator[Faulty]:
    trusted, stranger = AUTHORITIES
    mine, theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trusted.configure_trust(mine)
    stranger.issue_cert(wire.HOST).configure_cert(theirs)
    real, httpx_adapter.tls = httpx_adapter.tls, lambda _: mine
    listener = socket.create_server((wire.HOST, 0))
    mount = server.mount(fake, scheme="https", port=server.listen(listener, theirs))
    try:
        yield Faulty(mount.url, mount, lambda: trusted.issue_cert(wire.HOST).configure_cert(theirs))
    finally:
        httpx_adapter.tls = real
        server.unlisten(listener)


AUTHORITIES = trustme.CA(), trustme.CA()

PLACES = {"server": _at_the_server, "refused": _refused, "dns": _unresolved, "tls": _untrusted}


def resources() -> dict[str, int]:
    """What a call must give back: descriptors (the server's own end included), threads and tasks."""
    # The threads that resolve names belong to the loop, which keeps them for the next name.
    threads = [thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")]
    try:
        tasks = len(asyncio.all_tasks())
    except RuntimeError:
        tasks = 0
    return {"descriptors": len(list(Path("/dev/fd").iterdir())), "threads": len(threads), "tasks": tasks}


def leaks(error: BaseException) -> bool:
    """Whether the secret shows in an exception, its chain, or the local variables of their frames."""
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    return SECRET in shown or SECRET in repr(vars(error))
