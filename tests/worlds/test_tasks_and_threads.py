"""One client for many tasks, many threads, and one event loop after another."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

import scapi
import scapi.sync
from tests.raw_server import raw_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapi.testing import FakeApi

pytestmark = [pytest.mark.engine, pytest.mark.socket]

ITEMS = ("zyv9", "ljpq", "gyjg", "5r04", "kqgy")


async def test_fifty_tasks_each_get_their_own_answer(fake: FakeApi, url: str) -> None:
    async def lots(client: scapi.AppClient, number: int) -> set[str]:
        page = await client.auction(ITEMS[number % 5]).lots(limit=1 + number)
        return {lot.item_id for lot in page}

    async with scapi.AppClient(token=fake.app_token, base_url=url) as client, asyncio.TaskGroup() as tasks:
        found = [tasks.create_task(lots(client, number)) for number in range(50)]
    assert all(task.result() <= {ITEMS[number % 5]} for number, task in enumerate(found))
    assert len(fake.requests) == 50


def test_fifty_threads_each_get_their_own_answer(fake: FakeApi, url: str) -> None:
    def lots(number: int) -> set[str]:
        return {lot.item_id for lot in client.auction(ITEMS[number % 5]).lots(limit=1 + number)}

    with scapi.sync.AppClient(token=fake.app_token, base_url=url) as client, ThreadPoolExecutor(50) as pool:
        found = list(pool.map(lots, range(50)))
    assert all(ids <= {ITEMS[number % 5]} for number, ids in enumerate(found))
    assert len(fake.requests) == 50


def test_one_client_lives_through_one_asyncio_run_after_another(fake: FakeApi, url: str) -> None:
    client = scapi.AppClient(token=fake.app_token, base_url=url)

    async def both() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(client.emission())
            tasks.create_task(client.clans(limit=1))

    for _ in range(4):
        asyncio.run(both())
    asyncio.run(client.close())
    assert len(fake.requests) == 8
    assert client.ratelimit.remaining is not None


def test_a_client_may_be_made_outside_of_any_loop_and_closed_unused() -> None:
    asyncio.run(scapi.AppClient(token="t").close())
    scapi.sync.AppClient(token="t").close()


def test_event_loops_of_several_threads_share_one_client(fake: FakeApi, url: str) -> None:
    client = scapi.AppClient(token=fake.app_token, base_url=url)
    barrier = threading.Barrier(4)

    def run(_: int) -> scapi.models.EmissionState:
        barrier.wait()
        return asyncio.run(client.emission())

    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(run, range(4)))
    asyncio.run(client.close())
    assert states == [states[0]] * 4


def test_threads_share_the_connections_of_their_client() -> None:
    with raw_server() as server:
        with scapi.sync.AppClient(token="t", base_url=server.url) as client, ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: client.emission(), range(40)))
        assert len(server.requests) == 40
        assert 1 <= server.connections <= 4


def test_equal_credentials_share_what_is_known_of_their_budget(fake: FakeApi, url: str) -> None:
    def clients() -> Iterator[scapi.sync.AppClient]:
        for _ in range(2):
            yield scapi.sync.AppClient(token=fake.app_token, base_url=url)

    first, second = clients()
    with first, second:
        first.emission()
        assert second.ratelimit == first.ratelimit
        assert second.ratelimit.limit == 1_000_000
    other = scapi.sync.AppClient(token=fake.app_token + "x", base_url=url)
    assert other.ratelimit == scapi.RateLimit()


def test_what_is_data_in_one_world_is_data_in_the_other(fake: FakeApi, url: str) -> None:
    with scapi.sync.AppClient(token=fake.app_token, base_url=url) as client:
        mine = client.profile("ZIV")

    async def theirs() -> scapi.models.CharacterProfile:
        async with scapi.AppClient(token=fake.app_token, base_url=url) as client:
            return await client.profile("ZIV")

    assert asyncio.run(theirs()) == mine
    assert type(mine) is scapi.models.CharacterProfile


@pytest.mark.parametrize("wrong", [0, 1], ids=["scapi", "scapi.sync"])
def test_an_http_client_of_the_other_world_is_refused(wrong: int) -> None:
    from tests.worlds.both import WORLDS

    world = WORLDS[wrong]
    right, other = world.http_client.__name__, world.other_http_client.__name__
    with pytest.raises(
        TypeError, match=rf"http_client must be an httpx\.{right} or an httpx2\.{right}, not httpx\.{other}$"
    ):
        world.api.AppClient(token="t", http_client=world.other_http_client())
