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
"""

from __future__ import annotations

import hashlib
import math
import os
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from scapi._core.retry import parse_http_date, parse_retry_after
from scapi.models.ratelimit import RateLimit

#: Points per call, where they are known; all other operations are measured, see `Budget.costs`.
KNOWN_COSTS: Mapping[str, int] = {"regions": 0, "emission": 1, "lots": 2, "price_history": 2, "profile": 2}

_WINDOW = 60.0
# What an unknown cost is likely to be, and what is reserved for it to be safe.
_DEFAULT_COST = 2
_UNMEASURED_COST = 10
_MEASURING_ATTEMPTS = 3
_SAMPLES = 5
# Seconds for which everybody waits for one request: a server that hangs must not hang all the others.
_PATIENCE = 1.0
# Share of a window that evenly spread requests leave free at its end.
_SPREAD_SLACK = 0.05

_SAME_RESET = 0.1
_RESET_MARGIN = 0.05
_RESET_SLACK = 5.0
# Local and remote clock run apart by less than this share.
_DRIFT = 200e-6

Wake = Callable[[], None]
Window = Literal["new", "same", "old", "unknown"]


@dataclass(slots=True, eq=False)
class Ticket:
    """One request's place in the queue, and later its reservation."""

    operation: str
    wake: Wake
    spread: bool = False
    cost: int = 0
    mark: int = 0
    asked: float | None = None
    started: float | None = None
    measures_from: int | None = None


class Pacing(Protocol):
    """What a client asks of a budget; a budget shared between machines can take the place of `Budget`.

    ``poll`` never blocks, so a budget that lives elsewhere keeps a stock of granted points, refilled by a
    thread of its own that calls ``wake`` of the first in the queue. It may use another clock than ``now``.
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


@dataclass(frozen=True, slots=True)
class RateLimitHeaders:
    """The rate-limit headers of one answer: points, and times in seconds since the epoch."""

    remaining: int
    limit: int | None = None
    reset: float | None = None
    date: float | None = None

    @classmethod
    def parse(cls, headers: Mapping[str, str]) -> RateLimitHeaders | None:
        """Read the headers of an answer, found by their lower-case names.

        Returns:
            What could be read, or ``None`` where ``x-ratelimit-remaining`` is absent, negative or not a
            number.
        """
        remaining = _read_count(headers.get("x-ratelimit-remaining"))
        if remaining is None:
            return None
        limit = _read_count(headers.get("x-ratelimit-limit"))
        reset = _read_count(headers.get("x-ratelimit-reset"))
        return cls(
            remaining=remaining if limit is None else min(remaining, limit),
            limit=limit,
            reset=None if reset is None else reset / 1000,
            date=parse_http_date(headers.get("date", "")),
        )


def _read_count(text: str | None) -> int | None:
    text = (text or "").strip()
    # 15 digits are the year 33658 in milliseconds: whatever is longer is no number of ours.
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else None


class WindowClock:
    """When the server's window ends, by the local monotonic clock.

    Every answer proves that the server's clock was *at least* so much ahead of ours when the answer arrived:
    by its ``Date``, and because its reset was then at most one window away. The greatest of these bounds is
    used, so that the reset is expected late rather than early, by little more than the quickest answer's way
    back.
    """

    def __init__(self, length: float = _WINDOW) -> None:
        self.length = length
        self.reset: float | None = None
        self._longest = length
        self._step = 0.0
        self._ahead = -math.inf
        self._seen = -math.inf
        self._trusts_date = True

    def observe(self, seen: RateLimitHeaders, now: float) -> Window:
        """Learn from an answer, and say to which window it belongs."""
        if now - self._seen > 2 * self._longest:
            # Whatever was wrong with the last reset, or has happened to the clocks since, ends here.
            self.reset, self._ahead = None, -math.inf
        if seen.reset is None or (self.reset is not None and seen.reset < self.reset - _SAME_RESET):
            return "unknown" if seen.reset is None else "old"
        date = seen.date if self._trusts_date else None
        is_new = self.reset is None or seen.reset > self.reset + _SAME_RESET
        if is_new and not self._is_sane(seen.reset, date, now):
            return "unknown"
        if is_new and self.reset is not None:
            self._learn_length(seen.reset - self.reset)
        self._ahead = max(
            self._ahead - _DRIFT * (now - self._seen) if math.isfinite(self._ahead) else -math.inf,
            seen.reset - self.length - now,
            -math.inf if date is None else date - now,
        )
        self._seen = now
        if is_new:
            self.reset = seen.reset
        return "new" if is_new else "same"

    def ends(self) -> float:
        """Tell the local time at which the newest window seen is certainly over."""
        assert self.reset is not None
        return self.reset - self._ahead + _RESET_MARGIN

    def distrust(self, now: float) -> None:
        """Learn that the newest window isn't over although it ought to be: keep only what is certain."""
        assert self.reset is not None
        self._trusts_date = False
        self._ahead = self.reset - self.length - now

    def next_reset(self, now: float) -> float | None:
        """Tell the next reset by the server's clock, seconds since the epoch."""
        if self.reset is None:
            return None
        over = now - self.ends()
        return self.reset if over < 0 else self.reset + self.length * (1 + over // self.length)

    def _is_sane(self, reset: float, date: float | None, now: float) -> bool:
        """Refuse a reset that is long past, or farther away than the longest window."""
        delays = [] if date is None else [reset - date]
        if self.reset is not None:
            # The server's clock can't be later than the last reset and the time since.
            delays.append(reset - self.reset - (now - self._seen))
        if not delays:
            return True
        if max(delays) > self.length + _RESET_SLACK:
            self.length = self._longest
        return max(delays) <= self.length + _RESET_SLACK and (date is None or reset - date > -self.length)

    def _learn_length(self, step: float) -> None:
        # Twice the same: a single odd step is a server that has been started anew.
        if step < self.length - _SAME_RESET and abs(step - self._step) <= _SAME_RESET:
            self.length = step
        self._step = step


class Budget:
    """The points of one pair of host and credentials, for all tasks, event loops and threads of a process.

    The first in the queue is the only one who may go, whatever it costs, so nobody starves.

    Args:
        window: Length of the server's window in seconds; a shorter one is learned from the resets.
    """

    def __init__(self, *, window: float = _WINDOW) -> None:
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
        self._queue: OrderedDict[Ticket, None] = OrderedDict()
        self._joined = self._gone = 0
        self._in_flight: OrderedDict[Ticket, None] = OrderedDict()
        self._reserved = 0
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
            ticket.cost = min(self._costs.get(operation, (_DEFAULT_COST,)))
            if ticket.cost:
                self._queue[ticket] = None
                self._joined += ticket.cost
                ticket.mark = self._joined
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
            following = self._first()
        _wake(following)
        return 0.0

    def start(self, ticket: Ticket, now: float) -> None:
        """Count the ticket as sent without a turn (``pace=False``), so that those who do wait know of it."""
        with self._lock:
            self._turn_window(now)
            self._start(ticket, now)
            following = self._first()
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
            if self._remaining is None:
                self._forget_what_every_answer_will_count()
            following = self._first()
        _wake(following)

    def cancel(self, ticket: Ticket, now: float) -> None:
        """Give back the place in the queue, or the points of a request that never left; harmless at any time.

        A request that may have reached the server ends with `leave`, also when it was cancelled.
        """
        with self._lock:
            self._turn_window(now)
            self._drop(ticket)
            self._release(ticket)
            following = self._first()
        _wake(following)

    # -- what can be asked -------------------------------------------------------------------------

    def eta(self, ticket: Ticket, now: float) -> float:
        """Tell the least seconds until the ticket can go, all before it in the queue going first.

        It is a lower bound: for a `queue_timeout` that is shorter, there is no use in waiting.
        """
        with self._lock:
            self._turn_window(now)
            if not self._paced or self._limit is None or ticket not in self._queue:
                return 0.0
            if self._remaining is None or self._ends is None:
                windows = math.ceil((ticket.mark - self._gone) / self._limit) - 2 if self._limit else 0
                return max(0.0, windows * self._clock.length)
            short = ticket.mark - self._gone - self._remaining
            if short <= 0:
                return 0.0
            if not self._limit:
                return math.inf
            return self._ends - now + (math.ceil(short / self._limit) - 1) * self._clock.length

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

    def _first(self) -> Ticket | None:
        return next(iter(self._queue), None)

    def _drop(self, ticket: Ticket) -> None:
        if ticket in self._queue:
            del self._queue[ticket]
            self._gone += ticket.cost

    def _seconds_to_go(self, ticket: Ticket, now: float) -> float:
        if not self._paced or not ticket.cost:
            return 0.0
        if ticket is not self._first():
            return self._clock.length if self._ends is None else self._ends - now
        if ticket.asked is None:
            ticket.asked = now
        if self._remaining is None or self._ends is None:
            return _patience(self._last_start, now) if self._in_flight else 0.0
        return self._seconds_in_window(ticket, self._ends, now)

    def _seconds_in_window(self, ticket: Ticket, ends: float, now: float) -> float:
        """Say how long the first in the queue waits, in a window of which the server has told us."""
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

    def _free(self) -> int:
        return (self._remaining or 0) - self._reserved - sum(cost for _, cost in self._unseen)

    def _price(self, operation: str) -> int:
        """Tell the points to reserve; of an unknown cost, more than likely: the answer gives them back."""
        if operation in self._costs:
            return min(self._costs[operation])
        return min(_UNMEASURED_COST, self._limit or _UNMEASURED_COST)

    def _is_to_measure(self, operation: str) -> bool:
        return operation not in self._costs and self._attempts.get(operation, 0) < _MEASURING_ATTEMPTS

    def _start(self, ticket: Ticket, now: float) -> None:
        self._drop(ticket)
        if not ticket.cost:
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
        # cost.
        if (cost := ticket.measures_from - remaining) >= 1:
            self._costs.setdefault(ticket.operation, deque(maxlen=_SAMPLES)).append(cost)

    def _block(self, now: float, seen: RateLimitHeaders | None, retry_after: float | None) -> None:
        """Take a refusal that doesn't say until when: for a window, or as long as a proxy wants it."""
        if seen is not None:
            self._clock.distrust(now)
        length = self._clock.length
        self._remaining, self._ends = 0, now + min(length, length if retry_after is None else retry_after)


def _patience(since: float | None, now: float) -> float:
    return 0.0 if since is None else max(0.0, since + _PATIENCE - now)


def _wake(ticket: Ticket | None) -> None:
    if ticket is not None:
        ticket.wake()


# -- one budget for each pair of host and credentials ----------------------------------------------

_budgets: weakref.WeakValueDictionary[bytes, Budget] = weakref.WeakValueDictionary()
_budgets_lock = threading.Lock()
# The credentials are only ever kept as a digest that means nothing outside of this process.
_digest_key = os.urandom(32)


def budget_for(host: str, credentials: str) -> Budget:
    """Find the budget that all clients in this process share for a host and credentials.

    Args:
        host: Host, with the port if there is one, of the base URL.
        credentials: Token, or client id and secret in one string. Not kept.

    Returns:
        The budget, which lives as long as somebody holds it.
    """
    text = f"{host.lower()}\0{credentials}".encode("utf-8", "surrogatepass")
    key = hashlib.blake2b(text, key=_digest_key).digest()
    with _budgets_lock:
        budget = _budgets.get(key)
        if budget is None:
            budget = _budgets[key] = Budget()
        return budget


def _begin_anew_after_fork() -> None:
    global _budgets_lock  # noqa: PLW0603  # a lock that another thread held can not be released in the child
    _budgets_lock = threading.Lock()
    for budget in list(_budgets.values()):
        budget.forget_tickets()


if hasattr(os, "register_at_fork"):  # absent on Windows, which doesn't fork
    os.register_at_fork(after_in_child=_begin_anew_after_fork)
