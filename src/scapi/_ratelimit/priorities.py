"""Who goes first within a window, and what is kept for calls that aren't low. The rules of every kind of budget."""

from __future__ import annotations

from typing import Literal

Priority = Literal["high", "normal", "low"]

#: From the first to the last.
RANKS: dict[Priority, int] = {"high": 0, "normal": 1, "low": 2}
#: Share of each window that the calls of a priority get if they have waited for a whole window.
OVERDUE_SHARE = 0.1
#: When the reserve begins to melt and when it is gone, as shares of a window before its end. It is gone a little
#: before the end, because what comes free later can't be spent any more.
MELTING, MELTED = 0.1, 0.02


def is_overdue(waited: float, length: float, served: float, quota: int) -> bool:
    """Tell whether a call goes before all others, whatever its priority, so that nobody starves.

    Waiting alone doesn't raise a call: of a crawler that always has more to ask than a window grants, every call would
    be first in the end. So each priority is guaranteed a part of every window, and no more.

    Args:
        waited: Seconds that the call has stood in the queue.
        length: Seconds of a window.
        served: Points of this window that the calls of its priority have got.
        quota: Points of a whole window.
    """
    return waited >= length and served < OVERDUE_SHARE * quota


def points_kept(reserve: float, quota: int, left: float, length: float) -> float:
    """Return the points that low calls have to leave over.

    Args:
        reserve: Share of a window that is kept, 0 to 1.
        quota: Points of a whole window.
        left: Seconds until the window ends.
        length: Seconds of a window.
    """
    unmelted = (left / length - MELTED) / (MELTING - MELTED)
    return reserve * quota * min(1.0, max(0.0, unmelted))


def seconds_until_kept(points: float, reserve: float, quota: int, left: float, length: float) -> float:
    """Return the seconds, 0 or more, until no more than some points are kept; the other arguments are as above.

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
