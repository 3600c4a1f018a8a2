"""The state of a budget that processes share where no script can run, such as in a row of a PostgreSQL table.

It is what `shared.lua` keeps in Redis. Times are milliseconds of the database's clock, and only their differences
matter: the window's end comes from the server's `reset`, which each process converts to the time left.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from scapi._ratelimit import shared_times as times
from scapi._ratelimit.priorities import OVERDUE_SHARE
from scapi._ratelimit.shared_messages import Grant

#: Milliseconds that all other calls wait for one request: the first of a window, or one that is measured.
PATIENCE = 1000
#: How many requests with an unknown cost go alone before it is given up, and how many samples of a cost count.
ATTEMPTS, SAMPLES = 3, 5
#: The most entries that are kept of requests without a confirmation.
UNSEEN = 16
#: Milliseconds that a new state waits for the requests of processes that hold points of a lost one.
GATHER = 300
#: A clock that was set back by more milliseconds than this moves all times.
STEP_BACK = 1000


class Want(NamedTuple):
    """A ticket that waits: `rank` is 1 high, 2 normal or 3 low; `waited` is 1 if it has waited for a whole window."""

    rank: int
    operation: str
    is_even: int
    price: int
    waited: int


class Process(msgspec.Struct, omit_defaults=True):
    """A process that takes part.

    Attributes:
        lease: When it counts as dead.
        held: Points of its requests in flight and of its grants.
        granted: Grants that it hasn't fetched yet.
        turn: The window of `had`.
        had: Points that it received in that window.
        wants: Its next tickets, in order.
        asked: When it last asked for a ticket of each rank.
        reserve: The share of a window that it keeps for calls above low priority.
    """

    lease: float = 0.0
    held: int = 0
    granted: list[Grant] = []
    turn: int = 0
    had: int = 0
    wants: list[Want] = []
    asked: dict[int, float] = {}
    reserve: float = 0.0


class State(msgspec.Struct, omit_defaults=True):
    """The state of one budget. A missing value is unknown.

    Attributes:
        id: Tells this state from one that was lost.
        last: The time of the last step.
        window: The number of the window. No other state of this budget uses the same numbers.
        turn: The number of the window, from 0.
        opened: When the window began.
        started: When the last request was granted.
        spent: Points granted in this window.
        served: Points granted in this window by rank.
        limit: Points of a window.
        remaining: Points that the server said are left, or what a refusal means. Requests in flight aren't deducted.
        least: The least number of points that the server named in this window.
        ends: When the window ends.
        reset: The server's reset, in milliseconds since 1970.
        reset_ends: When that reset comes.
        seen: When the server last named a reset.
        blocked: Until when nothing is sent.
        is_foreign: Whether the block comes from something other than the API.
        is_unpaced: Whether the server names no points.
        is_whole: Whether nothing can have been charged in this window yet.
        unseen: Requests that may have been charged without a confirmation: when each ended, and its points.
        costs: Samples of the points per call, by operation.
        version: Counts the changes of the costs.
        tries: How many requests of an operation were sent alone to be measured.
        since: Since when the first ticket of an operation waits to be sent alone.
        alone: The grant of the request that is in flight alone.
        alone_from: The points before that request.
        measuring: The grant of the request that is measured.
        measuring_since: When that was granted.
        gather: Until when nothing is granted, because other processes haven't told what they hold.
        grants: The number of grants so far.
        processes: The processes, by name.
    """

    id: str = ""
    last: float | None = None
    window: int = 0
    turn: int = 0
    opened: float = 0.0
    started: float | None = None
    spent: int = 0
    served: dict[int, int] = {}
    limit: int | None = None
    remaining: int | None = None
    least: int | None = None
    ends: float | None = None
    reset: float | None = None
    reset_ends: float | None = None
    seen: float | None = None
    blocked: float | None = None
    is_foreign: bool = False
    is_unpaced: bool = False
    is_whole: bool = False
    unseen: list[tuple[float, int]] = []
    costs: dict[str, list[int]] = {}
    version: int = 0
    tries: dict[str, int] = {}
    since: dict[str, float] = {}
    alone: int | None = None
    alone_from: int | None = None
    measuring: int | None = None
    measuring_since: float | None = None
    gather: float | None = None
    grants: int = 0
    processes: dict[str, Process] = {}

    # ── points ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def reserved(self) -> int:
        """Return the points that processes hold for requests in flight and for grants."""
        return sum(process.held for process in self.processes.values())

    def lost(self) -> int:
        """Return the points of requests that may have been charged without a confirmation."""
        return sum(points for _, points in self.unseen)

    def lose(self, points: int, now: float) -> None:
        """Count points as charged until a later response tells."""
        if points > 0 and not self.is_unpaced:
            self.unseen.append((now, points))
            while len(self.unseen) > UNSEEN:
                # A broken server must not fill the memory. Merged entries take the newer time, which is the safe one.
                (_, first), (time, second) = self.unseen[:2]
                self.unseen[:2] = [(time, first + second)]

    def price(self, operation: str) -> int:
        """Return the points that a call of an operation has to find."""
        cost = min(self.costs.get(operation, ()), default=times.UNMEASURED_COST)
        return max(1, cost if self.limit is None else min(cost, self.limit))

    def is_to_measure(self, operation: str) -> bool:
        """Return whether the next call of an operation should go alone, so that it shows its cost."""
        return operation not in self.costs and self.tries.get(operation, 0) < ATTEMPTS

    def is_overdue(self, rank: int) -> bool:
        """Return whether tickets of a rank that have waited for a window come first."""
        return self.limit is not None and self.served.get(rank, 0) < OVERDUE_SHARE * self.limit

    def had(self, process: Process) -> int:
        """Return the points that a process received in this window."""
        return process.had if process.turn == self.turn else 0

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, name: str, now: float, *, is_known_elsewhere: bool) -> None:
        """Begin a state: the first one, or another one after that was lost."""
        self.id = f"{now:.0f}{name}"
        self.window, self.opened = int(now), now
        if is_known_elsewhere:
            self.gather = now + GATHER

    def new_window(self, now: float) -> None:
        """Begin a window of which nothing is known yet."""
        self.window += 1
        self.turn += 1
        self.spent, self.served = 0, {}
        self.opened = now
        self.remaining = self.ends = None

    def stop(self, until: float, *, is_foreign: bool = False) -> None:
        """Block all calls until a time."""
        if until > (self.blocked or 0):
            self.blocked, self.is_foreign = until, is_foreign

    def follow_clock(self, now: float, lease: float) -> None:
        """Move all times if the database's clock was set back, as if no time had passed."""
        step = now - (now if self.last is None else self.last)
        if step < -STEP_BACK:
            for name in ("ends", "reset_ends", "blocked", "started", "opened", "measuring_since", "seen", "gather"):
                if (time := getattr(self, name)) is not None:
                    setattr(self, name, time + step)
            self.since = {}
            for process in self.processes.values():
                process.lease = now + lease
            self.unseen = [(now, points) for _, points in self.unseen]
        self.last = now

    def catch_up(self, me: str, length: float, now: float) -> None:
        """Drop dead processes, and blocks and windows that are over."""
        for name in [name for name, process in self.processes.items() if process.lease < now and name != me]:
            self.bury(name, now)
        if self.seen is not None and abs(now - self.seen) > 2 * length:
            self.reset = None  # it may be wrong
        if self.blocked is not None and self.blocked <= now:
            if self.is_foreign:
                # A single request goes first and shows whether the block is over.
                self.new_window(now)
                self.is_whole = False
            self.blocked, self.is_foreign = None, False
        if self.ends is not None and now >= self.ends:
            self.unseen, self.least = [], None
            self.new_window(now)
            self.is_whole = self.limit is not None

    # ── processes ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def bury(self, name: str, now: float) -> None:
        """Release the points of a process. Its requests may have been charged; grants that it didn't fetch weren't."""
        process = self.processes.pop(name, None)
        if process is not None:
            self.lose(process.held - sum(grant.points for grant in process.granted), now)

    def busy(self, rank: int, since: float, now: float) -> int:
        """Return how many processes asked for a ticket of a rank since a time."""
        return sum(since <= process.asked.get(rank, -math.inf) <= now for process in self.processes.values())

    def reserve(self) -> float:
        """Return the points that all processes together keep for calls above low priority."""
        return max((process.reserve for process in self.processes.values()), default=0.0) * (self.limit or 0)


_decoder = msgspec.msgpack.Decoder(State)


def read(stored: bytes | None) -> State:
    """Read a stored state; a missing one is new.

    Raises:
        msgspec.DecodeError: It isn't a state.
    """
    return State() if stored is None else _decoder.decode(stored)


def write(state: State) -> bytes:
    """Return a state as bytes."""
    return msgspec.msgpack.encode(state)
