"""Lengths of time and moments, as callers of a collector give them. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scapi._base import validation
from scapi._collect.spans import BEGINNING
from scapi._store import times

if TYPE_CHECKING:
    from typing import TypeAlias

    #: Seconds, a `timedelta`, or text such as `"5m"`.
    Length: TypeAlias = float | timedelta | str

__all__ = ["length", "moment"]


def length(name: str, value: Length) -> float:
    """Return a length of time in seconds, above 0.

    Raises:
        ValueError: It is no length of time, or not above 0.
    """
    if isinstance(value, str | timedelta):
        return times.length(name, value).total_seconds()
    return validation.positive(name, value)


def moment(name: str, value: datetime | timedelta | str, now: datetime) -> datetime:
    """Return a moment: a time, or a length of time before now, or `"all"` for the beginning.

    Raises:
        ValueError: It is neither.
    """
    return BEGINNING if value == "all" else max(BEGINNING, times.when(name, value, now))
