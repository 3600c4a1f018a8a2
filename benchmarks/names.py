"""How well and how fast item names are found, on the real listing: `python -m benchmarks.names [--write]`.

`README.md` has the method and the figures, and `--write` puts them there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from scapi._items import database, disk_cache, names
from tests.unit.real_data import REASON, real_database

README = Path(__file__).with_name("README.md")

SEED = 20261123
REALMS = ("ru", "global")
LANGUAGES = ("ru", "en", "es", "fr", "ko")

LETTERS = dict.fromkeys(("en", "es", "fr"), "abcdefghijklmnopqrstuvwxyz") | {
    "ru": "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "ko": "가나다라마바사아자차카타파하기니디리미비시이지",
}

PEER = """
import json, sys
from scapi.database.index.search import SearchIndex
given = json.load(sys.stdin)
answers = []
for realm, path in given["listings"].items():
    index = SearchIndex()
    index.build(path, json.load(open(path, encoding="utf-8")))
    for query in given["queries"][realm]:
        found = index.search(query, 0.2)
        answers.append(found[0].id if found else None)
json.dump(answers, sys.stdout)
"""


COLD = """
import sys, time
start = time.perf_counter()
from scapi.sync import DatabaseLookup
imported = time.perf_counter()
assert DatabaseLookup(cache_dir=sys.argv[1], realm="ru", offline=True).find_one("AK-105").score == 100
print([1000 * (imported - start), 1000 * (time.perf_counter() - imported)])
"""


class Query(NamedTuple):
    realm: str
    language: str
    kind: str
    name: str
    text: str


# ── the mistakes ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _places(name: str) -> list[int]:
    return [place for place, letter in enumerate(name) if letter.isalpha()]


def missing_letter(name: str, language: str, rng: random.Random) -> str:
    place = rng.choice(_places(name))
    return name[:place] + name[place + 1 :]


def extra_letter(name: str, language: str, rng: random.Random) -> str:
    place = rng.choice(_places(name))
    return name[:place] + rng.choice([name[place], rng.choice(LETTERS[language])]) + name[place:]


def wrong_letter(name: str, language: str, rng: random.Random) -> str:
    place = rng.choice(_places(name))
    others = [letter for letter in LETTERS[language] if letter != name[place].lower()]
    return name[:place] + rng.choice(others) + name[place + 1 :]


def swapped_letters(name: str, language: str, rng: random.Random) -> str:
    pairs = [i for i in _places(name)[:-1] if name[i + 1].isalpha() and name[i].lower() != name[i + 1].lower()]
    place = rng.choice(pairs)
    return name[:place] + name[place + 1] + name[place] + name[place + 2 :]


def swapped_words(name: str, language: str, rng: random.Random) -> str:
    words = name.split()
    place = rng.randrange(len(words) - 1)
    words[place : place + 2] = words[place + 1], words[place]
    return " ".join(words)


def look_alikes(name: str, language: str, rng: random.Random) -> str:
    cyrillic, latin = "АВЕКМНОРСТХаеорсух", "ABEKMHOPCTXaeopcyx"
    table = dict(zip(cyrillic + latin, latin + cyrillic, strict=True))
    changed = "".join(table[c] if c in table and rng.random() < 0.5 else c for c in name)
    return changed if changed != name else "".join(table.get(c, c) for c in name)


def wrong_layout(name: str, language: str, rng: random.Random) -> str:
    qwerty, jcuken = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`", "йцукенгшщзхъфывапролджэячсмитьбюё"
    table = str.maketrans(jcuken, qwerty) if language == "ru" else str.maketrans(qwerty, jcuken)
    return "".join(c for c in name.lower() if c not in "«»\"'").translate(table)


Mistake = Callable[..., str]
TYPOS: dict[str, Mistake] = {
    "missing letter": missing_letter,
    "extra letter": extra_letter,
    "swapped letters": swapped_letters,
    "wrong letter": wrong_letter,
}
OTHERS: dict[str, Mistake] = {
    "swapped words": swapped_words,
    "look-alikes": look_alikes,
    "wrong layout": wrong_layout,
}


def queries(kinds: dict[str, Mistake], listings: dict[str, names.Index], count: int) -> list[Query]:
    """`count` queries of each kind, language and realm, where a language has such names at all."""
    rng = random.Random(SEED)
    asked: list[Query] = []
    for realm, index in listings.items():
        for language in LANGUAGES:
            pool = sorted({entry.translation.lines[language] for entry in index.entries.values()})
            for kind, mistake in kinds.items():
                pairs = islice(_mistaken(pool, partial(mistake, language=language, rng=rng), rng), count)
                asked += [Query(realm, language, kind, name, text) for name, text in pairs]
    return asked


def _mistaken(pool: list[str], mistake: Callable[[str], str], rng: random.Random) -> Iterator[tuple[str, str]]:
    """Names with mistakes that make a difference. Some languages have few such names: tries are counted."""
    for _ in range(20_000):
        name = rng.choice(pool)
        try:
            text = mistake(name)
        except (IndexError, ValueError):  # this name has nothing to swap or change
            continue
        if text.strip() and _key(text) != _key(name):
            yield name, text


def _key(text: str) -> str:
    return next(names.spell([text])).key


# ── the answers ───────────────────────────────────────────────────────────────────────────────────────────────────────


def ours(asked: list[Query], listings: dict[str, names.Index]) -> list[str | None]:
    found = (names.search(listings[query.realm], query.text) for query in asked)
    return [results[0].id if results else None for results in found]


def peers(asked: list[Query], python: str, folder: Path) -> list[str | None]:
    given = {
        "listings": {realm: str(folder / realm / "listing.json") for realm in REALMS},
        "queries": {realm: [query.text for query in asked if query.realm == realm] for realm in REALMS},
    }
    # Isolated, because its package has the same name as ours.
    command = [python, "-I", "-c", PEER]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True)
    answers: list[str | None] = json.loads(done.stdout)
    return answers


def hits(asked: list[Query], answers: list[str | None], listings: dict[str, names.Index]) -> list[bool]:
    return [
        answer in set[str | None](listings[query.realm].keys[_key(query.name)])
        for query, answer in zip(asked, answers, strict=True)
    ]


def table(asked: list[Query], columns: dict[str, list[bool]]) -> str:
    """Per cent found first, by kind and language."""
    languages = [language for language in LANGUAGES if any(query.language == language for query in asked)]
    lines = [
        f"| kind | queries | library | {' | '.join(languages)} | all |",
        "|---" * (4 + len(languages)) + "|",
    ]
    for kind in [*dict.fromkeys(query.kind for query in asked), "all"]:
        for library, found in columns.items():
            counts: dict[str, Counter[bool]] = defaultdict(Counter)
            for query, hit in zip(asked, found, strict=True):
                if kind in {query.kind, "all"}:
                    counts[query.language][hit] += 1
                    counts["all"][hit] += 1
            cells = " | ".join(_percent(counts[column]) for column in [*languages, "all"])
            lines.append(f"| {kind} | {counts['all'].total()} | {library} | {cells} |")
    return "\n".join(lines)


def _percent(count: Counter[bool]) -> str:
    return f"{100 * count[True] / count.total():.1f}" if count else "–"


# ── the clock ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def build_times(path: Path, rounds: int = 15) -> list[float]:
    """Milliseconds from the file on disk to the index with all its spellings."""
    times: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        assert database.read_index("listing", path.read_bytes()).shapes
        times.append(1000 * (time.perf_counter() - start))
    return times


def cold_times(listing: bytes, rounds: int = 15) -> list[tuple[float, float]]:
    """Milliseconds that a new process takes to import, and then to its first answer from a copy on disk."""
    with tempfile.TemporaryDirectory() as folder:
        kept = disk_cache.DiskCache(Path(folder), f"{database.REPOSITORY}/main")
        source = f"https://raw.githubusercontent.com/{database.REPOSITORY}/main/ru/listing.json"
        kept.put("ru/listing.json", disk_cache.Copy(content=listing, source=source, fetched_at=time.time()))
        command = [sys.executable, "-c", COLD, folder]
        runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(rounds)]
    return [json.loads(run.stdout) for run in runs]


def search_times(asked: Iterable[str], index: names.Index) -> list[float]:
    """Milliseconds of each search."""
    times: list[float] = []
    for text in asked:
        start = time.perf_counter()
        names.search(index, text)
        times.append(1000 * (time.perf_counter() - start))
    return times


def _speed(label: str, times: list[float]) -> str:
    slowest = statistics.quantiles(times, n=100, method="inclusive")[94]
    return f"| {label} | {len(times)} | {statistics.median(times):.2f} | {slowest:.2f} | {max(times):.2f} |"


# ── the report ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _exact(listings: dict[str, names.Index]) -> tuple[int, int, int]:
    """How many names there are, how many find their own id first, and how many only say ambiguous."""
    total = own = ambiguous = 0
    for index in listings.values():
        for entry in index.entries.values():
            for name in entry.translation.lines.values():
                first = names.search(index, name, limit=1)[0]
                total += 1
                own += first.id == entry.id
                ambiguous += first.id != entry.id and first.ambiguous
    return total, own, ambiguous


def report(folder: Path, peer: str | None) -> Iterator[str]:
    """The figures, part by part."""
    contents = {realm: (folder / realm / "listing.json").read_bytes() for realm in REALMS}
    listings = {realm: database.read_index("listing", content) for realm, content in contents.items()}
    python = f"{platform.python_implementation()} {platform.python_version()}"
    # A busy machine makes for long times, so the page says how busy it was.
    machine = (
        f"{python}, {platform.system()}, {os.cpu_count()} CPUs, load average {os.getloadavg()[0]:.1f} at the start"
    )
    yield f"Measured {datetime.now(UTC):%Y-%m-%d}, {machine}{'' if peer else '; `stalcraft-api` left out'}."

    total, own, ambiguous = _exact(listings)
    yield f"Names as they are, both realms: {total}. Own id first: {own}; else marked ambiguous: {ambiguous}."
    for kinds, count in ((TYPOS, 125), (OTHERS, 50)):
        asked = queries(kinds, listings, count)
        columns = {"scapi": hits(asked, ours(asked, listings), listings)}
        if peer:
            columns["stalcraft-api"] = hits(asked, peers(asked, peer, folder), listings)
        others = sum(
            not hit and _key(query.text) in listings[query.realm].keys
            for query, hit in zip(asked, columns["scapi"], strict=True)
        )
        yield f"Found first, per cent (seed {SEED}); {others} of scapi's misses make another item's name:"
        yield table(asked, columns)

    texts = [query.text for query in queries(TYPOS, listings, 25) if query.realm == "ru"]
    exact = [name for entry in listings["ru"].entries.values() for name in entry.translation.lines.values()][::20]
    imported, found = zip(*cold_times(contents["ru"]), strict=True)
    rows = {
        "index from disk": build_times(folder / "ru" / "listing.json"),
        "search, exact names": search_times(exact, listings["ru"]),
        "search, typos": search_times(texts, listings["ru"]),
        "cold start: imported": list(imported),
        "cold start: found": list(found),
    }
    head = ["| ms | runs | median | 95th percentile | worst |", "|---|---|---|---|---|"]
    yield "\n".join([*head, *(_speed(label, times) for label, times in rows.items())])


def write(text: str) -> None:
    """Put the figures into their section of the page."""
    start, end = "<!-- names: begin -->\n", "<!-- names: end -->"
    before, _, rest = README.read_text(encoding="utf-8").partition(start)
    README.write_text(f"{before}{start}{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--peer", metavar="PYTHON", help="an interpreter that has stalcraft-api")
    parser.add_argument("--write", action="store_true", help="put the figures into README.md")
    options = parser.parse_args()
    folder = real_database()
    if folder is None:
        print(f"skipped: {REASON}")
        return
    text = "\n\n".join(report(folder, options.peer))
    print(text)
    if options.write:
        write(text)


if __name__ == "__main__":
    main()
