"""Read `Retry-After` and `Date` headers."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The longest wait that a response can request, in seconds: a day.
LONGEST = 86_400.0


def parse_retry_after(headers: Mapping[str, str], *, wall: float | None = None) -> float | None:
    """Read `Retry-After`, in seconds or as a date.

    Args:
        headers: The headers of the response, by lower-case name.
        wall: The local time in seconds since the epoch, used if the response has no `Date` header. `None`: a date
            can't be read without that header.

    Returns:
        Seconds from now, 0 to `LONGEST`, or `None` if the header is absent or can't be read.
    """
    text = headers.get("retry-after", "").strip()
    if text.replace(".", "", 1).isdecimal() and text.isascii():
        return min(LONGEST, float(text))
    then = parse_http_date(text)
    if then is None:
        return None
    # The server's own time is preferred: the result doesn't depend on the difference between the clocks.
    sent = parse_http_date(headers.get("date", ""))
    since = wall if sent is None else sent
    return None if since is None else min(LONGEST, max(0.0, then - since))


# Responses of the same second have the same date, and parsing it takes longer than all other headers.
@lru_cache(maxsize=16)
def parse_http_date(text: str) -> float | None:
    """Read an HTTP date into seconds since the epoch; `None` if it can't be read."""
    try:
        then = parsedate_to_datetime(text)
        return (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
