"""The response of the fake as a plain value, independent of how it is sent."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Literal

import msgspec

GZIP_FROM = 1024
"""Bodies larger than this (in bytes) are compressed for clients that accept gzip."""

PACKED = ("application/x-gzip", "application/zip", "image/")
"""Content types that are compressed already."""

BODILESS = frozenset({204, 304})

Ending = Literal["whole", "cut", "reset"]
"""How the connection ends: normally, closed halfway through the body, or reset before the first byte."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A response of the fake.

    Attributes:
        status: HTTP status, 100 to 599.
        headers: Header names in lower case and their values.
        body: The bytes on the wire, compressed if `content-encoding` says so.
        delay: Seconds until the response begins; `inf` means never.
        ending: What happens to the connection.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    delay: float = 0.0
    ending: Ending = "whole"


class RefusedError(Exception):
    """A request that the API answers with an error. It carries the data of the error's body."""

    def __init__(self, status: int, title: str | None = None, **details: str) -> None:
        """Set the content of the error's body.

        Args:
            status: HTTP status of the response.
            title: The `title`; None for the phrase of the status.
            **details: The `details`.
        """
        super().__init__(title)
        self.status = status
        self.title = title or _phrase(status)
        self.details = details


def _phrase(status: int) -> str:
    if status == 429:
        return "Rate limit exceeded"
    known = {known.value: known.phrase for known in HTTPStatus}
    return known.get(status, f"Status {status}")


def half(body: bytes) -> bytes:
    """Return the first half of a body."""
    return body[: len(body) // 2]


def json_reply(value: object, status: int = 200) -> Reply:
    """Return a response with a JSON body. Datetimes are formatted as in the API, in seconds with a `Z`."""
    return Reply(status, {"content-type": "application/json"}, msgspec.json.encode(value))


def error_reply(error: RefusedError) -> Reply:
    """Return a response with the API's error body: `title`, `status`, `details`."""
    body = {"title": error.title, "status": error.status, "details": error.details}
    return json_reply(body, error.status)


def with_headers(reply: Reply, headers: Mapping[str, str]) -> Reply:
    """Return the response with more headers. They replace headers of the same name."""
    return replace(reply, headers={**reply.headers, **headers})


def packed(reply: Reply, accept_encoding: str) -> Reply:
    """Return the response as it is sent: with its length, and gzipped if the client accepts it and it saves bytes."""
    reply = _compressed(reply, accept_encoding)
    if reply.status in BODILESS:
        return replace(reply, body=b"")
    # The reply's own headers win: a fault may have set a wrong length.
    return replace(reply, headers={"content-length": str(len(reply.body)), **reply.headers})


def _compressed(reply: Reply, accept_encoding: str) -> Reply:
    accepted = {coding.partition(";")[0].strip() for coding in accept_encoding.lower().split(",")}
    packed_already = reply.headers.get("content-type", "").startswith(PACKED) or "content-encoding" in reply.headers
    if len(reply.body) <= GZIP_FROM or "gzip" not in accepted or packed_already:
        return reply
    # The lowest level is fast. Without a timestamp, every run gives the same bytes.
    smaller = replace(reply, body=gzip.compress(reply.body, 1, mtime=0))
    return with_headers(smaller, {"content-encoding": "gzip"})
