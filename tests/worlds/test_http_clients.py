"""Those who mock, record and trace HTTP, and clients of the caller's."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import httpx_aiohttp
import pytest
import respx
import vcr
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import scapi
import scapi.sync
from scapi.exceptions import NotFoundError, RequestTimeoutError, TransportError
from scapi.testing import FakeApi
from tests.raw_server import EMISSION, answer, raw_server
from tests.support import wire
from tests.worlds.both import WORLDS, World

if TYPE_CHECKING:
    from pytest_httpx import HTTPXMock

    from tests.support.wire import Mount, WireServer

pytestmark = pytest.mark.engine


@pytest.fixture
def mount(server: WireServer) -> Mount:
    return server.mount()


# ── a plain client of ours ────────────────────────────────────────────────────────────────────────────────────────────


def test_pytest_httpx_sees_the_calls(world: World, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url="https://eapi.stalzone.com/ru/emission", content=EMISSION)
    state = world.run(world.api.AppClient(token="t"), lambda client: client.emission())
    assert state.previous_start.year == 2026
    [request] = httpx_mock.get_requests()
    assert request.headers["authorization"] == "Bearer t"


def test_an_error_of_a_mock_is_translated(world: World, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_exception(httpx.ReadTimeout("mocked"))
    with pytest.raises(RequestTimeoutError, match="did not respond in time"):
        world.run(world.api.AppClient(token="t", retry=None), lambda client: client.emission())


def test_respx_sees_the_calls(world: World) -> None:
    with respx.mock(base_url="https://eapi.stalzone.com") as mocked:
        route = mocked.get("/ru/emission").respond(content=EMISSION)
        state = world.run(world.api.AppClient(token="t"), lambda client: client.emission())
    assert state.previous_start.year == 2026
    assert route.calls.last.request.headers["authorization"] == "Bearer t"


@pytest.mark.socket
def test_after_a_mock_the_calls_go_out_again(world: World, mount: Mount) -> None:
    with respx.mock():
        pass
    client = world.api.AppClient(token=mount.fake.app_token, base_url=mount.url)
    world.run(client, lambda client: client.emission())
    assert len(mount.arrived) == 1


@pytest.mark.socket
def test_vcrpy_records_and_replays_the_calls(world: World, tmp_path: Path) -> None:
    recorder = vcr.VCR(filter_headers=["authorization"])
    with raw_server() as server:
        for _ in range(2):
            with recorder.use_cassette(str(tmp_path / "calls.yaml")) as cassette:
                client = world.api.AppClient(token="s3cr3t", base_url=server.url)
                state = world.run(client, lambda client: client.emission())
            assert state.previous_start.day == 5
    assert len(server.requests) == 1
    assert cassette.play_count == 1
    assert "s3cr3t" not in (tmp_path / "calls.yaml").read_text()


@pytest.mark.socket
def test_opentelemetry_traces_the_calls(world: World, mount: Mount, server: WireServer) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    accepted = server.accepted
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)
    try:
        client = world.api.AppClient(token=mount.fake.app_token, base_url=mount.url)
        world.run(client, lambda client: client.emission())
        client = world.api.AppClient(token=mount.fake.app_token, base_url=mount.url, retry=None)
        with pytest.raises(NotFoundError):
            world.run(client, lambda client: client.profile("nobody there"))
    finally:
        HTTPXClientInstrumentor().uninstrument()
    codes = [(span.name, (span.attributes or {}).get("http.status_code")) for span in spans.get_finished_spans()]
    assert codes == [("GET", 200), ("GET", 404)]
    assert mount.fake.app_token not in repr([span.to_json() for span in spans.get_finished_spans()])
    assert server.accepted - accepted == 2


# ── http_client ───────────────────────────────────────────────────────────────────────────────────────────────────────


def client_of(library: Any, world: World, **options: Any) -> Any:
    """A client that keeps no connection, so that it can be closed in another event loop."""
    options.setdefault("limits", library.Limits(max_keepalive_connections=0))
    return (library.AsyncClient if world.api is scapi else library.Client)(**options)


@pytest.mark.socket
@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
class TestBothLibraries:
    def test_a_client_sends(self, world: World, library: Any, mount: Mount) -> None:
        http_client = client_of(library, world, headers={"X-Own": "1"})
        options = {"token": mount.fake.app_token, "base_url": mount.url, "http_client": http_client}
        world.run(world.api.AppClient(**options), lambda client: client.auction("zyv9").lots(limit=5))
        assert mount.arrived[0]["x-own"] == "1"
        assert mount.arrived[0]["user-agent"].startswith("scapi/")
        assert not http_client.is_closed
        finish(http_client)

    def test_its_errors_are_translated(self, world: World, library: Any, mount: Mount) -> None:
        http_client = client_of(library, world)
        options = {"token": "t", "base_url": mount.url, "http_client": http_client, "retry": None}
        mount.wire = wire.reset_at_once
        with pytest.raises(TransportError, match="no response from"):
            world.run(world.api.AppClient(**options), lambda client: client.emission())
        mount.wire = wire.never
        with pytest.raises(RequestTimeoutError, match="did not respond in time"):
            world.run(world.api.AppClient(**options, timeout=0.5), lambda client: client.emission())
        finish(http_client)

    def test_a_call_that_gets_no_connection_of_it_has_sent_nothing(
        self, world: World, library: Any, mount: Mount
    ) -> None:
        limits = library.Limits(max_connections=1, max_keepalive_connections=0)
        http_client = client_of(library, world, limits=limits, timeout=library.Timeout(30, pool=0.2))
        options = {"token": mount.fake.app_token, "base_url": mount.url, "http_client": http_client}
        client = world.api.AppClient(**options, retry=None)

        async def act(client: Any) -> None:
            async with http_client.stream("GET", f"{mount.url}/regions"):
                with pytest.raises(RequestTimeoutError, match=r"could not connect to .* in time") as caught:
                    await client.emission()
            assert caught.value.connecting

        def sync_act(client: Any) -> None:
            with http_client.stream("GET", f"{mount.url}/regions"):
                with pytest.raises(RequestTimeoutError, match=r"could not connect to .* in time") as caught:
                    client.emission()
                assert caught.value.connecting

        world.run(client, act if world.api is scapi else sync_act)
        assert len(mount.arrived) == 1
        finish(http_client)

    def test_the_fake_serves_it_without_a_socket(self, world: World, library: Any) -> None:
        fake = FakeApi()
        http_client = client_of(library, world, transport=fake.transport())
        client = world.api.AppClient(token=fake.app_token, http_client=http_client, retry=None)
        assert len(world.run(client, lambda client: client.auction("zyv9").lots(limit=5))) == 5
        fake.fail("*", "cut")
        client = world.api.AppClient(token=fake.app_token, http_client=http_client, retry=None)
        with pytest.raises(TransportError):
            world.run(client, lambda client: client.emission())
        fake.heal()
        fake.fail("*", "delay", delay=1000)
        client = world.api.AppClient(token=fake.app_token, http_client=http_client, retry=None)
        with pytest.raises(RequestTimeoutError):
            world.run(client, lambda client: client.emission())
        finish(http_client)


def finish(http_client: Any) -> None:
    """Close a client of either world."""
    if hasattr(http_client, "aclose"):
        asyncio.run(http_client.aclose())
    else:
        http_client.close()


def test_anything_else_is_refused_by_its_full_name(world: World) -> None:
    import aiohttp.hdrs

    kind = world.http_client.__name__
    for stranger in (aiohttp.hdrs.istr("x"), object(), world.other_http_client(), client_of(httpx2, other(world))):
        found = f"{type(stranger).__module__}.{type(stranger).__qualname__}"
        with pytest.raises(TypeError, match=f"must be an httpx.{kind} or an httpx2.{kind}, not {found}$"):
            world.api.AppClient(token="t", http_client=stranger)


def other(world: World) -> World:
    return WORLDS[world is WORLDS[0]]


@pytest.mark.socket
def test_another_engine_is_one_argument(mount: Mount) -> None:
    async def main() -> None:
        async with httpx.AsyncClient(transport=httpx_aiohttp.AiohttpTransport()) as http_client:
            options = {"token": mount.fake.app_token, "base_url": mount.url, "http_client": http_client}
            async with scapi.AppClient(**options) as client:
                assert len(await client.auction("zyv9").lots(limit=5)) == 5
                mount.fake.fail("*", status=404, times=1)
                with pytest.raises(NotFoundError):
                    await client.emission()
                mount.wire = wire.reset_at_once
                with pytest.raises(TransportError):
                    await client.emission()

    asyncio.run(main())


# ── who imports what ──────────────────────────────────────────────────────────────────────────────────────────────────

ROOT = Path(scapi.__file__).parent


def running(path: Path) -> str:
    """The text of a module without what is for type checkers alone."""
    return re.sub(r"(?m)^if TYPE_CHECKING:\n(?:    .*\n|\n)+", "", path.read_text("utf-8"))


def test_one_module_imports_the_http_library() -> None:
    library = re.compile(r"(?m)^\s*(?:import|from) (?:httpx|httpcore)2?\b")
    found = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if library.search(running(path))}
    # The fake is a transport of httpx, and doctor looks at the wire through a client of its own.
    apart = {path for path in found if path.startswith(("testing/", "cli/doctor/"))}
    assert found - apart == {"_http/httpx_adapter.py"}


def test_one_private_name_of_httpx_is_used() -> None:
    """`_pool`, where a transport of httpx looks for what sends."""
    private = re.compile(r"(?<!from )\b(\w+)\.(_[a-z]\w*)")
    transport = running(ROOT / "_async" / "transport.py")
    for text in (transport, running(ROOT / "_http" / "httpx_adapter.py")):
        assert {owner for owner, _ in private.findall(text)} <= {"self"}
    subclass = transport.partition("class PooledTransport")[2].partition("\nclass ")[0]
    assert {name for _, name in private.findall(subclass)} == {"_pool"}


@pytest.mark.socket
def test_the_pool_is_where_a_transport_of_httpx_looks_for_it(world: World) -> None:
    """The private name, used by httpx as we expect: without it nothing is kept, and nothing is leased."""
    assert "_pool" in vars(httpx.HTTPTransport())
    with raw_server(answer()) as server:
        client = world.api.AppClient(token="t", base_url=server.url)

        async def calls(client: Any) -> None:
            for _ in range(3):
                await client.emission()

        def sync_calls(client: Any) -> None:
            for _ in range(3):
                client.emission()

        world.run(client, calls if world.api is scapi else sync_calls)
    assert server.connections == 1
