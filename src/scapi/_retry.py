"""Decides whether a failed request is retried, and after how many seconds. Nothing here waits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from scapi._base import validation
from scapi._http.headers import parse_retry_after
from scapi.exceptions import RateLimitError, RequestError, RequestTimeoutError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi._ratelimit.protocol import Wait

#: The kind of a failure. `"status"`: the response has an error status. `"connection"`: connecting failed (including a
#: timeout) or the connection broke. `"timeout"`: connected, but no response in time. `"other"`: anything else.
Failure = Literal["status", "connection", "timeout", "other"]

#: 520 to 525 and 530 come from Cloudflare, which is in front of the API and couldn't reach it.
UNAVAILABLE = frozenset({502, 503, 504, *range(520, 526), 530})
LONGEST_BACKOFF = 30.0
WINDOW = 60.0
#: Spreads the retries of calls that were refused in the same window, which would otherwise all come at once.
HERD_JITTER = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often and for how long a failed request is retried.

    Only GET requests are retried: after a 429 (when the budget resets), a 502, 503 or 504, Cloudflare's 520 to 525 and
    530, and after a failure to connect or a broken connection. A timeout of an established connection is not retried:
    it has already taken the full time, and would take it `attempts` times.

    Args:
        attempts: How often a request is sent in total, including the first time; 1 or more. 3 means two retries.
        max_wait: Seconds that all waits of one call may take together, 0 or more. If the next wait would exceed it, the
            call raises the last error at once. Time in the queue of the budget doesn't count, unless the block comes
            from something other than the API, such as a proxy.
        backoff: Upper bound of the first wait in seconds, 0 or more. It doubles with every attempt, up to 30. Each wait
            is drawn evenly from 0 to the bound ("full jitter").

    Raises:
        TypeError: An argument isn't a number, or `attempts` isn't an integer.
        ValueError: An argument is out of range.
    """

    attempts: int = 3
    max_wait: float = 75.0
    backoff: float = 0.5

    def __post_init__(self) -> None:
        _check_attempts(self.attempts)
        _check_seconds("max_wait", self.max_wait)
        _check_seconds("backoff", self.backoff)


# The types are checked too: not every caller uses a type checker.
def _check_attempts(value: object) -> None:
    number = validation.whole(value)
    if number is None:
        raise TypeError(f"attempts must be an integer, not {value!r}")
    if number < 1:
        raise ValueError(f"attempts must be 1 or more, not {value!r}")


def _check_seconds(name: str, value: object) -> None:
    number = validation.real(value)
    if number is None:
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{name} must be 0 or more seconds and finite, not {value!r}")


def seconds_to_retry(
    retry: Retry | None,
    failure: Failure,
    *,
    attempt: int,
    waited: float,
    method: str = "GET",
    status: int | None = None,
    retry_after: float | None = None,
    until_reset: float | None = None,
    rng: Callable[[], float],
) -> float | None:
    """Return how long to wait before a failed request is retried.

    Args:
        retry: The caller's policy; `None` for no retries.
        failure: The kind of the failure.
        attempt: How often the request has been sent so far, 1 or more.
        waited: Seconds that this call has already waited because of failures.
        method: HTTP method of the request.
        status: The error status, if `failure` is `"status"`.
        retry_after: Seconds to wait according to the response, from `parse_retry_after`.
        until_reset: Seconds until the budget is full again; `math.inf` for never.
        rng: Returns random numbers from 0 to 1.

    Returns:
        Seconds to wait, 0 or more, or `None` to give up and raise the error.
    """
    if retry is None or attempt >= retry.attempts or not _is_worth_it(failure, method, status):
        return None
    if status == 429:
        wait = _until_whole(retry_after, until_reset) + rng() * HERD_JITTER
    else:
        bound = min(LONGEST_BACKOFF, math.ldexp(retry.backoff, min(attempt - 1, 64)))
        wait = max(rng() * bound, retry_after or 0.0)
    return wait if waited + wait <= retry.max_wait else None


def _is_worth_it(failure: Failure, method: str, status: int | None) -> bool:
    if method.upper() != "GET":
        return False
    return failure == "connection" or (failure == "status" and (status == 429 or status in UNAVAILABLE))


def _until_whole(retry_after: float | None, until_reset: float | None) -> float:
    if retry_after is not None:
        return retry_after
    return WINDOW if until_reset is None else until_reset


#: Rounding error of a sum of waits, in seconds.
ROUNDING = 1e-3


class QueueTimeoutError(Exception):
    """Nothing was sent within `queue_timeout`: the wait for a connection or for another call's request took too long.

    A session converts it to a `RateLimitError`, so it never leaves the library.
    """


class RetryState:
    """Counts the attempts and waits of one call.

    Args:
        retry: The caller's policy; `None` for no retries.
        queue_timeout: Seconds that all waits of the call may take together; `None` for no limit. The time between
            sending a request and its response is not a wait.
    """

    def __init__(self, retry: Retry | None, queue_timeout: float | None = None) -> None:
        self.attempts = 0
        self._retry = retry
        self._queue_timeout = queue_timeout
        # `_waited` counts waits because of failures, for `Retry.max_wait`; `_spent` counts all, for `queue_timeout`.
        self._waited = 0.0
        self._spent = 0.0

    @property
    def left(self) -> float:
        """How many seconds the call may still wait, 0 or more; `math.inf` without a `queue_timeout`."""
        return math.inf if self._queue_timeout is None else max(0.0, self._queue_timeout - self._spent)

    @property
    def waited_in_all(self) -> float:
        """How many seconds the call has waited so far, for any reason."""
        return self._spent

    @property
    def patience(self) -> float | None:
        """The same as `left`, but `None` without a `queue_timeout`."""
        return None if self._queue_timeout is None else self.left

    def spend(self, seconds: float, *, is_block: bool = False) -> None:
        """Count a finished wait. With `is_block` it also counts towards `Retry.max_wait`."""
        self._spent += seconds
        if is_block:
            self._waited += seconds

    def may_wait(self, wait: Wait, *, is_paced: bool) -> bool:
        """Return whether the call may wait in the queue. Otherwise it fails at once.

        While the server blocks requests, only calls that pace and retry may wait. They wait for the API's own window
        without limit, and for any other block as long as `Retry.max_wait` allows.
        """
        if wait.is_asking:
            return True
        if math.isinf(wait.again) or wait.soonest > self.left + ROUNDING or self.left <= 0:
            return False
        if not wait.blocked:
            return True
        if self._retry is None or not is_paced:
            return False
        return not wait.is_foreign or self._waited + wait.blocked <= self._retry.max_wait + ROUNDING

    def wait_after(
        self,
        error: TransportError | RequestError,
        until_reset: float | None,
        *,
        wall: float,
        rng: Callable[[], float],
    ) -> float | None:
        """Return the seconds to wait before the next attempt, or `None` if the error is final.

        Args:
            error: The error of the attempt.
            until_reset: Seconds until the budget is full again; `None` if unknown.
            wall: The local time in seconds since the epoch, for a `Retry-After` that is a date.
            rng: Returns random numbers from 0 to 1.
        """
        self.attempts += 1
        status, asked = None, None
        if isinstance(error, RequestError):
            status, asked = error.status, parse_retry_after(error.headers, wall=wall)
        if isinstance(error, RateLimitError):
            # The budget has already seen this response and its `Retry-After`, and those of other calls.
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
            rng=rng,
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
