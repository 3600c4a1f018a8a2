"""The data of charts, without drawing: sales in time buckets, the order book, numbers and times as text."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from statistics import quantiles
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scapi.models import AuctionLot, AuctionPrice

    Traded = TypeVar("Traded", AuctionLot, AuctionPrice)


By: TypeAlias = Literal["quality", "level"]

#: Buckets are counted from here, so buckets of a week begin on Mondays. The epoch was a Thursday.
MONDAY = datetime(1970, 1, 5, tzinfo=UTC)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WIDTHS = (
    *(count * MINUTE for count in (1, 5, 15, 30)),
    *(count * HOUR for count in (1, 3, 6, 12)),
    *(count * DAY for count in (1, 7, 28, 91, 364)),
)
#: The maximum number of points, above which they are hard to tell apart, and the minimum number of sales per point,
#: below which there is no meaningful band.
POINTS, SALES_PER_POINT = 60, 5
#: The lowest level of each group of upgrade levels. Sixteen separate lines would be unreadable.
STEPS = (0, 1, 5, 10, 15)
#: The share of a bucket that sales must cover to count as whole.
MOST = 0.9
#: From this ratio of prices on, the lower end of a linear axis is unreadable.
WIDE = 20


class Bucket(NamedTuple):
    """The sales in a period of time.

    Attributes:
        start: When the period begins.
        low: The 10th percentile of the price per piece.
        median: The median price per piece.
        high: The 90th percentile of the price per piece.
        pieces: How many pieces were sold.
    """

    start: datetime
    low: float
    median: float
    high: float
    pieces: int


class Book(NamedTuple):
    """Lots, cheapest first.

    Attributes:
        prices: The price per piece of each lot.
        edges: The running total of pieces, including the lot. It starts with 0, so it is one longer than `prices`.
    """

    prices: list[float]
    edges: list[int]


def grouped(rows: Iterable[Traded], by: By | None) -> dict[int | None, list[Traded]]:
    """Group rows by quality or by group of upgrade levels, lowest first.

    Rows without a quality are under `None`, before all others. Without `by`, all rows are under `None`.
    """
    groups: defaultdict[int | None, list[Traded]] = defaultdict(list)
    for row in rows:
        groups[_group(row, by)].append(row)
    return dict(sorted(groups.items(), key=lambda group: -1 if group[0] is None else group[0]))


def _group(row: AuctionLot | AuctionPrice, by: By | None) -> int | None:
    if by == "level":
        return max(step for step in STEPS if step <= max(row.upgrade_level, 0))
    return row.quality if by == "quality" else None


def width_for(sales: Iterable[AuctionPrice]) -> timedelta:
    """Return a suitable length of buckets for these sales."""
    times = [sale.time for sale in sales]
    points = min(POINTS, max(len(times) // SALES_PER_POINT, 1))
    place = bisect_left(WIDTHS, (max(times) - min(times)) / points)
    return WIDTHS[min(place, len(WIDTHS) - 1)]


def buckets(sales: Iterable[AuctionPrice], width: timedelta) -> list[Bucket]:
    """Return a bucket for each period with sales, oldest first."""
    found: defaultdict[int, list[AuctionPrice]] = defaultdict(list)
    for sale in sales:
        found[(sale.time - MONDAY) // width].append(sale)
    return [
        Bucket(MONDAY + number * width, *_spread(inside), sum(sale.amount for sale in inside))
        for number, inside in sorted(found.items())
    ]


def partial_buckets(sales: Iterable[AuctionPrice], width: timedelta) -> set[datetime]:
    """Return the starts of the first and the last bucket if the sales cover only a part of them.

    Sales before the oldest and after the newest one are unknown, so such a bucket would look like a slump.
    """
    times = sorted(sale.time for sale in sales)
    first, last = (MONDAY + (moment - MONDAY) // width * width for moment in (times[0], times[-1]))
    if last - first < 2 * width:
        return set()
    found: set[datetime] = set()
    if times[0] - first > width * (1 - MOST):
        found.add(first)
    if times[-1] - last < width * MOST:
        found.add(last)
    return found


def shortest_step(times: Iterable[datetime]) -> timedelta:
    """Return the shortest distance of two different times; a day if there is only one."""
    found = sorted(set(times))
    return min((after - before for before, after in pairwise(found)), default=DAY)


def unfinished(times: Iterable[datetime], width: timedelta, since: datetime | None, until: datetime) -> set[datetime]:
    """Return the starts of the periods that begin before `since` or end after `until`."""
    return {time for time in times if (since is not None and time < since) or time + width > until}


def _spread(sales: list[AuctionPrice]) -> tuple[float, float, float]:
    prices = [sale.unit_price for sale in sales]
    tenths = quantiles(prices, n=10, method="inclusive") if len(prices) > 1 else prices * 9
    return tenths[0], tenths[4], tenths[8]


def book(lots: Iterable[AuctionLot]) -> Book:
    """Return the lots with a buyout as an order book."""
    offers = sorted((lot.unit_price, lot.amount) for lot in lots if lot.unit_price is not None)
    return Book([price for price, _ in offers], [0, *accumulate(amount for _, amount in offers)])


def ceiling(prices: Iterable[float]) -> float:
    """Return the highest price to show. Lots at ten times the usual price are not meant to sell."""
    found = sorted(prices)
    return min(found[-1], 10 * found[int(0.95 * (len(found) - 1))])


def wide(prices: Iterable[float]) -> bool:
    """Return whether prices are so far apart that they need a logarithmic axis."""
    found = list(prices)
    return 0 < min(found) <= max(found) / WIDE


# ── text ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def compact(number: float) -> str:
    """Return a number with three digits, such as 950, 12.5k, 1.2M."""
    for unit, sign in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        # Without the factor, 999 999 would be 1000k.
        if abs(number) >= unit * 0.9995:
            return f"{number / unit:.3g}{sign}"
    return f"{number:.3g}"


def span(first: datetime, last: datetime) -> str:
    """Return a range of times in UTC, without repeating shared parts."""
    first, last = first.astimezone(UTC), last.astimezone(UTC)
    if last - first > 3 * DAY:
        year = "" if first.year == last.year else f" {first.year}"
        return f"{_day(first)}{year} to {_day(last)} {last.year}"
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{_day(last)} {last:%H:%M}"
    return f"{_day(first)} {first.year} {first:%H:%M} to {end} UTC"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b}"


def length(stretch: timedelta) -> str:
    """Return a duration in the largest unit that it is a multiple of, such as `hour`, `15 minutes`, `7 days`."""
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (timedelta(seconds=1), "second")):
        count, rest = divmod(stretch, unit)
        if count and not rest:
            return name if count == 1 else f"{count} {name}s"
    return f"{stretch.total_seconds():g} seconds"
