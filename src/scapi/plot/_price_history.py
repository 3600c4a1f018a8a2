"""The chart of a price history."""

# matplotlib leaves its **kwargs without types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from scapi._views.charts import Bucket, buckets, grouped, length, partial_buckets, span, width_for
from scapi.models import AuctionPrice
from scapi.plot._chart import Chart, check_suffix, finished
from scapi.plot._groups import Look, grouping, legend, look
from scapi.plot._heading import headed
from scapi.plot._paper import checked, finish, named, scaled
from scapi.plot._theme import Theme, ThemeName, check_theme
from scapi.plot._time_axis import Lines, draw_volume, middle, show_dates

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from matplotlib.axes import Axes

    from scapi.enums import RegionLike
    from scapi.plot._chart import FilePath
    from scapi.plot._groups import Grouping

__all__ = ["price_history"]

#: The maximum number of markers on a line. A line with more points has markers only to distinguish it from others.
MARKS = 24


def price_history(
    sales: Iterable[AuctionPrice],
    *,
    item: str | None = None,
    by: Grouping = "auto",
    region: RegionLike | None = None,
    theme: ThemeName | None = None,
    path: FilePath | None = None,
) -> Chart:
    """Draw what an item sold for per piece: the median, the band of 80 % of the sales, and the pieces sold.

    Sales are grouped into periods, from a minute to a year, depending on their number and their span of time. The first
    and the last period are dotted and pale if the sales cover only a part of them. The axis of prices is logarithmic
    if prices are far apart.

    Args:
        sales: A `Listing` or any other iterable of sales, in any order.
        item: The item's name, for the title.
        by: `"quality"` or `"level"` (the upgrade level) draws a line for each, `None` one line. `"auto"` groups by
            quality if the sales have several. Sales need their `additional` for that.
        region: The region, for the title.
        theme: `"light"` or `"dark"`. By default light, and in notebooks the theme of the reader.
        path: A file to write, ending in `.png` or `.svg`.

    Returns:
        A `matplotlib.figure.Figure` that notebooks show.

    Raises:
        TypeError: `sales` contains something else.
        ValueError: There are no sales, a time or number can't be drawn, or an argument isn't allowed.
        OSError: The file can't be written.
    """
    check_theme(theme)
    check_suffix(path)
    rows = checked("sales", sales, AuctionPrice, "amount", "price", "time")
    width, shown = width_for(rows), grouping(by, rows)
    groups = {key: buckets(inside, width) for key, inside in grouped(rows, shown).items()}
    parts = partial_buckets(rows, width)
    title, subtitle = named(item or "Price history", region), _about(rows, width, parts)

    def draw(theme: Theme) -> Chart:
        lines = [(look(key, shown, theme), line) for key, line in groups.items()]
        chart = Chart(theme, 5.2)
        prices, volume = chart.subplots(2, sharex=True, height_ratios=[4, 1])
        for axes in (prices, volume):
            finish(axes, theme)
        headed(chart, prices, theme, title, subtitle)
        _draw_prices(prices, lines, width, parts)
        draw_volume(volume, lines, width, parts, theme)
        show_dates(volume)
        if shown:
            legend(prices, theme)
        return chart

    return finished(draw, theme, path)


def _about(sales: list[AuctionPrice], width: timedelta, parts: set[datetime]) -> str:
    times = [sale.time for sale in sales]
    when = span(min(times), max(times))
    note = "  ·  dotted: part of a period" if parts else ""
    return f"Price per piece, median and 10–90 % every {length(width)}  ·  {when}  ·  {len(sales):,} sales{note}"


def _draw_prices(axes: Axes, lines: Lines, width: timedelta, parts: set[datetime]) -> None:
    for style, line in lines:
        whole = [bucket for bucket in line if bucket.start not in parts]
        _draw_line(axes, whole or line, width, style)
        if whole:
            _draw_parts(axes, line, width, style, parts)
    scaled(axes, [price for _, line in lines for bucket in line for price in (bucket.low, bucket.high)])


def _draw_line(axes: Axes, line: list[Bucket], width: timedelta, style: Look) -> None:
    times = _middles(line, width)
    low, high = [bucket.low for bucket in line], [bucket.high for bucket in line]
    axes.fill_between(times, low, high, color=style.color, alpha=0.16, linewidth=0)
    axes.plot(
        times,
        [bucket.median for bucket in line],
        color=style.color,
        label=style.label,
        linewidth=1.8,
        linestyle=style.line,
        solid_joinstyle="round",
        marker=style.marker if style.label or len(line) <= MARKS else "",
        markersize=4.5,
        markevery=-(-len(line) // MARKS),
    )


def _draw_parts(axes: Axes, line: list[Bucket], width: timedelta, style: Look, parts: set[datetime]) -> None:
    """Draw the line to the first and the last period if the sales cover them only in part."""
    for pair in (line[:2], line[-2:]):
        if any(bucket.start in parts for bucket in pair):
            medians = [bucket.median for bucket in pair]
            axes.plot(_middles(pair, width), medians, color=style.color, linewidth=1.4, linestyle=":", alpha=0.8)


def _middles(line: list[Bucket], width: timedelta) -> list[float]:
    return [middle(bucket.start, width) for bucket in line]
