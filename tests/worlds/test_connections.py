"""Connections of our own: how they are made, kept and given up."""

from __future__ import annotations

import asyncio
import functools
import json
import signal
import socket
import ssl
import threading
import time
import traceback
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx
import trustme
import uvloop

import scapi
import scapi.sync
from scapi import _http, _threads_network
from scapi._aio_network import Link
from scapi._core import http1
from scapi._core.http1 import Origin, Proxy
from scapi._core.outgoing import Outgoing
from scapi.exceptions import NotFoundError, RequestTimeoutError, TransportError
from tests.raw_server import EMISSION, answer, raw_server
from tests.support import wire
from tests.support.wire import Mount, WireServer, wait_until, wire_server
from tests.worlds.both import WORLDS, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_httpx import HTTPXMock

    from scapi.testing import Reply

pytestmark = [pytest.mark.engine, pytest.mark.socket]


@pytest.fixture(params=WORLDS, ids=str)
def world(request: pytest.FixtureRequest) -> World:
    found: World = request.param
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[WireServer]:
    with wire_server() as server:
        yield server


@pytest.fixture
def mount(server: WireServer) -> Mount:
    return server.mount()


@pytest.fixture
def tls(server: WireServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mount]:
    """A mount behind TLS, with a certificate that our connections trust."""
    ours, theirs = trusted()
    monkeypatch.setattr(_http, "tls", lambda: ours)
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


def repeated(world: World, times: int, between: Callable[[], None] = lambda: None) -> Callable[[Any], Any]:
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
    monkeypatch.setattr(_http, "KEEPALIVE", -1.0)
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
        with pytest.raises(RequestTimeoutError, match="did not answer in time"):
            await client.emission()
        mount.heal()
        await client.emission()

    def sync_late_then_well(client: Any) -> None:
        with pytest.raises(RequestTimeoutError, match="did not answer in time"):
            client.emission()
        mount.heal()
        client.emission()

    act = late_then_well if world.api is scapi else sync_late_then_well
    world.run(client(world, mount, timeout=1.0), act)
    assert server.accepted - before == 2


def test_a_wait_of_many_seconds_ends_in_its_own_time_too(
    world: World, mount: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system ends a thread's wait every few seconds, which is none of the caller's business."""
    monkeypatch.setattr(_threads_network, "PATIENCE", 3)
    mount.wire = wire.never
    began = time.monotonic()
    with pytest.raises(RequestTimeoutError, match="did not answer in time"):
        world.run(client(world, mount, timeout=3.3), lambda client: client.emission())
    assert 3.3 <= time.monotonic() - began < 5.9


def test_a_slow_drip_over_tls_ends_in_time(world: World, tls: Mount) -> None:
    tls.wire = wire.drip_body
    began = time.monotonic()
    with pytest.raises(RequestTimeoutError, match="did not answer in time"):
        world.run(client(world, tls, timeout=1.3), lambda client: client.emission())
    assert 1.3 <= time.monotonic() - began < 20


# ── mocks ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pytest_httpx_sees_the_calls_of_a_client_of_ours(world: World, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url="https://eapi.stalzone.com/ru/emission", content=EMISSION)
    state = world.run(world.api.AppClient(token="t"), lambda client: client.emission())
    assert state.previous_start.year == 2026
    [request] = httpx_mock.get_requests()
    assert request.headers["authorization"] == "Bearer t"


def test_respx_sees_the_calls_of_a_client_of_ours(world: World) -> None:
    with respx.mock(base_url="https://eapi.stalzone.com") as mocked:
        route = mocked.get("/ru/emission").respond(content=EMISSION)
        state = world.run(world.api.AppClient(token="t"), lambda client: client.emission())
    assert state.previous_start.year == 2026
    assert route.calls.last.request.headers["authorization"] == "Bearer t"


def test_who_only_watches_httpx_does_not_get_our_calls(
    world: World, mount: Mount, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As OpenTelemetry does: by something that wraps what was there."""
    for kind, name in ((httpx.HTTPTransport, "handle_request"), (httpx.AsyncHTTPTransport, "handle_async_request")):
        wrapper = functools.partial(getattr(kind, name))
        functools.update_wrapper(wrapper, getattr(kind, name))
        monkeypatch.setattr(kind, name, wrapper)
    before = server.accepted
    world.run(client(world, mount), repeated(world, 5))
    assert server.accepted - before == 1


def test_after_a_mock_the_calls_go_out_again(world: World, mount: Mount) -> None:
    with respx.mock():
        pass
    world.run(client(world, mount), repeated(world, 1))
    assert len(mount.arrived) == 1


# ── proxies ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_goes_through_a_proxy(world: World, mount: Mount, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server() as proxy:
        monkeypatch.setattr(_http, "_proxy", lambda _: proxy.url.replace("//", "//us%40er:pa%3Ass@"))
        world.run(client(world, mount), repeated(world, 2))
    assert [request.split()[1] for request in proxy.requests] == [f"{mount.url}/ru/emission"] * 2
    user = b64encode(b"us@er:pa:ss").decode()
    assert all(f"Proxy-Authorization: Basic {user}" in request.split("\r\n") for request in proxy.requests)
    assert proxy.connections == 1


def test_a_proxy_is_found_where_the_environment_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    far, near = Origin("https", "eapi.stalzone.com", 443), Origin("https", "127.0.0.1", 8443)
    assert _http.proxy(far) is None
    monkeypatch.setenv("https_proxy", "proxy.test:3128")
    assert _http.proxy(far) == Proxy(Origin("http", "proxy.test", 3128))
    assert _http.proxy(near) is None
    monkeypatch.setenv("no_proxy", "stalzone.com")
    assert _http.proxy(far) is None


def test_what_a_proxy_is_told_is_not_shown() -> None:
    assert "s3cr3t" not in repr(Proxy(Origin("http", "proxy.test", 3128), "s3cr3t"))


@pytest.mark.parametrize("kind", ["socks5", "https"])
def test_a_proxy_of_another_kind_is_refused(world: World, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http, "_proxy", lambda _: f"{kind}://proxy.test:1080")
    with pytest.raises(TransportError, match=rf"{kind} proxy.*http_client=httpx\.Client\(proxy="):
        world.run(world.api.AppClient(token="t", retry=None), lambda client: client.emission())


@pytest.mark.parametrize(
    "url", ["http://us:s3cr3t/x@p.test", "http://us:s3cr3t[@p.test", "http://us:s3cr3t@", "http://"]
)
def test_a_proxy_whose_url_is_wrong_is_refused_without_showing_it(
    world: World, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_http, "_proxy", lambda _: url)
    with pytest.raises(TransportError, match="the proxy that the environment names is no valid URL") as caught:
        world.run(world.api.AppClient(token="t", retry=None), lambda client: client.emission())
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


def test_a_proxy_that_does_not_connect_is_a_transport_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(answer(b"no", "403 Forbidden")) as proxy:
        monkeypatch.setattr(_http, "_proxy", lambda _: proxy.url)
        with pytest.raises(TransportError, match="the proxy answers 403"):
            world.run(world.api.AppClient(token="t", retry=None), lambda client: client.emission())
    assert proxy.requests[0].startswith("CONNECT eapi.stalzone.com:443 HTTP/1.1")
    assert "Bearer" not in proxy.requests[0]


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
    assert len(body) > _http.READ_SIZE
    tls.fake.fail("*", status=200, body=body)
    for _ in range(3):
        regions = world.run(client(world, tls), lambda client: client.regions())
        assert [region.id for region in regions] == [f"R{number}" for number in range(3000)]


def test_calls_go_through_a_tunnel(
    world: World, tls: Mount, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = server.accepted
    with tunnel() as (url, targets):
        monkeypatch.setattr(_http, "_proxy", lambda _: url)
        world.run(client(world, tls), repeated(world, 3))
    assert targets == [httpx.URL(tls.url).netloc.decode()]
    assert server.accepted - before == 1


@contextmanager
def tunnel() -> Iterator[tuple[str, list[str]]]:
    """A proxy that takes CONNECT, and where it was told to connect to."""
    targets: list[str] = []

    def copy(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve(near: socket.socket) -> None:
        targets.append(near.recv(65536).split()[1].decode())
        host, port = targets[-1].split(":")
        with near, socket.create_connection((host, int(port))) as far:
            near.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = Thread(target=copy, args=(far, near))
            back.start()
            copy(near, far)
            back.join()

    with listening(serve) as url:
        yield url, targets


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
        with pytest.raises(TransportError, match=f"no answer from {wire.HOST}"):
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
    monkeypatch.setattr(_http, "CONNECT_TIMEOUT", 0.2)
    with deaf() as url, pytest.raises(RequestTimeoutError, match="could not be connected to in time") as caught:
        world.run(world.api.AppClient(token="t", base_url=url, retry=None), lambda client: client.emission())
    assert caught.value.connecting


def test_all_addresses_of_a_host_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http, "CONNECT_TIMEOUT", 1.5)
    with deaf() as url:
        port = int(url.rpartition(":")[2])
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (wire.HOST, port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [kind] * 8)
        began = time.monotonic()
        with (
            scapi.sync.AppClient(token="t", base_url=url, retry=None) as client,
            pytest.raises(RequestTimeoutError, match="could not be connected to in time"),
        ):
            client.emission()
    assert 1.5 <= time.monotonic() - began < 10


def test_closing_ends_a_thread_that_connects() -> None:
    with deaf() as url, scapi.sync.AppClient(token="t", base_url=url, retry=None) as client:
        threading.Timer(0.2, client.close).start()
        began = time.monotonic()
        with pytest.raises(TransportError, match="closed"):
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
    monkeypatch.setattr(_http, "CONNECT_TIMEOUT", 0.3)
    began = time.monotonic()
    with (
        scapi.sync.AppClient(token="t", base_url="https://slow.test", retry=None) as client,
        pytest.raises(RequestTimeoutError, match=r"slow\.test could not be connected to in time"),
    ):
        client.emission()
    monkeypatch.setattr(_http, "CONNECT_TIMEOUT", 15)
    with scapi.sync.AppClient(token="t", base_url="https://slow.test", retry=None) as client:
        threading.Timer(0.2, client.close).start()
        with pytest.raises(TransportError, match="closed"):
            client.emission()
    assert time.monotonic() - began < 10
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
        with pytest.raises(TransportError, match="closed"):
            call(where, client.emission)


@pytest.mark.parametrize("where", ["main", "another"])
def test_writing_ends_in_time_too(where: str) -> None:
    open_to_the_end: list[socket.socket] = []
    signals = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.2, 0.2)
    try:
        with listening(open_to_the_end.append) as url, scapi.sync.GitHubClient(raw_url=url, timeout=0.5) as client:
            began = time.monotonic()
            with pytest.raises(RequestTimeoutError):
                call(where, lambda: client.rawfile("x" * 2**24))
            assert time.monotonic() - began < 30
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signals)
        for one in open_to_the_end:
            one.close()


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


async def linked(server: asyncio.Server) -> Link:
    """An open connection to a server of this event loop."""
    link = Link(Origin("http", wire.HOST, server.sockets[0].getsockname()[1]))
    await link.open()
    return link


def test_more_than_was_asked_for_does_not_fill_the_memory() -> None:
    """A server that goes on sending stands still, because nobody reads any more."""

    async def main() -> None:
        sent = 0

        async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            writer.transport.set_write_buffer_limits(0)
            while not writer.is_closing():
                writer.write(bytes(2**20))
                sent += 2**20
                await writer.drain()

        server = await asyncio.start_server(flood, wire.HOST, 0)
        link = await linked(server)
        assert await link._read()
        before = -1
        while before < sent:
            before = sent
            await asyncio.sleep(0.05)
        assert sent < 64 * 2**20
        assert not link.is_ready
        link.close()
        server.close()
        await server.wait_closed()

    asyncio.run(main())


def test_a_read_ends_in_time_and_what_comes_later_is_not_lost() -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"late")
            writer.close()

        server = await asyncio.start_server(serve, wire.HOST, 0)
        link = await linked(server)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await link._read()
        link._transport.write(b"?")
        assert [await link._read() for _ in range(2)] == [b"late", b""]
        link.close()
        server.close()
        await server.wait_closed()

    asyncio.run(main())


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_what_comes_unasked_while_a_part_is_handed_over_is_no_answer(
    loop: Callable[[], asyncio.AbstractEventLoop], encrypted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading is paused then, and what has come stays where nobody looks for it."""
    ours, theirs = trusted()
    monkeypatch.setattr(_http, "tls", lambda: ours)

    async def main() -> None:
        connections: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.append(writer)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer(b"0123456789")[:-5])

        async def take(part: bytes, _: int | None) -> None:
            if part == b"01234":
                for data in (b"56789", answer(b"STALE")):
                    connections[0].write(data)
                    await asyncio.sleep(0.02)

        server = await asyncio.start_server(serve, wire.HOST, 0, ssl=theirs if encrypted else None)
        port = server.sockets[0].getsockname()[1]
        link = Link(Origin("https" if encrypted else "http", wire.HOST, port))
        try:
            await link.open()
            await link.exchange(Outgoing(f"http{'s' * encrypted}://{wire.HOST}:{port}/"), take)
            assert not link.rests
        finally:
            link.close()
            connections[0].transport.abort()
            server.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


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
    http1._kept.cache_clear()
    world.run(client(world, mount), repeated(world, 3))
    assert http1._kept.cache_info().misses == 1

    # A redirect without our token goes to a URL that may have one of its own.
    http1.locate(Outgoing("https://elsewhere.test/file?token=s3cr3t"))
    assert http1._kept.cache_info().currsize == 1
