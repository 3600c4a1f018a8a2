"""The saved states of walks through a list, from which they resume after a restart."""

from __future__ import annotations

from scapi.models._base import Record, Time

__all__ = ["BulkWalkState", "SalesWalkState"]


class SalesWalkState(Record, frozen=True, kw_only=True, tag="sales_walk"):
    """The state of `iter_price_history`. It covers exactly the sales that were returned so far.

    Attributes:
        region: The region.
        item_id: The item.
        additional: Whether the sales have their `additional`, which is part of their identity.
        since: Return only sales strictly newer than this; `None`: all.
        until: Return only sales up to and including this time; `None`: all.
        left: The maximum number of sales that are still to return; `None`: all.
        done: Whether the walk is complete.
        total: The number of sales in the whole history, as of the last page.
        position: The number of them before the position of the walk.
        time: The time of the last returned sale; `None` before the first one, and if the server's sales aren't sorted
            by time.
        keys: The `key()` of each returned sale of this time, at most the last 200.
        is_whole: Whether `keys` contains all of them.
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
    """The state of the bulk form of `iter_price_history`. It covers exactly the pages that were returned so far.

    Attributes:
        walks: The state of each walk that has returned a page, one for each region and item.
    """

    walks: list[SalesWalkState] = []
