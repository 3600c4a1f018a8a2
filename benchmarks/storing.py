"""From the socket to SQLite: processor time of 1,000 sales.

`.venv/bin/python -m benchmarks.storing` (about a minute) writes its table into benchmarks/README.md; `--rounds 1`
prints only. A page is a transaction.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import environments, report, rounds

SALES = 20_000
PROGRAMS = {"scapi.sync, sqlite3": "with_scapi", "requests, json, sqlite3": "by_hand"}


def once(url: str, program: str) -> tuple[dict[str, float], list[Any]]:
    """One run of a program: what it took, and what is in its database then."""
    rounds.ask(f"{url}/bench/start?limit=0&window=60&into=0&sales={SALES}&arriving=0")
    module = PROGRAMS[program]
    where = environments.ours() if module == "with_scapi" else environments.peers()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "sales.sqlite")
        found = rounds.measured(module, where, "storing", url, file)
        database = sqlite3.connect(file)
        rows = database.execute("SELECT * FROM sales ORDER BY price").fetchall()
        database.close()
    return found, rows


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program (default: 5); 1 only prints")
    how_often: int = parser.parse_args().rounds
    runs: dict[str, list[dict[str, float]]] = {program: [] for program in PROGRAMS}
    wanted: list[Any] = []
    with rounds.market() as url:
        for _ in range(how_often):
            for program, found in runs.items():
                took, rows = once(url, program)
                found.append(took)
                # The databases must be the same before anything is compared.
                wanted = wanted or rows
                assert len(rows) == SALES
                assert rows == wanted
    ours, hand = ([one["cpu"] for one in found] for found in runs.values())
    shares = {"scapi.sync, sqlite3": statistics.median(a / b for a, b in zip(ours, hand, strict=True))}
    table = [
        [
            program,
            rounds.cell([one["cpu"] / SALES * 1e6 for one in found], "{:.1f} ms"),
            f"{shares.get(program, 1.0):.2f}",
            rounds.cell([one["seconds"] / SALES * 1e6 for one in found], "{:.1f} ms"),
        ]
        for program, found in runs.items()
    ]
    head = ["program", "CPU per 1,000 sales", "÷ by hand", "time per 1,000 sales"]
    text = f"{rounds.where('storing', how_often)}\n\n{rounds.table(head, table)}"
    print(f"\n{text}")
    if how_often > 1:
        report.write("storing", text)


if __name__ == "__main__":
    main()
