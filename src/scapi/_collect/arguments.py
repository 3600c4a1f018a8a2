"""Parse the durations and times that a collector takes. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scapi._base import validation
from scapi._store.reading import BEGINNING

if TYPE_CHECKING:
    from typing import TypeAlias

    #: Seconds, a `timedelta`, or text such as `"5m"`.
    Interval: TypeAlias = float | timedelta | str


def seconds(name: str, value: Interval) -> float:
    """Return an interval in seconds, above 0.

    Raises:
        ValueError: It isn't an interval, or not above 0.
    """
    if isinstance(value, str | timedelta):
        return validation.duration(name, value).total_seconds()
    return validation.positive(name, value)


def beginning(name: str, value: datetime | timedelta | str, now: datetime) -> datetime:
    """Return where the past begins: at a time, a duration before now, or `"all"` for the first sale.

    Raises:
        ValueError: It is none of these.
    """
    return BEGINNING if value == "all" else max(BEGINNING, validation.moment(name, value, now))
