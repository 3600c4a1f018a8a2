"""What a collector does next: looks at sales that are due, then at lots, then the past. Pure.

Times are seconds of any clock that only goes forward, and chance is a function: both are arguments.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from scapi._collect import refusals, spans
from scapi._collect.jobs import Job
from scapi._collect.plan import LIMIT, Load, Plan, fitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from scapi._collect.jobs import Item, Kind, Outcome
    from scapi._store.rows import Place

__all__ = ["Agenda", "Wanted"]

#: In this order.
KINDS: tuple[Kind, ...] = ("sales", "lots", "gap")

#: Pages of one item's past in a row, before that of others has its turn.
TURN = 25

#: How often in a row something may fail before a single round leaves it.
ATTEMPTS = 3

#: Seconds after which a single round tries again what has failed.
RETRY_ONCE = 5.0

#: Seconds after which a page of the past is asked for again that failed.
RETRY_GAP = 60.0

#: Seconds after which the plan is made anew, since rates change.
REFIT = 30.0


class Wanted(NamedTuple):
    """What is to be collected.

    Attributes:
        sales: Seconds between two looks at the sales of an item, above 0; `None` for none.
        lots: The same of its lots.
        since: Down to when the past is collected; `None` for not at all, but gaps between what is there are filled.
    """

    sales: float | None
    lots: float | None
    since: datetime | None


class Agenda:
    """All that is to be done, and when.

    Args:
        wanted: What is to be collected.
        once: Do everything once, and then nothing more.
        rng: Draws a number from 0 to 1.

    Attributes:
        items: The items by their places.
        plan: How often what is looked at.
        given_up: Items that failed too often for a single round.
    """

    def __init__(self, wanted: Wanted, *, once: bool, rng: Callable[[], float]) -> None:
        self._sales, self._lots, self._since = wanted
        self.items: dict[Place, Item] = {}
        self.plan = Plan(LIMIT, 0, self._sales, self._lots)
        self.given_up: set[Place] = set()
        self._once = once
        self._rng = rng
        self._queues: dict[Kind, list[tuple[float, int, Item]]] = {kind: [] for kind in KINDS}
        self._under_way: defaultdict[Kind, int] = defaultdict(int)
        self._order = 0
        self._fitted_at: float | None = None

    # ── what belongs to it ───────────────────────────────────────────────────────────────────────────────────────────

    def add(self, item: Item, now: float, *, sales_in: float = 0.0, lots_in: float = 0.0) -> None:
        """Add an item.

        Args:
            item: The item.
            now: The time.
            sales_in: Seconds until its sales are due.
            lots_in: Seconds until its lots are due.
        """
        self.items[item.place] = item
        if self._sales is not None and not (self._once and item.aside and sales_in > 0):
            longest = sales_in if item.aside else self._sales
            self._push("sales", 0.0 if self._once else now + min(sales_in, longest), item)
        if self._lots is not None and not (self._once and item.aside and lots_in > 0):
            longest = lots_in if item.aside else self._lots
            self._push("lots", 0.0 if self._once else now + min(lots_in, longest), item)

    def drop(self, places: Iterable[Place]) -> None:
        """Forget items: somebody else has them now."""
        for place in places:
            self.items.pop(place).is_dropped = True

    def fit(self, points: float, now: float) -> bool:
        """Make the plan anew, if it is time, and tell whether it says anything else than before."""
        if self._fitted_at is not None and now - self._fitted_at < REFIT and points == self.plan.points:
            return False
        before, self._fitted_at = self.plan, now
        loads = [Load(item.rate, item.lots, is_aside=item.aside is not None) for item in self.items.values()]
        self.plan = fitted(loads, sales=self._sales, lots=self._lots, points=points)
        return self.plan.sentences() != before.sentences()

    # ── what to do ───────────────────────────────────────────────────────────────────────────────────────────────────

    def next(self, now: float) -> Job | None:
        """Return what is to be done now, and take it off the agenda; `None` where nothing is due."""
        for kind in self._kinds:
            if (due := self._due(kind)) is not None and due <= now:
                _, order, item = heapq.heappop(self._queues[kind])
                self._under_way[kind] += 1
                return Job(kind, item, order)
        return None

    def wait(self, now: float) -> float | None:
        """Return the seconds until something is due; `None` where nothing ever is."""
        known = [due for kind in self._kinds if (due := self._due(kind)) is not None]
        return max(0.0, min(known) - now) if known else None

    @property
    def is_done(self) -> bool:
        """Whether nothing is under way, and nothing ever will be."""
        return not any(self._under_way.values()) and all(self._due(kind) is None for kind in KINDS)

    @property
    def filling(self) -> list[Item]:
        """The items whose past isn't complete."""
        return [item for item in self.items.values() if item.is_filling]

    @property
    def _kinds(self) -> tuple[Kind, ...]:
        """What is done at all. Where no points are left for lots they wait for a plan that has some."""
        return KINDS if self._once or self.plan.lots_stretch is not None else ("sales", "gap")

    def _due(self, kind: Kind) -> float | None:
        queue = self._queues[kind]
        while queue and queue[0][2].is_dropped:
            heapq.heappop(queue)
        return queue[0][0] if queue else None

    def _push(self, kind: Kind, due: float, item: Item, order: int | None = None) -> None:
        self._order += 1
        if not item.is_dropped:
            heapq.heappush(self._queues[kind], (due, self._order if order is None else order, item))

    # ── what became of it ────────────────────────────────────────────────────────────────────────────────────────────

    def done(self, outcome: Outcome, now: float) -> None:
        """Take a job as done, and put down what comes next."""
        job, item = outcome.job, outcome.job.item
        self._under_way[job.kind] -= 1
        item.failures = 0
        item.complete = spans.merged([*(item.complete or ()), *outcome.complete])
        if job.kind == "gap":
            self._filled(outcome)
            return
        item.aside = self.aside_after(outcome)
        if job.kind == "sales":
            item.rate, item.total, item.newest, item.looked = outcome.rate, outcome.total, outcome.newest, now
            if not item.is_filling and item.gaps(self._since):
                item.is_filling = True
                self._push("gap", 0.0, item)
        else:
            item.lots, item.has_lots = outcome.on_offer or 0, True
        if not self._once:
            self._push(job.kind, now + self.interval_after(outcome) * (0.9 + 0.2 * self._rng()), item)

    def aside_after(self, outcome: Outcome) -> str | None:
        """Return why an item is asked rarely after a look that succeeded; `None` where it isn't."""
        item = outcome.job.item
        total = item.total if outcome.total is None else outcome.total
        lots = item.lots if outcome.on_offer is None else outcome.on_offer
        return refusals.NEVER_TRADED if total == 0 and not lots else None

    def interval_after(self, outcome: Outcome) -> float:
        """Return the seconds until the next look after one that succeeded."""
        if self.aside_after(outcome) is not None:
            return refusals.QUIET
        return self._interval(outcome.job.kind, outcome.job.item.rate if outcome.rate is None else outcome.rate)

    def _filled(self, outcome: Outcome) -> None:
        """Take a page of the past as read."""
        item = outcome.job.item
        item.pages += 1
        item.walk = outcome.walk
        item.left = outcome.walk.left if outcome.walk else None
        item.is_filling = item.walk is not None or bool(item.gaps(self._since))
        if item.is_filling:
            self._push("gap", 0.0, item, outcome.job.order if item.pages % TURN else None)

    def failed(self, job: Job, now: float, error: Exception) -> float:
        """Take a job as failed, and return the seconds until it is tried again."""
        item = job.item
        self._under_way[job.kind] -= 1
        item.failures += 1
        item.walk = None
        if refusals.is_refusal(error):
            item.aside = refusals.REFUSED
            wait = refusals.again_after(item.failures, self._rng())
        else:
            interval = RETRY_ONCE if self._once else self._interval(job.kind, item.rate)
            wait = refusals.rest(item.failures, interval, self._rng())
        if self._once and (item.aside or item.failures >= ATTEMPTS):
            item.is_filling = False
            self.given_up.add(item.place)
        else:
            self._push(job.kind, now + wait, item, job.order)
        return wait

    def _interval(self, kind: Kind, rate: float | None) -> float:
        if kind == "sales":
            return self.plan.sales_interval(rate)
        if kind == "lots":
            return self.plan.lots_interval or self._lots or 0.0
        return RETRY_GAP
