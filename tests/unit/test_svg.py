"""Small charts for pages: every point within its box, and unfinished periods apart from finished ones."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from scapi._views import svg
from scapi._views.svg import HEIGHT, WIDTH, Point


def paths(drawn: str) -> dict[str, list[list[tuple[float, float]]]]:
    """The points of each path, by its class."""
    found: dict[str, list[list[tuple[float, float]]]] = {}
    for path in ET.fromstring(drawn).iter("path"):  # noqa: S314  # our own chart
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.attrib["d"])]
        found.setdefault(path.attrib["class"], []).append(list(zip(numbers[::2], numbers[1::2], strict=True)))
    return found


def test_a_line_goes_through_its_points_and_unfinished_ends_are_apart() -> None:
    points = [Point(place, 10 * place, part=place in {0, 3, 4}) for place in range(5)]
    found = paths(svg.lines([("q1", points)], 5, "prices"))
    assert [len(line) for line in found["q1"]] == [2]
    assert [len(line) for line in found["q1 part"]] == [2, 3]
    [[first, last]] = found["q1"]
    assert first[0] < last[0]
    assert first[1] > last[1]
    # The axis fits the finished periods; the others end at its edge.
    assert {min(y for _, y in line) for line in found["q1 part"]} == {0.0, first[1]}
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for lines in found.values() for line in lines for x, y in line)


@pytest.mark.parametrize("part", [True, False])
def test_a_lone_point_is_a_dot(part: bool) -> None:
    [[one, other]] = paths(svg.lines([("q1", [Point(0, 7, part)])], 1, "prices"))["q1"]
    assert one == other == (WIDTH / 2, HEIGHT / 2)


def test_prices_that_are_far_apart_are_evenly_spread() -> None:
    found = paths(svg.lines([("q1", [Point(n, 10.0**n, part=False) for n in range(4)])], 4, "prices"))
    [[a, b, c, d]] = found["q1"]
    assert a[1] - b[1] == pytest.approx(b[1] - c[1], abs=0.2) == pytest.approx(c[1] - d[1], abs=0.2)
    free = [Point(0, 1, part=False), Point(1, 1000, part=False), Point(2, 0, part=True)]
    assert paths(svg.lines([("q1", free)], 3, "prices"))["q1 part"][0][-1][1] == HEIGHT


def test_bars_begin_at_the_bottom_and_the_highest_fills_the_box() -> None:
    points = [Point(0, 5, part=True), Point(2, 20, part=False)]
    drawn = ET.fromstring(svg.bars(points, 3, "a <b> & c"))  # noqa: S314  # our own chart
    half, whole = ({**bar.attrib, "y": float(bar.attrib["y"])} for bar in drawn)
    assert drawn.attrib["aria-label"] == "a <b> & c"
    assert (half["class"], half["y"], half["height"]) == ("bar part", HEIGHT * 0.75, "20.0")
    assert (whole["class"], whole["y"], whole["height"]) == ("bar", 0, "80.0")
    assert svg.bars([Point(0, 0, part=False)], 1, "nothing sold").count("<rect") == 1
