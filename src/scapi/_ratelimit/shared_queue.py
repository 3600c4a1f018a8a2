"""The tickets of one process that wait for points of a shared budget."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from scapi._ratelimit.costs import published_cost
from scapi._ratelimit.priorities import RANKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scapi._ratelimit.priorities import Priority
    from scapi._ratelimit.protocol import Ticket
    from scapi._ratelimit.shared_messages import Grant

#: The most tickets sent in one step. The rest of a long queue follows as soon as these are granted.
AT_ONCE = 32
#: The script sorts prices by their four digits. No window has more points.
HIGHEST_PRICE = 9999


class Place(NamedTuple):
    """A place in the queue: an increasing number, and the local time in seconds since when the ticket waits."""

    number: int
    since: float | None = None


class SharedQueue:
    """Tickets by priority and operation, in order of arrival. Other threads may remove tickets at any time."""

    def __init__(self) -> None:
        self._lines: dict[tuple[Priority, str], OrderedDict[Ticket, Place]] = {}
        self._numbers = itertools.count(1)

    def __bool__(self) -> bool:
        return any(self._lines.values())

    def __len__(self) -> int:
        return sum(map(len, list(self._lines.values())))

    def __iter__(self) -> Iterator[tuple[Ticket, Place]]:
        for line in list(self._lines.values()):
            yield from list(line.items())

    def mark(self) -> int:
        """Return a number above those of all tickets so far and below those of later ones."""
        return next(self._numbers)

    def add(self, ticket: Ticket) -> None:
        """Append a ticket."""
        line = self._lines.setdefault((ticket.priority, ticket.operation), OrderedDict())
        line[ticket] = Place(next(self._numbers))

    def place(self, ticket: Ticket) -> Place | None:
        """Return a ticket's place, or `None` if it has none."""
        line = self._lines.get((ticket.priority, ticket.operation))
        return line.get(ticket) if line else None

    def drop(self, ticket: Ticket) -> None:
        """Remove a ticket if it is there."""
        if line := self._lines.get((ticket.priority, ticket.operation)):
            line.pop(ticket, None)

    def drop_dead(self) -> list[Ticket]:
        """Remove and return the tickets of calls that an exception has ended."""
        dead: list[Ticket] = []
        for key, line in list(self._lines.items()):
            for ticket in list(line):
                if not ticket.waiter.alive():
                    line.pop(ticket, None)
                    dead.append(ticket)
            if not line:
                self._lines.pop(key, None)
        return dead

    def wants(self, now: float, length: float) -> list[tuple[int, str, int, int, int]]:
        """Return the next tickets in order, in the format of `shared.lua`.

        Args:
            now: Local monotonic seconds.
            length: Length of a window in seconds.

        Returns:
            For each ticket: its priority from 1 to 3, its operation, 1 if it is paced evenly (else 0), 1 if it has
            waited for a whole window (else 0), and the published cost or 0.
        """
        firsts: list[tuple[int, int, Ticket]] = []
        for line in list(self._lines.values()):
            for ticket, place in itertools.islice(list(line.items()), AT_ONCE):
                firsts.append((RANKS[ticket.priority] + 1, place.number, ticket))
        firsts.sort(key=itemgetter(0, 1))
        told = firsts[:AT_ONCE]
        # Add one ticket of each other operation: it may be cheap enough for the last points.
        seen = {ticket.operation for _, _, ticket in told}
        for first in firsts[AT_ONCE:]:
            if first[2].operation not in seen:
                seen.add(first[2].operation)
                told.append(first)
        return [
            (
                rank,
                ticket.operation,
                int(ticket.pace == "even"),
                int(rank > 1 and self._waited(ticket, now) >= length),
                min(published_cost(ticket.operation) or 0, HIGHEST_PRICE),
            )
            for rank, _, ticket in told
        ]

    def take(self, grant: Grant) -> Ticket | None:
        """Remove and return the first ticket that a grant applies to, or `None` if there is none."""
        found: list[tuple[int, int, Ticket]] = []
        for (priority, operation), line in list(self._lines.items()):
            alive = (one for one in list(line.items()) if one[0].waiter.alive())
            if operation == grant.operation and (first := next(alive, None)):
                found.append((RANKS[priority], first[1].number, first[0]))
        if not found:
            return None
        ticket = min(found, key=lambda one: one[:2])[2]
        self.drop(ticket)
        return ticket

    def points_until(self, ticket: Ticket, place: Place, price: Callable[[str], int]) -> int:
        """Sum the prices of a ticket and of those before it with the same priority and no higher price."""
        own = price(ticket.operation)
        return own + sum(
            price(other.operation)
            for other, before in self
            if before.number < place.number and other.priority == ticket.priority and price(other.operation) <= own
        )

    def _waited(self, ticket: Ticket, now: float) -> float:
        line = self._lines[ticket.priority, ticket.operation]
        place = line.get(ticket)
        if place is None:
            return 0.0
        if place.since is None:
            line[ticket] = place._replace(since=now)
            return 0.0
        return now - place.since
