"""A collector on a market that moves, in virtual time: pages for each look, points used, a backfill that breaks.

`.venv/bin/python -m benchmarks.collecting` (four minutes, most of it the fake's) prints its table; `--write` writes it
into benchmarks/README.md. Nothing here measures time, so the machine may be busy.

The market: 300 items, from a sale in days to hundreds in an hour, a twentieth of them up to half an hour late. Answers
take 50 to 300 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import statistics
import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from benchmarks import report, rounds
from scapi import AppClient, Collector, Store
from scapi._async.collector_jobs import JobRunner
from scapi.testing import FakeApi
from scapi.testing._fake import PHASE_MS
from tests.support.virtual_time import DistantFake, VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from scapi._collect.jobs import Job, Outcome

ITEMS = 300
HOUR = 3600.0
LIMIT = 400
BACKFILL = 20_000

#: The same market in every run.
SEED = 17


class World:
    """A fake, the way to it, and the loop whose time both take."""

    def __init__(self, **options: object) -> None:
        self.loop = VirtualLoop(SEED)
        self.fake = FakeApi(clock=self.loop.clock.wall, limit=LIMIT, **options)  # type: ignore[arg-type]  # of FakeApi
        self.distant = DistantFake(self.fake, lambda: self.loop.rng.uniform(0.05, 0.3))

    def client(self) -> AppClient:
        return self.loop.client(self.distant, token=self.fake.app_token, region="ru")

    def run(self, main: Callable[[], Awaitable[None]]) -> None:
        async def work() -> None:
            await main()

        self.loop.run(work())


async def trade(world: World, rates: dict[str, float], until: float) -> None:
    """Sell the items at their rates, in sales an hour."""
    names, weights, rng = list(rates), list(rates.values()), world.loop.rng
    while world.loop.time() < until:
        await asyncio.sleep(rng.expovariate(sum(weights) / HOUR))
        late = timedelta(seconds=rng.uniform(0, 1700) if rng.random() < 0.05 else 0)
        world.fake.sell(rng.choices(names, weights)[0], rng.choice([1, 1, 1, 2]), time=world.fake.now - late)


@contextmanager
def counted(since: float, loop: VirtualLoop) -> Iterator[tuple[list[int], list[int]]]:
    """Count the pages of looks at sales that begin after a time: of those that found new sales, and of the others."""
    do, changed, idle = JobRunner.do, list[int](), list[int]()

    async def count(self: JobRunner, job: Job) -> Outcome:
        began, outcome = loop.time(), await do(self, job)
        if job.kind == "sales" and began >= since:
            (changed if outcome.new_sales else idle).append(outcome.pages)
        return outcome

    with mock.patch.object(JobRunner, "do", count):
        yield changed, idle


def pages(folder: Path, hours: float) -> list[list[str]]:
    """Measure the pages that a look at an item with new sales reads."""
    rng = random.Random(SEED)
    rates = {f"item{number}": min(400.0, rng.lognormvariate(math.log(2), 1.8)) for number in range(ITEMS)}
    world = World(sales=dict.fromkeys(rates, 400))
    warm, end = HOUR, HOUR * (1 + hours)

    async def main() -> None:
        async with world.client() as client, Store(folder / "pages.db", clock=world.loop.clock.wall) as store:
            collector = Collector(
                client, store, list(rates), sales="5m", since="1d", clock=world.loop.clock.wall, lease=1e6
            )
            market = asyncio.ensure_future(trade(world, rates, end))
            world.loop.call_later(end, collector.stop)
            await collector.run()
            await market

    with counted(warm, world.loop) as (found, idle):
        world.run(main)
    tail = statistics.quantiles(found, n=100)
    title = f"pages of a look that finds new sales ({len(found):,} looks in {hours:.0f} h at {ITEMS} items, 5 min)"
    value = f"median {statistics.median(found):.1f}, mean {statistics.mean(found):.3f}, 99th percentile {tail[98]:.0f}"
    refused = sum(status == 429 for _, status, _ in world.distant.answered)
    return [
        [title, value, "≤ 1.1 in the median"],
        ["  pages of the looks that found none", f"{sum(idle):,} in {len(idle):,} looks", "report"],
        ["  answers with 429", str(refused), "0"],
    ]


def points(folder: Path, minutes: int) -> list[list[str]]:
    """Measure the points that a plan uses which asks for more than there are."""
    names = [f"item{number}" for number in range(500)]
    world = World(sales=dict.fromkeys(names, 300))

    async def main() -> None:
        async with world.client() as client, Store(folder / "points.db", clock=world.loop.clock.wall) as store:
            collector = Collector(
                client, store, names, sales="1m", lots="5m", since="all", clock=world.loop.clock.wall, lease=1e6
            )
            world.loop.call_later((minutes + 3) * 60, collector.stop)
            await collector.run()

    world.run(main)
    # Whole windows of the server, without the one that the run begins in.
    begin = PHASE_MS / 1000 + 60
    within = [
        path for path, status, at in world.distant.answered if status == 200 and begin <= at < begin + minutes * 60
    ]
    spent = 2 * len(within)
    refused = sum(status == 429 for _, status, _ in world.distant.answered)
    share = spent / (LIMIT * minutes)
    title = f"points used in {minutes} minutes by a plan of 500 items every minute, lots and the past"
    return [[title, f"{share:.1%} of {LIMIT} a minute", "≥ 98 %"], ["  answers with 429", str(refused), "0"]]


def backfill(folder: Path) -> list[list[str]]:
    """Kill a backfill halfway, go on with another collector, and count its pages."""
    world = World(sales={"busy": BACKFILL})
    counts: list[int] = []

    async def main() -> None:
        async with world.client() as client, Store(folder / "backfill.db", clock=world.loop.clock.wall) as store:

            def collector() -> Collector:
                return Collector(client, store, ["busy"], since="all", clock=world.loop.clock.wall, lease=0.001)

            first = asyncio.ensure_future(collector().once())
            # At 100 to 600 ms for a page, and the points of a minute.
            await asyncio.sleep(10)
            first.cancel()
            await asyncio.wait([first])
            counts.append(len(world.distant.answered))
            left = BACKFILL - len(await store.sales("busy", since="9000d", limit=None))
            done = await collector().once()
            counts.extend((left, done.pages, len(await store.sales("busy", since="9000d", limit=None))))

    world.run(main)
    before, left, after, total = counts
    assert total == BACKFILL
    least = 1 + math.ceil(left / 200)
    title = f"pages after a backfill of {BACKFILL:,} sales broke at page {before}, with {left:,} sales left"
    return [
        [
            title,
            f"{after}, {after - least} more than a look and the {least - 1} that hold them",
            "the rest and its overlap",
        ]
    ]


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collecting", description=__doc__)
    parser.add_argument("--hours", type=float, default=3, help="hours of the moving market (default: 3)")
    parser.add_argument("--minutes", type=int, default=10, help="minutes of the plan that is too large (default: 10)")
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/README.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [*pages(folder, given.hours), *points(folder, given.minutes), *backfill(folder)]
    text = rounds.table(["what", "measured", "aim"], rows)
    print(f"\n{text}")
    if given.write:
        report.write("collecting", text)


if __name__ == "__main__":
    main()
