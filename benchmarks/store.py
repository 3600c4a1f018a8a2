"""The store: what it writes in a second, how long its questions take, and how large a sale is.

    python -m benchmarks.store                 SQLite, and PostgreSQL where it is installed: five minutes
    python -m benchmarks.store --sales 100000  a tenth of it
    python -m benchmarks.store --write         writes the table into benchmarks/README.md

Every page of 200 sales is a transaction with its span, while another process asks for the sales of an item all the
time. Row by row beside it is what programs do by hand: an INSERT and a commit for each sale, with the same reader. The
PostgreSQL is one of this machine that doesn't wait for the disk.
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
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import report, rounds
from benchmarks.payloads import recorded_details
from scapi._store.query_scope import QueryScope
from scapi._store.rows import Place
from scapi._store.sql_store import SqlStore
from scapi.models import AuctionPrice
from scapi.store import BEGINNING, SalesReading
from tests.support.postgres import programs, server

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


def row_by_row(connection: Any, sales: list[AuctionPrice], mark: str) -> float:
    """How long a program takes that commits each sale, as most do."""
    connection.execute("CREATE TABLE by_hand (item text, time text, amount bigint, price bigint, details text)")
    connection.execute("CREATE UNIQUE INDEX each_once ON by_hand (item, time, amount, price)")
    insert = f"INSERT INTO by_hand VALUES ({', '.join([mark] * 5)}) ON CONFLICT DO NOTHING"  # noqa: S608  # marks alone

    def write() -> None:
        for sale in sales:
            connection.execute(insert, ("item", sale.time.isoformat(), sale.amount, sale.price, str(sale.additional)))
            connection.commit()

    return timed(write)[0]


def row_by_row_in(url: str, sales: list[AuctionPrice]) -> float:
    """The same in one of the databases, beside a reader."""
    SqlStore(url, create=True, clock=time.time).queries.sales(QueryScope(["eu"], ["item0"]), 1)
    with a_reader(url):
        time.sleep(1)
        if not url.startswith("postgresql"):
            with contextlib.closing(sqlite3.connect(url)) as connection:
                connection.execute("PRAGMA synchronous = NORMAL")
                return row_by_row(connection, sales, "?")
        import psycopg

        with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
            return row_by_row(connection, sales, "%s")


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


class Kind(NamedTuple):
    """A database to measure.

    Attributes:
        name: Its name.
        url: Makes an empty one.
        size: Measures the bytes of its sales.
        in_process: Whether it runs in this process.
    """

    name: str
    url: Callable[[], str]
    size: Callable[[str], int]
    in_process: bool


#: What is measured, with the aims for SQLite and PostgreSQL.
WRITTEN, BY_ROW = "sales written in a second, pages of 200, beside a reader", "the same row by row, a commit for each"
CPU, SIZE = "CPU of the writer for 1,000 of them, spans included", "bytes of a sale without `additional`, key included"
SIZE_ARTEFACT = "bytes of a sale of an artefact, `additional` included"
AIMS = {
    WRITTEN: "≥ 40,000, ≥ 12,000",
    SIZE: "≤ 100, ≤ 220",
    "stats": "≤ 6 s, ≤ 3 s",
    "candles": "≤ 150 ms",
}


def measure(kind: Kind, count: int) -> dict[str, tuple[str, str]]:
    """Measure one database. Return what was found, and the aim, by what was measured."""
    found: dict[str, tuple[str, str]] = {}

    def report(name: str, value: str, aim: str = "") -> None:
        print(f"{kind.name:<12}{name:<62}{value:>26}   {aim}", flush=True)
        found[name] = value, aim

    sales = made(min(40_000, count), 1, bare)
    _writing(kind, sales, report)
    _sizes(kind, sales, report)
    _questions(kind, count, report)
    return found


def _writing(kind: Kind, sales: list[AuctionPrice], report: Callable[..., None]) -> None:
    wall, cpu = writing(kind.url(), sales)
    report(WRITTEN, f"{len(sales) / wall:,.0f}", AIMS[WRITTEN])
    some = sales[: max(1, len(sales) // 20)]
    report(BY_ROW, f"{len(some) / row_by_row_in(kind.url(), some):,.0f}")
    report(CPU, f"{cpu / len(sales) * 1e6:.1f} ms")


def _sizes(kind: Kind, sales: list[AuctionPrice], report: Callable[..., None]) -> None:
    for name, rows in ((SIZE, sales), (SIZE_ARTEFACT, made(len(sales), 3, recorded_details))):
        where = kind.url()
        sql = SqlStore(where, create=True, clock=time.time)
        sql.leases.runs(1)
        empty = kind.size(where)
        write(sql, "item0", rows)
        sql.database.close()
        report(name, f"{(kind.size(where) - empty) / len(rows):.0f}", AIMS.get(name, ""))


def _questions(kind: Kind, count: int, report: Callable[..., None]) -> None:
    sql = SqlStore(kind.url(), create=True, clock=NOW.timestamp)
    for item in range(ITEMS):
        write(sql, f"item{item}", made(count // ITEMS, item, artefact))
    by = ("quality", "level")
    write(sql, "busy", made(min(CANDLES, count), 7, artefact))
    if not kind.in_process:
        # The server does so itself within a minute or two. Before that it may read the whole table for one item.
        with sql.database.writing() as connection:
            connection.exec_driver_sql("ANALYZE sale")
    busy = QueryScope(None, ["busy"])
    items = QueryScope(None, [f"item{item}" for item in range(ITEMS)], NOW - timedelta(days=30))
    ask = sql.queries
    for name, question, aim in (
        (f"`stats` of {ITEMS:,} items, {count:,} sales", lambda: ask.stats(items, by, per_piece=False), "stats"),
        ("the same, each piece counts once", lambda: ask.stats(items, by, per_piece=True), ""),
        ("`candles` of one item, a day each", lambda: ask.candles(busy, timedelta(days=1), ()), "candles"),
        ("the same by quality and level", lambda: ask.candles(busy, timedelta(days=1), by), ""),
        ("its latest sales by quality and level", lambda: ask.latest(busy, by), ""),
    ):
        took = min(timed(question) for _ in range(4))
        report(name, shown(took, in_process=kind.in_process), AIMS.get(aim, ""))
    sql.database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sales", type=int, default=1_000_000, help="how many sales the questions are about")
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/README.md")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder, numbers = Path(stack.enter_context(tempfile.TemporaryDirectory())), iter(range(100))
        kinds = [Kind("SQLite", lambda: str(folder / f"{next(numbers)}.db"), _size_of_file, in_process=True)]
        if programs() is None:
            print("PostgreSQL isn't installed")
        else:
            kinds.append(Kind("PostgreSQL", stack.enter_context(server()), _size_of_table, in_process=False))
        found = [measure(kind, given.sales) for kind in kinds]
    rows = ([name, *(one[name][0] for one in found), aim] for name, (_, aim) in found[0].items())
    text = rounds.table(["", *(kind.name for kind in kinds), "aim"], rows)
    print(f"\n{text}")
    if given.write:
        report.write("store", f"{rounds.where_and_when('store --write')}\n\n{text}")


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
