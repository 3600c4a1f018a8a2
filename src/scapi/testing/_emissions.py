"""Emissions: about one an hour, five minutes long, unless a test starts and ends them."""

from datetime import datetime

from scapi.testing._market import moment
from scapi.testing._random import numbers_for

PERIOD = 3600
LENGTH = 300


class Emissions:
    """The emissions of all regions."""

    def __init__(self, *, seed: int) -> None:
        """Follow the schedule of this seed."""
        self._seed = seed
        self._running: dict[str, int | None] = {}
        self._previous: dict[str, tuple[int, int]] = {}

    def state(self, region: str, now: int) -> dict[str, datetime]:
        """The `EmissionResponse` at `now`; `currentStart` is there only while one runs."""
        running, (start, end) = self._at(region, now)
        current = {} if running is None else {"currentStart": moment(running)}
        return current | {"previousStart": moment(start), "previousEnd": moment(end)}

    def start(self, region: str, now: int) -> None:
        """Let an emission begin, if none runs; from here on the schedule no longer holds for the region."""
        running, self._previous[region] = self._at(region, now)
        self._running[region] = now if running is None else running

    def end(self, region: str, now: int) -> None:
        """Let the emission end, if one runs; from here on the schedule no longer holds for the region."""
        running, previous = self._at(region, now)
        self._previous[region] = previous if running is None else (running, now)
        self._running[region] = None

    def _at(self, region: str, now: int) -> tuple[int | None, tuple[int, int]]:
        """When the running one began (None: none runs), and the start and end of the one before."""
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
        # Half an hour of jitter: never two at once, and no rhythm that a bot could rely on.
        return number * PERIOD + numbers_for(self._seed, region, "emission", number)[0] % (PERIOD // 2)
