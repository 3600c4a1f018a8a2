"""Schedule the jobs of a collector: due emissions, clans and sales first, then due lots, then the past. Pure.

The time, in seconds of any monotonic clock, and the random function are arguments.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from scapi._collect import refusals, spans
from scapi._collect.jobs import COSTS, Job
from scapi._collect.plan import LIMIT, Load, Plan, fitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from scapi._collect.jobs import Item, Kind, Outcome
    from scapi._store.rows import Place

#: The kinds of jobs, in order of priority. The first two cost next to nothing.
KINDS: tuple[Kind, ...] = ("emission", "members", "sales", "lots", "gap")

#: How many pages of one item's past are read in a row before other items have their turn.
TURN = 25

#: For how long a job reads pages of the past before it reports them, in seconds. Each job is handed from thread to
#: thread, which takes a tenth to a quarter of the time of a page where the network is quick.
LONGEST_GAP_JOB = 0.5

#: How often in a row an item may fail before a single round gives it up.
ATTEMPTS = 3

#: Seconds until a single round retries a failed job.
RETRY_ONCE = 5.0

#: Seconds until a failed page of the past is retried.
RETRY_GAP = 60.0

#: Seconds until the plan is updated, because rates change.
REFIT = 30.0

#: The times of an item that no collector has polled yet.
NOTHING_KNOWN: Mapping[Kind, float] = MappingProxyType({})


class Wanted(NamedTuple):
    """What to collect.

    Attributes:
        sales: Seconds between two polls of the sales of an item, above 0; `None` to skip sales.
        lots: Seconds between two polls of the lots of an item, above 0; `None` to skip lots.
        since: Collect the past back to this time. `None` only fills gaps between complete intervals.
        emissions: Seconds between two polls of the emission of a region, above 0; `None` to skip emissions.
        members: Seconds between two polls of the members of a clan, above 0; `None` to skip clans.
    """

    sales: float | None
    lots: float | None
    since: datetime | None
    emissions: float | None = None
    members: float | None = None


class Agenda:
    """The jobs of a collector, and when they are due.

    Args:
        wanted: What to collect.
        once: Whether to do everything only once.
        rng: Returns a random number from 0 to 1.
        most_gaps: The most pages of the past to fetch at once. While they wait for points, fresh sales need room.

    Attributes:
        items: The items by their places.
        plan: How often to poll each kind.
        given_up: Items that failed too often for a single round.
        is_stopped: Whether no more jobs begin.
    """

    def __init__(self, wanted: Wanted, *, once: bool, rng: Callable[[], float], most_gaps: int = 1) -> None:
        self._sales, self._lots, self._since = wanted.sales, wanted.lots, wanted.since
        self._intervals: Mapping[Kind, float | None] = {
            "emission": wanted.emissions,
            "members": wanted.members,
            "sales": wanted.sales,
            "lots": wanted.lots,
        }
        self.items: dict[Place, Item] = {}
        self.plan = Plan(LIMIT, 0, self._sales, self._lots)
        self.given_up: set[Place] = set()
        self.is_stopped = False
        self._once = once
        self._rng = rng
        self._most_gaps = most_gaps
        self._queues: dict[Kind, list[tuple[float, int, Item]]] = {kind: [] for kind in KINDS}
        self._under_way: defaultdict[Kind, int] = defaultdict(int)
        self._order = 0
        self._paused_until = -math.inf
        self._fitted_at: float | None = None

    # ── items ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def add(self, item: Item, now: float, *, due_in: Mapping[Kind, float] = NOTHING_KNOWN) -> None:
        """Add an item, an emission or a clan.

        Args:
            item: The item.
            now: The current time.
            due_in: Seconds until each kind of poll is due; 0 for kinds that are missing.
        """
        self.items[item.place] = item
        for kind in item.looks:
            interval, wait = self._intervals[kind], due_in.get(kind, 0.0)
            if interval is not None and not (self._once and item.aside and wait > 0):
                longest = wait if item.aside else interval
                self._push(kind, 0.0 if self._once else now + min(wait, longest), item)

    def drop(self, places: Iterable[Place]) -> None:
        """Remove items that another collector has taken over."""
        for place in places:
            self.items.pop(place).is_dropped = True

    def fit(self, points: float, now: float) -> bool:
        """Update the plan if it is time. Return whether its sentences changed."""
        if self._fitted_at is not None and now - self._fitted_at < REFIT and points == self.plan.points:
            return False
        before, self._fitted_at = self.plan, now
        items = self.items.values()
        loads = [Load(item.rate, item.lots, is_aside=item.aside is not None) for item in items if item.is_traded]
        others = sum(self._cost(item.looks[0]) for item in items if not item.is_traded and item.aside is None)
        self.plan = fitted(loads, sales=self._sales, lots=self._lots, points=points, others=others)
        return self.plan.sentences() != before.sentences()

    def _cost(self, kind: Kind) -> float:
        """Return the points per minute that polls of one emission or clan take."""
        return COSTS[kind] * 60 / (self._intervals[kind] or math.inf)

    # ── jobs ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def next(self, now: float) -> Job | None:
        """Remove and return the next job that is due, or `None` if there is none."""
        if not self._may_begin(now):
            return None
        for kind in self._kinds:
            if (due := self._due(kind)) is not None and due <= now:
                _, order, item = heapq.heappop(self._queues[kind])
                self._under_way[kind] += 1
                return Job(kind, item, order)
        return None

    def wait(self, now: float) -> float | None:
        """Return the seconds until the next job may begin, or `None` if no job is scheduled."""
        known = [due for kind in self._kinds if (due := self._due(kind)) is not None]
        return max(0.0, max(min(known), self._paused_until) - now) if known and not self.is_stopped else None

    def may_read_on(self, outcome: Outcome, begun: float, now: float) -> bool:
        """Return whether a job may read another page of the past. Any thread may ask.

        Args:
            outcome: The outcome so far.
            begun: When the job began.
            now: The current time.
        """
        item = outcome.job.item
        if not self._may_begin(now) or item.is_dropped or now - begun >= LONGEST_GAP_JOB:
            return False
        # `_due` would change the queues, which is left to the thread of the run.
        tops = [self._queues[kind][:1] for kind in self._kinds if kind != "gap"]
        is_urgent = any(due <= now for top in tops for due, _, _ in top)
        return not is_urgent and (item.pages + outcome.pages) % TURN > 0

    def pause(self, until: float) -> None:
        """Begin no jobs until a time."""
        self._paused_until = max(self._paused_until, until)

    def stop(self) -> None:
        """Begin no more jobs. Any thread may call this."""
        self.is_stopped = True

    @property
    def is_done(self) -> bool:
        """Whether no job is running or scheduled."""
        return not any(self._under_way.values()) and all(self._due(kind) is None for kind in KINDS)

    @property
    def filling(self) -> list[Item]:
        """The items with an incomplete past."""
        return [item for item in self.items.values() if item.is_filling]

    @property
    def _kinds(self) -> tuple[Kind, ...]:
        """The kinds of jobs that may begin. Lots wait while the plan has no points for them."""
        has_lots = self._once or self.plan.lots_stretch is not None
        has_gaps = self._under_way["gap"] < self._most_gaps
        return tuple(kind for kind in KINDS if (kind != "lots" or has_lots) and (kind != "gap" or has_gaps))

    def _may_begin(self, now: float) -> bool:
        return not self.is_stopped and now >= self._paused_until

    def _due(self, kind: Kind) -> float | None:
        queue = self._queues[kind]
        while queue and queue[0][2].is_dropped:
            heapq.heappop(queue)
        return queue[0][0] if queue else None

    def _push(self, kind: Kind, due: float, item: Item, order: int | None = None) -> None:
        self._order += 1
        if not item.is_dropped:
            heapq.heappush(self._queues[kind], (due, self._order if order is None else order, item))

    # ── outcomes ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def done(self, outcome: Outcome, now: float) -> None:
        """Record a successful job, and schedule the next one."""
        job, item = outcome.job, outcome.job.item
        self._under_way[job.kind] -= 1
        item.failures = 0
        self._add_complete(outcome)
        if job.kind == "gap":
            self._filled(outcome)
            return
        item.aside = self.aside_after(outcome)
        if job.kind != "lots":
            item.looked = now
        if job.kind == "sales":
            item.rate, item.total, item.newest = outcome.rate, outcome.total, outcome.newest
            if not item.is_filling and item.gaps(self._since):
                item.is_filling = True
                self._push("gap", 0.0, item)
        elif job.kind == "lots":
            item.lots, item.has_lots = outcome.on_offer or 0, True
        if not self._once:
            self._push(job.kind, now + self.interval_after(outcome) * (0.9 + 0.2 * self._rng()), item)

    def aside_after(self, outcome: Outcome) -> str | None:
        """Return why an item is fetched rarely after a successful poll, or `None` if it isn't."""
        item = outcome.job.item
        if not item.is_traded:
            return None
        total = item.total if outcome.total is None else outcome.total
        lots = item.lots if outcome.on_offer is None else outcome.on_offer
        return refusals.NEVER_TRADED if total == 0 and not lots else None

    def interval_after(self, outcome: Outcome) -> float:
        """Return the seconds until the next poll after a successful one."""
        if self.aside_after(outcome) is not None:
            return refusals.QUIET
        return self._interval(outcome.job.kind, outcome.job.item.rate if outcome.rate is None else outcome.rate)

    def _filled(self, outcome: Outcome) -> None:
        """Record pages of the past."""
        item = outcome.job.item
        item.pages += outcome.pages
        item.walk = outcome.walk
        item.left = outcome.walk.left if outcome.walk else None
        item.is_filling = item.walk is not None or bool(item.gaps(self._since))
        if item.is_filling:
            self._push("gap", 0.0, item, outcome.job.order if item.pages % TURN else None)

    def failed(self, outcome: Outcome, now: float, error: Exception) -> float:
        """Record a failed job. Return the seconds until it is retried."""
        job, item = outcome.job, outcome.job.item
        self._under_way[job.kind] -= 1
        if outcome.complete:  # otherwise the intervals in the store may not have been read
            self._add_complete(outcome)
        item.failures += 1
        item.walk = None
        if refusals.is_refusal(error, job.kind):
            item.aside = refusals.REFUSED
            wait = refusals.wait_after_refusal(item.failures, self._rng())
        else:
            interval = RETRY_ONCE if self._once else self._interval(job.kind, item.rate)
            wait = refusals.wait_after_failure(item.failures, interval, self._rng())
        if self._once and (item.aside or item.failures >= ATTEMPTS):
            item.is_filling = False
            self.given_up.add(item.place)
        else:
            self._push(job.kind, now + wait, item, job.order)
        return wait

    def _add_complete(self, outcome: Outcome) -> None:
        item = outcome.job.item
        item.complete = spans.merged([*(item.complete or ()), *outcome.complete])

    def _interval(self, kind: Kind, rate: float | None) -> float:
        if kind == "sales":
            return self.plan.sales_interval(rate)
        if kind == "lots":
            return self.plan.lots_interval or self._lots or 0.0
        return RETRY_GAP if kind == "gap" else (self._intervals[kind] or 0.0) * self.plan.others_stretch
