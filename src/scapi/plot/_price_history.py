"""What sold for how much, over time."""

# matplotlib leaves its **kwargs without types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from matplotlib import dates as untyped_dates
from matplotlib.ticker import MaxNLocator

from scapi._views.charts import DAY, Bucket, By, buckets, grouped, length, span, width_for
from scapi.models import AuctionPrice
from scapi.plot._groups import Look, checked_by, legend, look
from scapi.plot._paper import checked, counted, figure, finish, headed, named, saved, scaled, suffix, text_style
from scapi.plot._theme import ThemeName, theme_named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from scapi.enums import Region
    from scapi.plot._paper import FilePath

__all__ = ["price_history"]

#: Half of it has no types at all.
dates: Any = untyped_dates

Lines: TypeAlias = list[tuple[Look, list[Bucket]]]

#: How many points of a line are marked at the most; a longer one is only marked to tell it from others.
MARKS = 24


def price_history(
    sales: Iterable[AuctionPrice],
    *,
    item: str | None = None,
    region: Region | str | None = None,
    by: By | None = None,
    theme: ThemeName = "light",
    path: FilePath | None = None,
) -> Figure:
    """What an item sold for per piece: the median, the band that 80 % of the sales lie in, and how much was sold.

    Sales are put together in stretches of time, from a minute to a year, chosen from their number and their span. The
    axis of prices is logarithmic where they lie far apart.

    Args:
        sales: A `Listing` or any other iterable of sales, in any order.
        item: The item's name, for the title.
        region: The region, for the title.
        by: `"quality"` or `"level"` (the upgrade level) for a line each; sales need their `additional` for that.
        theme: `"light"` or `"dark"`.
        path: A file to write, ending in `.png` or `.svg`.

    Raises:
        TypeError: There is something else among the sales.
        ValueError: There are no sales, one has a time or a number that no axis reaches, or an argument is none of those
            allowed.
        OSError: The file can't be written.
    """
    colours, by = theme_named(theme), checked_by(by)
    suffix(path)
    rows = checked("sales", sales, AuctionPrice, "amount", "price", "time")
    width = width_for(rows)
    lines = [(look(key, by, colours), buckets(inside, width)) for key, inside in grouped(rows, by).items()]
    sheet = figure(colours, 5.2)
    prices, volume = sheet.subplots(2, sharex=True, height_ratios=[4, 1])
    for axes in (prices, volume):
        finish(axes, colours)
    headed(prices, colours, named(item or "Price history", region), _about(rows, width))
    _draw_prices(prices, lines, width)
    _draw_volume(volume, lines, width)
    volume.set_ylabel("pieces", fontsize=9, **text_style(colours.muted))
    _dated(volume)
    if by:
        legend(prices, colours)
    return saved(sheet, path)


def _about(sales: list[AuctionPrice], width: timedelta) -> str:
    times = [sale.time for sale in sales]
    when = span(min(times), max(times))
    return f"Price per piece, median and 10–90 % every {length(width)}  ·  {when}  ·  {len(sales):,} sales"


def _draw_prices(axes: Axes, lines: Lines, width: timedelta) -> None:
    for style, line in lines:
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
    scaled(axes, [price for _, line in lines for bucket in line for price in (bucket.low, bucket.high)])


def _draw_volume(axes: Axes, lines: Lines, width: timedelta) -> None:
    below: defaultdict[datetime, int] = defaultdict(int)
    for style, line in lines:
        axes.bar(
            _middles(line, width),
            [bucket.pieces for bucket in line],
            bottom=[below[bucket.start] for bucket in line],
            width=0.8 * (width / DAY),
            color=style.color,
            alpha=0.75,
        )
        for bucket in line:
            below[bucket.start] += bucket.pieces
    axes.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    counted(axes.yaxis)


def _middles(line: list[Bucket], width: timedelta) -> list[float]:
    return [float(dates.date2num(bucket.start + width / 2)) for bucket in line]


def _dated(axes: Axes) -> None:
    locator = dates.AutoDateLocator(tz=UTC, minticks=4, maxticks=9)
    # The years, and whatever else the formatter would put into the corner, are in the title.
    formatter = dates.ConciseDateFormatter(locator, tz=UTC, show_offset=False)
    formatter.formats = ["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%H:%M:%S"]
    formatter.zero_formats = ["", "%Y", "%d %b", "%d %b", "%H:%M", "%H:%M"]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(formatter)
