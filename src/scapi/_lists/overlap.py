"""Tell new rows from known ones if some rows are equal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def surplus(rows: Sequence[int], known: Sequence[int]) -> list[int]:
    """Return the places of rows that occur more often than among the known rows. Order doesn't matter.

    Args:
        rows: The keys of the received rows.
        known: The keys of the known rows.
    """
    left = Counter(known)
    places: list[int] = []
    for place, row in enumerate(rows):
        left[row] -= 1
        if left[row] < 0:
            places.append(place)
    return places


def after_overlap(known: Sequence[int], rows: Sequence[int], expected: int) -> Sequence[int]:
    """Return the places of the new rows behind the known ones. Both have the same order.

    Args:
        known: The keys of the last known rows.
        rows: The keys of the received rows.
        expected: How many of these should be known, if `total` is right. Equal rows allow several results; the one
            nearest to this is taken.
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
    return surplus(rows, known)
