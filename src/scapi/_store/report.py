"""What a report on the market says, read from a store."""

from __future__ import annotations

from bisect import bisect_left
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from scapi._store.query_scope import QueryScope
from scapi._views.charts import DAY, WIDTHS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from scapi._store.leases import Leases
    from scapi._store.queries import Queries
    from scapi._store.rows import Candle, Deal, ItemHealth, Run, Stats

#: About how many intervals a chart has.
POINTS = 40

#: The number of items with a chart, of movers in each direction, of deals, and of runs of collectors.
BUSIEST, MOVERS, DEALS, RUNS = 8, 8, 20, 3

#: Prices of the last days are compared with those of as many days before. Fewer sales say nothing.
WINDOW, LEAST_SALES = 7 * DAY, 5

#: The least change of a price that counts, as a share.
LEAST_CHANGE = 0.01

#: An interval that holds all sales.
FOREVER = timedelta(days=36_500)


class BusyItem(NamedTuple):
    """An item with many sales.

    Attributes:
        total: All its sales.
        qualities: The statistics of each quality.
        candles: The candles of each quality.
        since: When its sales begin.
        until: When its sales end.
    """

    total: Candle
    qualities: Sequence[Stats]
    candles: Sequence[Candle]
    since: datetime
    until: datetime


class Mover(NamedTuple):
    """A price that rose or fell.

    Attributes:
        now: The statistics of the last days.
        before: The statistics of the days before.
    """

    now: Stats
    before: Stats

    @property
    def change(self) -> float:
        """The change of the median, as a share; 0.1 is 10 % up."""
        return self.now.median / self.before.median - 1


class Report(NamedTuple):
    """What a report says.

    Attributes:
        since: When it begins.
        until: When it was made.
        width: The length of an interval of the charts.
        window: The length of the two periods whose prices are compared.
        totals: All sales of each item and region.
        busiest: The items with the most sales.
        risen: The prices that rose, the most first.
        fallen: The prices that fell, the most first.
        deals: The deals, the best first.
        health: The collection state of each item.
        runs: The last runs of collectors.
    """

    since: datetime
    until: datetime
    width: timedelta
    window: timedelta
    totals: Sequence[Candle]
    busiest: Sequence[BusyItem]
    risen: Sequence[Mover]
    fallen: Sequence[Mover]
    deals: Sequence[Deal]
    health: Sequence[ItemHealth]
    runs: Sequence[Run]


def read(queries: Queries, leases: Leases, scope: QueryScope, since: datetime, until: datetime) -> Report:
    """Read a report.

    Args:
        queries: The queries of the store.
        leases: The runs of collectors.
        scope: The regions and items.
        since: The start of the sales that count.
        until: The present time.
    """
    width = WIDTHS[min(bisect_left(WIDTHS, (until - since) / POINTS), len(WIDTHS) - 1)]
    window = min(WINDOW, (until - since) / 2)
    # One candle for each item takes less time than statistics, which need all prices in order.
    totals = queries.candles(scope._replace(since=since), FOREVER, ())
    health = queries.health(scope)
    states = {(row.region, row.item): row for row in health}
    most = sorted(totals, key=lambda row: (-row.count, row.item, row.region))[:BUSIEST]
    busiest = [
        _busy(queries, row, states.get((row.region, row.item)), width=width, since=since, until=until) for row in most
    ]
    movers = _movers(queries, scope, until, window)
    return Report(
        since=since,
        until=until,
        width=width,
        window=window,
        totals=totals,
        # Another process may have pruned the sales meanwhile.
        busiest=[busy for busy in busiest if busy.candles and busy.qualities],
        risen=[mover for mover in reversed(movers) if mover.change >= LEAST_CHANGE][:MOVERS],
        fallen=[mover for mover in movers if mover.change <= -LEAST_CHANGE][:MOVERS],
        deals=queries.deals(
            scope._replace(since=until - WINDOW), below=0.8, fee=0.05, min_sales=LEAST_SALES, recipient=None
        )[:DEALS],
        health=health,
        runs=leases.runs(RUNS),
    )


def _busy(
    queries: Queries, total: Candle, state: ItemHealth | None, *, width: timedelta, since: datetime, until: datetime
) -> BusyItem:
    scope = QueryScope([total.region], [total.item], since)
    qualities = queries.stats(scope, ("quality",), per_piece=False)
    candles = queries.candles(scope, width, ("quality",))
    oldest, newest = (state and state.oldest) or since, (state and state.newest) or until
    return BusyItem(total, qualities, candles, max(since, oldest), min(until, newest))


def _movers(queries: Queries, scope: QueryScope, until: datetime, window: timedelta) -> list[Mover]:
    """Return prices with enough sales in both periods, the one that fell most first."""
    by = ("quality", "level")
    now = queries.stats(scope._replace(since=until - window), by, per_piece=False)
    earlier = queries.stats(scope._replace(since=until - 2 * window, until=until - window), by, per_piece=False)
    before = {(row.region, row.item, row.quality, row.level): row for row in earlier if row.count >= LEAST_SALES}
    pairs = ((row, before.get((row.region, row.item, row.quality, row.level))) for row in now)
    found = [Mover(row, was) for row, was in pairs if was and was.median > 0 and row.count >= LEAST_SALES]
    return sorted(found, key=lambda mover: mover.change)
