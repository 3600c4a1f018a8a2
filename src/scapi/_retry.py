"""Should a request be sent again, and after how many seconds: answered without waiting."""

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

#: What went wrong. `"status"`: an error status came back. `"connection"`: the connection could not be
#: made (a timeout while connecting included) or broke. `"timeout"`: connected, but no answer in time.
#: `"other"`: all else.
Failure = Literal["status", "connection", "timeout", "other"]

# 520 to 525 and 530 are Cloudflare's: it stands before the API, and couldn't reach it.
UNAVAILABLE = frozenset({502, 503, 504, *range(520, 526), 530})
LONGEST_BACKOFF = 30.0
WINDOW = 60.0
# Calls that were refused in the same window would otherwise all come back in the same millisecond.
HERD_JITTER = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often, and for how long, a failed request is tried again.

    Tried again are a 429 (after the reset of the budget), a 502, 503 or 504, Cloudflare's 520 to 525 and 530, and a
    connection that could not be made or broke, all of them only for GET. A timeout after the connection was made is
    not: it has already taken its full time, and would take it `attempts` times over.

    Args:
        attempts: How often a request is sent in all, the first time included; 1 or more. 3 means two retries.
        max_wait: Seconds that the waits of one call may add up to, 0 or more. A wait that would go beyond it
            isn't begun: the call raises the error it has. Time in the queue of the budget isn't counted, but for a
            block that isn't the API's own, such as a proxy's.
        backoff: Upper bound of the first wait in seconds, 0 or more; it doubles with every attempt (to 30 at
            most), and the wait is drawn evenly from between 0 and the bound ("full jitter").

    Raises:
        TypeError: An argument isn't a number (`attempts`: an integer).
        ValueError: An argument is out of its range.
    """

    attempts: int = 3
    max_wait: float = 75.0
    backoff: float = 0.5

    def __post_init__(self) -> None:
        _check_attempts(self.attempts)
        _check_seconds("max_wait", self.max_wait)
        _check_seconds("backoff", self.backoff)


# Whatever the annotations say: not every caller has a type checker.
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
    """Say how long to wait before a failed request is sent again.

    Args:
        retry: The caller's policy; `None` never tries again.
        failure: What went wrong.
        attempt: How often the request has been sent so far, 1 or more.
        waited: Seconds this call has already waited because of failures.
        method: HTTP method of the request.
        status: The error status, where `failure` is `"status"`.
        retry_after: Seconds the answer asks to wait, from `parse_retry_after`.
        until_reset: Seconds until the budget is whole again; `math.inf` where it never will be.
        rng: Draws from 0 to 1.

    Returns:
        Seconds to wait, 0 or more, or `None`: give up and raise the error.
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


# Seconds by which a sum of waits may be off.
ROUNDING = 1e-3


class QueueTimeoutError(Exception):
    """Nothing was sent within `queue_timeout`: the wait for a connection or for a renewal took too long.

    A session turns it into a `RateLimitError`, so it never leaves the library.
    """


class RetryState:
    """The attempts of one call, and what they cost it in waiting.

    Args:
        retry: The caller's policy, or `None` to try once.
        queue_timeout: Seconds that all waits of the call may take in sum; `None` for no limit. The time that a request
            is on the wire is no wait.
    """

    def __init__(self, retry: Retry | None, queue_timeout: float | None = None) -> None:
        self.attempts = 0
        self._retry = retry
        self._queue_timeout = queue_timeout
        # Because of failures, as `Retry.max_wait` counts, and in all, as `queue_timeout` counts.
        self._waited = 0.0
        self._spent = 0.0

    @property
    def left(self) -> float:
        """The seconds that may still be waited, 0 or more; `math.inf` without a `queue_timeout`."""
        return math.inf if self._queue_timeout is None else max(0.0, self._queue_timeout - self._spent)

    @property
    def waited_in_all(self) -> float:
        """The seconds that the call has waited by now, for whatever reason."""
        return self._spent

    @property
    def patience(self) -> float | None:
        """The same, with `None` for no limit."""
        return None if self._queue_timeout is None else self.left

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
            error: What the attempt ended with.
            until_reset: Seconds until the budget is whole again, where that is known.
            wall: The local time in seconds since the epoch, for a `Retry-After` that is a date.
            rng: Draws from 0 to 1.
        """
        self.attempts += 1
        status, asked = None, None
        if isinstance(error, RequestError):
            status, asked = error.status, parse_retry_after(error.headers, wall=wall)
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
