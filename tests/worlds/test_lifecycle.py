"""How clients live and die: many tasks, threads and loops, closing at any moment, forks, and being forgotten."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import scapi
import scapi.sync
from scapi import Retry
from scapi._async.clock import Clock as AsyncClock
from scapi._async.single_flight import SingleFlight as AsyncFlight
from scapi._http import httpx_adapter
from scapi._primitives import aio, threads
from scapi._sync.clock import Clock as SyncClock
from scapi._sync.single_flight import SingleFlight as SyncFlight
from scapi.exceptions import ClosedError, RateLimitError, RequestTimeoutError, ServerError
from tests.support import wire
from tests.support.faults import resources
from tests.support.wire import Mount, WireServer, wait_until, wire_server

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.engine, pytest.mark.socket]


@pytest.fixture(scope="module")
def server() -> Iterator[WireServer]:
    with wire_server() as server:
        yield server


@pytest.fixture
def mount(server: WireServer) -> Iterator[Mount]:
    """A mount, after which everything is as it was before."""
    gc.collect()
    before = resources()
    yield server.mount()
    gc.collect()
    assert wait_until(lambda: all(count <= before[kind] for kind, count in resources().items())), (before, resources())


def aclient(mount: Mount, **options: Any) -> scapi.AppClient:
    return scapi.AppClient(token=mount.fake.app_token, base_url=mount.url, **options)


def client(mount: Mount, **options: Any) -> scapi.sync.AppClient:
    return scapi.sync.AppClient(token=mount.fake.app_token, base_url=mount.url, **options)


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # another thread changes it
            await asyncio.sleep(0.001)


# ── many at once ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_hundred_tasks_share_a_client(mount: Mount) -> None:
    async def main() -> None:
        async with aclient(mount) as shared, asyncio.TaskGroup() as group:
            tasks = [group.create_task(shared.auction("zyv9").lots(limit=5)) for _ in range(200)]
        assert {task.result().total for task in tasks} == {tasks[0].result().total}

    asyncio.run(main())
    assert len(mount.arrived) == 200


def test_sixty_four_threads_share_a_client(mount: Mount, server: WireServer) -> None:
    accepted = server.accepted
    with client(mount) as shared, ThreadPoolExecutor(64) as pool:
        totals = {page.total for page in pool.map(lambda _: shared.auction("zyv9").lots(limit=5), range(640))}
    assert len(totals) == 1
    assert len(mount.arrived) == 640
    assert server.accepted - accepted <= httpx_adapter.MAX_CONNECTIONS


def test_one_loop_after_another_with_one_client(mount: Mount, server: WireServer) -> None:
    shared = aclient(mount)
    for _ in range(5):
        asyncio.run(shared.emission())
        assert wait_until(lambda: not server.connections)
    asyncio.run(shared.close())
    assert len(mount.arrived) == 5


def test_two_loops_in_two_threads_at_once_with_one_client(mount: Mount) -> None:
    shared = aclient(mount)

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(50):
                group.create_task(shared.emission())

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: asyncio.run(work()), range(2)))
    asyncio.run(shared.close())
    assert len(mount.arrived) == 100


# ── closing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_closing_ends_requests_under_way_and_those_that_stand_behind(mount: Mount) -> None:
    mount.wire = wire.never

    async def main() -> list[Any]:
        shared = aclient(mount, pace=False)
        tasks = [asyncio.create_task(shared.emission()) for _ in range(100)]
        await until(lambda: len(mount.arrived) == httpx_adapter.MAX_CONNECTIONS)
        async with asyncio.timeout(30):
            await shared.close()
            return await asyncio.gather(*tasks, return_exceptions=True)

    for error in asyncio.run(main()):
        assert type(error) is ClosedError
        assert "closed" in str(error)


def test_closing_ends_requests_of_other_threads(mount: Mount) -> None:
    mount.wire = wire.never
    shared = client(mount, pace=False)
    with ThreadPoolExecutor(100) as threads:
        calls = [threads.submit(shared.emission) for _ in range(100)]
        assert wait_until(lambda: len(mount.arrived) == httpx_adapter.MAX_CONNECTIONS)
        began = time.monotonic()
        shared.close()
        errors = [call.exception() for call in calls]
    assert time.monotonic() - began < 30
    for error in errors:
        assert type(error) is ClosedError
        assert "closed" in str(error)


def test_closing_from_another_loop_ends_the_requests_there(mount: Mount) -> None:
    mount.wire = wire.never
    shared = aclient(mount)

    async def work() -> None:
        with pytest.raises(ClosedError, match="closed"):
            await shared.emission()

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    assert wait_until(lambda: bool(mount.arrived))
    asyncio.run(shared.close())
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize("reason", ["queue", "retry"])
def test_closing_ends_waits_at_once(mount: Mount, reason: str) -> None:
    if reason == "queue":
        mount.fake.add_token("poor", limit=1)
        mount.fake.app_token = "poor"
    else:
        mount.fake.fail("*", status=503, headers={"retry-after": "60"})

    async def main() -> None:
        shared = aclient(mount)
        if reason == "queue":
            await shared.emission()
        task = asyncio.create_task(shared.emission())
        await until(lambda: shared._session._waiting)
        await shared.close()
        async with asyncio.timeout(30):
            with pytest.raises(ClosedError, match="closed"):
                await task

    asyncio.run(main())
    shared = client(mount)
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(shared.emission)
        assert wait_until(lambda: bool(shared._session._waiting))
        shared.close()
        assert isinstance(call.exception(30), ClosedError)


def test_a_closed_client_says_so(mount: Mount) -> None:
    async def main() -> None:
        async with aclient(mount) as shared:
            await shared.emission()
        await shared.close()
        with pytest.raises(ClosedError, match="the client is closed"):
            await shared.emission()

    asyncio.run(main())
    with client(mount) as shared:
        shared.emission()
    shared.close()
    with pytest.raises(ClosedError, match="the client is closed"):
        shared.emission()


def test_a_borrowed_client_stays_open(mount: Mount) -> None:
    async def main() -> None:
        async with httpx.AsyncClient() as borrowed:
            async with aclient(mount, http_client=borrowed) as shared:
                await shared.emission()
            with pytest.raises(ClosedError, match="closed"):
                await shared.emission()
            assert not borrowed.is_closed

    asyncio.run(main())
    with httpx.Client() as borrowed:
        with client(mount, http_client=borrowed) as shared:
            shared.emission()
        with pytest.raises(ClosedError, match="closed"):
            shared.emission()
        assert not borrowed.is_closed


def test_a_borrowed_client_that_is_closed_is_an_error_like_any_other(mount: Mount) -> None:
    async def main() -> None:
        borrowed = httpx.AsyncClient()
        await borrowed.aclose()
        with pytest.raises(ClosedError, match="closed"):
            await aclient(mount, http_client=borrowed).emission()

    asyncio.run(main())
    borrowed = httpx.Client()
    borrowed.close()
    with pytest.raises(ClosedError, match="closed"):
        client(mount, http_client=borrowed).emission()


# ── cancelling ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_cancelled_calls_give_back_their_points_and_connections(mount: Mount, server: WireServer) -> None:
    mount.fake.add_token("some", limit=100)
    mount.fake.app_token = "some"

    async def main() -> None:
        async with aclient(mount) as shared:
            await shared.emission()
            mount.wire = wire.never
            tasks = [asyncio.create_task(shared.emission()) for _ in range(30)]
            await until(lambda: len(mount.arrived) == 31)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            assert all(task.cancelled() for task in tasks)
            assert shared.ratelimit.remaining == 99
            mount.heal()
            await shared.emission()
            # They had reached the server, which has charged them.
            assert shared.ratelimit.remaining == 68
            await until(lambda: len(server.connections) == 1)

    asyncio.run(main())


def test_cancelling_ends_a_wait_at_once_and_leaves_the_queue(mount: Mount) -> None:
    mount.fake.add_token("poor", limit=1)
    mount.fake.app_token = "poor"

    async def main() -> None:
        async with aclient(mount) as shared:
            await shared.emission()
            tasks = [asyncio.create_task(shared.emission()) for _ in range(10)]
            await until(lambda: len(shared._session._waiting) == 10)
            for task in tasks:
                task.cancel()
            async with asyncio.timeout(30):
                await asyncio.wait(tasks)
            assert not shared._session._waiting
            assert shared._session._budget.state(time.monotonic()).waiting == 0

    asyncio.run(main())


def test_an_interrupted_wait_leaves_the_queue(mount: Mount) -> None:
    mount.fake.add_token("poor", limit=1)
    mount.fake.app_token = "poor"

    class Interrupted(SyncClock):
        def wait(self, wakeup: threads.Wakeup, seconds: float) -> None:
            raise KeyboardInterrupt

    class Client(scapi.sync.AppClient):
        _clock = Interrupted()

    with Client(token="poor", base_url=mount.url) as shared:
        shared.emission()
        with pytest.raises(KeyboardInterrupt):
            shared.emission()
        assert not shared._session._waiting
        assert shared._session._budget.state(time.monotonic()).waiting == 0


def test_an_outer_timeout_ends_a_call(mount: Mount) -> None:
    mount.wire = wire.never

    async def main() -> None:
        async with aclient(mount) as shared:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await shared.emission()
            mount.heal()
            await shared.emission()

    asyncio.run(main())


# ── forgetting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unclosed_client_warns_once_and_leaks_nothing(mount: Mount, server: WireServer) -> None:
    async def main() -> None:
        forgotten = aclient(mount)
        await forgotten.emission()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del forgotten
            gc.collect()
            seen = [(warning.category, str(warning.message)) for warning in caught]
            caught.clear()  # a warning that is kept keeps what it is about
            await until(lambda: not server.connections)
        assert seen == [(ResourceWarning, f"unclosed client of {mount.url}")]
        assert not caught

    asyncio.run(main())
    forgotten = client(mount)
    forgotten.emission()
    with pytest.warns(ResourceWarning, match="unclosed client") as caught:  # noqa: PT031  # it takes both
        del forgotten
        gc.collect()
    assert len(caught) == 1
    assert wait_until(lambda: not server.connections)


def test_a_client_that_outlives_its_loop_has_closed_its_connections(mount: Mount, server: WireServer) -> None:
    forgotten = aclient(mount)
    asyncio.run(forgotten.emission())
    assert wait_until(lambda: not server.connections)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del forgotten
        gc.collect()


@pytest.mark.parametrize("module", [scapi, scapi.sync], ids=["async", "sync"])
def test_a_client_that_was_never_used_or_never_made_leaves_quietly(module: Any) -> None:
    module.AppClient(token="x")
    with pytest.raises(TypeError, match="http_client"):
        module.AppClient(token="x", http_client=object())
    gc.collect()


# ── forking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system doesn't fork")
def test_after_a_fork_parent_and_child_go_on(mount: Mount, server: WireServer) -> None:
    with client(mount) as shared:
        shared.emission()
        accepted = server.accepted
        budget = shared._session._budget
        # As if another thread were in the middle of something.
        with budget._lock, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # forking beside the server's thread
            child = os.fork()
            if child == 0:
                try:
                    shared.emission()
                    with client(mount) as another:
                        another.emission()
                    os._exit(0)
                except BaseException:  # noqa: BLE001  # a child never returns into the tests
                    os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert server.accepted == accepted + 2
        shared.emission()
        assert server.accepted == accepted + 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system doesn't fork")
def test_a_child_does_not_wait_for_what_its_parent_had_begun() -> None:
    flight, begun, over = SyncFlight(threads.begin, SyncClock()), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        over.wait(20)

    thread = threading.Thread(target=flight.run, args=[work])
    thread.start()
    begun.wait()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside a thread
        child = os.fork()
    if child == 0:
        threading.Timer(60, os._exit, args=[1]).start()
        flight.run(lambda: None)
        flight.settle()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    over.set()
    thread.join()


# ── once for all ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_began_in_a_loop_that_has_stopped_is_begun_anew() -> None:
    flight, done = AsyncFlight(aio.spawn, AsyncClock()), list[str]()

    async def never() -> None:
        await asyncio.Event().wait()

    async def work() -> None:
        done.append("work")

    stopped = asyncio.new_event_loop()
    with pytest.raises(TimeoutError):
        stopped.run_until_complete(asyncio.wait_for(flight.run(never), 0.01))
    asyncio.run(asyncio.wait_for(flight.run(work), 30))
    assert done == ["work"]
    stopped.run_until_complete(_cancel_all())
    stopped.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.mark.skipif(not hasattr(asyncio, "eager_task_factory"), reason="Python 3.11 has no eager tasks")
def test_work_may_be_done_before_its_task_is_waited_for() -> None:
    flight = AsyncFlight(aio.spawn, AsyncClock())

    async def work() -> None:
        with pytest.raises(RuntimeError, match="this call would wait for itself"):
            await flight.run(work)

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]
        await flight.run(work)
        await flight.settle()

    asyncio.run(asyncio.wait_for(main(), 30))


def test_a_call_waits_no_longer_for_a_connection_than_it_may(mount: Mount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx_adapter, "MAX_CONNECTIONS", 1)
    mount.wire = wire.never

    async def main() -> None:
        async with aclient(mount, queue_timeout=0.1) as shared:
            busy = asyncio.create_task(shared.emission())
            await until(lambda: len(mount.arrived) == 1)
            with pytest.raises(RateLimitError, match="no connection was free within queue_timeout"):
                await shared.regions()
            assert not busy.done()
            busy.cancel()

    asyncio.run(main())
    with client(mount, queue_timeout=0.1) as shared, ThreadPoolExecutor(1) as pool:
        busy = pool.submit(shared.emission)
        assert wait_until(lambda: len(mount.arrived) == 2)
        with pytest.raises(RateLimitError, match="no connection was free within queue_timeout"):
            shared.regions()
        shared.close()
        assert isinstance(busy.exception(), ClosedError)


def test_the_wait_for_a_connection_counts_against_queue_timeout(mount: Mount, monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves less than the 30 seconds that the server asks for, so that the call doesn't begin to wait for them."""
    monkeypatch.setattr(httpx_adapter, "MAX_CONNECTIONS", 1)
    options: dict[str, Any] = {"queue_timeout": 30.1, "timeout": 1.5, "pace": False}

    def begin() -> None:
        mount.wire = wire.never

    def unavailable() -> None:
        mount.heal()
        mount.fake.fail("*", status=503, headers={"Retry-After": "30"})

    async def main() -> None:
        async with aclient(mount, **options) as shared:
            begin()
            busy = asyncio.create_task(shared.emission())
            await until(lambda: len(mount.arrived) == 1)
            unavailable()
            with pytest.raises(ServerError):
                await shared.regions()
            with pytest.raises(RequestTimeoutError):
                await busy

    asyncio.run(main())
    with client(mount, **options) as shared, ThreadPoolExecutor(1) as pool:
        begin()
        busy = pool.submit(shared.emission)
        assert wait_until(lambda: len(mount.arrived) == 3)
        unavailable()
        with pytest.raises(ServerError):
            shared.regions()
        assert isinstance(busy.exception(), RequestTimeoutError)


def test_a_connection_that_is_given_back_just_as_the_client_closes_is_closed(
    mount: Mount, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = client(mount, retry=None)
    look = httpx_adapter.h11_of

    def close_and_look(connection: object) -> Any:
        closing = threading.Thread(target=shared.close)
        closing.start()
        closing.join()
        return look(connection)

    monkeypatch.setattr(httpx_adapter, "h11_of", close_and_look)
    shared.emission()
    assert wait_until(lambda: not server.connections, seconds=10)


def test_closing_goes_on_over_a_call_that_times_out_just_now(mount: Mount) -> None:
    mount.wire = wire.never

    async def main(steps: int) -> None:
        shared = aclient(mount, retry=None, timeout=0.3)
        before = len(mount.arrived)
        call = asyncio.create_task(shared.emission())
        await until(lambda: len(mount.arrived) > before)

        async def close() -> None:
            for _ in range(steps):
                await asyncio.sleep(0)
            await shared.close()

        closing: list[asyncio.Task[None]] = []
        loop = asyncio.get_running_loop()
        loop.call_later(0.2, lambda: closing.append(loop.create_task(close())))
        time.sleep(0.6)  # noqa: ASYNC251  # both are due when the loop goes on, in this order or the other
        await asyncio.wait([call])
        await until(lambda: bool(closing))
        await closing[0]
        assert isinstance(call.exception(), ClosedError | RequestTimeoutError)

    for steps in range(4):
        asyncio.run(main(steps))


def test_a_call_that_waits_for_a_connection_is_called_off(mount: Mount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx_adapter, "MAX_CONNECTIONS", 1)
    mount.wire = wire.never
    with client(mount, pace=False) as shared, ThreadPoolExecutor(1) as pool:
        busy = pool.submit(shared.emission)
        assert wait_until(lambda: len(mount.arrived) == 1)
        results = shared.auctions(["a", "b"]).lots()
        began = time.monotonic()

        def interrupt() -> None:
            time.sleep(0.3)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

        waiting = threading.Thread(target=interrupt)
        waiting.start()
        with pytest.raises(KeyboardInterrupt):
            next(results)
        waiting.join()
        assert time.monotonic() - began < 30
        shared.close()
        assert isinstance(busy.exception(), ClosedError)


def test_an_iterator_may_be_dropped_on_its_own_thread() -> None:
    hold = threading.Lock()
    with hold:
        workers = threads.Workers[None, None](1, hold)
        workers.start(lambda _: workers.end(), None)
        workers.result()


def test_threads_end_with_their_iterator_even_if_nothing_else_ends_them() -> None:
    hold = threading.Lock()
    with hold:
        workers = threads.Workers[int, int](2, hold)
        for number in range(2):
            workers.start(lambda number: number, number)
        assert {workers.result(), workers.result()} == {0, 1}
    # As after an interrupt at the first moment of `end`, with its traceback kept.
    began = time.monotonic()
    while any(thread.name == "scapi_spawned" for thread in threading.enumerate()):
        assert time.monotonic() - began < 30
        time.sleep(0.01)
    assert len(workers) == 0


# ── waking ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_wakeup_from_another_thread_ends_a_wait() -> None:
    async def main() -> None:
        wakeup = aio.Wakeup()
        threading.Timer(0.01, wakeup.wake).start()
        async with asyncio.timeout(30):
            await wakeup.wait(60)
        return wakeup

    # Its loop is gone by now, and nobody minds.
    asyncio.run(main()).wake()  # type: ignore[func-returns-value]
    wakeup = threads.Wakeup()
    threading.Timer(0.01, wakeup.wake).start()
    began = time.monotonic()
    wakeup.wait(60)
    assert time.monotonic() - began < 30


def test_the_deadline_is_for_the_whole_request_in_a_borrowed_client_too(mount: Mount) -> None:
    mount.wire = wire.drip_body

    async def main() -> None:
        async with httpx.AsyncClient() as borrowed:
            with pytest.raises(RequestTimeoutError):
                await aclient(mount, http_client=borrowed, timeout=0.2).emission()

    asyncio.run(main())
    with httpx.Client() as borrowed, pytest.raises(RequestTimeoutError):
        client(mount, http_client=borrowed, timeout=0.2).emission()


def test_a_limit_of_zero_is_an_error_at_once(mount: Mount) -> None:
    mount.fake.add_token("stolen", limit=0)
    mount.fake.app_token = "stolen"
    with client(mount, retry=Retry()) as shared:
        for _ in range(2):
            with pytest.raises(RateLimitError):
                shared.emission()
