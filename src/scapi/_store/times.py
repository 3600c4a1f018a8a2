"""Parse times and durations from callers. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scapi._base import validation
from scapi._base.formatting import EPOCH, shifted

if TYPE_CHECKING:
    from typing import TypeAlias

    When: TypeAlias = datetime | timedelta | str

MICROSECOND = timedelta(microseconds=1)

LENGTH = re.compile(r"(\d{1,6}) ?(w|d|h|min|m|s)")
UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "min": 60, "m": 60, "s": 1}


def micros(time: datetime) -> int:
    """Convert an aware time to microseconds since 1970."""
    return (time - EPOCH) // MICROSECOND


def moment(value: int) -> datetime:
    """Convert microseconds since 1970 to a time."""
    return EPOCH + timedelta(microseconds=value)


def length(name: str, value: object) -> timedelta:
    """Return a duration above 0, from a `timedelta` or text such as `"1d"`, `"12h"`, `"30min"`.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(value, str) and (found := LENGTH.fullmatch(value.strip())):
        value = timedelta(seconds=int(found[1]) * UNITS[found[2]])
    if not isinstance(value, timedelta) or value < MICROSECOND:
        raise validation.refuse(name, value, "a timedelta above 0, or text such as '1d', '12h' or '30min'")
    return value


def when(name: str, value: When, now: datetime) -> datetime:
    """Return a time, from a `datetime`, ISO 8601 text, or a duration before now.

    Args:
        name: The argument's name in error messages.
        value: The time or duration.
        now: The time that a duration is subtracted from.

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(value, timedelta) or (isinstance(value, str) and LENGTH.fullmatch(value.strip())):
        return shifted(now, -length(name, value))
    return validation.moment(name, value)
