"""Format times and integers of any size, and do arithmetic on times without overflow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

#: The range of an integer column in files and data frames: 64 bits.
INTEGERS = range(-(2**63), 2**63)

#: The range of Python's `datetime`, in milliseconds since the epoch: the years 1 to 9999.
MILLISECONDS = range(-62_135_596_800_000, 253_402_300_800_000)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def moment(time: datetime, separator: str = " ", timespec: str = "seconds", zone: str = "") -> str:
    """Format an aware time in UTC.

    A time that is out of range in UTC, such as `9999-12-31T23:59:59-23:59`, keeps its own offset.

    Args:
        time: The time.
        separator: The text between date and time.
        timespec: The precision, as for `datetime.isoformat`.
        zone: A suffix for times in UTC, such as `"Z"`.
    """
    try:
        return time.astimezone(UTC).replace(tzinfo=None).isoformat(separator, timespec) + zone
    except OverflowError:
        return time.isoformat(separator, timespec)


def integer(value: int) -> str:
    """Format an integer with commas as thousands separators; beyond 64 bits in scientific notation: `1.000e+400`."""
    return f"{value:,}" if value in INTEGERS else f"{Decimal(value):.3e}"


def shifted(time: datetime, by: timedelta) -> datetime:
    """Add a duration to an aware time. The result is clamped to the years 1 to 9999."""
    try:
        return time + by
    except OverflowError:
        return FIRST if by < timedelta() else LAST
