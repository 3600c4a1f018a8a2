"""The events of watchers, and the states from which they resume after a restart."""

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
        time: When it began or ended, by the server's clock.
        state: The response that showed it.
    """

    kind: Literal["started", "ended"]
    region: str
    time: datetime
    state: EmissionState


class LotEvent(Record, frozen=True, kw_only=True):
    """A lot appeared or disappeared.

    Attributes:
        kind: `"new"` or `"gone"`. The API doesn't show whether a lot that is gone was bought, withdrawn or expired.
        region: The region.
        item_id: The item.
        lot: The lot; if it is gone, as it was seen last.
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
    """A check failed. The watcher continues, and reports missed events later.

    Attributes:
        kind: `"error"`.
        region: The region.
        item_id: The item; `None` for emissions.
        error: The error.
        failures: The number of failed checks of this item in a row, including this one.
        wait: Seconds until the next check of it; 0 if there is none.
        permanent: Whether the server refuses the item permanently. Then it isn't checked again; other items are.
    """

    kind: Literal["error"] = "error"
    region: str
    item_id: str | None = None
    error: ScApiException
    failures: int
    wait: float
    permanent: bool = False


class EmissionWatchState(Record, frozen=True, kw_only=True, tag="emission"):
    """The events that `watch_emission` has reported.

    Attributes:
        region: The region.
        begun: Whether there was a first check. Its findings are not reported.
        started: The newest known beginning; `None` without one.
        ended: The newest known end; `None` without one.
    """

    region: str
    begun: bool = True
    started: Time | None = None
    ended: Time | None = None


class LotsWatchState(Record, frozen=True, kw_only=True, tag="lots"):
    """The events that `watch_lots` has reported.

    Attributes:
        region: The region.
        item_id: The item.
        begun: Whether there was a first check. Its findings are not reported.
        lots: The known lots on offer.
    """

    region: str
    item_id: str
    begun: bool = True
    lots: list[AuctionLot] = []


class SalesWatchState(Record, frozen=True, kw_only=True, tag="sales"):
    """The events that `watch_sales` has reported.

    Attributes:
        region: The region.
        item_id: The item.
        begun: Whether there was a first check. Its findings are not reported.
        since: Sales up to this time are not reported any more.
        seen: The reported sales after it: the time of each and its count, by its `key()`.
    """

    region: str
    item_id: str
    begun: bool = True
    since: Time = NEVER
    seen: dict[int, tuple[Time, int]] = {}


class BulkLotsWatchState(Record, frozen=True, kw_only=True, tag="bulk_lots"):
    """The events that the bulk form of `watch_lots` has reported.

    Attributes:
        items: The state of each region and item.
    """

    items: list[LotsWatchState] = []


class BulkSalesWatchState(Record, frozen=True, kw_only=True, tag="bulk_sales"):
    """The events that the bulk form of `watch_sales` has reported.

    Attributes:
        items: The state of each region and item.
    """

    items: list[SalesWatchState] = []
