"""The chart of an order book."""

# matplotlib leaves its **kwargs without types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from scapi._views.charts import By, book, ceiling, compact, grouped, span
from scapi.models import AuctionLot
from scapi.plot._chart import Chart, check_suffix, finished
from scapi.plot._groups import grouping, legend, look
from scapi.plot._heading import headed
from scapi.plot._paper import checked, counted, finish, named, scaled, text_style
from scapi.plot._theme import Theme, ThemeName, check_theme

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes

    from scapi.enums import RegionLike
    from scapi.plot._chart import FilePath
    from scapi.plot._groups import Grouping

__all__ = ["order_book"]


def order_book(
    lots: Iterable[AuctionLot],
    *,
    item: str | None = None,
    by: Grouping = "auto",
    region: RegionLike | None = None,
    theme: ThemeName | None = None,
    path: FilePath | None = None,
) -> Chart:
    """Draw the buyout price of each piece on offer, the cheapest first.

    Lots without a buyout are left out. Lots at ten times the usual price or more are above the chart. The subtitle
    counts both. The axis of prices is logarithmic if prices are far apart.

    Args:
        lots: A `Listing` or any other iterable of lots, in any order.
        item: The item's name, for the title; by default its id.
        by: `"quality"` or `"level"` (the upgrade level) draws a line for each, `None` one line. `"auto"` groups by
            quality if the lots have several. Lots need their `additional` for that.
        region: The region, for the title.
        theme: `"light"` or `"dark"`. By default light, and in notebooks the theme of the reader.
        path: A file to write, ending in `.png` or `.svg`.

    Returns:
        A `matplotlib.figure.Figure` that notebooks show.

    Raises:
        TypeError: `lots` contains something else.
        ValueError: No lot has a buyout, a time or number can't be drawn, or an argument isn't allowed.
        OSError: The file can't be written.
    """
    check_theme(theme)
    check_suffix(path)
    rows = checked("lots", lots, AuctionLot, "amount", "buyout_price", "start_time")
    prices = [lot.unit_price for lot in rows if lot.unit_price is not None]
    if not prices:
        raise ValueError("lots must contain at least one with a buyout: there is nothing to draw")
    highest = ceiling(prices)
    shown = grouping(by, offers := [lot for lot in rows if lot.unit_price is not None])
    title, subtitle = named(item or _items(rows), region), _about(rows, prices, highest)

    def draw(theme: Theme) -> Chart:
        chart = Chart(theme, 4.6)
        axes = chart.subplots()
        finish(axes, theme)
        headed(chart, axes, theme, title, subtitle)
        scaled(axes, [price for price in prices if price <= highest])
        _draw_books(axes, offers, shown, theme)
        axes.set_xlim(left=0)
        counted(axes.xaxis)
        axes.set_xlabel("pieces, the cheapest first", fontsize=9, **text_style(theme.muted))
        if shown:
            legend(axes, theme)
        return chart

    return finished(draw, theme, path)


def _draw_books(axes: Axes, offers: list[AuctionLot], by: By | None, theme: Theme) -> None:
    for key, inside in grouped(offers, by).items():
        style, (prices, edges) = look(key, by, theme), book(inside)
        if not by:
            axes.stairs(prices, edges, baseline=axes.get_ylim()[0], fill=True, color=style.color, alpha=0.12)
        axes.stairs(
            prices, edges, baseline=None, color=style.color, linewidth=1.8, linestyle=style.line, label=style.label
        )


def _items(lots: list[AuctionLot]) -> str:
    return ", ".join(dict.fromkeys(lot.item_id for lot in lots))


def _about(lots: list[AuctionLot], prices: list[float], highest: float) -> str:
    starts = [lot.start_time for lot in lots if lot.start_time is not None]
    above, without = sum(price > highest for price in prices), len(lots) - len(prices)
    left_out = (f", {above:,} above" if above else "") + (f", {without:,} without buyout" if without else "")
    when = f"put up {span(min(starts), max(starts))}  ·  " if starts else ""
    return f"Buyout per piece, from {compact(min(prices))}  ·  {when}{len(lots):,} lots{left_out}"
