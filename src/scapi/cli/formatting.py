"""Numbers, times and series as text for people. Pure; nothing here knows of a terminal."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, cast

from scapi._base import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

__all__ = ["NOTHING", "ago", "clock", "counted", "minute", "number", "span", "sparkline"]

#: Stands for a missing value.
NOTHING = "–"

BARS = "▁▂▃▄▅▆▇█"

UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def number(value: float | None, digits: int = 0) -> str:
    """Format a number as `1 234 567`, with no-break spaces between groups of three; `None` is a dash."""
    if value is None:
        return NOTHING
    whole = isinstance(value, int) and (not digits or value not in formatting.INTEGERS)
    text = formatting.integer(cast("int", value)) if whole else f"{value:,.{digits}f}"
    return text.replace(",", "\N{NO-BREAK SPACE}")


def counted(count: int, kind: str) -> str:
    """Format a number of things, such as `1 item` or `12 items`.

    Args:
        count: The number.
        kind: The plural name, which ends in `s`.
    """
    return f"{number(count)} {kind[:-1] if count == 1 and kind.endswith('s') else kind}"


def clock(moment: datetime | None) -> str:
    """Format a time as `2026-08-19 12:04:31`, in UTC; `None` is a dash."""
    return NOTHING if moment is None else formatting.moment(moment)


def minute(moment: datetime) -> str:
    """Format a time as `2026-08-19 12:04`, in UTC."""
    return formatting.moment(moment, timespec="minutes")


def span(length: timedelta) -> str:
    """Format a duration by its two largest units, such as `2 h 5 min`, without its sign."""
    left = abs(round(length.total_seconds()))
    parts: list[str] = []
    for unit, seconds in UNITS:
        count, left = divmod(left, seconds)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(filter(None, parts[:2])) or "0 s"


def ago(moment: datetime | None, now: datetime) -> str:
    """Format a time as `43 min ago` or `in 43 min`; `None` is a dash."""
    if moment is None:
        return NOTHING
    return f"{span(now - moment)} ago" if moment <= now else f"in {span(moment - now)}"


def sparkline(values: Sequence[float], width: int = 16) -> str:
    """Draw a series as one line of bars. Each bar is the mean of an equal part."""
    if not values:
        return ""
    width = min(width, len(values))
    edges = [len(values) * step // width for step in range(width + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, high = min(means), max(means)
    steps = (high - low) / (len(BARS) - 1) or 1
    return "".join(BARS[round((mean - low) / steps)] for mean in means)
