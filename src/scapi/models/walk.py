"""Where a walk through a list stands, to go on from after a restart."""

from __future__ import annotations

from scapi.models._base import Record, Time

__all__ = ["BulkWalkState", "SalesWalkState"]


class SalesWalkState(Record, frozen=True, kw_only=True, tag="sales_walk"):
    """Where `iter_price_history` stands: it covers exactly the sales that were handed out.

    Attributes:
        region: The region.
        item_id: The item.
        additional: Whether the sales come with `additional`, which is part of what tells them apart.
        since: Only sales strictly newer than this are wanted; `None`: all.
        until: Only sales that aren't newer than this are wanted; `None`: all.
        left: How many sales are still wanted; `None`: all.
        done: Whether the walk has come to its end.
        total: The number of sales in the whole history, as of the last page.
        position: How many of them come before the place where the walk stands.
        time: The time of the last sale that was handed out; `None` before the first one, and where the server's sales
            aren't sorted by time.
        keys: The `key()` of each sale of this time that was handed out, but no more than the last 200.
        is_whole: Whether `keys` has all of them.
    """

    region: str
    item_id: str
    additional: bool = False
    since: Time | None = None
    until: Time | None = None
    left: int | None = None
    done: bool = False
    total: int = 0
    position: int = 0
    time: Time | None = None
    keys: list[int] = []
    is_whole: bool = True


class BulkWalkState(Record, frozen=True, kw_only=True, tag="bulk_walk"):
    """Where the bulk form of `iter_price_history` stands: it covers exactly the pages that were handed out.

    Attributes:
        walks: The state of each walk that has handed out something, one for each region and item.
    """

    walks: list[SalesWalkState] = []
