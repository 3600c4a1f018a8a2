"""The points that a server grants per window, shared out among all calls that wait for them.

Nothing here waits or reads a clock. Methods take `now`, the seconds of the local *monotonic* clock, and return how long
to wait. The wall clock isn't used, so it may be wrong or jump.

How a window is spent without overdrawing it:

- The server's `remaining` only falls within a window, so the lowest value seen includes every request that has a
  response. The points that may be spent are that value less the costs of the requests in flight.
- A single request opens a new window. Its response confirms the reset, shows what others spend from the same budget,
  and gives the cost of that request. The other requests follow. The very first request is no different.
- An operation of unknown cost is sent alone once. The fall of `remaining` is its cost.

Which ticket goes next:

- High priority goes before normal, and normal before low. Within a priority the oldest ticket goes first.
- A ticket that has waited for a whole window is overdue and goes before all others. Of each priority, overdue tickets
  get a tenth of a window at most, see `priorities.is_overdue`. So nobody starves.
- A ticket that the window can no longer pay for is overtaken, so that no points are wasted. It has to wait for the
  reset anyhow, and after the reset it has its old place.
- Low calls don't spend the reserve. The reserve melts before the window ends, so it isn't wasted either.

An exception may interrupt any line, even one raised by a signal handler. The next call repairs the state:

- A ticket counts as long as its `Waiter` is alive. Dead ones are dropped, so nothing relies on a `finally`. A client's
  reserve counts as long as the client lives.
- Reserved points are summed up whenever they are needed. There is no counter that could drift.
- Each change of the state is a single store: of an attribute, or in one dictionary.
"""

from __future__ import annotations

import math
import threading
import weakref
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, NoReturn

from scapi._ratelimit.ledger import Ledger
from scapi._ratelimit.priorities import is_overdue, points_kept, seconds_until_kept
from scapi._ratelimit.protocol import BudgetState, Ticket, Wait
from scapi._ratelimit.queue import Queue
from scapi._ratelimit.window import WINDOW, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scapi._ratelimit.priorities import Priority
    from scapi._ratelimit.protocol import Waiter
    from scapi._ratelimit.queue import Place


#: How long all other calls wait for one request, in seconds. A server that hangs must not block every call.
PROBE_SECONDS = 1.0
#: How often the whole queue is searched for dead tickets, in seconds. The first ones are checked every time.
SEARCH_INTERVAL = 1.0
#: Share of a window that evenly spread requests leave free at its end.
SPREAD_SLACK = 0.05


class Budget:
    """The points of one pair of host and credentials, for all tasks, event loops and threads of a process.

    Args:
        window: Length of the server's window in seconds; a shorter one is learned from the resets.
        share: Part of the points to spend, above 0 to 1, rounded down to whole points. Use it if several processes
            divide the same budget. A call that costs more than the whole share goes while the share is unspent.

    Raises:
        ValueError: `share` is out of its range.
    """

    def __init__(self, *, window: float = WINDOW, share: float = 1.0) -> None:
        self._ledger = Ledger(window, 1.0)
        self.share = share
        self._reserves: dict[int, tuple[weakref.ref[object], float]] = {}
        self._reserve = 0.0
        self.forget_tickets()

    def forget_tickets(self) -> None:
        """Drop all tickets, queued or in flight. In the child of a fork they belong to the parent."""
        # Reentrant: the garbage collector may run a dropped coroutine's `finally: leave()` in the middle of one of
        # these methods, in the same thread.
        self._lock = threading.RLock()
        self._queue = Queue()
        self._searched = -math.inf
        self._ledger.forget_requests()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Budget belongs to its process and can't be pickled: use a RedisBudget, or give none")

    @property
    def share(self) -> float:
        """Part of the points to spend. It may change at any time."""
        return self._ledger.share

    @share.setter
    def share(self, share: float) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, not {share!r}")
        self._ledger.share = share

    def set_reserve(self, client: object, share: float) -> None:
        """Keep a share of each window for calls that aren't low, as long as a client lives.

        The greatest share of all living clients counts.

        Args:
            client: The client that sets the share. It is held weakly, and its death is noticed within a second.
            share: 0 to 1; 0 withdraws the client's share.

        Raises:
            ValueError: `share` is out of its range.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"reserve must be from 0 to 1, not {share!r}")
        with self._lock:
            self._reserves[id(client)] = weakref.ref(client), share
            self._update_reserve()

    # ── what a client calls, in this order ────────────────────────────────────────────────────────────────────────────

    def enter(
        self,
        operation: str,
        waiter: Waiter,
        *,
        pace: bool | Literal["even"] = True,
        priority: Priority = "normal",
    ) -> Ticket:
        """Join the queue.

        Args:
            operation: Name of the endpoint, as in `KNOWN_COSTS`.
            waiter: The call. Its ticket is dropped as soon as it is no longer alive.
            pace: `True`, `"even"` or `False`, see `Ticket`.
            priority: `"high"`, `"normal"` or `"low"`, see `Ticket`.
        """
        ticket = Ticket(operation, waiter, pace, priority)
        if pace and self._ledger.costs.get(operation):
            with self._lock:
                self._queue.join(ticket)
        return ticket

    def poll(self, ticket: Ticket, now: float) -> Wait | None:
        """Request permission to send: first right after `enter`, then after each returned wait.

        Args:
            ticket: From `enter`.
            now: Local monotonic seconds.

        Returns:
            `None`: send now; the points are reserved until `leave`. Otherwise how long to wait. The waiter is woken if
            it is worth polling earlier.
        """
        with self._lock:
            self._catch_up(now)
            wait = self._wait(ticket, now)
            if wait is None:
                self._ledger.start(ticket, now)
                self._queue.drop(ticket)
            following = self._next(now) if wait is None or self._queue.has_dropped else None
            self._queue.has_dropped = False
        if following is not None:
            following.ticket.waiter.wake()
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
        """End an attempt and give up its place in the queue or its reservation. A second call does no harm.

        Args:
            ticket: From `enter`.
            now: Local monotonic seconds.
            sent: False: nothing can have reached the server, so the points are free again.
            status: Status of the response; `None`: there was no response, so the request may have been charged.
            headers: Headers of the response, by lower-case name.
        """
        self._end(ticket, now, Outcome.read(sent=sent, status=status, headers=headers))

    def state(self, now: float) -> BudgetState:
        """Return what is known of the budget.

        Args:
            now: Local monotonic seconds.
        """
        with self._lock:
            self._catch_up(now)
            self._search(now)
            ledger = self._ledger
            return BudgetState(
                ledger.ratelimit(now),
                ledger.until_reset(now),
                ledger.costs.copy(),
                len(self._queue),
                len(ledger.in_flight),
            )

    # ── what a budget in a database calls, which has one of these for when it is away ─────────────────────────────────

    def _start(self, ticket: Ticket, now: float) -> None:
        """Reserve the points of a request that another budget lets go."""
        with self._lock:
            self._catch_up(now)
            self._ledger.start(ticket, now)

    def _end(self, ticket: Ticket, now: float, outcome: Outcome) -> None:
        """Do what `leave` does, with headers that were read before."""
        with self._lock:
            self._catch_up(now)
            self._ledger.end(ticket, now, outcome)
            self._queue.drop(ticket)
            following = self._next(now)
        if following is not None:
            following.ticket.waiter.wake()

    # ── under the lock: what time and exceptions do ───────────────────────────────────────────────────────────────────

    def _catch_up(self, now: float) -> None:
        """Drop dead tickets, and blocks and windows that are over."""
        if self._ledger.catch_up(now):
            self._queue.has_dropped = True
        if now >= self._searched + SEARCH_INTERVAL:
            self._search(now)

    def _search(self, now: float) -> None:
        self._searched = now
        self._queue.drop_dead()
        self._update_reserve()

    def _update_reserve(self) -> None:
        """Take the greatest reserve of the living clients."""
        for key, (client, share) in list(self._reserves.items()):
            if not share or client() is None:
                self._reserves.pop(key, None)
        self._reserve = max((share for _, share in list(self._reserves.values())), default=0.0)

    # ── under the lock: the order ─────────────────────────────────────────────────────────────────────────────────────

    def _next(self, now: float) -> Place | None:
        """Return the next ticket: the first one that the window can still pay for, otherwise the first."""
        heads = self._queue.heads()
        if len(heads) < 2:  # the usual case, and quick
            return heads[0] if heads else None
        most, price = self._may_become_free(), self._ledger.price
        payable = [place for place in heads if price(place.ticket.operation) <= most] or heads
        first = min(payable, key=attrgetter("order"))
        lower = [place for place in payable if place.rank > first.rank]
        overdue = [place for place in lower and (first, *lower) if self._is_overdue(place, now)]
        return min(overdue, key=attrgetter("number"), default=first)

    def _may_become_free(self) -> float:
        """Return how many points can become free in this window. Requests in flight may give some back."""
        ledger = self._ledger
        if ledger.window.remaining is None:
            return math.inf
        return ledger.points_left() if ledger.in_flight else ledger.points_free()

    def _is_overdue(self, place: Place, now: float) -> bool:
        ledger = self._ledger
        if place.rank == 0 or ledger.quota is None:
            return False
        served = ledger.points_served(place.ticket.priority)
        return is_overdue(now - place.polled, ledger.clock.length, served, ledger.quota)

    # ── under the lock: how long to wait ──────────────────────────────────────────────────────────────────────────────

    def _wait(self, ticket: Ticket, now: float) -> Wait | None:
        ledger, place = self._ledger, self._queue.find(ticket)
        blocked, soonest = ledger.seconds_blocked(ticket.operation, now), 0.0
        if place is not None:
            if place.polled == math.inf:
                place.polled = now
            soonest = self._soonest(place, now)
        if blocked:
            return Wait(blocked, max(blocked, soonest), blocked, ledger.block.is_foreign)
        if place is None or not ledger.is_paced:
            return None
        seconds = self._seconds_to_go(place, now)
        return Wait(seconds, max(soonest, seconds) if math.isinf(seconds) else soonest) if seconds > 0 else None

    def _soonest(self, place: Place, now: float) -> float:
        """Return the least seconds until a ticket can go, after all tickets that it can't overtake."""
        ledger, quota = self._ledger, self._ledger.quota
        if not ledger.is_paced or quota is None:
            return 0.0
        same, before = self._queue.points_before(place, ledger.costs.get)
        seconds = self._seconds_until(same, quota, now)
        is_low = place.ticket.priority == "low"
        if before == same and not is_low:  # the usual case, and quick
            return seconds
        later = self._seconds_until(before, quota, now)
        if is_low and ledger.window.ends is not None and (spare := ledger.points_left() - same) >= 0:
            later = max(later, self._seconds_held(place, spare, ledger.window.ends, now))
        # An overdue ticket waits only for those of its own priority.
        overdue = max(0.0, place.polled + ledger.clock.length - now)
        return max(seconds, min(later, overdue))

    def _seconds_until(self, points: int, quota: int, now: float) -> float:
        """Return the least seconds from now until `points` can have been spent."""
        ledger, window = self._ledger, self._ledger.window
        if window.remaining is None or window.ends is None:
            return max(0.0, (math.ceil(points / quota) - 2) * ledger.clock.length) if ledger.limit else 0.0
        short = points - ledger.points_left()
        if short <= 0:
            return 0.0
        if not ledger.limit:
            return math.inf
        return window.ends - now + (math.ceil(short / quota) - 1) * ledger.clock.length

    def _seconds_to_go(self, place: Place, now: float) -> float:
        ledger, window = self._ledger, self._ledger.window
        if place is not self._next(now):
            return ledger.clock.length if window.ends is None else window.ends - now
        if place.first_since is None:
            place.first_since = now
        if window.remaining is None or window.ends is None:
            return _rest_of_probe(ledger.last_start, now) if ledger.in_flight else 0.0
        return self._seconds_in_window(place, place.first_since, window.ends, now)

    def _seconds_in_window(self, place: Place, first_since: float, ends: float, now: float) -> float:
        """Return how long the next ticket waits in a window that the server has confirmed."""
        ledger, ticket = self._ledger, place.ticket
        if ledger.limit == 0:
            return math.inf
        if wait := self._seconds_of_measuring(ticket, first_since, now):
            return wait
        free, price = ledger.points_free(), ledger.price(ticket.operation)
        if free < price:
            return ends - now
        if held := self._seconds_held(place, free - price, ends, now):
            return held
        if ticket.pace != "even":
            return 0.0
        begun = max(ledger.last_start, ledger.window.opened)
        span = max(0.0, ends - SPREAD_SLACK * ledger.clock.length - begun)
        return max(0.0, begun + span * price / (free - self._points_kept(place, ends, now)) - now)

    def _seconds_of_measuring(self, ticket: Ticket, first_since: float, now: float) -> float:
        """Return how long a ticket waits so that a request whose cost is unknown goes alone."""
        ledger = self._ledger
        measured = [request.started for request in list(ledger.in_flight.values()) if request.is_measured]
        if measured and (wait := _rest_of_probe(max(measured), now)):
            return wait
        is_to_measure = ledger.in_flight and ledger.costs.is_to_measure(ticket.operation)
        return _rest_of_probe(first_since, now) if is_to_measure else 0.0

    def _seconds_held(self, place: Place, spare: int, ends: float, now: float) -> float:
        """Return how long the reserve holds a ticket that leaves `spare` points over."""
        ledger, quota = self._ledger, self._ledger.quota
        if place.ticket.priority != "low" or not self._reserve or quota is None or self._is_overdue(place, now):
            return 0.0
        held = seconds_until_kept(spare, self._reserve, quota, ends - now, ledger.clock.length)
        overdue = place.polled + ledger.clock.length - now
        return min(held, overdue) if overdue > 0 else held

    def _points_kept(self, place: Place, ends: float, now: float) -> float:
        """Return the points that a ticket has to leave over."""
        ledger, quota = self._ledger, self._ledger.quota
        if place.ticket.priority != "low" or quota is None or self._is_overdue(place, now):
            return 0.0
        return points_kept(self._reserve, quota, ends - now, ledger.clock.length)


def _rest_of_probe(since: float, now: float) -> float:
    return max(0.0, since + PROBE_SECONDS - now)
