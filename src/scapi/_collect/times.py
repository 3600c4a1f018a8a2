"""Lengths of time and moments as people write them. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scapi._base import validation
from scapi._base.formatting import shifted
from scapi._collect.spans import BEGINNING

if TYPE_CHECKING:
    from typing import TypeAlias

    #: Seconds, a `timedelta`, or text such as `"5m"`.
    Length: TypeAlias = float | timedelta | str

__all__ = ["length", "moment"]

LENGTH = re.compile(r"(\d{1,9}(?:\.\d{1,3})?) ?(s|min|m|h|d)")
UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


def length(name: str, value: Length) -> float:
    """Return a length of time in seconds, above 0.

    Raises:
        ValueError: It is no length of time, or not above 0.
    """
    allowed = "a length of time above 0, in seconds or such as '30s', '5m', '1h' or '1d'"
    if isinstance(value, timedelta):
        seconds: float | None = value.total_seconds()
    elif isinstance(value, str):
        seconds = _seconds(value)
    else:
        seconds = validation.real(value)
    if seconds is None or not 0 < seconds < float("inf"):
        raise validation.refuse(name, value, allowed)
    return seconds


def moment(name: str, value: datetime | Length, now: datetime) -> datetime:
    """Return a moment: a time, or a length of time before now, or `"all"` for the beginning.

    Raises:
        ValueError: It is neither.
    """
    if value == "all":
        return BEGINNING
    if isinstance(value, str) and (seconds := _seconds(value)) is not None:
        value = timedelta(seconds=seconds)
    if isinstance(value, timedelta):
        return max(BEGINNING, shifted(now, -value))
    try:
        return max(BEGINNING, validation.moment(name, value))
    except ValueError:
        allowed = "a datetime, an ISO 8601 string, a length of time such as '30d', or 'all'"
        raise validation.refuse(name, value, allowed) from None


def _seconds(text: str) -> float | None:
    found = LENGTH.fullmatch(text.strip())
    return None if found is None else float(found[1]) * UNITS[found[2]]
