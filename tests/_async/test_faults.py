"""The fault table, over a real socket: what every fault becomes at every endpoint."""

from __future__ import annotations

import contextlib
import gzip
import time
from typing import TYPE_CHECKING, Any

import pytest

from scapi._async import AppClient, UserClient
from scapi._primitives import aio
from scapi._retry import Retry
from scapi.config import Config
from scapi.exceptions import DecodeError, RateLimitError, RequestError, ScApiException
from tests._async.fake_clock import FakeClock, with_clock
from tests.support.faults import AMPLE, FAULTS, SECRET, Fault, faulty, leaks, resources
from tests.support.wire import WireServer, generous, wait_until, wire_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scapi.testing import FakeApi

#: The clan of the character of the fake's user.
CLAN = "a552092f-e7c9-4cc3-a256-1e3f525770bf"

ENDPOINTS: dict[str, Callable[[Any], Any]] = {
    "regions": lambda client: client.regions(),
    "emission": lambda client: client.emission(),
    "profile": lambda client: client.profile("YourCharacterName"),
    "clans": lambda client: client.clans(),
    "operations_sessions": lambda client: client.operations_sessions(),
    "lots": lambda client: client.auction("zyv9").lots(),
    "price_history": lambda client: client.auction("zyv9").price_history(),
    "clan_info": lambda client: client.clan(CLAN).info(),
    "clan_members": lambda client: client.clan(CLAN).members(),
    "characters": lambda client: client.characters(),
    "friends": lambda client: client.friends("YourCharacterName"),
}
USER_ONLY = {"clan_members", "characters", "friends"}

pytestmark = [pytest.mark.engine, pytest.mark.socket]


@pytest.fixture(scope="module")
def server() -> Iterator[WireServer]:
    with wire_server() as server:
        yield server


def client_of(url: str, endpoint: str, **options: Any) -> Any:
    kind = UserClient if endpoint in USER_ONLY else AppClient
    return kind(token=SECRET, base_url=url, **options)


async def settle(before: dict[str, int]) -> None:
    """Wait for the other end of closed connections to close too, then compare."""
    for _ in range(20_000):
        if all(count <= before[kind] for kind, count in resources().items()):
            return
        await aio.Wakeup().wait(0.002)
    assert resources() == before


@contextlib.contextmanager
def named(endpoint: str) -> Iterator[None]:
    """Whatever fails within tells at which endpoint."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"at the endpoint {endpoint}")
        raise


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_fault_becomes_its_error_at_each_endpoint_in_time_and_leaves_nothing(
    fault: Fault, server: WireServer
) -> None:
    fake = generous()
    for endpoint, call in ENDPOINTS.items():
        with named(endpoint):
            await becomes_its_error(fault, endpoint, call, server, fake)


async def becomes_its_error(
    fault: Fault, endpoint: str, call: Callable[[Any], Any], server: WireServer, fake: FakeApi
) -> None:
    with faulty(fault, server, fake) as place:
        before = resources()
        # After a 429 the next call waits for the reset, which is not what this is about.
        pace = fault.error is not RateLimitError
        async with client_of(place.url, endpoint, timeout=fault.timeout, retry=None, pace=pace) as client:
            fake.user_token = SECRET if endpoint in USER_ONLY else ""
            fake.app_token = "" if endpoint in USER_ONLY else SECRET
            began = time.monotonic()
            if fault.error is None:
                await call(client)
            else:
                with pytest.raises(fault.error) as caught:
                    await call(client)
                assert type(caught.value) is fault.error
                assert fault.says.lower() in str(caught.value).lower()
                assert not leaks(caught.value)
            # Far more than it takes: the machine may be busy.
            assert time.monotonic() - began < fault.timeout + 20
            place.heal()
            # Over the same connections, and the machine may be too busy for a short deadline.
            await call(client.with_options(timeout=AMPLE))
        await settle(before)


@pytest.mark.parametrize("fault", [one for one in FAULTS if one.place == "server"], ids=lambda fault: fault.name)
async def test_only_what_may_pass_is_tried_again(fault: Fault, server: WireServer) -> None:
    with faulty(fault, server) as place:
        retry = Retry(attempts=3, backoff=0, max_wait=150)
        # Time to connect on a busy machine too: what wasn't sent is tried again.
        options = {"timeout": max(fault.timeout, 1.0), "retry": retry, "pace": False}
        async with with_clock(AppClient, FakeClock())(token=SECRET, base_url=place.url, **options) as client:
            with contextlib.suppress(ScApiException):
                await client.emission()
    following = 5 if "loop" in fault.says else 1 if "same host" in fault.name else 0
    assert len(place.mount.arrived) == (3 if fault.retried else 1 + following)


async def test_credentials_never_reach_the_host_that_a_redirect_points_to(server: WireServer) -> None:
    elsewhere = server.mount(port=server.port)
    elsewhere.url = elsewhere.url.replace("127.0.0.1", "localhost")
    here = server.mount()
    here.fake.app_token = SECRET
    for status in (301, 302, 303, 307, 308):
        here.fake.fail("*", status=status, body=b"", headers={"location": f"{elsewhere.url}/ru/emission"}, times=1)
        async with AppClient(token=SECRET, base_url=here.url) as client:
            with pytest.raises(RequestError, match=elsewhere.url):
                await client.emission()
    assert len(here.arrived) == 5
    assert elsewhere.arrived == []


async def test_a_bomb_is_packed_up_to_the_limit_and_no_further(
    server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Config, "MAX_BODY", 1000)
    mount = server.mount()
    mount.fake.app_token = SECRET
    async with AppClient(token=SECRET, base_url=mount.url, json=True) as client:
        mount.fake.fail("*", status=200, body=b"1" * 1000, times=1)
        assert await client.emission() == int("1" * 1000)
        for headers, body in (({}, b"1" * 1001), ({"content-encoding": "gzip"}, gzip.compress(b"1" * 1001))):
            mount.fake.fail("*", status=200, body=body, headers=headers, times=1)
            with pytest.raises(DecodeError, match=r"larger than Config\.MAX_BODY, 1000 bytes"):
                await client.emission()


async def test_a_bomb_is_refused_at_the_limit_that_every_program_begins_with(server: WireServer) -> None:
    mount = server.mount()
    mount.fake.app_token = SECRET
    bomb = gzip.compress(b"[" + b" " * Config.MAX_BODY + b"]", 1)
    mount.fake.fail("*", status=200, body=bomb, headers={"content-encoding": "gzip"})
    async with AppClient(token=SECRET, base_url=mount.url) as client:
        with pytest.raises(DecodeError, match=r"larger than Config\.MAX_BODY, 67108864 bytes"):
            await client.emission()


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip"])
async def test_an_encoding_that_was_not_asked_for_is_refused(encoding: str, server: WireServer) -> None:
    mount = server.mount()
    mount.fake.app_token = SECRET
    mount.fake.fail("*", status=200, body=b"{}", headers={"content-encoding": encoding})
    async with AppClient(token=SECRET, base_url=mount.url) as client:
        with pytest.raises(DecodeError, match="not requested"):
            await client.emission()


async def test_a_connection_that_was_closed_while_idle_is_noticed(server: WireServer) -> None:
    mount = server.mount()
    mount.fake.app_token = SECRET
    async with AppClient(token=SECRET, base_url=mount.url, retry=None) as client:
        await client.emission()
        server.drop_connections()
        assert wait_until(lambda: not server.connections)
        await client.emission()
