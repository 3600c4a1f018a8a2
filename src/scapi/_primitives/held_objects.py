"""Track objects that are held for the duration of a block, even if an exception interrupts its cleanup.

The owner of an object holds a `threading.Lock` in a `with` around the whole use. Entering and leaving this block runs
no Python code. So not even an exception of a signal handler (Ctrl+C, SIGALRM), which can interrupt any `finally`, can
keep the lock locked. Objects with a released lock are dropped when the set is next iterated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator


K = TypeVar("K")

FEW = 64


class Held(Generic[K]):
    """A set of objects, each held as long as its owner holds a lock. Any thread may add and discard objects."""

    def __init__(self) -> None:
        self._holds: dict[K, threading.Lock] = {}
        self._enough = FEW

    def add(self, key: K, hold: threading.Lock) -> None:
        """Hold an object until it is discarded or its lock is released."""
        if len(self._holds) >= self._enough:
            self._enough = 2 * sum(1 for _ in self) + FEW
        self._holds[key] = hold

    def discard(self, key: K) -> None:
        """Forget an object, if it is held."""
        self._holds.pop(key, None)

    @property
    def most(self) -> int:
        """An upper bound of the number of held objects, in constant time. It is too high after interrupts."""
        return len(self._holds)

    def __iter__(self) -> Iterator[K]:
        """Iterate over the held objects, and forget those with a released lock."""
        for key, hold in list(self._holds.items()):
            if hold.locked():
                yield key
            else:
                self._holds.pop(key, None)

    def __len__(self) -> int:
        return sum(1 for _ in self)
