"""100,000 sales to frames, beside what one writes without `scapi.frames`: `asdict` of each and a constructor.

`python -m benchmarks.frames` (with `src` on the path). Prints the table of benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import platform
import random
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pandas as pd
import polars as pl
import pyarrow as pa

from scapi import frames
from scapi.models import AuctionPrice

if TYPE_CHECKING:
    from collections.abc import Callable

Way = tuple[str, "Callable[[list[AuctionPrice]], Any]"]

END = datetime(2026, 8, 19, 12, 0, tzinfo=UTC)


def sales(count: int) -> list[AuctionPrice]:
    """Sales of an artefact, newest first, with the keys of `additional` about as often as they were seen."""
    dice = random.Random(0)
    return [
        AuctionPrice(amount=1, price=dice.randrange(10**7), time=END - timedelta(minutes=n), additional=details(dice))
        for n in range(count)
    ]


def details(dice: random.Random) -> dict[str, Any]:
    spawned = dice.randrange(1_700_000_000_000, 1_780_000_000_000)
    found: dict[str, Any] = {"qlt": dice.randrange(6), "upgrade_bonus": 0.0, "spawn_time": spawned}
    if dice.random() < 0.15:
        found |= {"ptn": dice.randrange(1, 16), "bonus_properties": ["SPEED_MOD", "STAMINA_BONUS"]}
    if dice.random() < 0.25:
        found["it_transf_count"] = dice.randrange(1, 12)
    return found


def plain(rows: list[AuctionPrice]) -> list[dict[str, Any]]:
    return [msgspec.structs.asdict(row) for row in rows]


WAYS: tuple[Way, ...] = (
    ("`to_polars()`", frames.to_polars),
    ("`to_polars(flatten=True)`", lambda rows: frames.to_polars(rows, flatten=True)),
    ("`pl.DataFrame([asdict(sale) ...])`", lambda rows: pl.DataFrame(plain(rows), infer_schema_length=None)),
    ("`to_pandas()`", frames.to_pandas),
    ("`to_pandas(flatten=True)`", lambda rows: frames.to_pandas(rows, flatten=True)),
    ("`pd.DataFrame([asdict(sale) ...])`", lambda rows: pd.DataFrame(plain(rows))),
    ("`to_arrow()`", frames.to_arrow),
    ("`to_arrow(flatten=True)`", lambda rows: frames.to_arrow(rows, flatten=True)),
    ("`pa.Table.from_pylist([asdict(sale) ...])`", lambda rows: pa.Table.from_pylist(plain(rows))),
    ("`to_dicts()`", frames.to_dicts),
    ("`[asdict(sale) ...]`", plain),
)


def seconds(way: Callable[[list[AuctionPrice]], Any], rows: list[AuctionPrice], runs: int) -> tuple[float, float]:
    """Medians of wall-clock and of processor time, after one run that counts for nothing."""
    way(rows)
    taken: list[tuple[float, float]] = []
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        way(rows)
        taken.append((time.perf_counter() - wall, time.process_time() - cpu))
    walls, cpus = zip(*taken, strict=True)
    return statistics.median(walls), statistics.median(cpus)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="100,000 sales to frames.")
    parser.add_argument("--sales", type=int, default=100_000, help="how many (default: 100,000)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each, of which the median counts (default: 5)")
    options = parser.parse_args()
    rows = sales(options.sales)
    print(
        f"Python {platform.python_version()}, polars {pl.__version__}, pandas {pd.__version__}, "
        f"pyarrow {pa.__version__}; {options.sales:,} sales, median of {options.runs} runs.\n"
    )
    print("| way | seconds | processor seconds |")
    print("|---|---|---|")
    for name, way in WAYS:
        wall, cpu = seconds(way, rows, options.runs)
        print(f"| {name} | {wall:.2f} | {cpu:.2f} |", flush=True)


if __name__ == "__main__":
    main()
