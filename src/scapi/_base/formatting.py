"""Times and integers of any size as text, and arithmetic with times that a server may have sent from anywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

#: What a column of integers holds in files and frames.
INTEGERS = range(-(2**63), 2**63)

#: What Python can call a time, in milliseconds since the epoch: the years 1 to 9999.
MILLISECONDS = range(-62_135_596_800_000, 253_402_300_800_000)

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def moment(time: datetime, separator: str = " ", timespec: str = "seconds", zone: str = "") -> str:
    """Spell an aware time in UTC.

    A time that UTC has no year for, such as `9999-12-31T23:59:59-23:59`, is spelled with its own offset.

    Args:
        time: The time.
        separator: What stands between date and time.
        timespec: Up to which unit, as of `datetime.isoformat`.
        zone: What is to stand behind it.
    """
    try:
        return time.astimezone(UTC).replace(tzinfo=None).isoformat(separator, timespec) + zone
    except OverflowError:
        return time.isoformat(separator, timespec)


def integer(value: int) -> str:
    """Spell an integer in groups of three parted by commas; beyond 64 bits nobody counts them: `1.000e+400`."""
    return f"{value:,}" if value in INTEGERS else f"{Decimal(value):.3e}"


def shifted(time: datetime, by: timedelta) -> datetime:
    """Add a length to an aware time. The result stays within the years that there are."""
    try:
        return time + by
    except OverflowError:
        return FIRST if by < timedelta() else LAST
