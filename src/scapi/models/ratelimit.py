"""The rate limit of the API."""

from __future__ import annotations

from datetime import datetime

from scapi.models._base import Record


class RateLimit(Record, frozen=True, kw_only=True):
    """The points of one pair of host and credentials, from the latest headers of the API.

    Each field is `None` before the first response, and if the server doesn't send its header.

    Attributes:
        limit: Points per window of a minute: 400 for an application, 50 for a user's token, 0 for a token of
            the site.
        remaining: Points left in the present window, without those of requests in flight.
        reset: When all points are back, by the server's clock (aware, UTC).
    """

    limit: int | None = None
    remaining: int | None = None
    reset: datetime | None = None
