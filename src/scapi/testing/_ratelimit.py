"""The points that an application or a user may spend in each window of time."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

COSTS: Mapping[str, int] = MappingProxyType(
    {
        "regions": 0,
        "emission": 1,
        "lots": 2,
        "history": 2,
        "profile": 2,
        "clans": 2,
        "clan": 1,
        "members": 1,
        "characters": 1,
        "friends": 1,
        "sessions": 2,
        "bad_request": 4,
    }
)
"""Points per endpoint, and of a response 400. Those of emission, lots and history are the API's, and one source has
measured the 400; the others are not published."""


@dataclass(frozen=True, slots=True)
class Window:
    """Fixed windows, one after another, with a constant phase (all in milliseconds)."""

    length: int
    phase: int

    def number(self, now: int) -> int:
        """Return the number of the window at `now`."""
        return (now - self.phase) // self.length

    def end(self, now: int) -> int:
        """Return when the window at `now` ends and all points are back, in milliseconds since the epoch."""
        return (self.number(now) + 1) * self.length + self.phase


@dataclass(slots=True)
class Budget:
    """One bucket of points.

    Attributes:
        limit: Points per window.
        window: The windows that points are counted in.
        number: The window of its last use.
        spent: Points spent in that window.
    """

    limit: int
    window: Window
    number: int = 0
    spent: int = 0

    def remaining(self, now: int) -> int:
        """Return the points left at `now` (milliseconds), never below 0."""
        self._turn(now)
        return max(0, self.limit - self.spent)

    def spend(self, points: int, now: int) -> bool:
        """Spend the points and return True. If too few are left, spend none and return False."""
        if points > self.remaining(now):
            return False
        self.spent += points
        return True

    def headers(self, now: int) -> dict[str, str]:
        """Return the rate-limit headers of a response."""
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining(now)),
            "x-ratelimit-reset": str(self.window.end(now)),
        }

    def _turn(self, now: int) -> None:
        if (number := self.window.number(now)) != self.number:
            self.number, self.spent = number, 0
