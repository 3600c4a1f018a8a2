"""The tasks of the guide under a real Procrastinate, whose worker is killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from benchmarks.kill import true_sales
from scapi.testing import FakeApi
from tests.docs.pages import examples
from tests.support.shared_budgets import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import LiteralString

ROOT = Path(__file__).resolve().parents[2]
ITEMS = ["zyv9", "kqgy"]
#: Sales of an item: ten pages of them in each of two regions.
PAST = 2000
#: Seconds that a page takes after the first ones: a worker that is killed meanwhile has read a part of them.
PAGE = 60.0

pytestmark = pytest.mark.socket

WORLDS = ["async", pytest.param("sync", marks=pytest.mark.thorough)]


def program(world: str) -> str:
    return (ROOT / "examples" / f"procrastinate_tasks_{world}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("world", ["async", "sync"])
def test_the_guide_shows_the_example(world: str) -> None:
    shown = [example.source for example in examples("workers.md") if example.tab == world]
    assert program(world).partition('"""\n\n')[2] in shown


class Engine:
    """Procrastinate on a database of its own, by its commands."""

    def __init__(self, world: str, url: str, **environ: str) -> None:
        self.database = psycopg.connect(url, autocommit=True)
        self._app = f"procrastinate_tasks_{world}.app"
        self._environ = {**os.environ, **environ, "DATABASE_URL": url, "ITEMS": " ".join(ITEMS)}
        self._environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(ROOT / "examples")])

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        called = [sys.executable, "-m", "procrastinate", f"--app={self._app}", *command]
        return subprocess.Popen(called, env=self._environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603

    def run(self, *command: str) -> None:
        process = self.start(*command)
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0, out.decode()

    def count(self, what: LiteralString) -> int:
        found = self.database.execute(f"SELECT count(*) FROM {what}").fetchone()  # noqa: S608  # our own text
        assert found
        return int(found[0])

    def sales(self) -> Counter[Any]:
        return Counter(self.database.execute("SELECT region, item, time, key, n FROM sale").fetchall())

    def has_begun(self) -> bool:
        """Whether a worker has stored sales."""
        return self.count("pg_tables WHERE tablename = 'sale' AND schemaname = current_schema") == 1 and (
            self.count("sale") > 0
        )


@contextmanager
def engine(world: str, url: str, fake: FakeApi) -> Iterator[Engine]:
    with fake.serve() as served:
        found = Engine(world, url, SCAPI_TOKEN=fake.app_token, SCAPI_BASE_URL=served)
        with found.database:
            found.run("schema", "--apply")
            yield found


def truth_of(fake: FakeApi) -> Counter[Any]:
    places = [(region, item) for region in ("ru", "eu") for item in ITEMS]
    return Counter((region, item, *row) for region, item in places for row in true_sales(fake, item, region.upper()))


@pytest.mark.parametrize("world", WORLDS)
def test_the_task_after_a_killed_one_completes_its_work(
    world: str,
    postgres: str,
) -> None:
    fake = FakeApi(limit=1_000_000, sales=dict.fromkeys(ITEMS, PAST), reorder=True)
    with engine(world, postgres.replace("+psycopg", ""), fake) as procrastinate:
        defer = "defer", "collect", '{"timestamp": 0}', "--ignore-already-enqueued"
        fake.fail("*/history", "delay", delay=0.01, times=16)
        fake.fail("*/history", "delay", delay=PAGE)
        procrastinate.run(*defer)
        worker = procrastinate.start("worker")
        try:
            until(procrastinate.has_begun, seconds=120)
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.communicate()
        fake.heal()
        assert procrastinate.sales() < truth_of(fake)
        # Nobody runs that task again, and its leases last.
        assert procrastinate.count("procrastinate_jobs WHERE status = 'doing'") == 1
        assert procrastinate.count("item_state WHERE owner IS NOT NULL") == 4
        procrastinate.database.execute("UPDATE item_state SET leased_until = leased_until - 60000000")
        for item in ITEMS:
            fake.sell(item, 3, price=1)
        procrastinate.run(*defer)
        procrastinate.run("worker", "--one-shot")
        assert procrastinate.sales() == truth_of(fake)
        assert procrastinate.count("procrastinate_jobs WHERE status = 'succeeded'") >= 1
        assert procrastinate.count("procrastinate_jobs WHERE status = 'failed'") == 0
