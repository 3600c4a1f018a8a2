"""Compute complete intervals of a history, and the gaps between them. Pure.

An interval is `oldest < time <= newest`, so two intervals touch if one ends at the time that the other begins with,
whatever the resolution of time is. For a collector, a complete interval is also *settled*: sales may still turn up in
the `SALES_OVERLAP` before the newest one, so no interval reaches into it. A complete interval stays complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from scapi._store.reading import BEGINNING
from scapi._store.times import MICROSECOND
from scapi.models import SALES_OVERLAP

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class HasEnds(Protocol):
    """Anything with a newer and an older end, such as a span of the store."""

    @property
    def newest(self) -> datetime:
        """The newer end."""
        ...

    @property
    def oldest(self) -> datetime:
        """The older end."""
        ...


class Interval(NamedTuple):
    """All times with `oldest < time <= newest`.

    Attributes:
        newest: The newer end, inclusive.
        oldest: The older end, exclusive.
    """

    newest: datetime
    oldest: datetime


def merged(intervals: Iterable[HasEnds]) -> list[Interval]:
    """Merge intervals that overlap or touch. Return the newest first."""
    found: list[Interval] = []
    for newest, oldest in sorted(((each.newest, each.oldest) for each in intervals), reverse=True):
        if oldest >= newest:
            continue
        if found and newest >= found[-1].oldest:
            found[-1] = Interval(found[-1].newest, min(oldest, found[-1].oldest))
        else:
            found.append(Interval(newest, oldest))
    return found


def gaps(complete: Iterable[HasEnds], since: datetime = BEGINNING) -> list[Interval]:
    """Return the gaps below the newest complete interval, the newest first.

    Args:
        complete: The complete intervals, in any order.
        since: Leave out everything up to this time.
    """
    spans = merged(complete)
    ends = [*(span.newest for span in spans[1:]), since]
    below = (Interval(span.oldest, max(end, since)) for span, end in zip(spans, ends, strict=False))
    return [gap for gap in below if gap.oldest < gap.newest]


def settled_before(newest: datetime) -> datetime:
    """Return the newest time at which no more sales can turn up, given the time of the newest sale."""
    # A sale exactly `SALES_OVERLAP` late may still turn up.
    try:
        return newest - SALES_OVERLAP - MICROSECOND
    except OverflowError:
        return BEGINNING
