"""The store: what it writes in a second, how long its questions take, and how large a sale is.

    python -m benchmarks.store                 SQLite, and PostgreSQL where it is installed
    python -m benchmarks.store --sales 100000  a tenth of it

Every page of 200 sales is a transaction with its span, while another process asks for the sales of an item all the
time. Row by row beside it is what programs do by hand: an INSERT and a commit for each sale.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import random
import sqlite3
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scapi._store.query_scope import QueryScope
from scapi._store.rows import Place
from scapi._store.sql_store import SqlStore
from scapi.models import AuctionPrice
from scapi.store import BEGINNING, SalesReading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.synchronize import Event

PAGE = 200
ITEMS = 1_000
CANDLES = 100_000
NOW = datetime(2026, 8, 31, tzinfo=UTC)
MONTH = 30 * 86_400


def made(count: int, seed: int, details: Callable[[random.Random], dict[str, Any]]) -> list[AuctionPrice]:
    """Sales of a month, newest first."""
    dice = random.Random(seed)
    times = sorted(dice.sample(range(MONTH), count) if count < MONTH else range(count))
    return [
        AuctionPrice(
            amount=dice.choice((1, 1, 1, 2, 10)),
            price=dice.randrange(1_000, 1_000_000),
            time=NOW - timedelta(seconds=seconds),
            additional=details(dice),
        )
        for seconds in times
    ]


def bare(_: random.Random) -> dict[str, Any]:
    return {}


def artefact(dice: random.Random) -> dict[str, Any]:
    return {"qlt": dice.choice((0, 0, 1, 1, 2, 3)), "ptn": dice.choice((0, 0, 0, 5, 10))}


def pages(sales: list[AuctionPrice]) -> Iterator[tuple[list[AuctionPrice], datetime | None]]:
    for start in range(0, len(sales), PAGE):
        yield sales[start : start + PAGE], BEGINNING if start + PAGE >= len(sales) else None


def write(sql: SqlStore, item: str, sales: list[AuctionPrice]) -> None:
    reading = SalesReading()
    for page, end in pages(sales):
        sql.writing.sales(Place("eu", item), reading.piece(page, end=end), None, {})


def read_all_the_time(url: str, stop: Event) -> None:
    sql = SqlStore(url, create=True, clock=time.time)
    while not stop.is_set():
        sql.queries.sales(QueryScope(["eu"], ["item0"], NOW - timedelta(days=1)), None)
        stop.wait(0.01)
    sql.database.close()


@contextlib.contextmanager
def a_reader(url: str) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    reader = context.Process(target=read_all_the_time, args=(url, stop))
    reader.start()
    try:
        yield
    finally:
        stop.set()
        reader.join()


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of this process's CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def row_by_row(path: Path, sales: list[AuctionPrice]) -> float:
    """How long a program takes that commits each sale, as most do."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE sales (item, time, amount, price, details, UNIQUE (item, time, amount, price))"
        )
        return timed(lambda: [_one(connection, sale) for sale in sales])[0]


def _one(connection: sqlite3.Connection, sale: AuctionPrice) -> None:
    row = ("item", sale.time.isoformat(), sale.amount, sale.price, str(sale.additional))
    connection.execute("INSERT OR IGNORE INTO sales VALUES (?, ?, ?, ?, ?)", row)
    connection.commit()


def writing(url: str, sales: list[AuctionPrice]) -> tuple[float, float]:
    sql = SqlStore(url, create=True, clock=time.time)
    write(sql, "item0", sales[:PAGE])
    with a_reader(url):
        time.sleep(1)
        found = timed(lambda: write(sql, "item1", sales))
    sql.database.close()
    return found


def shown(took: tuple[float, float], *, in_process: bool) -> str:
    """Seconds on the clock; of the CPU too where the database runs in this process."""
    return f"{took[0]:.3f} s, CPU {took[1]:.3f} s" if in_process else f"{took[0]:.3f} s"


def report(name: str, value: str, aim: str) -> None:
    print(f"{name:<58}{value:>26}   {aim}")


def measure(kind: str, url: Callable[[], str], size: Callable[[str], int], count: int, aims: dict[str, str]) -> None:
    print(f"\n{kind}")
    sales = made(min(40_000, count), 1, bare)
    wall, cpu = writing(url(), sales)
    report("sales a second, pages of 200, beside a reader", f"{len(sales) / wall:,.0f}", aims["writing"])
    report("  of the CPU that the writer had", f"{len(sales) / cpu:,.0f}", "")
    report("  CPU for 1,000 sales", f"{cpu / len(sales) * 1e6:.1f} ms", "")

    where = url()
    sql = SqlStore(where, create=True, clock=time.time)
    empty = size(where)
    write(sql, "item0", sales)
    sql.database.close()
    report(
        "bytes of a sale without additional, key included", f"{(size(where) - empty) / len(sales):.0f}", aims["size"]
    )

    where = url()
    sql = SqlStore(where, create=True, clock=NOW.timestamp)
    for item in range(ITEMS):
        write(sql, f"item{item}", made(count // ITEMS, item, artefact))
    by = ("quality", "level")
    write(sql, "busy", made(min(CANDLES, count), 7, artefact))
    busy = QueryScope(None, ["busy"])
    items = QueryScope(None, [f"item{item}" for item in range(ITEMS)], NOW - timedelta(days=30))
    ask, here = sql.queries, kind == "SQLite"
    for name, question, aim in (
        (f"stats of {ITEMS:,} items, {count:,} sales", lambda: ask.stats(items, by, per_piece=False), aims["stats"]),
        ("  each piece counts once", lambda: ask.stats(items, by, per_piece=True), ""),
        ("candles of one item, a day each", lambda: ask.candles(busy, timedelta(days=1), ()), aims["candles"]),
        ("  by quality and level", lambda: ask.candles(busy, timedelta(days=1), by), ""),
        ("its latest sales by quality and level", lambda: ask.latest(busy, by), ""),
    ):
        report(name, shown(min(timed(question) for _ in range(2)), in_process=here), aim)
    sql.database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sales", type=int, default=1_000_000, help="how many sales the questions are about")
    count: int = parser.parse_args().sales
    with tempfile.TemporaryDirectory() as name:
        folder, numbers = Path(name), iter(range(100))
        some = made(2_000, 2, bare)
        wall = row_by_row(folder / "by_hand.db", some)
        report("row by row, a commit for each, in SQLite", f"{len(some) / wall:,.0f} a second", "")
        aims = {"writing": ">= 40,000", "size": "<= 100", "stats": "<= 6 s", "candles": "<= 150 ms"}
        measure("SQLite", lambda: str(folder / f"{next(numbers)}.db"), _size_of_file, count, aims)
    from tests.support.postgres import programs, server

    if programs() is None:
        print("\nPostgreSQL isn't installed")
        return
    aims = {"writing": ">= 12,000", "size": "<= 220", "stats": "<= 3 s", "candles": "<= 150 ms"}
    with server() as make:
        measure("PostgreSQL", make, _size_of_table, count, aims)


def _size_of_file(url: str) -> int:
    with contextlib.closing(sqlite3.connect(url)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(url).stat().st_size


def _size_of_table(url: str) -> int:
    sql = SqlStore(url, create=True, clock=time.time)
    with sql.database.reading() as connection:
        size: int = connection.exec_driver_sql("SELECT pg_total_relation_size('sale')").scalar_one()
    sql.database.close()
    return size


if __name__ == "__main__":
    main()
