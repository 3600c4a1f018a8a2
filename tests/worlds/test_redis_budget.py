"""A budget in a real Redis, and everything that may happen to that. `test_shared_budgets` has the rest."""

from __future__ import annotations

import logging
import pickle
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import redis

from scapi import sync
from scapi._ratelimit import shared_times
from scapi.pacing import Budget, RedisBudget
from tests.support.redis import running_redis
from tests.support.shared_budgets import SOON, connect, start, until, warnings_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.redis import RedisServer

pytestmark = pytest.mark.socket


def at(server: RedisServer, *, timeout: float = SOON) -> RedisBudget:
    """What another process would have: a budget with a connection of its own, and patience on a busy machine."""
    return RedisBudget.from_url(server.url, timeout=timeout)


@pytest.fixture
def victim() -> Iterator[RedisServer]:
    """A Redis that a test may harm."""
    with running_redis() as server:
        yield server


# ── in good health ────────────────────────────────────────────────────────────────────────────────────────────────────


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
        ("redis://user:sesame@host:port", {"cluster": True}, "url must be"),
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


def test_a_client_may_decode_what_redis_says(redis_server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    fake = start()
    with redis.Redis.from_url(redis_server.url, decode_responses=True) as redis_client:
        budget = RedisBudget(redis_client, timeout=SOON)
        with connect(fake, budget) as client:
            client.emission()
            client.emission()
    assert warnings_in(caplog) == []
    assert client.ratelimit.remaining == 398


def test_a_process_without_calls_takes_no_part(victim: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_times, "LINGER", 0.1)
    fake = start()
    with connect(fake, at(victim)) as client, victim.client() as admin:
        for left in (399, 398):
            client.emission()
            assert client.ratelimit.remaining == left
            until(lambda: admin.keys("*:state") and not admin.keys("*:owners") and not admin.keys("*:processes"))


def test_what_is_no_budget_is_refused() -> None:
    with pytest.raises(TypeError, match="budget must be"):
        sync.AppClient(token="t", budget="redis://host")  # type: ignore[arg-type]


def test_without_redis_py_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ImportError, match=r"\[redis\]"):
        RedisBudget.from_url("redis://host")


# ── in bad health ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("url", "cluster"), [("unix:///nowhere/to/be/found", False), ("redis://127.0.0.1:1", True)])
def test_a_redis_that_isnt_there_costs_nothing_but_a_warning(
    url: str, cluster: bool, caplog: pytest.LogCaptureFixture
) -> None:
    budget = RedisBudget.from_url(url, cluster=cluster)
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
