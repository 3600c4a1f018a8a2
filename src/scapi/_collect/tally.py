"""Totals of a run of a collector."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from scapi._base import escaping
from scapi._collect.history import PAGE
from scapi._collect.jobs import COSTS
from scapi._collect.plan import COST
from scapi._collect.records import Collected, Failure, Progress
from scapi._store.reading import BEGINNING

if TYPE_CHECKING:
    from datetime import datetime

    from scapi._collect.agenda import Agenda
    from scapi._collect.jobs import Item, Outcome
    from scapi._store.rows import Place

#: The number of failures that are reported in detail.
MOST_FAILURES = 100


class Tally:
    """The totals of a run."""

    def __init__(self) -> None:
        self.sales = self.lots = self.emissions = self.members = 0
        self.pages = self.points = self.failures = 0
        self._failing: dict[Place, Failure] = {}

    @property
    def rows(self) -> int:
        """The number of new rows."""
        return self.sales + self.lots + self.emissions + self.members

    def add(self, outcome: Outcome) -> None:
        """Count a job that succeeded, or failed after some pages."""
        self.sales += outcome.new_sales
        self.lots += outcome.new_lots
        self.emissions += outcome.emissions
        self.members += outcome.members
        self.pages += outcome.pages
        self.points += COSTS[outcome.job.kind] * outcome.pages
        if outcome.error is None and not outcome.unread:
            self._failing.pop(outcome.job.item.place, None)

    def fail(self, item: Item, text: str, time: datetime) -> str:
        """Count a failure, and return it on one line."""
        self.failures += 1
        return self.still_fails(item, text, time)

    def still_fails(self, item: Item, text: str, time: datetime) -> str:
        """Report a failure, of this run or of an earlier one, and return it on one line."""
        line = escaping.log(text)
        region, place = item.place
        self._failing[item.place] = Failure(
            region=region, item=place, error=line, failures=max(1, item.failures), time=time
        )
        return line

    def collected(self, elsewhere: int) -> Collected:
        """Return the result of the run."""
        return Collected(
            sales=self.sales,
            lots=self.lots,
            emissions=self.emissions,
            members=self.members,
            pages=self.pages,
            points=self.points,
            failures=self.failures,
            failing=list(self._failing.values()),
            elsewhere=elsewhere,
        )

    def progress(self, agenda: Agenda, now: float, since: datetime | None, elsewhere: int) -> Progress:
        """Return the progress of the run."""
        items = [item for item in agenda.items.values() if item.is_traded]
        lags = [now - item.looked for item in items if item.looked is not None and item.aside is None]
        filling = agenda.filling
        return Progress(
            items=len(items),
            elsewhere=elsewhere,
            aside=sum(item.aside is not None for item in items),
            looked=sum(item.looked is not None for item in items),
            lag=median(lags) if lags else None,
            longest_lag=max(lags, default=None),
            sales=self.sales,
            lots=self.lots,
            emissions=self.emissions,
            members=self.members,
            pages=self.pages,
            points=self.points,
            failures=self.failures,
            failing=list(self._failing.values())[:MOST_FAILURES],
            filling=len(filling),
            eta=_eta(filling, agenda.plan.left, since),
            notes=agenda.plan.sentences(),
        )


def _eta(filling: list[Item], points: float, since: datetime | None) -> float | None:
    """Estimate the seconds until the past is complete, from current rates or the known number of sales left."""
    pages = 0.0
    for item in filling:
        hours = sum((gap.newest - gap.oldest).total_seconds() for gap in item.gaps(since)) / 3600
        sales = (item.rate or 0.0) * hours
        if item.left is not None:
            sales = item.left if since == BEGINNING else min(sales, item.left)
        pages += max(1.0, sales / (PAGE - 2))
    if not pages:
        return 0.0
    return pages * COST * 60 / points if points > 0 else None
