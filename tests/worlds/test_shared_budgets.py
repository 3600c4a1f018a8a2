"""Clients of both worlds whose budget is in a database: what holds for each kind of database."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scapi import AppClient, sync
from scapi.exceptions import RateLimitError
from scapi.pacing import PostgresBudget, RedisBudget
from tests.support.shared_budgets import SOON, connect, start

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.socket


@pytest.fixture(scope="module")
def postgres_url(postgres_server: Callable[[], str]) -> str:
    return postgres_server()


@pytest.fixture(params=["redis", "postgresql"])
def budget(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """Makes what another process would have: a budget with a connection of its own, and patience."""
    if request.param == "redis":
        url = request.getfixturevalue("redis_server").url
        return lambda: RedisBudget.from_url(url, timeout=SOON)
    postgres = request.getfixturevalue("postgres_url")
    return lambda: PostgresBudget(postgres, timeout=SOON)


async def test_both_worlds_and_several_processes_share_the_points(budget: Callable[[], Any]) -> None:
    fake = start(limit=5)
    one, other = connect(fake, budget()), connect(fake, budget(), queue_timeout=0)
    one.auction("zyv9").lots()
    http_client = httpx.AsyncClient(transport=fake.transport())
    async with AppClient(token=fake.app_token, http_client=http_client, budget=budget()) as client:
        await client.auction("zyv9").lots()
    other.emission()
    assert other.ratelimit.remaining == 0
    with pytest.raises(RateLimitError):
        other.emission()
    assert len(fake.requests) == 3
    assert all(request.status == 200 for request in fake.requests)


def test_a_cost_that_the_caller_gives_counts_for_all(budget: Callable[[], Any]) -> None:
    fake = start(limit=5)
    one, other = connect(fake, budget()), connect(fake, budget())
    one.get("ru/emission", cost=3)
    assert one.ratelimit.remaining == 4
    # It waits until the database knows of the first call.
    other.get("ru/emission", cost=2)
    assert other.ratelimit.remaining == 3
    impatient = other.with_options(queue_timeout=0)
    with pytest.raises(RateLimitError, match="no turn within queue_timeout"):
        impatient.get("ru/emission", cost=4)
    impatient.get("ru/emission", cost=3)
    impatient.get("regions", cost=0)
    assert [request.status for request in fake.requests] == [200] * 4


async def test_many_tasks_and_threads_go_on_into_the_next_window(budget: Callable[[], Any]) -> None:
    fake = start(limit=60, window=2.0, clock=lambda: 1_800_000_034.0 + time.monotonic())
    done = list[int]()

    def work(client: sync.AppClient) -> None:
        for _ in range(8):
            client.emission()
            done.append(1)

    threads = [threading.Thread(target=work, args=(connect(fake, budget()),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    http_client = httpx.AsyncClient(transport=fake.transport())
    async with AppClient(token=fake.app_token, http_client=http_client, budget=budget()) as client:
        await asyncio.gather(*(client.emission() for _ in range(40)))
    for thread in threads:
        await asyncio.to_thread(thread.join, SOON)
    assert len(done) == 32
    # A window of two seconds may turn while this machine stands still; then requests are early.
    assert sum(request.status == 429 for request in fake.requests) < 20


def test_a_call_that_is_asked_for_is_no_wait(budget: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "scapi")
    with connect(start(), budget(), queue_timeout=0) as client:
        for _ in range(5):
            client.emission()
    assert not [record for record in caplog.records if "waits" in record.getMessage()]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system doesn't fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_the_child_of_a_fork_shares_with_its_parent(budget: Callable[[], Any]) -> None:
    fake = start(limit=4)
    client = connect(fake, budget(), queue_timeout=0)
    client.emission()
    child = os.fork()
    if child == 0:  # pragma: no cover  # in another process
        ok = False
        try:
            client.emission()
            # What the parent has just had may still count as in flight.
            ok = client.ratelimit.remaining in {1, 2}
        finally:
            os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    # The fake of the child was a copy: this one still has the points, but the budget knows better.
    client.emission()
    remaining = client.ratelimit.remaining
    assert remaining is not None
    assert remaining <= 2
