"""Plan how often to poll each item within the points: fresh sales first, then lots, then the past. Pure.

A poll costs points even if it finds nothing. Its value is the number of sales times how long they would have waited, so
points are spent best if the frequency of polls is proportional to the square root of an item's rate of sales.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING, NamedTuple

from scapi._collect.history import PAGE
from scapi.models import SALES_OVERLAP

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

#: The cost of a page of sales or lots, in points.
COST = 2

#: The points per minute of an application, until a response contains the limit.
LIMIT = 400

#: How much more often than requested the busiest items are polled, if there are enough points.
HOTTEST = 4.0

#: The greatest share of the spare points that additional polls may take. The rest is left for the past.
SPARE = 0.5

#: The greatest share of the points that emissions and clans may take.
MOST_OTHERS = 0.5

#: The longest interval between polls of lots, in seconds. If the points don't allow it, lots are skipped.
RAREST = 86_400.0

OVERLAP = SALES_OVERLAP.total_seconds()


class Load(NamedTuple):
    """The load of an item in a region.

    Attributes:
        rate: Sales per hour; `None` if unknown.
        lots: The number of lots on offer.
        is_aside: Whether it is fetched rarely, so its cost is negligible.
    """

    rate: float | None = None
    lots: int = 0
    is_aside: bool = False


class Plan(NamedTuple):
    """How often to poll sales and lots.

    Attributes:
        points: The available points per minute.
        items: The number of items, counted per region, without those that are fetched rarely.
        sales: The requested seconds between two polls of the sales of an item; `None` for no sales.
        lots: The requested seconds between two polls of the lots of an item; `None` for no lots.
        hot: How much busy items are preferred, from 0 (not at all) to 1 (up to `HOTTEST` times).
        sales_stretch: The factor by which intervals between polls of sales are extended; 1 if the request fits.
        lots_stretch: The same factor for lots; `None` if no points are left for them.
        sales_points: Points per minute that fresh sales take.
        lots_points: Points per minute that lots take.
        mean: Sales per hour of the mean item.
        others: The requested points per minute for emissions and clans.
        others_stretch: The factor by which intervals between polls of emissions and clans are extended.
    """

    points: float
    items: int = 0
    sales: float | None = None
    lots: float | None = None
    hot: float = 0.0
    sales_stretch: float = 1.0
    lots_stretch: float | None = 1.0
    sales_points: float = 0.0
    lots_points: float = 0.0
    mean: float = 0.0
    others: float = 0.0
    others_stretch: float = 1.0

    @property
    def for_items(self) -> float:
        """Points per minute that emissions and clans leave for items."""
        return self.points - self.others / self.others_stretch

    @property
    def left(self) -> float:
        """Points per minute that are left for the past."""
        return max(0.0, self.for_items - self.sales_points - self.lots_points)

    def sales_interval(self, rate: float | None) -> float:
        """Return the seconds between two polls of the sales of an item with `rate` sales per hour."""
        asked = self.sales or 0.0
        weight = _weight(rate, self.mean)
        if self.sales_stretch > 1:
            return max(asked, asked * self.sales_stretch / weight)
        return asked / float(weight**self.hot)

    @property
    def lots_interval(self) -> float | None:
        """The seconds between two polls of the lots of an item; `None` if lots are skipped."""
        return None if self.lots is None or self.lots_stretch is None else self.lots * self.lots_stretch

    def sentences(self) -> list[str]:
        """Describe how the plan differs from the request. Return an empty list if the request fits."""
        found: list[str] = []
        if self.others_stretch > 1:
            found.append(
                f"emissions and clans would take {self.others:.0f} of {self.points:.0f} points a minute: the time "
                f"between two polls of them is {self.others_stretch:.1f} times as long"
            )
        if self.sales is not None and self.sales_stretch > 1:
            longest = self.sales_interval(0.0)
            found.append(
                f"{self.items} items every {_time(self.sales)} don't fit into {self.for_items:.0f} points a minute: "
                f"their sales are polled every {_time(longest)}, those of busy items up to every "
                f"{_time(self.sales_interval(float('inf')))}"
            )
        if self.lots is not None and self.lots_stretch is None:
            found.append("no points are left for lots: they aren't polled")
        elif self.lots is not None and self.lots_stretch and self.lots_stretch > 1:
            found.append(
                f"lots every {_time(self.lots)} don't fit into the {self.for_items - self.sales_points:.0f} points a "
                f"minute that fresh sales leave: they are polled every {_time(self.lots * self.lots_stretch)}"
            )
        if found and self.left < COST:
            found.append("no points are left for older sales")
        return found


def fitted(
    loads: Collection[Load], *, sales: float | None, lots: float | None, points: float, others: float = 0.0
) -> Plan:
    """Return a plan that fits into the points.

    Args:
        loads: The load of each item in each region.
        sales: Seconds between two polls of the sales of an item, above 0; `None` for no sales.
        lots: Seconds between two polls of the lots of an item, above 0; `None` for no lots.
        points: Points per minute, 0 or more.
        others: The points per minute that emissions and clans would take, 0 or more.
    """
    active = [load for load in loads if not load.is_aside]
    rates = [load.rate for load in active if load.rate is not None]
    mean = sum(rates) / len(rates) if rates else 0.0
    stretch = max(1.0, others / (points * MOST_OTHERS)) if points else 1.0
    plan = Plan(points, len(active), sales, lots, mean=mean, others=others, others_stretch=stretch)
    if sales is not None and active:
        plan = _with_sales(plan, active)
    if lots is None or not active:
        return plan
    whole = _with_lots(plan, active)
    if whole.lots_stretch == 1 or not plan.hot:
        return whole
    # Additional polls of busy items come after lots.
    plain = plan._replace(hot=0.0)
    return _with_lots(plain._replace(sales_points=_points(plain, active)), active)


def rate_of(times: list[datetime], now: datetime) -> float:
    """Return the sales per hour, given the times of the newest sales, newest first."""
    if not times:
        return 0.0
    return len(times) * 3600 / max(1.0, (now - times[-1]).total_seconds())


def _with_sales(plan: Plan, active: Collection[Load]) -> Plan:
    asked = _points(plan, active)
    there = plan.for_items
    if asked > there:
        stretch = _least(lambda value: _points(plan._replace(sales_stretch=value), active) <= there, 1.0, 1e5)
        plan = plan._replace(sales_stretch=stretch)
    else:
        most = asked + (there - asked) * SPARE
        plain = plan
        hot = 1 - _least(lambda value: _points(plain._replace(hot=1 - value), active) <= most, 0.0, 1.0)
        plan = plan._replace(hot=hot)
    return plan._replace(sales_points=_points(plan, active))


def _with_lots(plan: Plan, active: Collection[Load]) -> Plan:
    assert plan.lots is not None
    asked = sum(COST * max(1, ceil(load.lots / (PAGE - 1))) for load in active) * 60 / plan.lots
    there = plan.for_items - plan.sales_points
    if asked / RAREST > there / plan.lots:
        return plan._replace(lots_stretch=None)
    stretch = max(1.0, asked / there)
    return plan._replace(lots_stretch=stretch, lots_points=asked / stretch)


def _points(plan: Plan, active: Collection[Load]) -> float:
    """Return the points per minute that fresh sales take."""
    total = 0.0
    for load in active:
        interval = plan.sales_interval(load.rate)
        pages = max(1.0, (load.rate or 0.0) / 3600 * (interval + OVERLAP) / (PAGE - 2))
        total += COST * pages * 60 / interval
    return total


def _least(fits: Callable[[float], bool], low: float, high: float) -> float:
    """Return the least value between `low` and `high` that fits. All larger values must fit too."""
    if fits(low):
        return low
    for _ in range(40):
        middle = sqrt(low * high) if low > 0 else (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _weight(rate: float | None, mean: float) -> float:
    return min(HOTTEST, max(1.0, sqrt(rate / mean))) if rate is not None and mean > 0 else 1.0


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
