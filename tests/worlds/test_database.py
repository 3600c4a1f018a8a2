"""Many at once: tasks, threads, one event loop after another, and both worlds with one folder."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

import scapi
import scapi.sync
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["AK-105", "Gun Oil", "Жгут", "구리선"]
IDS = ["zz2rn", "dm6l2", "9mmq", "kllj"]


def async_lookup(fake: FakeApi, folder: Path) -> scapi.DatabaseLookup:
    client = httpx.AsyncClient(transport=fake.transport())
    return scapi.DatabaseLookup(scapi.GitHubClient(http_client=client), cache_dir=folder)


def sync_lookup(fake: FakeApi, folder: Path) -> scapi.sync.DatabaseLookup:
    client = httpx.Client(transport=fake.transport())
    return scapi.sync.DatabaseLookup(scapi.sync.GitHubClient(http_client=client), cache_dir=folder)


async def test_many_tasks_share_one_request(tmp_path: Path) -> None:
    fake = FakeApi()
    lookup = async_lookup(fake, tmp_path)
    assert await asyncio.gather(*(lookup.id(name) for name in NAMES * 25)) == IDS * 25
    assert len(fake.requests) == 1


def test_many_threads_share_one_request(tmp_path: Path) -> None:
    fake = FakeApi()
    lookup = sync_lookup(fake, tmp_path)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lookup.id, NAMES * 25)) == IDS * 25
    assert len(fake.requests) == 1


async def arrival(fake: FakeApi) -> None:
    while not fake.requests:  # noqa: ASYNC110  # another thread fills it
        await asyncio.sleep(0.005)


async def test_who_gives_up_waiting_takes_nothing_from_the_others(tmp_path: Path) -> None:
    fake = FakeApi()
    fake.fail("*/listing.json", "delay", delay=1, times=1)
    with fake.serve() as url:
        async with (
            scapi.GitHubClient(raw_url=url) as github,
            scapi.DatabaseLookup(github, cache_dir=tmp_path) as lookup,
        ):
            first, second = (asyncio.create_task(lookup.id("AK-105")) for _ in range(2))
            await arrival(fake)
            first.cancel()
            assert await second == "zz2rn"
            with pytest.raises(asyncio.CancelledError):
                await first
    assert len(fake.requests) == 1


def test_one_lookup_serves_one_event_loop_after_another_and_several_at_once(tmp_path: Path) -> None:
    fake = FakeApi()
    lookup = async_lookup(fake, tmp_path)

    async def find(name: str) -> str:
        return await lookup.id(name)

    assert [asyncio.run(find(name)) for name in NAMES] == IDS
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda name: asyncio.run(find(name)), NAMES * 5)) == IDS * 5
    assert len(fake.requests) == 1


async def test_a_load_that_ended_with_its_event_loop_is_taken_up_by_another(tmp_path: Path) -> None:
    fake = FakeApi()
    fake.fail("*/listing.json", "delay", delay=30, times=1)
    with fake.serve() as url:
        lookup = scapi.DatabaseLookup(scapi.GitHubClient(raw_url=url), cache_dir=tmp_path)

        async def give_up() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.5):
                    await lookup.id("AK-105")

        giving_up = asyncio.create_task(asyncio.to_thread(asyncio.run, give_up()))
        await arrival(fake)
        assert await lookup.id("AK-105") == "zz2rn"
        await giving_up
        await lookup._cache.github.close()
    assert len(fake.requests) == 2


async def test_both_worlds_share_the_copies(tmp_path: Path) -> None:
    fake = FakeApi()
    assert await async_lookup(fake, tmp_path).get_all() == sync_lookup(fake, tmp_path).get_all()
    assert len(fake.requests) == 1


async def test_reading_a_large_file_does_not_stop_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scapi._items import database

    goes_on = threading.Event()

    def slow(body: bytes) -> object:
        assert goes_on.wait(30), "the loop stands still"
        return database.read_index("listing", body)

    monkeypatch.setitem(database.READERS, scapi.IndexFile.LISTING, slow)
    lookup = async_lookup(FakeApi(), tmp_path)
    finding = asyncio.create_task(lookup.id("AK-105"))
    await asyncio.sleep(0.1)
    assert not finding.done()
    goes_on.set()
    assert await finding == "zz2rn"


def _sync_often(url: str, folder: Path) -> None:
    with scapi.sync.GitHubClient(raw_url=url) as github:
        for _ in range(8):
            lookup = scapi.sync.DatabaseLookup(github, cache_dir=folder)
            lookup.sync(force=True)
            assert lookup.id("Жгут") == "9mmq"


@pytest.mark.socket
def test_two_processes_at_once_leave_whole_copies(tmp_path: Path) -> None:
    fake = FakeApi()
    spawn = multiprocessing.get_context("spawn")
    with fake.serve() as url:
        processes = [spawn.Process(target=_sync_often, args=(url, tmp_path)) for _ in range(2)]
        for process in processes:
            process.start()
        number = 0
        while any(process.is_alive() for process in processes):
            number += 1
            fake.github.edit_item("zz2rn", en=f"AK-{number}")
            processes[0].join(0.05)
    assert [process.exitcode for process in processes] == [0, 0]
    offline = scapi.sync.GitHubClient(raw_url=url)
    assert scapi.sync.DatabaseLookup(offline, cache_dir=tmp_path, offline=True).id("Жгут") == "9mmq"
    assert not list(tmp_path.rglob("*.part"))
