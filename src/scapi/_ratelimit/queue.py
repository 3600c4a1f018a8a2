"""The tickets that wait for their points."""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scapi._ratelimit.priorities import RANKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scapi._ratelimit.protocol import Ticket


#: More than the number of tickets that can ever join.
RANK_STEP = 1 << 60


@dataclass(slots=True, eq=False)
class Place:
    """A place in the queue.

    Attributes:
        ticket: The ticket that holds the place.
        rank: Rank of the ticket's priority. The lowest goes first.
        number: Rises from ticket to ticket.
        order: Rank and number in one. The lowest goes first.
        joined: How many tickets had joined each line by then, including this one.
        polled: When the ticket was polled for the first time; `math.inf`: never.
        first_since: When the ticket became the next one.
    """

    ticket: Ticket
    rank: int
    number: int
    order: int
    joined: Mapping[tuple[int, str], int]
    polled: float = math.inf
    first_since: float | None = None


class Queue:
    """Tickets in lines, one line for each priority and operation: the next ticket depends on its price.

    The garbage collector may drop a ticket between any two steps of a method, so methods iterate over copies. Each
    change is a single store.
    """

    def __init__(self) -> None:
        self._lines: dict[tuple[int, str], OrderedDict[Ticket, Place]] = {}
        self._joined: dict[tuple[int, str], int] = {}
        self._numbers = itertools.count(1)
        #: Whether a dead ticket was dropped. It has not woken the next one.
        self.has_dropped = False

    def __len__(self) -> int:
        return sum(map(len, list(self._lines.values())))

    def join(self, ticket: Ticket) -> None:
        """Add a ticket to the end of its line."""
        rank = RANKS[ticket.priority]
        key = rank, ticket.operation
        line = self._lines.setdefault(key, OrderedDict())
        self._joined[key] = self._joined.get(key, 0) + 1
        number = next(self._numbers)
        line[ticket] = Place(ticket, rank, number, rank * RANK_STEP + number, dict(self._joined))

    def find(self, ticket: Ticket) -> Place | None:
        """Return a ticket's place, or `None` if it isn't waiting."""
        line = self._lines.get((RANKS[ticket.priority], ticket.operation))
        return line.get(ticket) if line else None

    def drop(self, ticket: Ticket) -> None:
        """Remove a ticket. Does nothing if it isn't waiting."""
        line = self._lines.get((RANKS[ticket.priority], ticket.operation))
        if line:
            line.pop(ticket, None)

    def drop_dead(self) -> None:
        """Remove all tickets whose call has ended."""
        for line in list(self._lines.values()):
            for ticket in [ticket for ticket in list(line) if not ticket.waiter.alive()]:
                self.has_dropped = True
                line.pop(ticket, None)

    def heads(self) -> list[Place]:
        """Return the first live ticket of each line, and remove the dead ones before it."""
        return [head for line in list(self._lines.values()) if line and (head := self._head(line))]

    def points_before(self, place: Place, cost: Callable[[str], int]) -> tuple[int, int]:
        """Count the points of a ticket and of those before it that it can't overtake. It may overtake dearer ones.

        Args:
            place: Place of the ticket.
            cost: Returns the points of an operation.

        Returns:
            The points of the same priority, and the points of the same or a higher one.
        """
        own, lowest = cost(place.ticket.operation), place.rank
        same = higher = 0
        for key, joined in place.joined.items():
            rank, operation = key
            if rank > lowest or (price := cost(operation)) > own:
                continue
            before = joined - self._joined[key] + len(self._lines[key])
            if before > 0 and rank == lowest:
                same += price * before
            elif before > 0:
                higher += price * before
        same = max(own, same)
        return same, same + higher

    def _head(self, line: OrderedDict[Ticket, Place]) -> Place | None:
        while (ticket := next(iter(line), None)) is not None:
            place = line.get(ticket)
            if place is not None and ticket.waiter.alive():
                return place
            self.has_dropped = True
            line.pop(ticket, None)
        return None
