"""What one would write by hand, without this library: `python -m benchmarks.by_hand PROGRAM ...`.

Each program is meant to be what somebody who knows the libraries writes in an afternoon: short, with connections kept,
without a mistake that is easy to avoid.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import rounds

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADERS = {"Authorization": "Bearer benchmark"}
LOTS = "/ru/auction/{}/lots?limit=200&offset=0&sort=time_created&order=asc&additional=true"
HISTORY = "/ru/auction/s/history?limit=200&offset={}&additional=true"


def _warm_up(url: str) -> None:
    """Import what sending takes, which isn't what is compared."""
    import requests

    requests.get(f"{url}/regions", timeout=5).raise_for_status()


def one_key(url: str, count: str) -> dict[str, Any]:
    """The lots of many items, 16 at once; whoever is refused waits for the reset that the answer tells."""
    import httpx

    httpx.get(f"{url}/regions").raise_for_status()

    async def main() -> int:
        items, found = iter([f"item{number}" for number in range(int(count))]), {}
        async with httpx.AsyncClient(base_url=url, headers=HEADERS) as client:

            async def work() -> None:
                for item in items:
                    while True:
                        response = await client.get(LOTS.format(item))
                        if response.status_code != 429:
                            break
                        reset = int(response.headers["x-ratelimit-reset"]) / 1000
                        await asyncio.sleep(max(0.0, reset - time.time()) + 0.05)
                    found[item] = response.raise_for_status().json()["lots"]

            async with asyncio.TaskGroup() as group:
                for _ in range(16):
                    group.create_task(work())
        return sum(map(len, found.values()))

    return rounds.timed(lambda: asyncio.run(main()))


def _pages(url: str) -> Iterator[list[dict[str, Any]]]:
    """A history by offset, until a page is at its end."""
    import requests

    with requests.Session() as session:
        session.headers.update(HEADERS)
        offset, total = 0, 1
        while offset < total:
            response = session.get(url + HISTORY.format(offset))
            response.raise_for_status()
            page = json.loads(response.content)
            yield page["prices"]
            total = page["total"]
            offset += len(page["prices"])


def walk(url: str) -> dict[str, Any]:
    """A history by offset, while it moves: the numbers of the sales that came."""
    _warm_up(url)
    return rounds.timed(lambda: [int(sale["price"]) for page in _pages(url) for sale in page])


def storing(url: str, file: str) -> dict[str, Any]:
    """A history into SQLite, a page in a transaction."""

    def work() -> int:
        database = sqlite3.connect(file)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("CREATE TABLE sales (item TEXT, time TEXT, amount INTEGER, price INTEGER, additional TEXT)")
        count = 0
        for page in _pages(url):
            with database:
                database.executemany(
                    "INSERT INTO sales VALUES ('s', ?, ?, ?, ?)",
                    [
                        (
                            sale["time"],
                            sale["amount"],
                            int(sale["price"]),
                            json.dumps(sale["additional"], separators=(",", ":"), ensure_ascii=False),
                        )
                        for sale in page
                    ],
                )
            count += len(page)
        database.close()
        return count

    _warm_up(url)
    return rounds.timed(work)


TABLE = """
CREATE TABLE sale (
    region TEXT, item TEXT, time TEXT, key INTEGER, n INTEGER, amount INTEGER, price INTEGER, quality INTEGER,
    level INTEGER, additional TEXT, seen_at INTEGER, PRIMARY KEY (region, item, time, key, n)
) WITHOUT ROWID
"""
INSERT = "INSERT OR IGNORE INTO sale VALUES ('ru', 's', ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def _keyed(page: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Sales with what tells equal ones apart: a hash of all fields, and a number among equals."""
    counts: Counter[tuple[str, int]] = Counter()
    seen_at, rows = time.time_ns() // 1000, []
    for sale in page:
        additional = sale["additional"]
        # The server sends the keys and lists of a sale in changing orders.
        settled = {name: sorted(each) if isinstance(each, list) else each for name, each in additional.items()}
        text = json.dumps(settled, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
        content = f"{sale['time']} {sale['amount']} {sale['price']} {text}".encode()
        key = int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), signed=True)
        counts[sale["time"], key] += 1
        rows.append(
            (
                sale["time"],
                key,
                counts[sale["time"], key],
                sale["amount"],
                int(sale["price"]),
                additional.get("qlt"),
                additional.get("ptn", 0),
                text,
                seen_at,
            )
        )
    return rows


def storing_once(url: str, file: str, way: str) -> dict[str, Any]:
    """A history into SQLite, with a key that keeps each sale once.

    The ways: `pages`, a page in a transaction with `executemany`; `rows`, the same with `execute` for each sale;
    `commits`, a transaction for each sale.
    """

    def work() -> int:
        database = sqlite3.connect(file)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(TABLE)
        count = 0
        for page in _pages(url):
            rows = _keyed(page)
            if way == "pages":
                with database:
                    database.executemany(INSERT, rows)
            for row in rows if way != "pages" else ():
                database.execute(INSERT, row)
                if way == "commits":
                    database.commit()
            database.commit()
            count += len(rows)
        database.close()
        return count

    _warm_up(url)
    return rounds.timed(work)


QUALITIES = ["common", "uncommon", "special", "rare", "exceptional", "legendary", "unique"]


def frames(way: str, folder: str, file: str) -> dict[str, Any]:
    """Bodies of pages to a polars frame."""
    import orjson
    import polars as pl

    bodies = [path.read_bytes() for path in sorted(Path(folder).iterdir())]

    def columns() -> pl.DataFrame:
        amounts, prices, times, details, qualities, levels = [], [], [], [], [], []
        for body in bodies:
            for sale in orjson.loads(body)["prices"]:
                additional = sale["additional"]
                amounts.append(sale["amount"])
                prices.append(int(sale["price"]))
                times.append(sale["time"])
                details.append(orjson.dumps(additional).decode())
                quality = additional.get("qlt")
                qualities.append(None if quality is None else QUALITIES[quality])
                levels.append(additional.get("ptn", 0))
        time = pl.Series(times, dtype=pl.String).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")
        columns = {"amount": amounts, "price": prices, "time": time, "additional": details}
        frame = pl.DataFrame(columns | {"quality": qualities, "upgrade_level": levels})
        return frame.with_columns(unit_price=pl.col("price") / pl.col("amount"))

    def read_json() -> pl.DataFrame:
        pages = [pl.read_json(body).select(pl.col("prices").explode()).unnest("prices") for body in bodies]
        return pl.concat(pages, how="diagonal_relaxed")

    def plain() -> pl.DataFrame:
        rows = [sale for body in bodies for sale in json.loads(body)["prices"]]
        return pl.DataFrame(rows, infer_schema_length=None)

    work = {"columns": columns, "read_json": read_json, "dicts": plain}[way]
    result, mib = rounds.peak(work)
    if way == "columns":
        result.write_ipc(file)
    del result
    times = [rounds.timed(lambda: len(work())) for _ in range(3)]
    return {"mib": mib} | min(times, key=lambda one: one["cpu"])


if __name__ == "__main__":
    rounds.run({"one_key": one_key, "walk": walk, "storing": storing, "storing_once": storing_once, "frames": frames})
