"""Calls that wait while others run, in tasks and in threads, and a budget that both worlds share."""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from scapi import AppClient, sync
from scapi.exceptions import ClosedError, RateLimitError
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds within which what happens at once has happened, on a busy machine too; a window lasts 33 s and more.
AT_ONCE = 30


_numbers = itertools.count()


def start(*, limit: int) -> FakeApi:
    """A fake whose token no other test uses: the budget goes by it."""
    fake = FakeApi(limit=limit)
    fake.app_token = f"token-of-both-{next(_numbers)}"
    return fake


def connect(fake: FakeApi, queue_timeout: float | None = None) -> AppClient:
    http_client = httpx.AsyncClient(transport=fake.transport())
    return AppClient(token=fake.app_token, http_client=http_client, queue_timeout=queue_timeout)


def connect_sync(fake: FakeApi, queue_timeout: float | None = None) -> sync.AppClient:
    http_client = httpx.Client(transport=fake.transport())
    return sync.AppClient(token=fake.app_token, http_client=http_client, queue_timeout=queue_timeout)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(AT_ONCE):
        while not condition():  # noqa: ASYNC110  # it is none of the test's own doing
            await asyncio.sleep(0.001)


def until_sync(condition: Callable[[], object]) -> None:
    end = time.monotonic() + AT_ONCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


async def test_both_worlds_share_a_budget() -> None:
    fake = start(limit=3)
    client, threaded = connect(fake, queue_timeout=0), connect_sync(fake, queue_timeout=0)
    threaded.auction("zyv9").lots()
    await client.emission()
    assert client.ratelimit == threaded.ratelimit
    assert client.ratelimit.remaining == 0
    with pytest.raises(RateLimitError):
        await client.emission()
    with pytest.raises(RateLimitError):
        threaded.emission()
    assert len(fake.requests) == 2


async def test_a_cancelled_call_gives_its_place_to_the_next() -> None:
    fake, held = start(limit=4), asyncio.Event()
    gate = asyncio.Event()
    gate.set()

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/lots"):
            held.set()
            await gate.wait()
        reply = fake.handle(request.method, request.url.raw_path.decode(), request.headers)
        return httpx.Response(reply.status, headers=reply.headers, content=reply.body)

    http_client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    client = AppClient(token=fake.app_token, http_client=http_client)
    await client.emission()
    gate.clear()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(client.auction("zyv9").lots())
        await held.wait()
        first = group.create_task(client.auction("zyv9").price_history())
        second = group.create_task(client.emission())
        await until(lambda: len(client._session._waiting) == 2)
        # One point is free. The first in the queue needs two, and might get them yet.
        first.cancel()
        await asyncio.wait_for(asyncio.shield(second), AT_ONCE)
        assert not running.done()
        gate.set()
    assert client.ratelimit.remaining == 0


async def test_a_long_wait_is_one_warning_however_many_calls_wait(caplog: pytest.LogCaptureFixture) -> None:
    fake = start(limit=2)
    client, other = connect(fake), connect(fake)
    await client.auction("zyv9").lots()
    with caplog.at_level(logging.INFO, logger="scapi"):
        calls = [asyncio.create_task(one.emission()) for one in (client, other) for _ in range(15)]
        await until(lambda: len(client._session._waiting) == len(other._session._waiting) == 15)
    lines = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "scapi"]
    assert [level for level, _ in lines] == ["WARNING"]
    assert lines[0][1].startswith("/ru/emission waits up to ")
    for call in calls:
        call.cancel()


async def test_closing_a_client_ends_the_calls_that_wait_and_only_its_own() -> None:
    fake = start(limit=2)
    client, other = connect(fake), connect(fake)
    await client.auction("zyv9").lots()
    calls = [asyncio.create_task(client.emission()) for _ in range(3)]
    others = asyncio.create_task(other.emission())
    await until(lambda: len(client._session._waiting) == 3 and other._session._waiting)
    await client.close()
    async with asyncio.timeout(AT_ONCE):
        ended = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(error) for error in ended] == [ClosedError] * 3
    assert not others.done()
    others.cancel()
    assert len(fake.requests) == 1


def test_closing_a_client_ends_the_threads_that_wait() -> None:
    fake = start(limit=2)
    client = connect_sync(fake)
    client.auction("zyv9").lots()
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(client.emission) for _ in range(3)]
        until_sync(lambda: len(client._session._waiting) == 3)
        client.close()
        assert [type(call.exception(AT_ONCE)) for call in calls] == [ClosedError] * 3
    assert len(fake.requests) == 1


def test_a_point_that_a_task_gives_back_wakes_a_thread() -> None:
    fake, sent, cancel = start(limit=3), threading.Event(), threading.Event()
    fake.spend(1)

    async def answer(_request: httpx.Request) -> httpx.Response:
        sent.set()
        await asyncio.to_thread(cancel.wait, AT_ONCE)
        return httpx.Response(503)

    async def hold() -> None:
        transport = httpx.MockTransport(answer)
        client = AppClient(token=fake.app_token, http_client=httpx.AsyncClient(transport=transport), retry=None)
        await client.emission()

    threaded = connect_sync(fake)
    with ThreadPoolExecutor(2) as pool:
        # Nothing is known yet, so the thread waits for the answer to the task's call, up to a second.
        task = pool.submit(asyncio.run, hold())
        assert sent.wait(AT_ONCE)
        call = pool.submit(threaded.emission)
        until_sync(lambda: threaded._session._waiting or call.done())
        cancel.set()
        assert task.exception(AT_ONCE) is not None
        assert call.result(AT_ONCE)
