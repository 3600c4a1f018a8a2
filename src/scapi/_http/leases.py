"""Connections that are leased to one call at a time.

httpcore's own pool walks through all its connections on every request, which costs most of the time of a small call.
Its fork httpcore2 has mended that: on the day of a switch this list can go.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Leasable(Protocol):
    """A connection."""

    rested: float

    def fits(self, origin: object) -> bool:
        """Return whether the connection leads to this origin."""
        ...

    def is_ready(self) -> bool:
        """Return whether the next request can be sent."""
        ...


C = TypeVar("C", bound=_Leasable)


class Leases(Generic[C]):
    """A bounded set of connections, safe to use from any thread.

    A call holds a lock for as long as it lasts, and the lock stands for the call here. A signal's exception may end a
    call at any moment, also within a `finally`, but it always opens the lock: a lease whose lock is open has no owner.

    Args:
        limit: How many connections there may be.

    Attributes:
        dropped: Connections that are no longer part of the set and still have to be closed.
    """

    def __init__(self, limit: int) -> None:
        self.dropped: deque[C] = deque()
        self._limit = limit
        self._lock = threading.Lock()
        #: The lock of the call that uses a connection, or `None` while nobody does.
        self._owners: dict[C, threading.Lock | None] = {}
        #: The calls that wait, in the order in which they came, and how to wake each of them.
        self._line: dict[threading.Lock, Callable[[], None]] = {}

    def take(self, hold: threading.Lock, origin: object, make: Callable[[], C], *, fresh: bool = False) -> C | None:
        """Lease the connection that was used last, or a new one, or return `None` if it isn't this call's turn.

        Args:
            hold: The locked lock of the call.
            origin: Where the connection has to lead to.
            make: Makes a new connection.
            fresh: Whether it has to be a new one.
        """
        with self._lock:
            self._forget_the_dead()
            if next(iter(self._line), hold) is not hold:
                return None
            connection = None if fresh else self._idle(origin)
            if connection is None:
                if len(self._owners) >= self._limit and not self._make_room():
                    return None
                connection = make()
            self._owners[connection] = hold
            self._line.pop(hold, None)
        self._wake_the_first()
        return connection

    def stand_in_line(self, hold: threading.Lock, wake: Callable[[], None]) -> None:
        """Put a call behind those that wait already. `wake` is called when it should try `take` again."""
        with self._lock:
            self._line[hold] = wake

    def leave_line(self, hold: threading.Lock) -> None:
        """Let a call wait no longer."""
        with self._lock:
            self._line.pop(hold, None)
        self._wake_the_first()

    def give_back(self, connection: C, *, keep: bool) -> None:
        """End a lease.

        Args:
            connection: The connection.
            keep: Whether another call may use it.
        """
        with self._lock:
            if not keep:
                self._drop(connection)
            elif connection in self._owners:
                self._owners[connection] = None
        self._wake_the_first()

    def clear(self) -> None:
        """Drop all connections that nobody uses, and wake all calls that wait."""
        with self._lock:
            self._forget_the_dead()
            for connection in [one for one, hold in self._owners.items() if hold is None]:
                self._drop(connection)
        for wake in list(self._line.values()):
            wake()

    def __iter__(self) -> Iterator[C]:
        return iter(list(self._owners))

    def __len__(self) -> int:
        return len(self._owners)

    def _forget_the_dead(self) -> None:
        for connection in [one for one, hold in self._owners.items() if hold is not None and not hold.locked()]:
            self._drop(connection)
        for hold in [hold for hold in self._line if not hold.locked()]:
            self._line.pop(hold, None)

    def _idle(self, origin: object) -> C | None:
        while idle := [one for one, hold in self._owners.items() if hold is None and one.fits(origin)]:
            connection = max(idle, key=lambda one: one.rested)
            if connection.is_ready():
                return connection
            self._drop(connection)
        return None

    def _make_room(self) -> bool:
        """Drop a connection to another origin, if there is one that nobody uses."""
        connection = next((one for one, hold in self._owners.items() if hold is None), None)
        if connection is not None:
            self._drop(connection)
        return connection is not None

    def _drop(self, connection: C) -> None:
        # In this order: whoever is interrupted in between leaves one that is closed twice, and none that is forgotten.
        self.dropped.append(connection)
        self._owners.pop(connection, None)

    def _wake_the_first(self) -> None:
        for wake in list(self._line.values())[:1]:
            wake()
