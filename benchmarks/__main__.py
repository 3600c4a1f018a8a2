"""The comparison with the peers: `python -m benchmarks [--quick]` measures and writes its part of `README.md`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from benchmarks import environments, payloads, report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ASYNC = ["scapi", "scapi over aiohttp", "stalcraft-api", "httpx+json", "aiohttp+json", "asyncio protocol+msgspec"]
SYNC = ["scapi.sync", "requests+json", "blocking socket+msgspec"]
PEERS = {"stalcraft-api", "httpx+json", "aiohttp+json", "requests+json"}
WORKS = ("emission", "lots", "history", "sessions")
OURS = ["scapi", "scapi.sync"]
#: What one body is turned into: by the clients, and by the least that `msgspec` can be asked for.
READERS = [
    "scapi",
    "stalcraft-api",
    report.UNDECODED,
    "msgspec, no additional",
    "msgspec, dicts",
    "msgspec, nothing kept",
]
HOLDERS = ["scapi", "stalcraft-api", report.UNDECODED, "scapi, additional alone"]

#: A network away: seconds that an answer takes, and setting up a connection once more.
DELAY = 0.04
ITEMS = 500
HELD = 100_000
WALKS = (8_000, 80_000)


class Effort(NamedTuple):
    """How much is measured."""

    rounds: int
    seconds: float
    away: float
    imports: int
    holds: int
    at_once: tuple[int, ...]
    works: tuple[str, ...]


FULL = Effort(rounds=5, seconds=0.2, away=0.4, imports=7, holds=3, at_once=(1, 16, 64), works=WORKS)
QUICK = Effort(rounds=1, seconds=0.06, away=0.1, imports=2, holds=1, at_once=(1, 16), works=WORKS)

Samples = dict[tuple[str, ...], dict[str, list[float]]]


class Program:
    """A program under way in its own process."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        python, extra = environments.peers() if name in PEERS else environments.ours()
        script = Path(__file__).with_name("program.py")
        self._process = subprocess.Popen(
            [python, str(script), name, url], env=os.environ | extra, stdin=-1, stdout=-1, text=True
        )

    def tell(self, **command: Any) -> dict[str, float]:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(command), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended during {command}")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


@contextmanager
def serving(delay: float) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.server", str(delay)]
    with subprocess.Popen(command, cwd=environments.ROOT, stdin=-1, stdout=-1, text=True) as server:
        assert server.stdin
        assert server.stdout
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.stdin.close()


def together(stack: ExitStack, names: list[str], url: str) -> list[Program]:
    return [stack.enter_context(Program(name, url)) for name in names]


def rates(
    programs: list[Program], effort: Effort, at_once: Sequence[int], works: Sequence[str], seconds: float
) -> Samples:
    """Calls per second, and the CPU time of a call, of all programs in turn, several times over."""
    samples: Samples = {}
    for work, many in product(works, at_once):
        for program in programs:
            program.tell(work=work, at_once=many, seconds=seconds / 5)
        for _ in range(effort.rounds):
            for program in programs:
                got = program.tell(work=work, at_once=many, seconds=seconds)
                add(samples, "rate", program.name, work, str(many), value=got["calls"] / got["seconds"])
                add(samples, "cpu", program.name, work, str(many), value=1e3 * got["cpu"] / got["calls"])
        print(".", end="", file=sys.stderr, flush=True)
    return samples


def add(samples: Samples, kind: str, program: str, *case: str, value: float) -> None:
    samples.setdefault((kind, *case), {}).setdefault(program, []).append(value)


def bulk(programs: list[Program], effort: Effort) -> Samples:
    """Seconds for the lots of 500 items, 16 at once."""
    samples: Samples = {}
    for _, program in product(range(effort.rounds), programs):
        got = program.tell(bulk=ITEMS, at_once=16)
        add(samples, "bulk", program.name, value=got["seconds"])
    return samples


def paging(names: list[str], url: str, effort: Effort) -> Samples:
    """Seconds to read a history of 8,000 sales and one of 80,000, and the memory that the long one takes more, in MiB.

    Each time in a new process: what a program has had once it keeps.
    """
    samples: Samples = {}
    for _, name in product(range(effort.holds), names):
        with Program(name, url) as program:
            # The server makes its pages while they are asked for first.
            short, long = (program.tell(walk=f"s{count}")["peak"] for count in WALKS)
            add(samples, "growth", name, value=long - short)
            for _, count in product(range(effort.rounds), WALKS):
                add(samples, "walk", name, str(count), value=program.tell(walk=f"s{count}")["seconds"])
    return samples


def memory(names: list[str], url: str, effort: Effort) -> Samples:
    """MiB that 100,000 sales take while they are read and kept, each time in a new process."""
    samples: Samples = {}
    for _, name in product(range(effort.holds), names):
        with Program(name, url) as program:
            add(samples, "memory", name, value=program.tell(hold=HELD)["mib"])
    return samples


def reading(names: list[str], url: str, effort: Effort) -> Samples:
    """Microseconds from one body to results, without any transport."""
    samples: Samples = {}
    bodies = {
        "lots": payloads.lots(),
        "history": payloads.page_of_sales(payloads.sales(200), 0, 200),
        "sessions": payloads.sessions(),
    }
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        programs = together(stack, names, url)
        for work, body in bodies.items():
            path = Path(folder, work)
            path.write_bytes(body)
            for _, program in product(range(effort.rounds), programs):
                add(samples, "read", program.name, work, value=program.tell(read=str(path), work=work)["us"])
    return samples


def imports(effort: Effort) -> Samples:
    """Milliseconds of a new interpreter that imports a thing and ends, less those of one that imports nothing."""
    cases = {
        "import scapi": ("scapi", "import scapi"),
        "import scapi.sync": ("scapi", "import scapi.sync"),
        "from scapi import AppClient": ("scapi", "from scapi import AppClient"),
        "from scapi.sync import AppClient": ("scapi", "from scapi.sync import AppClient"),
        "stalcraft-api: import scapi": ("stalcraft-api", "import scapi"),
    }
    samples: Samples = {}
    for _, (case, (name, line)) in product(range(effort.imports), cases.items()):
        where = environments.peers() if name in PEERS else environments.as_installed()
        add(samples, "import", case, value=1e3 * (cold(*where, line) - cold(*where, "pass")))
    return samples


def cold(python: str, extra: dict[str, str], line: str) -> float:
    start = time.perf_counter()
    subprocess.run([python, "-c", line], env=os.environ | extra, check=True)
    return time.perf_counter() - start


def everything(effort: Effort) -> Samples:
    samples = imports(effort)
    with serving(0) as url:
        for names in (ASYNC, SYNC):
            with ExitStack() as stack:
                programs = together(stack, names, url)
                merge(samples, rates(programs, effort, effort.at_once, effort.works, effort.seconds))
                merge(samples, bulk(programs, effort))
        merge(samples, reading(READERS, url, effort))
        merge(samples, memory(HOLDERS, url, effort))
        merge(samples, paging(OURS, url, effort))
    with serving(DELAY) as url, ExitStack() as stack:
        away = rates(together(stack, ASYNC + SYNC, url), effort, (1, 16), ("emission", "lots"), effort.away)
        merge(samples, {("away", *key[1:]): found for key, found in away.items() if key[0] == "rate"})
    return samples


def merge(samples: Samples, more: Samples) -> None:
    for key, found in more.items():
        samples.setdefault(key, {}).update(found)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look in under a minute; README.md stays as it is")
    quick = parser.parse_args().quick
    start = time.perf_counter()
    samples = everything(QUICK if quick else FULL)
    text = report.peers(samples)
    print(f"\n{text}\n({time.perf_counter() - start:.0f} s)")
    if not quick:
        report.write("peers", text)


if __name__ == "__main__":
    main()
