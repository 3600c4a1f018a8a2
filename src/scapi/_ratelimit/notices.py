"""Chooses the log level of waits, so that many calls with the same wait log one visible message."""

from __future__ import annotations

import logging
import math
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scapi._ratelimit.protocol import Pacing


#: Waits of more seconds than this are logged as warnings.
LONG_WAIT = 10.0


class Notice:
    """Remembers which waits of one budget have been logged."""

    def __init__(self) -> None:
        self._until = {logging.INFO: -math.inf, logging.WARNING: -math.inf}

    def level(self, seconds: float, now: float) -> int:
        """Return the level at which to log the start of a wait.

        Args:
            seconds: The expected length of the wait.
            now: Local monotonic seconds.

        Returns:
            WARNING for more than `LONG_WAIT` seconds, otherwise INFO; or DEBUG while an earlier wait, logged at this
            level or a higher one, isn't over.
        """
        kind = logging.WARNING if seconds > LONG_WAIT else logging.INFO
        is_logged = any(now < until for level, until in self._until.items() if level >= kind)
        self._until[kind] = max(self._until[kind], now + seconds)
        return logging.DEBUG if is_logged else kind


_notices: dict[int, tuple[weakref.ref[Pacing], Notice]] = {}


def notice_of(budget: Pacing) -> Notice:
    """Return the notice that all clients of a budget share."""
    known, notice = _notices.get(id(budget), (None, None))
    if known is None or notice is None or known() is not budget:
        for number in [number for number, (held, _) in list(_notices.items()) if held() is None]:
            _notices.pop(number, None)
        notice = Notice()
        _notices[id(budget)] = weakref.ref(budget), notice
    return notice
