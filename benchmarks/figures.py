"""The five figures for one key: `.venv/bin/python -m benchmarks.figures` measures them and writes their tables."""

from __future__ import annotations

import subprocess
import sys

from benchmarks import decoding, report, rounds

#: Those that write their part of benchmarks/README.md themselves.
FIGURES = ("one_key", "walk", "frames", "storing")


def main() -> None:
    """Measure one figure after the other."""
    for name in FIGURES:
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=rounds.ROOT, check=True)
    report.write("decoding", decoding.tables(decoding.FULL))


if __name__ == "__main__":
    main()
