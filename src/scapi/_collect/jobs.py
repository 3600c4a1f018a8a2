"""The items of a collector, its jobs, and their outcomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from scapi._collect import spans

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from scapi._collect.history import HistoryWalk
    from scapi._collect.records import CollectedLot, CollectedSale
    from scapi._collect.spans import Interval
    from scapi._store.rows import Place

Kind: TypeAlias = Literal["emission", "members", "sales", "lots", "gap"]

#: What stands for an emission in place of the id of an item, and what stands before the id of a clan. No id of an item
#: has a colon.
EMISSION, CLAN = "region:emission", "clan:"

#: The cost of a call, in points. That of `"members"` isn't published; this is what most calls cost.
COSTS: Mapping[Kind, int] = {"emission": 1, "members": 2, "sales": 2, "lots": 2, "gap": 2}


@dataclass(eq=False)
class Item:
    """The state of an item in a region, of the region's emission, or of a clan.

    Attributes:
        place: The region and the item, `EMISSION`, or `CLAN` and the id of the clan.
        complete: The complete intervals of its history, the newest first; `None` until they were read.
        rate: Sales per hour; `None` before the first poll.
        lots: The number of lots on offer, as of the last poll.
        has_lots: Whether its lots were ever fetched.
        total: The number of sales on the server, as of the last poll.
        newest: The time of the newest sale, as of the last poll.
        left: The number of sales in its past that are still to be read; `None` if unknown.
        failures: The number of polls that failed in a row.
        aside: Why it is fetched rarely; `None` if it isn't.
        looked: When its sales, or the emission or members, were last fetched successfully, on the clock of the agenda.
        walk: The walk that fills one of its gaps.
        is_dropped: Whether another collector has taken it over.
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

    @property
    def looks(self) -> tuple[Kind, ...]:
        """The kinds of polls of it."""
        if self.place.item == EMISSION:
            return ("emission",)
        return ("members",) if self.place.item.startswith(CLAN) else ("sales", "lots")

    @property
    def is_traded(self) -> bool:
        """Whether it is an item of the auction, not an emission or a clan."""
        return "sales" in self.looks

    def gaps(self, since: datetime | None) -> list[Interval]:
        """Return the gaps of its history, the newest first. Without `since`, only those between complete intervals."""
        if not self.complete:
            return []
        return spans.gaps(self.complete, self.complete[-1].oldest if since is None else since)


class Job(NamedTuple):
    """A job that is due.

    Attributes:
        kind: A poll of an `"emission"`, of `"members"`, of fresh `"sales"`, of all `"lots"`, or a page of a `"gap"`.
        item: The item.
        order: Its place among jobs of its kind that are due at the same time.
    """

    kind: Kind
    item: Item
    order: int


@dataclass
class Outcome:
    """The outcome of a job.

    Attributes:
        job: The job.
        error: Why it failed; `None` if it succeeded.
        complete: The complete intervals of the history.
        rate: Sales per hour; `None` if not measured.
        total: The number of sales on the server.
        newest: The time of the newest sale.
        on_offer: The number of lots on offer.
        walk: The walk to continue.
        pages: The number of pages that were read. The response to an emission or to members is a page.
        new_sales: The number of new sales.
        sales: The new sales to pass to `on_sale`, oldest first.
        new_lots: The number of new lots.
        lots: The new and gone lots to pass to `on_lot`.
        emissions: The number of new emissions.
        members: The number of clan members who joined or left.
        unread: The number of rows that can't be read or stored.
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
    emissions: int = 0
    members: int = 0
    unread: int = 0
