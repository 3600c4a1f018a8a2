"""Canned answers over a real socket, fast enough not to be what is measured: `python -m benchmarks.server DELAY`.

No HTTP library: the target is cut out of the first line, and the answer to it is looked up whole. The port is printed.

The delay is that of a network: every answer comes so many seconds after its request, and the first one on a connection
so many seconds later still, because a connection takes a round trip of its own to set up.
"""

from __future__ import annotations

import asyncio
import sys
from functools import cache
from urllib.parse import parse_qs, urlsplit

from benchmarks import payloads

#: How many sales the items of these names have; all others have one page.
HISTORIES = {"s8000": 8_000, "s80000": 80_000, "s100000": 100_000}

#: Made once, also where many items are asked for.
BODIES = {
    "emission": cache(payloads.emission),
    "lots": cache(payloads.lots),
    "sessions": cache(payloads.sessions),
}

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@cache
def answer(target: bytes) -> bytes:
    """The whole answer. Each target is asked for many times, and is looked up from the second time on."""
    url = urlsplit(target.decode())
    query = {key: values[0] for key, values in parse_qs(url.query).items()}
    *_, item, kind = url.path.split("/")
    if kind == "history":
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 20))
        body = payloads.page_of_sales(history(HISTORIES.get(item, 200)), offset, limit)
    else:
        body = BODIES[kind]()
    return HEAD % len(body) + body


@cache
def history(count: int) -> list[bytes]:
    return payloads.sales(count)


class Server(asyncio.Protocol):
    def __init__(self, delay: float) -> None:
        self._delay = delay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._pending = b""
        self._ready = asyncio.get_running_loop().time() + self._delay

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while self._pending:
            head, end, rest = self._pending.partition(b"\r\n\r\n")
            if not end:
                return
            self._pending = rest
            # One of the peers asks for a connection per call.
            self._answer(answer(head.split(b" ", 2)[1]), close=b"onnection: close" in head)

    def _answer(self, data: bytes, *, close: bool) -> None:
        if not self._delay:
            self._send(data, close)
            return
        loop = asyncio.get_running_loop()
        loop.call_at(max(loop.time(), self._ready) + self._delay, self._send, data, close)

    def _send(self, data: bytes, close: bool) -> None:
        self._transport.write(data)
        if close:
            self._transport.close()


async def main(delay: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(delay), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Whoever started the server ends it by closing the pipe, however that came about.
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
