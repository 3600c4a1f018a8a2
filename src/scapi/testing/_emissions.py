"""Emissions: about one per hour, five minutes long, unless a test starts and ends them."""

from datetime import datetime

from scapi.testing._market import moment
from scapi.testing._random import numbers_for

PERIOD = 3600
LENGTH = 300


class Emissions:
    """The emissions of all regions."""

    def __init__(self, *, seed: int) -> None:
        """Start with the schedule of this seed."""
        self._seed = seed
        self._running: dict[str, int | None] = {}
        self._previous: dict[str, tuple[int, int]] = {}

    def state(self, region: str, now: int) -> dict[str, datetime]:
        """Return the `EmissionResponse` at `now`. It has `currentStart` only during an emission."""
        running, (start, end) = self._at(region, now)
        current = {} if running is None else {"currentStart": moment(running)}
        return current | {"previousStart": moment(start), "previousEnd": moment(end)}

    def start(self, region: str, now: int) -> None:
        """Start an emission, unless one is running. From now on the region has no schedule."""
        running, self._previous[region] = self._at(region, now)
        self._running[region] = now if running is None else running

    def end(self, region: str, now: int) -> None:
        """End the running emission, if there is one. From now on the region has no schedule."""
        running, previous = self._at(region, now)
        self._previous[region] = previous if running is None else (running, now)
        self._running[region] = None

    def _at(self, region: str, now: int) -> tuple[int | None, tuple[int, int]]:
        """Return the start of the running emission (None if none runs), and the start and end of the one before."""
        if region in self._previous:
            return self._running[region], self._previous[region]
        number = now // PERIOD
        if self._begins(region, number) > now:
            number -= 1
        latest = self._begins(region, number)
        if now < latest + LENGTH:
            before = self._begins(region, number - 1)
            return latest, (before, before + LENGTH)
        return None, (latest, latest + LENGTH)

    def _begins(self, region: str, number: int) -> int:
        # Up to half an hour of jitter: emissions never overlap, and bots can't rely on a rhythm.
        return number * PERIOD + numbers_for(self._seed, region, "emission", number)[0] % (PERIOD // 2)
