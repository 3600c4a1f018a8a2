"""Exactly one renewal for any number of calls that wait for it, in tasks, in threads, and in several event loops."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

import scapi
import scapi.sync
from scapi._async.clock import Clock as AsyncClock
from scapi._async.single_flight import SingleFlight as AsyncFlight
from scapi._primitives import aio, threads
from scapi._sync.clock import Clock as SyncClock
from scapi._sync.single_flight import SingleFlight as SyncFlight
from scapi.exceptions import ClosedError, RateLimitError, TokenNotSavedError
from scapi.models import UserToken
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.socket

CALLS = 100


@pytest.fixture
def fake() -> FakeApi:
    return FakeApi(user_limit=100_000)


@pytest.fixture
def url(fake: FakeApi) -> Iterator[str]:
    with fake.serve() as url:
        yield url


def options_of(fake: FakeApi, url: str, token: UserToken, **options: Any) -> dict[str, Any]:
    return {
        "token": token,
        "client_id": fake.client_id,
        "client_secret": fake.client_secret,
        "base_url": url,
        "oauth_url": f"{url}/oauth",
        "pace": False,
        **options,
    }


def token_of(fake: FakeApi, why: str) -> UserToken:
    """A token that has to be renewed, because it expires or because the server refuses it."""
    token = fake.oauth.issue(fake.now)
    if why == "expiry":
        return msgspec.structs.replace(token, expires_at=datetime.now(UTC))
    fake.oauth.revoke(token.access_token)
    return token


both_reasons = pytest.mark.parametrize("why", ["expiry", "401"])


@both_reasons
async def test_one_renewal_for_a_hundred_tasks(fake: FakeApi, url: str, why: str) -> None:
    saved: list[UserToken] = []

    async def save(token: UserToken) -> None:
        await asyncio.sleep(0.05)
        saved.append(token)

    options = options_of(fake, url, token_of(fake, why), on_token=save)
    async with scapi.UserClient(**options) as client, asyncio.TaskGroup() as group:
        calls = [group.create_task(client.characters()) for _ in range(CALLS)]
    assert all(call.result() for call in calls)
    assert fake.oauth.renewals == len(saved) == 1


@both_reasons
def test_one_renewal_for_a_hundred_threads(fake: FakeApi, url: str, why: str) -> None:
    saved: list[UserToken] = []
    start = threading.Barrier(CALLS)

    def call(_: int) -> object:
        start.wait()
        return client.characters()

    options = options_of(fake, url, token_of(fake, why), on_token=saved.append)
    with scapi.sync.UserClient(**options) as client, ThreadPoolExecutor(CALLS) as pool:
        results = list(pool.map(call, range(CALLS)))
    assert all(results)
    assert len(results) == CALLS
    assert fake.oauth.renewals == len(saved) == 1


@both_reasons
def test_one_renewal_for_two_event_loops_at_once(fake: FakeApi, url: str, why: str) -> None:
    saved: list[UserToken] = []
    client = scapi.UserClient(**options_of(fake, url, token_of(fake, why), on_token=saved.append))
    start = threading.Barrier(2)

    async def calls() -> int:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(client.characters()) for _ in range(CALLS // 2)]
        return sum(bool(task.result()) for task in tasks)

    def run(_: int) -> int:
        start.wait()
        return asyncio.run(calls())

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(run, range(2))) == CALLS
    asyncio.run(client.close())
    assert fake.oauth.renewals == len(saved) == 1


async def test_everyone_who_waits_learns_that_the_token_was_not_saved(fake: FakeApi, url: str) -> None:
    async def save(token: UserToken) -> None:
        await asyncio.sleep(0.05)
        raise OSError("disk full")

    async with scapi.UserClient(**options_of(fake, url, token_of(fake, "expiry"), on_token=save)) as client:
        results = await asyncio.gather(*(client.characters() for _ in range(CALLS)), return_exceptions=True)
    assert {type(result) for result in results} == {TokenNotSavedError}
    assert len({result.token for result in results if isinstance(result, TokenNotSavedError)}) == 1
    assert fake.oauth.renewals == 1
    assert [seen.path for seen in fake.requests] == ["/oauth/token"]


async def test_a_cancelled_call_does_not_lose_the_new_token(fake: FakeApi, url: str) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()
    saved: list[UserToken] = []

    async def save(token: UserToken) -> None:
        asked.set()
        await go_on.wait()
        saved.append(token)

    async with scapi.UserClient(**options_of(fake, url, token_of(fake, "expiry"), on_token=save)) as client:
        first, second = (asyncio.create_task(client.characters()) for _ in range(2))
        await asked.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        go_on.set()
        assert await second
    assert fake.oauth.renewals == len(saved) == 1


async def test_a_task_waits_no_longer_for_anothers_renewal_than_it_may(fake: FakeApi, url: str) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def save(_token: UserToken) -> None:
        asked.set()
        await go_on.wait()

    options = options_of(fake, url, token_of(fake, "expiry"), on_token=save, queue_timeout=0.1)
    async with scapi.UserClient(**options) as client:
        first = asyncio.create_task(client.characters())
        await asked.wait()
        with pytest.raises(RateLimitError, match="another call's request took longer than queue_timeout"):
            await client.characters()
        go_on.set()
        # Its own renewal isn't a wait.
        assert await first


def test_a_thread_waits_no_longer_for_anothers_renewal_than_it_may(fake: FakeApi, url: str) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def save(_token: UserToken) -> None:
        asked.set()
        go_on.wait(20)

    options = options_of(fake, url, token_of(fake, "expiry"), on_token=save, queue_timeout=0.1)
    with scapi.sync.UserClient(**options) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.characters)
        asked.wait()
        with pytest.raises(RateLimitError, match="another call's request took longer than queue_timeout"):
            client.characters()
        go_on.set()
        assert first.result()


PROGRAM = """
import signal, sys, threading, time
from pathlib import Path
from scapi.models import UserToken
from scapi.sync import UserClient

folder, url, client_id, client_secret, ends = sys.argv[1:]
token = UserToken.from_json(Path(folder, "token.json").read_text())

def save(token):
    assert threading.current_thread() is not threading.main_thread()
    Path(folder, "saved.json").write_text(token.to_json())

def interrupt(_signal, _frame):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
client = UserClient(
    token=token, client_id=client_id, client_secret=client_secret, base_url=url, oauth_url=url + "/oauth", on_token=save
)
signal.setitimer(signal.ITIMER_REAL, 0.3)
try:
    client.characters()
except KeyboardInterrupt:
    assert not Path(folder, "saved.json").exists()
    if ends == "goes on":
        assert client.characters()
        client.close()
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no such timer")
@pytest.mark.parametrize("ends", ["ends", "goes on"])
def test_an_interrupted_renewal_is_finished_and_saved(fake: FakeApi, url: str, tmp_path: Path, ends: str) -> None:
    (tmp_path / "token.json").write_text(token_of(fake, "expiry").to_json())
    fake.fail("/oauth/token", "delay", delay=2.0)
    command = [
        sys.executable,
        "-W",
        "error",
        "-c",
        PROGRAM,
        str(tmp_path),
        url,
        fake.client_id,
        fake.client_secret,
        ends,
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  # ours
    assert (result.returncode, result.stderr) == (0, "")
    assert fake.oauth.renewals == 1
    saved = UserToken.from_json((tmp_path / "saved.json").read_text())
    with scapi.sync.UserClient(**options_of(fake, url, saved)) as client:
        assert client.characters()
    assert fake.oauth.renewals == 1


async def test_closing_waits_for_a_renewal_under_way(fake: FakeApi, url: str) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()
    saved: list[UserToken] = []

    async def save(token: UserToken) -> None:
        asked.set()
        await go_on.wait()
        saved.append(token)

    client = scapi.UserClient(**options_of(fake, url, token_of(fake, "expiry"), on_token=save))
    call = asyncio.create_task(client.characters())
    await asked.wait()
    closing = asyncio.create_task(client.close())
    await asyncio.sleep(0)
    assert not closing.done()
    go_on.set()
    await closing
    with pytest.raises(ClosedError):
        await call
    assert len(saved) == 1


def test_closing_waits_for_a_renewal_in_another_thread(fake: FakeApi, url: str) -> None:
    asked, go_on = threading.Event(), threading.Event()
    saved: list[UserToken] = []

    def save(token: UserToken) -> None:
        asked.set()
        go_on.wait()
        saved.append(token)

    client = scapi.sync.UserClient(**options_of(fake, url, token_of(fake, "expiry"), on_token=save))
    with ThreadPoolExecutor(2) as pool:
        call = pool.submit(client.characters)
        asked.wait()
        closing = pool.submit(client.close)
        go_on.set()
        closing.result()
        with pytest.raises(ClosedError):
            call.result()
    assert len(saved) == 1


async def test_whoever_comes_just_after_a_renewal_does_not_renew_again(
    fake: FakeApi, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = AsyncFlight.run

    async def run_late(self: AsyncFlight, work: Any, patience: float | None) -> bool:
        # Another call finds the old token, and gets its turn when the first one is done.
        await run(self, work)
        return await run(self, work, patience)

    monkeypatch.setattr(AsyncFlight, "run", run_late)
    async with scapi.UserClient(**options_of(fake, url, token_of(fake, "expiry"))) as client:
        assert await client.characters()
    assert fake.oauth.renewals == 1


def test_a_loop_that_ends_within_a_renewal_leaves_it_to_the_others() -> None:
    flight = AsyncFlight(aio.spawn, AsyncClock())
    under_way = threading.Event()
    done: list[str] = []

    async def never() -> None:
        under_way.set()
        await asyncio.Event().wait()

    async def interrupted() -> None:
        call = asyncio.create_task(flight.run(never))
        await asyncio.sleep(0.1)
        call.cancel()

    async def work() -> None:
        done.append("work")

    async def patient() -> None:
        while not done:
            await flight.run(work)

    with ThreadPoolExecutor(2) as pool:
        ending = pool.submit(asyncio.run, interrupted())
        under_way.wait()
        waiting = pool.submit(asyncio.run, patient())
        ending.result()
        waiting.result()
    assert done == ["work"]


def test_an_interrupted_thread_leaves_it_to_the_others() -> None:
    flight = SyncFlight(threads.begin, SyncClock())
    under_way, interrupt = threading.Event(), threading.Event()
    done: list[str] = []

    def interrupted() -> None:
        under_way.set()
        interrupt.wait()
        raise KeyboardInterrupt

    def patient() -> None:
        while not done:
            flight.run(lambda: done.append("work"))

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flight.run, interrupted)
        under_way.wait()
        second = pool.submit(patient)
        interrupt.set()
        assert isinstance(first.exception(), KeyboardInterrupt)
        second.result()
    assert done == ["work"]


def test_a_coroutine_function_is_of_no_use_to_the_sync_world() -> None:
    async def save(token: UserToken) -> None: ...

    given = {"token": "t", "refresh_token": "r", "client_id": "i", "client_secret": "s"}
    with pytest.raises(TypeError, match="on_token must be a plain function"):
        scapi.sync.UserClient(**given, on_token=save)
    with pytest.raises(TypeError, match="must be a plain function"):
        threads.call(save, fake_token())
    scapi.UserClient(**given, on_token=save)


def fake_token() -> UserToken:
    return FakeApi().oauth.issue(FakeApi().now)
