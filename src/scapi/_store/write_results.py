"""Results of writing to a store. Nothing here needs SQLAlchemy."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from scapi.models import AuctionLot, AuctionPrice, ClanMember
from scapi.models._base import Record

T = TypeVar("T")


class Unstored(NamedTuple, Generic[T]):
    """A row that the database can't hold.

    Attributes:
        row: The row.
        reason: Why it can't be stored.
    """

    row: T
    reason: str


class Written(Record, frozen=True, kw_only=True):
    """The result of writing sales.

    Attributes:
        new: The sales that weren't in the store, oldest first.
        known: The number of sales that were in the store already.
        unstored: The sales that the database can't hold, such as one with a price beyond 64 bits.
    """

    new: list[AuctionPrice]
    known: int
    unstored: list[Unstored[AuctionPrice]]


class WrittenLots(Record, frozen=True, kw_only=True):
    """The result of writing lots.

    Attributes:
        new: The lots that weren't on offer before.
        known: The number of lots that were on offer before.
        gone: The lots that a complete poll no longer found.
        unstored: The lots that the database can't hold.
    """

    new: list[AuctionLot]
    known: int
    gone: list[AuctionLot]
    unstored: list[Unstored[AuctionLot]]


class ClanChange(Record, frozen=True, kw_only=True):
    """Members who joined or left a clan since it was last written.

    Attributes:
        joined: The members who joined.
        left: The names of the members who left.
    """

    joined: list[ClanMember]
    left: list[str]
