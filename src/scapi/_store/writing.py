"""Rows into the store. Whatever belongs together is one transaction; the same rows again change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from scapi._store.connection import Database
    from scapi._store.reading import LotsPiece, SalesPiece
    from scapi._store.rows import ClanChange, ItemChange, Place, Written, WrittenLots
    from scapi.models import ClanMember, EmissionState


class Writing:
    """Everything that writes what the API answered.

    Args:
        database: Where to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def sales(self, place: Place, piece: SalesPiece, owner: str | None, change: ItemChange) -> Written:
        """Write a page of sales, the span that it completes, and the state of the item."""
        raise NotImplementedError

    def lots(self, place: Place, piece: LotsPiece, owner: str | None, change: ItemChange) -> WrittenLots:
        """Write a page of lots; with the last page of a complete look also what is gone, and the samples."""
        raise NotImplementedError

    def emission(self, region: str, state: EmissionState) -> None:
        """Write the emissions that an answer tells of."""
        raise NotImplementedError

    def clan_members(self, region: str, clan: str, members: Iterable[ClanMember], at: datetime) -> ClanChange:
        """Write who is in a clan, and say who joined and who left."""
        raise NotImplementedError
