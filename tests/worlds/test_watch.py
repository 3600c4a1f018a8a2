"""Watchers end at once, in real time, whoever ends them."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import scapi
import scapi.sync

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi.testing import FakeApi

#: Seconds; far less than any interval, far more than it takes.
SOON = 30.0


def wait_for(fake: FakeApi) -> None:
    deadline = time.monotonic() + SOON
    while not fake.requests:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("end", ["watcher", "client"])
def test_closing_ends_a_watcher_that_waits_in_a_thread(end: str, fake: FakeApi) -> None:
    client = scapi.sync.AppClient(token=fake.app_token, http_client=httpx.Client(transport=fake.transport()))
    watcher = client.watch_emission()
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.extend([*watcher, "over"]))
    thread.start()
    wait_for(fake)
    (watcher if end == "watcher" else client).close()
    thread.join(SOON)
    assert seen == ["over"]


@pytest.mark.parametrize("end", ["watcher", "client", "thread"])
async def test_closing_ends_a_watcher_that_waits_in_a_task(end: str, fake: FakeApi) -> None:
    client = scapi.AppClient(token=fake.app_token, http_client=httpx.AsyncClient(transport=fake.transport()))
    watcher = client.auction("zyv9").watch_sales()

    async def follow() -> list[Any]:
        return [event async for event in watcher]

    task = asyncio.create_task(follow())
    await asyncio.to_thread(wait_for, fake)
    if end == "client":
        await client.close()
    else:
        closing: Callable[[], object] = watcher.close
        await (asyncio.to_thread(closing) if end == "thread" else asyncio.sleep(0, closing()))
    assert await asyncio.wait_for(task, SOON) == []


async def test_a_cancelled_wait_ends_at_once_and_the_watcher_goes_on(fake: FakeApi) -> None:
    client = scapi.AppClient(token=fake.app_token, http_client=httpx.AsyncClient(transport=fake.transport()))
    watcher = client.auction("zyv9").watch_sales(interval=0.1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(watcher), 1)
    fake.advance(10)
    fake.sell("zyv9", price=7)
    event = await asyncio.wait_for(anext(watcher), SOON)
    assert event.kind == "sold"
    assert event.sale.price == 7


async def test_on_failure_may_be_a_coroutine_function(fake: FakeApi) -> None:
    client = scapi.AppClient(token=fake.app_token, http_client=httpx.AsyncClient(transport=fake.transport()))
    heard: list[Any] = []

    async def hear(event: Any) -> None:
        await asyncio.sleep(0)
        heard.append(event.error)
        watcher.close()

    fake.fail("*", status=404)
    watcher = client.watch_emission(on_failure=hear)
    assert [event async for event in watcher] == []
    assert [type(error) for error in heard] == [scapi.exceptions.NotFoundError]
    with pytest.raises(TypeError, match="coroutine"):
        scapi.sync.AppClient(token="t").watch_emission(on_failure=hear)
