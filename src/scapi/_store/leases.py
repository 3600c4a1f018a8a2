"""What collectors share: who has which item, what is due when, and how each run went."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scapi._store.connection import Database
    from scapi._store.rows import ItemChange, ItemState, Place, Run, Span


class Leases:
    """The leases, states and runs.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, owner: str, places: Iterable[Place], seconds: float) -> list[Place]:
        """Take the leases that are free, and renew the owner's own."""
        raise NotImplementedError

    def renew(self, owner: str, seconds: float) -> list[Place]:
        """Renew all leases that the owner still has."""
        raise NotImplementedError

    def release(self, owner: str, places: Iterable[Place] | None) -> None:
        """Give leases back."""
        raise NotImplementedError

    def states(self, regions: Iterable[str] | None, items: Iterable[str] | None) -> list[ItemState]:
        """Return what is known of items."""
        raise NotImplementedError

    def change(self, place: Place, owner: str | None, change: ItemChange) -> None:
        """Change the state of an item."""
        raise NotImplementedError

    def spans(self, place: Place) -> list[Span]:
        """Return the spans of an item, the newest first."""
        raise NotImplementedError

    def write_run(self, owner: str, rows: int, failures: int, *, ended: bool) -> None:
        """Write how far a run is."""
        raise NotImplementedError

    def runs(self, limit: int) -> list[Run]:
        """Return the last runs, the newest first."""
        raise NotImplementedError
