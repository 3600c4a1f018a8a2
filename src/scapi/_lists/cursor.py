"""The position of a walk through a changing list: find the new rows of a page, and decide which page comes next.

The API pages only by offset. A new sale on top moves all others down by one, and a removed lot moves up those behind
it. So each page overlaps with the end of the previous one. Rows are compared by their sort value. The *frontier* is
the end of the known rows. Rows before the sort value at the frontier are known, and rows behind it are new. Rows that
share this value, the *tie*, are compared one by one, as multisets. A page that begins behind the frontier leaves a
gap, which is read before the walk continues.

This is exact as long as rows keep their sort value and a tie fits in a page. If it doesn't fit, or if there is no sort
value, pages are aligned so that their rows match. If several alignments match, the cursor takes the one nearest to the
change of `total`. It remembers only the rows of one tie, at most a page of them.

A cache may return an older state of a history, with a smaller `total` and smaller offsets. The cursor then goes back
for the rows in between. It misses sales only if such a response is older than the first page, or if more than three
of them come without a page with new rows between them: then the walk ends.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from scapi._lists.overlap import after_overlap, surplus
from scapi._lists.shapes import are_sorted, row_key, sort_values, without_gaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scapi._lists.shapes import Shape, Sorting

#: How many pages without new rows are allowed at the beginning. The demo host returns the same rows for any offset.
FRUITLESS_PAGES = 1

#: How many more pages without new rows are allowed after one with new rows. Going back over a gap twice takes two.
FRUITLESS_PAGES_PER_NEWS = 2


class Cursor:
    """The state of a walk. `feed` changes it, so feed a copy if you still need the old state.

    Args:
        shape: The structure of the list.
        sorting: What the list is sorted by.
        left: How many rows are still wanted.
        start: The offset of the first page. Rows before it are not wanted.

    Attributes:
        done: Whether there are no more pages to fetch.
        offset: The offset of the next page to fetch.
        size: The number of rows to fetch.
        frontier: The number of rows of the list up to the last known one.
        value: The sort value of the last known row.
        tie: The keys of the known rows with this value, in the list's order.
        tie_is_whole: Whether the tie has all of them.
        by_position: Whether the list isn't sorted, so that new rows are found only by position.
        total: The number of rows in the whole list, as of the last page.
    """

    def __init__(self, shape: Shape, sorting: Sorting, left: int, start: int = 0) -> None:
        self.shape = shape
        self.sorting = sorting
        self.left = left
        self.start = start
        self.done = left == 0
        self.offset = start
        self.size = min(shape.page_size, left)
        self.frontier = 0
        self.value: Any = None
        self.tie: list[int] = []
        self.tie_is_whole = True
        self.by_position = not sorting.field
        self.total = 0
        self._page_size = 0
        self._fruitless = FRUITLESS_PAGES
        self._went_back = False

    def resume(self) -> None:
        """Continue from a frontier that was set from outside."""
        self._page_size = self.size = self.shape.page_size
        self._fruitless += FRUITLESS_PAGES_PER_NEWS
        self.offset = self._before_the_frontier

    def feed(self, entries: list[Any], total: int) -> tuple[list[int], list[Any]]:
        """Process the page that was fetched, and move on to the next one.

        Args:
            entries: All rows of the page, rejected ones too.
            total: The number of rows in the whole list.

        Returns:
            The places of the new rows, and the sort value of each row of the page.
        """
        values = self._values(entries)
        ranks = self._ranks(values, len(entries))
        if self.tie and self.sorting.newest_first:
            self.frontier += total - self.total
        fresh = self._fresh(entries, ranks, total)
        if fresh is None:
            self._step_back(total)
            self._went_back = True
        else:
            self._step_on(entries, ranks, total, fresh)
        self._count_fruitless(fresh, total)
        self.total, self.size = total, self.shape.page_size
        return fresh or [], values

    def _values(self, entries: list[Any]) -> list[Any]:
        """Return the sort value of each row. Use a neighbour's value if one is unreadable; return [] if all are."""
        if not self.sorting.field:
            return []
        values = sort_values(entries, self.sorting)
        if values and values[0] is None and not self.by_position and row_key(entries[0], self.shape) in self.tie:
            values[0] = self.value
        return without_gaps(values)

    def _ranks(self, values: list[Any], count: int) -> list[Any]:
        """Return the values that the rows are sorted by. They are all 0 if rows are compared by position."""
        is_sorted = bool(values) and are_sorted(values, descending=self.sorting.descending)
        if count and not is_sorted and not self.by_position:
            self.by_position, self.value, self.tie_is_whole = True, 0, False
        return [0] * count if self.by_position else values

    def _fresh(self, entries: list[Any], ranks: list[Any], total: int) -> list[int] | None:
        """Return the places of the new rows, or `None` if the page begins behind the frontier and leaves a gap."""
        if not entries:
            # If `total` says that there are rows but the page is empty, going back doesn't help.
            return None if self.offset >= max(total, 1) else []
        begin, end = self._tied(ranks)
        from_top = begin > 0 or self.offset <= self.start
        expected = self.frontier - self.offset - begin
        is_behind = end == 0 or (self.sorting.newest_first and expected <= 0)
        # If a page begins within the tie even after going back, going back again doesn't help.
        if not from_top and (is_behind or (self._is_small and not self._went_back)):
            return None
        tied = [row_key(entry, self.shape) for entry in entries[begin:end]]
        if from_top and self.tie_is_whole:
            new: Sequence[int] = surplus(tied, self.tie)
            goes_on = expected < len(tied) if self.sorting.newest_first else len(tied) - 1 in new
            if goes_on:  # tied rows that aren't on the page are gone, or before it
                self.tie = [self.tie[place] for place in surplus(self.tie, tied)] + tied
            else:
                self.tie = [tied[place] for place in new] + self.tie
        elif self.sorting.newest_first and expected > len(tied):
            new = ()  # all of them moved to before the frontier, whatever their keys
        else:
            new = after_overlap(self.tie, tied, expected)
            if not from_top and len(new) == len(tied):
                return None
            self.tie = self.tie + [tied[place] for place in new]
        return [*(begin + place for place in new), *range(end, len(entries))]

    def _tied(self, ranks: list[Any]) -> tuple[int, int]:
        """Return where the rows with the value of the frontier begin and end."""
        if not self.tie:
            return 0, 0
        is_known = operator.gt if self.sorting.descending else operator.lt
        begin = next((place for place, rank in enumerate(ranks) if not is_known(rank, self.value)), len(ranks))
        end = next((place for place in range(begin, len(ranks)) if ranks[place] != self.value), len(ranks))
        return begin, end

    @property
    def _is_small(self) -> bool:
        """Whether the whole tie fits in a page again, with room for new rows."""
        return self.tie_is_whole and len(self.tie) + self.shape.margin < self._page_size

    @property
    def _before_the_frontier(self) -> int:
        """The offset of a page that overlaps with the known rows."""
        overlap = len(self.tie) if self._is_small else self._page_size // 10
        return max(0, self.frontier - min(overlap + self.shape.margin, self._page_size - 1))

    def _step_back(self, total: int) -> None:
        if self.sorting.newest_first and self._before_the_frontier < self.offset:
            # `total` gives the position of the frontier. A page from further up may have no new rows and end the walk.
            self.offset = self._before_the_frontier
        else:
            self.offset = max(0, min(self.offset, total) - max(1, self._page_size - self.shape.margin))

    def _step_on(self, entries: list[Any], ranks: list[Any], total: int, fresh: list[int]) -> None:
        end = self.offset + len(entries)
        if entries and end < total:
            self._page_size = len(entries)
        if fresh and (not self.tie or ranks[-1] != self.value):
            self.frontier = end
            self.value, self.tie_is_whole = ranks[-1], True
            self.tie = [row_key(entry, self.shape) for entry in entries[ranks.index(self.value) :]]
        else:
            # The known part of the tie continues behind this page.
            self.frontier = max(end, self.frontier)
        self._shorten_tie()
        self.offset = self._before_the_frontier
        self.done = end >= total or not entries

    def _shorten_tie(self) -> None:
        if len(self.tie) > self._page_size:
            self.tie = self.tie[-max(self._page_size, 1) :]
            self.tie_is_whole = False

    def _count_fruitless(self, fresh: list[int] | None, total: int) -> None:
        """End a walk without progress: the demo host ignores the offset and always returns the same rows."""
        if fresh:
            self._fruitless += FRUITLESS_PAGES_PER_NEWS
            self._went_back = False
        elif total <= self.total:
            self._fruitless -= 1
            self.done = self.done or self._fruitless < 0

    def stop_at(self, before: Cursor, entries: list[Any], values: list[Any], fresh: list[int], place: int) -> None:
        """Undo the part of the last page behind one of its new rows, as if the page had ended with that row.

        Args:
            before: The cursor before that page.
            entries: All rows of the page.
            values: The sort value of each, as `feed` returned them.
            fresh: The places of the new rows, as `feed` returned them.
            place: The place of the row.
        """
        ranks = [0] * len(entries) if self.by_position else values
        of_the_tie = bool(before.tie) and (self.by_position or ranks[place] == before.value)
        if of_the_tie:
            self.tie = before.tie + [row_key(entries[new], self.shape) for new in fresh if new <= place]
            self.tie_is_whole = before.tie_is_whole and self.by_position == before.by_position
        else:
            first = ranks.index(ranks[place])
            self.tie = [row_key(entry, self.shape) for entry in entries[first : place + 1]]
            self.tie_is_whole = True
        self.value = ranks[place]
        known_behind = len(entries) - 1 - place - sum(new > place for new in fresh)
        self.frontier = before.offset + place + 1 + known_behind
        self.done = False
        self._shorten_tie()
