"""What was measured, as tables, and the parts of `README.md` that commands write."""

from __future__ import annotations

import os
import platform
import re
import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.rounds import cell, table

if TYPE_CHECKING:
    from collections.abc import Iterable

README = Path(__file__).with_name("README.md")

WORKS = {"emission": "emission", "lots": "200 lots", "history": "200 sales", "sessions": "100 sessions"}

#: The program that keeps `additional` as the bytes that it came in.
UNDECODED = "msgspec, additional undecoded"

Samples = dict[tuple[str, ...], dict[str, list[float]]]


def write(section: str, text: str) -> None:
    """Replace what stands between a section's two markers; the rest of the page belongs to others."""
    start, end = f"<!-- {section}: begin -->\n", f"<!-- {section}: end -->"
    page = README.read_text(encoding="utf-8")
    if start not in page or end not in page:
        raise SystemExit(f"{README} has no section {section!r}: add {start.strip()} and {end}")
    written = re.sub(
        f"({re.escape(start)}).*?({re.escape(end)})", lambda m: f"{m[1]}{text}\n{m[2]}", page, flags=re.DOTALL
    )
    README.write_text(written, encoding="utf-8")


def write_row(section: str, head: list[str], row: list[str], *, key: int) -> None:
    """Replace one row of a section's table, or add it. Its first `key` columns say which one it is."""
    page = README.read_text(encoding="utf-8")
    found = re.search(f"<!-- {re.escape(section)}: begin -->\n(.*?)<!-- ", page, re.DOTALL)
    lines = found[1].splitlines()[2:] if found else []
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    kept = [one for one in rows if one[:key] != row[:key]]
    write(section, table(head, sorted([*kept, row], reverse=True)))


def peers(samples: Samples) -> str:
    """The section of the comparison."""
    parts = [
        _where(),
        "### Figures",
        figures(samples),
        other_figures(samples),
        "### Calls per second",
        _by_program(samples, "rate", "{:,.0f}"),
        "### CPU seconds per 1,000 calls",
        _by_program(samples, "cpu", "{:.2f}"),
        "### Calls per second, 40 ms away",
        _by_program(samples, "away", "{:,.0f}"),
        "### 500 items' lots, 16 at once (seconds)",
        _plain(samples["bulk",], "{:.2f}"),
        "### A whole history, page by page (seconds)",
        table(
            ["sales", *samples["walk", "8000"]],
            (
                [f"{int(key[1]):,}", *(cell(v, "{:.2f}") for v in found.values())]
                for key, found in _kind(samples, "walk")
            ),
        ),
        "### 100,000 sales held (MiB, peak)",
        _plain(samples["memory",], "{:.0f}"),
        "### One body into results (µs)",
        table(
            ["body", *samples["read", "lots"]],
            ([WORKS[key[1]], *(cell(v, "{:,.0f}") for v in found.values())] for key, found in _kind(samples, "read")),
        ),
        "### Cold import, less the bare interpreter (ms)",
        _plain(samples["import",], "{:.0f}"),
    ]
    return "\n\n".join(parts)


def _where() -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs"
    return f"Measured {datetime.now(UTC):%Y-%m-%d} by `make bench`, {python}, {machine}."


def figures(samples: Samples) -> str:
    """Ratios that are aimed at, each the median of the ratios of single rounds."""
    builders = (_one_at_a_time, _against_peer, _threads, _items, _over_aiohttp, _limits)
    return table(["work", "against", "measured", "aim"], [row for build in builders for row in build(samples)])


def other_figures(samples: Samples) -> str:
    """What the connections don't change."""
    rows = [row for build in (_reading, _paging, _others) for row in build(samples)]
    return table(["work", "against", "measured", "aim", "msgspec's limit"], rows)


def _one_at_a_time(samples: Samples) -> Iterable[list[str]]:
    for work, aim in {"emission": "0.8", "lots": "2.2", "history": "2.0", "sessions": "2.8"}.items():
        yield _ratio(samples["rate", work, "1"], f"{WORKS[work]}, one at a time, async", "stalcraft-api", aim)
    case = samples["away", "emission", "1"]
    yield _ratio(case, "emission, one at a time, 40 ms away, async", "stalcraft-api", "1.9")


def _against_peer(samples: Samples) -> Iterable[list[str]]:
    for work, aim in {"emission": "0.6", "lots": "2.2", "history": "2.0", "sessions": "2.8"}.items():
        yield _ratio(samples["rate", work, "16"], f"{WORKS[work]}, 16 at once, async", "stalcraft-api", aim)


def _threads(samples: Samples) -> Iterable[list[str]]:
    for many, title, aim in (("1", "one thread", "1.8"), ("16", "16 threads", "1.7")):
        for work, what in WORKS.items():
            case = samples["rate", work, many]
            yield _ratio(case, f"{what}, {title}", "requests+json", aim, ours="scapi.sync")


def _items(samples: Samples) -> Iterable[list[str]]:
    found = samples["bulk",]
    for peer, aim in {"stalcraft-api": "1.5", "aiohttp+json": ""}.items():
        # Seconds, so that less is better.
        ratio = _median_ratio(found[peer], found["scapi"])
        yield ["500 items' lots, 16 at once, async", peer, f"{ratio:.2f} ×", f"≥ {aim} ×" if aim else "report"]


def _over_aiohttp(samples: Samples) -> Iterable[list[str]]:
    for work, what in WORKS.items():
        title = f"{what}, 16 at once, over aiohttp"
        yield _ratio(samples["rate", work, "16"], title, "stalcraft-api", "", ours="scapi over aiohttp")


def _limits(samples: Samples) -> Iterable[list[str]]:
    for work in list(WORKS)[1:]:
        case = samples["rate", work, "16"]
        yield _ratio(case, f"{WORKS[work]}, 16 at once, async", "asyncio protocol+msgspec", "")
        yield _ratio(case, f"{WORKS[work]}, 16 threads", "blocking socket+msgspec", "", ours="scapi.sync")


def _reading(samples: Samples) -> Iterable[list[str]]:
    for work, aim in {"lots": "7.2", "history": "7.5", "sessions": "8.0"}.items():
        found = samples["read", work]
        ours, limit = (_median_ratio(found["stalcraft-api"], found[name]) for name in ("scapi", UNDECODED))
        title = f"one body of {WORKS[work]} into models"
        yield [title, "stalcraft-api", f"{ours:.1f} ×", f"≥ {aim} ×", f"{limit:.1f} ×"]


def _paging(samples: Samples) -> Iterable[list[str]]:
    for name, growth in samples["growth",].items():
        ratio = _median_ratio(samples["walk", "80000"][name], samples["walk", "8000"][name])
        yield [f"paging 80,000 sales, {name}, time", "8,000 sales", f"{ratio:.1f} ×", "≤ 10.5 ×", ""]
        more = f"{statistics.median(growth):+.1f} MiB"
        yield [f"paging 80,000 sales, {name}, memory", "8,000 sales", more, "flat", ""]


def _others(samples: Samples) -> Iterable[list[str]]:
    found = samples["memory",]
    ours, limit = (_median_ratio(found[name], found["stalcraft-api"]) for name in ("scapi", UNDECODED))
    yield ["memory of 100,000 sales held", "stalcraft-api", f"{ours:.2f}", "≤ 0.33", f"{limit:.2f}"]
    found = samples["import",]
    theirs = found["stalcraft-api: import scapi"]
    for line, times in found.items():
        if line.startswith("stalcraft-api"):
            continue
        share = _median_ratio(times, theirs)
        yield [f"`{line}`, cold, less the bare interpreter", "stalcraft-api", f"{share:.2f}", "≤ 0.40", ""]


def _ratio(found: dict[str, list[float]], work: str, peer: str, aim: str, *, ours: str = "scapi") -> list[str]:
    ratio = _median_ratio(found[ours], found[peer])
    return [work, peer, f"{ratio:.2f} ×", f"≥ {aim} ×" if aim else "report"]


def _median_ratio(ours: list[float], theirs: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def _by_program(samples: Samples, kind: str, form: str) -> str:
    cases = _kind(samples, kind)
    names = list(dict.fromkeys(name for _, found in cases for name in found))
    head = ["program", *(f"{WORKS[key[1]]}, {key[2]}" for key, _ in cases)]
    rows = ([name, *(cell(found[name], form) if name in found else "" for _, found in cases)] for name in names)
    return table(head, rows)


def _plain(found: dict[str, list[float]], form: str) -> str:
    return table(["", "median"], ([name, cell(values, form)] for name, values in found.items()))


def _kind(samples: Samples, kind: str) -> list[tuple[tuple[str, ...], dict[str, list[float]]]]:
    return [(key, found) for key, found in samples.items() if key[0] == kind]
