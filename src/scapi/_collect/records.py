"""Reports of a collector: new rows, progress and results."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from scapi.models import AuctionLot, AuctionPrice
from scapi.models._base import Record


class CollectedSale(Record, frozen=True, kw_only=True):
    """A new sale.

    Attributes:
        region: The region.
        item: The id of the item.
        sale: The sale.
    """

    region: str
    item: str
    sale: AuctionPrice


class CollectedLot(Record, frozen=True, kw_only=True):
    """A lot that appeared or disappeared.

    Attributes:
        kind: `"new"` or `"gone"`. The API doesn't say whether a gone lot was bought, withdrawn or expired.
        region: The region.
        item: The id of the item.
        lot: The lot. A gone lot is as it was last seen.
    """

    kind: Literal["new", "gone"]
    region: str
    item: str
    lot: AuctionLot


class Failure(Record, frozen=True, kw_only=True):
    """The last failure of an item, an emission or a clan.

    Attributes:
        region: The region.
        item: The id of the item, `"region:emission"`, or `"clan:"` and the id of a clan.
        error: The error, on one line.
        failures: The number of failures in a row.
        time: The time of the failure.
    """

    region: str
    item: str
    error: str
    failures: int
    time: datetime


class Progress(Record, frozen=True, kw_only=True):
    """The progress of a collector.

    Attributes:
        items: The number of items that it holds the lease of, counted per region.
        elsewhere: The number of items, emissions and clans that other collectors hold.
        aside: The number of items fetched rarely: the server refuses them, or they were never traded.
        looked: The number of items with sales that were fetched successfully.
        lag: The median over items of the seconds since their sales were fetched; `None` before the first poll.
        longest_lag: The greatest such lag.
        sales: The number of new sales.
        lots: The number of new lots.
        emissions: The number of new emissions.
        members: The number of clan members who joined or left. At the first poll of a clan, all of its members.
        pages: The number of pages read.
        points: The points spent, as far as costs are known.
        failures: The number of failed polls.
        failing: The last failures of what currently fails, at most 100.
        filling: The number of items with an incomplete past.
        eta: The estimated seconds until the past is complete; `None` if it can't be estimated.
        notes: Sentences on how the plan differs from the request.
    """

    items: int
    elsewhere: int
    aside: int
    looked: int
    lag: float | None
    longest_lag: float | None
    sales: int
    lots: int
    emissions: int
    members: int
    pages: int
    points: int
    failures: int
    failing: list[Failure]
    filling: int
    eta: float | None
    notes: list[str]


class Collected(Record, frozen=True, kw_only=True):
    """The result of a run.

    Attributes:
        sales: The number of new sales.
        lots: The number of new lots.
        emissions: The number of new emissions.
        members: The number of clan members who joined or left. At the first poll of a clan, all of its members.
        pages: The number of pages read.
        points: The points spent, as far as costs are known.
        failures: The number of failed polls.
        failing: The last failures of what still failed at the end.
        elsewhere: The number of items, emissions and clans that other collectors hold.
    """

    sales: int
    lots: int
    emissions: int
    members: int
    pages: int
    points: int
    failures: int
    failing: list[Failure]
    elsewhere: int
