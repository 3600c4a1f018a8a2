"""The local part of a budget that all processes on a key share: waiting calls, held points and grants.

The shared part is in a database: `shared.lua` is its code for Redis, `shared_step.py` for PostgreSQL. This module does
no I/O. `SharedBudget.request` builds a request to the database, `apply_reply` takes the reply, and `fail` records that
there was none. Each such step sends everything that this process wants and holds, so no confirmation is needed: lost
data is sent again with the next step.

While the database doesn't reply, calls continue with a share of the points, from a local `Budget`. It always learns
from all responses, so it knows the window when it is needed.
"""

from __future__ import annotations

import logging
import math
import threading
import weakref
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from scapi._base import forks
from scapi._ratelimit import shared_times as times
from scapi._ratelimit.budget import Budget
from scapi._ratelimit.costs import KNOWN_COSTS, published_cost
from scapi._ratelimit.protocol import BudgetState, Ticket, Wait
from scapi._ratelimit.shared_messages import NOTHING, Grant, Known, Sent, milliseconds, report
from scapi._ratelimit.shared_queue import Place, SharedQueue
from scapi._ratelimit.window import WINDOW, Outcome, WindowClock
from scapi.models.ratelimit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from scapi._ratelimit.priorities import Priority
    from scapi._ratelimit.protocol import Waiter
    from scapi._ratelimit.shared_messages import Reply

logger = logging.getLogger("scapi")


class SharedBudget:
    """The points of one key, shared by processes through a database.

    Args:
        name: Returns a unique name for this process. Called again in the child of a fork.
        database: The name of the database for logged messages.
        window: Length of the server's window in seconds; a shorter one is learned from the resets.
        share: The part of the points that this process spends without the database. `None`: an equal part among the
            processes that were last seen, or `UNSEEN_SHARE` if there were none.
        patience: Seconds without a reply after which the database counts as unavailable.
        kick: Called when it is time for a step. It must be quick and never raise.
    """

    def __init__(
        self,
        *,
        name: Callable[[], str],
        database: str = "Redis",
        window: float = WINDOW,
        share: float | None = None,
        patience: float = 0.5,
        kick: Callable[[], None] = lambda: None,
    ) -> None:
        self._name = name
        self._database = database
        self._share = share
        self._patience = patience
        self._kick = kick
        self._clock = WindowClock(window)
        self._own = Budget(window=window, share=share or times.UNSEEN_SHARE)
        self._known = Known()
        self._costs: dict[str, int] = dict(KNOWN_COSTS)
        # The id of the shared state, its version of the costs, and its window.
        self._state, self._version, self._window = "", -1, 0
        # Not a `WeakKeyDictionary`: its callbacks run wherever an object dies, and an exception from a signal handler
        # is lost in them.
        self._reserves: dict[int, tuple[weakref.ref[object], float]] = {}
        self.forked()
        forks.reset_after_fork(self)

    def forked(self) -> None:
        """Start afresh in the child of a fork: queued calls and requests in flight belong to the parent."""
        # Reentrant, because the garbage collector may run a dropped coroutine's `finally: leave()` in the
        # middle of a method of this class, in the same thread.
        self._lock = threading.RLock()
        self._me = self._name()
        self._queue = SharedQueue()
        self._granted: dict[Ticket, Grant] = {}
        self._in_flight: dict[Ticket, Sent] = {}
        # The tickets in the local budget of calls that have polled it. Other requests have the same ticket there.
        self._twins: dict[Ticket, Ticket] = {}
        self._reports: deque[tuple[float, dict[str, Any]]] = deque(maxlen=times.REPORTS)
        self._telling: list[dict[str, Any]] = []
        # Tickets up to these numbers have been sent to the database, and have been answered.
        self._told = self._answered = 0
        self._told_reserve = 0.0
        self._has_lost_database = self._is_registered = self._wants_step = False
        self._step_began: float | None = None
        self._wanted = math.inf
        self._stepped = self._used = -math.inf
        # Difference from the local clock to the database's clock, in milliseconds.
        self._offset = 0.0
        self._again = math.inf
        self._own.forget_tickets()

    # ── the client's side ─────────────────────────────────────────────────────────────────────────────────────────────

    def set_reserve(self, client: object, share: float) -> None:
        """Reserve a share of each window, 0 to 1, for calls above low priority while a client lives; 0 withdraws it."""
        self._own.set_reserve(client, share)
        for number in [number for number, (held, _) in list(self._reserves.items()) if held() is None]:
            self._reserves.pop(number, None)
        self._reserves[id(client)] = weakref.ref(client), share

    def enter(
        self,
        operation: str,
        waiter: Waiter,
        *,
        pace: bool | Literal["even"] = True,
        priority: Priority = "normal",
    ) -> Ticket:
        """Join the queue."""
        ticket = Ticket(operation, waiter, pace, priority)
        if pace and self._price(operation):
            with self._lock:
                self._queue.add(ticket)
        return ticket

    def poll(self, ticket: Ticket, now: float) -> Wait | None:
        """Return how long to wait, or `None` to send now. The points are then reserved until `leave`."""
        with self._lock:
            self._used = now
            wait = self._wait(ticket, now)
            if wants_step := wait is not None and self._is_unsent(ticket, now):
                self._wants_step = True
                self._wanted = min(self._wanted, now)
        if wants_step:
            self._kick()
        return wait

    def leave(
        self,
        ticket: Ticket,
        now: float,
        *,
        sent: bool = True,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """End an attempt: with a response, without one, or before anything was sent."""
        outcome = Outcome.read(sent=sent, status=status, headers=headers)
        with self._lock:
            self._used = now
            self._queue.drop(ticket)
            granted = self._granted.pop(ticket, None)
            request = self._in_flight.pop(ticket, None)
            if request is None and status == 429 and outcome.is_bare():
                # A free call costs no points, but a proxy before the API may still refuse it.
                request = self._sent(NOTHING, now)
            if request is not None:
                self._report(request, now, outcome)
            self._own._end(self._twins.pop(ticket, ticket), now, outcome)  # pyright: ignore[reportPrivateUsage]  # ours
        if granted is not None or request is not None:
            self._kick()

    def state(self, now: float) -> BudgetState:
        """Return the state: the points of all processes, but only the tickets of this one."""
        with self._lock:
            if self._is_without_database(now):
                return self._own.state(now)
            known, reset = self._known.at(now), self._clock.next_reset(now)
            left = known.limit if known.remaining is None else known.remaining
            until = known.blocked if known.blocked > now else known.ends
            return BudgetState(
                RateLimit(
                    limit=known.limit,
                    remaining=None if left is None else max(0, left - self._held() - known.others),
                    reset=None if reset is None else datetime.fromtimestamp(reset, UTC),
                ),
                math.inf if known.limit == 0 else None if until is None else until - now,
                dict(self._costs),
                len(self._queue),
                len(self._in_flight),
            )

    # ── the steps ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def due(self, now: float) -> float:
        """Return the seconds until the next step, or `math.inf` if it has to be kicked."""
        with self._lock:
            if self._has_lost_database:
                return max(0.0, self._stepped + times.RETRY - now)
            if self._wants_step:
                return 0.0
            wait = math.inf
            if self._queue:
                wait = self._stepped + min(self._again, times.HEARTBEAT) - now
            elif self._in_flight or self._granted or self._is_registered:
                wait = self._stepped + times.HEARTBEAT - now
            if self._reports:
                wait = min(wait, self._reports[0][0] + times.TOGETHER - now)
            return max(0.0, wait)

    def is_idle(self, now: float) -> bool:
        """Return whether there has been nothing to do for a while."""
        with self._lock:
            return not (self._in_flight or self._granted or self._queue) and now - self._used > times.LINGER

    def request(self, now: float, *, bye: bool = False) -> dict[str, Any]:
        """Begin a step: return a request with what this process wants, holds and has learned.

        Args:
            now: Local monotonic seconds.
            bye: Whether this is the last step for now, so that this process is unregistered.
        """
        with self._lock:
            self._step_began, self._wants_step, self._wanted = now, False, math.inf
            self._drop_dead(now)
            self._telling = [*self._telling, *[told for _, told in self._reports]][-times.REPORTS :]
            self._reports.clear()
            self._told = self._queue.mark()
            told: dict[str, Any] = {
                "me": self._me,
                "lease": milliseconds(times.LEASE),
                "length": milliseconds(self._clock.length),
                "held": self._held(),
                "wants": self._queue.wants(now, self._clock.length),
                "reports": self._telling,
                "costs": self._version,
                "bye": bye,
            }
            reserve = self._reserve()
            if reserve or self._told_reserve:
                told["reserve"] = self._told_reserve = reserve
            if self._state:
                told["id"] = self._state
            if self._clock.reset is not None and self._clock.ends() > now:
                told["reset"] = round(self._clock.reset * 1000)
                told["left"] = milliseconds(self._clock.ends() - now)
            return told

    def apply_reply(self, reply: Reply, granted: Iterable[Grant], now: float) -> float:
        """End a step with its reply, and wake the calls that may be sent. Return the seconds until the next step."""
        with self._lock:
            came_back, self._has_lost_database = self._has_lost_database, False
            self._step_began, self._stepped, self._telling = None, now, []
            self._offset = reply.now - now * 1000
            self._state, self._version, self._window = reply.id, reply.version, reply.window
            self._is_registered = reply.again >= 0
            self._again = reply.again / 1000
            if reply.costs is not None:
                self._costs = {**KNOWN_COSTS, **reply.costs}
            self._known = Known.from_reply(reply, now)
            for _, told in self._reports:  # these came too late for this step
                self._known = self._known.with_report(told, self._clock.reset)
            woken = [ticket for grant in granted if (ticket := self._take(grant)) is not None]
            before, self._answered = self._answered, self._told
            woken += [t for t, place in self._queue if came_back or before < place.number <= self._told]
            wait = self.due(now)  # before the calls wake, since they can't go on until this thread sleeps
        if came_back:
            logger.info("%s is back: the processes share one budget again", self._database)
        for ticket in dict.fromkeys(woken):
            ticket.waiter.wake()
        return wait

    def fail(self, reason: str, now: float) -> float:
        """End a step without a reply: calls continue with a local share. Return the seconds until the next step."""
        with self._lock:
            self._step_began, self._stepped = None, now
            self._lose_database(reason)
            woken = [ticket for ticket, _ in self._queue]
        for ticket in woken:
            ticket.waiter.wake()
        return times.RETRY

    # ── under the lock: whether a call may be sent ────────────────────────────────────────────────────────────────────

    def _wait(self, ticket: Ticket, now: float) -> Wait | None:
        """Let a ticket go, or return how long it has to wait."""
        if (grant := self._granted.pop(ticket, None)) is not None:
            self._start(ticket, grant, now)
            return None
        if self._is_without_database(now):
            return self._wait_without_database(ticket, now)
        known, place = self._known.at(now), self._queue.place(ticket)
        if known.blocked > now and (known.is_foreign or self._price(ticket.operation)):
            left = math.inf if known.limit == 0 and not known.is_foreign else known.blocked - now
            return Wait(left, left, left, known.is_foreign)
        if place is None:  # a ticket that needs no points
            self._start(ticket, self._local_grant(ticket), now)
            return None
        if place.number > self._answered:
            return Wait(self._patience, 0.0, is_asking=True)
        soonest = math.inf if known.limit == 0 else self._soonest(ticket, place, known, now)
        return Wait(soonest if known.limit == 0 else times.HEARTBEAT, soonest)

    def _is_unsent(self, ticket: Ticket, now: float) -> bool:
        place = self._queue.place(ticket)
        return place is not None and place.number > self._told and not self._is_without_database(now)

    def _start(self, ticket: Ticket, grant: Grant, now: float) -> None:
        """Count a request as in flight, also in the local budget."""
        if grant.points:
            self._in_flight[ticket] = self._sent(grant, now)
        if (waiting := self._twins.pop(ticket, None)) is not None:
            self._own.leave(waiting, now, sent=False)
        self._own._start(ticket, now)  # pyright: ignore[reportPrivateUsage]  # ours

    def _soonest(self, ticket: Ticket, place: Place, known: Known, now: float) -> float:
        """Return the least seconds until a ticket can go, after those of this process that it can't overtake."""
        if not known.limit or not known.is_paced:
            return 0.0
        points = self._queue.points_until(ticket, place, self._price)
        if known.remaining is None or known.ends is None:
            return max(0.0, (math.ceil(points / known.limit) - 2) * self._clock.length)
        short = points - known.remaining
        return 0.0 if short <= 0 else known.ends - now + (math.ceil(short / known.limit) - 1) * self._clock.length

    def _price(self, operation: str) -> int:
        cost = self._costs.get(operation)
        if cost is None:
            cost = published_cost(operation)
        return times.UNMEASURED_COST if cost is None else cost

    def _local_grant(self, ticket: Ticket) -> Grant:
        return Grant(ticket.operation, self._price(ticket.operation), 0, self._window)

    def _sent(self, grant: Grant, now: float) -> Sent:
        return Sent(grant, now, now * 1000 + self._offset)

    def _held(self) -> int:
        sent = sum([request.grant.points for request in list(self._in_flight.values())])
        return sent + sum([grant.points for grant in list(self._granted.values())])

    def _take(self, grant: Grant) -> Ticket | None:
        ticket = self._queue.take(grant)
        if ticket is None:
            self._wants_step = True  # the next step gives the points back
        else:
            self._granted[ticket] = grant
        return ticket

    # ── under the lock: reports of responses ──────────────────────────────────────────────────────────────────────────

    def _drop_dead(self, now: float) -> None:
        """Drop tickets that exceptions have left behind. Those in flight may have been charged."""
        for ticket, request in list(self._in_flight.items()):
            if not ticket.waiter.alive():
                self._in_flight.pop(ticket, None)
                self._twins.pop(ticket, None)
                self._report(request, now, Outcome.read(sent=True, status=None, headers=None))
        for ticket in [ticket for ticket in list(self._granted) if not ticket.waiter.alive()]:
            self._granted.pop(ticket, None)
        for ticket in self._queue.drop_dead():
            self._twins.pop(ticket, None)

    def _report(self, request: Sent, now: float, outcome: Outcome) -> None:
        """Keep the report of a request for the next step."""
        before = self._clock.reset
        told = report(request, self._clock, now, outcome)
        self._reports.append((now, told))
        if self._clock.reset is not None and self._clock.reset != before:
            self._known = self._known._replace(remaining=None, ends=self._clock.ends())
        self._known = self._known.with_report(told, self._clock.reset)

    def _reserve(self) -> float:
        """Return the greatest reserve of the living clients."""
        return max([share for held, share in list(self._reserves.values()) if held() is not None], default=0.0)

    # ── under the lock: without the database ──────────────────────────────────────────────────────────────────────────

    def _is_without_database(self, now: float) -> bool:
        """Return whether calls have to continue without the database."""
        if self._step_began is not None and now - self._step_began > self._patience:
            self._lose_database(f"no reply within {self._patience:g} s")
        elif now - self._wanted > times.STEPLESS * self._patience:
            self._lose_database("no thread could be started that talks to it")
        return self._has_lost_database

    def _lose_database(self, reason: str) -> None:
        if not self._has_lost_database:
            self._has_lost_database = True
            self._own.share = share = self._share or 1 / (self._known.processes or 1 / times.UNSEEN_SHARE)
            message = "%s can't be used, calls go on with a share of %.3g of the points: %s"
            logger.warning(message, self._database, share, reason)

    def _wait_without_database(self, ticket: Ticket, now: float) -> Wait | None:
        twin = self._twins.get(ticket)
        if twin is None:
            twin = self._twins[ticket] = self._own.enter(
                ticket.operation, ticket.waiter, pace=ticket.pace, priority=ticket.priority
            )
        wait = self._own.poll(twin, now)
        if wait is None:
            self._queue.drop(ticket)
            if self._price(ticket.operation):
                self._in_flight[ticket] = self._sent(self._local_grant(ticket), now)
        return wait
