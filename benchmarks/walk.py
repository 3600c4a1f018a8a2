"""A whole history of 80,000 sales while new ones arrive: what is lost, and what comes twice.

`.venv/bin/python -m benchmarks.walk` (about two minutes) writes its table into benchmarks/README.md; `--rounds 1`
prints only. Three sales arrive before each page but the first.
"""

from __future__ import annotations

import argparse
import statistics
from collections import Counter

from benchmarks import environments, report, rounds

SALES, ARRIVING = 80_000, 3
PROGRAMS = {"scapi.sync": "with_scapi", "requests, by offset": "by_hand"}


def once(url: str, program: str) -> dict[str, float]:
    """One run of a program."""
    rounds.ask(f"{url}/bench/start?limit=0&window=60&into=0&sales={SALES}&arriving={ARRIVING}")
    module = PROGRAMS[program]
    where = environments.ours() if module == "with_scapi" else environments.peers()
    found = rounds.measured(module, where, "walk", url)
    counted = Counter(found["result"])
    there = range(1, SALES + 1)
    return {
        "lost": sum(number not in counted for number in there),
        "twice": sum(times - 1 for times in counted.values()),
        "pages": rounds.ask(f"{url}/bench/seen")["answered"],
        "cpu": found["cpu"],
        "seconds": found["seconds"],
    }


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.walk", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program (default: 5); 1 only prints")
    how_often: int = parser.parse_args().rounds
    runs: dict[str, list[dict[str, float]]] = {program: [] for program in PROGRAMS}
    with rounds.market() as url:
        for _ in range(how_often):
            for program, found in runs.items():
                found.append(once(url, program))
    rows = [
        [
            program,
            *(f"{statistics.median(one[name] for one in found):,.0f}" for name in ("lost", "twice", "pages")),
            rounds.cell([one["cpu"] for one in found], "{:.2f} s"),
            rounds.cell([one["seconds"] for one in found], "{:.2f} s"),
        ]
        for program, found in runs.items()
    ]
    head = ["program", "lost", "twice", "pages", "CPU", "time"]
    text = f"{rounds.where('walk', how_often)}\n\n{rounds.table(head, rows)}"
    print(f"\n{text}")
    if how_often > 1:
        report.write("walk", text)


if __name__ == "__main__":
    main()
