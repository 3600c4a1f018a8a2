"""Find what has changed since the last poll, for each kind of watcher. No I/O.

A differ polls with a generator, `poll()`, which yields requests and receives their responses. New events are added to
`pending`, oldest first. Only `commit` marks an event as known, so `state` covers exactly the events that were
delivered, whatever else the last poll has found.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from scapi._api import requests
from scapi._base import validation
from scapi._base.formatting import shifted
from scapi._lists import saved_states
from scapi._lists.lots import all_lots
from scapi._lists.paginator import Paginator
from scapi.enums import Region
from scapi.models import (
    SALES_OVERLAP,
    AuctionLot,
    AuctionPrice,
    EmissionEvent,
    EmissionWatchState,
    LotEvent,
    LotsWatchState,
    SaleEvent,
    SalesWatchState,
    numbered,
)
from scapi.models.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from datetime import datetime
    from typing import TypeAlias

    from scapi._api.requests import Request
    from scapi.models import EmissionState, Listing


E = TypeVar("E")
S = TypeVar("S")
T = TypeVar("T")

if TYPE_CHECKING:
    #: Yields requests, and receives the response to each.
    Poll: TypeAlias = Generator[Request[Any], Any, T]

#: Two starts this close together are the same emission, reported twice: an emission lasts for minutes.
SAME_EMISSION = timedelta(seconds=10)


class Differ(Generic[E, S]):
    """The known state of a watched thing, and the events that were not delivered yet.

    Args:
        region: The region.
        item_id: The item, or `None` if the watcher isn't for an item.

    Attributes:
        pending: The events that were not delivered yet, oldest first.
    """

    def __init__(self, region: Region | str, item_id: str | None = None) -> None:
        self.region = str(validation.choice("region", region, Region))
        self.item_id = item_id
        self.pending: deque[E] = deque()

    @property
    def state(self) -> S:
        """The state to continue from after a restart."""
        raise NotImplementedError

    def poll(self) -> Poll[None]:
        """Fetch the present state, and add new events to `pending`."""
        raise NotImplementedError

    def commit(self, event: E) -> None:
        """Mark an event as delivered."""
        raise NotImplementedError


class EmissionDiffer(Differ[EmissionEvent, EmissionWatchState]):
    """Emissions, identified by their start and end. An older response from a cache contains no new ones."""

    def __init__(self, region: Region | str, state: EmissionWatchState | None) -> None:
        super().__init__(region)
        self._request = requests.emission(region)
        state = saved_states.checked("state", state, EmissionWatchState, region=self.region)
        self._state = state or EmissionWatchState(region=self.region, begun=False)

    @property
    def state(self) -> EmissionWatchState:
        return self._state

    def poll(self) -> Poll[None]:
        now: EmissionState = yield self._request
        if not self._state.begun:
            started = now.current_start or now.previous_start
            self._state = EmissionWatchState(region=self.region, started=started, ended=now.previous_end)
            return
        began = shifted(self._state.started or NEVER, SAME_EMISSION)
        ended = shifted(self._state.ended or NEVER, SAME_EMISSION)
        # The last emission may have begun and ended between two polls.
        if now.previous_start and now.previous_end and now.previous_start > began:
            self._report("started", now.previous_start, now)
        if now.previous_end and now.previous_end > ended:
            self._report("ended", now.previous_end, now)
        if now.current_start and now.current_start > began:
            self._report("started", now.current_start, now)

    def _report(self, kind: Literal["started", "ended"], time: datetime, state: EmissionState) -> None:
        self.pending.append(EmissionEvent(kind=kind, region=self.region, time=time, state=state))

    def commit(self, event: EmissionEvent) -> None:
        started, ended = self._state.started, self._state.ended
        if event.kind == "started":
            started = event.time
        else:
            ended = event.time
        self._state = EmissionWatchState(region=self.region, started=started, ended=ended)


class LotsDiffer(Differ[LotEvent, LotsWatchState]):
    """Lots, identified by their `key()` because the API gives them no id. Equal lots are counted."""

    item_id: str

    def __init__(self, region: Region | str, item_id: str, state: LotsWatchState | None) -> None:
        super().__init__(region, item_id)
        state = saved_states.checked("state", state, LotsWatchState, region=self.region, item_id=item_id)
        self._begun = state is not None and state.begun
        self._known = _by_key(state.lots if state else ())

    @property
    def state(self) -> LotsWatchState:
        lots = [lot for equal in self._known.values() for lot in equal]
        return LotsWatchState(region=self.region, item_id=self.item_id, begun=self._begun, lots=lots)

    def poll(self) -> Poll[None]:
        present = _by_key((yield from _whole(all_lots(self.region, self.item_id))))
        if not self._begun:
            self._known, self._begun = present, True
            return
        for key, lots in self._known.items():
            self._report("gone", lots[len(present.get(key, ())) :])
            # The bid on a lot that stays may have changed.
            lots[: len(present.get(key, ()))] = present.get(key, ())[: len(lots)]
        for key, lots in present.items():
            self._report("new", lots[len(self._known.get(key, ())) :])

    def _report(self, kind: Literal["new", "gone"], lots: Iterable[AuctionLot]) -> None:
        self.pending.extend(LotEvent(kind=kind, region=self.region, item_id=self.item_id, lot=lot) for lot in lots)

    def commit(self, event: LotEvent) -> None:
        key = event.lot.key()
        if event.kind == "new":
            self._known.setdefault(key, []).append(event.lot)
            return
        self._known[key].pop()
        if not self._known[key]:
            del self._known[key]


class SalesDiffer(Differ[SaleEvent, SalesWatchState]):
    """Sales, identified by their `key()`. Equal sales are counted.

    A sale may appear after one that was made later. So each poll reads the sales of the last `SALES_OVERLAP` before the
    newest time again and compares them.

    Args:
        region: The region.
        item_id: The item.
        since: Include existing sales that are strictly newer than this.
        state: The state of an earlier watcher, instead of `since`.
        now: The present time. A `timedelta` counts back from it.
    """

    item_id: str

    def __init__(
        self,
        region: Region | str,
        item_id: str,
        since: datetime | timedelta | str | None,
        state: SalesWatchState | None,
        now: datetime,
    ) -> None:
        super().__init__(region, item_id)
        self._request = requests.price_history(region, item_id, limit=requests.MAX_LIMIT, offset=0, additional=True)
        begin = NEVER if since is None else validation.moment("since", since, now)
        state = saved_states.checked("state", state, SalesWatchState, region=self.region, item_id=item_id)
        self._begun = since is not None if state is None else state.begun
        self._since = begin if state is None else state.since
        self._seen = {} if state is None else dict(state.seen)

    @property
    def state(self) -> SalesWatchState:
        return SalesWatchState(
            region=self.region, item_id=self.item_id, begun=self._begun, since=self._since, seen=dict(self._seen)
        )

    def poll(self) -> Poll[None]:
        if self._begun:
            sales: list[AuctionPrice] = yield from _whole(Paginator(self._request, since=self._since))
            self.pending.extend(
                SaleEvent(region=self.region, item_id=self.item_id, sale=sale) for sale in self._unseen(sales)
            )
            return
        newest: Listing[AuctionPrice] = yield self._request.with_page(limit=1, offset=0)
        if newest:
            since = shifted(newest[0].time, -SALES_OVERLAP)
            sales = yield from _whole(Paginator(self._request, since=since))
            self._since, self._seen = since, {}
            for sale in sales:
                self._see(sale)
        self._begun = True

    def _unseen(self, sales: Iterable[AuctionPrice]) -> list[AuctionPrice]:
        """Return the sales that were not delivered yet, oldest first."""
        in_order = sorted(sales, key=attrgetter("time"))
        return [sale for sale, key, n in numbered(in_order) if n >= self._seen.get(key, (sale.time, 0))[1]]

    def _see(self, sale: AuctionPrice) -> None:
        key = sale.key()
        _, count = self._seen.get(key, (sale.time, 0))
        self._seen[key] = sale.time, count + 1

    def commit(self, event: SaleEvent) -> None:
        self._see(event.sale)
        # Events are delivered oldest first, so pending ones are never skipped.
        since = shifted(event.sale.time, -SALES_OVERLAP)
        if since > self._since:
            self._since = since
            self._seen = {key: seen for key, seen in self._seen.items() if seen[0] > since}


def event_filter(where: Callable[[T], object], thing: str) -> Callable[[Any], object]:
    """Turn a predicate for lots or sales into a predicate for events.

    Args:
        where: Returns whether an object matters.
        thing: The attribute of the event that holds the object.

    Raises:
        TypeError: `where` can't be called, or is a coroutine function.
    """
    predicate, get = validation.predicate("where", where), attrgetter(thing)
    return lambda event: predicate(get(event))


def _whole(paginator: Paginator[T]) -> Poll[list[T]]:
    rows: list[T] = []
    while not paginator.done:
        rows += paginator.feed((yield paginator.request))
    return rows


def _by_key(lots: Iterable[AuctionLot]) -> dict[int, list[AuctionLot]]:
    found: dict[int, list[AuctionLot]] = {}
    for lot in lots:
        found.setdefault(lot.key(), []).append(lot)
    return found
