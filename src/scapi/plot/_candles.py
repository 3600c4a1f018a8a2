"""The chart of candles."""

# matplotlib leaves its **kwargs without types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from scapi._base import validation
from scapi._store.rows import Candle, Place
from scapi._views.charts import DAY, Bucket, length, shortest_step, span, unfinished
from scapi.plot._chart import Chart, check_suffix, finished
from scapi.plot._groups import Look, candle_looks
from scapi.plot._heading import headed
from scapi.plot._paper import checked, finish, named, scaled, text_style
from scapi.plot._theme import Theme, ThemeName, check_theme
from scapi.plot._time_axis import draw_volume, middle, show_dates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes

    from scapi.enums import RegionLike
    from scapi.plot._chart import FilePath

__all__ = ["candles"]

#: The most groups in a chart: as many as there are qualities.
MOST = 7

#: The height of the titles, the volume and the dates in inches, that of a panel of candles, and that of the volume.
HEAD, PANEL, VOLUME = 1.9, 1.0, 0.8

#: The share of its interval that the body of a candle takes up.
BODY = 0.7


class _Plan(NamedTuple):
    """What is drawn: groups of candles by quality and level, the length of an interval, and unfinished intervals."""

    groups: dict[tuple[int | None, int | None], list[Candle]]
    width: timedelta
    parts: set[datetime]


def candles(
    candles: Iterable[Candle],
    width: timedelta | str | None = None,
    since: datetime | timedelta | str | None = None,
    until: datetime | timedelta | str | None = None,
    *,
    item: str | None = None,
    region: RegionLike | None = None,
    theme: ThemeName | None = None,
    path: FilePath | None = None,
) -> Chart:
    """Draw candles of an item from `Store.candles`, and the pieces sold below.

    A body lies between the first and the last price of its interval. It is hollow if the price rose and filled if it
    fell. The line reaches from the lowest to the highest price. Each quality and level has a panel. If there are more
    than seven, only the seven with the most sales are drawn, and the subtitle says so. The axis of a panel is
    logarithmic if its prices are far apart.

    Args:
        candles: A `Listing` or any other iterable of candles of one item in one region, in any order.
        width: The length of an interval, as for `Store.candles`. By default the shortest distance of two candles.
        since: When the sales begin: a `datetime` (naive means UTC), ISO 8601 text, a `timedelta`, or `"7d"`. A candle
            that begins before is unfinished: pale and dotted.
        until: When the sales end, now by default. A candle that ends after is unfinished, too.
        item: The item's name, for the title; by default its id.
        region: The region, for the title; by default that of the candles.
        theme: `"light"` or `"dark"`. By default light, and in notebooks the theme of the reader.
        path: A file to write, ending in `.png` or `.svg`.

    Returns:
        A `matplotlib.figure.Figure` that notebooks show.

    Raises:
        TypeError: `candles` contains something else.
        ValueError: There are no candles, they are of several items or regions, a time or number can't be drawn, or an
            argument isn't allowed.
        OSError: The file can't be written.
    """
    check_theme(theme)
    check_suffix(path)
    rows = checked("candles", candles, Candle, "time", "open", "high", "low", "close", "pieces")
    place = _place(rows)
    interval = shortest_step(row.time for row in rows) if width is None else validation.duration("width", width)
    now = datetime.now(UTC)
    begin = None if since is None else validation.moment("since", since, now)
    end = now if until is None else validation.moment("until", until, now)
    groups = _grouped(rows)
    shown = {key: groups[key] for key in sorted(_busiest(groups), key=_order)}
    plan = _Plan(shown, interval, unfinished((row.time for row in rows), interval, begin, end))
    title, subtitle = named(item or place.item, region or place.region), _about(plan, len(groups))

    def draw(theme: Theme) -> Chart:
        looks = candle_looks(list(shown), theme)
        chart = Chart(theme, HEAD + PANEL * max(len(shown), 3))
        *panels, volume = chart.subplots(
            len(shown) + 1, sharex=True, height_ratios=[*[max(1.0, 3 / len(shown))] * len(shown), VOLUME]
        )
        for axes in (*panels, volume):
            finish(axes, theme)
        headed(chart, panels[0], theme, title, subtitle)
        # The highest group is on top.
        for axes, style, line in zip(reversed(panels), looks, shown.values(), strict=True):
            _draw_candles(axes, line, style, plan, theme)
        bars = [[Bucket(row.time, row.low, row.vwap, row.high, row.pieces) for row in line] for line in shown.values()]
        draw_volume(volume, list(zip(looks, bars, strict=True)), interval, plan.parts, theme)
        show_dates(volume)
        return chart

    return finished(draw, theme, path)


def _place(rows: list[Candle]) -> Place:
    """Return the item and the region of all rows. Prices of several don't belong on one axis."""
    places = sorted({Place(row.region, row.item) for row in rows})
    if len(places) > 1:
        found = ", ".join(f"{place.item} in {place.region}" for place in places[:3])
        raise ValueError(f"candles must be of one item in one region, not of {found}{', …' if len(places) > 3 else ''}")
    return places[0]


def _grouped(rows: list[Candle]) -> dict[tuple[int | None, int | None], list[Candle]]:
    groups: defaultdict[tuple[int | None, int | None], list[Candle]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.time):
        groups[row.quality, row.level].append(row)
    return groups


def _busiest(groups: dict[tuple[int | None, int | None], list[Candle]]) -> list[tuple[int | None, int | None]]:
    return sorted(groups, key=lambda key: (-sum(row.count for row in groups[key]), _order(key)))[:MOST]


def _order(group: tuple[int | None, int | None]) -> tuple[int, int]:
    quality, level = group
    return -1 if quality is None else quality, -1 if level is None else level


def _about(plan: _Plan, found: int) -> str:
    rows = [row for line in plan.groups.values() for row in line]
    first, last = min(row.time for row in rows), max(row.time for row in rows)
    facts = [
        f"Price per piece, a candle every {length(plan.width)}",
        span(first, last),
        f"{sum(row.count for row in rows):,} sales" + (f", busiest {MOST} of {found} groups" if found > MOST else ""),
    ]
    if any(row.time in plan.parts for row in rows):
        facts.append("dotted: unfinished")
    return "  ·  ".join(facts)


def _draw_candles(axes: Axes, rows: list[Candle], style: Look, plan: _Plan, theme: Theme) -> None:
    for row in rows:
        place, part = middle(row.time, plan.width), row.time in plan.parts
        look: dict[str, Any] = {"linestyle": ":" if part else "-", "alpha": 0.55 if part else 1.0}
        axes.vlines(place, row.low, row.high, color=style.color, linewidth=1.2, **look)
        axes.bar(
            place,
            abs(row.close - row.open),
            bottom=min(row.open, row.close),
            width=BODY * (plan.width / DAY),
            facecolor=theme.paper if row.close > row.open else style.color,
            edgecolor=style.color,
            linewidth=1.2,
            zorder=2.5,
            **look,
        )
    scaled(axes, [price for row in rows for price in (row.low, row.high)], small=len(plan.groups) > 2)
    if style.label:
        axes.annotate(
            style.label, (1.01, 0.5), xycoords="axes fraction", va="center", fontsize=9, **text_style(style.color)
        )
