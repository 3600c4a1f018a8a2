"""How much one call has already tried, and whether it may try once more."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from scapi._core.retry import parse_retry_after, seconds_to_retry
from scapi.exceptions import RateLimitError, RequestError, RequestTimeoutError, TransportError

if TYPE_CHECKING:
    from scapi._core.retry import Failure, Retry

__all__ = ["Effort"]


class Effort:
    """The attempts of one call, and what they cost it in waiting."""

    def __init__(self, retry: Retry | None) -> None:
        self.attempts = 0
        self._retry = retry
        self._waited = 0.0

    def wait_after(self, error: TransportError | RequestError, until_reset: float | None) -> float | None:
        """Seconds to wait before the next attempt, or `None` if the error is final."""
        self.attempts += 1
        status, asked = None, None
        if isinstance(error, RequestError):
            status, asked = error.status, parse_retry_after(error.headers, wall=time.time())
        if isinstance(error, RateLimitError):
            error.retry_after = asked if asked is not None else 60.0 if until_reset is None else until_reset
        wait = seconds_to_retry(
            self._retry,
            _failure(error),
            attempt=self.attempts,
            waited=self._waited,
            status=status,
            retry_after=asked,
            until_reset=until_reset,
            rng=random.random,
        )
        self._waited += wait or 0.0
        return wait


def _failure(error: TransportError | RequestError) -> Failure:
    if isinstance(error, RequestError):
        return "status"
    if isinstance(error, RequestTimeoutError) and not error.connecting:
        return "timeout"
    return "connection"
