"""The fake as an httpx transport: no socket, and no real time."""

import math
from collections.abc import AsyncIterator, Callable, Iterator

import httpx

from scapi.testing._wire import Reply, half

Handle = Callable[[str, str, list[tuple[str, str]], bytes], Reply]


def mock_transport(handle: Handle, advance: Callable[[float], None]) -> httpx.MockTransport:
    """A transport for both kinds of httpx client.

    Args:
        handle: Answers a request.
        advance: Moves the fake's clock; stands for every wait.
    """

    def respond(request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode("ascii")
        reply = handle(request.method, target, request.headers.multi_items(), request.content)
        _wait(request, reply.delay, advance)
        if reply.ending == "reset":
            raise httpx.ReadError("connection reset by the fake", request=request)
        if reply.ending == "cut":
            return httpx.Response(reply.status, headers=dict(reply.headers), stream=_CutStream(reply.body))
        return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.body)

    return httpx.MockTransport(respond)


def _wait(request: httpx.Request, delay: float, advance: Callable[[float], None]) -> None:
    patience = request.extensions.get("timeout", {}).get("read")
    if patience is not None and delay > patience:
        advance(patience)
    elif delay < math.inf:
        advance(delay)
        return
    # Also for a client that would wait forever: nobody wants a test that does.
    raise httpx.ReadTimeout("no answer from the fake in time", request=request)


class _CutStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The first half of a body, after which the connection is gone."""

    def __init__(self, body: bytes) -> None:
        self._half = half(body)

    def __iter__(self) -> Iterator[bytes]:
        yield self._half
        raise httpx.RemoteProtocolError("connection closed by the fake within the body")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk
