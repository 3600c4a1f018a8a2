"""Rounds: programs in turn, each time in a new process, and what they took as a table."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent


def measured(module: str, where: tuple[str, dict[str, str]], *arguments: object) -> dict[str, Any]:
    """Run a module of this package in a process of its own, and read the JSON object that it prints.

    Args:
        module: Its name.
        where: The interpreter, and what its environment has besides; see `environments`.
        arguments: What it is given.
    """
    python, extra = where
    command = [python, "-m", f"benchmarks.{module}", *map(str, arguments)]
    environment = os.environ | extra
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    print(".", end="", file=sys.stderr, flush=True)
    return json.loads(done.stdout)


def timed(work: Callable[[], Any]) -> dict[str, Any]:
    """What a piece of work gives, and the seconds that it took, of the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return {"result": result, "seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def run(programs: dict[str, Callable[..., Any]]) -> None:
    """Be the process of one program: its name and its arguments are those of the command."""
    _, name, *arguments = sys.argv
    print(json.dumps(programs[name](*arguments)))


def peak(work: Callable[[], T]) -> tuple[T, float]:
    """What a piece of work gives, and how many MiB more the process had at most meanwhile than before. Linux alone."""
    # What `getrusage` tells begins with the peak of the process that started this one.
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmRSS")
    result = work()
    return result, _memory("VmHWM") - before


def _memory(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


@contextmanager
def market() -> Iterator[str]:
    """The server of `benchmarks.market` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.market"]
    with subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1, text=True) as server:
        assert server.stdin
        assert server.stdout
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.stdin.close()


def ask(url: str) -> dict[str, Any]:
    """Ask the server of `benchmarks.market` something about itself."""
    with urlopen(url) as answer:  # noqa: S310  # it is ours
        found: dict[str, Any] = json.load(answer)
    return found


def cell(values: list[float], form: str) -> str:
    """The median, and how far from it the middle half of the rounds was, in percent of it."""
    middle = statistics.median(values)
    low, _, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else (middle,) * 3
    return f"{form.format(middle)} ±{50 * (high - low) / middle:.0f} %" if middle else form.format(middle)


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def where(module: str, rounds: int) -> str:
    """When, where and how something was measured."""
    return f"{where_and_when(module)[:-1]}; medians of {rounds} rounds, the programs in turn."


def where_and_when(command: str) -> str:
    """When, where and by which command something was measured."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    load = os.getloadavg()[0]
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} by `.venv/bin/python -m benchmarks.{command}`, {python}, "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, load {load:.1f} at the end."
    )
