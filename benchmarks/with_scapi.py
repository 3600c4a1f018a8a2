"""The same programs as in `by_hand`, with this library: `python -m benchmarks.with_scapi PROGRAM ...`."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import rounds

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "benchmark"  # noqa: S105  # the server looks at none


def _warm_up(url: str) -> None:
    """Import what sending takes, which isn't what is compared."""
    from scapi.sync import AppClient

    with AppClient(token=TOKEN, base_url=url) as client:
        client.regions()


def one_key(url: str, count: str) -> dict[str, Any]:
    """The lots of many items, 16 at once."""
    from scapi import AppClient

    async def main() -> int:
        items, rows = [f"item{number}" for number in range(int(count))], 0
        async with AppClient(token=TOKEN, base_url=url) as client:
            async for result in client.auctions(items).lots(limit=200, additional=True, concurrency=16):
                rows += len(result.unwrap())
        return rows

    _warm_up(url)
    return rounds.timed(lambda: asyncio.run(main()))


def one_key_threads(url: str, count: str) -> dict[str, Any]:
    """The same in the sync world."""
    from scapi.sync import AppClient

    def work() -> int:
        items = [f"item{number}" for number in range(int(count))]
        with AppClient(token=TOKEN, base_url=url) as client:
            results = client.auctions(items).lots(limit=200, additional=True, concurrency=16)
            return sum(len(result.unwrap()) for result in results)

    _warm_up(url)
    return rounds.timed(work)


def walk(url: str) -> dict[str, Any]:
    """A history, while it moves: the numbers of the sales that came."""
    from scapi.sync import AppClient

    def work() -> list[int]:
        with AppClient(token=TOKEN, base_url=url, pace=False) as client:
            return [sale.price for sale in client.auction("s").iter_price_history(additional=True)]

    _warm_up(url)
    return rounds.timed(work)


def storing(url: str, file: str) -> dict[str, Any]:
    """A history into SQLite, a page in a transaction."""
    import msgspec

    from scapi.sync import AppClient

    def text(value: Any) -> str:
        return msgspec.json.encode(value).decode()

    def work() -> int:
        database = sqlite3.connect(file)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("CREATE TABLE sales (item TEXT, time TEXT, amount INTEGER, price INTEGER, additional TEXT)")
        count = 0
        with AppClient(token=TOKEN, base_url=url, pace=False) as client:
            for result in client.auctions(["s"]).iter_price_history(additional=True):
                page = result.unwrap()
                with database:
                    database.executemany(
                        "INSERT INTO sales VALUES ('s', ?, ?, ?, ?)",
                        [
                            (f"{sale.time:%Y-%m-%dT%H:%M:%SZ}", sale.amount, sale.price, text(sale.additional))
                            for sale in page
                        ],
                    )
                count += len(page)
        database.close()
        return count

    _warm_up(url)
    return rounds.timed(work)


def storing_once(url: str, file: str) -> dict[str, Any]:
    """A history into a store, by a collector."""
    from scapi.sync import AppClient, Collector, Store

    def work(file: str, since: str | None) -> int:
        with AppClient(token=TOKEN, base_url=url, pace=False, region="ru") as client, Store(file) as store:
            return Collector(client, store, ["s"], since=since, concurrency=1).once().sales

    # Importing SQLAlchemy, compiling statements and making the tables take as long for a page as for a million of them.
    work(f"{file}.first", None)
    with Store(file) as store:
        store.runs()
    return rounds.timed(lambda: work(file, "all"))


def frames(way: str, folder: str, file: str) -> dict[str, Any]:
    """Bodies of pages to frames: as iterators do it, page by page, or from models that are held."""
    from scapi import frames
    from scapi._api import decoding
    from scapi._views import builders
    from scapi.models import AuctionPrice

    bodies = [path.read_bytes() for path in sorted(Path(folder).iterdir())]
    page = decoding.Page(limit=200, offset=0)

    def by_page(library: Callable[[], builders.Library[Any]], *, flatten: bool = False) -> Any:
        builder = builders.Builder(library(), AuctionPrice, flatten=flatten, explode=False, keyed=False)
        for body in bodies:
            builder.add(decoding.PRICES(body, page=page))
        return builder.finish()

    ways: dict[str, Callable[[], Any]] = {
        "to_polars": lambda: by_page(builders.polars),
        "to_polars, flatten": lambda: by_page(builders.polars, flatten=True),
        "to_pandas": lambda: by_page(builders.pandas),
        "to_arrow": lambda: by_page(builders.arrow),
        "to_dicts": lambda: by_page(builders.dicts),
        "models, to_polars": lambda: frames.to_polars(
            [sale for body in bodies for sale in decoding.PRICES(body, page=page)]
        ),
    }
    work = ways[way]
    for library in (builders.polars, builders.pandas, builders.arrow) if "pandas" in way or "arrow" in way else ():
        library()
    builders.polars()
    result, mib = rounds.peak(work)
    if "to_polars" in way:
        result.write_ipc(file)
    del result
    times = [rounds.timed(lambda: len(work())) for _ in range(3)]
    return {"mib": mib} | min(times, key=lambda one: one["cpu"])


if __name__ == "__main__":
    rounds.run(
        {
            "one_key": one_key,
            "one_key_threads": one_key_threads,
            "walk": walk,
            "storing": storing,
            "storing_once": storing_once,
            "frames": frames,
        }
    )
