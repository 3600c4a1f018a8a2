"""Clients of both worlds whose budget is in a real Redis, and everything that may happen to that."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import pickle
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scapi import AppClient, sync
from scapi.exceptions import RateLimitError
from scapi.pacing import Budget, RedisBudget
from scapi.testing import FakeApi
from tests.support.redis import running_redis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.redis import RedisServer

pytestmark = pytest.mark.socket

#: Seconds within which something happens that takes at most two, on a busy machine too.
SOON = 30.0
_numbers = itertools.count()


def start(limit: int = 400, **options: Any) -> FakeApi:
    """A fake whose token no other test uses: the budget goes by it."""
    fake = FakeApi(limit=limit, **options)
    fake.app_token = f"token-of-redis-{os.getpid()}-{next(_numbers)}"
    return fake


def connect(fake: FakeApi, budget: Any, **options: Any) -> sync.AppClient:
    http_client = httpx.Client(transport=fake.transport())
    return sync.AppClient(token=fake.app_token, http_client=http_client, budget=budget, **options)


def at(server: RedisServer, *, timeout: float = SOON) -> RedisBudget:
    """What another process would have: a budget with a connection of its own, and patience on a busy machine."""
    return RedisBudget.from_url(server.url, timeout=timeout)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def victim() -> Iterator[RedisServer]:
    """A Redis that a test may harm."""
    with running_redis() as server:
        yield server


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


# ── in good health ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_both_worlds_and_several_processes_share_the_points(redis_server: RedisServer) -> None:
    fake = start(limit=5)
    one, other = connect(fake, at(redis_server)), connect(fake, at(redis_server), queue_timeout=0)
    one.auction("zyv9").lots()
    http_client = httpx.AsyncClient(transport=fake.transport())
    async with AppClient(token=fake.app_token, http_client=http_client, budget=at(redis_server)) as client:
        await client.auction("zyv9").lots()
    other.emission()
    assert other.ratelimit.remaining == 0
    with pytest.raises(RateLimitError):
        other.emission()
    assert len(fake.requests) == 3
    assert all(request.status == 200 for request in fake.requests)


def test_a_cost_that_the_caller_gives_counts_for_all(redis_server: RedisServer) -> None:
    fake = start(limit=5)
    one, other = connect(fake, at(redis_server)), connect(fake, at(redis_server), queue_timeout=0)
    one.get("ru/emission", cost=3)
    assert one.ratelimit.remaining == 4
    with pytest.raises(RateLimitError, match="no turn within queue_timeout"):
        other.get("ru/emission", cost=5)
    other.get("ru/emission", cost=4)
    other.get("regions", cost=0)
    assert [request.status for request in fake.requests] == [200, 200, 200]


async def test_many_tasks_and_threads_go_on_into_the_next_window(redis_server: RedisServer) -> None:
    fake = start(limit=60, window=2.0, clock=lambda: 1_800_000_034.0 + time.monotonic())
    done = list[int]()

    def work(client: sync.AppClient) -> None:
        for _ in range(8):
            client.emission()
            done.append(1)

    threads = [threading.Thread(target=work, args=(connect(fake, at(redis_server)),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    http_client = httpx.AsyncClient(transport=fake.transport())
    async with AppClient(token=fake.app_token, http_client=http_client, budget=at(redis_server)) as client:
        await asyncio.gather(*(client.emission() for _ in range(40)))
    for thread in threads:
        await asyncio.to_thread(thread.join, SOON)
    assert len(done) == 32
    # A window of two seconds may turn while this machine stands still; then requests are early.
    assert sum(request.status == 429 for request in fake.requests) < 20


def test_the_environment_names_a_redis_for_all_clients(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCAPI_REDIS_URL", redis_server.url)
    fake = start(limit=1)
    with redis_server.client() as admin:
        admin.flushdb()
        with connect(fake, None) as client:
            client.emission()
            until(lambda: admin.keys("{scapi:*"))
        # A client's own budget is nearer.
        nearer = Budget()
        with connect(start(), nearer) as client:
            client.emission()
        assert nearer.state(time.monotonic()).ratelimit.remaining == 399


def test_a_call_that_is_asked_for_is_no_wait(redis_server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "scapi")
    with connect(start(), at(redis_server), queue_timeout=0) as client:
        for _ in range(5):
            client.emission()
    assert not [record for record in caplog.records if "waits" in record.getMessage()]


def test_clients_with_such_a_budget_are_pickled_without_showing_the_url(victim: RedisServer) -> None:
    with victim.client() as admin:
        admin.config_set("requirepass", "open-sesame")
    budget = RedisBudget.from_url(f"{victim.url}?password=open-sesame", timeout=SOON)
    fake = start()
    packed = pickle.dumps(sync.AppClient(token=fake.app_token, budget=budget))
    assert b"sesame" not in packed
    assert "sesame" not in repr(budget)
    with connect(fake, pickle.loads(packed)._session.settings.budget) as copy:
        copy.emission()
    with connect(fake, budget) as client:
        client.emission()
    assert client.ratelimit.remaining == 398


def test_a_budget_of_this_process_isnt_pickled() -> None:
    with pytest.raises(TypeError, match="RedisBudget"):
        pickle.dumps(sync.AppClient(token="t", budget=Budget()))


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("http://user:sesame@host", {}, "url must be"),
        ("redis://user:sesame@host:port", {}, "url must be"),
        ("redis://host", {"share": 0}, "share must be"),
        ("redis://host", {"share": 1.5}, "share must be"),
        ("redis://host", {"timeout": 0}, "timeout must be"),
        ("redis://host", {"prefix": "a{b}"}, "prefix must be"),
    ],
)
def test_wrong_arguments_are_refused_without_showing_a_password(url: str, options: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        RedisBudget.from_url(url, **options)
    assert "sesame" not in str(error.value)


def test_a_wrong_url_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCAPI_REDIS_URL", "http://user:sesame@host")
    with pytest.raises(ValueError, match="SCAPI_REDIS_URL") as error:
        sync.AppClient(token="t")
    assert "sesame" not in str(error.value)


def test_what_is_no_budget_is_refused() -> None:
    with pytest.raises(TypeError, match="budget must be"):
        sync.AppClient(token="t", budget="redis://host")  # type: ignore[arg-type]


def test_without_redis_py_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ImportError, match=r"\[redis\]"):
        RedisBudget.from_url("redis://host")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system doesn't fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_the_child_of_a_fork_shares_with_its_parent(redis_server: RedisServer) -> None:
    fake, budget = start(limit=4), at(redis_server)
    client = connect(fake, budget, queue_timeout=0)
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


# ── in bad health ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_redis_that_isnt_there_costs_nothing_but_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    budget = RedisBudget.from_url("unix:///nowhere/to/be/found")
    fake = start()
    with connect(fake, budget) as client:
        for _ in range(10):
            client.emission()
    assert len(fake.requests) == 10
    assert len(warnings_in(caplog)) == 1


def harm_by_pausing(server: RedisServer, stack: Any) -> None:
    stack.enter_context(server.paused())


def harm_by_killing(server: RedisServer, stack: Any) -> None:
    server.kill()
    stack.callback(server.start)


def harm_by_filling(server: RedisServer, stack: Any) -> None:
    with server.client() as admin:
        admin.config_set("maxmemory-policy", "noeviction")
        admin.config_set("maxmemory", "1")

    def mend() -> None:
        with server.client() as admin:
            admin.config_set("maxmemory", "0")

    stack.callback(mend)


def harm_by_another_type(server: RedisServer, stack: Any) -> None:
    with server.client() as admin:
        for key in admin.keys("*:state"):
            admin.set(key, "something else")
    stack.callback(lambda: server.client().flushall())


@pytest.mark.parametrize("harm", [harm_by_pausing, harm_by_killing, harm_by_filling, harm_by_another_type])
def test_calls_go_on_without_redis_and_share_again_when_it_is_back(
    victim: RedisServer, harm: Callable[[RedisServer, Any], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "scapi")
    fake = start(limit=4000)
    with connect(fake, at(victim, timeout=0.5)) as client, connect(fake, at(victim, timeout=0.5)) as other:
        client.emission()
        other.emission()
        with ExitStack() as stack:
            harm(victim, stack)
            for _ in range(10):
                client.emission()
        assert len(fake.requests) == 12
        assert warnings_in(caplog)

        def is_back() -> bool:
            client.emission()
            return any("is back" in record.getMessage() for record in caplog.records)

        until(is_back)
        other.emission()
        time.sleep(0.05)
        client.emission()
        until(
            lambda: (other.emission(), client.ratelimit.remaining == 4000 - len(fake.requests))[1] or client.emission()
        )
    assert not [record for record in caplog.records if record.exc_info]


def test_flushed_scripts_are_loaded_again(victim: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    fake = start()
    with connect(fake, at(victim)) as client, victim.client() as admin:
        for _ in range(3):
            client.emission()
            admin.script_flush()
        client.emission()
    assert warnings_in(caplog) == []
    assert client.ratelimit.remaining == 396


def test_a_slow_redis_delays_calls_by_no_more_than_its_timeout(victim: RedisServer) -> None:
    fake = start()
    with connect(fake, at(victim, timeout=1.0)) as client, victim.client() as admin:
        client.emission()
        admin.client_pause(300, all=True)
        client.emission()
    assert [request.status for request in fake.requests] == [200, 200]
