"""What charts show, before anything is drawn: sales in buckets of time, the order book, numbers and times as text."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from statistics import quantiles
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scapi.models import AuctionLot, AuctionPrice

    Traded = TypeVar("Traded", AuctionLot, AuctionPrice)


By: TypeAlias = Literal["quality", "level"]

#: Weeks begin on Mondays, and so do buckets of a week; the epoch was a Thursday.
MONDAY = datetime(1970, 1, 5, tzinfo=UTC)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WIDTHS = (
    *(count * MINUTE for count in (1, 5, 15, 30)),
    *(count * HOUR for count in (1, 3, 6, 12)),
    *(count * DAY for count in (1, 7, 28, 91, 364)),
)
#: More points than this are no longer seen as such; fewer sales per point make no band.
POINTS, SALES_PER_POINT = 60, 5
#: Where the groups of upgrade levels begin; sixteen lines would be a tangle.
STEPS = (0, 1, 5, 10, 15)
#: The share of a bucket that sales must cover for it to count as whole.
MOST = 0.9
#: From this ratio on, the lower end of a linear axis can no longer be read.
WIDE = 20


class Bucket(NamedTuple):
    """The sales of a stretch of time.

    Attributes:
        start: When it begins.
        low: The price per piece that 10 % of the sales stay below.
        median: The one that half of them do.
        high: The one that 90 % do.
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
        edges: How many pieces there are up to it and with it; one longer than `prices`, from 0.
    """

    prices: list[float]
    edges: list[int]


def grouped(rows: Iterable[Traded], by: By | None) -> dict[int | None, list[Traded]]:
    """Rows by quality, or by the step of upgrade levels that they have reached; the lowest first.

    Rows without a quality are under `None` and come before all others, as do all rows without `by`.
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
    """How long a bucket had better be for these sales."""
    times = [sale.time for sale in sales]
    points = min(POINTS, max(len(times) // SALES_PER_POINT, 1))
    place = bisect_left(WIDTHS, (max(times) - min(times)) / points)
    return WIDTHS[min(place, len(WIDTHS) - 1)]


def buckets(sales: Iterable[AuctionPrice], width: timedelta) -> list[Bucket]:
    """The sales, a bucket for every stretch of time in which there are any, oldest first."""
    found: defaultdict[int, list[AuctionPrice]] = defaultdict(list)
    for sale in sales:
        found[(sale.time - MONDAY) // width].append(sale)
    return [
        Bucket(MONDAY + number * width, *_spread(inside), sum(sale.amount for sale in inside))
        for number, inside in sorted(found.items())
    ]


def partial_buckets(sales: Iterable[AuctionPrice], width: timedelta) -> set[datetime]:
    """Find the first and the last bucket if the sales cover less than most of them; return when they begin.

    Nobody knows what was sold before the oldest sale and after the newest, so such a bucket looks like a slump.
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


def _spread(sales: list[AuctionPrice]) -> tuple[float, float, float]:
    prices = [sale.unit_price for sale in sales]
    tenths = quantiles(prices, n=10, method="inclusive") if len(prices) > 1 else prices * 9
    return tenths[0], tenths[4], tenths[8]


def book(lots: Iterable[AuctionLot]) -> Book:
    """The lots that can be bought at once, as an order book."""
    offers = sorted((lot.unit_price, lot.amount) for lot in lots if lot.unit_price is not None)
    return Book([price for price, _ in offers], [0, *accumulate(amount for _, amount in offers)])


def ceiling(prices: Iterable[float]) -> float:
    """Up to where prices are worth a look: who asks for ten times what most do doesn't mean to sell."""
    found = sorted(prices)
    return min(found[-1], 10 * found[int(0.95 * (len(found) - 1))])


def wide(prices: Iterable[float]) -> bool:
    """Whether prices lie so far apart that only a logarithmic axis shows them all."""
    found = list(prices)
    return 0 < min(found) <= max(found) / WIDE


# ── text ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def compact(number: float) -> str:
    """A number in three digits, such as 950, 12.5k, 1.2M."""
    for unit, sign in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        # 999 999 would be 1000k.
        if abs(number) >= unit * 0.9995:
            return f"{number / unit:.3g}{sign}"
    return f"{number:.3g}"


def span(first: datetime, last: datetime) -> str:
    """From when to when, in UTC, saying nothing twice."""
    first, last = first.astimezone(UTC), last.astimezone(UTC)
    if last - first > 3 * DAY:
        year = "" if first.year == last.year else f" {first.year}"
        return f"{_day(first)}{year} to {_day(last)} {last.year}"
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{_day(last)} {last:%H:%M}"
    return f"{_day(first)} {first.year} {first:%H:%M} to {end} UTC"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b}"


def length(stretch: timedelta) -> str:
    """A length of time in whole minutes in its largest unit, such as `hour`, `15 minutes`, `7 days`."""
    unit, name = next(
        (unit, name) for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")) if unit <= stretch
    )
    count = stretch // unit
    return name if count == 1 else f"{count} {name}s"
