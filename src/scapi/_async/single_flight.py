"""Runs work once for all callers that request it at the same time."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from scapi._primitives import aio
from scapi._primitives.flights import Flight, Flights
from scapi._retry import QueueTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi._async.clock import Clock
    from scapi._primitives.aio import Work


class SingleFlight:
    """Runs work once for all callers that request it at the same time, from any task or thread.

    Args:
        start: How to start the work: `aio.spawn` finishes it even if all callers are interrupted,
            `aio.begin` needs no thread.
        clock: The time, and how to wait.
    """

    def __init__(self, start: Callable[[Work], None], clock: Clock) -> None:
        self._start = start
        self._clock = clock
        self._flights = Flights()

    async def run(self, work: Work, patience: float | None = None) -> bool:
        """Run the work, or wait for another caller's run. All callers get the same error if it fails.

        Args:
            work: The work to run.
            patience: Seconds to wait for another caller's run; `None` for no limit.

        Returns:
            Whether another caller had started the run.

        Raises:
            QueueTimeoutError: Another caller's run took longer than `patience`.
        """
        mine = Flight(aio.runtime())
        with mine.begun:
            flight = self._flights.begin(mine)
            if flight is mine:
                self._start(partial(self._do, mine, work))
            await self._join(flight, None if flight is mine else patience)
        if flight.error is not None:
            raise flight.error
        return flight is not mine

    async def settle(self) -> None:
        """Wait for a run in progress, and ignore its error."""
        if flight := self._flights.under_way:
            await self._join(flight, None)

    async def _do(self, flight: Flight, work: Work) -> None:
        with flight.running:
            # The caller may have been interrupted before this point, and another caller may have started a new run.
            if self._flights.under_way is not flight:
                return
            flight.runner = aio.current()
            try:
                await work()
            except Exception as error:  # noqa: BLE001  # raised by all callers
                flight.finish(error)
            else:
                flight.finish(None)

    async def _join(self, flight: Flight, patience: float | None) -> None:
        """Wait until a flight is over, or raise a `QueueTimeoutError` after `patience` seconds."""
        ends = math.inf if patience is None else self._clock.now() + patience
        wakeup = aio.Wakeup()
        flight.add_waiter(wakeup)
        while not flight.is_over():
            if flight.runner == aio.current():
                raise RuntimeError(
                    "this call would wait for itself: callbacks such as on_token must not call the client"
                )
            left = ends - self._clock.now()
            if left <= 0:
                raise QueueTimeoutError("another call's request took longer than queue_timeout; nothing was sent")
            # Check every second: the call that should wake this one may have been interrupted.
            await self._clock.wait(wakeup, min(left, 1))
