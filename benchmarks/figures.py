"""The five figures for one key: `.venv/bin/python -m benchmarks.figures` measures them and writes their tables."""

from __future__ import annotations

import subprocess
import sys

from benchmarks import rounds

#: Each a module with a command, in the order of benchmarks/README.md.
FIGURES = ("one_key", "walk", "frames", "storing")


def main() -> None:
    """Measure one figure after the other; arguments are handed on to each."""
    for name in FIGURES:
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]], cwd=rounds.ROOT, check=True)


if __name__ == "__main__":
    main()
