"""What a collector does: the items that it looks at, its jobs, and what becomes of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from scapi._collect import spans

if TYPE_CHECKING:
    from datetime import datetime

    from scapi._collect.history import HistoryWalk
    from scapi._collect.records import CollectedLot, CollectedSale
    from scapi._collect.spans import Interval
    from scapi._store.rows import Place

__all__ = ["Item", "Job", "Kind", "Outcome"]

Kind: TypeAlias = Literal["sales", "lots", "gap"]


@dataclass(eq=False)
class Item:
    """An item of a region, and what is known of it.

    Attributes:
        place: The region and the item.
        complete: The intervals of its history that are complete, the newest first; `None` until they were read.
        rate: Sales per hour; `None` until it was looked at.
        lots: Lots on offer, as of the last look.
        has_lots: Whether its lots were ever looked at.
        total: Sales that the server has, as of the last look.
        newest: The time of the newest sale, as of the last look.
        left: Sales that are older than what was read of its past, where that is known.
        failures: How many looks have failed in a row.
        aside: Why it is asked rarely; `None` where it isn't.
        looked: When its sales were last looked at with success, on the clock of the agenda.
        walk: The walk that fills a gap of it.
        is_dropped: Whether nothing is to be done for it any more.
    """

    place: Place
    complete: list[Interval] | None = None
    rate: float | None = None
    lots: int = 0
    has_lots: bool = False
    total: int | None = None
    newest: datetime | None = None
    left: int | None = None
    failures: int = 0
    aside: str | None = None
    looked: float | None = None
    walk: HistoryWalk | None = None
    is_dropped: bool = False
    pages: int = field(default=0, repr=False)
    is_filling: bool = field(default=False, repr=False)

    def gaps(self, since: datetime | None) -> list[Interval]:
        """Return what is missing of its history, the newest gap first; with no `since` only what is newer than all."""
        if not self.complete:
            return []
        return spans.gaps(self.complete, self.complete[-1].oldest if since is None else since)


class Job(NamedTuple):
    """Something to do now.

    Attributes:
        kind: A look at fresh `"sales"`, one at all `"lots"`, or a page of a `"gap"`.
        item: For which item.
        order: Its place among the jobs of its kind that are due at the same time.
    """

    kind: Kind
    item: Item
    order: int


@dataclass
class Outcome:
    """What became of a job.

    Attributes:
        job: The job.
        error: Why it failed; `None` where it didn't.
        complete: Intervals of the history that are complete now.
        rate: Sales per hour, where it was measured.
        total: Sales that the server has.
        newest: The time of the newest sale.
        on_offer: Lots on offer.
        walk: The walk to go on with.
        pages: How many pages were read.
        new_sales: How many sales were new.
        sales: Those of them that somebody wants to be told of, oldest first.
        new_lots: How many lots were new.
        lots: What happened to lots, for whoever wants to be told.
        unread: Rows that can't be read or stored.
    """

    job: Job
    error: Exception | None = None
    complete: list[Interval] = field(default_factory=list["Interval"])
    rate: float | None = None
    total: int | None = None
    newest: datetime | None = None
    on_offer: int | None = None
    walk: HistoryWalk | None = None
    pages: int = 0
    new_sales: int = 0
    sales: list[CollectedSale] = field(default_factory=list["CollectedSale"])
    new_lots: int = 0
    lots: list[CollectedLot] = field(default_factory=list["CollectedLot"])
    unread: int = 0
