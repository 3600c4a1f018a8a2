"""The groups of a chart, by quality or upgrade level: their names, colours, markers and lines."""

# matplotlib leaves its **kwargs without types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from scapi._base.validation import refuse
from scapi.enums import Quality
from scapi.plot._letters import families

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

    from scapi._views.charts import By
    from scapi.models import AuctionLot, AuctionPrice
    from scapi.plot._theme import Theme

#: The `by` argument of charts: `"auto"` groups by quality if there are several qualities.
Grouping: TypeAlias = Literal["auto", "quality", "level"] | None

#: Not everybody can distinguish lines only by colour.
MARKERS = "os^DvP*"
LEVELS = {0: "+0", 1: "+1 to +4", 5: "+5 to +9", 10: "+10 to +14", 15: "+15"}


class Look(NamedTuple):
    """The label and the style of a group."""

    label: str
    color: Any
    marker: str = "o"
    line: str = "-"


def grouping(by: Grouping, rows: Iterable[AuctionLot] | Iterable[AuctionPrice]) -> By | None:
    """Decide what to group by. Prices of different qualities are far apart, so one line for all would be jagged.

    Raises:
        ValueError: `by` isn't allowed.
    """
    if by == "auto":
        return "quality" if len({row.quality for row in rows}) > 1 else None
    if by not in {None, "quality", "level"}:
        raise refuse("by", by, "'auto', 'quality', 'level' or None")
    return by


def look(key: int | None, by: By | None, theme: Theme) -> Look:
    """Return the label and the style of the group of a quality or level."""
    if by is None:
        return Look("", theme.accent)
    if key is None:
        # A dotted line means that sales cover only a part of a period.
        return Look("no quality", theme.muted, ".", "--")
    sign = MARKERS[key % len(MARKERS)]
    if by == "level":
        return Look(LEVELS[key], theme.level(key), sign)
    return Look(Quality(key).name.replace("_", " ").capitalize(), theme.quality(key), sign)


def candle_looks(groups: Sequence[tuple[int | None, int | None]], theme: Theme) -> list[Look]:
    """Return the label and the colour of each group of candles, given as its quality and its upgrade level."""
    qualities, levels = ({group[place] for group in groups} != {None} for place in (0, 1))
    looks: list[Look] = []
    for number, (quality, level) in enumerate(groups):
        name = "" if quality is None else look(quality, "quality", theme).label
        label = " ".join(filter(None, (name, "" if level is None else f"+{level}")))
        if qualities and levels:
            # Groups of one quality need different colours.
            color: Any = theme.quality(number)
        elif levels:
            color = theme.level(level or 0)
        else:
            color = theme.accent if quality is None else theme.quality(quality)
        looks.append(Look(label, color))
    return looks


def legend(axes: Axes, theme: Theme) -> None:
    """Add a legend beside the axes, highest group first."""
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1],
        labels[::-1],
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
        labelcolor=theme.muted,
        prop={"family": families(), "size": 9},
        handlelength=1.4,
    )
