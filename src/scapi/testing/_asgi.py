"""The fake as an ASGI application."""

import asyncio
import math
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from scapi.testing._http import Reply, half

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Message, Receive, Send], Awaitable[None]]
Handle = Callable[[str, str, list[tuple[str, str]], bytes], Reply]


def asgi_app(handle: Handle) -> ASGIApp:
    """Return an ASGI application around a function that answers requests."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(f"the fake speaks http, not {scope['type']}")
        body = await _body(receive)
        reply = handle(scope["method"], _target(scope), _headers(scope), body)
        if not await _client_waits(receive, reply.delay):
            return
        if reply.ending != "reset":
            await _respond(send, reply)
        if reply.ending != "whole":
            _break(scope, reply.ending)
            # If the application returned before the server notices the closed connection, the server would send a
            # response of its own.
            await receive()

    return app


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _target(scope: Message) -> str:
    # The raw path: in a decoded one, a slash and `%2F` look the same.
    path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")


def _headers(scope: Message) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]


async def _client_waits(receive: Receive, delay: float) -> bool:
    """Wait for the delay. Return False if the client disconnects first."""
    if delay == 0:
        return True
    try:
        # After the body, the only message left to receive is the disconnect.
        await asyncio.wait_for(receive(), None if delay == math.inf else delay)
    except TimeoutError:
        return True
    return False


async def _respond(send: Send, reply: Reply) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.ending == "whole":
        await send({"type": "http.response.body", "body": reply.body})
    else:
        await send({"type": "http.response.body", "body": half(reply.body), "more_body": True})


def _break(scope: Message, action: str) -> None:
    """Close or reset the connection. ASGI has no message for this, so `serve` puts the functions into the scope."""
    if action not in scope.get("state", {}):
        raise RuntimeError(f"this server can't {action} a connection; use FakeApi.serve()")
    scope["state"][action]()
