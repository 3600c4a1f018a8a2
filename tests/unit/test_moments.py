"""Times and lengths of time, as callers spell them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pandas as pd
import pytest

from scapi._base import validation

NOON = datetime(2026, 8, 19, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("spelling", "hours"),
    [
        ("7d", 168),
        ("36h", 36),
        ("30 min", 0.5),
        ("36s", 0.01),
        (" 2w ", 336),
        ("0h", 0),
        ("90m", 1.5),
        (timedelta(hours=36), 36),
        (pd.Timedelta(hours=2), 2),
    ],
    ids=str,
)
def test_a_length_counts_back_from_now(spelling: Any, hours: float) -> None:
    assert validation.moment("since", spelling, NOON) == NOON - timedelta(hours=hours)


@pytest.mark.parametrize(
    "spelling",
    [
        "2026-08-19",
        "2026-08-19T00:00:00Z",
        datetime(2026, 8, 19),  # noqa: DTZ001  # a naive time means UTC
        datetime(2026, 8, 19, 3, tzinfo=timezone(timedelta(hours=3))),
    ],
    ids=["day", "text", "naive", "zone"],
)
def test_a_time_is_that_time_whatever_now_is(spelling: Any) -> None:
    assert validation.moment("since", spelling, NOON) == validation.moment("since", spelling)
    assert validation.moment("since", spelling) == datetime(2026, 8, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    "spelling",
    ["", "soon", "7", "d", "-7d", "7mo", "1.5h", "٧d", 7, None, timedelta(-1), pd.NaT, True, "9999999999d"],
    ids=range(14),
)
def test_what_is_neither_is_refused_with_what_is_allowed(spelling: Any) -> None:
    with pytest.raises(ValueError, match=r"^since must be a datetime or an ISO 8601 string.*'36h'.*, not "):
        validation.moment("since", spelling, NOON)


@pytest.mark.parametrize("spelling", ["7d", timedelta(days=7)], ids=["text", "timedelta"])
def test_a_length_needs_a_now(spelling: Any) -> None:
    with pytest.raises(ValueError, match="before must be a datetime or an ISO 8601 string"):
        validation.moment("before", spelling)
