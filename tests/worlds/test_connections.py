"""Connections of our own: how they are made, kept and given up."""

from __future__ import annotations

import asyncio
import fcntl
import json
import signal
import socket
import ssl
import struct
import termios
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import trustme
import uvloop

import scapi
import scapi.sync
from scapi._http import httpx_adapter
from scapi._http.messages import HttpRequest
from scapi.exceptions import ClosedError, NotFoundError, RequestTimeoutError, ScApiException, TransportError
from tests.raw_server import raw_server
from tests.support import wire
from tests.support.wire import Mount, WireServer, wait_until
from tests.worlds.both import WORLDS, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scapi.testing import Reply

pytestmark = [pytest.mark.engine, pytest.mark.socket]


@pytest.fixture
def mount(server: WireServer) -> Mount:
    return server.mount()


@pytest.fixture
def tls(server: WireServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mount]:
    """A mount behind TLS, with a certificate that our connections trust."""
    ours, theirs = trusted()
    monkeypatch.setattr(httpx_adapter, "tls", lambda _: ours)
    listener = socket.create_server((wire.HOST, 0))
    yield server.mount(scheme="https", port=server.listen(listener, theirs))
    server.unlisten(listener)


def trusted() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The two ends of a connection that trust each other."""
    authority = trustme.CA()
    ours, theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(ours)
    authority.issue_cert(wire.HOST).configure_cert(theirs)
    return ours, theirs


def client(world: World, mount: Mount, **options: Any) -> Any:
    return world.api.AppClient(token=mount.fake.app_token, base_url=mount.url, retry=None, **options)


def repeated(world: World, times: int, between: Callable[[], object] = lambda: None) -> Callable[[Any], Any]:
    """Calls one after another in one client, with something done before all but the first."""
    if world.api is scapi:

        async def calls(client: Any) -> None:
            for number in range(times):
                if number:
                    between()
                await client.emission()

        return calls

    def sync_calls(client: Any) -> None:
        for number in range(times):
            if number:
                between()
            client.emission()

    return sync_calls


# ── one call after another ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", ["reset", "closed"])
def test_a_connection_that_ended_while_idle_is_made_anew(world: World, how: str, server: WireServer) -> None:
    mount = server.mount()

    def end() -> None:
        if how == "reset":
            server.drop_connections()
        else:
            server._loop.call_soon_threadsafe(lambda: [one.close() for one in list(server.connections)])
        assert wait_until(lambda: not server.connections)

    before = server.accepted
    world.run(client(world, mount), repeated(world, 3, end))
    assert server.accepted - before == 3


def test_a_connection_that_was_idle_for_too_long_is_made_anew(
    world: World, mount: Mount, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpx_adapter, "KEEPALIVE", -1.0)
    before = server.accepted
    world.run(client(world, mount), repeated(world, 3))
    assert server.accepted - before == 3


def test_many_calls_share_a_connection(world: World, mount: Mount, server: WireServer) -> None:
    before = server.accepted
    world.run(client(world, mount), repeated(world, 50))
    assert server.accepted - before == 1


@pytest.mark.parametrize("drip", [wire.drip_headers, wire.drip_body])
def test_a_slow_drip_ends_in_time_and_costs_its_connection(world: World, drip: wire.Wire, server: WireServer) -> None:
    mount = server.mount()
    mount.wire = drip
    before = server.accepted

    async def late_then_well(client: Any) -> None:
        with pytest.raises(RequestTimeoutError, match="did not respond in time"):
            await client.emission()
        mount.heal()
        await client.emission()

    def sync_late_then_well(client: Any) -> None:
        with pytest.raises(RequestTimeoutError, match="did not respond in time"):
            client.emission()
        mount.heal()
        client.emission()

    act = late_then_well if world.api is scapi else sync_late_then_well
    world.run(client(world, mount, timeout=1.0), act)
    assert server.accepted - before == 2


def test_a_slow_drip_over_tls_ends_in_time(world: World, tls: Mount) -> None:
    tls.wire = wire.drip_body
    began = time.monotonic()
    with pytest.raises(RequestTimeoutError, match="did not respond in time"):
        world.run(client(world, tls, timeout=1.3), lambda client: client.emission())
    assert 1.3 <= time.monotonic() - began < 20


# ── TLS ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_calls_over_tls_share_a_connection(world: World, tls: Mount, server: WireServer) -> None:
    before = server.accepted
    world.run(client(world, tls), repeated(world, 20))
    assert server.accepted - before == 1


def test_a_long_answer_over_tls_comes_whole(world: World, tls: Mount) -> None:
    sales = world.run(client(world, tls), lambda client: client.auction("zyv9").price_history(limit=40))
    assert len(sales) == 40


def test_an_answer_of_many_records_comes_as_it_was_sent(world: World, tls: Mount) -> None:
    body = json.dumps([{"id": f"R{number}", "name": "X" * 90} for number in range(3000)]).encode()
    assert len(body) > 256 * 1024
    tls.fake.fail("*", status=200, body=body)
    for _ in range(3):
        regions = world.run(client(world, tls), lambda client: client.regions())
        assert [region.id for region in regions] == [f"R{number}" for number in range(3000)]


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A port on this machine whose connections are served in a thread, one after the other."""

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                serve(listener.accept()[0])

    with socket.create_server((wire.HOST, 0)) as listener:
        thread = Thread(target=accept, args=(listener,))
        thread.start()
        yield f"http://{wire.HOST}:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_a_server_that_hangs_up_within_the_handshake_is_a_transport_error(world: World) -> None:
    with listening(socket.socket.close) as url:
        client = world.api.AppClient(token="t", base_url=url.replace("http:", "https:"), retry=None)
        with pytest.raises(TransportError, match=f"no response from {wire.HOST}"):
            world.run(client, lambda client: client.emission())


# ── connecting ────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def deaf() -> Iterator[str]:
    """A port where connections are neither taken nor refused, because as many stand in line as may."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((wire.HOST, 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://{wire.HOST}:{listener.getsockname()[1]}"


def test_connecting_ends_in_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx_adapter, "CONNECT_TIMEOUT", 0.2)
    with deaf() as url, pytest.raises(RequestTimeoutError, match=r"could not connect to .* in time") as caught:
        world.run(world.api.AppClient(token="t", base_url=url, retry=None), lambda client: client.emission())
    assert caught.value.connecting


def test_all_addresses_of_a_host_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx_adapter, "CONNECT_TIMEOUT", 1.5)
    with deaf() as url:
        port = int(url.rpartition(":")[2])
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (wire.HOST, port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [kind] * 8)
        began = time.monotonic()
        with (
            scapi.sync.AppClient(token="t", base_url=url, retry=None) as client,
            pytest.raises(RequestTimeoutError, match=r"could not connect to .* in time"),
        ):
            client.emission()
    assert 1.5 <= time.monotonic() - began < 10


def test_closing_ends_a_thread_that_connects() -> None:
    with deaf() as url, scapi.sync.AppClient(token="t", base_url=url, retry=None) as client:
        threading.Timer(0.2, client.close).start()
        began = time.monotonic()
        with pytest.raises(ClosedError, match="closed"):
            client.emission()
    assert time.monotonic() - began < 12


def test_signals_do_not_put_off_the_end_of_a_wait(mount: Mount) -> None:
    mount.wire = wire.never
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.2, 0.2)
    try:
        began = time.monotonic()
        with (
            scapi.sync.AppClient(token=mount.fake.app_token, base_url=mount.url, retry=None, timeout=1.5) as client,
            pytest.raises(RequestTimeoutError),
        ):
            client.emission()
        assert time.monotonic() - began < 20
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_looking_up_a_host_ends_in_time_or_with_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(20))
    monkeypatch.setattr(httpx_adapter, "CONNECT_TIMEOUT", 0.3)
    began = time.monotonic()
    with (
        scapi.sync.AppClient(token="t", base_url="https://slow.test", retry=None) as client,
        pytest.raises(RequestTimeoutError, match=r"could not connect to slow\.test in time"),
    ):
        client.emission()
    monkeypatch.setattr(httpx_adapter, "CONNECT_TIMEOUT", 15)
    with scapi.sync.AppClient(token="t", base_url="https://slow.test", retry=None) as client:
        threading.Timer(0.2, client.close).start()
        with pytest.raises(ClosedError, match="closed"):
            client.emission()
    assert time.monotonic() - began < 30
    over.set()


def call(where: str, function: Callable[[], object]) -> None:
    """Call something in this thread, or in another one: who waits for the socket is different there."""
    if where == "main":
        function()
    else:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(function).result()


@pytest.mark.parametrize("where", ["main", "another"])
def test_closing_is_no_end_of_an_answer(where: str, mount: Mount) -> None:
    """One that doesn't say how long it is ends when the server closes, but not when we do."""

    async def endless(reply: Reply, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n1")
        for _ in range(200):
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(b" ")

    mount.wire = endless
    with scapi.sync.AppClient(token=mount.fake.app_token, base_url=mount.url, json=True) as client:
        threading.Timer(0.3, client.close).start()
        with pytest.raises(ClosedError, match="closed"):
            call(where, client.emission)


def test_a_refused_connection_says_so(world: World) -> None:
    reserved, port = wire.unused_port()
    with reserved:
        client = world.api.AppClient(token="t", base_url=f"http://{wire.HOST}:{port}", retry=None)
        with pytest.raises(TransportError, match="Connection refused"):
            world.run(client, lambda client: client.emission())


def test_a_name_that_does_not_resolve_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    client = world.api.AppClient(token="t", base_url="http://localhost:9", retry=None)
    with pytest.raises(TransportError, match="Name or service not known"):
        world.run(client, lambda client: client.emission())


def test_the_next_address_of_a_host_is_tried(world: World, mount: Mount, monkeypatch: pytest.MonkeyPatch) -> None:
    """`localhost` is `::1` first on many machines, where the server doesn't listen."""
    real = socket.getaddrinfo

    def both(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host != "localhost":
            return real(host, port, *args, **options)
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, ("127.0.0.2", port)), (*kind, (wire.HOST, port))]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    mount.url = mount.url.replace(wire.HOST, "localhost")
    world.run(client(world, mount), repeated(world, 1))


# ── what only the async world has ─────────────────────────────────────────────────────────────────────────────────────


def test_another_event_loop_does_as_well(mount: Mount, tls: Mount) -> None:
    async def main() -> None:
        for place in (mount, tls):
            async with scapi.AppClient(token=place.fake.app_token, base_url=place.url, retry=None) as client:
                await asyncio.gather(*(client.emission() for _ in range(20)))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


# ── what comes unasked ────────────────────────────────────────────────────────────────────────────────────────────────

STALE = b'HTTP/1.1 418 I\'m a teapot\r\ncontent-length: 6\r\n\r\n"none"'


def chunked(reply: Reply) -> bytes:
    """An answer whose body comes in chunks."""
    head = f"HTTP/1.1 {reply.status} OK\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(reply.body), reply.body)


def whole(reply: Reply) -> bytes:
    """An answer that says how long its body is."""
    return wire.head(reply) + reply.body


def not_arrived(writer: asyncio.StreamWriter) -> int:
    """How many bytes the other end's system hasn't acknowledged yet."""
    if writer.is_closing():
        return 0
    answer = fcntl.ioctl(writer.get_extra_info("socket").fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
    return int(struct.unpack("i", answer)[0])


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
@pytest.mark.parametrize("form", [whole, chunked])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop", "none"])
def test_what_comes_behind_an_answer_is_no_answer_to_the_next_request(
    loop: str, form: Callable[[Reply], bytes], later: bool, encrypted: bool, request: pytest.FixtureRequest
) -> None:
    mount: Mount = request.getfixturevalue("tls" if encrypted else "mount")
    sent = threading.Semaphore(0)

    async def two_answers(reply: Reply, writer: asyncio.StreamWriter) -> None:
        writer.write(form(reply) + (b"" if later else STALE))
        if later:
            await asyncio.sleep(0.03)
            writer.write(STALE)
            while not_arrived(writer):  # noqa: ASYNC110  # the other end's system makes it so
                await asyncio.sleep(0.005)
        sent.release()

    mount.wire = two_answers
    act = repeated(WORLDS[loop == "none"], 3, lambda: sent.acquire(timeout=5))
    if loop == "none":
        with client(WORLDS[1], mount) as shared:
            act(shared)
        return

    async def main() -> None:
        async with client(WORLDS[0], mount) as shared:
            await act(shared)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None) as runner:
        runner.run(main())


@pytest.mark.parametrize("world_of", ["asyncio", "uvloop"])
def test_what_comes_behind_an_answer_that_fills_a_read_is_no_answer(world_of: str, mount: Mount) -> None:
    """httpcore asks for 64 KiB, and a buffer below it may hold more."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 65494\r\n\r\n"
    answer = head + b"[" + b" " * 65492 + b"]"
    assert len(answer) == 65536
    sent = threading.Event()

    async def two_answers(reply: Reply, writer: asyncio.StreamWriter) -> None:
        writer.write(answer + STALE)
        while not_arrived(writer):  # noqa: ASYNC110  # the other end's system makes it so
            await asyncio.sleep(0.005)
        sent.set()

    mount.wire = two_answers

    async def main() -> None:
        async with client(WORLDS[0], mount, json=True) as shared:
            for number in range(3):
                sent.clear()
                call = asyncio.create_task(shared.regions())
                while len(mount.arrived) == number:  # noqa: ASYNC110  # another thread counts them
                    await asyncio.sleep(0)
                sent.wait(2)  # the whole loop stands still, so that everything is there at the next read
                assert await call == []
                assert await asyncio.to_thread(sent.wait, 30)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop if world_of == "uvloop" else None) as runner:
        runner.run(main())


def test_an_answer_over_tls_without_an_end_is_no_answer(world: World, tls: Mount) -> None:
    """It may have been cut by whoever is on the way."""

    async def endless(reply: Reply, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + reply.body)
        writer.close()

    tls.wire = endless
    with pytest.raises(TransportError, match="neither a length nor chunks"):
        world.run(client(world, tls), lambda client: client.emission())


def test_more_than_was_asked_for_does_not_fill_the_memory(world: World, mount: Mount) -> None:
    """A server that goes on sending stands still, because nobody reads any more."""
    sent = 0

    async def flood(reply: Reply, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.transport.set_write_buffer_limits(0)
        writer.write(whole(reply))
        while not writer.is_closing():
            writer.write(bytes(2**20))
            sent += 2**20
            await writer.drain()

    mount.wire = flood
    world.run(client(world, mount), repeated(world, 3, lambda: time.sleep(0.1)))
    assert sent < 64 * 2**20


def test_a_body_of_many_tiny_chunks_comes_whole(world: World, mount: Mount) -> None:
    body = b"[" + b"1," * 3000 + b"1 ]"

    async def crumbs(reply: Reply, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(b"".join(b"2\r\n%b\r\n" % body[at : at + 2] for at in range(0, len(body), 2)) + b"0\r\n\r\n")

    mount.wire = crumbs
    assert len(world.run(client(world, mount, json=True), lambda client: client.regions())) == 3001


# ── a connection that the server has closed ───────────────────────────────────────────────────────────────────────────


def hangs_up_on_the_second_request() -> Callable[[Reply, asyncio.StreamWriter], Any]:
    """Answer once over each connection, and close it when the next request comes."""
    served: list[asyncio.StreamWriter] = []

    async def serve(reply: Reply, writer: asyncio.StreamWriter) -> None:
        if writer in served:
            writer.close()
        else:
            served.append(writer)
            writer.write(whole(reply))

    return serve


def test_a_request_over_a_connection_that_was_closed_is_sent_again(world: World, mount: Mount) -> None:
    """It never came to be answered, so it is no attempt: `retry=None` changes nothing."""
    mount.wire = hangs_up_on_the_second_request()
    world.run(client(world, mount), repeated(world, 3))
    assert len(mount.arrived) == 5


def test_a_request_is_sent_again_only_once_and_only_over_a_connection_that_was_used(world: World, mount: Mount) -> None:
    mount.wire = wire.close_at_once
    with pytest.raises(TransportError, match="no response from"):
        world.run(client(world, mount), repeated(world, 1))
    assert len(mount.arrived) == 1


def test_a_form_is_never_sent_again(world: World, mount: Mount) -> None:
    mount.wire = hangs_up_on_the_second_request()
    oauth = world.api.OAuthClient(client_id="1", client_secret="s", base_url=mount.url)

    async def twice(client: Any) -> None:
        with suppress(ScApiException):
            await client.get_app_token()
        with pytest.raises(TransportError):
            await client.get_app_token()

    def sync_twice(client: Any) -> None:
        with suppress(ScApiException):
            client.get_app_token()
        with pytest.raises(TransportError):
            client.get_app_token()

    world.run(oauth, twice if world.api is scapi else sync_twice)
    assert len(mount.arrived) == 2


# ── parsed URLs are kept ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_path_arrives_as_it_is_the_second_time_too(world: World) -> None:
    with raw_server(b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}") as server:
        for _ in range(2):
            client = world.api.AppClient(token="t", base_url=server.url, retry=None)
            with pytest.raises(NotFoundError):
                world.run(client, lambda client: client.profile("A/B?c#d ё"))
    assert [request.split()[1] for request in server.requests] == [
        "/ru/character/by-name/A%2FB%3Fc%23d%20%D1%91/profile"
    ] * 2


def test_nothing_secret_is_kept_with_the_urls(world: World, mount: Mount) -> None:
    httpx_adapter._url.cache_clear()
    world.run(client(world, mount), repeated(world, 3))
    assert httpx_adapter._url.cache_info().misses == 1

    # A redirect without our token goes to a URL that may have one of its own.
    httpx_adapter.request(HttpRequest("https://elsewhere.test/file?token=s3cr3t"), {})
    assert httpx_adapter._url.cache_info().currsize == 1


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "ё"])
def test_a_header_cannot_smuggle_another(value: str) -> None:
    with pytest.raises(ValueError, match="the header If-None-Match contains characters") as caught:
        httpx_adapter.request(HttpRequest("https://h.test/", extra={"If-None-Match": value}), {})
    assert value not in str(caught.value)
