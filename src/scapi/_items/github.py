"""GitHub's REST API without I/O: build requests, read responses.

Source: https://docs.github.com/rest
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec

from scapi._api import decoding, errors
from scapi._base import validation
from scapi._base.json_types import is_array
from scapi._http import redirects
from scapi._http.headers import LONGEST, parse_retry_after
from scapi._ratelimit.window import RateLimitHeaders
from scapi.config import environment_url
from scapi.exceptions import RateLimitError
from scapi.models import RateLimit
from scapi.models._base import Time
from scapi.models.github import Commit, ContentEntry, Diff

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scapi._http.messages import HttpRequest, HttpResponse
    from scapi.exceptions import RequestError


T = TypeVar("T")

API_URL = "https://api.github.com"
RAW_URL = "https://raw.githubusercontent.com"

#: Archive formats and their names in GitHub's URLs.
ARCHIVES = {"tar.gz": "tarball", "zip": "zipball"}

UNKNOWN = RateLimit()

HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Repository(NamedTuple):
    """A branch of a repository and the URLs of its servers."""

    name: str
    branch: str
    raw_url: str
    api_url: str

    @classmethod
    def of(cls, name: str, branch: str, raw_url: str | None, api_url: str | None) -> Repository:
        """Return a checked repository. Raises a `ValueError` that names the invalid part."""
        if not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", validation.text("repository", name), re.ASCII):
            raise validation.refuse("repository", name, "like 'owner/name'")
        return cls(
            name=name,
            branch=validation.text("branch", branch),
            raw_url=validation.base_url("raw_url", raw_url or environment_url("SCAPI_GITHUB_URL", RAW_URL)),
            api_url=validation.base_url("api_url", api_url or environment_url("SCAPI_GITHUB_URL", API_URL)),
        )

    def file_url(self, path: str, ref: str | None = None) -> str:
        """Return the URL of a file's content."""
        return f"{self.raw_url}/{self.name}/{_path('ref', ref or self.branch)}/{_path('path', path)}"

    def commit_url(self, ref: str | None = None) -> str:
        """Return the URL of a commit, by default the branch's latest."""
        return self._url(f"commits/{_path('ref', ref or self.branch)}")

    def diff_url(self, base: str, head: str | None) -> str:
        """Return the URL that compares two commits. The second is by default the branch's latest."""
        return self._url(f"compare/{_path('base', base)}...{_path('head', head or self.branch)}")

    def contents_url(self, path: str, ref: str | None) -> str:
        """Return the URL that lists a folder."""
        place = f"/{_path('path', path)}" if path.strip("/") else ""
        return self._url(f"contents{place}?ref={_path('ref', ref or self.branch)}")

    def archive_url(self, format: str, ref: str | None) -> str:
        """Return the URL of an archive of the whole repository."""
        if format not in ARCHIVES:
            raise validation.refuse("format", format, " or ".join(map(repr, ARCHIVES)))
        return self._url(f"{ARCHIVES[format]}/{_path('ref', ref or self.branch)}")

    def _url(self, path: str) -> str:
        return f"{self.api_url}/repos/{self.name}/{path}"


def _path(name: str, path: str) -> str:
    """Percent-encode a path for a URL."""
    parts = validation.text(name, path).strip("/").split("/")
    return "/".join(validation.path_part(name, part) for part in parts)


def redirected(response: HttpResponse, http_request: HttpRequest) -> HttpRequest | None:
    """Return the request that follows a redirect, or `None`. A request to another host has no credentials."""
    if same := redirects.target(response, http_request.url):
        return http_request.moved(same)
    location = response.headers.get("location")
    if response.status in redirects.REDIRECTS and location:
        with suppress(ValueError):
            there = urljoin(http_request.url, location)
            return http_request.elsewhere(there) if urlsplit(there).scheme == "https" else None
    return None


def origin(url: str) -> str:
    """Return the scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


# ── responses ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def check(response: HttpResponse, http_request: HttpRequest, now: float) -> HttpResponse:
    """Return the response, or raise the error it stands for.

    Raises:
        RateLimitError: The hour's requests are used up. GitHub's status is 403 or 429.
        RequestError: Any other error status.
    """
    if 200 <= response.status < 300 or (response.status == 304 and "If-None-Match" in http_request.extra):
        return response
    error = errors.from_response(response, http_request)
    raise _rate_limit_error(error, now) or error


def _rate_limit_error(error: RequestError, now: float) -> RateLimitError | None:
    retry_after = parse_retry_after(error.headers, wall=now)
    spent = ratelimit(error.headers)
    if error.status != 429 and not (error.status == 403 and (retry_after is not None or spent.remaining == 0)):
        return None
    until_reset = min(LONGEST, max(0.0, spent.reset.timestamp() - now)) if spent.reset else 60.0
    return RateLimitError(
        error.message,
        retry_after=until_reset if retry_after is None else retry_after,
        status=error.status,
        url=error.url,
        data=error.data,
        headers=error.headers,
    )


def etag(response: HttpResponse) -> str | None:
    """Return the ETag of a response, unless it is not valid as a request header."""
    value = response.headers.get("etag")
    return value if value and validation.is_header(value) else None


def ratelimit(headers: Mapping[str, str], known: RateLimit = UNKNOWN) -> RateLimit:
    """Read how many of the hour's requests are left. Limit and reset keep their known value if a header is missing.

    If a proxy repeats a header, the lowest count is used. The count never rises within the hour: a cached response may
    report too many. GitHub sends the reset in seconds, unlike the game's API.
    """
    parsed = RateLimitHeaders.parse(headers) or RateLimitHeaders()
    limit = known.limit if parsed.limit is None else parsed.limit
    reset = known.reset if parsed.reset is None else datetime.fromtimestamp(parsed.reset, UTC)
    remaining = parsed.remaining
    if known.remaining is not None and reset == known.reset:
        remaining = known.remaining if remaining is None else min(remaining, known.remaining)
    return RateLimit(limit=limit, remaining=remaining, reset=reset)


class _Signature(msgspec.Struct):
    date: Time


class _Described(msgspec.Struct):
    message: str
    committer: _Signature


class _Commit(msgspec.Struct):
    sha: str
    html_url: str
    commit: _Described


def commit(body: bytes) -> Commit:
    """Read a commit."""
    raw = _record(body, _Commit)
    return Commit(sha=raw.sha, message=raw.commit.message, date=raw.commit.committer.date, url=raw.html_url)


def diff(body: bytes) -> Diff:
    """Read the difference between two commits."""
    return _record(body, Diff)


def contents(body: bytes) -> list[ContentEntry]:
    """Read the entries of a folder. For a file, return it as the only entry."""
    raw: Any = errors.json(body, ContentEntry)
    # Entry by entry, because a list would drop unreadable entries, and the folder would look empty.
    return [decoding.record(body, entry, ContentEntry) for entry in (raw if is_array(raw) else [raw])]


def _record(body: bytes, model: type[T]) -> T:
    return decoding.record(body, errors.json(body, model), model)
