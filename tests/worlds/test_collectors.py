"""Collectors beside each other: whatever is sold, fails, ends or dies meanwhile, the store has what the fake has."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

import httpx
import sqlalchemy as sql
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.kill import true_sales
from scapi import AppClient, Collector, Store, sync
from scapi._async import collector_jobs
from scapi._collect import history
from scapi._ratelimit.registry import registry
from scapi._store import schema
from scapi.testing import FakeApi
from tests.support.virtual_time import DistantFake, VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scapi.store import Place
    from scapi.testing._faults import FaultKind

ITEMS = ["zyv9", "kqgy"]

#: Rows of a page, and sales before the first collector begins. With small pages, little needs to happen between two.
PAGE, PAST = 8, 60

#: A run of the loop takes some tenths of a second, so there are fewer examples than elsewhere.
EXAMPLES = max(8, settings.default.max_examples // 5)

FAULTS: list[FaultKind] = ["status", "reset", "cut"]


class Happening(NamedTuple):
    """Something that happens on the market, so many seconds after what happened before."""

    after: float
    kind: str
    item: str
    amount: int


class Life(NamedTuple):
    """A collector: how long it lives, whether it is killed or stopped, and how long until the next one begins."""

    seconds: float
    killed: bool
    pause: float


happenings = st.lists(
    st.builds(
        Happening,
        st.floats(0, 240),
        st.sampled_from(["sell", "sell", "equal", "late", "late", "crowd", "fault"]),
        st.sampled_from(ITEMS),
        st.integers(1, 7),
    ),
    max_size=25,
)
lives = st.lists(st.builds(Life, st.floats(0.1, 600), st.booleans(), st.floats(0, 200)), min_size=1, max_size=4)


class Careless(Store):
    """A store whose leases are over at once, so that collectors take items from each other in the middle of their work.

    The database's clock is real, and can't be moved as that of the collectors.
    """

    async def lease(self, owner: str, places: Iterable[Place], seconds: float) -> list[Place]:
        return self._sql.leases.take(owner, list(places), -seconds)


def sell(fake: FakeApi, happening: Happening) -> None:
    """Let it happen."""
    _, kind, item, amount = happening
    alike: dict[str, Any] = {"amount": 1, "additional": {"qlt": 1}}
    match kind:
        case "sell":
            fake.sell(item, amount)
        case "equal":
            fake.sell(item, amount, price=5, **alike)
        case "late":
            fake.sell(item, amount, price=5, time=fake.now - timedelta(seconds=250 * amount), **alike)
        case "crowd":
            fake.sell(item, PAGE - 2 + amount, price=5, **alike)
        case _:
            fake.fail(f"*/{item}/history", FAULTS[amount % 3], times=amount)


async def collect(client: AppClient, store: Store, lives: list[Life], loop: VirtualLoop) -> None:
    """Run one collector after another."""
    for seconds, killed, pause in lives:
        collector = Collector(client, store, ITEMS, sales=120, since="all", lease=30, clock=loop.clock.wall)
        run = asyncio.ensure_future(collector.run())
        await asyncio.sleep(seconds)
        if killed:
            run.cancel()
        else:
            collector.stop()
        await asyncio.wait([run])
        assert run.cancelled() or run.exception() is None
        await asyncio.sleep(pause)


@settings(deadline=None, max_examples=EXAMPLES)
@given(happenings=happenings, lives=st.lists(lives, min_size=1, max_size=2), seed=st.integers(0, 10**6))
def test_any_interleaving_of_collectors_gives_the_truth(
    happenings: list[Happening], lives: list[list[Life]], seed: int
) -> None:
    registry.clear()  # examples share the fixtures of a test, and the points are those of another time
    loop = VirtualLoop(seed)
    fake = FakeApi(clock=loop.clock.wall, sales=dict.fromkeys(ITEMS, PAST), reorder=True)
    distant = DistantFake(fake, lambda: loop.rng.uniform(0.01, 2))

    async def trade() -> None:
        for happening in happenings:
            await asyncio.sleep(happening.after)
            sell(fake, happening)

    async def main(file: Path) -> dict[str, list[tuple[int, int, int]]]:
        async with loop.client(distant, token=fake.app_token, region="ru") as client, Careless(file) as store:
            await asyncio.gather(trade(), *(collect(client, store, each, loop) for each in lives))
            fake.heal()
            done = await Collector(client, store, ITEMS, since="all", clock=loop.clock.wall).once()
            assert done.failing == []
            assert all([await store.spans("ru", item) for item in ITEMS])
            assert await store.gaps() == []
            return {item: rows(store, item) for item in ITEMS}

    small = mock.patch.object(history, "PAGE", PAGE), mock.patch.object(collector_jobs, "PAGE", PAGE)
    with tempfile.TemporaryDirectory() as folder, small[0], small[1]:
        found = loop.run(main(Path(folder) / "market.db"))
    for item in ITEMS:
        assert found[item] == sorted(true_sales(fake, item))


def rows(store: Store, item: str) -> list[tuple[int, int, int]]:
    """The sales of an item, each by its time, its key and its number."""
    table = schema.sale.c
    query = (
        sql.select(table.time, table.key, table.n).where(table.item == item).order_by(table.time, table.key, table.n)
    )
    with store._sql.database.reading() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(query)]


# ── a call that waits long ────────────────────────────────────────────────────────────────────────────────────────────


def renewals(store: sync.Store, enough: int) -> int:
    """Wait until a lease was renewed often enough, and return how often it was."""
    seen, until = set[object](), time.monotonic() + 60
    while len(seen) < enough and time.monotonic() < until:
        seen.update(state.leased_until for state in store.item_states() if state.owner)
        time.sleep(0.05)
    return len(seen)


def test_leases_are_renewed_while_all_calls_wait(tmp_path: Path) -> None:
    fake, file = FakeApi(), tmp_path / "market.db"
    answer = asyncio.Event()

    class Waiting(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await answer.wait()
            return await fake.transport().handle_async_request(request)

    async def main() -> int:
        http_client = httpx.AsyncClient(transport=Waiting())
        async with AppClient(token=fake.app_token, http_client=http_client) as client, Store(file) as store:
            run = asyncio.ensure_future(Collector(client, store, ["zyv9"], concurrency=1, lease=1).once())
            with sync.Store(file) as other:
                found = await asyncio.to_thread(renewals, other, 4)
            answer.set()
            done = await run
            assert done.sales == 200
            return found

    assert asyncio.run(main()) >= 4


def test_leases_are_renewed_while_all_threads_wait(tmp_path: Path) -> None:
    fake, file, answer = FakeApi(), tmp_path / "market.db", threading.Event()

    class Waiting(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer.wait(120)
            return fake.transport().handle_request(request)

    found: list[int] = []

    def watch() -> None:
        with sync.Store(file) as other:
            found.append(renewals(other, 4))
        answer.set()

    watching = threading.Thread(target=watch)
    with (
        sync.AppClient(token=fake.app_token, http_client=httpx.Client(transport=Waiting())) as client,
        sync.Store(file) as store,
    ):
        watching.start()
        done = sync.Collector(client, store, ["zyv9"], concurrency=1, lease=1).once()
        watching.join()
    assert done.sales == 200
    assert found >= [4]
