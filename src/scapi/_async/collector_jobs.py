"""Do the jobs of a collector: fetch pages and write them. The decisions are in `scapi._collect`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from scapi._api import requests
from scapi._collect import spans
from scapi._collect.history import PAGE, HistoryWalk
from scapi._collect.jobs import CLAN, Outcome
from scapi._collect.plan import rate_of
from scapi._collect.records import CollectedLot, CollectedSale
from scapi._lists.paginator import Paginator
from scapi._store.reading import BEGINNING, LotsReading, SalesPiece
from scapi.enums import Order, SortAuction
from scapi.exceptions import ClosedError, ScApiException, StoreError
from scapi.models import Listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi._async.session import Session
    from scapi._async.store import Store
    from scapi._collect.agenda import Agenda
    from scapi._collect.history import Taken
    from scapi._collect.jobs import Job
    from scapi._store.rows import ItemChange, Place
    from scapi._store.write_results import Written
    from scapi.models import AuctionLot, AuctionPrice

#: The most pages of a poll of a known item. Older sales are filled in like any gap, so fresh ones don't wait for them.
MOST_PAGES = 3


class JobRunner:
    """The jobs of a collector.

    Args:
        session: The session for the API.
        store: The store to write to.
        agenda: The agenda, which knows when the next poll is due.
        since: Collect the past back to this time; `None` to skip the past.
        clock: Returns the seconds since 1970.
    """

    def __init__(
        self, session: Session, store: Store, agenda: Agenda, since: datetime | None, clock: Callable[[], float]
    ) -> None:
        self._session = session
        self._past = session.with_priority("low")
        self._store = store
        self._agenda = agenda
        self._since = since
        self._clock = clock

    async def do(self, job: Job) -> Outcome:
        """Do a job. Errors of the API are returned in the outcome; errors of the store are raised."""
        outcome = Outcome(job)
        try:
            match job.kind:
                case "sales":
                    await self._look_at_sales(outcome)
                case "lots":
                    await self._look_at_lots(outcome)
                case "gap":
                    await self._fill(outcome)
                case "emission":
                    await self._look_at_emission(outcome)
                case "members":
                    await self._look_at_members(outcome)
        except (ClosedError, StoreError):
            raise
        except ScApiException as error:
            outcome.error = error
        return outcome

    def now(self) -> datetime:
        """Return the current time."""
        return datetime.fromtimestamp(self._clock(), UTC)

    async def _look_at_sales(self, outcome: Outcome) -> None:
        """Read new sales from the top down to the complete part."""
        item, place, at = outcome.job.item, outcome.job.item.place, self.now()
        complete = item.complete
        if complete is None:
            complete = outcome.complete = spans.merged(await self._store.spans(place.region, place.item))
        since = self._since or BEGINNING
        if complete:
            walk = HistoryWalk(max(complete[0].newest, since), enough=MOST_PAGES)
        else:
            walk = HistoryWalk(since, enough=1)
        outcome.complete = list(complete)
        while not walk.done:
            page = await self._page(outcome, walk)
            if outcome.pages == 1:
                outcome.rate = rate_of([sale.time for sale in page], at)
                outcome.total, outcome.newest = page.total, page[0].time if page else None
                if page.total == item.total and outcome.newest == item.newest:
                    # The history hasn't changed if the total is the same.
                    await self._store.update_item(place.region, place.item, **self._looked(outcome, at))
                    return
            taken = walk.take(page)
            change: ItemChange = self._looked(outcome, at) if taken.is_last else {}
            written = await self._write(outcome, taken, change)
            if complete:
                outcome.sales += [CollectedSale(region=place.region, item=place.item, sale=new) for new in written.new]
        self._check(walk)

    async def _fill(self, outcome: Outcome) -> None:
        """Read pages of a gap in the past, while nothing else is due."""
        item, place, begun = outcome.job.item, outcome.job.item.place, self._session.clock.now()
        walk = item.walk
        if walk is None:
            gap = item.gaps(self._since)[0]
            newer = await self._store.count_newer(place.region, place.item, gap.newest)
            walk = HistoryWalk(gap.oldest, gap=gap, newer=newer)
        while True:
            taken = walk.take(await self._page(outcome, walk))
            await self._write(outcome, taken, {})
            self._check(walk)
            now = self._session.clock.now()
            if walk.done or not self._agenda.may_read_on(outcome, begun, now):
                break
        outcome.walk = None if walk.done else walk

    async def _page(self, outcome: Outcome, walk: HistoryWalk) -> Listing[AuctionPrice]:
        region, item = outcome.job.item.place
        request = requests.price_history(region, item, limit=PAGE, offset=walk.offset, additional=True)
        session = self._past if outcome.job.kind == "gap" else self._session
        page = await session.call(request, fresh=True)
        outcome.pages += 1
        outcome.unread += len(page.rejected)
        return page

    async def _write(self, outcome: Outcome, taken: Taken, change: ItemChange) -> Written:
        """Write a page and the interval that it completes, in one transaction."""
        region, item = outcome.job.item.place
        newest, oldest = taken.complete or (None, BEGINNING)
        written = await self._store.write_sales(region, item, SalesPiece(taken.rows, newest, oldest), **change)
        if taken.complete:
            outcome.complete.append(taken.complete)
        outcome.new_sales += len(written.new)
        outcome.unread += len(written.unstored)
        return written

    def _check(self, walk: HistoryWalk) -> None:
        if walk.stuck is not None:
            raise ScApiException(walk.stuck)

    def _looked(self, outcome: Outcome, at: datetime) -> ItemChange:
        """Return the changed item state after a successful poll of sales."""
        change = self._succeeded(outcome, at)
        change["total"], change["sales_at"] = outcome.total, at
        change["next_sales"] = at + timedelta(seconds=self._agenda.interval_after(outcome))
        return change

    async def _look_at_lots(self, outcome: Outcome) -> None:
        """Read all lots. Lots that are no longer there are gone."""
        place, at = outcome.job.item.place, self.now()
        region, item = place
        first = requests.lots(
            region, item, limit=PAGE, offset=0, sort=SortAuction.TIME_CREATED, order=Order.ASCENDING, additional=True
        )
        paginator, reading, seen = Paginator(first), LotsReading(at), 0
        while not paginator.done:
            page = await self._session.call(paginator.request, fresh=True)
            outcome.pages += 1
            fresh = paginator.feed(page)
            seen += len(fresh) + len(fresh.rejected)
            outcome.unread += len(fresh.rejected)
            # On a faulty server the paginator may end without having seen all lots.
            is_whole = not fresh.has_more and seen >= page.total
            outcome.on_offer = seen
            piece = reading.piece(fresh, complete=is_whole)
            change: ItemChange = self._saw_lots(outcome, at) if is_whole else {}
            written = await self._store.write_lots(region, item, piece, **change)
            outcome.new_lots += len(written.new)
            outcome.unread += len(written.unstored)
            if outcome.job.item.has_lots:
                outcome.lots += _lot_events(place, "new", written.new) + _lot_events(place, "gone", written.gone)

    def _saw_lots(self, outcome: Outcome, at: datetime) -> ItemChange:
        """Return the changed item state after a successful poll of lots."""
        change = self._succeeded(outcome, at)
        change["lots_at"] = at
        change["next_lots"] = at + timedelta(seconds=self._agenda.interval_after(outcome))
        return change

    async def _look_at_emission(self, outcome: Outcome) -> None:
        """Read the emission of a region: the one that runs, and the last one that ended."""
        place, at = outcome.job.item.place, self.now()
        state = await self._session.call(requests.emission(place.region))
        outcome.pages += 1
        outcome.emissions = await self._store.write_emission(place.region, state)
        await self._store.update_item(place.region, place.item, **self._saw(outcome, at))

    async def _look_at_members(self, outcome: Outcome) -> None:
        """Read the members of a clan. Members who are no longer there have left."""
        place, at = outcome.job.item.place, self.now()
        clan = place.item.removeprefix(CLAN)
        found = await self._session.call(requests.clan_members(place.region, clan))
        outcome.pages += 1
        # The name of a member that can't be read isn't known.
        outcome.unread = len(found.rejected) if isinstance(found, Listing) else 0
        change = await self._store.write_clan_members(place.region, clan, found, at=at, complete=not outcome.unread)
        outcome.members = len(change.joined) + len(change.left)
        await self._store.update_item(place.region, place.item, **self._saw(outcome, at))

    def _saw(self, outcome: Outcome, at: datetime) -> ItemChange:
        """Return the changed state after a successful poll of an emission or of members."""
        change = self._succeeded(outcome, at)
        change["looked_at"] = at
        change["next_look"] = at + timedelta(seconds=self._agenda.interval_after(outcome))
        return change

    def _succeeded(self, outcome: Outcome, at: datetime) -> ItemChange:
        unread = f"{outcome.unread} rows can't be read or stored" if outcome.unread else None
        return {
            "failures": 0,
            "error": unread,
            "error_at": at if unread else None,
            "aside": self._agenda.aside_after(outcome),
        }


def _lot_events(place: Place, kind: Literal["new", "gone"], lots: list[AuctionLot]) -> list[CollectedLot]:
    return [CollectedLot(kind=kind, region=place.region, item=place.item, lot=lot) for lot in lots]
