"""How long the points of the API make somebody wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from rich.progress import Progress

from scapi import RateLimit
from scapi.cli.progress import CountColumn, seconds_for_points

NOW = datetime(2026, 8, 19, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rows", "remaining", "seconds"),
    [
        (200 * 50, 100, 0.0),  # the points are there
        (200 * 50 + 1, 100, 44.0),  # one page more than they are enough for
        (200 * 250, 100, 44.0),  # all of the next window
        (200 * 250 + 1, 100, 104.0),  # and one of the window after it
    ],
)
def test_the_windows_that_a_list_needs(rows: int, remaining: int, seconds: float) -> None:
    ratelimit = RateLimit(limit=400, remaining=remaining, reset=NOW + timedelta(seconds=44))
    assert seconds_for_points(rows, ratelimit, NOW) == seconds


@pytest.mark.parametrize(("total", "shown"), [(82319, "4\xa0200/82\xa0319"), (None, "4\xa0200/?")])
def test_rows_are_grouped_by_thousands_as_in_tables(total: int | None, shown: str) -> None:
    with Progress(disable=True) as progress:
        bar = progress.add_task("", total=total, completed=4200)
        assert CountColumn().render(progress.tasks[bar]).plain == shown


def test_nothing_is_estimated_before_the_first_answer() -> None:
    assert seconds_for_points(9999, RateLimit(), NOW) == 0.0
