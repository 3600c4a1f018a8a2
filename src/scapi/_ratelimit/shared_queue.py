"""The tickets of one process that wait for points of a shared budget."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from scapi._ratelimit.costs import KNOWN_COSTS
from scapi._ratelimit.priorities import RANKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scapi._ratelimit.priorities import Priority
    from scapi._ratelimit.protocol import Ticket
    from scapi._ratelimit.shared_messages import Grant

# Tickets told in one step. The rest of a long queue follows as soon as these are granted.
_AT_ONCE = 32


class Place(NamedTuple):
    """A place in the queue: a number that rises from ticket to ticket, and since when it waits in local seconds."""

    number: int
    since: float | None = None


class SharedQueue:
    """Tickets by priority and operation, each in order of arrival. Others may take tickets out at any time."""

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
        """Return a number between those of the tickets so far and of those to come."""
        return next(self._numbers)

    def add(self, ticket: Ticket) -> None:
        """Put a ticket at the end."""
        line = self._lines.setdefault((ticket.priority, ticket.operation), OrderedDict())
        line[ticket] = Place(next(self._numbers))

    def place(self, ticket: Ticket) -> Place | None:
        """Return a ticket's place, or ``None`` if it has none."""
        line = self._lines.get((ticket.priority, ticket.operation))
        return line.get(ticket) if line else None

    def drop(self, ticket: Ticket) -> None:
        """Take a ticket out; harmless if it isn't there."""
        if line := self._lines.get((ticket.priority, ticket.operation)):
            line.pop(ticket, None)

    def drop_dead(self) -> list[Ticket]:
        """Take out the tickets whose calls were ended by an exception, and return them."""
        dead = [ticket for ticket, _ in self if not ticket.waiter.alive()]
        for ticket in dead:
            self.drop(ticket)
        for key in [key for key, line in list(self._lines.items()) if not line]:
            self._lines.pop(key, None)
        return dead

    def wants(self, now: float, length: float) -> list[tuple[int, str, int, int, int]]:
        """Return the next tickets in order, as the common place takes them.

        Args:
            now: Local monotonic seconds.
            length: Seconds of a window.

        Returns:
            For each: 1 to 3 for its priority, operation, and 1 or 0 for whether it is spread and whether it has waited
            for a window; and the cost as it was published, or 0.
        """
        firsts: list[tuple[int, int, Ticket]] = []
        for line in list(self._lines.values()):
            for ticket, place in itertools.islice(list(line.items()), _AT_ONCE):
                firsts.append((RANKS[ticket.priority] + 1, place.number, ticket))
        firsts.sort(key=lambda first: first[:2])
        # Behind the first ones, one of each other operation: it may be cheap enough for the last points.
        told = firsts[:_AT_ONCE]
        seen = {ticket.operation for _, _, ticket in told}
        for first in firsts[_AT_ONCE:]:
            if first[2].operation not in seen:
                seen.add(first[2].operation)
                told.append(first)
        return [
            (
                rank,
                ticket.operation,
                int(ticket.pace == "even"),
                int(rank > 1 and self._waited(ticket, now) >= length),
                KNOWN_COSTS.get(ticket.operation, 0),
            )
            for rank, _, ticket in told
        ]

    def take(self, grant: Grant) -> Ticket | None:
        """Take out the first ticket that a grant is for, or return ``None`` if there is none any more."""
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
        """Count the ticket's points and those before it of its own priority, without what is dearer."""
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
