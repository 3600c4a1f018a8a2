"""Intervals of a history that are complete, and the gaps between them. Pure.

An interval is `oldest < time <= newest`, so two of them touch where one ends at the time that the other begins with,
and no resolution of time matters. What a collector calls complete is *settled* too: sales may still turn up in the
`SALES_OVERLAP` before the newest one, so no interval reaches into it. Completed once, complete forever.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from scapi.models import SALES_OVERLAP

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BEGINNING", "HasEnds", "Interval", "gaps", "merged", "settled_before"]

#: Older than any sale: the older end of an interval that reaches back to the first one.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

MICROSECOND = timedelta(microseconds=1)


class HasEnds(Protocol):
    """Anything that has a newer and an older end, as a span of the store."""

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
        newest: The newer end, which is part of it.
        oldest: The older end, which isn't.
    """

    newest: datetime
    oldest: datetime


def merged(intervals: Iterable[HasEnds]) -> list[Interval]:
    """Return intervals as few as can be, the newest first: those that overlap or touch become one."""
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
    """Return what is missing below the newest complete interval, the newest gap first.

    Args:
        complete: The complete intervals, in any order.
        since: Nothing up to this time is wanted.
    """
    spans = merged(complete)
    ends = [*(span.newest for span in spans[1:]), since]
    below = (Interval(span.oldest, max(end, since)) for span, end in zip(spans, ends, strict=False))
    return [gap for gap in below if gap.oldest < gap.newest]


def settled_before(newest: datetime) -> datetime:
    """Return the newest time at which no sale can turn up any more, when this is the time of the newest sale."""
    # A sale that is exactly as late as sales may be still turns up.
    try:
        return newest - SALES_OVERLAP - MICROSECOND
    except OverflowError:
        return BEGINNING
