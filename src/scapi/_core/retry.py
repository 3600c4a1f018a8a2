"""Should a request be sent again, and after how many seconds: answered without waiting."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from scapi._core import arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: What went wrong. ``"status"``: an error status came back. ``"connection"``: the connection could not be
#: made (a timeout while connecting included) or broke. ``"timeout"``: connected, but no answer in time.
#: ``"other"``: all else.
Failure = Literal["status", "connection", "timeout", "other"]

# 520 to 525 and 530 are Cloudflare's: it stands before the API, and couldn't reach it.
_UNAVAILABLE = frozenset({502, 503, 504, *range(520, 526), 530})
#: Seconds that an answer can ask to wait at the most: a day.
LONGEST = 86_400.0
_LONGEST_BACKOFF = 30.0
_WINDOW = 60.0
# Calls that were refused in the same window would otherwise all come back in the same millisecond.
_HERD_JITTER = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often, and for how long, a failed request is tried again.

    Tried again are a 429 (after the reset of the budget), a 502, 503 or 504, Cloudflare's 520 to 525 and 530, and a
    connection that could not be made or broke, all of them only for GET. A timeout after the connection was made is
    not: it has already taken its full time, and would take it ``attempts`` times over.

    Args:
        attempts: How often a request is sent in all, the first time included; 1 or more. 3 means two retries.
        max_wait: Seconds that the waits of one call may add up to, 0 or more. A wait that would go beyond it
            isn't begun: the call raises the error it has. Time in the queue of the budget isn't counted, but for a
            block that isn't the API's own, such as a proxy's.
        backoff: Upper bound of the first wait in seconds, 0 or more; it doubles with every attempt (to 30 at
            most), and the wait is drawn evenly from between 0 and the bound ("full jitter").

    Raises:
        TypeError: An argument isn't a number (``attempts``: an integer).
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
    number = arguments.whole(value)
    if number is None:
        raise TypeError(f"attempts must be an integer, not {value!r}")
    if number < 1:
        raise ValueError(f"attempts must be 1 or more, not {value!r}")


def _check_seconds(name: str, value: object) -> None:
    number = arguments.real(value)
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
    rng: Callable[[], float] = random.random,
) -> float | None:
    """Say how long to wait before a failed request is sent again.

    Args:
        retry: The caller's policy; ``None`` never tries again.
        failure: What went wrong.
        attempt: How often the request has been sent so far, 1 or more.
        waited: Seconds this call has already waited because of failures.
        method: HTTP method of the request.
        status: The error status, where `failure` is ``"status"``.
        retry_after: Seconds the answer asks to wait, from `parse_retry_after`.
        until_reset: Seconds until the budget is whole again; ``math.inf`` where it never will be.
        rng: Draws from 0 to 1.

    Returns:
        Seconds to wait, 0 or more, or ``None``: give up and raise the error.
    """
    if retry is None or attempt >= retry.attempts or not _is_worth_it(failure, method, status):
        return None
    if status == 429:
        wait = _until_whole(retry_after, until_reset) + rng() * _HERD_JITTER
    else:
        bound = min(_LONGEST_BACKOFF, math.ldexp(retry.backoff, min(attempt - 1, 64)))
        wait = max(rng() * bound, retry_after or 0.0)
    return wait if waited + wait <= retry.max_wait else None


def _is_worth_it(failure: Failure, method: str, status: int | None) -> bool:
    if method.upper() != "GET":
        return False
    return failure == "connection" or (failure == "status" and (status == 429 or status in _UNAVAILABLE))


def _until_whole(retry_after: float | None, until_reset: float | None) -> float:
    if retry_after is not None:
        return retry_after
    return _WINDOW if until_reset is None else until_reset


def parse_retry_after(headers: Mapping[str, str], *, wall: float | None = None) -> float | None:
    """Read ``Retry-After``, in seconds or as a date.

    Args:
        headers: Headers of the answer, found by their lower-case names.
        wall: The local clock in seconds since the epoch, for a date in an answer that doesn't tell its own
            time. ``None``: such a date can't be read.

    Returns:
        Seconds from now, 0 to `LONGEST`, or ``None`` where the header is absent or can't be read.
    """
    text = headers.get("retry-after", "").strip()
    if text.replace(".", "", 1).isdecimal() and text.isascii():
        return min(LONGEST, float(text))
    then = parse_http_date(text)
    if then is None:
        return None
    # The sender's own time, where it is told, takes the difference of the two clocks out of the answer.
    sent = parse_http_date(headers.get("date", ""))
    since = wall if sent is None else sent
    return None if since is None else min(LONGEST, max(0.0, then - since))


# The answers of one second carry the same date, and reading it takes longer than all other headers.
@lru_cache(maxsize=16)
def parse_http_date(text: str) -> float | None:
    """Read an HTTP date into seconds since the epoch; ``None`` where it can't be read."""
    try:
        then = parsedate_to_datetime(text)
        return (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
