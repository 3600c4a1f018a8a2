"""An event loop without real time: hours of a collector in seconds, the same in every run.

    loop = VirtualLoop(seed)
    fake = FakeApi(clock=loop.clock.wall)
    client = loop.client(DistantFake(fake, lambda: 0.2), token=fake.app_token, region="ru")
    result = loop.run(main())

Waits end as soon as nothing else is to do, and the time jumps to their end. So programs that run concurrently keep
their order, and what they wait for takes as long as it would take.
"""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from unittest import mock

import httpx

from scapi import AppClient
from scapi._async.clock import Clock
from scapi._primitives import aio

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from scapi.testing import FakeApi

T = TypeVar("T")

START = datetime(2026, 8, 19, 12, tzinfo=UTC)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer when nothing is ready. Nothing may run in threads."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._passed = 0.0
        self.rng = random.Random(seed)
        self.clock = LoopClock(self)
        selector: Any = self._selector  # type: ignore[attr-defined]  # asyncio's own, which typeshed leaves out
        select = selector.select

        def jump(timeout: float | None = None) -> Any:
            if timeout is None:
                raise RuntimeError("nothing is left to wait for: the program would hang")
            # Work takes time too. Without it, a wait that rounding has left too short would never end.
            self._passed += max(timeout, 1e-6)
            return select(0)

        selector.select = jump

    def time(self) -> float:
        """Return the seconds since the loop was made."""
        return self._passed

    def client(self, transport: DistantFake, **options: Any) -> AppClient:
        """Return a client that takes the time of this loop."""
        cls: Any = type("AppClient", (AppClient,), {"_clock": self.clock})
        client: AppClient = cls(http_client=httpx.AsyncClient(transport=transport), **options)
        return client

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a program to its end, and close the loop."""
        with mock.patch.object(aio, "to_thread", at_once):
            result = self.run_until_complete(main)
        self.close()
        return result


class LoopClock(Clock):
    """The time and the random numbers of a loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> float:
        """Return the seconds that have passed."""
        return self._loop.time()

    def wall(self) -> float:
        """Return the seconds since 1970."""
        return START.timestamp() + self._loop.time()

    def random(self) -> float:
        """Return the next random number."""
        return self._loop.rng.random()


async def at_once(function: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Call a function in place of a thread, whose end the loop couldn't wait for."""
    return function(*arguments, **named)


class DistantFake(httpx.AsyncBaseTransport):
    """A transport to a fake that takes its time to answer.

    Args:
        fake: The fake.
        delay: Returns the seconds that the next answer takes.

    Attributes:
        answered: The path, the status and the time of each answer.
    """

    def __init__(self, fake: FakeApi, delay: Callable[[], float]) -> None:
        self._transport = fake.transport()
        self._delay = delay
        self.answered: list[tuple[str, int, float]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, with the state of the market halfway."""
        await asyncio.sleep(self._delay() / 2)
        response = await self._transport.handle_async_request(request)
        self.answered.append((request.url.path, response.status_code, asyncio.get_running_loop().time()))
        await asyncio.sleep(self._delay() / 2)
        return response
