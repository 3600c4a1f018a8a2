"""Ids that the server refuses and items that nobody ever traded: set aside, and asked again rarely. Pure."""

from __future__ import annotations

from scapi.exceptions import BadRequestError, ForbiddenError, NotFoundError, RateLimitError, UnauthorizedError

__all__ = ["NEVER_TRADED", "QUIET", "REFUSED", "again_after", "is_hopeless", "is_refusal", "rest"]

HOUR = 3600.0

#: Why an item is asked rarely.
REFUSED = "refused by the server"
NEVER_TRADED = "never traded"

#: Seconds until an id is asked again that was refused once, and at most. A refusal costs twice as much as an answer.
FIRST, LONGEST = 6 * HOUR, 7 * 24 * HOUR

#: Seconds until an item is looked at again that was never traded.
QUIET = 12 * HOUR

#: Seconds until an item is looked at again after a failure, at most.
LONGEST_WAIT = 1800.0


def is_refusal(error: Exception) -> bool:
    """Whether the server doesn't know the item."""
    return isinstance(error, BadRequestError | NotFoundError)


def is_hopeless(error: Exception) -> bool:
    """Whether no call at all can succeed: the credentials are no good, or their limit is 0."""
    return isinstance(error, UnauthorizedError | ForbiddenError) or (
        isinstance(error, RateLimitError) and error.retry_after == float("inf")
    )


def again_after(refusals: int, draw: float) -> float:
    """Return the seconds until an id is asked again.

    Args:
        refusals: How often in a row it was refused, 1 or more.
        draw: A number from 0 to 1, drawn by chance.
    """
    return min(LONGEST, FIRST * 2.0 ** min(refusals - 1, 16)) * (0.9 + 0.2 * draw)


def rest(failures: int, interval: float, draw: float) -> float:
    """Return the seconds until an item is looked at again after failures of any other kind.

    Args:
        failures: How many in a row, 1 or more.
        interval: Seconds between two looks that succeed.
        draw: A number from 0 to 1, drawn by chance.
    """
    return min(max(LONGEST_WAIT, interval), interval * 2.0 ** min(failures - 1, 16)) * (0.5 + 0.5 * draw)
