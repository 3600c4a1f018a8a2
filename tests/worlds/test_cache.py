"""Equal calls at once become one request, whatever happens to the call that sends it."""

from __future__ import annotations

import asyncio
import math
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import scapi
import scapi.sync
from scapi.exceptions import RateLimitError, RequestTimeoutError, ServerError
from tests.support.wire import wait_until

if TYPE_CHECKING:
    from scapi.testing import FakeApi

pytestmark = pytest.mark.socket

NAME = "Lucky-Wolf15702"


def options(fake: FakeApi, url: str, **others: Any) -> dict[str, Any]:
    return {"token": fake.app_token, "base_url": url, "retry": None, "cache": True, **others}


async def arrived(fake: FakeApi, count: int = 1) -> None:
    while len(fake.requests) < count:  # noqa: ASYNC110  # another thread fills it
        await asyncio.sleep(0.001)


def test_ten_equal_profiles_at_once_cost_as_much_as_one(fake: FakeApi, url: str) -> None:
    async def main() -> int | None:
        async with scapi.AppClient(**options(fake, url)) as client:
            profiles = await asyncio.gather(*(client.profile(NAME) for _ in range(10)))
            assert len({profile.uuid for profile in profiles}) == 1
            return client.ratelimit.remaining

    assert asyncio.run(main()) == 1_000_000 - 2
    assert len(fake.requests) == 1


def test_ten_threads_ask_once(fake: FakeApi, url: str) -> None:
    barrier = threading.Barrier(10)
    with scapi.sync.AppClient(**options(fake, url)) as client, ThreadPoolExecutor(10) as threads:

        def ask(_: int) -> str:
            barrier.wait()
            return client.profile(NAME).uuid

        assert len(set(threads.map(ask, range(10)))) == 1
        assert client.ratelimit.remaining == 1_000_000 - 2
    assert len(fake.requests) == 1


def test_equal_calls_share_an_error_and_the_next_one_asks_anew(fake: FakeApi, url: str) -> None:
    fake.fail("*", status=500, delay=0.2, times=1)

    async def main() -> None:
        async with scapi.AppClient(**options(fake, url)) as client:
            errors = await asyncio.gather(*(client.emission() for _ in range(3)), return_exceptions=True)
            assert [type(error) for error in errors] == [ServerError] * 3
            await client.emission()

    asyncio.run(main())
    assert len(fake.requests) == 2


def test_a_cancelled_call_fails_no_other(fake: FakeApi, url: str) -> None:
    fake.fail("*", fault="delay", delay=0.5, times=1)

    async def main() -> None:
        async with scapi.AppClient(**options(fake, url)) as client:
            first = asyncio.create_task(client.emission())
            await arrived(fake)
            second = asyncio.create_task(client.emission())
            await asyncio.sleep(0)
            first.cancel()
            assert (await second).previous_end
            with pytest.raises(asyncio.CancelledError):
                await first

    asyncio.run(main())
    assert len(fake.requests) == 1


def test_an_interrupted_call_fails_no_other(fake: FakeApi, url: str) -> None:
    fake.fail("*", fault="delay", delay=math.inf, times=1)
    main = threading.main_thread()
    with scapi.sync.AppClient(**options(fake, url)) as client, ThreadPoolExecutor(1) as threads:

        def second() -> Any:
            wait_until(lambda: bool(fake.requests))
            threading.Timer(0.1, lambda: signal.pthread_kill(main.ident or 0, signal.SIGINT)).start()
            return client.emission()

        result = threads.submit(second)
        with pytest.raises(KeyboardInterrupt):
            client.emission()
        assert result.result().previous_end
    assert len(fake.requests) == 2


def test_several_event_loops_share_a_request(fake: FakeApi, url: str) -> None:
    fake.fail("*", fault="delay", delay=0.5, times=1)
    client = scapi.AppClient(**options(fake, url, cache={"emission": 600}))

    async def ask() -> Any:
        return await client.emission()

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(asyncio.run, ask())
        wait_until(lambda: bool(fake.requests))
        second = threads.submit(asyncio.run, ask())
        assert first.result(60) == second.result(60)
    # And one after another: answers belong to no event loop.
    asyncio.run(ask())
    asyncio.run(client.close())
    assert len(fake.requests) == 1


def test_an_event_loop_that_ends_fails_no_call_of_another(fake: FakeApi, url: str) -> None:
    fake.fail("*", fault="delay", delay=math.inf, times=1)
    client = scapi.AppClient(**options(fake, url))
    is_waiting = threading.Event()

    async def leave() -> None:
        call = asyncio.create_task(client.emission())
        await arrived(fake)
        await asyncio.to_thread(is_waiting.wait, 60)
        call.cancel()

    async def stay() -> Any:
        call = asyncio.create_task(client.emission())
        await asyncio.sleep(0)
        is_waiting.set()
        return await call

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(asyncio.run, leave())
        wait_until(lambda: bool(fake.requests))
        second = threads.submit(asyncio.run, stay())
        assert second.result(60).previous_end
        first.result(60)
    asyncio.run(client.close())
    assert len(fake.requests) == 2


def test_a_wait_for_anothers_request_ends_with_queue_timeout(fake: FakeApi, url: str) -> None:
    fake.fail("*", fault="delay", delay=math.inf)

    async def main() -> tuple[Any, Any]:
        async with scapi.AppClient(**options(fake, url, timeout=4, queue_timeout=1)) as client:
            return await asyncio.gather(client.emission(), client.emission(), return_exceptions=True)

    sender, waiter = asyncio.run(main())
    assert isinstance(sender, RequestTimeoutError)
    assert isinstance(waiter, RateLimitError)
    assert "took longer than queue_timeout" in str(waiter)
    assert len(fake.requests) == 1


def test_calls_of_other_patience_ask_for_themselves(fake: FakeApi, url: str) -> None:
    fake.fail("*", fault="delay", delay=0.3)

    async def main() -> None:
        async with scapi.AppClient(**options(fake, url)) as client:
            await asyncio.gather(client.emission(), client.with_options(timeout=20).emission())

    asyncio.run(main())
    assert len(fake.requests) == 2
