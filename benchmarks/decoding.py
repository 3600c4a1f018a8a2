"""From bytes to models, clean and drifted, beside what others do: `.venv/bin/python -m benchmarks.decoding [--quick]`.

Prints its tables; `tables()` gives them to whoever puts them on a page. Times are those of the processor, the ways take
turns, and what they read is compared first.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from benchmarks import environments, payloads

if TYPE_CHECKING:
    from collections.abc import Callable

Row = dict[str, Any]

WAYS = ("scapi", "msgspec", "orjson + dataclasses", "pydantic v2", "stalcraft-api")
WITH_PEERS = {"orjson + dataclasses", "pydantic v2", "stalcraft-api"}
NAMES = {"lots": "200 lots", "prices": "200 sales", "sessions": "5,000 participants"}
REFUSED = "refused"
#: Sales that are held, as pages of 200.
HELD = 500


def of_players(change: Callable[[Row], Any]) -> Callable[[Row], None]:
    def changed(session: Row) -> None:
        for player in session["participants"]:
            change(player)

    return changed


#: What changes in every row. The first one of each kind is shown beside the other ways.
DRIFTS: dict[tuple[str, str], Callable[[Row], Any]] = {
    ("lots", "`startTime` with +03"): lambda row: row.update(startTime=row["startTime"][:-1] + "+03"),
    ("lots", "both times without offset"): lambda row: row.update(
        startTime=row["startTime"][:-1], endTime=row["endTime"][:-1]
    ),
    ("lots", "`startPrice` null"): lambda row: row.update(startPrice=None),
    ("lots", "`buyoutPrice` absent"): lambda row: row.pop("buyoutPrice"),
    ("lots", "`amount` as text"): lambda row: row.update(amount=str(row["amount"])),
    ("prices", "`time` without offset"): lambda row: row.update(time=row["time"][:-1]),
    ("prices", "`time` without seconds"): lambda row: row.update(time=row["time"][:-4] + "Z"),
    ("prices", "`additional` null"): lambda row: row.update(additional=None),
    ("prices", "unknown field"): lambda row: row.update(seller={"name": "x"}),
    ("sessions", "`armorLevel` null"): of_players(lambda player: player.update(armorLevel=None)),
    ("sessions", "`startTime` without seconds"): lambda row: row.update(startTime=row["startTime"][:-4] + "Z"),
    ("sessions", "`username` absent"): of_players(lambda player: player.pop("username")),
    ("sessions", "all but the name null"): of_players(
        lambda player: player.update(dict.fromkeys(player.keys() - {"username"}))
    ),
}


class Effort(NamedTuple):
    """How much is measured."""

    rounds: int
    seconds: float


FULL = Effort(rounds=9, seconds=0.15)
QUICK = Effort(rounds=3, seconds=0.03)


class Decoder:
    """A way to decode, in its own process."""

    def __init__(self, name: str) -> None:
        python, extra = environments.peers() if name in WITH_PEERS else environments.ours()
        command = [python, "-m", "benchmarks.decoders", name]
        self._process = subprocess.Popen(
            command, cwd=environments.ROOT, env=os.environ | extra, stdin=-1, stdout=-1, text=True
        )
        self.name = name

    def ask(self, ask: str, kind: str, path: Path, **options: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps({"ask": ask, "kind": kind, "path": str(path)} | options), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended during {ask} of {path.name}")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def clean(kind: str, *, large: bool = False) -> bytes:
    """A body as the server sends it today; a large one has 20 MB."""
    if kind == "lots":
        return payloads.lots(90_000 if large else 200)
    if kind == "prices":
        count = 140_000 if large else 200
        return payloads.page_of_sales(payloads.sales(count), 0, count)
    return payloads.sessions(100, 720 if large else 50)


def drifted(kind: str, body: bytes, change: Callable[[Row], Any]) -> bytes:
    document = json.loads(body)
    for row in document[kind]:
        change(row)
    return json.dumps(document, separators=(",", ":")).encode()


def measured(
    decoders: list[Decoder], effort: Effort, kind: str, path: Path, *, gzip: bool = False
) -> list[list[float]]:
    """Microseconds of each decoder, in turns."""
    samples: list[list[float]] = [[] for _ in decoders]
    for _ in range(effort.rounds):
        for decoder, found in zip(decoders, samples, strict=True):
            found.append(decoder.ask("taken", kind, path, gzip=gzip, seconds=effort.seconds))
    return samples


def tables(effort: Effort = FULL) -> str:
    """Everything that is measured here, as Markdown."""
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        decoders = {name: stack.enter_context(Decoder(name)) for name in WAYS}
        bodies = Bodies(Path(folder))
        parts = [
            beside_others(decoders, bodies, effort),
            "The same rows with one change in every row, by scapi:",
            of_ours(decoders["scapi"], bodies, effort),
            of_large_ones(decoders["scapi"], bodies),
            of_held_ones(decoders, bodies),
        ]
    return "\n\n".join([said_first(effort), *parts])


def said_first(effort: Effort) -> str:
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    how = f"medians of {effort.rounds} rounds in turns, least to most in brackets, and how many times what scapi takes"
    return f"{machine}. Microseconds of the processor, {how}."


class Bodies:
    """Bodies as files, which is how processes get them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def file(self, body: bytes) -> Path:
        self._count += 1
        path = self._folder / f"{self._count}.json"
        path.write_bytes(body)
        return path


def beside_others(decoders: dict[str, Decoder], bodies: Bodies, effort: Effort) -> str:
    rows: list[list[str]] = []
    for kind, name in NAMES.items():
        body = clean(kind)
        change, drift = next((change, what) for (of, what), change in DRIFTS.items() if of == kind)
        path, odd = bodies.file(body), bodies.file(drifted(kind, body, change))
        rows.append([name, *compared(decoders, effort, kind, path)])
        rows.append([f"{name}, gzip", *compared(decoders, effort, kind, path, gzip=True)])
        rows.append([f"{name}, {drift}", *compared(decoders, effort, kind, odd)])
    return table(["body", *decoders], rows)


def compared(decoders: dict[str, Decoder], effort: Effort, kind: str, path: Path, *, gzip: bool = False) -> list[str]:
    """A cell for each way: its time where it reads what scapi reads."""
    read = {name: decoder.ask("digest", kind, path) for name, decoder in decoders.items()}
    able = [decoder for name, decoder in decoders.items() if read[name] == read["scapi"]]
    found = dict(zip([decoder.name for decoder in able], measured(able, effort, kind, path, gzip=gzip), strict=True))
    ours = statistics.median(found["scapi"])
    return [cell(found[name], ours) if name in found else said(read[name]) for name in decoders]


def said(read: str) -> str:
    return read if read.startswith(REFUSED) else "reads something else"


def of_ours(scapi: Decoder, bodies: Bodies, effort: Effort) -> str:
    rows: list[list[str]] = []
    for (kind, what), change in DRIFTS.items():
        body = clean(kind)
        paths = [bodies.file(body), bodies.file(drifted(kind, body, change))]
        sound, odd = [list[float](), list[float]()]
        for _ in range(effort.rounds):
            for path, found in zip(paths, (sound, odd), strict=True):
                found.append(scapi.ask("taken", kind, path, gzip=False, seconds=effort.seconds))
        times = statistics.median(odd) / statistics.median(sound)
        rows.append([NAMES[kind], what, spread(sound), spread(odd), f"{times:.1f} ×"])
    return table(["body", "change", "clean", "changed", ""], rows)


def of_large_ones(scapi: Decoder, bodies: Bodies) -> str:
    rows: list[list[str]] = []
    for kind in NAMES:
        body = clean(kind, large=True)
        change, what = next((change, what) for (of, what), change in DRIFTS.items() if of == kind)
        for text, of_it in (("clean", body), (what, drifted(kind, body, change))):
            found = scapi.ask("longest", kind, bodies.file(of_it))
            rows.append([kind, text, f"{len(of_it) / 1e6:.1f}", f"{found['longest']:.0f}", f"{found['all']:.0f}"])
    return table(["large body of", "", "MB", "ms without a yield, at most", "ms in all"], rows)


def of_held_ones(decoders: dict[str, Decoder], bodies: Bodies) -> str:
    path = bodies.file(clean("prices"))
    rows: list[list[str]] = []
    for name, decoder in decoders.items():
        found = decoder.ask("held", "prices", path, pages=HELD)
        rows.append([name, f"{found['mib']:.1f}", f"{found['tracked']:,}", f"{found['collect']:.0f}"])
    return table(["100,000 sales held", "MiB", "objects tracked", "ms to collect garbage"], rows)


def cell(found: list[float], ours: float) -> str:
    return f"{spread(found)}, {statistics.median(found) / ours:.2f} ×"


def spread(found: list[float]) -> str:
    return f"{statistics.median(found):,.0f} ({min(found):,.0f}–{max(found):,.0f})"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decoding", description="From bytes to models.")
    parser.add_argument("--quick", action="store_true", help="a rough look")
    print(tables(QUICK if parser.parse_args().quick else FULL))


if __name__ == "__main__":
    main()
