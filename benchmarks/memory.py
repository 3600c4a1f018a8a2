"""The memory of a collector while it stores a million sales: `.venv/bin/python -m benchmarks.memory`.

It takes about two minutes, and writes its table into benchmarks/README.md with `--write`. `--trace` adds what Python
itself holds, by tracemalloc, and takes several times as long. The server is a process of its own, and so is each item:
50,000 sales, the same ones.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import tempfile
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import report, rounds
from scapi import AppClient, Collector, Store

if TYPE_CHECKING:
    from scapi.store import Progress

SALES = 50_000
STEPS = 10


def mib() -> float:
    """The memory of this process, in MiB. Linux alone."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


async def collect(url: str, file: Path, count: int) -> list[list[str]]:
    """Collect so many sales. Return the rows of the table."""
    items = [f"item{number}" for number in range(count // SALES)]
    found: list[list[str]] = []

    def note(progress: Progress) -> None:
        if progress.sales >= len(found) * count / STEPS:
            gc.collect()
            traced = [tracemalloc.get_traced_memory()[0] / 2**20] if tracemalloc.is_tracing() else []
            found.append([f"{progress.sales:,}", *(f"{size:.1f} MiB" for size in (mib(), *traced))])
            print(*found[-1], sep="   ", flush=True)

    async with AppClient(token="benchmark", base_url=url, region="ru", pace=False) as client, Store(file) as store:  # noqa: S106  # the server looks at none
        done = await Collector(client, store, items, since="all", progress=note).once()
    assert done.sales == len(items) * SALES
    return found


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--sales", type=int, default=1_000_000, help="how many sales (default: 1,000,000)")
    parser.add_argument("--trace", action="store_true", help="also measure what Python holds")
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/README.md")
    given = parser.parse_args()
    with rounds.market() as url, tempfile.TemporaryDirectory() as folder:
        rounds.ask(f"{url}/bench/start?limit=0&window=60&into=0&sales={SALES}&arriving=0")
        if given.trace:
            tracemalloc.start()
        rows = asyncio.run(collect(url, Path(folder, "market.db"), given.sales))
    if given.write:
        text = rounds.table(["sales stored", "memory", *(["held by Python"] if given.trace else [])], rows)
        report.write("memory", f"{rounds.where_and_when('memory --write')}\n\n{text}")


if __name__ == "__main__":
    main()
