"""The fake as an httpx transport: no socket, and no real time."""

import math
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx

from scapi.testing._http import Reply, half

Handle = Callable[[str, str, list[tuple[str, str]], bytes], Reply]


class FakeTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport for both kinds of client, those of `httpx` and those of `httpx2`.

    Args:
        handle: Answers a request.
        advance: Moves the fake's clock; stands for every wait.
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
        """Answer a request that has been read, as `httpx.MockTransport` wants it of a function."""
        # The classes of httpx2 are its own, and a client of it wants answers of its own.
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
        # Also for a client that would wait forever: nobody wants a test that does.
        raise library.ReadTimeout("no answer from the fake in time", request=request)


def _cut(body: bytes, library: Any) -> Any:
    """Return a stream of the first half of a body, after which the connection is gone."""

    class CutStream(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc]  # it is known at run time
        def __iter__(self) -> Iterator[bytes]:
            yield half(body)
            raise library.RemoteProtocolError("connection closed by the fake within the body")

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for chunk in self:
                yield chunk

    return CutStream()
