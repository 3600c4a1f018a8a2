from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scapi.cli.formatting import BARS, ago, number, span, sparkline

NOON = datetime(2026, 8, 19, 12, tzinfo=UTC)


@pytest.mark.parametrize(("value", "shown"), [(None, "–"), (0, "0"), (1234567, "1\xa0234\xa0567"), (-0.4, "-0")])
def test_figures_are_grouped(value: float | None, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (3600, "1 h"),
        (3660, "1 h 1 min"),
        (86_400 + 59, "1 d"),
        (90_061, "1 d 1 h"),
        (-5, "5 s"),
    ],
)
def test_a_span_has_its_two_largest_units(seconds: int, shown: str) -> None:
    assert span(timedelta(seconds=seconds)) == shown


def test_a_time_is_told_from_now() -> None:
    assert ago(NOON, NOON + timedelta(minutes=5)) == "5 min ago"
    assert ago(NOON, NOON - timedelta(minutes=5)) == "in 5 min"
    assert ago(None, NOON) == "–"


@given(st.lists(st.floats(0, 1e12)), st.integers(1, 40))
def test_a_sparkline_goes_from_the_lowest_bar_to_the_highest(values: list[float], width: int) -> None:
    line = sparkline(values, width)
    assert len(line) == min(width, len(values))
    assert set(line) <= set(BARS)
    assert not line or min(line) == BARS[0]


def test_a_sparkline_follows_its_values() -> None:
    assert sparkline([1, 1, 2, 2, 3, 3], 3) == "▁▅█"
    assert sparkline([7, 7, 7]) == "▁▁▁"
