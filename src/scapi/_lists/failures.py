"""What a key of many can fail with."""

from __future__ import annotations

from scapi.exceptions import BadRequestError, NotFoundError, ScApiException

#: What the call for a key can fail with, or the key itself.
FAILURES = (ScApiException, ValueError, TypeError)


def is_permanent(error: Exception) -> bool:
    """Return whether asking again is in vain: the server refuses the key itself, or it can't be sent."""
    return isinstance(error, BadRequestError | NotFoundError) or not isinstance(error, ScApiException)
