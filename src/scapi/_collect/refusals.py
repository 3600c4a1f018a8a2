"""Set aside items that the server refuses or that were never traded, and retry them rarely. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scapi.exceptions import BadRequestError, ForbiddenError, NotFoundError, RateLimitError, UnauthorizedError

if TYPE_CHECKING:
    from scapi._collect.jobs import Kind

HOUR = 3600.0

#: Why an item is fetched rarely.
REFUSED = "refused by the server"
NEVER_TRADED = "never traded"

#: The first and the longest wait before a refused id is retried, in seconds. A refusal costs twice as many points.
FIRST, LONGEST = 6 * HOUR, 7 * 24 * HOUR

#: Seconds between two polls of an item that was never traded.
QUIET = 12 * HOUR

#: The longest wait after a failure, in seconds.
LONGEST_WAIT = 1800.0


def is_refusal(error: Exception, kind: Kind) -> bool:
    """Return whether the server doesn't know the item or the clan, or doesn't show the members of the clan."""
    return isinstance(error, BadRequestError | NotFoundError) or (
        kind == "members" and isinstance(error, UnauthorizedError | ForbiddenError)
    )


def is_hopeless(error: Exception, kind: Kind) -> bool:
    """Return whether no call can succeed: the credentials are invalid, or their limit is 0."""
    return (isinstance(error, UnauthorizedError | ForbiddenError) and kind != "members") or (
        isinstance(error, RateLimitError) and error.retry_after == float("inf")
    )


def wait_after_refusal(refusals: int, draw: float) -> float:
    """Return the seconds until a refused id is retried.

    Args:
        refusals: The number of refusals in a row, 1 or more.
        draw: A random number from 0 to 1.
    """
    return min(LONGEST, FIRST * 2.0 ** min(refusals - 1, 16)) * (0.9 + 0.2 * draw)


def wait_after_failure(failures: int, interval: float, draw: float) -> float:
    """Return the seconds until an item is retried after any other failure.

    Args:
        failures: The number of failures in a row, 1 or more.
        interval: Seconds between two successful polls.
        draw: A random number from 0 to 1.
    """
    return min(max(LONGEST_WAIT, interval), interval * 2.0 ** min(failures - 1, 16)) * (0.5 + 0.5 * draw)
