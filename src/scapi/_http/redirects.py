"""Decide whether to follow a redirect: only within the same host, because the credentials are sent along."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from scapi._http.messages import HttpResponse


#: The maximum number of redirects of one request. More are taken for a loop.
MOST = 5

REDIRECTS = {301, 302, 303, 307, 308}


def target(response: HttpResponse, url: str) -> str | None:
    """Return the URL to follow. `None` if the response is not a redirect, or one that must not be followed."""
    location = response.headers.get("location")
    if response.status not in REDIRECTS or not location:
        return None
    try:
        there = urlsplit(urljoin(url, location))
        return there.geturl() if _same_host(urlsplit(url), there) else None
    except ValueError:
        return None


def _same_host(here: SplitResult, there: SplitResult) -> bool:
    """Return whether two URLs lead to the same server. An upgrade from http to https is allowed."""
    if there.username or there.password or here.hostname != there.hostname:
        return False
    upgraded = (here.scheme, there.scheme) == ("http", "https") and here.port is there.port is None
    return upgraded or (here.scheme, here.port) == (there.scheme, there.port)
