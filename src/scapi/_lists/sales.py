"""A walk through the history of an item that can be interrupted and resumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from scapi._api import requests
from scapi._base import validation
from scapi._lists import saved_states
from scapi._lists.bulk import Target
from scapi._lists.cursor import Cursor
from scapi._lists.paginator import Paginator
from scapi.enums import Region
from scapi.models import AuctionPrice, BulkWalkState, Listing, SalesWalkState

if TYPE_CHECKING:
    from datetime import datetime, timedelta


class SalesPaginator(Paginator[AuctionPrice]):
    """A walk through the sales of an item, newest first.

    Args:
        region: The region.
        item_id: The item.
        since: Only sales that are strictly newer than this.
        until: Only sales that aren't newer than this.
        limit: The number of sales in all; all of them by default.
        additional: Whether to request `additional`.
        resume: The state of an earlier walk to continue. It replaces `since`, `until` and `limit`.
        now: The present time. A `timedelta` counts back from it.

    Raises:
        TypeError: `resume` isn't the state of such a walk.
        ValueError: An argument is out of its range, or `resume` is the state of another walk.
    """

    def __init__(
        self,
        region: Region | str,
        item_id: str,
        *,
        since: datetime | timedelta | str | None,
        until: datetime | timedelta | str | None,
        limit: int | None,
        additional: bool | None,
        resume: SalesWalkState | None,
        now: datetime,
    ) -> None:
        place: dict[str, object] = {"region": str(validation.choice("region", region, Region)), "item_id": item_id}
        if additional is not None:
            place["additional"] = additional
        state = saved_states.checked("resume", resume, SalesWalkState, **place)
        begin = None if since is None else validation.moment("since", since, now)
        end = None if until is None else validation.moment("until", until, now)
        if state is not None:
            begin, end, limit, additional = state.since, state.until, state.left, state.additional
        first = requests.price_history(region, item_id, limit=requests.MAX_LIMIT, offset=0, additional=additional)
        super().__init__(first, limit=limit, since=begin, until=end)
        self._begun = SalesWalkState(
            region=str(validation.choice("region", region, Region)),
            item_id=item_id,
            additional="additional" in first.params,
            since=begin,
            until=end,
            left=limit,
        )
        if state is not None:
            self._resume(state)

    def _resume(self, state: SalesWalkState) -> None:
        cursor = self._cursor
        if state.keys:
            cursor = Cursor(cursor.shape, cursor.sorting, cursor.left)
            cursor.total, cursor.frontier = state.total, state.position
            cursor.tie, cursor.tie_is_whole = list(state.keys), state.is_whole
            cursor.by_position = state.time is None
            cursor.value = 0 if cursor.by_position else state.time
            cursor.resume()
            self._search = None
        cursor.done = cursor.done or state.done
        self._stand = cursor, None

    def state(self, page: Listing[AuctionPrice] | None, unread: int = 0) -> SalesWalkState:
        """Return the state that covers the sales that were delivered.

        Args:
            page: The last page that was delivered, `None` before the first one.
            unread: How many sales at the end of the page were not delivered.
        """
        cursor = self.cursor(page, unread)
        left = None if self._begun.left is None else cursor.left
        if not cursor.tie:
            return replace(self._begun, left=left, done=cursor.done)
        return replace(
            self._begun,
            left=left,
            done=cursor.done,
            total=cursor.total,
            position=cursor.frontier,
            time=None if cursor.by_position else cursor.value,
            keys=cursor.tie,
            is_whole=cursor.tie_is_whole,
        )


class SalesPaginators:
    """Starts the walks of a bulk call, one for each region and item.

    Args:
        since: Only sales that are strictly newer than this: for all items, or for each by its id.
        until: Only sales that aren't newer than this.
        limit: The number of sales of each item; all of them by default.
        additional: Whether to request `additional`.
        resume: The states of earlier walks to continue.
        now: The present time. A `timedelta` counts back from it.

    Attributes:
        resumed: The states of the earlier walks.

    Raises:
        TypeError: `resume` isn't the state of such walks.
        ValueError: An argument is out of its range, or `resume` has a state with another `additional`.
    """

    def __init__(
        self,
        *,
        since: Mapping[str, datetime | timedelta | str | None] | datetime | timedelta | str | None,
        until: datetime | timedelta | str | None,
        limit: int | None,
        additional: bool | None,
        resume: BulkWalkState | None,
        now: datetime,
    ) -> None:
        resume = saved_states.checked("resume", resume, BulkWalkState)
        self.resumed = resume.walks if resume is not None else []
        self._by_target = {Target(walk.region, walk.item_id): walk for walk in self.resumed}
        for walk in self.resumed if additional is not None else ():
            saved_states.checked("resume", walk, SalesWalkState, additional=additional)
        self._since: Mapping[str, Any] = since if isinstance(since, Mapping) else {}
        self._usual = None if isinstance(since, Mapping) else since
        for key, time in self._since.items():
            if time is not None:
                validation.moment(f"since[{key!r}]", time, now)
        self._options: dict[str, Any] = {"until": until, "limit": limit, "additional": additional, "now": now}

    def begin(self, target: Target) -> SalesPaginator:
        """Start a walk, or continue an interrupted one."""
        since = self._since.get(target.key, self._usual)
        return SalesPaginator(*target, since=since, resume=self._by_target.get(target), **self._options)
