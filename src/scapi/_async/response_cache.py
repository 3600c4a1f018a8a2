"""Keep answers for a while, and send one request for all calls that ask for the same thing at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from scapi._api.caching import Answers
from scapi._async.single_flight import SingleFlight
from scapi._primitives import aio

if TYPE_CHECKING:
    from collections.abc import Hashable

    from scapi._retry import RetryState


class _Shared:
    """One request for several calls.

    Attributes:
        flight: Sends it.
        body: The body of its answer.
    """

    def __init__(self) -> None:
        self.flight = SingleFlight(aio.begin)
        self.body: bytes | None = None


class ResponseCache:
    """The answers of one client and its views, for any number of tasks and threads. Errors are not kept."""

    def __init__(self) -> None:
        self._answers = Answers()
        self._shared: dict[Hashable, _Shared] = {}

    async def get(
        self,
        target: str,
        seconds: float,
        ask: aio.Call[RetryState, bytes],
        retry_state: RetryState,
        options: Hashable = None,
    ) -> bytes:
        """Return the body of an answer that is young enough, or of a request that is sent or under way.

        Args:
            target: The path with its query.
            seconds: How old an answer may be.
            ask: Sends the request and returns the body of its answer.
            retry_state: Bounds the wait for another call's request, and counts it.
            options: Calls share a request only if they have the same options.

        Raises:
            QueueTimeoutError: Another call's request takes longer than this call may wait.
            ScApiException: The request failed; all calls that wait for it raise the same error.
        """
        key = target, options
        while (body := self._answers.get(target, aio.now(), seconds)) is None:
            shared = self._shared.setdefault(key, _Shared())
            begun = aio.now()
            if await shared.flight.run(
                partial(self._ask, key, seconds, shared, ask, retry_state), retry_state.patience
            ):
                retry_state.spend(aio.now() - begun)
            # Without a body the call that sent the request was interrupted, and this one begins anew.
            if (body := shared.body) is not None:
                break
        return body

    async def _ask(
        self,
        key: tuple[str, Hashable],
        seconds: float,
        shared: _Shared,
        ask: aio.Call[RetryState, bytes],
        retry_state: RetryState,
    ) -> None:
        try:
            # Another may have got it between the look at what is kept and the turn of this one.
            shared.body = self._answers.get(key[0], aio.now(), seconds)
            if shared.body is None:
                shared.body = await ask(retry_state)
                self._answers.put(key[0], shared.body, aio.now())
        finally:
            # From now on calls take the answer that is kept, or ask anew.
            self._shared.pop(key, None)

    def forget(self, target: str) -> None:
        """Drop what is kept for a target."""
        self._answers.forget(target)
