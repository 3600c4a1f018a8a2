"""What has happened since the last look: each kind of watcher as a book of what is known. Nothing here waits.

A book asks by a generator, `look()`: it yields requests and is sent their answers. What is new becomes the events that
`pending` holds, the oldest first, and only `record` makes an event known. So the state of a book is at any time that of
one who has handed over all events up to the last, whatever else the last look has found.
"""

from __future__ import annotations

import inspect
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from scapi._api import requests
from scapi._base import validation
from scapi._base.formatting import shifted
from scapi._lists import paginator
from scapi._lists.paginator import Walk
from scapi.enums import Order, Region, SortAuction
from scapi.exceptions import RateLimitError
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
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from scapi._api.requests import Request
    from scapi.models import EmissionState, Listing


E = TypeVar("E")
S = TypeVar("S")
T = TypeVar("T")

if TYPE_CHECKING:
    #: Yields requests, and is sent the answer to each.
    from typing import TypeAlias

    Look: TypeAlias = Generator[Request[Any], Any, T]

#: Seconds that failures put the next look off at most, where the interval is shorter.
LONGEST_WAIT = 300.0

#: Two beginnings this near to each other are one emission, told twice: it lasts for minutes.
SAME_EMISSION = timedelta(seconds=10)

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Pulse:
    """How long to wait between looks.

    Args:
        interval: Seconds from one look to the next, above 0.
        rng: Draws from 0 to 1.

    Raises:
        ValueError: The interval is out of its range.
    """

    def __init__(self, interval: float, rng: Callable[[], float]) -> None:
        self.interval = validation.positive("interval", interval)
        self.failures = 0
        self._rng = rng

    def after_success(self, took: float) -> float:
        """Seconds to wait after a look that took so many."""
        self.failures = 0
        return max(0.0, self.interval - took)

    def after_failure(self, error: Exception) -> float:
        """Seconds to wait after a look that failed: drawn from below a bound that doubles each time ("full jitter")."""
        self.failures += 1
        longest = max(LONGEST_WAIT, self.interval)
        wait = self._rng() * min(longest, self.interval * 2.0 ** min(self.failures, 64))
        asked = error.retry_after if isinstance(error, RateLimitError) else 0.0
        return min(longest, max(wait, asked))


class Book(Generic[E, S]):
    """What is known, and what has happened that nobody was told of yet."""

    def __init__(self) -> None:
        self.pending: deque[E] = deque()

    @property
    def state(self) -> S | None:
        """What to go on from; `None` before the first look."""
        raise NotImplementedError

    def look(self) -> Look[None]:
        """Ask for what there is now, and add what is new to `pending`."""
        raise NotImplementedError

    def record(self, event: E) -> None:
        """Take an event as told."""
        raise NotImplementedError


class EmissionBook(Book[EmissionEvent, EmissionWatchState]):
    """Emissions, known by when they began and ended: an answer older than the last, out of a cache, has nothing new."""

    def __init__(self, region: Region | str, state: EmissionWatchState | None) -> None:
        super().__init__()
        self._request = requests.emission(region)
        self._region = str(validation.choice("region", region, Region))
        self._state = _continued(state, EmissionWatchState, region=self._region)

    @property
    def state(self) -> EmissionWatchState | None:
        return self._state

    def look(self) -> Look[None]:
        now: EmissionState = yield self._request
        if self._state is None:
            self._state = EmissionWatchState(
                region=self._region, started=now.current_start or now.previous_start, ended=now.previous_end
            )
            return
        began, ended = self._state.started or NEVER, self._state.ended or NEVER
        # The last one may have come and gone between two looks.
        if now.previous_start and now.previous_end and now.previous_start > shifted(began, SAME_EMISSION):
            self.pending.append(EmissionEvent(kind="started", time=now.previous_start, state=now))
        if now.previous_end and now.previous_end > shifted(ended, SAME_EMISSION):
            self.pending.append(EmissionEvent(kind="ended", time=now.previous_end, state=now))
        if now.current_start and now.current_start > shifted(began, SAME_EMISSION):
            self.pending.append(EmissionEvent(kind="started", time=now.current_start, state=now))

    def record(self, event: EmissionEvent) -> None:
        known = self._state
        started, ended = (known.started, known.ended) if known else (None, None)
        if event.kind == "started":
            started = event.time
        else:
            ended = event.time
        self._state = EmissionWatchState(region=self._region, started=started, ended=ended)


class LotsBook(Book[LotEvent, LotsWatchState]):
    """Lots, known by all that they hold but for the bid on them: the API gives them no id. Equal ones are counted."""

    def __init__(self, region: Region | str, item_id: str, state: LotsWatchState | None) -> None:
        super().__init__()
        # Created is the sorting in which nothing but going makes a lot move.
        self._request = requests.lots(
            region,
            item_id,
            limit=requests.MAX_LIMIT,
            offset=0,
            sort=SortAuction.TIME_CREATED,
            order=Order.ASCENDING,
            additional=True,
        )
        self._place = {"region": str(validation.choice("region", region, Region)), "item_id": item_id}
        begun = _continued(state, LotsWatchState, **self._place)
        self._known = None if begun is None else _by_key("lots", begun.lots)

    @property
    def state(self) -> LotsWatchState | None:
        if self._known is None:
            return None
        return LotsWatchState(**self._place, lots=[lot for equal in self._known.values() for lot in equal])

    def look(self) -> Look[None]:
        present = _by_key("lots", (yield from _all(Walk(self._request))))
        if self._known is None:
            self._known = present
            return
        for key, lots in self._known.items():
            self._tell("gone", lots[len(present.get(key, ())) :])
            # The bid on those that stay may have changed.
            lots[: len(present.get(key, ()))] = present.get(key, ())[: len(lots)]
        for key, lots in present.items():
            self._tell("new", lots[len(self._known.get(key, ())) :])

    def _tell(self, kind: Any, lots: Iterable[AuctionLot]) -> None:
        self.pending.extend(LotEvent(kind=kind, lot=lot) for lot in lots)

    def record(self, event: LotEvent) -> None:
        known, key = self._known if self._known is not None else {}, paginator.key("lots", event.lot)
        if event.kind == "new":
            known.setdefault(key, []).append(event.lot)
            return
        known[key].pop()
        if not known[key]:
            del known[key]


class SalesBook(Book[SaleEvent, SalesWatchState]):
    """Sales, known by all that they hold, and counted where they are equal.

    A sale may turn up after one that was made later. So nothing ends at the newest time: the sales of the
    `SALES_OVERLAP` before it are read again and compared.
    """

    def __init__(
        self, region: Region | str, item_id: str, since: datetime | str | None, state: SalesWatchState | None
    ) -> None:
        super().__init__()
        self._request = requests.price_history(region, item_id, limit=requests.MAX_LIMIT, offset=0, additional=True)
        self._place = {"region": str(validation.choice("region", region, Region)), "item_id": item_id}
        begin = None if since is None else validation.moment("since", since)
        begun = _continued(state, SalesWatchState, **self._place)
        self._since = begin if begun is None else begun.since
        self._seen = {} if begun is None else dict(begun.seen)

    @property
    def state(self) -> SalesWatchState | None:
        return None if self._since is None else SalesWatchState(**self._place, since=self._since, seen=dict(self._seen))

    def look(self) -> Look[None]:
        if self._since is not None:
            sales: list[AuctionPrice] = yield from _all(Walk(self._request, since=self._since))
            self.pending.extend(SaleEvent(sale=sale) for sale in sorted(self._unseen(sales), key=_time))
            return
        newest: Listing[AuctionPrice] = yield self._request.with_page(limit=1, offset=0)
        since = shifted(newest[0].time, -SALES_OVERLAP) if newest else NEVER
        if newest:
            sales = yield from _all(Walk(self._request, since=since))
            for sale in sales:
                self._see(sale)
        self._since = since

    def _unseen(self, sales: Iterable[AuctionPrice]) -> Iterable[AuctionPrice]:
        left = {digest: count for digest, (_, count) in self._seen.items()}
        for sale in sales:
            digest = _digest(sale)
            left[digest] = left.get(digest, 0) - 1
            if left[digest] < 0:
                yield sale

    def _see(self, sale: AuctionPrice) -> None:
        digest = _digest(sale)
        _, count = self._seen.get(digest, (sale.time, 0))
        self._seen[digest] = sale.time, count + 1

    def record(self, event: SaleEvent) -> None:
        self._see(event.sale)
        # Events are told oldest first, so what is pending is never passed by.
        since = shifted(event.sale.time, -SALES_OVERLAP)
        if self._since is None or since > self._since:
            self._since = since
            self._seen = {digest: seen for digest, seen in self._seen.items() if seen[0] > since}


def wanted(where: Callable[[T], object], thing: Callable[[E], T]) -> Callable[[E], object]:
    """A predicate of events out of one of the things that they are about, or a `TypeError`."""
    if not callable(where):
        raise TypeError(f"where must be callable, not {where!r}")
    if inspect.iscoroutinefunction(where):
        raise TypeError("where must be a plain function: what it returns would always be true")
    return lambda event: where(thing(event))


def _continued(state: object, kind: type[S], **place: str) -> S | None:
    """The state to go on from, if it is one of this very kind and place."""
    if state is None:
        return None
    if not isinstance(state, kind):
        raise TypeError(f"state must be a {kind.__name__}, not {type(state).__name__}")
    for name, value in place.items():
        if getattr(state, name) != value:
            raise validation.refuse("state", getattr(state, name), f"that of {name} {value!r}")
    return state


def _all(walk: Walk[T]) -> Look[list[T]]:
    rows: list[T] = []
    while not walk.done:
        rows += walk.take((yield walk.request))
    return rows


def _by_key(operation: str, rows: Iterable[T]) -> dict[bytes, list[T]]:
    found: dict[bytes, list[T]] = {}
    for row in rows:
        found.setdefault(paginator.key(operation, row), []).append(row)
    return found


def _time(sale: AuctionPrice) -> datetime:
    return sale.time


def _digest(sale: AuctionPrice) -> str:
    return str(sale.key())
