"""Record responses with an `http_client` of our own, through the public API of the clients."""

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
    """A call and its response.

    Attributes:
        endpoint: The name of the endpoint.
        result: The result of the call.
        error: The error that the call raised instead.
        status: The HTTP status; 0 without a response.
        headers: The headers of the response, names in lower case.
        body: The body of the response, decompressed.
        seconds: The time from the request to the end of the response.
        received: When the response ended, in seconds since the epoch by our clock.
    """

    endpoint: str
    result: Any = None
    error: ScApiException | None = None
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    seconds: float = 0.0
    received: float = 0.0


class Wire(httpx.BaseTransport):
    """A transport that keeps the last response.

    Args:
        inner: The transport that sends the requests.
    """

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self._seen: dict[str, Any] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, keep the whole response, and return it decompressed."""
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
        }
        kept = [(name, value) for name, value in response.headers.items() if name != "content-encoding"]
        return httpx.Response(response.status_code, headers=kept, content=body)

    def close(self) -> None:
        """Close the inner transport."""
        self._inner.close()

    def exchange(self, endpoint: str, call: Callable[[], Any]) -> Exchange:
        """Make a call and record it. A `ScApiException` is recorded, not raised."""
        self._seen = {}
        try:
            result = call()
        except ScApiException as error:
            return Exchange(endpoint=endpoint, error=error, **self._seen)
        return Exchange(endpoint=endpoint, result=result, **self._seen)
