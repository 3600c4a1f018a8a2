"""The points that a server grants per window, shared out in order among all calls that wait for them.

Nothing here waits, and nothing reads a clock: every method takes ``now``, seconds of the local *monotonic*
clock, and the answers say how long to wait. The wall clock isn't used at all, so it may be wrong, and may
jump.

How a window is spent without overdrawing it:

- The server's ``remaining`` only falls within a window, so the least value seen counts everything that has
  been answered. What may be spent is that value less the costs of what is in flight.
- A new window is opened by a single request. Its answer confirms the reset, shows what others spend from the
  same budget, and tells that request's cost; the rest follow it. The very first request is no different.
- An operation whose cost nobody knows is sent alone once, and the fall of ``remaining`` tells its cost.

The next call is the oldest one that the window can still pay for, otherwise the oldest. A call that is overtaken
has to wait for the reset anyhow, and after the reset all points are back and the order is the old one. So nobody
starves, and no points are left over.

What an exception at any moment leaves behind, one of a signal handler's included, is mended by the next call:

- A ticket counts as long as its `Waiter` is alive. Dead ones are dropped, so no `finally` is relied on.
- What is reserved is summed up whenever it is needed, and never counted up and down.
- Each change of the state is a single store: of an attribute, or in one dictionary.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from scapi._http.headers import parse_retry_after
from scapi._ratelimit.window import WINDOW, RateLimitHeaders, WindowClock
from scapi.models.ratelimit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Mapping


#: Points per call, where they are known; all other operations are measured, see `BudgetState.costs`.
KNOWN_COSTS: Mapping[str, int] = {"regions": 0, "emission": 1, "lots": 2, "price_history": 2, "profile": 2}

# What an unknown cost is likely to be, and what is reserved for it to be safe.
_DEFAULT_COST = 2
_UNMEASURED_COST = 10
_MEASURING_ATTEMPTS = 3
_SAMPLES = 5
# Seconds for which everybody waits for one request: a server that hangs must not hang all the others.
_PATIENCE = 1.0
# How often the whole queue is searched for dead tickets, in seconds. The first ones are looked at every time.
_SEARCH_INTERVAL = 1.0
# Share of a window that evenly spread requests leave free at its end.
_SPREAD_SLACK = 0.05


class Waiter(Protocol):
    """The call that a ticket belongs to."""

    def wake(self) -> None:
        """Let it ask again. Called from any thread, so it must be quick and never raise."""
        ...

    def alive(self) -> bool:
        """Tell whether the call still goes on: True from before `Pacing.enter` until after `Pacing.leave`.

        It must turn False whatever ends the call, an exception out of a signal handler included. A locked
        ``threading.Lock`` that the call holds in a ``with`` block does that: ``alive`` is its ``locked``.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """One request's place in the queue, and later its reservation.

    Attributes:
        operation: Name of the endpoint, as in `KNOWN_COSTS`.
        waiter: The call that waits.
        pace: ``True``: the request waits for its points. ``"even"``: it also goes no faster than evenly over what
            is left of the window. ``False``: it waits for nothing, and only a block stops it.
    """

    operation: str
    waiter: Waiter
    pace: bool | Literal["even"] = True


class Wait(NamedTuple):
    """Why a request can't go now.

    Attributes:
        again: Seconds after which to ask again at the latest; ``math.inf``: never.
        soonest: The least number of seconds until the request can go, 0 or more. It is a lower bound.
        blocked: Seconds that a refusal of the server's is still in force, or 0.0. Nothing is sent meanwhile.
        is_foreign: Whether that block isn't the API's own window, but a proxy's, for example.
    """

    again: float
    soonest: float
    blocked: float = 0.0
    is_foreign: bool = False


class BudgetState(NamedTuple):
    """What is known of a budget.

    Attributes:
        ratelimit: Limit, remaining (less what is in flight) and reset.
        until_reset: Seconds until calls are possible again: until a block is over, or else until the points are
            whole. ``math.inf``: never; ``None``: unknown.
        costs: Points per call by operation, known beforehand or measured.
        waiting: How many tickets stand in the queue.
        in_flight: How many tickets were sent and have points reserved.
    """

    ratelimit: RateLimit
    until_reset: float | None
    costs: Mapping[str, int]
    waiting: int
    in_flight: int


class Pacing(Protocol):
    """What a client asks of a budget; one that is shared between machines can take the place of `Budget`.

    Every attempt of a call makes `enter`, then `poll` until it says go, then `leave`, at whatever point it ends.
    The methods are called from tasks and threads at once and none of them may block, so a budget that lives
    elsewhere keeps a stock of points it was granted, refilled by a thread of its own, which then wakes the ticket
    that is next. An attempt may end without `leave`: then its waiter isn't alive any more, and the ticket is
    dropped. A waiter asks again once a second at least. ``now`` is the local monotonic clock; such a budget may use
    another one.
    """

    def enter(self, operation: str, waiter: Waiter, *, pace: bool | Literal["even"] = True) -> Ticket:
        """Join the queue."""
        ...

    def poll(self, ticket: Ticket, now: float) -> Wait | None:
        """Ask to be sent: ``None`` is yes, and the points are reserved until `leave`."""
        ...

    def leave(
        self,
        ticket: Ticket,
        now: float,
        *,
        sent: bool = True,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """End an attempt: with its answer, without one, or before anything was sent."""
        ...

    def state(self, now: float) -> BudgetState:
        """Tell what is known."""
        ...


class _Place(NamedTuple):
    """A place in the queue: a number that rises from ticket to ticket, and how many had joined each line by then."""

    number: int
    joined: Mapping[str, int]
    first_since: float | None = None


class _Sent(NamedTuple):
    """A request in flight. `alone_from`: the points before it was sent, if nothing else was on its way."""

    cost: int
    started: float
    is_measured: bool
    alone_from: int | None


class _Window(NamedTuple):
    """The present window: one object, so that it is replaced as a whole.

    `remaining` and `ends` are `None` until the server has told them. `least` is the least it has told of the reset
    that the clock knows, which a cache or a block doesn't change. `is_whole`: nothing can have been charged before
    it was opened.
    """

    opened: float = -math.inf
    remaining: int | None = None
    ends: float | None = None
    least: int | None = None
    spent: int = 0
    is_whole: bool = False


class _Block(NamedTuple):
    until: float = -math.inf
    is_foreign: bool = False


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
        self._block = _Block()
        self.forget_tickets()

    def forget_tickets(self) -> None:
        """Begin anew with nothing queued or in flight: in the child of a fork they are somebody else's."""
        # Reentrant, because the garbage collector may run a dropped coroutine's `finally: leave()` in the
        # middle of a method of ours, in the same thread.
        self._lock = threading.RLock()
        # By operation, because the next ticket depends on the price; each in order of arrival.
        self._lines: dict[str, OrderedDict[Ticket, _Place]] = {}
        self._joined: dict[str, int] = {}
        self._numbers = itertools.count(1)
        self._in_flight: dict[Ticket, _Sent] = {}
        self._unseen: list[tuple[float, int]] = []
        self._alone: Ticket | None = None
        self._attempts: dict[str, int] = {}
        self._last_start = self._searched = -math.inf
        self._has_dropped = False
        self._window = _Window()

    # -- what a client does, in this order ---------------------------------------------------------

    def enter(self, operation: str, waiter: Waiter, *, pace: bool | Literal["even"] = True) -> Ticket:
        """Join the end of the queue.

        Args:
            operation: Name of the endpoint, as in `KNOWN_COSTS`.
            waiter: The call. Its ticket is dropped as soon as it isn't alive.
            pace: ``True``, ``"even"`` or ``False``, see `Ticket`.
        """
        ticket = Ticket(operation, waiter, pace)
        if pace and self._least_cost(operation):
            with self._lock:
                line = self._lines.setdefault(operation, OrderedDict())
                self._joined[operation] = self._joined.get(operation, 0) + 1
                line[ticket] = _Place(next(self._numbers), dict(self._joined))
        return ticket

    def poll(self, ticket: Ticket, now: float) -> Wait | None:
        """Ask to be sent, as soon as `enter` has been called and then as its answers say.

        Returns:
            ``None``: go now; the points are reserved until `leave`. Otherwise how long to wait; the waiter is woken
            when it is worth asking earlier.
        """
        with self._lock:
            self._catch_up(now)
            wait = self._wait(ticket, now)
            if wait is None:
                self._start(ticket, now)
            # A dead one has woken nobody.
            following = self._next() if wait is None or self._has_dropped else None
            self._has_dropped = False
        _wake(following)
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
        """End an attempt, and with it the place in the queue or the reservation; harmless when done twice.

        Args:
            ticket: From `enter`.
            now: Local monotonic seconds.
            sent: False: nothing can have reached the server, so the points are free again.
            status: Status of the answer; ``None``: no answer came, so the request may have been charged.
            headers: Headers of the answer, found by their lower-case names.
        """
        with self._lock:
            self._catch_up(now)
            request = self._in_flight.get(ticket)
            if request is not None and sent:
                self._learn(ticket, request, now, status, headers or {})
            elif status == 429 and not RateLimitHeaders.any_in(headers or {}):
                # A free call has no reservation, but what stands before the API may refuse it all the same.
                self._block_by_another(now, headers or {})
            self._drop(ticket)
            self._in_flight.pop(ticket, None)
            if self._window.remaining is None:
                self._forget_what_every_answer_will_count()
            following = self._next()
        _wake(following)

    def state(self, now: float) -> BudgetState:
        """Tell what is known."""
        with self._lock:
            self._catch_up(now)
            self._search(now)
            return BudgetState(
                self._ratelimit(now),
                self._until_reset(now),
                {operation: min(samples) for operation, samples in self._costs.items()},
                sum(map(len, self._lines.values())),
                len(self._in_flight),
            )

    # -- under the lock: what time and exceptions do -----------------------------------------------

    def _catch_up(self, now: float) -> None:
        """Drop dead tickets and blocks that are over, and turn the window."""
        for ticket, request in list(self._in_flight.items()):
            if not ticket.waiter.alive():
                self._has_dropped = True
                self._lose(request, now)
                self._in_flight.pop(ticket, None)
        if now >= self._searched + _SEARCH_INTERVAL:
            self._search(now)
        if self._block.until <= now and self._block.is_foreign:
            # One request goes first and shows whether it is really over.
            self._window = _Window(now, least=self._window.least)
            self._block = _Block()
        ends = self._window.ends
        if ends is not None and now >= ends:
            # The points are whole, but the next window's first answer has to say so.
            self._unseen = []
            self._window = _Window(now, is_whole=self._limit is not None)

    def _search(self, now: float) -> None:
        """Drop all dead tickets from the queue."""
        self._searched = now
        for line in list(self._lines.values()):
            for ticket in [ticket for ticket in list(line) if not ticket.waiter.alive()]:
                self._has_dropped = True
                line.pop(ticket, None)

    def _lose(self, request: _Sent, now: float) -> None:
        """Take a request as charged, until an answer tells."""
        if self._paced:
            self._unseen.append((now, request.cost))
        self._spend(request.cost)

    # -- under the lock: the queue -----------------------------------------------------------------

    def _next(self) -> Ticket | None:
        """Return the next ticket: the oldest that the window can still pay for, otherwise the oldest."""
        # A copy, because the garbage collector may drop a ticket between any two of these steps.
        firsts = [first for line in list(self._lines.values()) if (first := self._first(line))]
        if len(firsts) < 2:  # the usual case, and quick
            return firsts[0][1] if firsts else None
        most = self._may_become_free()
        payable = [entry for entry in firsts if self._price(entry[1].operation) <= most]
        return min(payable or firsts, key=_number)[1]

    def _first(self, line: OrderedDict[Ticket, _Place]) -> tuple[_Place, Ticket] | None:
        """Return the first ticket of a line whose call still goes on, and drop those before it."""
        while (ticket := next(iter(line), None)) is not None:
            place = line.get(ticket)
            if place is not None and ticket.waiter.alive():
                return place, ticket
            self._has_dropped = True
            line.pop(ticket, None)
        return None

    def _may_become_free(self) -> float:
        """Tell how many points can become free in this window: what is in flight may give some back."""
        if self._window.remaining is None:
            return math.inf
        return self._left() if self._in_flight else self._free()

    def _drop(self, ticket: Ticket) -> None:
        line = self._lines.get(ticket.operation)
        if line:
            line.pop(ticket, None)

    def _place(self, ticket: Ticket) -> _Place | None:
        line = self._lines.get(ticket.operation)
        return line.get(ticket) if line else None

    def _wait(self, ticket: Ticket, now: float) -> Wait | None:
        place, blocked = self._place(ticket), self._blocked(ticket, now)
        soonest = max(blocked, self._soonest(ticket, place, now) if place else 0.0)
        if blocked:
            return Wait(blocked, soonest, blocked, self._block.is_foreign)
        if place is None or not self._paced:
            return None
        seconds = self._seconds_to_go(ticket, place, now)
        return Wait(seconds, max(soonest, seconds) if math.isinf(seconds) else soonest) if seconds > 0 else None

    def _blocked(self, ticket: Ticket, now: float) -> float:
        """Tell for how many seconds more nothing is sent because of a refusal."""
        left = self._block.until - now
        if left <= 0 or not (self._block.is_foreign or self._least_cost(ticket.operation)):
            return 0.0
        return math.inf if self._limit == 0 and not self._block.is_foreign else left

    def _soonest(self, ticket: Ticket, place: _Place, now: float) -> float:
        """Tell the least seconds until a ticket can go, all before it that it can't overtake going first."""
        if not self._paced or self._limit is None:
            return 0.0
        points, quota, window = self._points_until(ticket, place), self._quota(self._limit), self._window
        if window.remaining is None or window.ends is None:
            return max(0.0, (math.ceil(points / quota) - 2) * self._clock.length) if self._limit else 0.0
        short = points - self._left()
        if short <= 0:
            return 0.0
        if not self._limit:
            return math.inf
        return window.ends - now + (math.ceil(short / quota) - 1) * self._clock.length

    def _points_until(self, ticket: Ticket, place: _Place) -> int:
        """Count the ticket's points and those before it, without what is dearer: that, it may overtake."""
        own, points = self._least_cost(ticket.operation), 0
        for operation, joined in place.joined.items():
            cost = self._least_cost(operation)
            if cost <= own:
                gone = self._joined[operation] - len(self._lines.get(operation, ()))
                points += cost * max(0, joined - gone)
        return max(own, points)

    def _seconds_to_go(self, ticket: Ticket, place: _Place, now: float) -> float:
        window = self._window
        if ticket is not self._next():
            return self._clock.length if window.ends is None else window.ends - now
        if place.first_since is None:
            place = place._replace(first_since=now)
            self._lines[ticket.operation][ticket] = place
        if window.remaining is None or window.ends is None:
            return _patience(self._last_start, now) if self._in_flight else 0.0
        return self._seconds_in_window(ticket, place, window.ends, now)

    def _seconds_in_window(self, ticket: Ticket, place: _Place, ends: float, now: float) -> float:
        """Tell how long the next ticket waits in a window of which the server has told us."""
        if self._limit == 0:
            return math.inf
        measured = [request.started for request in list(self._in_flight.values()) if request.is_measured]
        if measured and (wait := _patience(max(measured), now)):
            return wait
        if self._in_flight and self._is_to_measure(ticket.operation) and (wait := _patience(place.first_since, now)):
            return wait
        free, price = self._free(), self._price(ticket.operation)
        if free < price:
            return ends - now
        if ticket.pace != "even":
            return 0.0
        begun = max(self._last_start, self._window.opened)
        span = max(0.0, ends - _SPREAD_SLACK * self._clock.length - begun)
        return max(0.0, begun + span * price / free - now)

    # -- under the lock: the points ----------------------------------------------------------------

    def _quota(self, limit: int) -> int:
        """Tell how many of a whole window's points are ours."""
        return max(1, math.floor(limit * self._share))

    def _left(self) -> int:
        """Tell how many points of this window are left to us, what is in flight included."""
        left, spent = self._window.remaining or 0, self._window.spent
        return left if self._share == 1 or self._limit is None else min(left, self._quota(self._limit) - spent)

    def _free(self) -> int:
        unseen = sum(cost for _, cost in self._unseen)
        return min((self._window.remaining or 0) - unseen, self._left()) - self._reserved()

    def _spend(self, points: int) -> None:
        if self._share < 1:  # nobody else asks
            self._window = self._window._replace(spent=self._window.spent + points)

    def _reserved(self) -> int:
        return sum(request.cost for request in list(self._in_flight.values()))

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
        if self._least_cost(ticket.operation):
            window, operation = self._window, ticket.operation
            is_alone = not self._in_flight and not self._unseen
            self._alone = ticket if is_alone else None
            whole = self._limit if window.is_whole else None
            is_measured = window.remaining is not None and self._is_to_measure(operation)
            if is_measured:
                self._attempts[operation] = self._attempts.get(operation, 0) + 1
            self._last_start = now
            self._in_flight[ticket] = _Sent(
                cost=self._price(operation),
                started=now,
                is_measured=is_measured,
                alone_from=(whole if window.remaining is None else window.remaining) if is_alone else None,
            )
        self._drop(ticket)

    # -- under the lock: what answers tell ---------------------------------------------------------

    def _learn(
        self, ticket: Ticket, request: _Sent, now: float, status: int | None, headers: Mapping[str, str]
    ) -> None:
        """Take up an answer, or that there was none."""
        seen = RateLimitHeaders.parse(headers)
        is_counted = seen is not None and self._observe(ticket, request, now, seen, status)
        if seen is None and status is not None and 200 <= status < 300 and not RateLimitHeaders.any_in(headers):
            self._paced = False
        if not is_counted and self._paced:
            self._unseen.append((now, request.cost))
        if status == 429 and not is_counted:
            self._refused(now, seen, headers)
        self._spend(self._price(ticket.operation))

    def _observe(self, ticket: Ticket, request: _Sent, now: float, seen: RateLimitHeaders, status: int | None) -> bool:
        """Learn from an answer; True if its own cost is accounted for, False if nobody knows."""
        self._paced = True
        remaining = 0 if status == 429 else seen.remaining
        if remaining is None:
            return False
        verdict, window = self._clock.observe(seen, now), self._window
        was_open = window.remaining is not None
        is_over = verdict == "same" and not was_open and self._clock.ends() <= request.started
        if verdict == "old" or is_over:
            # Begun in the window that is over, it was charged to that. Begun in this one, its headers are out
            # of a cache; or, if it is a refusal, our idea of the reset was wrong.
            return request.started < window.opened
        if seen.limit is not None:
            self._limit = seen.limit
        is_of_one_window = verdict == ("same" if was_open else "new") and request.started >= window.opened
        if is_of_one_window and status != 429:
            self._measure(ticket, request, remaining)
        if verdict == "new":
            self._window = _Window(now if was_open else window.opened, remaining, self._clock.ends(), seen.remaining)
            if not self._block.is_foreign:
                self._block = _Block()
        else:
            # The least of a window counts: an answer out of a cache may tell more, with the same reset.
            least = min(told for told in (seen.remaining, window.least, self._limit) if told is not None)
            ends = self._clock.ends() if verdict == "same" else window.ends or now + self._clock.length
            known = least if window.remaining is None else window.remaining
            self._window = window._replace(remaining=min(known, remaining), ends=ends, least=least)
        self._unseen = [entry for entry in self._unseen if entry[0] > request.started]
        if status == 429 and self._window.ends is not None:
            self._stop(self._window.ends)
        # The counters of a window that was over may be those of a cache, which know nothing of this request.
        return verdict != "past"

    def _forget_what_every_answer_will_count(self) -> None:
        """Drop what ended before the oldest request in flight began: a broken server mustn't fill memory."""
        if self._unseen:
            began = min((request.started for request in list(self._in_flight.values())), default=math.inf)
            self._unseen = [entry for entry in self._unseen if entry[0] > began]
            # They may have been charged, so the next answer's cost can't be told from the limit.
            self._window = self._window._replace(is_whole=False)

    def _measure(self, ticket: Ticket, request: _Sent, remaining: int) -> None:
        """Learn a cost, if nothing else of ours can have been charged meanwhile."""
        if ticket is not self._alone or request.alone_from is None:
            return
        # Of several samples the least counts (`costs`): others may have spent meanwhile, which looks like a
        # cost. Where they certainly do, nothing becomes dearer.
        cost = request.alone_from - remaining
        most = math.inf if self._share == 1 else self._price(ticket.operation)
        if 1 <= cost <= most:
            self._costs.setdefault(ticket.operation, deque(maxlen=_SAMPLES)).append(cost)

    # -- under the lock: refusals ------------------------------------------------------------------

    def _refused(self, now: float, seen: RateLimitHeaders | None, headers: Mapping[str, str]) -> None:
        """Take a refusal that doesn't say until when."""
        if seen is None:
            self._block_by_another(now, headers)
            return
        if self._window.ends is None:
            # Our idea of the reset was wrong.
            self._clock.distrust(now)
            self._window = self._window._replace(ends=now + self._clock.length)
        # Otherwise its headers are out of a cache, and newer ones have told when the points are back.
        self._window = self._window._replace(remaining=0)
        self._stop(self._window.ends or now)

    def _block_by_another(self, now: float, headers: Mapping[str, str]) -> None:
        """Take the refusal of something that stands before the API, as long as it asks for."""
        asked = parse_retry_after(headers)
        self._stop(now + (self._clock.length if asked is None else asked), is_foreign=True)

    def _stop(self, until: float, *, is_foreign: bool = False) -> None:
        if until > self._block.until:
            self._block = _Block(until, is_foreign)

    # -- under the lock: what can be asked ---------------------------------------------------------

    def _until_reset(self, now: float) -> float | None:
        if self._limit == 0:
            return math.inf
        if self._block.until > now:
            return self._block.until - now
        return None if self._window.ends is None else self._window.ends - now

    def _ratelimit(self, now: float) -> RateLimit:
        window, reset = self._window, self._clock.next_reset(now)
        told = window.least if window.remaining is None else window.remaining
        left = self._limit if told is None else told
        return RateLimit(
            limit=self._limit,
            remaining=None if left is None else max(0, left - self._reserved()),
            reset=None if reset is None else datetime.fromtimestamp(reset, UTC),
        )


def _number(entry: tuple[_Place, Ticket]) -> int:
    return entry[0].number


def _patience(since: float | None, now: float) -> float:
    return 0.0 if since is None else max(0.0, since + _PATIENCE - now)


def _wake(ticket: Ticket | None) -> None:
    if ticket is not None:
        ticket.waiter.wake()
