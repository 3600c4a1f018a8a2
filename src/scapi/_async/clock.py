"""The time, random numbers and waits of a client, as one argument."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scapi._primitives import aio


class Clock:
    """The time, random numbers and waits of this machine.

    Each client has one as `_clock`, and passes it to everything that it creates. Tests set another one in a subclass of
    the client. Only the time limits of sockets don't use it, because sockets know nothing but real time.
    """

    def now(self) -> float:
        """Return the time of the monotonic clock, in seconds."""
        return time.monotonic()

    def wall(self) -> float:
        """Return the seconds since 1970."""
        return time.time()

    def utc(self) -> datetime:
        """Return the current time."""
        return datetime.fromtimestamp(self.wall(), UTC)

    def random(self) -> float:
        """Return a random number, from 0 up to but not including 1."""
        return random.random()

    async def wait(self, wakeup: aio.Wakeup, seconds: float) -> None:
        """Wait for a number of seconds, or until woken."""
        await wakeup.wait(seconds)
