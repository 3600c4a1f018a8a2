"""What is on offer, from the cheapest piece up."""

# matplotlib leaves its **kwargs without types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from scapi._views.charts import By, book, ceiling, compact, grouped, span
from scapi.models import AuctionLot
from scapi.plot._groups import checked_by, legend, look
from scapi.plot._paper import checked, counted, figure, finish, headed, named, saved, scaled, suffix, text_style
from scapi.plot._theme import ThemeName, theme_named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.figure import Figure

    from scapi.enums import Region
    from scapi.plot._paper import FilePath

__all__ = ["order_book"]


def order_book(
    lots: Iterable[AuctionLot],
    *,
    item: str | None = None,
    region: Region | str | None = None,
    by: By | None = None,
    theme: ThemeName = "light",
    path: FilePath | None = None,
) -> Figure:
    """What the next piece costs, and the one after it: the buyout per piece against the pieces, the cheapest first.

    Lots that can't be bought at once aren't in it, and those at ten times the usual price and more are above it; the
    subtitle says how many. The axis of prices is logarithmic where they lie far apart.

    Args:
        lots: A `Listing` or any other iterable of lots, in any order.
        item: The item's name, for the title; its id otherwise.
        region: The region, for the title.
        by: `"quality"` or `"level"` (the upgrade level) for a line each; lots need their `additional` for that.
        theme: `"light"` or `"dark"`.
        path: A file to write, ending in `.png` or `.svg`.

    Raises:
        TypeError: There is something else among the lots.
        ValueError: There are no lots with a buyout, one has a time or a number that no axis reaches, or an argument is
            none of those allowed.
        OSError: The file can't be written.
    """
    colours, by = theme_named(theme), checked_by(by)
    suffix(path)
    rows = checked("lots", lots, AuctionLot, "amount", "buyout_price", "start_time")
    asked = [lot.unit_price for lot in rows if lot.unit_price is not None]
    if not asked:
        raise ValueError("lots must hold at least one with a buyout: there is nothing to draw")
    highest = ceiling(asked)
    sheet = figure(colours, 4.6)
    axes = sheet.subplots()
    finish(axes, colours)
    headed(axes, colours, named(item or _items(rows), region), _about(rows, asked, highest))
    scaled(axes, [price for price in asked if price <= highest])
    for key, inside in grouped((lot for lot in rows if lot.unit_price is not None), by).items():
        style, (prices, edges) = look(key, by, colours), book(inside)
        if not by:
            axes.stairs(prices, edges, baseline=axes.get_ylim()[0], fill=True, color=style.color, alpha=0.12)
        axes.stairs(
            prices, edges, baseline=None, color=style.color, linewidth=1.8, linestyle=style.line, label=style.label
        )
    axes.set_xlim(left=0)
    counted(axes.xaxis)
    axes.set_xlabel("pieces, the cheapest first", fontsize=9, **text_style(colours.muted))
    if by:
        legend(axes, colours)
    return saved(sheet, path)


def _items(lots: list[AuctionLot]) -> str:
    return ", ".join(dict.fromkeys(lot.item_id for lot in lots))


def _about(lots: list[AuctionLot], asked: list[float], highest: float) -> str:
    starts = [lot.start_time for lot in lots if lot.start_time is not None]
    above, without = sum(price > highest for price in asked), len(lots) - len(asked)
    left_out = (f", {above:,} above" if above else "") + (f", {without:,} without buyout" if without else "")
    when = f"put up {span(min(starts), max(starts))}  ·  " if starts else ""
    return f"Buyout per piece, from {compact(min(asked))}  ·  {when}{len(lots):,} lots{left_out}"
