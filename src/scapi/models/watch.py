"""Events of watchers, and their states, from which they resume after a restart."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from scapi.exceptions import ScApiException
from scapi.models._base import Record, Time
from scapi.models.auction import AuctionLot, AuctionPrice
from scapi.models.emission import EmissionState

__all__ = [
    "BulkLotsWatchState",
    "BulkSalesWatchState",
    "EmissionEvent",
    "EmissionWatchState",
    "LotEvent",
    "LotsWatchState",
    "SaleEvent",
    "SalesWatchState",
    "WatchError",
]

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class EmissionEvent(Record, frozen=True, kw_only=True):
    """An emission began or ended.

    Attributes:
        kind: `"started"` or `"ended"`.
        region: The region.
        time: When it began or ended, as the server says.
        state: The answer that the event was found in.
    """

    kind: Literal["started", "ended"]
    region: str
    time: datetime
    state: EmissionState


class LotEvent(Record, frozen=True, kw_only=True):
    """A lot appeared or disappeared.

    Attributes:
        kind: `"new"` or `"gone"`. The API doesn't tell whether a lot that is gone was bought, withdrawn or expired.
        region: The region.
        item_id: The item.
        lot: The lot; one that is gone as it was seen last.
    """

    kind: Literal["new", "gone"]
    region: str
    item_id: str
    lot: AuctionLot


class SaleEvent(Record, frozen=True, kw_only=True):
    """A sale was made.

    Attributes:
        kind: `"sold"`.
        region: The region.
        item_id: The item.
        sale: The sale.
    """

    kind: Literal["sold"] = "sold"
    region: str
    item_id: str
    sale: AuctionPrice


class WatchError(Record, frozen=True, kw_only=True):
    """A look failed. The watcher goes on, and later reports what it missed.

    Attributes:
        kind: `"error"`.
        region: The region.
        item_id: The item; `None` where it isn't about one.
        error: What went wrong.
        failures: How many looks at this item have failed in a row, this one included.
        wait: Seconds until the next look at it, 0 where there is none.
        permanent: Whether the server refuses the item for good. It is not looked at again then; other items are.
    """

    kind: Literal["error"] = "error"
    region: str
    item_id: str | None = None
    error: ScApiException
    failures: int
    wait: float
    permanent: bool = False


class EmissionWatchState(Record, frozen=True, kw_only=True, tag="emission"):
    """What `watch_emission` has reported.

    Attributes:
        region: The region.
        begun: Whether there was a first look. What is there at the first look is not reported.
        started: The newest beginning that is known; `None` while none is.
        ended: The newest end that is known; `None` while none is.
    """

    region: str
    begun: bool = True
    started: Time | None = None
    ended: Time | None = None


class LotsWatchState(Record, frozen=True, kw_only=True, tag="lots"):
    """What `watch_lots` has reported.

    Attributes:
        region: The region.
        item_id: The item.
        begun: Whether there was a first look. What is there at the first look is not reported.
        lots: The lots that are known to be on offer.
    """

    region: str
    item_id: str
    begun: bool = True
    lots: list[AuctionLot] = []


class SalesWatchState(Record, frozen=True, kw_only=True, tag="sales"):
    """What `watch_sales` has reported.

    Attributes:
        region: The region.
        item_id: The item.
        begun: Whether there was a first look. What is there at the first look is not reported.
        since: Nothing up to this time is reported any more.
        seen: The sales after it that were reported: the time of each, and how often it was, by its `key()`.
    """

    region: str
    item_id: str
    begun: bool = True
    since: Time = NEVER
    seen: dict[int, tuple[Time, int]] = {}


class BulkLotsWatchState(Record, frozen=True, kw_only=True, tag="bulk_lots"):
    """What the bulk form of `watch_lots` has reported.

    Attributes:
        items: The state of each region and item.
    """

    items: list[LotsWatchState] = []


class BulkSalesWatchState(Record, frozen=True, kw_only=True, tag="bulk_sales"):
    """What the bulk form of `watch_sales` has reported.

    Attributes:
        items: The state of each region and item.
    """

    items: list[SalesWatchState] = []
