"""The rules of every kind of budget: which calls go first in a window, and how much is reserved for non-low ones."""

from __future__ import annotations

from typing import Literal

Priority = Literal["high", "normal", "low"]

#: From the first to the last.
RANKS: dict[Priority, int] = {"high": 0, "normal": 1, "low": 2}
#: Share of each window that is guaranteed to calls of a priority that have waited for a whole window.
OVERDUE_SHARE = 0.1
#: When the reserve begins to melt and when it is gone, as shares of a window before its end. It is gone a little
#: before the end, because points that become free later can no longer be spent.
MELTING, MELTED = 0.1, 0.02


def is_overdue(waited: float, length: float, served: float, quota: int) -> bool:
    """Return whether a call goes before all others, whatever its priority, so that no priority starves.

    Waiting alone isn't enough: if a crawler always needs more than a window grants, all its calls would end up first.
    So each priority is guaranteed a part of every window, and no more.

    Args:
        waited: Seconds that the call has been in the queue.
        length: Seconds of a window.
        served: Points of this window that went to calls of its priority.
        quota: Points of a whole window.
    """
    return waited >= length and served < OVERDUE_SHARE * quota


def points_kept(reserve: float, quota: int, left: float, length: float) -> float:
    """Return the points that low calls must not spend.

    Args:
        reserve: Share of a window that is kept, 0 to 1.
        quota: Points of a whole window.
        left: Seconds until the window ends.
        length: Seconds of a window.
    """
    unmelted = (left / length - MELTED) / (MELTING - MELTED)
    return reserve * quota * min(1.0, max(0.0, unmelted))


def seconds_until_kept(points: float, reserve: float, quota: int, left: float, length: float) -> float:
    """Return the seconds, 0 or more, until at most `points` are kept.

    Args:
        points: Points that may be kept, 0 or more.
        reserve: Share of a window that is kept, 0 to 1.
        quota: Points of a whole window.
        left: Seconds until the window ends.
        length: Seconds of a window.
    """
    if points >= reserve * quota:
        return 0.0
    share = MELTED + (MELTING - MELTED) * points / (reserve * quota)
    return max(0.0, left - share * length)
