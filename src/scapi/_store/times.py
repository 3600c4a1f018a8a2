"""Convert times to what the database holds, and back. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scapi._base.formatting import EPOCH

if TYPE_CHECKING:
    from typing import TypeAlias

    When: TypeAlias = datetime | timedelta | str

MICROSECOND = timedelta(microseconds=1)


def micros(time: datetime) -> int:
    """Convert an aware time to microseconds since 1970."""
    return (time - EPOCH) // MICROSECOND


def moment(value: int) -> datetime:
    """Convert microseconds since 1970 to a time."""
    return EPOCH + timedelta(microseconds=value)
