"""The parts of charts over time: the bars of pieces sold, and the labels of the axis of time."""

# matplotlib leaves its **kwargs without types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import os
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from matplotlib import dates as untyped_dates
from matplotlib.ticker import MaxNLocator

from scapi._views.charts import DAY, Bucket
from scapi.plot._groups import Look
from scapi.plot._paper import counted, text_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scapi.plot._theme import Theme

#: `Any`, because half of the module has no types.
dates: Any = untyped_dates

#: A day such as "9 Nov", as in the subtitle. C has no common way to write it.
DATE = "%#d %b" if os.name == "nt" else "%-d %b"

Lines: TypeAlias = list[tuple[Look, list[Bucket]]]


def draw_volume(axes: Axes, lines: Lines, width: timedelta, parts: set[datetime], theme: Theme) -> None:
    """Draw the pieces sold in each period as stacked bars. Those of periods in `parts` are pale and dotted."""
    below: defaultdict[datetime, int] = defaultdict(int)
    for style, line in lines:
        bars = axes.bar(
            [middle(bucket.start, width) for bucket in line],
            [bucket.pieces for bucket in line],
            bottom=[below[bucket.start] for bucket in line],
            width=0.8 * (width / DAY),
            color=style.color,
            alpha=0.75,
        )
        for bucket, bar in zip(line, bars.patches, strict=True):
            below[bucket.start] += bucket.pieces
            if bucket.start in parts:
                bar.set(alpha=0.3, linestyle=":", edgecolor=style.color)
    axes.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    counted(axes.yaxis)
    axes.set_ylabel("pieces", fontsize=9, **text_style(theme.muted))


def middle(start: datetime, width: timedelta, share: float = 0.5) -> float:
    """Return the place of a moment of a period on the axis, by default of its middle."""
    return float(dates.date2num(start + width * share))


def show_dates(axes: Axes) -> None:
    """Label the axis of time."""
    locator = dates.AutoDateLocator(tz=UTC, minticks=4, maxticks=9)
    # The formatter would put the year and other parts into the corner. They are in the title.
    formatter = dates.ConciseDateFormatter(locator, tz=UTC, show_offset=False)
    formatter.formats = ["%Y", "%b", DATE, "%H:%M", "%H:%M", "%H:%M:%S"]
    formatter.zero_formats = ["", "%Y", DATE, DATE, "%H:%M", "%H:%M"]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(formatter)
