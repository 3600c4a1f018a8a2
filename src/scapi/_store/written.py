"""What writing into a store did. Nothing here needs SQLAlchemy."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

import msgspec

from scapi.models import AuctionLot, AuctionPrice, ClanMember

T = TypeVar("T")


class Unstored(NamedTuple, Generic[T]):
    """A row that no database can hold.

    Attributes:
        row: The row.
        reason: Why it can't be stored.
    """

    row: T
    reason: str


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What writing sales did.

    Attributes:
        new: The sales that weren't in the store, oldest first.
        known: How many were there already.
        unstored: The sales that no database can hold, such as one with a price beyond 64 bits.
    """

    new: list[AuctionPrice]
    known: int
    unstored: list[Unstored[AuctionPrice]]


class WrittenLots(msgspec.Struct, frozen=True, kw_only=True):
    """What writing lots did.

    Attributes:
        new: The lots that weren't on offer before.
        known: How many were.
        gone: The lots that a complete look didn't find any more.
        unstored: The lots that no database can hold.
    """

    new: list[AuctionLot]
    known: int
    gone: list[AuctionLot]
    unstored: list[Unstored[AuctionLot]]


class ClanChange(msgspec.Struct, frozen=True, kw_only=True):
    """Who joined and who left a clan since it was last written.

    Attributes:
        joined: Members that weren't there.
        left: The names of those that are there no more.
    """

    joined: list[ClanMember]
    left: list[str]
