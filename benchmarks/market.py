"""The auction over a real socket, with points, windows, gzip and a history that moves: `python -m benchmarks.market`.

No HTTP library, and nothing of ours: what is measured are its clients. The port is printed. Before each measurement
the client's parent asks for

    /bench/start?limit=400&window=6&into=3&sales=80000&arriving=3

which makes a new history of so many sales and says how many arrive before each page of it but the first. The window of
so many points is so many seconds old when the first request comes. A limit of 0 is none. `/bench/seen` tells how many
requests were answered and refused since, and how many sales there are.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import time
from email.utils import formatdate
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks import payloads

#: What lots and histories cost, in points.
COST = 2
REFUSED = b'{"title":"Rate limit exceeded","status":429,"details":{}}'


class Market:
    """What the server has, and what it has seen."""

    def start(self, query: dict[str, float]) -> None:
        """Begin anew."""
        self.limit, self.window = int(query["limit"]), query["window"]
        self.into, self.opened = query["into"], 0.0
        self.arriving = int(query["arriving"])
        self.sales = history(int(query["sales"])).copy()
        self.spent = self.answered = self.refused = 0

    def seen(self) -> dict[str, Any]:
        """What happened since the start."""
        return {"answered": self.answered, "refused": self.refused, "sales": len(self.sales)}

    def answer(self, path: str, query: dict[str, float]) -> tuple[int, bytes]:
        """A status and a body."""
        if path == "/regions":  # it costs nothing, and is what programs warm up with
            return 200, b"[]"
        # Not before: a program has to be started, and to import what it needs.
        self.opened = self.opened or time.time() - self.into
        passed = int((time.time() - self.opened) // self.window)
        if passed:
            self.opened += passed * self.window
            self.spent = 0
        if self.limit and self.spent + COST > self.limit:
            self.refused += 1
            return 429, REFUSED
        self.spent += COST
        self.answered += 1
        if path.endswith("/lots"):
            return 200, lots()
        return 200, self._page(int(query["offset"]), int(query["limit"]))

    def _page(self, offset: int, limit: int) -> bytes:
        if offset:
            count = len(self.sales)
            self.sales += [payloads.numbered_sale(count + number) for number in range(self.arriving)]
        end = len(self.sales) - offset
        rows = self.sales[max(0, end - limit) : max(0, end)][::-1]
        return b'{"total":%d,"prices":[%b]}' % (len(self.sales), b",".join(rows))

    def headers(self) -> str:
        """The points as the API tells them."""
        if not self.limit:
            return ""
        reset = round(1000 * (self.opened + self.window))
        return (
            f"x-ratelimit-limit: {self.limit}\r\nx-ratelimit-remaining: {self.limit - self.spent}\r\n"
            f"x-ratelimit-reset: {reset}\r\n"
        )


@cache
def lots() -> bytes:
    return payloads.lots()


@cache
def history(count: int) -> list[bytes]:
    """Sales, oldest first, so that new ones are cheap to add."""
    return [payloads.numbered_sale(number) for number in range(count)]


@cache
def packed(body: bytes) -> bytes:
    return gzip.compress(body, 1, mtime=0)


class Server(asyncio.Protocol):
    """One connection."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while b"\r\n\r\n" in self._pending:
            head, _, self._pending = self._pending.partition(b"\r\n\r\n")
            self._answer(head.decode())

    def _answer(self, head: str) -> None:
        url = urlsplit(head.split(" ", 2)[1])
        query = {key: _number(values[0]) for key, values in parse_qs(url.query).items()}
        if url.path.startswith("/bench/"):
            if url.path == "/bench/start":
                self._market.start(query)
            status, body, headers = 200, json.dumps(self._market.seen()).encode(), ""
        else:
            status, body = self._market.answer(url.path, query)
            headers = self._market.headers()
        if "gzip" in head.lower():
            body = packed(body) if url.path.endswith("/lots") else gzip.compress(body, 1, mtime=0)
            headers += "content-encoding: gzip\r\n"
        headers += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        start = f"HTTP/1.1 {status} X\r\ndate: {formatdate(usegmt=True)}\r\n"
        self._transport.write(f"{start}{headers}\r\n".encode() + body)
        if "connection: close" in head.lower():
            self._transport.close()


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return 0.0


async def main() -> None:
    market = Market()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(market), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Whoever started the server ends it by closing the pipe, however that came about.
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
