"""Share one run of some work among all callers that need it at the same time (single flight)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from scapi._base import forks

if TYPE_CHECKING:
    from collections.abc import Callable


class _Wakeup(Protocol):
    def wake(self) -> None: ...


class Flight:
    """One run of the work. It is over once it finished, both locks are released (`held_objects`), or its loop stopped.

    Args:
        runs: Returns whether the event loop that does the work still runs.

    Attributes:
        begun: A lock held by the caller that began the work and waits for it.
        running: A lock held by the task or thread that does the work.
        runner: The task or thread that does the work.
        error: The error that the work failed with.
    """

    def __init__(self, runs: Callable[[], bool]) -> None:
        self.begun, self.running = threading.Lock(), threading.Lock()
        self.runner: object = None
        self.error: Exception | None = None
        self._runs = runs
        self._finished = False
        self._waiting: dict[_Wakeup, None] = {}

    def is_over(self) -> bool:
        """Return whether the run has finished, or nothing can finish it any more."""
        return self._finished or not (self._runs() and (self.begun.locked() or self.running.locked()))

    def finish(self, error: Exception | None) -> None:
        """End the run, and wake all waiting callers."""
        self.error, self._finished = error, True
        for wakeup in list(self._waiting):
            wakeup.wake()

    def add_waiter(self, wakeup: _Wakeup) -> None:
        """Register a wakeup for the end of the run."""
        self._waiting[wakeup] = None


class Flights:
    """Holds the current flight, shared by all threads and event loops. The child of a fork starts without one."""

    def __init__(self) -> None:
        self.forked()
        forks.reset_after_fork(self)

    def forked(self) -> None:
        """Reset: the current flight belongs to the parent process."""
        self._lock = threading.Lock()
        self.under_way: Flight | None = None

    def begin(self, mine: Flight) -> Flight:
        """Return the current flight. If there is none, this one becomes the current flight."""
        with self._lock:
            if self.under_way is None or self.under_way.is_over():
                self.under_way = mine
            return self.under_way
