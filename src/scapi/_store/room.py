"""The room itself: all that a store does, synchronously."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scapi._store.connection import Database
from scapi._store.leases import Leases
from scapi._store.questions import Questions
from scapi._store.writing import Writing

if TYPE_CHECKING:
    import os
    from collections.abc import Callable


class Room:
    """All that a store does with one database.

    Args:
        url: As of `Database`, like the others.
        create: Whether to make what isn't there.
        clock: Tells the seconds since 1970.
    """

    def __init__(self, url: str | os.PathLike[str], *, create: bool, clock: Callable[[], float]) -> None:
        self.database = Database(url, create=create, clock=clock)
        self.writing = Writing(self.database)
        self.leases = Leases(self.database)
        self.questions = Questions(self.database)
