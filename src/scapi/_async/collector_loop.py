"""One run of a collector: its leases, concurrent jobs, and their outcomes."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from scapi._async.collector_jobs import JobRunner
from scapi._base import escaping
from scapi._collect import refusals
from scapi._collect.agenda import Agenda
from scapi._collect.jobs import Item, Job, Outcome
from scapi._collect.plan import LIMIT
from scapi._collect.tally import Tally
from scapi._primitives import aio
from scapi.exceptions import ClosedError, RateLimitError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from scapi._async.session import Session
    from scapi._async.store import Store
    from scapi._collect.agenda import Wanted
    from scapi._collect.jobs import Kind
    from scapi._collect.records import Collected, CollectedLot, CollectedSale, Progress
    from scapi._store.rows import ItemChange, ItemState, Place

T = TypeVar("T")

logger = logging.getLogger("scapi")

#: The shortest time between two progress reports, in seconds.
REPORT = 0.5

#: Failures in a row, of any items, before all calls pause, and the longest pause in seconds. Each further failure
#: doubles the pause.
PATIENCE, LONGEST_PAUSE = 8, 60.0


class Hooks(NamedTuple):
    """The callbacks of a collector."""

    on_progress: Callable[[Progress], object] | None
    on_sale: Callable[[CollectedSale], object] | None
    on_lot: Callable[[CollectedLot], object] | None


class Run:
    """One run of a collector. The arguments are those of `Collector`, checked."""

    def __init__(
        self,
        session: Session,
        store: Store,
        places: list[Place],
        wanted: Wanted,
        hooks: Hooks,
        *,
        once: bool,
        concurrency: int,
        lease: float,
        clock: Callable[[], float],
    ) -> None:
        self._session = session
        self._store = store
        self._places = places
        self._wanted = wanted
        self._hooks = hooks
        self._once = once
        self._concurrency = concurrency
        self._lease = lease
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(6)}"
        rng = session.clock.random
        self._agenda = Agenda(wanted, once=once, rng=rng, most_gaps=max(1, concurrency // 2))
        self._runner = JobRunner(session, store, self._agenda, wanted.since, clock)
        self._tally = Tally()
        self._seen: set[Place] = set()
        self._begun = self._reported = session.clock.now()
        self._renew_at = 0.0
        self._failed_in_a_row = 0
        self._wakeup: aio.Wakeup | None = None

    def stop(self) -> None:
        """End the run after the current jobs. Those of the past end after their current page."""
        self._agenda.stop()
        if self._wakeup is not None:
            self._wakeup.wake()

    async def run(self) -> Collected:
        """Run until stopped, or until everything is done. Return the result."""
        hold = threading.Lock()
        with hold:
            workers: aio.Workers[Job, Outcome] = aio.Workers(self._concurrency, hold)
            try:
                await self._work(workers)
            except ClosedError:
                # Closing the client ends its collectors normally.
                if not self._session.closed:
                    raise
            finally:
                await workers.end()
                # An error of the store here would hide the original error. Leases expire anyway.
                with suppress(StoreError, ClosedError):
                    await self._end()
        await self._report(force=True)
        return self.collected

    @property
    def collected(self) -> Collected:
        """The result so far."""
        return self._tally.collected(self._elsewhere)

    async def _work(self, workers: aio.Workers[Job, Outcome]) -> None:
        while True:
            now = self._session.clock.now()
            if now >= self._renew_at:
                await self._renew(now)
            limit = self._session.ratelimit.limit
            if self._agenda.fit(limit or LIMIT, now) and limit is not None:
                for note in self._agenda.plan.sentences():
                    logger.warning("%s", note)
            while len(workers) < self._concurrency and (job := self._agenda.next(now)) is not None:
                workers.start(self._runner.do, job)
            if workers:
                # A call may wait for points for a minute. Meanwhile leases are renewed, and other polls begin.
                if await workers.ready(self._until_next(now, has_room=len(workers) < self._concurrency)):
                    await self._take(await workers.result())
            elif self._agenda.is_stopped or self._is_done(now):
                return
            else:
                await self._wait(now)
            await self._report()

    def _is_done(self, now: float) -> bool:
        """Return whether a single round is over. Items of others keep it open only until a dead owner's lease ends."""
        if not self._once or not self._agenda.is_done:
            return False
        return not self._elsewhere or now > self._begun + 2 * self._lease

    async def _wait(self, now: float) -> None:
        self._wakeup = aio.Wakeup()
        if not self._agenda.is_stopped:
            await self._session.wait(self._wakeup, self._until_next(now, has_room=True))

    def _until_next(self, now: float, *, has_room: bool) -> float:
        """Return the seconds until leases must be renewed or, if there is room for a job, until one is due."""
        due = self._agenda.wait(now) if has_room else None
        renew = max(0.0, self._renew_at - now)
        return renew if due is None else min(renew, due)

    # ── leases ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _elsewhere(self) -> int:
        return len(self._places) - len(self._seen)

    async def _renew(self, now: float) -> None:
        """Renew the leases, take free ones, and drop items that others have taken over."""
        self._renew_at = now + self._lease / 3
        held = set(await self._store.renew(self._owner, self._lease))
        missing = [place for place in self._places if place not in held]
        if self._once:
            missing = [place for place in missing if place not in self._seen]
        held |= set(await self._store.lease(self._owner, missing, self._lease)) if missing else set()
        mine = self._agenda.items.keys()
        if not self._once:
            self._seen = held
            self._agenda.drop(mine - held)
        new = held - mine
        self._seen |= new
        if new:
            await self._add(new, now)
        await self._store.write_run(self._owner, rows=self._tally.rows, failures=self._tally.failures)

    async def _add(self, places: set[Place], now: float) -> None:
        """Add items in the state in which the last collector left them."""
        regions, items = {place.region for place in places}, {place.item for place in places}
        many = len(items) > 500  # too many for one statement
        states = await self._store.item_states(None if many else items, region=regions)
        known = {(state.region, state.item): state for state in states}
        for place in self._places:
            if place in places:
                state = known.get(place)
                item = Item(place)
                if state is not None:
                    item.failures, item.aside, item.has_lots = state.failures, state.aside, state.lots_at is not None
                    if item.aside == refusals.REFUSED:
                        # It isn't asked again for hours, and is missing all the same.
                        self._tally.still_fails(item, state.error or item.aside, state.error_at or self._runner.now())
                self._agenda.add(item, now, due_in={} if state is None else self._due_in(state))

    def _due_in(self, state: ItemState) -> dict[Kind, float]:
        """Return the seconds until each kind of poll is due, as far as the last collector planned it."""
        due: dict[Kind, datetime | None] = {
            "emission": state.next_look,
            "members": state.next_look,
            "sales": state.next_sales,
            "lots": state.next_lots,
        }
        now = self._runner.now()
        return {kind: max(0.0, (at - now).total_seconds()) for kind, at in due.items() if at is not None}

    # ── outcomes ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _take(self, outcome: Outcome) -> None:
        self._tally.add(outcome)
        now = self._session.clock.now()
        if outcome.error is not None:
            await self._failed(outcome, outcome.error, now)
            return
        self._failed_in_a_row = 0
        self._agenda.done(outcome, now)
        if outcome.unread:
            self._tally.fail(outcome.job.item, f"{outcome.unread} rows can't be read or stored", self._runner.now())
        await self._tell(self._hooks.on_sale, outcome.sales)
        await self._tell(self._hooks.on_lot, outcome.lots)

    async def _tell(self, hook: Callable[[T], object] | None, news: Iterable[T]) -> None:
        if hook is not None:
            for each in news:
                await aio.call(hook, each)

    async def _failed(self, outcome: Outcome, error: Exception, now: float) -> None:
        if refusals.is_hopeless(error, outcome.job.kind):
            raise error
        item, at = outcome.job.item, self._runner.now()
        wait = self._agenda.failed(outcome, now, error)
        line = self._tally.fail(item, f"{type(error).__name__}: {error}", at)
        logger.warning("%s in %s: %s", escaping.log(item.place.item), item.place.region, line)
        change: ItemChange = {
            "failures": item.failures,
            "error": line,
            "error_at": at,
            "aside": item.aside,
            **_next_due(outcome.job.kind, at + timedelta(seconds=wait)),
        }
        await self._store.update_item(item.place.region, item.place.item, **change)
        if not refusals.is_refusal(error, outcome.job.kind):
            self._pause(error, now)

    def _pause(self, error: Exception, now: float) -> None:
        """Pause all calls: an error of many items in a row will affect the next one too."""
        self._failed_in_a_row += 1
        beyond = self._failed_in_a_row - PATIENCE
        share = 0.5 + 0.5 * self._session.clock.random()
        pause = min(LONGEST_PAUSE, 2.0 ** min(beyond, 10)) * share if beyond >= 0 else 0.0
        if isinstance(error, RateLimitError):
            pause = max(pause, error.retry_after)
        self._agenda.pause(now + pause)

    async def _report(self, *, force: bool = False) -> None:
        now = self._session.clock.now()
        if self._hooks.on_progress is not None and (force or now - self._reported >= REPORT):
            self._reported = now
            await aio.call(
                self._hooks.on_progress, self._tally.progress(self._agenda, now, self._wanted.since, self._elsewhere)
            )

    async def _end(self) -> None:
        await self._store.release(self._owner)
        await self._store.write_run(self._owner, rows=self._tally.rows, failures=self._tally.failures, ended=True)


def _next_due(kind: Kind, due: datetime) -> ItemChange:
    """Return when the next poll of a kind is due, as a change of the item. Gaps are read off the spans instead."""
    match kind:
        case "sales":
            return {"next_sales": due}
        case "lots":
            return {"next_lots": due}
        case "emission" | "members":
            return {"next_look": due}
        case "gap":
            return {}
