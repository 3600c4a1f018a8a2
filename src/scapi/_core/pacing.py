"""The points that a server grants per window, shared out in order among all who wait for them.

Nothing here waits, and nothing reads a clock: every method takes ``now``, seconds of the local *monotonic*
clock, and the answers say how long to wait. The wall clock isn't used at all, so it may be wrong, and may
jump.

How a window is spent without overdrawing it:

- The server's ``remaining`` only falls within a window, so the least value seen counts everything that has
  been answered. What may be spent is that value less the costs of what is in flight.
- A new window is opened by a single request. Its answer confirms the reset, shows what others spend from the
  same budget, and tells that request's cost; the rest follow it. The very first request is no different.
- An operation whose cost nobody knows is sent alone once, and the fall of ``remaining`` tells its cost.

Whose turn it is: the first's in the queue. Where the window hasn't points enough for it any more, it has to wait
for the reset anyhow, and the first that the window does have enough for may go. That delays nobody, as after the
reset all points are back and the order is the old one; so nobody starves, and no points are left over.
"""

from __future__ import annotations

import math
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import Protocol

from scapi._core.retry import parse_retry_after
from scapi._core.window import WINDOW, RateLimitHeaders, WindowClock
from scapi.models.ratelimit import RateLimit

__all__ = ["KNOWN_COSTS", "Budget", "Pacing", "Ticket"]

#: Points per call, where they are known; all other operations are measured, see `Budget.costs`.
KNOWN_COSTS: Mapping[str, int] = {"regions": 0, "emission": 1, "lots": 2, "price_history": 2, "profile": 2}

# What an unknown cost is likely to be, and what is reserved for it to be safe.
_DEFAULT_COST = 2
_UNMEASURED_COST = 10
_MEASURING_ATTEMPTS = 3
_SAMPLES = 5
# Seconds for which everybody waits for one request: a server that hangs must not hang all the others.
_PATIENCE = 1.0
# Share of a window that evenly spread requests leave free at its end.
_SPREAD_SLACK = 0.05

Wake = Callable[[], None]


@dataclass(slots=True, eq=False)
class Ticket:
    """One request's place in the queue, and later its reservation.

    Attributes:
        operation: Name of the endpoint, as in `KNOWN_COSTS`.
        wake: To be called whenever the ticket should ask again: from any thread; it is quick and never raises.
        spread: Whether the request goes no faster than evenly over what is left of the window.
        cost: Points that are reserved for it, once it was sent.
        place: Rises from ticket to ticket.
        queued: How many tickets had joined the queue for each operation, this one included.
        asked: When it asked for the first time with nobody before it.
        started: When it was sent.
        measures_from: Points before it was sent, if nothing else was on its way.
    """

    operation: str
    wake: Wake
    spread: bool = False
    cost: int = 0
    place: int = 0
    queued: Mapping[str, int] = field(default_factory=dict[str, int])
    asked: float | None = None
    started: float | None = None
    measures_from: int | None = None


class Pacing(Protocol):
    """What a client asks of a budget; one that is shared between machines can take the place of `Budget`.

    Every call makes `enter`, then either `poll` until it says yes, or `start`; then `leave`, or `cancel` at any
    time. They are called from tasks and threads at once and none of them may block, so a budget that lives
    elsewhere keeps a stock of points it was granted, refilled by a thread of its own, which then calls ``wake``
    of the ticket whose turn it is. ``now`` is the local monotonic clock; such a budget may use another one.
    """

    def enter(self, operation: str, wake: Wake, *, spread: bool = False) -> Ticket:
        """Join the queue; `wake` is called, from any thread, whenever the ticket should ask again."""
        ...

    def poll(self, ticket: Ticket, now: float) -> float:
        """Ask to be sent: 0.0 is yes, else seconds after which to ask again, or ``math.inf``: never."""
        ...

    def eta(self, ticket: Ticket, now: float) -> float:
        """Tell the least number of seconds that the ticket still has to wait, or ``math.inf``."""
        ...

    def start(self, ticket: Ticket, now: float) -> None:
        """Count the ticket as sent although it hasn't been its turn."""
        ...

    def leave(
        self,
        ticket: Ticket,
        now: float,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """End a request that was sent: with its answer, or without one."""
        ...

    def cancel(self, ticket: Ticket, now: float) -> None:
        """Give back the place, or the points, of a request that was never sent; harmless after `leave`."""
        ...

    def until_reset(self, now: float) -> float | None:
        """Tell the seconds until the points are whole again, ``math.inf``: never; ``None``: unknown."""
        ...

    def snapshot(self, now: float) -> RateLimit:
        """Tell limit, remaining and reset."""
        ...


class Budget:
    """The points of one pair of host and credentials, for all tasks, event loops and threads of a process.

    Args:
        window: Length of the server's window in seconds; a shorter one is learned from the resets.
        share: What part of the points to spend, above 0 to 1, rounded down to whole points: for one of several
            processes that divide the same budget among them. A call that is dearer than the whole share goes
            when nothing of it is spent.

    Raises:
        ValueError: `share` is out of its range.
    """

    def __init__(self, *, window: float = WINDOW, share: float = 1.0) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, not {share!r}")
        self._share = share
        self._clock = WindowClock(window)
        self._costs = {operation: deque([cost], _SAMPLES) for operation, cost in KNOWN_COSTS.items()}
        self._limit: int | None = None
        self._paced = True
        self.forget_tickets()

    def forget_tickets(self) -> None:
        """Begin anew with nothing queued or in flight: in the child of a fork they are somebody else's."""
        # Reentrant, because the garbage collector may run a dropped coroutine's `finally: cancel()` in the
        # middle of a method of ours, in the same thread.
        self._lock = threading.RLock()
        # By operation, because whose turn it is depends on the price; each in order of arrival.
        self._lines: dict[str, OrderedDict[Ticket, None]] = {}
        self._queued: Counter[str] = Counter()
        self._gone: Counter[str] = Counter()
        self._in_flight: OrderedDict[Ticket, None] = OrderedDict()
        self._reserved = self._spent = 0
        self._unseen: list[tuple[float, int]] = []
        self._measuring: Ticket | None = None
        self._alone: Ticket | None = None
        self._attempts: dict[str, int] = {}
        self._last_start = -math.inf
        self._remaining: int | None = None
        self._ends: float | None = None
        self._opened = -math.inf
        self._whole_at_opening = False

    # -- what a client does, in this order ---------------------------------------------------------

    def enter(self, operation: str, wake: Wake, *, spread: bool = False) -> Ticket:
        """Join the end of the queue.

        Args:
            operation: Name of the endpoint, as in `KNOWN_COSTS`.
            wake: Called whenever the ticket should ask again: from any thread, so it must be quick, and never
                raise.
            spread: Go no faster than evenly over what is left of the window.
        """
        ticket = Ticket(operation, wake, spread)
        with self._lock:
            if self._least_cost(operation):
                self._queued[operation] += 1
                ticket.queued, ticket.place = dict(self._queued), sum(self._queued.values())
                self._lines.setdefault(operation, OrderedDict())[ticket] = None
        return ticket

    def poll(self, ticket: Ticket, now: float) -> float:
        """Ask to be sent, as soon as `enter` has been called and then as its answers say.

        Returns:
            0.0: go now; the points are reserved until `leave` or `cancel`. Otherwise the seconds after which
            to ask again at the latest; ``wake`` is called when it is worth asking earlier. ``math.inf``: the
            limit is 0.
        """
        with self._lock:
            self._turn_window(now)
            wait = self._seconds_to_go(ticket, now)
            if wait > 0:
                return wait
            self._start(ticket, now)
            following = self._next()
        _wake(following)
        return 0.0

    def start(self, ticket: Ticket, now: float) -> None:
        """Count the ticket as sent without a turn (``pace=False``), so that those who do wait know of it."""
        with self._lock:
            self._turn_window(now)
            self._start(ticket, now)
            following = self._next()
        _wake(following)

    def leave(
        self,
        ticket: Ticket,
        now: float,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """End a request that was sent.

        Args:
            ticket: From `enter`, after `poll` or `start` let it go.
            now: Local monotonic seconds.
            status: Status of the answer; ``None``: it was sent, but no answer came, so it may have been
                charged.
            headers: Headers of the answer, found by their lower-case names.
        """
        with self._lock:
            if ticket not in self._in_flight:  # free of charge, or ended before
                return
            self._turn_window(now)
            seen = RateLimitHeaders.parse(headers or {})
            is_counted = seen is not None and self._observe(ticket, now, seen, status)
            if seen is None and status is not None and 200 <= status < 300:
                self._paced = False
            if not is_counted and self._paced:
                self._unseen.append((now, ticket.cost))
            if status == 429 and not is_counted:
                self._block(now, seen, parse_retry_after(headers or {}, wall=now))
            self._release(ticket)
            self._spent += self._price(ticket.operation)
            if self._remaining is None:
                self._forget_what_every_answer_will_count()
            following = self._next()
        _wake(following)

    def cancel(self, ticket: Ticket, now: float) -> None:
        """Give back the place in the queue, or the points of a request that never left; harmless at any time.

        A request that may have reached the server ends with `leave`, also when it was cancelled.
        """
        with self._lock:
            self._turn_window(now)
            self._drop(ticket)
            self._release(ticket)
            following = self._next()
        _wake(following)

    # -- what can be asked -------------------------------------------------------------------------

    def eta(self, ticket: Ticket, now: float) -> float:
        """Tell the least seconds until the ticket can go, all before it that it can't overtake going first.

        It is a lower bound: for a `queue_timeout` that is shorter, there is no use in waiting.
        """
        with self._lock:
            self._turn_window(now)
            if not self._paced or self._limit is None or ticket not in self._lines.get(ticket.operation, ()):
                return 0.0
            points, quota = self._points_until(ticket), self._quota(self._limit)
            if self._remaining is None or self._ends is None:
                return max(0.0, (math.ceil(points / quota) - 2) * self._clock.length) if self._limit else 0.0
            short = points - self._left()
            if short <= 0:
                return 0.0
            if not self._limit:
                return math.inf
            return self._ends - now + (math.ceil(short / quota) - 1) * self._clock.length

    def until_reset(self, now: float) -> float | None:
        """Tell the seconds until the points are whole again; ``math.inf``: never; ``None``: unknown."""
        with self._lock:
            self._turn_window(now)
            if self._limit == 0:
                return math.inf
            return None if self._ends is None else self._ends - now

    def snapshot(self, now: float) -> RateLimit:
        """Tell limit, remaining (less what is in flight) and reset."""
        with self._lock:
            self._turn_window(now)
            left = self._limit if self._remaining is None else self._remaining
            reset = self._clock.next_reset(now)
            return RateLimit(
                limit=self._limit,
                remaining=None if left is None else max(0, left - self._reserved),
                reset=None if reset is None else datetime.fromtimestamp(reset, UTC),
            )

    @property
    def costs(self) -> dict[str, int]:
        """Points per call by operation, known beforehand or measured."""
        with self._lock:
            return {operation: min(samples) for operation, samples in self._costs.items()}

    # -- under the lock: the queue -----------------------------------------------------------------

    def _next(self) -> Ticket | None:
        """Tell whose turn it is: the first's of those whose price the window still has, or else the first's."""
        # A copy, and a default: the garbage collector may cancel a ticket between any two of these steps.
        firsts = [first for line in list(self._lines.values()) if (first := next(iter(line), None))]
        if len(firsts) < 2:  # the usual case, and quick
            return next(iter(firsts), None)
        most = self._may_become_free()
        payable = [ticket for ticket in firsts if self._price(ticket.operation) <= most]
        return min(payable or firsts, key=attrgetter("place"))

    def _may_become_free(self) -> float:
        """Tell how many points are the most that can be free in this window: what is in flight may give some back."""
        if self._remaining is None:
            return math.inf
        return self._left() if self._in_flight else self._free()

    def _points_until(self, ticket: Ticket) -> int:
        """Count the ticket's points and those before it, without what is dearer: that, it may overtake."""
        own = self._least_cost(ticket.operation)
        return sum(
            cost * max(0, queued - self._gone[operation])
            for operation, queued in ticket.queued.items()
            if (cost := self._least_cost(operation)) <= own
        )

    def _drop(self, ticket: Ticket) -> None:
        line = self._lines.get(ticket.operation)
        if line and ticket in line:
            del line[ticket]
            self._gone[ticket.operation] += 1
            if not line:
                del self._lines[ticket.operation]

    def _seconds_to_go(self, ticket: Ticket, now: float) -> float:
        if not self._paced or not ticket.place:
            return 0.0
        if ticket is not self._next():
            return self._clock.length if self._ends is None else self._ends - now
        if ticket.asked is None:
            ticket.asked = now
        if self._remaining is None or self._ends is None:
            return _patience(self._last_start, now) if self._in_flight else 0.0
        return self._seconds_in_window(ticket, self._ends, now)

    def _seconds_in_window(self, ticket: Ticket, ends: float, now: float) -> float:
        """Say how long the one whose turn it is waits, in a window of which the server has told us."""
        if self._limit == 0:
            return math.inf
        if self._measuring is not None and (wait := _patience(self._measuring.started, now)):
            return wait
        if self._in_flight and self._is_to_measure(ticket.operation) and (wait := _patience(ticket.asked, now)):
            return wait
        free, price = self._free(), self._price(ticket.operation)
        if free < price:
            return ends - now
        if not ticket.spread:
            return 0.0
        begun = max(self._last_start, self._opened)
        span = max(0.0, ends - _SPREAD_SLACK * self._clock.length - begun)
        return max(0.0, begun + span * price / free - now)

    # -- under the lock: the points ----------------------------------------------------------------

    def _quota(self, limit: int) -> int:
        """Tell how many of a whole window's points are ours."""
        return max(1, math.floor(limit * self._share))

    def _left(self) -> int:
        """Tell how many points of this window are left to us, what is in flight included."""
        left = self._remaining or 0
        return left if self._share == 1 or self._limit is None else min(left, self._quota(self._limit) - self._spent)

    def _free(self) -> int:
        unseen = sum(cost for _, cost in self._unseen)
        return min((self._remaining or 0) - unseen, self._left()) - self._reserved

    def _price(self, operation: str) -> int:
        """Tell the points to reserve; of an unknown cost, more than likely: the answer gives them back."""
        cost = min(self._costs.get(operation, (_UNMEASURED_COST,)))
        # What is dearer than all that we may have would wait forever.
        return cost if self._limit is None else min(cost, self._quota(self._limit))

    def _least_cost(self, operation: str) -> int:
        return min(self._costs.get(operation, (_DEFAULT_COST,)))

    def _is_to_measure(self, operation: str) -> bool:
        return operation not in self._costs and self._attempts.get(operation, 0) < _MEASURING_ATTEMPTS

    def _start(self, ticket: Ticket, now: float) -> None:
        self._drop(ticket)
        if not ticket.place:
            return
        is_alone = not self._in_flight and not self._unseen
        self._alone = ticket if is_alone else None
        if is_alone:
            whole = self._limit if self._whole_at_opening else None
            ticket.measures_from = whole if self._remaining is None else self._remaining
        if self._remaining is not None and self._is_to_measure(ticket.operation):
            self._attempts[ticket.operation] = self._attempts.get(ticket.operation, 0) + 1
            self._measuring = ticket
        ticket.cost = self._price(ticket.operation)
        ticket.started = self._last_start = now
        self._in_flight[ticket] = None
        self._reserved += ticket.cost

    def _release(self, ticket: Ticket) -> None:
        if ticket in self._in_flight:
            del self._in_flight[ticket]
            self._reserved -= ticket.cost
        if self._measuring is ticket:
            self._measuring = None

    # -- under the lock: what answers tell ---------------------------------------------------------

    def _turn_window(self, now: float) -> None:
        """Once the reset is past, the points are whole, but the next window's first answer has to say so."""
        if self._ends is not None and now >= self._ends:
            self._open(now, None, None)
            self._whole_at_opening = self._limit is not None
            self._unseen.clear()

    def _open(self, now: float, remaining: int | None, ends: float | None) -> None:
        self._opened, self._remaining, self._ends = now, remaining, ends
        self._spent = 0
        self._whole_at_opening = False

    def _observe(self, ticket: Ticket, now: float, seen: RateLimitHeaders, status: int | None) -> bool:
        """Learn from an answer; True if its own cost is accounted for, False if nobody knows."""
        assert ticket.started is not None
        self._paced = True
        window = self._clock.observe(seen, now)
        was_open = self._remaining is not None
        is_over = window == "same" and not was_open and self._clock.ends() <= ticket.started
        if window == "old" or is_over:
            # Begun in the window that is over, it was charged to that. Begun in this one, its headers are out
            # of a cache; or, if it is a refusal, our idea of the reset was wrong.
            return ticket.started < self._opened
        if seen.limit is not None:
            self._limit = seen.limit
        remaining = 0 if status == 429 else seen.remaining
        is_of_one_window = window == ("same" if was_open else "new") and ticket.started >= self._opened
        if is_of_one_window and status != 429:
            self._measure(ticket, remaining)
        if window == "new":
            self._open(now if was_open else self._opened, remaining, self._clock.ends())
        else:
            self._remaining = remaining if self._remaining is None else min(self._remaining, remaining)
            self._ends = self._clock.ends() if window == "same" else self._ends or now + self._clock.length
        self._unseen = [entry for entry in self._unseen if entry[0] > ticket.started]
        return True

    def _forget_what_every_answer_will_count(self) -> None:
        """Drop what ended before the oldest request in flight began: a broken server mustn't fill memory."""
        if self._unseen:
            oldest = next(iter(self._in_flight), None)
            began = math.inf if oldest is None or oldest.started is None else oldest.started
            self._unseen = [entry for entry in self._unseen if entry[0] > began]
            # They may have been charged, so the next answer's cost can't be told from the limit.
            self._whole_at_opening = False

    def _measure(self, ticket: Ticket, remaining: int) -> None:
        """Learn a cost, if nothing else of ours can have been charged meanwhile."""
        if ticket is not self._alone or ticket.measures_from is None:
            return
        # Of several samples the least counts (`costs`): others may have spent meanwhile, which looks like a
        # cost. Where they certainly do, nothing becomes dearer.
        cost = ticket.measures_from - remaining
        most = math.inf if self._share == 1 else self._price(ticket.operation)
        if 1 <= cost <= most:
            self._costs.setdefault(ticket.operation, deque(maxlen=_SAMPLES)).append(cost)

    def _block(self, now: float, seen: RateLimitHeaders | None, retry_after: float | None) -> None:
        """Take a refusal that doesn't say until when: for a window, or as long as a proxy wants it."""
        if seen is not None and self._ends is not None:
            # Its headers are out of a cache, and newer ones have told when the points are back.
            self._remaining = 0
            return
        if seen is not None:
            self._clock.distrust(now)
        length = self._clock.length
        self._remaining, self._ends = 0, now + min(length, length if retry_after is None else retry_after)


def _patience(since: float | None, now: float) -> float:
    return 0.0 if since is None else max(0.0, since + _PATIENCE - now)


def _wake(ticket: Ticket | None) -> None:
    if ticket is not None:
        ticket.wake()
