"""Kill collectors at random moments, and compare what they have stored with the fake's truth, row by row.

    python -m benchmarks.kill                         50 items, 200 kills, SQLite, one collector
    python -m benchmarks.kill --collectors 2          two of them on one store
    python -m benchmarks.kill --postgres              a PostgreSQL of this machine, in a temporary folder
    python -m benchmarks.kill --collectors 4 --postgres --redis
                                                      two machines' worth: the points are few and shared in a Redis,
                                                      which is killed and started anew, too
    python -m benchmarks.kill --write                 writes its row of the table in benchmarks/README.md

With --postgres and without --redis the collectors share their points in the PostgreSQL.

The market moves meanwhile: sales, equal sales, hundreds in one second, sales that turn up late. Collectors are
processes of their own, which are killed with SIGKILL and begun again at once. At the end one gets the time to finish.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import sqlalchemy as sql

from benchmarks import report
from scapi import Store
from scapi._store import schema
from scapi._store.times import micros
from scapi.models import AuctionPrice
from scapi.testing import FakeApi
from tests.support.redis import running_redis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.redis import RedisServer

ROOT = Path(__file__).resolve().parents[1]

#: Sales of an item before the first collector begins.
PAST = 1500

#: Points in a window of so many seconds, if a Redis shares them among the collectors: fewer than they would take.
FEW, WINDOW = 1500, 5

#: What is different on every run of a program, and must not be here.
SEED = 17


#: The columns of the table. The first two say which run it is.
HEAD = ["database", "collectors", "items", "kills", "sales", "missing", "extra", "measured"]


#: The most calls between two kills.
MOST_CALLS = 15


class Result(NamedTuple):
    """What a run came to.

    Attributes:
        sales: Sales of the fake.
        missing: Those of them that aren't in the store.
        extra: Sales in the store that the fake doesn't have.
        kills: How many processes were killed.
        seconds: How long it took.
        calls: How many requests the fake answered.
        meanwhile: How many of them before the last collector began.
        refused: How many of them with 429.
    """

    sales: int
    missing: int
    extra: int
    kills: int
    seconds: float
    calls: int
    refused: int
    meanwhile: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--items", type=int, default=50)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--collectors", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--redis", action="store_true")
    parser.add_argument("--write", action="store_true", help="write the result into benchmarks/README.md")
    given = parser.parse_args()
    with ExitStack() as stack:
        if given.postgres:
            from tests.support.postgres import server

            database = stack.enter_context(server())()
        else:
            database = str(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "market.db")
        redis = stack.enter_context(running_redis()) if given.redis else None
        result = kill(database, items=given.items, kills=given.kills, collectors=given.collectors, redis=redis)
    where = f"{'PostgreSQL' if given.postgres else 'SQLite'}{' and Redis' if given.redis else ''}"
    print(f"{where}, {given.collectors} collector(s), {given.items} items:")
    print(f"  {result.kills} kills in {result.seconds:.0f} s, {result.sales} sales")
    print(f"  {result.missing} missing, {result.extra} extra")
    print(f"  {result.calls} calls, {result.meanwhile} of them before the last round, {result.refused} with a 429")
    if given.write:
        numbers = (given.items, result.kills, result.sales, result.missing, result.extra)
        row = [where, str(given.collectors), *(f"{number:,}" for number in numbers), f"{datetime.now(UTC):%Y-%m-%d}"]
        report.write_row("kill", HEAD, row, key=2)
    sys.exit(bool(result.missing or result.extra))


def kill(
    database: str,
    *,
    items: int,
    kills: int,
    collectors: int,
    redis: RedisServer | None = None,
) -> Result:
    """Kill collectors again and again, let them finish, and compare.

    Args:
        database: The store.
        items: How many items.
        kills: How many times one of the collectors is killed.
        collectors: How many run at once.
        redis: Where the collectors share few points. One kill in ten restarts it, too.
    """
    rng, begun = random.Random(SEED), time.monotonic()
    ids = [f"item{number}" for number in range(items)]
    points = {"limit": 10_000_000} if redis is None else {"limit": FEW, "window": WINDOW}
    fake = FakeApi(**points, sales=dict.fromkeys(ids, PAST), reorder=True)
    with fake.serve() as url, _environment(redis), Processes(url, fake.app_token, database, ids) as processes:
        running = [processes.start("run") for _ in range(collectors)]
        for _ in range(kills):
            for _ in range(rng.randint(1, 3)):
                _trade(fake, rng.choice(ids), rng)
            _wait_for_calls(fake, rng.randint(0, MOST_CALLS))
            # A page takes some milliseconds, so it may be killed before, while and after it is written.
            time.sleep(rng.uniform(0.0, 0.02))
            victim = rng.randrange(collectors)
            processes.kill(running[victim])
            if redis is not None and rng.random() < 0.1:
                redis.kill()
                redis.start()
            running[victim] = processes.start("run")
        for process in running:
            processes.kill(process)
        meanwhile = len(fake.requests)
        if processes.status(processes.start("once")):
            raise RuntimeError("the last round failed")
        return _compared(fake, database, ids, kills, time.monotonic() - begun)._replace(meanwhile=meanwhile)


class Processes:
    """The processes of collectors, forked by one that has imported everything: nothing is killed while it imports.

    Args:
        url: The fake.
        token: Its token.
        database: The store.
        items: What they collect.
    """

    def __init__(self, url: str, token: str, database: str, items: Sequence[str]) -> None:
        self._request = {"url": url, "token": token, "database": database, "items": items}
        self._alive: set[int] = set()

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.kill_collector"]
        self._parent = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._alive:
            os.kill(process, signal.SIGKILL)
        self._parent.communicate()

    def start(self, how: str) -> int:
        """Start a collector that goes on for as long as it lives (`run`), or that collects `once`."""
        process = self._ask({**self._request, "how": how})
        self._alive.add(process)
        return process

    def kill(self, process: int) -> None:
        """Kill a collector."""
        os.kill(process, signal.SIGKILL)
        status = self.status(process)
        if status != -signal.SIGKILL:
            raise RuntimeError(f"a collector ended by itself, with {status}")

    def status(self, process: int) -> int:
        """Wait until a collector has ended, and return its exit status."""
        status = self._ask(process)
        self._alive.discard(process)
        return status

    def _ask(self, request: object) -> int:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(f"{json.dumps(request)}\n")
        self._parent.stdin.flush()
        return int(self._parent.stdout.readline())


@contextmanager
def _environment(redis: RedisServer | None) -> Iterator[None]:
    """Name the Redis to the collectors, which inherit the environment."""
    if redis is not None:
        os.environ["SCAPI_REDIS_URL"] = redis.url
    try:
        yield
    finally:
        os.environ.pop("SCAPI_REDIS_URL", None)


def _wait_for_calls(fake: FakeApi, calls: int) -> None:
    """Wait until there were so many more calls. On a busy machine, a number of seconds may be too few for one."""
    end, until = fake._count + calls, time.monotonic() + 60
    while fake._count < end and time.monotonic() < until:
        time.sleep(0.001)


def _trade(fake: FakeApi, item: str, rng: random.Random) -> None:
    """Let something happen on the market."""
    count = rng.choice([1, 2, 4, 250 if rng.random() < 0.1 else 1])
    late = timedelta(seconds=rng.choice([0, 0, 60, 1700]))
    fake.sell(item, count, amount=1, price=rng.randint(1, 3), additional={"qlt": 1}, time=fake.now - late)


def _compared(fake: FakeApi, database: str, ids: Sequence[str], kills: int, seconds: float) -> Result:
    truth, stored = Counter[Any](), Counter[Any]()
    for item in ids:
        truth.update((item, *row) for row in true_sales(fake, item))
    store = Store(database)
    with store._sql.database.reading() as connection:
        table = schema.sale
        stored.update(map(tuple, connection.execute(sql.select(table.c.item, table.c.time, table.c.key, table.c.n))))
    asyncio.run(store.close())
    statuses = [request.status for request in fake.requests]
    missing, extra = (truth - stored).total(), (stored - truth).total()
    return Result(truth.total(), missing, extra, kills, seconds, len(statuses), statuses.count(429))


def true_sales(fake: FakeApi, item: str, region: str = "RU") -> list[tuple[int, int, int]]:
    """All sales of an item, each by its time, its key and its number among equal ones."""
    counts: Counter[tuple[int, int]] = Counter()
    found: list[tuple[int, int, int]] = []
    for row in fake._world.market.sales(region, item, 0, 10**9):
        sale = AuctionPrice(**{**row, "price": int(row["price"])})
        which = micros(sale.time), sale.key()
        counts[which] += 1
        found.append((*which, counts[which]))
    return found


if __name__ == "__main__":
    main()
