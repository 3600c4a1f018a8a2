"""Does something once for all who want it at the same time."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from scapi._primitives import aio
from scapi._primitives.flights import Flight, Flights
from scapi._retry import QueueTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi._primitives.aio import Work


class SingleFlight:
    """Does something once for all who want it at the same time, wherever they are.

    Args:
        start: How it is begun: by `_aio.spawn`, which finishes it even if all who wait are interrupted, or by
            `_aio.begin`, where that costs no thread.
    """

    def __init__(self, start: Callable[[Work], None]) -> None:
        self._start = start
        self._flights = Flights()

    async def run(self, work: Work, patience: float | None = None) -> bool:
        """Do it, or wait for it if it is under way; whoever waits shares its error too.

        Args:
            work: What to do.
            patience: Seconds to wait for what another has begun, or an `QueueTimeoutError` follows.

        Returns:
            Whether another had begun it.
        """
        mine = Flight(aio.runtime())
        with mine.begun:
            flight = self._flights.begin(mine)
            if flight is mine:
                self._start(partial(self._fly, mine, work))
            await _join(flight, None if flight is mine else patience)
        if flight.error is not None:
            raise flight.error
        return flight is not mine

    async def settle(self) -> None:
        """Wait until nothing is under way any more, whatever came of it."""
        if flight := self._flights.under_way:
            await _join(flight, None)

    async def _fly(self, flight: Flight, work: Work) -> None:
        with flight.flying:
            # Whoever began it may have been interrupted before this, and another have begun anew.
            if self._flights.under_way is not flight:
                return
            flight.pilot = aio.current()
            try:
                await work()
            except Exception as error:  # noqa: BLE001  # it goes to all who wait
                flight.land(error)
            else:
                flight.land(None)


async def _join(flight: Flight, patience: float | None) -> None:
    """Wait until a flight is over."""
    ends = math.inf if patience is None else aio.now() + patience
    wakeup = aio.Wakeup()
    flight.wake_with(wakeup)
    while not flight.is_over():
        if flight.pilot == aio.current():
            raise RuntimeError("this would wait for itself: on_token and its like must not call the client")
        left = ends - aio.now()
        if left <= 0:
            raise QueueTimeoutError("what another call has begun isn't done within queue_timeout; nothing was sent")
        # Whoever was to wake this one may have been interrupted.
        await wakeup.wait(min(left, 1))
