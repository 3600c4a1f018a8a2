"""No token or secret shows: not in logs, not in errors, not in tracebacks that print local variables."""

from __future__ import annotations

import asyncio
import logging
import pickle
import signal
import ssl
import threading
import warnings
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import scapi
import scapi.sync
from scapi import exceptions
from scapi.testing import FakeApi
from tests.support import wire
from tests.support.faults import FAULTS, SECRET, Fault, faulty, leaks
from tests.support.tracebacks import rich_text
from tests.support.wire import WireServer, wait_until, wire_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.engine, pytest.mark.socket]


@pytest.fixture(scope="module")
def server() -> Iterator[WireServer]:
    with wire_server() as server:
        yield server


def cgitb_text(error: BaseException) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it is gone from Python 3.13 on
        try:
            import cgitb
        except ImportError:
            return ""
    return str(cgitb.text((type(error), error, error.__traceback__), context=5))


def shows(error: BaseException) -> bool:
    return leaks(error) or SECRET in rich_text(error) or SECRET in cgitb_text(error)


def sync_error(url: str, **options: Any) -> BaseException:
    with scapi.sync.AppClient(token=SECRET, base_url=url, retry=None, **options) as client:
        try:
            client.emission()
        except BaseException as error:  # noqa: BLE001  # it is what is asked for
            return error
    raise AssertionError("no error")


def async_error(url: str, **options: Any) -> BaseException:
    async def main() -> BaseException:
        async with scapi.AppClient(token=SECRET, base_url=url, retry=None, **options) as client:
            try:
                await client.emission()
            except BaseException as error:  # noqa: BLE001  # it is what is asked for
                return error
        raise AssertionError("no error")

    return asyncio.run(main())


WORLDS = [pytest.param(async_error, id="async"), pytest.param(sync_error, id="sync")]


@pytest.mark.parametrize("call", WORLDS)
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.error], ids=lambda fault: fault.name)
def test_no_traceback_with_locals_shows_it(
    fault: Fault, call: Callable[..., BaseException], server: WireServer
) -> None:
    with faulty(fault, server) as place:
        assert not shows(call(place.url, timeout=fault.timeout))


#: Nothing here is sent over TLS, and to load certificates takes longer than the rest.
TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


# A client of the caller's brings its own trust, and in the sync world headers that drip are its own affair.
@pytest.mark.parametrize(
    "fault",
    [fault for fault in FAULTS if fault.error and fault.place != "tls" and "byte at a time, h" not in fault.name],
    ids=lambda fault: fault.name,
)
def test_no_traceback_through_a_borrowed_client_shows_it(fault: Fault, server: WireServer) -> None:
    with faulty(fault, server) as place, httpx.Client(verify=TRUST) as borrowed:
        assert not shows(sync_error(place.url, timeout=fault.timeout, http_client=borrowed))


def test_no_cancellation_shows_it(server: WireServer) -> None:
    mount = server.mount()
    mount.wire = wire.never

    async def main() -> BaseException:
        async with scapi.AppClient(token=SECRET, base_url=mount.url) as client:
            task = asyncio.create_task(client.emission())
            while not mount.arrived:  # noqa: ASYNC110  # another thread fills it
                await asyncio.sleep(0)
            task.cancel("enough")
            try:
                await task
            except asyncio.CancelledError as error:
                return error
        raise AssertionError("no error")

    error = asyncio.run(main())
    assert error.args == ("enough",)
    assert not shows(error)


def test_no_interruption_shows_it(server: WireServer) -> None:
    mount = server.mount()
    mount.wire = wire.never
    main = threading.main_thread()

    def interrupt() -> None:
        wait_until(lambda: bool(mount.arrived))
        signal.pthread_kill(main.ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    error = sync_error(mount.url)
    thread.join()
    assert isinstance(error, KeyboardInterrupt)
    assert not shows(error)


@pytest.mark.parametrize("call", WORLDS)
def test_logs_at_debug_do_not_show_it(
    call: Callable[..., BaseException], server: WireServer, caplog: pytest.LogCaptureFixture
) -> None:
    mount = server.mount()
    mount.fake.fail("*", status=500)
    with caplog.at_level(logging.DEBUG):
        call(mount.url)
    assert {record.getMessage().split()[0] for record in caplog.records} >= {"connected", "GET"}
    assert SECRET not in caplog.text


@pytest.mark.parametrize("status", [200, 302, 500])
def test_a_server_that_echoes_it_is_cut_short(status: int, server: WireServer) -> None:
    mount = server.mount()
    echo = {"x-echo": SECRET, "location": f"http://elsewhere.test/?token={SECRET}"}
    mount.fake.fail("*", status=status, body=f"<html><title>Bearer {SECRET}</title>", headers=echo)
    for call in (sync_error, async_error):
        error = call(mount.url)
        assert not shows(error)
        assert SECRET.encode() not in pickle.dumps(error)
        assert SECRET not in str(error)


def test_what_the_caller_was_handling_keeps_its_traceback(server: WireServer) -> None:
    mount = server.mount()
    mount.wire = wire.reset_at_once
    with scapi.sync.AppClient(token=SECRET, base_url=mount.url, retry=None) as client:
        try:
            raise ConnectionRefusedError(111, "of the caller")
        except ConnectionRefusedError as mine:
            with pytest.raises(exceptions.TransportError, match="reset") as caught:
                client.emission()
            assert mine.__traceback__ is not None  # noqa: PT017  # not this exception is tested, but the one above
            assert isinstance(caught.value.__cause__, httpx.ReadError)


@pytest.mark.parametrize("module", [scapi, scapi.sync], ids=["async", "sync"])
def test_repr_and_pickle_do_not_show_it(module: Any) -> None:
    for client in (
        module.AppClient(token=SECRET, region="eu", timeout=3.5, retry=None, pace="even", queue_timeout=2),
        module.AppClient(client_id="some-id", client_secret=SECRET),
        module.UserClient(token=SECRET, json=True),
    ):
        data = pickle.dumps(client)
        again = pickle.loads(data)  # our own
        assert SECRET.encode() not in data
        assert SECRET not in f"{client!r} {again!r} {vars(client)!r} {client._session.settings!r}"
        assert again._session.settings == client._session.settings
        assert again._session.credentials.headers() == client._session.credentials.headers()


@pytest.mark.parametrize("module", [scapi, scapi.sync], ids=["async", "sync"])
@pytest.mark.parametrize(
    "options",
    [
        {"token": SECRET + "\n"},
        {"client_secret": SECRET},
        {"token": SECRET, "region": "nowhere"},
        {"token": SECRET, "timeout": -1},
        {"token": SECRET, "base_url": f"https://user:{SECRET}@host"},
        {"token": SECRET, "http_client": "not a client"},
    ],
    ids=["line break", "half a pair", "region", "timeout", "base_url", "http_client"],
)
def test_wrong_arguments_do_not_show_it(module: Any, options: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, exceptions.CredentialsError)) as caught:
        module.AppClient(**options)
    assert SECRET not in str(caught.value)
    if "base_url" in options:
        return  # what is in a URL is shown by the frames that it passes, but not by the message
    error = caught.value
    # The first frame is this test's own, and holds what it passed.
    assert error.__traceback__ is not None
    assert not leaks(error.with_traceback(_below(error.__traceback__.tb_next)))


def _below(trace: Any) -> Any:
    """The frames of the library: pytest's and this test's are left out."""
    while trace is not None and "scapi" not in trace.tb_frame.f_globals.get("__name__", "").split("."):
        trace = trace.tb_next
    return trace


@pytest.mark.parametrize("url", ["http://eapi.stalzone.com", "http://10.0.0.1:8080"])
def test_plain_http_warns_unless_it_stays_on_this_machine(url: str) -> None:
    with pytest.warns(UserWarning, match="plain http: credentials will travel unencrypted") as caught:
        scapi.sync.AppClient(token=SECRET, base_url=url)
    assert SECRET not in str(caught[0].message)
    for loopback in ("http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1", "https://eapi.stalzone.com"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            scapi.sync.AppClient(token=SECRET, base_url=loopback)


@pytest.mark.parametrize("module", [scapi, scapi.sync], ids=["async", "sync"])
def test_the_warning_about_two_kinds_of_credentials_does_not_show_them(module: Any) -> None:
    with pytest.warns(UserWarning, match="the pair is used") as caught:
        module.AppClient(token=SECRET, client_id="some-id", client_secret=SECRET)
    assert SECRET not in str(caught[0].message)


def test_a_hook_of_the_callers_may_read_the_answer(server: WireServer) -> None:
    fake = FakeApi()
    mount = server.mount(fake)

    async def main() -> Any:
        async def read(response: httpx.Response) -> None:
            await response.aread()

        async with httpx.AsyncClient(event_hooks={"response": [read]}) as borrowed:
            client = scapi.AppClient(token=fake.app_token, base_url=mount.url, http_client=borrowed)
            return await client.auction("zyv9").lots(limit=200)

    with httpx.Client(event_hooks={"response": [lambda response: response.read() and None]}) as borrowed:
        client = scapi.sync.AppClient(token=fake.app_token, base_url=mount.url, http_client=borrowed)
        assert client.auction("zyv9").lots(limit=200) == asyncio.run(main())


def test_an_error_of_a_hook_comes_through(server: WireServer) -> None:
    mount = server.mount()

    def hook(response: httpx.Response) -> None:
        raise LookupError("of the hook")

    with httpx.Client(event_hooks={"response": [hook]}) as borrowed:
        error = sync_error(mount.url, http_client=borrowed)
    assert isinstance(error, LookupError)
    assert not shows(error)
