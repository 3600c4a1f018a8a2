"""Lines and areas for qualities and upgrade levels: what each is called and looks like."""

# matplotlib leaves its **kwargs without types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from scapi._base.validation import refuse
from scapi.enums import Quality
from scapi.plot._letters import families

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scapi._views.charts import By
    from scapi.plot._theme import Theme

__all__ = ["Look", "checked_by", "legend", "look"]

#: Colours alone don't tell everybody which line is which.
MARKERS = "os^DvP*"
LEVELS = {0: "+0", 1: "+1 to +4", 5: "+5 to +9", 10: "+10 to +14", 15: "+15"}


class Look(NamedTuple):
    """How a group is drawn."""

    label: str
    color: Any
    marker: str = "o"
    line: str = "-"


def checked_by(by: By | None) -> By | None:
    """What to group by, or a `ValueError` that says what is possible."""
    if by not in {None, "quality", "level"}:
        raise refuse("by", by, "'quality', 'level' or None")
    return by


def look(key: int | None, by: By | None, theme: Theme) -> Look:
    """How the group of this quality or level is drawn."""
    if by is None:
        return Look("", theme.accent)
    if key is None:
        return Look("no quality", theme.muted, ".", ":")
    sign = MARKERS[key % len(MARKERS)]
    if by == "level":
        return Look(LEVELS[key], theme.level(key), sign)
    return Look(Quality(key).name.replace("_", " ").capitalize(), theme.quality(key), sign)


def legend(axes: Axes, theme: Theme) -> None:
    """Name the groups beside the axes, the highest first."""
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
