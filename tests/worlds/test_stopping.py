"""Iterators and bulk calls that end early leave no task, thread or wait behind, and hold no more than two pages."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from contextlib import aclosing, closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

import scapi
import scapi.sync
from scapi.models import Listing
from scapi.testing import FakeApi
from tests.support.wire import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.engine

ITEM = "zyv9"
START = datetime(2026, 8, 19, tzinfo=UTC)


def page_of(total: int, request: httpx.Request) -> httpx.Response:
    """A page of a history of so many sales, made anew each time, so that only the client can pile it up."""
    limit, offset = (int(request.url.params[name]) for name in ("limit", "offset"))
    prices = [
        {
            "amount": 1,
            "price": number,
            "time": START - timedelta(seconds=number),
            "additional": {"bonus_properties": []},
        }
        for number in range(offset, min(offset + limit, total))
    ]
    body = msgspec.json.encode({"total": total, "prices": prices})
    return httpx.Response(200, content=body, headers={"content-type": "application/json"})


def scapi_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("scapi_")]


def sync_client(handler: Callable[[httpx.Request], httpx.Response], **options: Any) -> scapi.sync.AppClient:
    http_client = httpx.Client(transport=httpx.MockTransport(handler))
    return scapi.sync.AppClient(token="t", http_client=http_client, **{"pace": False, **options})


def async_client(handler: Any, **options: Any) -> scapi.AppClient:
    http_client = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return scapi.AppClient(token="t", http_client=http_client, **{"pace": False, **options})


class Hanging:
    """Answers the first requests, and lets all others hang until they are cancelled."""

    def __init__(self, answered: int) -> None:
        self.answered, self.begun, self.cancelled = answered, 0, 0
        self.hangs = asyncio.Event()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.begun += 1
        if self.begun <= self.answered:
            return page_of(10_000, request)
        self.hangs.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        raise AssertionError("unreachable")


# ── tasks ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def only_this_task() -> bool:
    for _ in range(10):
        await asyncio.sleep(0)
    return asyncio.all_tasks() == {asyncio.current_task()}


async def test_closing_an_iterator_cancels_the_next_page() -> None:
    server = Hanging(1)
    async with aclosing(async_client(server).auction(ITEM).iter_price_history()) as sales:
        async for _ in sales:
            await server.hangs.wait()
            break
    assert server.cancelled == 1
    assert await only_this_task()


async def test_leaving_an_iterator_behind_cancels_the_next_page() -> None:
    server = Hanging(1)
    async for _ in async_client(server).auction(ITEM).iter_price_history():
        await server.hangs.wait()
        break
    assert await only_this_task()
    assert server.cancelled == 1


@pytest.mark.parametrize(
    "iterate",
    [
        lambda client: client.auction(ITEM).iter_price_history(),
        lambda client: client.auctions(["a"] * 9).price_history(),
        lambda client: client.auctions(["a"] * 9).iter_price_history(),
    ],
    ids=["rows", "bulk", "histories"],
)
def test_an_iterator_that_is_left_open_gives_the_event_loop_nothing_to_report(
    iterate: Callable[[scapi.AppClient], Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return page_of(10_000, request)

    async def main() -> None:
        results = iterate(async_client(answer))
        async for _ in results:
            raise LookupError("a bug in the loop")

    with pytest.raises(LookupError):
        asyncio.run(main())
    gc.collect()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_cancelling_a_consumer_cancels_the_page_that_it_waits_for() -> None:
    server = Hanging(1)

    async def consume() -> None:
        async for _ in async_client(server).auction(ITEM).iter_price_history():
            pass

    task = asyncio.create_task(consume())
    await server.hangs.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.cancelled == 1
    assert await only_this_task()


@pytest.mark.parametrize("answered", [0, 5])
async def test_cancelling_a_bulk_call_cancels_all_calls(answered: int) -> None:
    server = Hanging(answered)

    async def consume() -> None:
        async for _ in async_client(server).auctions(["a"] * 100).price_history(concurrency=7):
            pass

    task = asyncio.create_task(consume())
    await server.hangs.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    assert server.begun == answered + 7
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.cancelled == 7
    assert await only_this_task()


async def test_leaving_a_bulk_call_behind_cancels_all_calls() -> None:
    server = Hanging(1)
    async for _ in async_client(server).auctions(["a"] * 100).iter_price_history(concurrency=3):
        await server.hangs.wait()
        break
    assert await only_this_task()
    assert server.cancelled == server.begun - 1 > 0


async def test_a_timeout_ends_a_bulk_call() -> None:
    server = Hanging(0)

    async def consume() -> None:
        async for _ in async_client(server).profiles(["a"] * 10):
            pass

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(consume(), 1)
    assert server.cancelled == 8


async def test_a_page_that_stands_in_the_queue_is_called_off() -> None:
    fake = FakeApi(limit=2, sales={ITEM: 1000})
    http_client = httpx.AsyncClient(transport=fake.transport())
    client = scapi.AppClient(token=fake.app_token, http_client=http_client, base_url="https://queue.async.test")
    began = time.monotonic()
    async with aclosing(client.auction(ITEM).iter_price_history()) as sales:
        async for _ in sales:
            await asyncio.sleep(0)
            break
    assert time.monotonic() - began < 20
    assert await only_this_task()


# ── threads ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_page_takes_no_thread() -> None:
    sales = sync_client(lambda request: page_of(100, request)).auction(ITEM).iter_price_history()
    seen = [scapi_threads() for _ in sales]
    assert len(seen) == 100
    assert not any(seen)


def test_the_thread_of_an_iterator_ends_with_it() -> None:
    names = set()
    for _ in sync_client(lambda request: page_of(1000, request)).auction(ITEM).iter_price_history():
        names |= {thread.name.split("_")[0] for thread in scapi_threads()}
    assert names == {"scapi"}
    assert wait_until(lambda: not scapi_threads())


def test_leaving_an_iterator_behind_ends_its_thread() -> None:
    def read_one() -> None:
        for _ in sync_client(lambda request: page_of(1000, request)).auction(ITEM).iter_price_history():
            assert wait_until(lambda: bool(scapi_threads()))
            break

    read_one()
    assert wait_until(lambda: not scapi_threads())


def test_a_thread_that_stands_in_the_queue_is_called_off() -> None:
    fake = FakeApi(limit=2, sales={ITEM: 1000})
    http_client = httpx.Client(transport=fake.transport())
    client = scapi.sync.AppClient(token=fake.app_token, http_client=http_client, base_url="https://queue.sync.test")
    began = time.monotonic()
    with closing(client.auction(ITEM).iter_price_history()) as sales:
        next(sales)
        assert wait_until(lambda: bool(scapi_threads()))
    assert time.monotonic() - began < 20
    assert wait_until(lambda: not scapi_threads())
    assert len(fake.requests) == 1


def test_threads_of_a_bulk_call_that_stand_in_the_queue_are_called_off() -> None:
    fake = FakeApi(limit=2, sales={ITEM: 1000})
    http_client = httpx.Client(transport=fake.transport())
    client = scapi.sync.AppClient(token=fake.app_token, http_client=http_client, base_url="https://bulk.sync.test")
    began = time.monotonic()
    with closing(client.auctions([ITEM] * 50).price_history()) as results:
        next(results)
    assert time.monotonic() - began < 20
    assert wait_until(lambda: not scapi_threads())


@pytest.mark.socket
def test_a_thread_that_waits_for_a_server_is_called_off() -> None:
    fake = FakeApi(sales={ITEM: 1000})
    with fake.serve() as url, scapi.sync.AppClient(token=fake.app_token, base_url=url, retry=None) as client:
        sales = client.auction(ITEM).iter_price_history(limit=300)
        fake.fail("*/history", "delay", delay=0.001, times=1)
        fake.fail("*/history", "delay", delay=25)
        began = time.monotonic()
        next(sales)
        while len(fake.requests) < 2:
            assert time.monotonic() - began < 20
        sales.close()
        assert time.monotonic() - began < 20
        assert wait_until(lambda: not scapi_threads())
        fake.heal()
        assert len(client.auction(ITEM).price_history(limit=3)) == 3


def test_an_error_ends_the_threads_and_keeps_its_traceback() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, json={"title": "gone"})

    with pytest.raises(scapi.exceptions.NotFoundError) as caught:
        list(sync_client(refuse).profiles(["a"] * 50))
    assert caught.value.__notes__ == ["key: 'a'"]
    assert wait_until(lambda: not scapi_threads())


# ── memory ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Held:
    """How many sales there are in memory, looked at now and then."""

    def __init__(self, every: int) -> None:
        self.most, self._every, self._count = 0, every, 0

    def look(self) -> None:
        self._count += 1
        if self._count % self._every == 0:
            # The collector doesn't know the sales themselves, as they can be part of no cycle.
            sales = sum(len(found) for found in gc.get_objects() if type(found) is Listing)
            self.most = max(self.most, sales)


def test_threads_hold_two_pages_of_a_long_history() -> None:
    held = Held(every=777)
    for _ in sync_client(lambda request: page_of(20_000, request)).auction(ITEM).iter_price_history():
        held.look()
    assert 150 < held.most <= 401


async def test_tasks_hold_two_pages_of_a_long_history() -> None:
    held = Held(every=777)
    async for _ in async_client(lambda request: page_of(20_000, request)).auction(ITEM).iter_price_history():
        held.look()
    assert 150 < held.most <= 401


async def test_bulk_holds_what_is_under_way() -> None:
    held = Held(every=25)
    client = async_client(lambda request: page_of(100, request))
    async for _ in client.auctions(f"item{number}" for number in range(800)).price_history(limit=100, concurrency=4):
        held.look()
    assert 100 <= held.most <= 500
