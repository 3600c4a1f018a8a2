"""Find items by what a person types, and return the ids that the API accepts.

Every name has three spellings, each more tolerant than the one before:

* **key**: the name without case, quotes, hyphens and spaces, and with е for ё.
* **shape**: the key without accents, and with Latin in place of Cyrillic letters that look the same.
* **bag**: the shape's words in alphabetical order, with Korean syllables decomposed into letters.

A query is first looked up in these three as typed, then as if typed on the wrong keyboard layout. Only then is it
compared letter by letter. The score shows which way found the name: a similar name never beats an exact one.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from msgspec.structs import replace

from scapi._base import validation
from scapi._base.escaping import log
from scapi._base.extras import extra
from scapi.exceptions import ItemNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scapi.models.items import Lookup
    from scapi.models.listing import Rejected

    Ids: TypeAlias = Mapping[str, Iterable[str]]


#: The scores of names found by lookup, and the highest scores of names found by comparison.
EXACT, LOOK_ALIKE, WORD_ORDER, LAYOUT = 100.0, 99.0, 98.0, 97.0
SIMILAR, SIMILAR_WORD_ORDER, SIMILAR_LAYOUT, PARTLY, ANAGRAM = 95.0, 93.0, 91.0, 75.0, 65.0

DEFAULT_THRESHOLD = 60.0
DEFAULT_LIMIT = 10

#: If the best score is below this, less likely readings of the query are tried too.
DOUBTFUL = 75.0

DROPPED = re.compile("[\"'`´«»‹›‘’‚‛“”„‟′″‵‶＂＇\u02bc\u00ad\u200b-\u200f\u2060\ufeff]")
GAPS = re.compile(r"[^\S\n ]|[-_‐‑‒–—―−]")
ACCENTS = re.compile("[\u0300-\u036f]")
LATIN, CYRILLIC = re.compile("[a-z]"), re.compile("[а-яё]")

LOOK_ALIKES = dict(zip("авекмнорстухіјѕø", "abekmhopctyxijso", strict=True), œ="oe", æ="ae")
QWERTY = "qwertyuiop[]asdfghjkl;'zxcvbnm,./`"
JCUKEN = "йцукенгшщзхъфывапролджэячсмитьбю.ё"
TO_CYRILLIC = str.maketrans(QWERTY + '{}:"<>?~', JCUKEN + "хъжэбю,ё")
TO_LATIN = str.maketrans(JCUKEN, QWERTY)


class Spelling(NamedTuple):
    """A name or query in the three spellings that the module's docstring describes."""

    key: str
    words: list[str]

    @property
    def shape(self) -> str:
        return "".join(self.words)

    @property
    def bag(self) -> str:
        return unicodedata.normalize("NFD", "".join(sorted(self.words)))


def spell(texts: Iterable[str]) -> Iterator[Spelling]:
    """Return the spellings of each text, in order."""
    folded = fold(texts)
    return map(Spelling, map(_key, folded), _words(folded))


def fold(texts: Iterable[str]) -> list[str]:
    """Return the texts without case, quotes and hyphens. Words stay separate."""
    # All texts are joined, one per line: ten thousand names one by one would take several times as long.
    lines = [text.replace("\n", " ") for text in texts]
    bare = DROPPED.sub("", "\n".join(lines))
    folded = GAPS.sub(" ", unicodedata.normalize("NFKC", bare).casefold()).replace("ё", "е")
    return folded.split("\n") if lines else []


def _key(folded: str) -> str:
    return folded.replace(" ", "")


def _words(folded: list[str]) -> Iterator[list[str]]:
    """Return the words of each shape."""
    bare = ACCENTS.sub("", unicodedata.normalize("NFD", "\n".join(folded)))
    shapes = unicodedata.normalize("NFC", bare)
    for letter, twin in LOOK_ALIKES.items():  # much faster than `translate` on a long string
        shapes = shapes.replace(letter, twin)
    return map(str.split, shapes.split("\n"))


def switch_layout(text: str) -> list[str]:
    """Return the text as typed on the other keyboard layout: Cyrillic for Latin letters, and the reverse."""
    text = text.casefold()
    layouts = ((LATIN, TO_CYRILLIC), (CYRILLIC, TO_LATIN))
    return [text.translate(layout) for letters, layout in layouts if letters.search(text)]


# ── the index ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Index:
    """A searchable index file.

    Only the keys are computed at once. Shapes and bags take longer, and a lookup by exact name doesn't need them.

    Attributes:
        entries: Entries by id, in the order of the file.
        keys: Ids by key.
        rejected: Unreadable entries and entries with a duplicate id.
    """

    entries: Mapping[str, Lookup]
    keys: Ids
    rejected: list[Rejected]
    _folded: list[str]
    _ids: list[tuple[str]]

    @property
    def shapes(self) -> Ids:
        """Ids by shape."""
        return self._tolerant_tables[0]

    @property
    def bags(self) -> Ids:
        """Ids by bag."""
        return self._tolerant_tables[1]

    @cached_property
    def _tolerant_tables(self) -> tuple[Ids, Ids]:
        spellings = list(map(Spelling, repeat(""), _words(self._folded)))
        shapes = _table((spelling.shape for spelling in spellings), self._ids)
        return shapes, _table((spelling.bag for spelling in spellings), self._ids)


def build_index(entries: Iterable[Lookup], rejected: Iterable[Rejected] = ()) -> Index:
    """Make entries searchable.

    Args:
        entries: The entries, with unique ids.
        rejected: The rejected entries, which are kept in the index but never found.
    """
    by_id = {entry.id: entry for entry in entries}
    names: list[str] = []
    ids: list[tuple[str]] = []
    for id_, entry in by_id.items():
        different = dict.fromkeys(_names(entry))
        names += different
        # All names of an entry share one tuple: with a list each, half of the time would be garbage collection.
        ids += [(id_,)] * len(different)
    folded = fold(names)
    keys = _table(map(_key, folded), ids)
    return Index(entries=by_id, keys=keys, rejected=list(rejected), _folded=folded, _ids=ids)


def _table(spellings: Iterable[str], ids: list[tuple[str]]) -> Ids:
    table = defaultdict[str, tuple[str, ...]](tuple)
    for spelling, id_ in zip(spellings, ids, strict=False):
        table[spelling] += id_
    # Empty names, and names of only quotes and hyphens, would match everything.
    table.pop("", None)
    return table


def _names(entry: Lookup) -> Iterable[str]:
    return entry.translation.lines.values() or (entry.translation.text,)


# ── the search ────────────────────────────────────────────────────────────────────────────────────────────────────────


def search(
    index: Index, query: str, *, threshold: float = DEFAULT_THRESHOLD, limit: int | None = DEFAULT_LIMIT
) -> list[Lookup]:
    """Find the entries that match a query.

    Entries with exactly this name or id come first, with a score of 100. Then come names that look the same (99), the
    same words in another order (98), names typed on the wrong keyboard layout (97), and names that are similar to the
    query or contain it (95 and less).

    Entries with the same score are marked `ambiguous`, except for one that alone is spelled exactly like the query.
    Among equal scores, exact spellings come first. The others are sorted by category and id.

    Args:
        index: The index to search.
        query: A name in any language, a part of one, or an id.
        threshold: The lowest score of a result, 0 to 100.
        limit: The maximum number of results, from 1; `None` for all.

    Returns:
        The entries, best first; empty if nothing matches or the query is blank.

    Raises:
        ValueError: A number is out of range.
        ImportError: rapidfuzz is not installed.
    """
    check_threshold(threshold)
    if limit is not None:
        validation.integer("limit", limit, 1)
    if not str(query).strip():
        return []  # autocompletion starts with a blank query
    query = validation.text("query", query).strip()
    typed, *switched = spell([query, *switch_layout(query)])
    scores = dict(_exact(index, query, typed))
    if limit is None or len(scores) < limit:
        # Later entries overwrite earlier ones, so the best score of each id comes last.
        scores = {**dict(_tolerant_matches(index, typed, switched)), **scores}
    if limit is None or len(scores) < limit:
        for id_, score in _similar(index, typed, switched, threshold):
            scores[id_] = max(score, scores.get(id_, 0.0))
    return _ranked(index, query, {id_: score for id_, score in scores.items() if score >= threshold}, limit)


def check_threshold(threshold: float) -> float:
    """Return the threshold, or raise a `ValueError`. Warns about values on stalcraft-api's scale from 0 to 1."""
    score = validation.real(threshold)
    if score is None or not 0 <= score <= EXACT:
        raise validation.refuse("threshold", threshold, "a score from 0 to 100")
    if 0 < score < 1:
        scale = f"scores go from 0 to 100, so threshold={threshold} finds nearly everything"
        warnings.warn(f"{scale}; stalcraft-api's went from 0 to 1: say {100 * score:g}", UserWarning, stacklevel=3)
    return score


def resolve(index: Index, query: str) -> Lookup:
    """Return the only entry with a name or an id. Similar names don't count.

    Raises:
        ItemNameError: No entry or more than one matches. The error lists the candidates.
        ValueError: The query is blank.
    """
    first = search(index, validation.text("query", query), limit=1)
    if first and first[0].score == EXACT and not first[0].ambiguous:
        return first[0]
    candidates = search(index, query)
    meant = [entry for entry in candidates if entry.score >= LAYOUT and entry.score == candidates[0].score]
    if len(meant) == 1:
        return meant[0]
    shown = ", ".join(f"{log(entry.name())} ({log(entry.id)})" for entry in meant or candidates)
    reason = f"means several: {shown}" if meant else f"is unknown; similar: {shown or 'none'}"
    raise ItemNameError(f"{query!r} {reason}", query=query, candidates=meant or candidates)


def _exact(index: Index, query: str, typed: Spelling) -> Iterator[tuple[str, float]]:
    """Find ids by exact id or name."""
    yield from ((id_, EXACT) for id_ in {query, query.lower()} & index.entries.keys())
    yield from _scored(index.keys, typed.key, EXACT)


def _tolerant_matches(index: Index, typed: Spelling, switched: list[Spelling]) -> Iterator[tuple[str, float]]:
    """Find ids by looking up the query in more tolerant spellings, best scores last."""
    for other in switched:
        yield from _scored(index.shapes, other.shape, LAYOUT)
    yield from _scored(index.bags, typed.bag, WORD_ORDER)
    yield from _scored(index.shapes, typed.shape, LOOK_ALIKE)


def _scored(table: Ids, spelling: str, score: float) -> Iterator[tuple[str, float]]:
    return ((id_, score) for id_ in table.get(spelling, ()))


def _similar(index: Index, typed: Spelling, switched: list[Spelling], threshold: float) -> list[tuple[str, float]]:
    """Find ids by names that are similar to the query or contain all its words."""
    found = [*_alike(index.shapes, typed.shape, SIMILAR, threshold), *_containing(index.shapes, typed.words)]
    if max((score for _, score in found), default=0.0) < DOUBTFUL:
        found += _alike(index.bags, typed.bag, SIMILAR_WORD_ORDER, threshold)
        for other in switched:
            found += _alike(index.shapes, other.shape, SIMILAR_LAYOUT, threshold)
            found += _containing(index.shapes, other.words)
    return found or [
        *_anagrams(index.shapes, typed.shape),
        *_partly_alike(index.shapes, typed.shape, threshold),
    ]


def _alike(table: Ids, spelling: str, best: float, threshold: float) -> Iterator[tuple[str, float]]:
    """Score ids by the share of letters that need no edit. Swapping two neighbours counts as one edit."""
    scorer = require_rapidfuzz().distance.OSA.normalized_similarity
    return _compared(table, table, spelling, scorer, full=1.0, best=best, threshold=threshold)


def _containing(table: Ids, words: list[str]) -> Iterator[tuple[str, float]]:
    """Score ids by names that contain all words. Short names and names that start with the query score higher."""
    fitting: Iterable[str] = table if words else ()
    for word in sorted(words, key=len, reverse=True):
        fitting = [name for name in fitting if word in name]
    size = sum(map(len, words))
    for name in fitting:
        start = 65.0 if name.startswith(words[0]) else 60.0
        yield from _scored(table, name, start + 20.0 * min(1.0, size / len(name)))


def _anagrams(table: Ids, spelling: str) -> Iterator[tuple[str, float]]:
    """Find ids by the same letters in another order: after a swap in a two-letter name nothing else is similar."""
    letters = sorted(spelling)
    for name in table:
        if len(name) == len(letters) and sorted(name) == letters:
            yield from _scored(table, name, ANAGRAM)


def _partly_alike(table: Ids, spelling: str, threshold: float) -> Iterator[tuple[str, float]]:
    """Score ids by how well the query matches a part of the name. Slow, so used only if nothing else matches."""
    longer = [name for name in table if len(name) > len(spelling)]
    scorer = require_rapidfuzz().fuzz.partial_ratio
    return _compared(table, longer, spelling, scorer, full=100.0, best=PARTLY, threshold=threshold)


def _compared(
    table: Ids,
    names: Iterable[str],
    spelling: str,
    scorer: Any,
    *,
    full: float,
    best: float,
    threshold: float,
) -> Iterator[tuple[str, float]]:
    """Score ids with a scorer of rapidfuzz. Its maximum `full` becomes the score `best`."""
    if not spelling or threshold > best:
        return
    cutoff = full * threshold / best
    found = require_rapidfuzz().process.extract(
        spelling, list(names), scorer=scorer, processor=None, score_cutoff=cutoff, limit=None
    )
    for name, mark, _ in found:
        yield from _scored(table, name, mark / full * best)


def _ranked(index: Index, query: str, scores: dict[str, float], limit: int | None) -> list[Lookup]:
    """Return the entries by score. Entries with the same score come in the order that `search` documents."""
    written = {id_ for id_, score in scores.items() if score == EXACT and _is_written(query, index.entries[id_])}

    def place(id_: str) -> tuple[float, bool, str, str]:
        return -scores[id_], id_ not in written, index.entries[id_].category or "", id_

    ties = Counter(scores.values())
    return [
        replace(
            index.entries[id_],
            score=round(score, 2),
            # An exact spelling means that entry, even if other names differ only in a hyphen.
            ambiguous=ties[score] > 1 and written != {id_},
        )
        for id_ in sorted(scores, key=place)[:limit]
        for score in [scores[id_]]
    ]


def _is_written(query: str, entry: Lookup) -> bool:
    return query == entry.id or query in _names(entry)


def require_rapidfuzz() -> Any:
    """Return the `rapidfuzz` package.

    Raises:
        ImportError: It is not installed. The message says how to install it.
    """
    with extra("names", "item names"):
        import rapidfuzz
    return rapidfuzz
