"""From what a person types to the id that the API takes.

Every name is kept in three spellings, each of which forgives more than the one before:

* **key**: the name itself. Case, quotes, hyphens, spaces of any kind and ё/е make no difference.
* **shape**: the key without accents, and with Latin in place of Cyrillic letters that look the same.
* **bag**: the shape's words in alphabetical order, and Korean syllables taken apart into their letters.

A query is first looked up as it stands in these three, then as if typed on the wrong keyboard layout, and
only then compared letter by letter. The score tells which it was: nothing similar ever beats the name itself.
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


# The scores of a name found without comparing, and the highest ones of a name found by comparing.
EXACT, LOOK_ALIKE, WORD_ORDER, LAYOUT = 100.0, 99.0, 98.0, 97.0
SIMILAR, SIMILAR_WORD_ORDER, SIMILAR_LAYOUT, PARTLY, ANAGRAM = 95.0, 93.0, 91.0, 75.0, 65.0

DEFAULT_THRESHOLD = 60.0
DEFAULT_LIMIT = 10

# A best score below this makes it worth the time to read the query in less likely ways too.
_DOUBTFUL = 75.0

_DROPPED = re.compile("[\"'`´«»‹›‘’‚‛“”„‟′″‵‶＂＇\u02bc\u00ad\u200b-\u200f\u2060\ufeff]")
_GAPS = re.compile(r"[^\S\n ]|[-_‐‑‒–—―−]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_LATIN, _CYRILLIC = re.compile("[a-z]"), re.compile("[а-яё]")

_LOOK_ALIKES = dict(zip("авекмнорстухіјѕø", "abekmhopctyxijso", strict=True), œ="oe", æ="ae")
_QWERTY = "qwertyuiop[]asdfghjkl;'zxcvbnm,./`"
_JCUKEN = "йцукенгшщзхъфывапролджэячсмитьбю.ё"
_TO_CYRILLIC = str.maketrans(_QWERTY + '{}:"<>?~', _JCUKEN + "хъжэбю,ё")
_TO_LATIN = str.maketrans(_JCUKEN, _QWERTY)


class Spelling(NamedTuple):
    """A name or query in the spellings of the module's docstring."""

    key: str
    words: list[str]

    @property
    def shape(self) -> str:
        return "".join(self.words)

    @property
    def bag(self) -> str:
        return unicodedata.normalize("NFD", "".join(sorted(self.words)))


def spell(texts: Iterable[str]) -> Iterator[Spelling]:
    """Each of the texts in its spellings, in order."""
    folded = fold(texts)
    return map(Spelling, map(_key, folded), _words(folded))


def fold(texts: Iterable[str]) -> list[str]:
    """The texts without case, quotes and hyphens, their words still apart."""
    # All texts at once, a line each: name by name, ten thousand of them would take several times as long.
    lines = [text.replace("\n", " ") for text in texts]
    bare = _DROPPED.sub("", "\n".join(lines))
    folded = _GAPS.sub(" ", unicodedata.normalize("NFKC", bare).casefold()).replace("ё", "е")
    return folded.split("\n") if lines else []


def _key(folded: str) -> str:
    return folded.replace(" ", "")


def _words(folded: list[str]) -> Iterator[list[str]]:
    """The words of each shape."""
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", "\n".join(folded)))
    shapes = unicodedata.normalize("NFC", bare)
    for letter, twin in _LOOK_ALIKES.items():  # on so long a string much faster than `translate`
        shapes = shapes.replace(letter, twin)
    return map(str.split, shapes.split("\n"))


def relay(text: str) -> list[str]:
    """What the same keys give on the other keyboard layout: Cyrillic for Latin letters, and the reverse."""
    text = text.casefold()
    layouts = ((_LATIN, _TO_CYRILLIC), (_CYRILLIC, _TO_LATIN))
    return [text.translate(layout) for letters, layout in layouts if letters.search(text)]


# ── the index ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Index:
    """The entries of one index file, ready to be searched.

    Only the keys are made at once. Shapes and bags take longer, and who asks for names as they are never needs them.

    Attributes:
        entries: Id to entry, in the order of the file.
        keys: Key to the ids that have such a name.
        rejected: The entries that can't be read, and those whose id came before.
    """

    entries: Mapping[str, Lookup]
    keys: Ids
    rejected: list[Rejected]
    _folded: list[str]
    _ids: list[tuple[str]]

    @property
    def shapes(self) -> Ids:
        """Shape to the ids that have such a name."""
        return self._looser[0]

    @property
    def bags(self) -> Ids:
        """Bag to the ids that have such a name."""
        return self._looser[1]

    @cached_property
    def _looser(self) -> tuple[Ids, Ids]:
        spellings = list(map(Spelling, repeat(""), _words(self._folded)))
        shapes = _table((spelling.shape for spelling in spellings), self._ids)
        return shapes, _table((spelling.bag for spelling in spellings), self._ids)


def build_index(entries: Iterable[Lookup], rejected: Iterable[Rejected] = ()) -> Index:
    """Make entries searchable.

    Args:
        entries: What can be found; no id twice.
        rejected: What could not be read, for the record.
    """
    by_id = {entry.id: entry for entry in entries}
    names: list[str] = []
    ids: list[tuple[str]] = []
    for id_, entry in by_id.items():
        different = dict.fromkeys(_names(entry))
        names += different
        # One tuple for all names of an entry: a list each would keep the garbage collector busy half of the time.
        ids += [(id_,)] * len(different)
    folded = fold(names)
    keys = _table(map(_key, folded), ids)
    return Index(entries=by_id, keys=keys, rejected=list(rejected), _folded=folded, _ids=ids)


def _table(spellings: Iterable[str], ids: list[tuple[str]]) -> Ids:
    table = defaultdict[str, tuple[str, ...]](tuple)
    for spelling, id_ in zip(spellings, ids, strict=False):
        table[spelling] += id_
    # Names of nothing but quotes and hyphens, or of nothing at all: they would fit everything.
    table.pop("", None)
    return table


def _names(entry: Lookup) -> Iterable[str]:
    return entry.translation.lines.values() or (entry.translation.text,)


# ── the search ────────────────────────────────────────────────────────────────────────────────────────────


def search(
    index: Index, query: str, *, threshold: float = DEFAULT_THRESHOLD, limit: int | None = DEFAULT_LIMIT
) -> list[Lookup]:
    """Find the entries that a query may mean.

    Entries that have this very name or id come first, with a score of 100. Then come names that look the same
    (99), the same words in another order (98), names typed on the wrong keyboard layout (97), and at last names
    that are like the query or contain it (95 and less).

    Entries with the same score are all marked `ambiguous`, but for one that alone is written exactly like the query.
    Those that are come first; the others stand in the order of their category, and within it of their id.

    Args:
        index: Where to search.
        query: A name in any language, a part of one, or an id.
        threshold: The lowest score of a result, 0 to 100.
        limit: How many results at most, from 1; `None` for all.

    Returns:
        The entries, the best first; empty where nothing fits, and for a blank query.

    Raises:
        ValueError: A number is out of its range.
        ImportError: rapidfuzz is not installed.
    """
    check_threshold(threshold)
    if limit is not None:
        validation.integer("limit", limit, 1)
    if not str(query).strip():
        return []  # as boxes that complete what is typed ask
    query = validation.text("query", query).strip()
    typed, *relaid = spell([query, *relay(query)])
    scores = dict(_exact(index, query, typed))
    if limit is None or len(scores) < limit:
        # Of an id found in several ways the best counts, and what comes later is better.
        scores = {**dict(_straight(index, typed, relaid)), **scores}
    if limit is None or len(scores) < limit:
        for id_, score in _similar(index, typed, relaid, threshold):
            scores[id_] = max(score, scores.get(id_, 0.0))
    return _ranked(index, query, {id_: score for id_, score in scores.items() if score >= threshold}, limit)


def check_threshold(threshold: float) -> float:
    """Return the threshold, or raise a `ValueError`. One of stalcraft-api's scale is accepted with a warning."""
    score = validation.real(threshold)
    if score is None or not 0 <= score <= EXACT:
        raise validation.refuse("threshold", threshold, "a score from 0 to 100")
    if 0 < score < 1:
        scale = f"scores go from 0 to 100, so threshold={threshold} finds nearly everything"
        warnings.warn(f"{scale}; stalcraft-api's went from 0 to 1: say {100 * score:g}", UserWarning, stacklevel=3)
    return score


def resolve(index: Index, query: str) -> Lookup:
    """The one entry that a name or an id means. Names that are only similar are not taken for it.

    Raises:
        ItemNameError: There is none or more than one; it lists the candidates.
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
    """Ids that the query is, or the name of."""
    yield from ((id_, EXACT) for id_ in {query, query.lower()} & index.entries.keys())
    yield from _hits(index.keys, typed.key, EXACT)


def _straight(index: Index, typed: Spelling, relaid: list[Spelling]) -> Iterator[tuple[str, float]]:
    """Ids found by looking the query up in looser spellings, the best way last."""
    for other in relaid:
        yield from _hits(index.shapes, other.shape, LAYOUT)
    yield from _hits(index.bags, typed.bag, WORD_ORDER)
    yield from _hits(index.shapes, typed.shape, LOOK_ALIKE)


def _hits(table: Ids, spelling: str, score: float) -> Iterator[tuple[str, float]]:
    return ((id_, score) for id_ in table.get(spelling, ()))


def _similar(index: Index, typed: Spelling, relaid: list[Spelling], threshold: float) -> list[tuple[str, float]]:
    """Ids whose name is like the query, or has all its words somewhere."""
    found = [*_alike(index.shapes, typed.shape, SIMILAR, threshold), *_containing(index.shapes, typed.words)]
    if max((score for _, score in found), default=0.0) < _DOUBTFUL:
        found += _alike(index.bags, typed.bag, SIMILAR_WORD_ORDER, threshold)
        for other in relaid:
            found += _alike(index.shapes, other.shape, SIMILAR_LAYOUT, threshold)
            found += _containing(index.shapes, other.words)
    return found or [
        *_anagrams(index.shapes, typed.shape),
        *_partly_alike(index.shapes, typed.shape, threshold),
    ]


def _alike(table: Ids, spelling: str, best: float, threshold: float) -> Iterator[tuple[str, float]]:
    """Ids by the share of letters that need no edit; swapping two neighbours counts as one edit."""
    scorer = require_rapidfuzz().distance.OSA.normalized_similarity
    return _compared(table, table, spelling, scorer, full=1.0, best=best, threshold=threshold)


def _containing(table: Ids, words: list[str]) -> Iterator[tuple[str, float]]:
    """Ids whose name has all the words, the better the less else it has; the start of a name counts more."""
    fitting: Iterable[str] = table if words else ()
    for word in sorted(words, key=len, reverse=True):
        fitting = [name for name in fitting if word in name]
    size = sum(map(len, words))
    for name in fitting:
        start = 65.0 if name.startswith(words[0]) else 60.0
        yield from _hits(table, name, start + 20.0 * min(1.0, size / len(name)))


def _anagrams(table: Ids, spelling: str) -> Iterator[tuple[str, float]]:
    """Ids by the same letters in another order: a swap in a name of two leaves nothing that is alike."""
    letters = sorted(spelling)
    for name in table:
        if len(name) == len(letters) and sorted(name) == letters:
            yield from _hits(table, name, ANAGRAM)


def _partly_alike(table: Ids, spelling: str, threshold: float) -> Iterator[tuple[str, float]]:
    """Ids by how well the query fits some part of the name; slow, so for queries that fit nothing else."""
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
    """Ids by a scorer of rapidfuzz, whose `full` mark counts as the score `best`."""
    if not spelling or threshold > best:
        return
    cutoff = full * threshold / best
    found = require_rapidfuzz().process.extract(
        spelling, list(names), scorer=scorer, processor=None, score_cutoff=cutoff, limit=None
    )
    for name, mark, _ in found:
        yield from _hits(table, name, mark / full * best)


def _ranked(index: Index, query: str, scores: dict[str, float], limit: int | None) -> list[Lookup]:
    """The entries by their scores, those with the same score in the documented order."""
    written = {id_ for id_, score in scores.items() if score == EXACT and _is_written(query, index.entries[id_])}

    def place(id_: str) -> tuple[float, bool, str, str]:
        return -scores[id_], id_ not in written, index.entries[id_].category or "", id_

    ties = Counter(scores.values())
    return [
        replace(
            index.entries[id_],
            score=round(score, 2),
            # Who spells a name or an id exactly means that one, whatever others differ from it in a hyphen.
            ambiguous=ties[score] > 1 and written != {id_},
        )
        for id_ in sorted(scores, key=place)[:limit]
        for score in [scores[id_]]
    ]


def _is_written(query: str, entry: Lookup) -> bool:
    return query == entry.id or query in _names(entry)


def require_rapidfuzz() -> Any:
    """Return the package that compares names.

    Raises:
        ImportError: It is not installed; the message says how to.
    """
    with extra("names", "item names"):
        import rapidfuzz
    return rapidfuzz
