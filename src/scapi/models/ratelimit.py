"""What is left of the points that the API grants per minute."""

from __future__ import annotations

from datetime import datetime

from scapi.models._base import Record


class RateLimit(Record, frozen=True, kw_only=True):
    """The budget of one pair of host and credentials, as the API's headers told it last.

    Every field is ``None`` before the first answer, and where the server sends no such header.

    Attributes:
        limit: Points per window (a minute): 400 for an application, 50 for a user's token, 0 for a token of
            the site.
        remaining: Points left in the present window, those of requests on their way already taken off.
        reset: When the points are whole again, by the server's clock (aware, UTC).
    """

    limit: int | None = None
    remaining: int | None = None
    reset: datetime | None = None
