"""The wire, looked at through the public way in: an `http_client` of our own that keeps what comes back."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from scapi.exceptions import ScApiException

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Exchange", "Wire"]


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One call and what came of it.

    Attributes:
        endpoint: What was asked, by the name of the method.
        result: What the client made of the answer.
        error: What the client raised instead.
        status: The HTTP status; 0 where no answer came.
        headers: The headers of the answer, names in lower case.
        body: The body of the answer, decompressed.
        seconds: From the request to the whole answer.
        received: When the answer was there, in seconds of the epoch by our clock.
        saved: Whether the answer was only read from a file, so that nothing but its body means anything.
    """

    endpoint: str
    result: Any = None
    error: ScApiException | None = None
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    seconds: float = 0.0
    received: float = 0.0
    saved: bool = False


class Wire(httpx.BaseTransport):
    """A transport that keeps the last answer.

    Args:
        inner: What sends.
        saved: Whether it only reads what somebody saved.
    """

    def __init__(self, inner: httpx.BaseTransport, *, saved: bool = False) -> None:
        self._inner = inner
        self._saved = saved
        self._seen: dict[str, Any] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send, keep the whole answer, and hand it on decompressed."""
        began = time.perf_counter()
        response = self._inner.handle_request(request)
        body = response.read()
        response.close()
        self._seen = {
            "status": response.status_code,
            "headers": dict(response.headers),
            "body": body,
            "seconds": time.perf_counter() - began,
            "received": time.time(),
            "saved": self._saved,
        }
        kept = [(name, value) for name, value in response.headers.items() if name != "content-encoding"]
        return httpx.Response(response.status_code, headers=kept, content=body)

    def close(self) -> None:
        """Close what sends."""
        self._inner.close()

    def exchange(self, endpoint: str, call: Callable[[], Any]) -> Exchange:
        """Make one call and tell everything about it. It never raises what the API can be blamed for."""
        self._seen = {}
        try:
            result = call()
        except ScApiException as error:
            return Exchange(endpoint=endpoint, error=error, **self._seen)
        return Exchange(endpoint=endpoint, result=result, **self._seen)
