"""The errors of a single key in a bulk call."""

from __future__ import annotations

from scapi.exceptions import BadRequestError, NotFoundError, ScApiException

#: The errors of a call for a key, and of an invalid key.
FAILURES = (ScApiException, ValueError, TypeError)


def is_permanent(error: Exception) -> bool:
    """Return whether a retry is useless: the server rejects the key itself, or the key can't be sent."""
    return isinstance(error, BadRequestError | NotFoundError) or not isinstance(error, ScApiException)
