"""Fetch all lots of an item, and pick the cheapest."""

from __future__ import annotations

import heapq
from operator import attrgetter
from typing import TYPE_CHECKING

from scapi._api import requests
from scapi._base import validation
from scapi._lists.paginator import Paginator
from scapi.enums import Order, SortAuction
from scapi.models import AuctionLot, Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from scapi.enums import Region


def all_lots(region: Region | str, item_id: str) -> Paginator[AuctionLot]:
    """Return a walk through all lots of an item, with `additional`.

    They are sorted by creation time. In this order a lot moves only when another one is removed.
    """
    return Paginator(
        requests.lots(
            region,
            item_id,
            limit=requests.MAX_LIMIT,
            offset=0,
            sort=SortAuction.TIME_CREATED,
            order=Order.ASCENDING,
            additional=True,
        )
    )


class Cheapest:
    """Picks the lots with the lowest price per piece among lots with a buyout.

    Args:
        n: How many are wanted, 1 or more.
        where: A function that returns whether a lot matters; by default all lots do.

    Raises:
        TypeError: `where` can't be called, or is a coroutine function.
        ValueError: `n` is out of its range.
    """

    def __init__(self, n: int, where: Callable[[AuctionLot], object] | None) -> None:
        self._n = validation.integer("n", n, 1)
        self._where = None if where is None else validation.predicate("where", where)

    def pick(self, lots: Iterable[AuctionLot], now: datetime) -> Listing[AuctionLot]:
        """Return the cheapest lots, cheapest first.

        Args:
            lots: All lots of an item.
            now: The present time. Lots that have ended are left out.
        """
        offered = [lot for lot in lots if lot.unit_price is not None and (lot.end_time is None or lot.end_time > now)]
        if self._where is not None:
            offered = [lot for lot in offered if self._where(lot)]
        cheapest = heapq.nsmallest(self._n, offered, key=attrgetter("unit_price"))
        return Listing(cheapest, total=len(offered), limit=self._n, model=AuctionLot)
