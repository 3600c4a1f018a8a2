"""What one key gives: lots of 500 items, and of 700, in windows of 400 points, over a real socket.

`.venv/bin/python -m benchmarks.one_key` (about ten minutes) writes its table into benchmarks/README.md; `--rounds 1`
prints only. The windows are compressed to 6 s, and each run begins in the middle of one.
"""

from __future__ import annotations

import argparse
import math
import statistics

from benchmarks import environments, report, rounds
from benchmarks.market import COST

LIMIT, WINDOW, INTO = 400, 6.0, 3.0
ITEMS = (500, 700)
PROGRAMS = {
    "scapi": ("with_scapi", "one_key"),
    "scapi.sync": ("with_scapi", "one_key_threads"),
    "25 lines of httpx": ("by_hand", "one_key"),
}


def opening(count: int) -> float:
    """Seconds until the window opens that has the last points."""
    windows = math.ceil(count * COST / LIMIT)
    return (windows - 1) * WINDOW - INTO if windows > 1 else 0.0


def last(count: int) -> int:
    """How many calls are left for that window."""
    return count - (math.ceil(count * COST / LIMIT) - 1) * LIMIT // COST


def once(url: str, program: str, count: int, limit: int) -> dict[str, float]:
    """One run of a program."""
    rounds.ask(f"{url}/bench/start?limit={limit}&window={WINDOW}&into={INTO}&sales=0&arriving=0")
    module, name = PROGRAMS[program]
    where = environments.ours() if module == "with_scapi" else environments.peers()
    found = rounds.measured(module, where, name, url, count)
    seen = rounds.ask(f"{url}/bench/seen")
    # What came must be the same before anything is compared.
    assert found["result"] == count * 200
    assert seen["answered"] == count
    return {"seconds": found["seconds"], "cpu": found["cpu"], "refused": seen["refused"]}


def measure(url: str, count: int, how_often: int) -> list[list[str]]:
    """The rows of the table for so many items."""
    free = [once(url, program, last(count), 0)["seconds"] for program in PROGRAMS for _ in range(how_often)]
    ideal = opening(count) + min(free)
    runs: dict[str, list[dict[str, float]]] = {program: [] for program in PROGRAMS}
    for _ in range(how_often):
        for program, found in runs.items():
            found.append(once(url, program, count, LIMIT))
    return [
        [
            f"{count}",
            program,
            rounds.cell([one["seconds"] for one in found], "{:.2f} s"),
            f"{ideal:.2f} s",
            f"{statistics.median(one['seconds'] for one in found) / ideal:.3f}",
            f"{statistics.median(one['refused'] for one in found):.0f}",
            rounds.cell([one["cpu"] for one in found], "{:.2f} s"),
        ]
        for program, found in runs.items()
    ]


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.one_key", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program (default: 5); 1 only prints")
    how_often: int = parser.parse_args().rounds
    with rounds.market() as url:
        rows = [row for count in ITEMS for row in measure(url, count, how_often)]
    head = ["lot pages", "program", "time", "ideal", "time ÷ ideal", "429s", "CPU"]
    text = f"{rounds.where('one_key', how_often)}\n\n{rounds.table(head, rows)}"
    print(f"\n{text}")
    if how_often > 1:
        report.write("one key", text)


if __name__ == "__main__":
    main()
