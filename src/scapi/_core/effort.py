"""How much one call has already tried and waited, and whether it may try or wait once more."""

from __future__ import annotations

import math
import random
import time
from typing import TYPE_CHECKING

from scapi._core.retry import parse_retry_after, seconds_to_retry
from scapi.exceptions import RateLimitError, RequestError, RequestTimeoutError, TransportError

if TYPE_CHECKING:
    from scapi._core.pacing import Wait
    from scapi._core.retry import Failure, Retry

__all__ = ["Effort", "OutOfPatienceError"]

# Seconds by which a sum of waits may be off.
_ROUNDING = 1e-3


class OutOfPatienceError(Exception):
    """What a call waited for (a connection, another's renewal) didn't come within its patience, and nothing was sent.

    A session makes a `RateLimitError` of it: it never leaves the library.
    """


class Effort:
    """The attempts of one call, and what they cost it in waiting.

    Args:
        retry: The caller's policy, or `None` to try once.
        queue_timeout: Seconds that all waits of the call may take in sum; `None` for no limit. The time that a request
            is on the wire is no wait.
    """

    def __init__(self, retry: Retry | None, queue_timeout: float | None = None) -> None:
        self.attempts = 0
        self._retry = retry
        self._patience = queue_timeout
        # Because of failures, as `Retry.max_wait` counts, and in all, as `queue_timeout` counts.
        self._waited = 0.0
        self._spent = 0.0

    @property
    def left(self) -> float:
        """The seconds that may still be waited, 0 or more; `math.inf` without a `queue_timeout`."""
        return math.inf if self._patience is None else max(0.0, self._patience - self._spent)

    @property
    def patience(self) -> float | None:
        """The same, with `None` for no limit."""
        return None if self._patience is None else self.left

    def spend(self, seconds: float, *, is_block: bool = False) -> None:
        """Count a wait that has taken place; `is_block`: it counts for `Retry.max_wait` too."""
        self._spent += seconds
        if is_block:
            self._waited += seconds

    def may_wait(self, wait: Wait, *, is_paced: bool) -> bool:
        """Tell whether the call may stand in the queue, or has to hear at once that it can't go.

        While a refusal is in force, only calls that pace and retry wait. For the API's own window they wait as long as
        it takes, for any other block no longer than the policy has it.
        """
        if math.isinf(wait.again) or wait.soonest > self.left + _ROUNDING or self.left <= 0:
            return False
        if not wait.blocked:
            return True
        if self._retry is None or not is_paced:
            return False
        return not wait.is_foreign or self._waited + wait.blocked <= self._retry.max_wait + _ROUNDING

    def wait_after(self, error: TransportError | RequestError, until_reset: float | None) -> float | None:
        """Seconds to wait before the next attempt, or `None` if the error is final."""
        self.attempts += 1
        status, asked = None, None
        if isinstance(error, RequestError):
            status, asked = error.status, parse_retry_after(error.headers, wall=time.time())
        if isinstance(error, RateLimitError):
            # The budget knows of every refusal, this one's `Retry-After` included.
            asked = until_reset if until_reset is not None else asked
            error.retry_after = 60.0 if asked is None else asked
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
        if wait is None or wait > self.left:
            return None
        self._waited += wait
        return wait


def _failure(error: TransportError | RequestError) -> Failure:
    if isinstance(error, RequestError):
        return "status"
    if isinstance(error, RequestTimeoutError) and not error.connecting:
        return "timeout"
    return "connection"
