"""What leaves the fake: one plain value for every answer, whichever way it is sent."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Literal

import msgspec

GZIP_FROM = 1024
"""Bodies larger than this many bytes are compressed for clients that take gzip."""

PACKED = ("application/x-gzip", "application/zip", "image/")
"""Types of bodies that no server compresses once more."""

BODILESS = frozenset({204, 304})

Ending = Literal["whole", "cut", "reset"]
"""How the connection ends: as it should, closed halfway through the body, or reset before the first byte."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the fake.

    Attributes:
        status: HTTP status, 100 to 599.
        headers: Header names in lower case and their values.
        body: The bytes on the wire, compressed if `content-encoding` says so.
        delay: Seconds until the answer begins; `inf` for one that never comes.
        ending: What happens to the connection.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    delay: float = 0.0
    ending: Ending = "whole"


class RefusedError(Exception):
    """A request that the API answers with an error; carries the error's body."""

    def __init__(self, status: int, title: str | None = None, **details: str) -> None:
        """Keep what the answer says.

        Args:
            status: HTTP status of the answer.
            title: Its `title`; None takes the status's own phrase.
            **details: Its `details`.
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
    """What arrives of a body that breaks off."""
    return body[: len(body) // 2]


def json_reply(value: object, status: int = 200) -> Reply:
    """An answer with a JSON body; datetimes come out as the API writes them, in seconds with a `Z`."""
    return Reply(status, {"content-type": "application/json"}, msgspec.json.encode(value))


def error_reply(error: RefusedError) -> Reply:
    """The API's error body: `title`, `status`, `details`."""
    body = {"title": error.title, "status": error.status, "details": error.details}
    return json_reply(body, error.status)


def with_headers(reply: Reply, headers: Mapping[str, str]) -> Reply:
    """The same answer with further headers; a name that is there already is replaced."""
    return replace(reply, headers={**reply.headers, **headers})


def packed(reply: Reply, accept_encoding: str) -> Reply:
    """The same answer as it is sent: measured, and in gzip where the client takes it and it is worth it."""
    reply = _compressed(reply, accept_encoding)
    if reply.status in BODILESS:
        return replace(reply, body=b"")
    # Behind what is there already, because a fault may lie about the length.
    return replace(reply, headers={"content-length": str(len(reply.body)), **reply.headers})


def _compressed(reply: Reply, accept_encoding: str) -> Reply:
    accepted = {coding.partition(";")[0].strip() for coding in accept_encoding.lower().split(",")}
    packed_already = reply.headers.get("content-type", "").startswith(PACKED) or "content-encoding" in reply.headers
    if len(reply.body) <= GZIP_FROM or "gzip" not in accepted or packed_already:
        return reply
    # The lowest level and no time stamp: cheap, and the same bytes on every run.
    smaller = replace(reply, body=gzip.compress(reply.body, 1, mtime=0))
    return with_headers(smaller, {"content-encoding": "gzip"})
