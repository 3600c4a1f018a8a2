"""Parse durations and times from callers of a collector. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scapi._base import validation
from scapi._store import times
from scapi._store.reading import BEGINNING

if TYPE_CHECKING:
    from typing import TypeAlias

    #: Seconds, a `timedelta`, or text such as `"5m"`.
    Length: TypeAlias = float | timedelta | str


def length(name: str, value: Length) -> float:
    """Return a duration in seconds, above 0.

    Raises:
        ValueError: It isn't a duration, or not above 0.
    """
    if isinstance(value, str | timedelta):
        return times.length(name, value).total_seconds()
    return validation.positive(name, value)


def moment(name: str, value: datetime | timedelta | str, now: datetime) -> datetime:
    """Return a time, from a time, a duration before now, or `"all"` for the beginning.

    Raises:
        ValueError: It is none of these.
    """
    return BEGINNING if value == "all" else max(BEGINNING, times.when(name, value, now))
