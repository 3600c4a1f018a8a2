"""Which tickets of which processes a shared state grants. `shared.lua` does the same in Redis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scapi._ratelimit.priorities import MELTED, MELTING
from scapi._ratelimit.shared_messages import Grant
from scapi._ratelimit.shared_state import PATIENCE

if TYPE_CHECKING:
    from scapi._ratelimit.shared_state import Process, State, Want

#: The longest wait before a process asks again, in milliseconds.
HEARTBEAT = 250
#: The share of a window that evenly spread requests leave free at its end.
SLACK = 0.05
#: Shares of a window: how long a process counts as busy after a request, until when busy processes keep to equal parts,
#: and from when on each may take everything left.
BUSY, EQUAL, ANY = 0.05, 0.3, 0.8


class Granting:
    """Grants the tickets of a state, the next one first.

    Args:
        state: The state.
        length: Milliseconds of a window.
        now: The database's time in milliseconds.
    """

    def __init__(self, state: State, length: float, now: float) -> None:
        self._state = state
        self._length = length
        self._now = now
        # No grant changes these.
        self._is_open = state.remaining is not None and state.ends is not None
        self._poll = min(HEARTBEAT, max(10, 2 * len(state.processes)))

    def dispatch(self) -> float:
        """Grant all tickets that can be granted. Return the milliseconds after which to try again."""
        while (again := self._grant_next()) is None:
            pass
        return again

    def _grant_next(self) -> float | None:
        """Grant one ticket. Return `None`, or the milliseconds after which to try again."""
        state, now = self._state, self._now
        if (stopped := max((state.blocked or 0) - now, (state.gather or 0) - now)) > 0:
            return stopped
        left_of_window = HEARTBEAT if state.ends is None else state.ends - now
        if state.limit == 0 and state.ends is not None:
            return left_of_window
        available = self._available()
        # Requests in flight may give points back in this window.
        is_counted = self._is_open and not state.is_unpaced and state.reserved() > 0
        most = (state.remaining or 0) if is_counted else available
        for rank, waited in self._ranks():
            if (found := self._next(rank, waited, most)) is not None:
                process, want = found
                wait = 0.0 if state.is_unpaced else self._wait(process, want, available, waited=waited)
                if wait <= 0:
                    self._grant(process, want)
                    return None
                return wait
        return left_of_window if self._is_open and state.reserved() == 0 else HEARTBEAT

    def _available(self) -> float:
        state = self._state
        if state.remaining is None or state.ends is None or state.is_unpaced:
            return math.inf
        return state.remaining - state.lost() - state.reserved()

    def _ranks(self) -> list[tuple[int, bool]]:
        """Return the ranks in order. Tickets that have waited for a window come first, up to a share of the points."""
        overdue = [(rank, True) for rank in (2, 3) if self._state.is_overdue(rank)]
        return [*overdue, (1, False), (2, False), (3, False)]

    def _next(self, rank: int, waited: bool, most: float) -> tuple[Process, Want] | None:
        """Return the ticket of the process with the fewest points in this window, at no more than a price."""
        found: list[tuple[int, int, str, Process, Want]] = []
        for name, process in self._state.processes.items():
            fitting = (want for want in process.wants if want.rank == rank and want.price <= most)
            if (want := next((want for want in fitting if want.waited or not waited), None)) is not None:
                found.append((process.turn, process.had, name, process, want))
        if not found:
            return None
        *_, process, want = min(found, key=lambda one: one[:3])
        return process, want

    def _wait(self, process: Process, want: Want, available: float, *, waited: bool) -> float:
        """Return the milliseconds that a ticket has to wait, or 0."""
        state = self._state
        kept_back = state.reserve() if want.rank == 3 and not waited and self._is_open else 0.0
        left = available - self._kept(kept_back) if kept_back > 0 else available
        if want.price > available:
            return self._poll
        if want.price > left:
            return max(self._poll, self._until_kept(available - want.price, kept_back))
        # The other processes of its rank have had as many points or more.
        if state.had(process) + want.price > self._allowance(want.rank, waited=waited):
            return self._poll
        wait, is_short = self._delay(want, left)
        return min(wait, self._poll) if is_short else wait

    def _kept(self, whole: float) -> float:
        share = (((self._state.ends or 0) - self._now) / self._length - MELTED) / (MELTING - MELTED)
        return whole * min(1.0, max(0.0, share))

    def _until_kept(self, points: float, whole: float) -> float:
        """Return the milliseconds until at most `points` of the reserve are kept."""
        left = (MELTED + max(0.0, points) / whole * (MELTING - MELTED)) * self._length
        return 0.0 if points >= whole else max(0.0, (self._state.ends or 0) - left - self._now)

    def _allowance(self, rank: int, *, waited: bool) -> float:
        """Return the points that each process may have had by now: first an equal part, later what others leave."""
        state, now = self._state, self._now
        if rank == 1 or waited or state.remaining is None or state.ends is None:
            return math.inf
        busy = state.busy(rank, now - max(200.0, BUSY * self._length), now)
        if busy < 2:
            return math.inf
        points = state.remaining + state.spent
        passed = 1 - (state.ends - now) / self._length
        more = min(1.0, max(0.0, (passed - EQUAL) / (ANY - EQUAL)))
        return math.ceil(points / busy) + points * more

    def _delay(self, want: Want, available: float) -> tuple[float, bool]:
        """Return how long a ticket waits although its points are there, and whether to check again sooner."""
        state, now = self._state, self._now
        reserved = state.reserved()
        if state.remaining is None or state.ends is None:
            return (self._patience(state.started) if reserved > 0 else 0.0), True
        if state.measuring is not None and (wait := self._patience(state.measuring_since)) > 0:
            return wait, True
        if reserved > 0 and state.is_to_measure(want.operation):
            since = state.since.setdefault(want.operation, now)
            if (wait := self._patience(since)) > 0:
                return wait, True
        if not want.is_even:
            return 0.0, False
        begun = max(state.started or 0, state.opened)
        span = max(0.0, state.ends - SLACK * self._length - begun)
        return max(0.0, begun + span * want.price / max(1, available) - now), False

    def _patience(self, since: float | None) -> float:
        return 0.0 if since is None else max(0.0, since + PATIENCE - self._now)

    def _grant(self, process: Process, want: Want) -> None:
        state, now = self._state, self._now
        state.grants += 1
        state.alone = state.alone_from = None
        if state.reserved() == 0 and state.lost() == 0:
            state.alone = state.grants
            state.alone_from = state.limit if state.remaining is None and state.is_whole else state.remaining
        if state.remaining is not None and state.is_to_measure(want.operation):
            state.tries[want.operation] = state.tries.get(want.operation, 0) + 1
            state.measuring, state.measuring_since = state.grants, now
        state.since.pop(want.operation, None)
        state.started = now
        state.spent += want.price
        if want.rank > 1:
            state.served[want.rank] = state.served.get(want.rank, 0) + want.price
        process.wants.remove(want)
        process.turn, process.had = state.turn, state.had(process) + want.price
        process.held += want.price
        process.granted.append(Grant(want.operation, want.price, state.grants, state.window))
