"""What all charts have in common: paper, title, axes and the file that they end up in."""

# matplotlib leaves its **kwargs without types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from scapi._base import atomic, validation
from scapi._base.formatting import integer
from scapi._base.validation import choice, refuse
from scapi._views.charts import compact, wide
from scapi.enums import Region
from scapi.plot._letters import families, legible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from scapi.plot._theme import Theme

__all__ = [
    "FilePath",
    "checked",
    "counted",
    "figure",
    "finish",
    "headed",
    "named",
    "reachable",
    "saved",
    "scaled",
    "suffix",
    "text_style",
]

T = TypeVar("T")
FilePath: TypeAlias = "str | PathLike[str]"

WIDTH, DPI = 9.0, 144
SUFFIXES = (".png", ".svg")

#: What axes of time are made for.
YEARS = range(1900, 2201)


def checked(name: str, rows: Iterable[T], kind: type[T], *drawn: str) -> list[T]:
    """The rows; an error where there are none, or others than these, or some that no axis reaches.

    Args:
        name: What the argument is called.
        rows: The rows.
        kind: What they must be.
        drawn: Their fields that are drawn.
    """
    found = list(rows)
    if not found:
        raise ValueError(f"{name} must not be empty: there is nothing to draw")
    if strange := [row for row in found if not isinstance(row, kind)]:
        raise TypeError(f"{name} must hold nothing but {kind.__name__}, not {type(strange[0]).__name__}")
    for row in found:
        reachable(name, row, *drawn)
    return found


def reachable(name: str, row: Any, *drawn: str) -> None:
    """Raise a `ValueError` if a row has a time or a number that no axis reaches."""
    for field in drawn:
        value = getattr(row, field)
        if isinstance(value, datetime) and value.year not in YEARS:
            raise ValueError(f"{field} of {name} must be of the years {YEARS.start} to {YEARS[-1]}, not {value}")
        if isinstance(value, int | float) and not abs(value) < 2**63:
            told = integer(value) if isinstance(value, int) else f"{value:g}"
            raise ValueError(f"{field} of {name} must be a number of 64 bits to be drawn, not {told}")


def suffix(path: FilePath | None) -> str | None:
    """The kind of file that a path asks for."""
    if path is None:
        return None
    found = validation.path("path", path).suffix.lower()
    if found not in SUFFIXES:
        raise refuse("path", str(path), f"a file name that ends in {' or '.join(SUFFIXES)}")
    return found


def named(item: str, region: Region | str | None) -> str:
    """A title: of what, and where."""
    place = [] if region is None else [choice("region", region, Region).upper()]
    return " · ".join([legible(item), *place])


def figure(theme: Theme, height: float) -> Figure:
    """An empty sheet.

    Args:
        theme: Its colours.
        height: In inches.
    """
    layout = ConstrainedLayoutEngine(w_pad=0.16, h_pad=0.14, hspace=0.04, wspace=0.04)
    return Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=theme.paper, layout=layout)


def headed(axes: Axes, theme: Theme, title: str, subtitle: str) -> None:
    """Put a title and what it is about above the axes."""
    axes.set_title(title, loc="left", pad=27, fontsize=14, fontweight="bold", **text_style(theme.ink))
    axes.annotate(
        subtitle,
        (0, 1),
        xytext=(0, 11),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=9.5,
        **text_style(theme.muted),
    )


def text_style(color: Any) -> dict[str, Any]:
    """How text is set: in fonts that have its letters, and a dollar sign as a dollar sign."""
    return {"color": color, "fontfamily": families(), "parse_math": False}


def finish(axes: Axes, theme: Theme) -> None:
    """Paint the axes: no frame, no ticks, a thin grid."""
    axes.set_facecolor(theme.paper)
    axes.spines[:].set_visible(False)
    axes.tick_params(which="both", length=0, labelsize=9, pad=6, labelcolor=theme.muted, labelfontfamily=families()[0])
    axes.set_axisbelow(True)
    axes.grid(axis="y", which="major", color=theme.grid, linewidth=0.8)
    axes.grid(axis="x", visible=False)


def scaled(axes: Axes, prices: Iterable[float]) -> None:
    """Give the vertical axis the scale that these prices want, and labels such as 12.5k."""
    found = list(prices)
    low, high = min(found), max(found)
    if wide(found):
        axes.set_yscale("log")
        axes.set_ylim(low / 1.3, high * 1.3)
        # Within a few powers of ten, those alone would leave the axis nearly bare.
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 3000 else (1,), numticks=20))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        # Prices that hardly differ would be a flat line above an empty chart, if it began at 0.
        room = (high - low) * 0.08 or high * 0.08 or 1.0
        axes.set_ylim(0 if low < high / 2 else low - room, high + room)
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    counted(axes.yaxis)


def counted(axis: Axis) -> None:
    """Labels such as 12.5k."""
    axis.set_major_formatter(FuncFormatter(_label))


def _label(value: float, _: int | None) -> str:
    return compact(value)


def saved(sheet: Figure, path: FilePath | None) -> Figure:
    """The figure, and a file of it where one is asked for."""
    kind = suffix(path)
    if path is not None and kind is not None:
        drawn = BytesIO()
        # Without a date, the same figure is the same file.
        sheet.savefig(drawn, format=kind[1:], dpi=DPI, metadata={"Date": None} if kind == ".svg" else None)
        atomic.write(atomic.place(validation.path("path", path)), drawn.getvalue())
    return sheet
