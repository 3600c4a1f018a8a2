"""The body of an answer, put together and unpacked as it comes in."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from scapi._http.messages import KEPT, HttpResponse
from scapi.config import Config
from scapi.exceptions import DecodeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from zlib import _Decompress  # pyright: ignore[reportPrivateUsage]  # typeshed's name, there is no public one

    from scapi._http.messages import HttpRequest


#: Bytes that are decompressed at once: a chunk off the wire may hold a thousand times as many as it has.
MOST = 2**20


class Body:
    """Collects the body of an answer, up to a limit, so that a gzip bomb ends in an error, not in swap.

    Args:
        status: The status of the answer.
        headers: Its headers, by their lower-case names.
        http_request: The request that it answers.
    """

    def __init__(self, status: int, headers: Mapping[str, str], http_request: HttpRequest) -> None:
        self._status = status
        self._headers = headers
        self._http_request = http_request
        self._limit = Config.MAX_BODY
        self._begun = False
        # One buffer: a list of parts of two bytes each would take twenty times as much. Most bodies come in one part.
        self._body: bytes | bytearray = b""
        self._gzip = self._decompressor(headers.get("content-encoding", "identity").strip())

    @property
    def length(self) -> int | None:
        """How many bytes the whole body has, if the server said so."""
        stated = self._headers.get("content-length", "")
        return int(stated) if stated.isdecimal() and self._gzip is None else None

    def add(self, chunk: bytes) -> None:
        """Take the next chunk off the wire, or raise `DecodeError` if it can't be decompressed or is too much."""
        for part in self.unpack(chunk):
            if len(self._body) + len(part) > self._limit:
                raise self._error(f"the body is larger than Config.MAX_BODY, {self._limit} bytes")
            if isinstance(self._body, bytearray):
                self._body += part
            else:
                self._body = bytearray(self._body) + part if self._body else part

    def unpack(self, chunk: bytes) -> Iterator[bytes]:
        """A chunk off the wire, in parts that are decompressed if need be."""
        if self._gzip is None:
            yield chunk
            return
        self._begun = True
        part = b"-" * MOST
        # A part that is full may have more behind it, even if all of the chunk was taken.
        while chunk or len(part) == MOST:
            part = self._decompressed(self._gzip, chunk)
            chunk = self._gzip.unconsumed_tail
            if part:
                yield part

    def _decompressed(self, gzip: _Decompress, chunk: bytes) -> bytes:
        # What follows the end would be kept, and copied with each chunk, without ever counting as a body.
        if not (gzip.eof and chunk):
            try:
                part = gzip.decompress(chunk, MOST)
            except zlib.error as cause:
                raise self._error(f"the body can't be decompressed: {cause}") from cause
            if not gzip.unused_data:
                return part
        raise self._error("the body can't be decompressed: it goes on after its end")

    def response(self) -> HttpResponse:
        """The whole answer."""
        if self._gzip and self._begun and not self._gzip.eof:
            raise self._error("the body can't be decompressed: it is cut off")
        return HttpResponse(self._status, self._headers, bytes(self._body))

    def _decompressor(self, encoding: str) -> _Decompress | None:
        """What unpacks the body. An encoding that wasn't asked for is refused: `gzip, gzip` packs 1 MB into a byte."""
        if encoding.lower() in {"identity", ""}:
            return None
        if encoding.lower() not in {"gzip", "x-gzip"}:
            shown = self._http_request.redact(encoding.encode()).decode()[:40]
            raise self._error(f"the body is encoded as {shown!r}, which was not asked for")
        return zlib.decompressobj(zlib.MAX_WBITS | 16)

    def _error(self, message: str) -> DecodeError:
        body = self._http_request.redact(bytes(self._body))[:KEPT]
        return DecodeError(message, body=body, url=self._http_request.url, status=self._status)
