"""Proxies and certificates, as users of httpx expect them: through real proxies on this machine."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
import ssl
import threading
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pproxy
import pytest
import trustme

import scapi
from scapi._http import httpx_adapter
from scapi.exceptions import RequestTimeoutError, TransportError
from tests.support import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapi.testing import Reply
    from tests.support.wire import Mount, WireServer
    from tests.worlds.both import World

pytestmark = [
    pytest.mark.engine,
    pytest.mark.socket,
    # The proxy of these tests leaves its own ends of broken connections to the collector, which Python 3.13 tells of.
    pytest.mark.filterwarnings("ignore:unclosed <StreamWriter:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*StreamWriter.__del__:pytest.PytestUnraisableExceptionWarning"),
]

AUTHORITY = trustme.CA()
#: Neither may show anywhere.
USER, PASSWORD = "us@er", "pa:ss%word"
ENCODED = "us%40er:pa%3Ass%25word"


@pytest.fixture
def mount(server: WireServer) -> Iterator[Mount]:
    """A mount behind TLS."""
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(wire.HOST).configure_cert(theirs)
    listener = socket.create_server((wire.HOST, 0))
    yield server.mount(scheme="https", port=server.listen(listener, theirs))
    server.unlisten(listener)


@pytest.fixture
def authority(tmp_path: Path) -> str:
    """The file of the certificate that all of them are signed with."""
    path = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def tls(mount: Mount, authority: str) -> tuple[Mount, str]:
    """A mount behind TLS, and the file of what it is to be trusted by."""
    return mount, authority


@contextmanager
def proxy(kind: str, *, user: str = "", tmp_path: Path | None = None) -> Iterator[tuple[str, list[str]]]:
    """A proxy of some kind: its address without a scheme, and what it was told to connect to."""
    seen: list[str] = []
    pproxy.server.AuthTable._auth.clear()  # whoever has been let in once is let in again
    loop = asyncio.new_event_loop()
    kept: set[asyncio.Task[Any]] = set()

    def keep(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        """Make a task that lives until it is done: pproxy holds none of its own, and a loop knows them weakly."""
        task = asyncio.Task(work, loop=loop, **options)
        kept.add(task)
        task.add_done_callback(kept.discard)
        return task

    loop.set_task_factory(keep)
    reserved, port = wire.unused_port()
    reserved.close()
    uri = f"{kind}://{wire.HOST}:{port}" + (f"#{user}" if user else "")
    listening = pproxy.Server(uri)
    options: dict[str, Any] = {"rserver": [pproxy.Connection("direct")], "verbose": seen.append}
    if tmp_path is not None:
        AUTHORITY.issue_cert(wire.HOST).private_key_and_cert_chain_pem.write_to_path(tmp_path / "proxy.pem")
        listening.sslserver.load_cert_chain(tmp_path / "proxy.pem")
    handler = loop.run_until_complete(listening.start_server(options))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"{wire.HOST}:{port}", seen
    finally:

        async def stop() -> None:
            handler.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def emission(world: World, mount: Mount, **options: Any) -> Any:
    client = world.api.AppClient(token=mount.fake.app_token, base_url=mount.url, retry=None, **options)
    return world.run(client, lambda client: client.emission())


def shown(error: BaseException) -> str:
    """All that an exception and its causes show, with the local variables of all frames but those of these tests."""
    link: BaseException | None = error
    parts = []
    while link is not None:
        frames = traceback.walk_tb(link.__traceback__)
        parts += [repr(frame.f_locals) for frame, _ in frames if "tests" not in Path(frame.f_code.co_filename).parts]
        parts += [str(link), repr(vars(link))]
        link = link.__cause__ or link.__context__
    return "\n".join(parts)


# ── through a proxy ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("user", ["", f"{USER}:{PASSWORD}"], ids=["open", "with a password"])
@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
def test_calls_go_through_a_proxy(
    world: World, scheme: str, user: str, tls: tuple[Mount, str], caplog: pytest.LogCaptureFixture
) -> None:
    mount, authority = tls
    caplog.set_level("DEBUG")
    with proxy(scheme.removesuffix("h"), user=user) as (place, seen):
        url = f"{scheme}://{ENCODED if user else ''}{'@' if user else ''}{place}"
        emission(world, mount, proxy=url, verify=authority)
    assert len(mount.arrived) == 1
    assert not any(secret in caplog.text for secret in (USER, PASSWORD, ENCODED))
    assert any(mount.url.removeprefix("https://").partition("/")[0] in line for line in seen)


def test_calls_go_through_a_proxy_that_is_itself_reached_by_tls(
    world: World, mount: Mount, authority: str, tmp_path: Path
) -> None:
    with proxy("http+ssl", tmp_path=tmp_path) as (place, seen):
        emission(world, mount, proxy=f"https://{place}", verify=authority)
    assert len(mount.arrived) == 1
    assert seen


def test_plain_http_goes_through_a_proxy(world: World, server: WireServer) -> None:
    mount = server.mount()
    with proxy("http") as (place, seen):
        emission(world, mount, proxy=f"http://{place}")
    assert len(mount.arrived) == 1
    assert seen


def test_a_proxy_that_echoes_its_password_is_masked(world: World, mount: Mount) -> None:
    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            sent = connection.recv(65536).partition(b"Basic ")[2].split(b"\r\n")[0]
            connection.sendall(b"HTTP/1.1 407 %b %b\r\n\r\n" % (sent, base64.b64decode(sent)))

    with socket.create_server((wire.HOST, 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        place = f"{wire.HOST}:{listener.getsockname()[1]}"
        with pytest.raises(TransportError, match="failed: 407") as caught:
            emission(world, mount, proxy=f"http://{ENCODED}@{place}")
        thread.join()
    for secret in (USER, PASSWORD, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()):
        assert secret not in shown(caught.value)


def test_the_password_of_a_socks_proxy_is_in_no_log(
    world: World, mount: Mount, authority: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        proxy("socks5", user=f"{USER}:{PASSWORD}") as (place, _),
    ):
        emission(world, mount, proxy=f"socks5://{ENCODED}@{place}", verify=authority)
    assert any(record.name.startswith("httpcore") for record in caplog.records)
    for secret in (USER, PASSWORD, ENCODED):
        assert secret not in caplog.text


@contextmanager
def tls_proxy() -> Iterator[tuple[str, list[int]]]:
    """A proxy behind TLS that packs each record of the server's TLS into one of its own, and the sizes of these."""
    sizes: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode().rpartition(":")
        server_reader, server_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

        async def send() -> None:
            while data := await reader.read(65536):
                server_writer.write(data)
            server_writer.transport.abort()

        sending = asyncio.ensure_future(send())
        try:
            with suppress(EOFError, OSError):
                while head := await server_reader.readexactly(5):
                    writer.write(head + await server_reader.readexactly(int.from_bytes(head[3:])))
                    sizes.append(int.from_bytes(head[3:]))
        finally:
            sending.cancel()
            for end in (server_writer, writer):
                end.transport.abort()
            await asyncio.sleep(0.05)

    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(wire.HOST).configure_cert(theirs)
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(asyncio.start_server(serve, wire.HOST, 0, ssl=theirs))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"https://{wire.HOST}:{listening.sockets[0].getsockname()[1]}", sizes
    finally:

        async def stop() -> None:
            listening.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_what_comes_behind_an_answer_through_a_proxy_behind_tls_is_no_answer(mount: Mount, authority: str) -> None:
    """It may be left in the TLS to the proxy, where the TLS to the server doesn't show it."""

    stale = b'HTTP/1.1 418 I\'m a teapot\r\ncontent-length: 6\r\n\r\n"none"'

    async def two_answers(reply: Reply, writer: asyncio.StreamWriter) -> None:
        writer.write(wire.head(reply) + reply.body)
        writer.write(stale)

    mount.wire = two_answers

    async def main(url: str, sizes: list[int]) -> None:
        options: dict[str, Any] = {"base_url": mount.url, "retry": None, "proxy": url, "verify": authority}
        async with scapi.AppClient(token=mount.fake.app_token, **options) as client:
            for number in range(3):
                call = asyncio.create_task(client.emission())
                while len(mount.arrived) == number:  # noqa: ASYNC110  # another thread counts them
                    await asyncio.sleep(0)
                # The whole loop stands still, so that both answers come with one read.
                assert wire.wait_until(lambda past=number: sizes.count(len(stale) + 17) > past)  # type: ignore[misc]
                await call

    with tls_proxy() as (url, sizes):
        asyncio.run(main(url, sizes))


# ── which proxy ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without proxies, in which this machine isn't left out either."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr("scapi._base.validation.LOOPBACK", set())
    return monkeypatch


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_the_environment_names_the_proxy(
    world: World, name: str, mount: Mount, authority: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SSL_CERT_FILE", authority)
    with proxy("http") as (place, seen):
        environment.setenv(name, place)
        emission(world, mount)
        assert seen
        seen.clear()
        environment.setenv("no_proxy", wire.HOST)
        emission(world, mount)
        assert not seen


def test_this_machine_is_reached_without_a_proxy(
    world: World, mount: Mount, authority: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    emission(world, mount, verify=authority)


@pytest.mark.parametrize("name", ["OAuthClient", "GitHubClient", "UserClient"])
def test_the_other_clients_take_a_proxy_too(
    world: World, name: str, mount: Mount, authority: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {
        "OAuthClient": {"client_id": "1", "client_secret": "s", "base_url": mount.url},
        "GitHubClient": {"raw_url": mount.url},
        "UserClient": {"token": "t", "base_url": mount.url, "retry": None},
    }[name]
    acts = {
        "OAuthClient": lambda client: client.get_app_token(),
        "GitHubClient": lambda client: client.rawfile("x"),
        "UserClient": lambda client: client.emission(),
    }
    with proxy("http") as (place, seen):
        client = getattr(world.api, name)(proxy=f"http://{place}", verify=authority, **options)
        with pytest.raises(Exception):  # noqa: B017, PT011  # the fake knows neither of them
            world.run(client, acts[name])
    assert seen


# ── a proxy that doesn't work ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_a_proxy_that_refuses_is_named_without_its_password(
    world: World, kind: str, mount: Mount, authority: str
) -> None:
    with proxy(kind, user="somebody:else") as (place, _), pytest.raises(TransportError) as caught:
        emission(world, mount, proxy=f"{kind}://{ENCODED}@{place}", verify=authority)
    assert f"the proxy {kind}://{place} failed" in str(caught.value)
    for secret in (USER, PASSWORD, ENCODED):
        assert secret not in shown(caught.value)
    assert not mount.arrived


@pytest.mark.parametrize("kind", ["http", "https", "socks5"])
def test_a_proxy_that_can_not_be_reached_is_named(world: World, kind: str, mount: Mount) -> None:
    reserved, port = wire.unused_port()
    with reserved, pytest.raises(TransportError) as caught:
        emission(world, mount, proxy=f"{kind}://{ENCODED}@{wire.HOST}:{port}")
    assert f"the proxy {kind}://{wire.HOST}:{port} failed: Connection refused" in str(caught.value)
    assert PASSWORD not in shown(caught.value)


@pytest.mark.parametrize("kind", ["http", "https", "socks5"])
def test_a_proxy_that_never_answers_ends_in_time(
    world: World, kind: str, mount: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """httpcore gives a SOCKS proxy all the time that there is."""
    monkeypatch.setattr(httpx_adapter, "CONNECT_TIMEOUT", 0.5)
    with socket.create_server((wire.HOST, 0)) as listener:
        url = f"{kind}://{wire.HOST}:{listener.getsockname()[1]}"
        with pytest.raises(RequestTimeoutError, match=f"could not connect to the proxy {url} in time") as caught:
            emission(world, mount, proxy=url)
    assert caught.value.connecting


def test_what_is_no_socks_proxy_is_named_as_the_proxy(world: World, mount: Mount) -> None:
    with proxy("http") as (place, _), pytest.raises(TransportError, match=f"the proxy socks5://{place} failed"):
        emission(world, mount, proxy=f"socks5://{place}")


@pytest.mark.parametrize("url", ["http://us:s3cr3t/x@p.test", "http://us:s3cr3t@", "http://", "ftp://us:s3cr3t@p.test"])
def test_a_proxy_whose_url_is_wrong_is_refused_without_showing_it(
    world: World, url: str, environment: pytest.MonkeyPatch
) -> None:
    for options in ({"proxy": url}, {}):
        environment.setenv("https_proxy", url)
        client = world.api.AppClient(token="t", retry=None, **options)
        with pytest.raises(ValueError, match=r"proxy.* must be a URL such as") as caught:
            world.run(client, lambda client: client.emission())
        assert "s3cr3t" not in shown(caught.value)


def test_a_proxy_does_not_go_with_a_client_of_the_callers(world: World) -> None:
    for options in ({"proxy": "http://us:s3cr3t@p.test"}, {"verify": False}):
        with pytest.raises(TypeError, match="can't be used with an http_client") as caught:
            world.api.AppClient(token="t", http_client=world.http_client(), **options)
        assert "s3cr3t" not in shown(caught.value)


# ── certificates ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_verify_takes_a_context_a_file_and_a_folder(world: World, mount: Mount, authority: str) -> None:
    context = ssl.create_default_context(cafile=authority)
    for verify in (context, authority, Path(authority)):
        emission(world, mount, verify=verify)
    with pytest.raises(TransportError, match="certificate verify failed"):
        emission(world, mount)


def test_certificates_may_lie_in_the_home_folder(
    world: World, mount: Mount, authority: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(Path(authority).parent))
    emission(world, mount, verify="~/authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", "~/authority.pem")
    emission(world, mount)
    with pytest.raises(
        ValueError, match="verify must be the path of a file or folder of certificates, not '~no-such-user/x'"
    ):
        world.api.AppClient(token="t", verify="~no-such-user/x")


def test_no_verification_is_never_quiet(world: World, mount: Mount) -> None:
    with pytest.warns(UserWarning, match="verify=False: anybody on the network path can read"):
        client = world.api.AppClient(token=mount.fake.app_token, base_url=mount.url, verify=False)
    world.run(client, lambda client: client.emission())


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_are_not_there_are_one_clear_error(
    world: World, name: str, mount: Mount, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for other in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match=rf"{name} must name a file or folder of certificates, not '.*nowhere'"):
        emission(world, mount)
    monkeypatch.delenv(name)
    (tmp_path / "empty").write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "empty"))
    with pytest.raises(ValueError, match=r"SSL_CERT_FILE must name .* not '.*empty': no certificate in it"):
        emission(world, mount)


def test_verify_is_checked_when_the_client_is_made(world: World) -> None:
    with pytest.raises(ValueError, match="verify must be the path of a file or folder of certificates, not '/nowhere'"):
        world.api.AppClient(token="t", verify="/nowhere")
    with pytest.raises(TypeError, match=r"verify must be an ssl\.SSLContext, a path or a bool, not int"):
        world.api.AppClient(token="t", verify=1)
