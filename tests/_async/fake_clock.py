"""The time of a test: it moves only while a client waits, and then without delay."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any, TypeVar

from scapi._async.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi.testing import FakeApi

C = TypeVar("C")


class FakeClock(Clock):
    """A clock that waits move. The fakes' clocks move with it, and so does what is to happen meanwhile.

    Attributes:
        fakes: The fakes. The first one's time is the wall time.
        passed: The seconds that have passed.
        waits: The seconds of each wait.
        ahead: The seconds that the wall time is ahead of the first fake's, or of the real one.
        draw: Each random number; by default they differ, and are the same in every run.
    """

    def __init__(self, *fakes: FakeApi) -> None:
        self.fakes = list(fakes)
        self.passed = 0.0
        self.waits: list[float] = []
        self.ahead = 0.0
        self.draw: float | None = None
        self._dice = random.Random(1)  # no secret
        self._events: list[tuple[float, Callable[[], object]]] = []

    def now(self) -> float:
        return 5000.0 + self.passed

    def wall(self) -> float:
        return self.ahead + (self.fakes[0].now.timestamp() if self.fakes else super().wall())

    def random(self) -> float:
        return self._dice.random() if self.draw is None else self.draw

    async def wait(self, wakeup: object, seconds: float) -> None:
        assert math.isfinite(seconds)
        self.waits.append(seconds)
        self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        end = self.passed + seconds
        while self._events and self._events[0][0] <= end:
            moment, happen = self._events.pop(0)
            self._move(max(moment, self.passed))
            happen()
        self._move(end)

    def _move(self, moment: float) -> None:
        for fake in self.fakes:
            fake.advance(moment - self.passed)
        self.passed = moment

    def at(self, moment: float, happen: Callable[[], object]) -> None:
        """Let something happen at a moment, in seconds that have passed."""
        self._events.append((moment, happen))
        self._events.sort(key=lambda event: event[0])


def with_clock(cls: type[C], clock: Clock) -> type[C]:
    """A class of clients whose time, random numbers and waits are those of a clock."""
    subclass: Any = type(cls.__name__, (cls,), {"_clock": clock})
    return subclass  # type: ignore[no-any-return]  # `type` doesn't say what it makes
