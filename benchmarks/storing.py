"""From the socket to SQLite: processor time of 1,000 sales.

`.venv/bin/python -m benchmarks.storing` (about three minutes) writes its tables into benchmarks/README.md; `--rounds 1`
prints only. A page is a transaction, unless a program says otherwise.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import environments, report, rounds

#: So many that making the tables and compiling each statement once, a fraction of a second, counts for little.
SALES = 100_000


class Program(NamedTuple):
    """A program.

    Attributes:
        module: Where it is.
        arguments: Its name in the module, and what follows the URL and the file.
        rows: The query for what it has stored, to compare it with the others.
    """

    module: str
    arguments: tuple[str, ...]
    rows: str


#: JSON libraries write a few numbers of `additional` in another form.
PLAIN = "SELECT time, amount, price, json_extract(additional, '$.ndmg') FROM sales ORDER BY 1, 2, 3, 4"
BY_TEXT = "SELECT unixepoch(time), amount, price, quality, level FROM sale ORDER BY 1, 2, 3, 4, 5"
BY_NUMBER = "SELECT time / 1000000, amount, price, quality, level FROM sale ORDER BY 1, 2, 3, 4, 5"

#: Rows alone. The second one is what the other is compared with.
ROWS = {
    "scapi.sync, sqlite3": Program("with_scapi", ("storing",), PLAIN),
    "requests, json, sqlite3": Program("by_hand", ("storing",), PLAIN),
}

#: Each sale once, by the same key. The second one is what the others are compared with.
ONCE = {
    "scapi.sync: Collector, Store": Program("with_scapi", ("storing_once",), BY_NUMBER),
    "requests, json, sqlite3, `executemany`": Program("by_hand", ("storing_once", "pages"), BY_TEXT),
    "the same, row by row": Program("by_hand", ("storing_once", "rows"), BY_TEXT),
    "the same, a commit for each row": Program("by_hand", ("storing_once", "commits"), BY_TEXT),
}


def once(url: str, program: Program) -> tuple[dict[str, float], list[Any]]:
    """One run of a program: what it took, and what is in its database then."""
    # What the program before left to write would be written meanwhile: one that commits each row leaves the most.
    os.sync()
    rounds.ask(f"{url}/bench/start?limit=0&window=60&into=0&sales={SALES}&arriving=0")
    where = environments.ours() if program.module == "with_scapi" else environments.peers()
    name, *rest = program.arguments
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "sales.sqlite")
        found = rounds.measured(program.module, where, name, url, file, *rest)
        database = sqlite3.connect(file)
        rows = database.execute(program.rows).fetchall()
        database.close()
    return found, rows


def measured(url: str, programs: dict[str, Program], how_often: int) -> str:
    """Measure programs in turn. Return their table."""
    runs: dict[str, list[dict[str, float]]] = {program: [] for program in programs}
    wanted: list[Any] = []
    for _ in range(how_often):
        for name, found in runs.items():
            took, rows = once(url, programs[name])
            found.append(took)
            # The databases must be the same before anything is compared.
            wanted = wanted or rows
            assert len(rows) == SALES, name
            assert rows == wanted, name
    by_hand = [one["cpu"] for one in runs[list(programs)[1]]]
    table = [
        [
            name,
            rounds.cell([one["cpu"] / SALES * 1e6 for one in found], "{:.1f} ms"),
            f"{statistics.median(one['cpu'] / hand for one, hand in zip(found, by_hand, strict=True)):.2f}",
            rounds.cell([one["seconds"] / SALES * 1e6 for one in found], "{:.1f} ms"),
        ]
        for name, found in runs.items()
    ]
    return rounds.table(["program", "CPU per 1,000 sales", "÷ by hand", "time per 1,000 sales"], table)


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="runs of each program (default: 9); 1 only prints")
    how_often: int = parser.parse_args().rounds
    with rounds.market() as url:
        tables = [measured(url, programs, how_often) for programs in (ROWS, ONCE)]
    text = "\n\n".join([rounds.where("storing", how_often), "Rows alone:", tables[0], "Each sale once:", tables[1]])
    print(f"\n{text}")
    if how_often > 1:
        report.write("storing", text)


if __name__ == "__main__":
    main()
