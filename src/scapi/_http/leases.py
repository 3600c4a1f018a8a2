"""A connection pool that leases each connection to one call at a time.

httpcore's own pool iterates over all its connections on every request, which takes most of the time of a small call.
Its fork httpcore2 has fixed that: after a switch this module can be removed.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Leasable(Protocol):
    """A connection that can be leased."""

    idle_since: float

    def leads_to(self, origin: object) -> bool:
        """Return whether the connection leads to this origin."""
        ...

    def is_ready(self) -> bool:
        """Return whether the connection can send the next request."""
        ...


C = TypeVar("C", bound=_Leasable)


class Leases(Generic[C]):
    """A bounded set of connections, safe to use from any thread.

    A call holds a lock as long as it lasts, and the lock identifies the call here. An exception of a signal handler may
    end a call at any point, even within a `finally`, but the lock is always released. A lease with a released lock is
    therefore free.

    Args:
        limit: The maximum number of connections.

    Attributes:
        dropped: Connections that were removed from the set and have yet to be closed.
    """

    def __init__(self, limit: int) -> None:
        self.dropped: deque[C] = deque()
        self._limit = limit
        self._lock = threading.Lock()
        #: The lock of the call that uses a connection, or `None` if the connection is idle.
        self._owners: dict[C, threading.Lock | None] = {}
        #: The waiting calls in order of arrival, and the function that wakes each of them.
        self._queue: dict[threading.Lock, Callable[[], None]] = {}

    def take(self, hold: threading.Lock, origin: object, make: Callable[[], C], *, fresh: bool = False) -> C | None:
        """Lease the most recently used connection or a new one. Return `None` if the call has to wait.

        Args:
            hold: The locked lock of the call.
            origin: The origin to connect to.
            make: Makes a new connection.
            fresh: Whether the connection must be new.
        """
        with self._lock:
            self._forget_ended_calls()
            if next(iter(self._queue), hold) is not hold:
                return None
            connection = None if fresh else self._idle(origin)
            if connection is None:
                if len(self._owners) >= self._limit and not self._make_room():
                    return None
                connection = make()
            self._owners[connection] = hold
            self._queue.pop(hold, None)
        self._wake_first()
        return connection

    def join_queue(self, hold: threading.Lock, wake: Callable[[], None]) -> None:
        """Add a call to the end of the queue. `wake` is called when the call should try `take` again."""
        with self._lock:
            self._queue[hold] = wake

    def leave_queue(self, hold: threading.Lock) -> None:
        """Remove a call from the queue."""
        with self._lock:
            self._queue.pop(hold, None)
        self._wake_first()

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
        self._wake_first()

    def clear(self) -> None:
        """Drop all idle connections, and wake all waiting calls."""
        with self._lock:
            self._forget_ended_calls()
            for connection in [one for one, hold in self._owners.items() if hold is None]:
                self._drop(connection)
        for wake in list(self._queue.values()):
            wake()

    def __iter__(self) -> Iterator[C]:
        return iter(list(self._owners))

    def __len__(self) -> int:
        return len(self._owners)

    def _forget_ended_calls(self) -> None:
        for connection in [one for one, hold in self._owners.items() if hold is not None and not hold.locked()]:
            self._drop(connection)
        for hold in [hold for hold in self._queue if not hold.locked()]:
            self._queue.pop(hold, None)

    def _idle(self, origin: object) -> C | None:
        while idle := [one for one, hold in self._owners.items() if hold is None and one.leads_to(origin)]:
            connection = max(idle, key=lambda one: one.idle_since)
            if connection.is_ready():
                return connection
            self._drop(connection)
        return None

    def _make_room(self) -> bool:
        """Drop an idle connection, if there is one. Return whether there was one."""
        connection = next((one for one, hold in self._owners.items() if hold is None), None)
        if connection is not None:
            self._drop(connection)
        return connection is not None

    def _drop(self, connection: C) -> None:
        # In this order: an interrupt in between may cause a second close, but no leak.
        self.dropped.append(connection)
        self._owners.pop(connection, None)

    def _wake_first(self) -> None:
        for wake in list(self._queue.values())[:1]:
            wake()
