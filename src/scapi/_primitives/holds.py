"""What is held for the length of a block of code, and what an exception has left behind of it.

Whatever is held is marked by a locked `threading.Lock` that its owner holds in a `with` around the whole use. Entering
and leaving such a block takes no Python frame, so no exception can come between: none of a signal handler's (Ctrl+C,
SIGALRM) either, which can cut any `finally`. Whoever looks next drops what has an unlocked one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator


K = TypeVar("K")

_FEW = 64


class Held(Generic[K]):
    """Objects, each for as long as its owner holds a lock. They may be added and discarded by any thread."""

    def __init__(self) -> None:
        self._holds: dict[K, threading.Lock] = {}
        self._enough = _FEW

    def add(self, key: K, hold: threading.Lock) -> None:
        """Hold an object until it is discarded, or its lock is unlocked."""
        if len(self._holds) >= self._enough:
            self._enough = 2 * sum(1 for _ in self) + _FEW
        self._holds[key] = hold

    def discard(self, key: K) -> None:
        """Forget an object; harmless if it isn't held."""
        self._holds.pop(key, None)

    @property
    def most(self) -> int:
        """How many can be held at present; told at once, and too high after interrupts."""
        return len(self._holds)

    def __iter__(self) -> Iterator[K]:
        """Iterate over what is held at present, and forget what isn't any more."""
        for key, hold in list(self._holds.items()):
            if hold.locked():
                yield key
            else:
                self._holds.pop(key, None)

    def __len__(self) -> int:
        return sum(1 for _ in self)
