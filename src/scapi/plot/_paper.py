"""The parts that all charts share: checks of the data, names, axes and scales."""

# matplotlib leaves its **kwargs without types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from scapi._base.formatting import integer
from scapi._base.validation import choice
from scapi._views.charts import compact, wide
from scapi.enums import Region
from scapi.plot._letters import families, legible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from scapi.plot._theme import Theme

T = TypeVar("T")
#: The years that an axis of time can show.
YEARS = range(1900, 2201)


def checked(name: str, rows: Iterable[T], kind: type[T], *drawn: str) -> list[T]:
    """Return the rows as a list. Raise an error if there are none, or if one can't be drawn.

    Args:
        name: The name of the argument.
        rows: The rows.
        kind: The type that they must have.
        drawn: The fields that are drawn.
    """
    found = list(rows)
    if not found:
        raise ValueError(f"{name} must not be empty: there is nothing to draw")
    if strange := [row for row in found if not isinstance(row, kind)]:
        raise TypeError(f"{name} must contain only {kind.__name__}, not {type(strange[0]).__name__}")
    for row in found:
        reachable(name, row, *drawn)
    return found


def reachable(name: str, row: Any, *drawn: str) -> None:
    """Raise a `ValueError` if a row has a time or a number that is out of range for axes."""
    for field in drawn:
        value = getattr(row, field)
        if isinstance(value, datetime) and value.year not in YEARS:
            raise ValueError(f"{field} of {name} must be in the years {YEARS.start} to {YEARS[-1]}, not {value}")
        if isinstance(value, int | float) and not abs(value) < 2**63:
            shown = integer(value) if isinstance(value, int) else f"{value:g}"
            raise ValueError(f"{field} of {name} must be a number of 64 bits to be drawn, not {shown}")


def named(item: str, region: Region | str | None) -> str:
    """Return a title with an item and a region."""
    place = [] if region is None else [choice("region", region, Region).upper()]
    return " · ".join([legible(item), *place])


def text_style(color: Any) -> dict[str, Any]:
    """Return the options of a text: its colour, fonts for all scripts, and no formulas between dollar signs."""
    return {"color": color, "fontfamily": families(), "parse_math": False}


def finish(axes: Axes, theme: Theme) -> None:
    """Style the axes: no frame, no ticks, a thin grid."""
    axes.set_facecolor(theme.paper)
    axes.spines[:].set_visible(False)
    axes.tick_params(which="both", length=0, labelsize=9, pad=6, labelcolor=theme.muted, labelfontfamily=families()[0])
    axes.set_axisbelow(True)
    axes.grid(axis="y", which="major", color=theme.grid, linewidth=0.8)
    axes.grid(axis="x", visible=False)


def scaled(axes: Axes, prices: Iterable[float], *, small: bool = False) -> None:
    """Choose the vertical scale for these prices, with labels such as 12.5k; fewer labels on a small panel."""
    found = list(prices)
    low, high = min(found), max(found)
    if wide(found):
        axes.set_yscale("log")
        axes.set_ylim(low / 1.3, high * 1.3)
        # If prices span only a few powers of ten, ticks at those alone would leave the axis nearly empty.
        between = (1, 3) if small else (1, 2, 5)
        axes.yaxis.set_major_locator(LogLocator(subs=between if high / low < 3000 else (1,), numticks=20))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        # If the axis began at 0, similar prices would be a flat line above an empty chart.
        room = (high - low) * 0.08 or high * 0.08 or 1.0
        axes.set_ylim(0 if low < high / 2 else low - room, high + room)
        axes.yaxis.set_major_locator(MaxNLocator(3 if small else 6, steps=[1, 2, 2.5, 5, 10]))
    counted(axes.yaxis)


def counted(axis: Axis) -> None:
    """Label an axis with numbers such as 12.5k."""
    axis.set_major_formatter(FuncFormatter(_label))


def _label(value: float, _: int | None) -> str:
    return compact(value)
