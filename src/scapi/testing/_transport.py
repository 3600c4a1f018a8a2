"""The fake as an httpx transport, without a socket and without real time."""

import math
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx

from scapi.testing._http import Reply, half

Handle = Callable[[str, str, list[tuple[str, str]], bytes], Reply]


class FakeTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport for clients of `httpx` and `httpx2`, sync and async.

    Args:
        handle: Answers a request.
        advance: Moves the fake's clock; used instead of every wait.
    """

    def __init__(self, handle: Handle, advance: Callable[[float], None]) -> None:
        self._handle = handle
        self._advance = advance

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        request.read()
        return self.handler(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        await request.aread()
        return self.handler(request)

    def handler(self, request: httpx.Request) -> httpx.Response:
        """Answer a request that has been read. `httpx.MockTransport` takes this method as its handler."""
        # httpx2 has its own classes, and its clients need its own responses.
        library: Any = sys.modules[type(request).__module__]
        target = request.url.raw_path.decode("ascii")
        reply = self._handle(request.method, target, request.headers.multi_items(), request.content)
        self._wait(request, reply.delay, library)
        if reply.ending == "reset":
            raise library.ReadError("connection reset by the fake", request=request)
        body = {"stream": _cut(reply.body, library)} if reply.ending == "cut" else {"content": reply.body}
        response: httpx.Response = library.Response(reply.status, headers=dict(reply.headers), **body)
        return response

    def _wait(self, request: httpx.Request, delay: float, library: Any) -> None:
        patience = request.extensions.get("timeout", {}).get("read")
        if patience is not None and delay > patience:
            self._advance(patience)
        elif delay < math.inf:
            self._advance(delay)
            return
        # Also without a timeout: a test must not wait forever.
        raise library.ReadTimeout("no response from the fake within the timeout", request=request)


def _cut(body: bytes, library: Any) -> Any:
    """Return a stream of the first half of a body. Then it fails like a closed connection."""

    class CutStream(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc]  # known only at run time
        def __iter__(self) -> Iterator[bytes]:
            yield half(body)
            raise library.RemoteProtocolError("connection closed by the fake within the body")

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for chunk in self:
                yield chunk

    return CutStream()
