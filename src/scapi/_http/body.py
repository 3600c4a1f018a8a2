"""Collect and decompress the body of a response as it arrives."""

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


#: The maximum number of bytes to decompress at once: a chunk may expand a thousandfold.
MOST = 2**20


class Body:
    """Collects the body of a response, up to a limit, so that a gzip bomb raises an error instead of filling memory.

    Args:
        status: The status of the response.
        headers: The headers of the response, by lower-case name.
        http_request: The request.
    """

    def __init__(self, status: int, headers: Mapping[str, str], http_request: HttpRequest) -> None:
        self._status = status
        self._headers = headers
        self._http_request = http_request
        self._limit = Config.MAX_BODY
        self._begun = False
        # One buffer: a list of two-byte parts would take twenty times the memory. Most bodies arrive in one part.
        self._body: bytes | bytearray = b""
        self._gzip = self._decompressor(headers.get("content-encoding", "identity").strip())

    @property
    def length(self) -> int | None:
        """The length of the whole body in bytes, if the server sent it."""
        stated = self._headers.get("content-length", "")
        return int(stated) if stated.isdecimal() and self._gzip is None else None

    def add(self, chunk: bytes) -> None:
        """Add the next received chunk. Raise `DecodeError` if it can't be decompressed or the body gets too large."""
        for part in self.unpack(chunk):
            if len(self._body) + len(part) > self._limit:
                raise self._error(f"the body is larger than Config.MAX_BODY, {self._limit} bytes")
            if isinstance(self._body, bytearray):
                self._body += part
            else:
                self._body = bytearray(self._body) + part if self._body else part

    def unpack(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the parts of a received chunk, decompressed if necessary."""
        if self._gzip is None:
            yield chunk
            return
        self._begun = True
        part = b"-" * MOST
        # After a full part more output may be pending, even if the whole chunk was consumed.
        while chunk or len(part) == MOST:
            part = self._decompressed(self._gzip, chunk)
            chunk = self._gzip.unconsumed_tail
            if part:
                yield part

    def _decompressed(self, gzip: _Decompress, chunk: bytes) -> bytes:
        # zlib would keep the data after the end and copy it with each chunk, and the limit wouldn't count it.
        if not (gzip.eof and chunk):
            try:
                part = gzip.decompress(chunk, MOST)
            except zlib.error as cause:
                raise self._error(f"the body can't be decompressed: {cause}") from cause
            if not gzip.unused_data:
                return part
        raise self._error("the body can't be decompressed: there is data after its end")

    def response(self) -> HttpResponse:
        """Return the complete response."""
        if self._gzip and self._begun and not self._gzip.eof:
            raise self._error("the body can't be decompressed: it is truncated")
        return HttpResponse(self._status, self._headers, bytes(self._body))

    def _decompressor(self, encoding: str) -> _Decompress | None:
        """Return the decompressor. Reject encodings that weren't requested: `gzip, gzip` packs 1 MB into a byte."""
        if encoding.lower() in {"identity", ""}:
            return None
        if encoding.lower() not in {"gzip", "x-gzip"}:
            shown = self._http_request.redact(encoding.encode()).decode()[:40]
            raise self._error(f"the body is encoded as {shown!r}, which was not requested")
        return zlib.decompressobj(zlib.MAX_WBITS | 16)

    def _error(self, message: str) -> DecodeError:
        body = self._http_request.redact(bytes(self._body))[:KEPT]
        return DecodeError(message, body=body, url=self._http_request.url, status=self._status)
