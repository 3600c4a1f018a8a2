"""Headers that say when to come back."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds that an answer can ask to wait at the most: a day.
LONGEST = 86_400.0


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
