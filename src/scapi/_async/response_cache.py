"""Caches responses, and sends one request for all calls that need the same response at the same time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from scapi._api.caching import StoredBodies
from scapi._async.single_flight import SingleFlight
from scapi._primitives import aio

if TYPE_CHECKING:
    from collections.abc import Hashable

    from scapi._async.clock import Clock
    from scapi._retry import RetryState


class _Shared:
    """One request that several calls share.

    Attributes:
        flight: Sends the request.
        body: The body of the response.
    """

    def __init__(self, clock: Clock) -> None:
        self.flight = SingleFlight(aio.begin, clock)
        self.body: bytes | None = None


class ResponseCache:
    """The cached responses of one client and its views, for any number of tasks and threads. Errors are not cached."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stored = StoredBodies()
        self._shared: dict[Hashable, _Shared] = {}

    async def get(
        self,
        target: str,
        seconds: float,
        fetch: aio.Call[RetryState, bytes],
        retry_state: RetryState,
        options: Hashable = None,
    ) -> bytes:
        """Return the body of a cached response, or send the request or join the one in progress.

        Args:
            target: The path and query.
            seconds: How old a cached response may be.
            fetch: Sends the request and returns the body of the response.
            retry_state: Limits and counts the wait for another call's request.
            options: Calls share a request only if their options are equal.

        Raises:
            QueueTimeoutError: Another call's request takes longer than this call may wait.
            ScApiException: The request failed. All calls that wait for it raise the same error.
        """
        key = target, options
        while (body := self._stored.get(target, self._clock.now(), seconds)) is None:
            shared = self._shared.setdefault(key, _Shared(self._clock))
            begun = self._clock.now()
            if await shared.flight.run(
                partial(self._fetch, key, seconds, shared, fetch, retry_state), retry_state.patience
            ):
                retry_state.spend(self._clock.now() - begun)
            # There is no body if the call that sent the request was interrupted. Then try again.
            if (body := shared.body) is not None:
                break
        return body

    async def _fetch(
        self,
        key: tuple[str, Hashable],
        seconds: float,
        shared: _Shared,
        fetch: aio.Call[RetryState, bytes],
        retry_state: RetryState,
    ) -> None:
        try:
            # Another call may have cached it since `get` checked.
            shared.body = self._stored.get(key[0], self._clock.now(), seconds)
            if shared.body is None:
                shared.body = await fetch(retry_state)
                self._stored.put(key[0], shared.body, self._clock.now())
        finally:
            # Later calls use the cache or send a new request.
            self._shared.pop(key, None)

    def forget(self, target: str) -> None:
        """Drop the cached response of a target."""
        self._stored.forget(target)
