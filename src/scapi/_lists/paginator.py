"""What to ask next and what is new, while a list that gives its rows no ids is read page by page and moves.

The API pages by offset alone: a new sale on top pushes all others down by one, and a lot that goes pulls those behind
it up. So each page begins a little before the end of the one before. How much is known twice is told by what the rows
are sorted by: rows on the known side of the *frontier* (the sort value of the last row read) are known, those beyond it
are new, and those that share its value, its *tie*, are compared one by one, as multisets. A page that begins beyond the
frontier has left a gap, which is read before going on.

This is exact as long as rows keep their sort value and a tie fits in a page. Where it doesn't, or where there is no
sort value to go by, pages are laid over each other so that their rows match, as near as may be to where the change of
`total` says. Nothing is remembered but the rows of one tie, at most a page of them.

A cache may answer with an older state of a history, in which `total` and all offsets are smaller. That is made up for
unless the state is older than the first page, or more than three such answers come with no page that brings anything
new between them: the walk then takes it that it makes no way, and ends.
"""

from __future__ import annotations

import operator
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import msgspec

from scapi._api import decoding, requests
from scapi._base import validation
from scapi._base.json_types import is_array, is_object
from scapi.enums import Order
from scapi.exceptions import DecodeError
from scapi.models import Listing, Rejected, _identity
from scapi.models.auction import LOT_VOLATILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from scapi._api.requests import ListRequest


T = TypeVar("T")

#: How many pages may bring nothing new to begin with. The demo host answers the same rows to any offset.
PATIENCE = 1


class _Shape(NamedTuple):
    """How an endpoint's list is built.

    Attributes:
        rows: The name of the rows on the wire.
        total: The name of their number in all on the wire.
        most: The largest page that the API gives.
        identity: The fields on the wire that tell one row from another; none for all but the `volatile` ones.
        volatile: Fields on the wire that change while the row stays the same one.
        margin: Rows before the tie that are read again, so that as many may go without leaving a gap.
    """

    rows: str
    total: str = "total"
    most: int = requests.MAX_LIMIT
    identity: tuple[str, ...] = ()
    volatile: frozenset[str] = frozenset()
    margin: int = 1


SHAPES = {
    "price_history": _Shape("prices"),
    "lots": _Shape("lots", volatile=LOT_VOLATILE, margin=10),
    "clans": _Shape("data", "totalClans", identity=("id",), margin=10),
    "operations_sessions": _Shape("sessions", most=requests.MAX_LIMIT_OPERATIONS, identity=("id",)),
}


class _Sorting(NamedTuple):
    """What a list is sorted by.

    Attributes:
        field: The field's name in the model; empty where there is none, or where its value may change.
        wire: Its name on the wire.
        descending: Whether the largest value comes first.
        newest_first: Whether new rows come in before all others.
    """

    field: str = ""
    wire: str = ""
    descending: bool = False
    newest_first: bool = False


#: Clans have no order that is known, and a bid changes the current price: there, positions are all there is.
SORTINGS = {
    ("price_history", None): _Sorting("time", "time"),
    ("lots", "time_created"): _Sorting("start_time", "startTime"),
    ("lots", "time_left"): _Sorting("end_time", "endTime"),
    ("lots", "buyout_price"): _Sorting("buyout_price", "buyoutPrice"),
    ("operations_sessions", "date_finish"): _Sorting("end_time", "endTime"),
    ("operations_sessions", "difficulty"): _Sorting("difficulty", "difficulty"),
}

#: Sort parameters by which a new row is the last of all, or with a descending order the first.
CHRONOLOGICAL = {None, "time_created", "date_finish"}


class Walk(Generic[T]):
    """A walk through all rows of a list: it says which page to ask for, and takes what came.

    Args:
        first: A request for any page of the list.
        limit: How many rows in all, 0 or more; all of them by default.
        since: Only rows with a later time than this; for lists that are sorted by time, newest first.

    Attributes:
        done: Whether there is nothing more to ask for.

    Raises:
        ValueError: An argument is out of its range.
    """

    def __init__(self, first: ListRequest[T], *, limit: int | None = None, since: datetime | str | None = None) -> None:
        self._first = first
        self._shape = SHAPES[first.operation]
        self._sorting = _sorting(first)
        self._since = None if since is None else validation.moment("since", since)
        self._left = sys.maxsize if limit is None else validation.integer("limit", limit, 0)
        self.done = self._left == 0
        self._offset = 0
        self._size = min(self._shape.most, self._left)
        self._room = 0
        self._total = 0
        self._patience = PATIENCE
        self._went_back = False
        # What is known: the rows before the offset `_frontier`, the value of the last of them, and those that share it.
        self._frontier = 0
        self._value: Any = None
        self._tie: list[bytes] = []
        self._tie_is_whole = True
        self._by_position = not self._sorting.field

    @property
    def request(self) -> ListRequest[T]:
        """The page to ask for now."""
        return self._first.with_page(limit=self._size, offset=self._offset)

    def take(self, page: Listing[T]) -> Listing[T]:
        """What is new in the page that was asked for; from here on `request` is the next one.

        Args:
            page: The page as it was decoded; with `json=True` the plain object that the server sent.

        Returns:
            The new rows in the page's order, rejected ones apart. `has_more` is whether there is another page to ask
            for.

        Raises:
            DecodeError: A plain object isn't a page.
        """
        entries, total = _opened(page, self._shape)
        values = self._values(entries)
        ranks = self._ranks(values, len(entries))
        asked = decoding.Page(limit=self._size, offset=self._offset)
        if self._tie and self._sorting.newest_first:
            self._frontier += total - self._total
        fresh = self._fresh(entries, ranks, total)
        if fresh is None:
            self._step_back(total)
            self._went_back = True
        else:
            self._step_on(entries, ranks, total, fresh)
            fresh = self._until_since(fresh, values)
        self._lose_patience(fresh, total)
        self._total, self._size = total, self._shape.most
        return self._listing([entries[place] for place in fresh or ()], total, asked)

    def _values(self, entries: list[Any]) -> list[Any]:
        """What each row is sorted by: where that can't be read, what its neighbour is; empty where nothing can be."""
        if not self._sorting.field:
            return []
        values = _values(entries, self._sorting)
        if values and values[0] is None and not self._by_position and _key(entries[0], self._shape) in self._tie:
            values[0] = self._value
        return _filled(values)

    def _ranks(self, values: list[Any], count: int) -> list[Any]:
        """The values that the rows are sorted by; all the same where there are none, or where they are not sorted."""
        if count and not (values and _in_order(values, self._sorting.descending)) and not self._by_position:
            self._by_position, self._value, self._tie_is_whole = True, 0, False
        return [0] * count if self._by_position else values

    # What is new

    def _fresh(self, entries: list[Any], ranks: list[Any], total: int) -> list[int] | None:
        """The places of the new rows; `None` where the page begins beyond the frontier and leaves a gap."""
        if not entries:
            # Where the server says that there are rows and sends none, there is nothing to go back for.
            return None if self._offset >= max(total, 1) else []
        begin, end = self._tied(ranks)
        from_top = begin > 0 or not self._offset
        expected = self._frontier - self._offset - begin
        is_behind = end == 0 or (self._sorting.newest_first and expected <= 0)
        # A page that begins within the tie again, after going back for it, won't begin before it next time either.
        if not from_top and (is_behind or (self._is_small and not self._went_back)):
            return None
        tied = [_key(entry, self._shape) for entry in entries[begin:end]]
        if from_top and self._tie_is_whole:
            new: Sequence[int] = _surplus(tied, self._tie)
            goes_on = expected < len(tied) if self._sorting.newest_first else len(tied) - 1 in new
            if goes_on:  # those that aren't on the page are gone, or come before it
                self._tie = [self._tie[place] for place in _surplus(self._tie, tied)] + tied
            else:
                self._tie = [tied[place] for place in new] + self._tie
        elif self._sorting.newest_first and expected > len(tied):
            new = ()  # pushed down so far that all of them come before the frontier, whatever they look like
        else:
            new = _laid_over(self._tie, tied, expected)
            if not from_top and len(new) == len(tied):
                return None
            self._tie += [tied[place] for place in new]
        return [*(begin + place for place in new), *range(end, len(entries))]

    def _tied(self, ranks: list[Any]) -> tuple[int, int]:
        """Where the rows begin and end that share the value of the frontier."""
        if not self._tie:
            return 0, 0
        is_known = operator.gt if self._sorting.descending else operator.lt
        begin = next((place for place, rank in enumerate(ranks) if not is_known(rank, self._value)), len(ranks))
        end = next((place for place in range(begin, len(ranks)) if ranks[place] != self._value), len(ranks))
        return begin, end

    # Where to go on

    @property
    def _is_small(self) -> bool:
        """Whether the tie can be read again whole, and leave room for what is new."""
        return self._tie_is_whole and len(self._tie) + self._shape.margin < self._room

    @property
    def _before_the_frontier(self) -> int:
        """The offset of a page that overlaps with what is known."""
        overlap = len(self._tie) if self._is_small else self._room // 10
        return max(0, self._frontier - min(overlap + self._shape.margin, self._room - 1))

    def _step_back(self, total: int) -> None:
        if self._sorting.newest_first and self._before_the_frontier < self._offset:
            # `total` tells where the frontier is. A page from further up might bring nothing new, and lose patience.
            self._offset = self._before_the_frontier
        else:
            self._offset = max(0, min(self._offset, total) - max(1, self._room - self._shape.margin))

    def _step_on(self, entries: list[Any], ranks: list[Any], total: int, fresh: list[int]) -> None:
        end = self._offset + len(entries)
        if entries and end < total:
            self._room = len(entries)
        if fresh and (not self._tie or ranks[-1] != self._value):
            self._frontier = end
            self._value, self._tie_is_whole = ranks[-1], True
            self._tie = [_key(entry, self._shape) for entry in entries[ranks.index(self._value) :]]
        else:
            # The tie goes on behind this page, as far as is known already.
            self._frontier = max(end, self._frontier)
        if len(self._tie) > self._room:
            del self._tie[: -max(self._room, 1)]
            self._tie_is_whole = False
        self._offset = self._before_the_frontier
        self.done = end >= total or not entries

    def _until_since(self, fresh: list[int], values: list[Any]) -> list[int]:
        if self._since is None or not values:
            return fresh
        # Where the rows don't come newest first, as they should, those that are wanted may be anywhere.
        self.done = self.done or (values[-1] <= self._since and not self._by_position)
        return [place for place in fresh if values[place] > self._since]

    def _lose_patience(self, fresh: list[int] | None, total: int) -> None:
        """End a walk that makes no way: the demo host ignores the offset and answers the same rows forever."""
        if fresh:
            # Going back over a page, and over it again, is the most that a gap may cost.
            self._patience += 2
            self._went_back = False
        elif total <= self._total:
            self._patience -= 1
            self.done = self.done or self._patience < 0

    def _listing(self, fresh: list[Any], total: int, asked: decoding.Page) -> Listing[T]:
        rejected = [entry for entry in fresh if type(entry) is Rejected]
        rows = [entry for entry in fresh if type(entry) is not Rejected] if rejected else fresh
        listing = Listing[T](rows[: self._left], total=total, rejected=rejected, **asked._asdict())
        self._left -= len(listing)
        self.done = self.done or not self._left
        listing.has_more = not self.done
        return listing


def _sorting(first: ListRequest[Any]) -> _Sorting:
    """What the list is sorted by, as the request says."""
    sorting = SORTINGS.get((first.operation, first.sort), _Sorting())
    descending = first.order is not Order.ASCENDING
    return sorting._replace(descending=descending, newest_first=descending and first.sort in CHRONOLOGICAL)


# ── pages and rows, decoded or plain ──────────────────────────────────────────────────────────────────────────────────


def _opened(page: Listing[Any] | dict[str, Any], shape: _Shape) -> tuple[list[Any], int]:
    """All rows of a page, rejected ones in their places, and the number of rows in all."""
    if isinstance(page, Listing):
        entries: list[Any] = list(page)
        for rejected in page.rejected:
            entries.insert(rejected.index, rejected)
        return entries, page.total
    rows: Any = page.get(shape.rows) if is_object(page) else None
    total: Any = page.get(shape.total) if is_object(page) else None
    if not is_array(rows) or not isinstance(total, int):
        expected = f"expected an object with {shape.total!r} and a list in {shape.rows!r}"
        raise DecodeError(f"not a page: {expected}", model="dict")
    return rows, total


def _values(entries: list[Any], sorting: _Sorting) -> list[Any]:
    """What each row is sorted by, `None` where that can't be read."""
    try:
        return list(map(operator.attrgetter(sorting.field), entries))
    except AttributeError:  # there are plain objects or rejected rows among them
        return [_value(entry, sorting) for entry in entries]


def _value(entry: Any, sorting: _Sorting) -> Any:
    if isinstance(entry, msgspec.Struct):
        return getattr(entry, sorting.field)
    raw: Any = entry.get(sorting.wire) if is_object(entry) else None
    if not isinstance(raw, str):
        return raw if isinstance(raw, int | float) else None
    try:
        return validation.moment(sorting.wire, raw)
    except ValueError:
        return None


def _filled(values: list[Any]) -> list[Any]:
    """The values with those of their neighbours where there are none; empty where there are none at all."""
    if None not in values:
        return values
    last = next((value for value in values if value is not None), None)
    return [] if last is None else [last := last if value is None else value for value in values]


def _in_order(values: list[Any], descending: bool) -> bool:
    return all(map(operator.ge if descending else operator.le, values, values[1:]))


def key(operation: str, row: object) -> bytes:
    """What a row of an endpoint's list is known by."""
    return _key(row, SHAPES[operation])


def _key(entry: Any, shape: _Shape) -> bytes:
    """What a row is known by: all that it holds, since the API gives most rows no id."""
    raw = entry.raw if isinstance(entry, Rejected) else msgspec.to_builtins(entry)
    if is_object(raw):
        raw = {name: raw[name] for name in shape.identity or raw.keys() - shape.volatile if name in raw}
    return _identity.settled(raw)


# ── comparing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _surplus(rows: list[bytes], known: list[bytes]) -> list[int]:
    """The places of the rows that there are more of than are known."""
    left = Counter(known)
    places: list[int] = []
    for place, row in enumerate(rows):
        left[row] -= 1
        if left[row] < 0:
            places.append(place)
    return places


def _laid_over(known: list[bytes], rows: list[bytes], expected: int) -> Sequence[int]:
    """The places of the new rows among some that begin with known ones, in an order that both share.

    Args:
        known: The last rows that are known.
        rows: The rows that came.
        expected: How many of these should be known, if `total` tells the truth. Equal rows allow several answers; the
            one nearest to this is taken.
    """
    shift = len(known)
    fitting = (
        place
        for place in range(1, shift + len(rows))
        if rows[max(0, place - shift) : place] == known[max(0, shift - place) : len(rows) + shift - place]
    )
    place = min(fitting, key=lambda place: abs(place - expected), default=0)
    if place or expected >= shift + len(rows):
        return range(place or expected, len(rows))
    return _surplus(rows, known)
