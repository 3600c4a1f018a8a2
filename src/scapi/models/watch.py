"""Events of watchers, and their states, from which they resume after a restart."""

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
    """A lot appeared or disappeared.

    Attributes:
        kind: `"new"`, or `"gone"`: bought, withdrawn or expired. The API doesn't say which.
        lot: The lot, as it was last seen.
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
    """A look failed. The watcher goes on, and later reports what it missed.

    Attributes:
        kind: `"error"`.
        error: What went wrong.
        failures: How many looks in a row have failed, including this one.
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
