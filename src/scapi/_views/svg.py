"""Small charts as SVG, for pages. They have neither text nor colours: the page adds both.

A chart fills the box that the page gives it, so its lines must keep their width when it is stretched.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, NamedTuple

from scapi._base.escaping import page as escape
from scapi._views.charts import wide

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The size of a chart before it is stretched.
WIDTH, HEIGHT = 300, 80

#: The share of its place that a bar takes up.
BAR = 0.8


class Point(NamedTuple):
    """A value in a period.

    Attributes:
        place: The number of the period, from 0.
        value: The value.
        part: Whether the period is unfinished.
    """

    place: int
    value: float
    part: bool


def lines(series: Sequence[tuple[str, Sequence[Point]]], places: int, label: str) -> str:
    """Draw lines on one axis, which is logarithmic if the values are far apart. It fits the finished periods.

    Args:
        series: The class of each line, and its points, oldest first.
        places: The number of periods.
        label: What the chart shows, for readers who don't see it.
    """
    every = [point for _, points in series for point in points]
    # A few sales of an unfinished period must not squeeze the others.
    values = [point.value for point in every if not point.part] or [point.value for point in every]
    logarithmic = wide(values)
    low, high = (_scaled(value, logarithmic=logarithmic) for value in (min(values), max(values)))
    room = (high - low) * 0.06 or 1.0

    def spot(point: Point) -> str:
        value = low - room if logarithmic and point.value <= 0 else _scaled(point.value, logarithmic=logarithmic)
        share = (value - low + room) / (high - low + 2 * room)
        return f"{_middle(point.place, places):.1f} {HEIGHT * (1 - min(max(share, 0), 1)):.1f}"

    drawn: list[str] = []
    for name, points in series:
        spots = [spot(point) for point in points]
        whole = [number for number, point in enumerate(points) if not point.part] or [0, len(points) - 1]
        drawn.append(_path(name, spots[whole[0] : whole[-1] + 1]))
        drawn += (_path(f"{name} part", part) for part in (spots[: whole[0] + 1], spots[whole[-1] :]) if len(part) > 1)
    return _chart("".join(drawn), label)


def bars(points: Iterable[Point], places: int, label: str) -> str:
    """Draw bars from 0 up.

    Args:
        points: The bars.
        places: The number of periods.
        label: What the chart shows, for readers who don't see it.
    """
    found = list(points)
    highest = max((point.value for point in found), default=0) or 1
    width = WIDTH / places * BAR
    drawn = (
        f'<rect class="{"bar part" if point.part else "bar"}" x="{_middle(point.place, places) - width / 2:.1f}"'
        f' y="{HEIGHT * (1 - point.value / highest):.1f}" width="{width:.1f}"'
        f' height="{HEIGHT * point.value / highest:.1f}"/>'
        for point in found
    )
    return _chart("".join(drawn), label)


def _scaled(value: float, *, logarithmic: bool) -> float:
    return log(value) if logarithmic else value


def _middle(place: int, places: int) -> float:
    return (place + 0.5) / places * WIDTH


def _path(name: str, spots: Iterable[str]) -> str:
    first, *others = spots
    # A line without length is a dot.
    return f'<path class="{escape(name)}" d="M{first}L{" ".join(others) or first}"/>'


def _chart(drawn: str, label: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{escape(label)}">'
        f"{drawn}</svg>"
    )
