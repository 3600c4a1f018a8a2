"""Something that is done once for all who want it at the same time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from scapi._base import forks

if TYPE_CHECKING:
    from collections.abc import Callable


class _Wakeup(Protocol):
    def wake(self) -> None: ...


class Flight:
    """What is under way, as long as one of its two locks is held (see `holds`), its runtime runs, and it hasn't landed.

    Args:
        runs: Tells whether the event loop that it is done in still runs.

    Attributes:
        begun: Held by whoever began it and waits for it.
        flying: Held by whoever does it.
        pilot: The task or thread that does it.
        error: What it failed with.
    """

    def __init__(self, runs: Callable[[], bool]) -> None:
        self.begun, self.flying = threading.Lock(), threading.Lock()
        self.pilot: object = None
        self.error: Exception | None = None
        self._runs = runs
        self._landed = False
        self._waiting: dict[_Wakeup, None] = {}

    def is_over(self) -> bool:
        """Return whether it has landed, or nobody is left to bring it down."""
        return self._landed or not (self._runs() and (self.begun.locked() or self.flying.locked()))

    def land(self, error: Exception | None) -> None:
        """End it, and wake all who wait."""
        self.error, self._landed = error, True
        for wakeup in list(self._waiting):
            wakeup.wake()

    def wake_with(self, wakeup: _Wakeup) -> None:
        """Wake somebody when it lands."""
        self._waiting[wakeup] = None


class Flights:
    """The flight that is under way, of all threads and event loops. In the child of a fork there is none."""

    def __init__(self) -> None:
        self.forked()
        forks.reset_after_fork(self)

    def forked(self) -> None:
        """Begin anew: what was under way is the parent's."""
        self._lock = threading.Lock()
        self.under_way: Flight | None = None

    def begin(self, mine: Flight) -> Flight:
        """Return the flight under way, which is this one if there was none."""
        with self._lock:
            if self.under_way is None or self.under_way.is_over():
                self.under_way = mine
            return self.under_way
