"""100,000 sales from the bytes of their pages to a frame: time, and memory at its peak.

`.venv/bin/python -m benchmarks.frames` (about three minutes) writes its table into benchmarks/README.md; `--rounds 1`
prints only.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

import polars as pl

from benchmarks import environments, payloads, report, rounds

SALES, PAGE = 100_000, 200
BY_HAND = "orjson, column lists, `pl.DataFrame`"
#: By program: its module, its name there, and whether its frame is the same as that by hand.
PROGRAMS = {
    BY_HAND: ("by_hand", "columns", True),
    "`to_polars()`": ("with_scapi", "to_polars", True),
    "`to_polars()` of models that are held": ("with_scapi", "models, to_polars", True),
    "`to_polars(flatten=True)`": ("with_scapi", "to_polars, flatten", False),
    "`to_arrow()`": ("with_scapi", "to_arrow", False),
    "`to_pandas()`": ("with_scapi", "to_pandas", False),
    "`to_dicts()`": ("with_scapi", "to_dicts", False),
    "`pl.read_json` of each page, `pl.concat`": ("by_hand", "read_json", False),
    "json, `pl.DataFrame` of the dicts": ("by_hand", "dicts", False),
}


def write_pages(folder: Path) -> None:
    """The bodies, as they are after gzip."""
    rows = [payloads.numbered_sale(SALES - number) for number in range(SALES)]
    for offset in range(0, SALES, PAGE):
        (folder / f"{offset:06}.json").write_bytes(payloads.page_of_sales(rows, offset, PAGE))


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.frames", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program (default: 5); 1 only prints")
    how_often: int = parser.parse_args().rounds
    runs: dict[str, list[dict[str, float]]] = {program: [] for program in PROGRAMS}
    with tempfile.TemporaryDirectory() as made:
        folder, file = Path(made, "pages"), Path(made, "frame.arrow")
        folder.mkdir()
        write_pages(folder)
        wanted: pl.DataFrame | None = None
        for _ in range(how_often):
            for program, (module, way, is_same) in PROGRAMS.items():
                where = environments.ours() if module == "with_scapi" else environments.peers()
                runs[program].append(rounds.measured(module, where, "frames", way, folder, file))
                if is_same:
                    # The frames must be the same, types included, before anything is compared.
                    frame = pl.read_ipc(file.read_bytes())
                    wanted = frame if wanted is None else wanted
                    assert frame.schema == wanted.schema
                    assert frame.equals(wanted)
    hand = [one["cpu"] for one in runs[BY_HAND]]
    rows = [
        [
            program,
            rounds.cell([one["cpu"] / SALES * 1e6 for one in found], "{:.2f} µs"),
            f"{statistics.median(one['cpu'] / by for one, by in zip(found, hand, strict=True)):.2f}",
            rounds.cell([one["seconds"] / SALES * 1e6 for one in found], "{:.2f} µs"),
            rounds.cell([one["mib"] for one in found], "{:.0f} MiB"),
        ]
        for program, found in runs.items()
    ]
    head = ["from bytes to", "CPU a sale", "÷ by hand", "time a sale", "memory, peak"]
    text = f"{rounds.where('frames', how_often)}\n\n{rounds.table(head, rows)}"
    print(f"\n{text}")
    if how_often > 1:
        report.write("frames", text)


if __name__ == "__main__":
    main()
