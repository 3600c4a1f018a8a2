"""How loudly a wait is told: once for all calls that wait for the same thing, and not once for each."""

from __future__ import annotations

import logging
import math
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scapi._ratelimit.protocol import Pacing


#: Waits of more seconds than this are warned of.
LONG_WAIT = 10.0


class Notice:
    """What has been told of the waits at one budget."""

    def __init__(self) -> None:
        self._until = {logging.INFO: -math.inf, logging.WARNING: -math.inf}

    def level(self, seconds: float, now: float) -> int:
        """Return the level at which to log a wait that begins.

        Args:
            seconds: How long it will take, as far as is known.
            now: Local monotonic seconds.

        Returns:
            WARNING for more than `LONG_WAIT` seconds, INFO for less, or DEBUG as long as another wait of that kind, or
            a longer one, has been told and isn't over.
        """
        kind = logging.WARNING if seconds > LONG_WAIT else logging.INFO
        is_told = any(now < until for level, until in self._until.items() if level >= kind)
        self._until[kind] = max(self._until[kind], now + seconds)
        return logging.DEBUG if is_told else kind


_notices: dict[int, tuple[weakref.ref[Pacing], Notice]] = {}


def notice_of(budget: Pacing) -> Notice:
    """Find the notice that all clients of a budget share."""
    known, notice = _notices.get(id(budget), (None, None))
    if known is None or notice is None or known() is not budget:
        for number in [number for number, (held, _) in list(_notices.items()) if held() is None]:
            _notices.pop(number, None)
        notice = Notice()
        _notices[id(budget)] = weakref.ref(budget), notice
    return notice
