"""What watchers report, and what they go on from after a restart."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from scapi.exceptions import ScApiException
from scapi.models._base import Record, Time
from scapi.models.auction import AuctionLot, AuctionPrice
from scapi.models.emission import EmissionState

__all__ = [
    "EmissionEvent",
    "EmissionWatchState",
    "LotEvent",
    "LotsWatchState",
    "SaleEvent",
    "SalesWatchState",
    "WatchError",
]


class EmissionEvent(Record, frozen=True, kw_only=True):
    """An emission began or ended.

    Attributes:
        kind: `"started"` or `"ended"`.
        time: When it did, as the server says.
        state: The answer that told of it.
    """

    kind: Literal["started", "ended"]
    time: datetime
    state: EmissionState


class LotEvent(Record, frozen=True, kw_only=True):
    """A lot turned up or went.

    Attributes:
        kind: `"new"` or `"gone"`: bought, withdrawn or expired, which the API doesn't tell.
        lot: The lot; one that went as it was seen last.
    """

    kind: Literal["new", "gone"]
    lot: AuctionLot


class SaleEvent(Record, frozen=True, kw_only=True):
    """A sale was made.

    Attributes:
        kind: `"sold"`.
        sale: The sale.
    """

    kind: Literal["sold"] = "sold"
    sale: AuctionPrice


class WatchError(Record, frozen=True, kw_only=True):
    """A look failed. The watcher goes on, and reports later what it could not see meanwhile.

    Attributes:
        kind: `"error"`.
        error: What went wrong.
        failures: How many looks have failed in a row, this one included.
        wait: Seconds until the next look.
    """

    kind: Literal["error"] = "error"
    error: ScApiException
    failures: int
    wait: float


class EmissionWatchState(Record, frozen=True, kw_only=True, tag="emission"):
    """What `watch_emission` has reported.

    Attributes:
        region: The region.
        started: The newest beginning that is known; `None` while none is.
        ended: The newest end that is known; `None` while none is.
    """

    region: str
    started: Time | None = None
    ended: Time | None = None


class LotsWatchState(Record, frozen=True, kw_only=True, tag="lots"):
    """What `watch_lots` has reported.

    Attributes:
        region: The region.
        item_id: The item.
        lots: The lots that are known to be on offer.
    """

    region: str
    item_id: str
    lots: list[AuctionLot]


class SalesWatchState(Record, frozen=True, kw_only=True, tag="sales"):
    """What `watch_sales` has reported.

    Attributes:
        region: The region.
        item_id: The item.
        since: Nothing up to this time is reported any more.
        seen: The sales after it that were reported: the time of each, and how often it was, by its `key()` as text.
    """

    region: str
    item_id: str
    since: Time
    seen: dict[str, tuple[Time, int]] = {}
