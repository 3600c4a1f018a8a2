"""What a collector tells: what it found, how far it is, how a round went."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from scapi.models import AuctionLot, AuctionPrice

__all__ = ["Collected", "CollectedLot", "CollectedSale", "Failure", "Progress"]


class CollectedSale(msgspec.Struct, frozen=True, kw_only=True):
    """A sale that turned up.

    Attributes:
        region: The region.
        item: The id of the item.
        sale: The sale.
    """

    region: str
    item: str
    sale: AuctionPrice


class CollectedLot(msgspec.Struct, frozen=True, kw_only=True):
    """A lot that turned up or went.

    Attributes:
        kind: `"new"` or `"gone"`: bought, withdrawn or expired, which the API doesn't tell.
        region: The region.
        item: The id of the item.
        lot: The lot; one that went as it was seen last.
    """

    kind: Literal["new", "gone"]
    region: str
    item: str
    lot: AuctionLot


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What failed last for an item.

    Attributes:
        region: The region.
        item: The id of the item.
        error: What went wrong, on one line.
        failures: How many times in a row.
        time: When.
    """

    region: str
    item: str
    error: str
    failures: int
    time: datetime


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a collector is.

    Attributes:
        items: Items of a region that it has the lease of.
        elsewhere: Items that another collector has.
        aside: Items that are asked rarely: the server refuses them, or they were never traded.
        looked: Items whose sales were looked at with success.
        lag: Seconds since the last look at the sales of the median item; `None` before any.
        longest_lag: The same of the item that waits longest.
        sales: Sales that were new.
        lots: Lots that were new.
        pages: Pages that were read.
        points: Points that were spent, as far as costs are known.
        failures: Looks that failed.
        failing: What failed last, by item, for those whose last look failed; at most 100 of them.
        filling: Items whose past isn't complete.
        eta: Seconds until the past is complete, by what is known of rates; `None` where nobody can tell.
        notes: What is done in place of what was asked for, in numbers.
    """

    items: int
    elsewhere: int
    aside: int
    looked: int
    lag: float | None
    longest_lag: float | None
    sales: int
    lots: int
    pages: int
    points: int
    failures: int
    failing: list[Failure]
    filling: int
    eta: float | None
    notes: list[str]


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What a round did.

    Attributes:
        sales: Sales that were new.
        lots: Lots that were new.
        pages: Pages that were read.
        points: Points that were spent, as far as costs are known.
        failures: Looks that failed.
        failing: What failed last, for items that the round had to leave.
        elsewhere: Items that another collector has.
    """

    sales: int
    lots: int
    pages: int
    points: int
    failures: int
    failing: list[Failure]
    elsewhere: int
