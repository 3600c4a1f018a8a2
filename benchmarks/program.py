"""One program of the comparison in a process of its own: `python benchmarks/program.py NAME URL`.

Reads commands from its input, a JSON object a line, and answers each with a JSON object a line:

- `{"work": "lots", "at_once": 16, "seconds": 0.3}`: calls made one after another by so many tasks or threads;
- `{"bulk": 500, "at_once": 16}`: one call for the lots of each of so many items, with the program's own means;
- `{"walk": "s80000"}`: all sales of an item read page by page, none of them kept;
- `{"hold": 100000}`: so many sales read, page by page, and kept;
- `{"read": "<file>", "work": "lots"}`: one body in memory turned into results.

It imports nothing of the other programs, so that each pays for itself alone, and no name of this package, so that it
runs where only the peers are installed.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json
import resource
import socket
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

TOKEN = "benchmark"  # noqa: S105  # the server looks at none
PAGE = 200
TARGETS = {
    "emission": "/ru/emission",
    "lots": "/ru/auction/zyv9/lots?limit=200&offset=0&sort=time_created&order=asc&additional=true",
    "history": "/ru/auction/zyv9/history?limit=200&offset=0&additional=true",
    "sessions": "/ru/operations/sessions?limit=100&offset=0&sort=date_finish&order=desc",
}
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}


# ── the programs: each a table of calls, awaited or not, by work ──────────────────────────────────────────────────────


def scapi_async(url: str) -> dict[str, Callable[..., Any]]:
    from scapi import AppClient

    return _ours(AppClient(token=TOKEN, base_url=url, pace=False))


def scapi_over_aiohttp(url: str) -> dict[str, Callable[..., Any]]:
    import httpx
    from httpx_aiohttp import AiohttpTransport

    from scapi import AppClient

    http_client = httpx.AsyncClient(transport=AiohttpTransport())
    client = AppClient(token=TOKEN, base_url=url, pace=False, http_client=http_client)
    return _ours(client) | {"close": http_client.aclose}


def _ours(client: Any) -> dict[str, Callable[..., Any]]:
    async def bulk(items: list[str], at_once: int) -> int:
        auctions = client.auctions(items)
        return len([found async for found in auctions.lots(limit=200, additional=True, concurrency=at_once)])

    async def walk(item: str) -> int:
        count = 0
        async for _ in client.auction(item).iter_price_history(additional=True):
            count += 1
        return count

    return _models(client) | {"bulk": bulk, "walk": walk}


def scapi_sync(url: str) -> dict[str, Callable[..., Any]]:
    from scapi.sync import AppClient

    client = AppClient(token=TOKEN, base_url=url, pace=False)

    def bulk(items: list[str], at_once: int) -> int:
        auctions = client.auctions(items)
        return len([*auctions.lots(limit=200, additional=True, concurrency=at_once)])

    def walk(item: str) -> int:
        return sum(1 for _ in client.auction(item).iter_price_history(additional=True))

    return _models(client) | {"bulk": bulk, "walk": walk}


def stalcraft_api(url: str) -> dict[str, Callable[..., Any]]:
    from scapi import AppClient  # in the peers' environment this name is stalcraft-api's

    return _models(AppClient(token=TOKEN, base_url=url))


def _models(client: Any) -> dict[str, Callable[..., Any]]:
    """What we and stalcraft-api spell in the same way."""
    auction = client.auction("zyv9")
    return {
        "emission": client.emission,
        "lots": lambda: auction.lots(limit=200, additional=True),
        "history": lambda: auction.price_history(limit=200, additional=True),
        "sessions": lambda: client.operations_sessions(limit=100),
        "item": lambda item: client.auction(item).lots(limit=200, additional=True),
        "page": lambda offset: client.auction("s100000").price_history(limit=PAGE, offset=offset, additional=True),
        "close": client.close,
    }


def _by_hand(get: Callable[[str], Any], close: Callable[[], Any]) -> dict[str, Callable[..., Any]]:
    calls = {work: lambda target=target: get(target) for work, target in TARGETS.items()}
    return calls | {"item": lambda item: get(_target_of(item)), "close": close}


def _target_of(item: str) -> str:
    return TARGETS["lots"].replace("zyv9", item)


def httpx_json(url: str) -> dict[str, Callable[..., Any]]:
    import httpx

    client = httpx.AsyncClient(base_url=url, headers=HEADERS)

    async def get(target: str) -> Any:
        return (await client.get(target)).raise_for_status().json()

    return _by_hand(get, client.aclose)


def aiohttp_json(url: str) -> dict[str, Callable[..., Any]]:
    import aiohttp

    session: aiohttp.ClientSession | None = None

    async def get(target: str) -> Any:
        nonlocal session
        session = session or aiohttp.ClientSession(base_url=url, headers=HEADERS, raise_for_status=True)
        async with session.get(target) as answer:
            return await answer.json()

    async def close() -> None:
        if session:
            await session.close()

    return _by_hand(get, close)


def requests_json(url: str) -> dict[str, Callable[..., Any]]:
    import requests

    mine = threading.local()

    def get(target: str) -> Any:
        # Its sessions are not safe for threads: each has its own, as its users are told to do.
        if not hasattr(mine, "session"):
            mine.session = requests.Session()
            mine.session.headers.update(HEADERS)
        answer = mine.session.get(url + target, timeout=30)
        answer.raise_for_status()
        return answer.json()

    return _by_hand(get, lambda: None)


def raw_protocol(url: str) -> dict[str, Callable[..., Any]]:
    parts, idle, decoders = urlsplit(url), [], _decoders()

    async def get(work: str, request: bytes) -> Any:
        loop = asyncio.get_running_loop()
        if not idle:
            idle.append((await loop.create_connection(_Reader, parts.hostname, parts.port))[1])
        connection = idle.pop()
        body = await connection.exchange(loop, request)
        idle.append(connection)
        return decoders[work].decode(body)

    async def close() -> None:
        for connection in idle:
            connection.transport.close()

    return _raw(url, get, close)


def raw_socket(url: str) -> dict[str, Callable[..., Any]]:
    parts, idle, decoders = urlsplit(url), [], _decoders()

    def get(work: str, request: bytes) -> Any:
        connection = idle.pop() if idle else socket.create_connection((parts.hostname, parts.port))
        connection.sendall(request)
        data = connection.recv(2**17)
        head, _, body = data.partition(b"\r\n\r\n")
        chunks, missing = [body], int(head.rpartition(b" ")[2]) - len(body)
        while missing:
            chunks.append(connection.recv(missing))
            missing -= len(chunks[-1])
        idle.append(connection)
        return decoders[work].decode(b"".join(chunks))

    def close() -> None:
        for connection in idle:
            connection.close()

    return _raw(url, get, close)


def _raw(url: str, get: Callable[[str, bytes], Any], close: Callable[[], Any]) -> dict[str, Callable[..., Any]]:
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())

    def request(target: str) -> bytes:
        return f"GET {target} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n{head}\r\n".encode()

    requests = {work: request(target) for work, target in TARGETS.items()}
    calls = {work: lambda work=work: get(work, requests[work]) for work in TARGETS}
    return calls | {"item": lambda item: get("lots", request(_target_of(item))), "close": close}


class _Reader(asyncio.Protocol):
    """The least that reads an answer with a length."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def exchange(self, loop: asyncio.AbstractEventLoop, request: bytes) -> asyncio.Future[bytes]:
        self._answer = loop.create_future()
        self._chunks, self._missing = [], None
        self.transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        if self._missing is None:
            head, _, data = data.partition(b"\r\n\r\n")
            self._missing = int(head.rpartition(b" ")[2])
        self._chunks.append(data)
        self._missing -= len(data)
        if not self._missing:
            self._answer.set_result(b"".join(self._chunks))


def _decoders() -> dict[str, Any]:
    import msgspec

    from scapi import models

    # The same models as ours, so that the limit is one of the transport.
    rows = {"lots": models.AuctionLot, "prices": models.AuctionPrice, "sessions": models.OperationSession}
    lots, history, sessions = (
        msgspec.json.Decoder(msgspec.defstruct("Page", [("total", int), (name, list[model])]), strict=False)
        for name, model in rows.items()
    )
    emission = msgspec.json.Decoder(models.EmissionState)
    return {"emission": emission, "lots": lots, "history": history, "sessions": sessions}


def additional_alone(url: str) -> dict[str, Callable[..., Any]]:
    """Of each sale nothing but the dict of what is known of the piece."""
    calls = scapi_async(url)

    async def page(offset: int) -> list[Any]:
        return [sale.additional for sale in await calls["page"](offset)]

    return calls | {"page": page}


def least(url: str) -> dict[str, Callable[..., Any]]:
    """For what only reads, and for sales whose `additional` is kept as the bytes that it came in."""
    from urllib.request import urlopen

    import msgspec

    decode = _least_reader("msgspec, additional undecoded", "history")

    async def page(offset: int) -> list[Any]:
        with urlopen(f"{url}/ru/auction/s100000/history?limit={PAGE}&offset={offset}") as answer:  # noqa: S310, ASYNC210  # our own server, and nothing else goes on
            sales = decode(answer.read()).prices
        # Without a copy each would keep the whole page.
        return [msgspec.structs.replace(sale, additional=sale.additional.copy()) for sale in sales]

    async def close() -> None:
        pass

    return {"page": page, "close": close}


PROGRAMS = {
    "scapi": scapi_async,
    "scapi over aiohttp": scapi_over_aiohttp,
    "stalcraft-api": stalcraft_api,
    "httpx+json": httpx_json,
    "aiohttp+json": aiohttp_json,
    "asyncio protocol+msgspec": raw_protocol,
    "scapi.sync": scapi_sync,
    "requests+json": requests_json,
    "blocking socket+msgspec": raw_socket,
    "scapi, additional alone": additional_alone,
    "msgspec, additional undecoded": least,
    "msgspec, no additional": least,
    "msgspec, dicts": least,
    "msgspec, nothing kept": least,
}


# ── what is measured ──────────────────────────────────────────────────────────────────────────────────────────────────


def turns(seconds: float) -> Iterator[tuple[()]]:
    """The arguments of one call, again and again until the time is over, for all tasks or threads together."""
    end = time.perf_counter() + seconds
    return itertools.takewhile(lambda _: time.perf_counter() < end, itertools.repeat(()))


async def tasks(call: Callable[..., Awaitable[Any]], left: Iterator[tuple[Any, ...]], at_once: int) -> int:
    made = 0

    async def work() -> None:
        nonlocal made
        for arguments in left:
            await call(*arguments)
            made += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
    return made


def threads(call: Callable[..., Any], left: Iterator[tuple[Any, ...]], at_once: int) -> int:
    made: list[int] = []

    def work() -> None:
        count = 0
        for arguments in left:
            call(*arguments)
            count += 1
        made.append(count)

    workers = [threading.Thread(target=work) for _ in range(at_once)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(made)


def measured(run: Callable[[], int]) -> dict[str, float]:
    cpu, start = time.process_time(), time.perf_counter()
    calls = run()
    return {"calls": calls, "seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}


def held(page: Callable[[int], list[Any]], count: int) -> dict[str, float]:
    """The peak of the memory while so many sales are read and kept, above what it was after the first page."""
    page(0)
    before = _peak()
    sales = [sale for offset in range(0, count, PAGE) for sale in page(offset)]
    assert len(sales) == count, len(sales)
    return {"mib": _peak() - before}


def _peak() -> float:
    """The most memory that the process has had so far, in MiB."""
    # In KiB, but on macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def read(name: str, work: str, path: str) -> dict[str, float]:
    """Microseconds to turn one body into results, the least of many runs."""
    body = Path(path).read_bytes()
    readers = {"scapi": _our_reader, "stalcraft-api": _peer_reader}
    decode = readers[name](work) if name in readers else _least_reader(name, work)
    times = []
    for _ in range(50):
        start = time.perf_counter()
        decode(body)
        times.append(time.perf_counter() - start)
    return {"us": 1e6 * sorted(times)[len(times) // 2]}


def _our_reader(work: str) -> Callable[[bytes], Any]:
    from scapi._api import decoding

    decode = {"lots": decoding.LOTS, "history": decoding.PRICES, "sessions": decoding.SESSIONS}[work]
    return lambda body: decode(body, page=decoding.Page(limit=PAGE, offset=0))


def _peer_reader(work: str) -> Callable[[bytes], Any]:
    from scapi.client import models
    from scapi.http import Listing

    model, key = {
        "lots": (models.AuctionLot, "lots"),
        "history": (models.AuctionPrice, "prices"),
        "sessions": (models.OperationSession, "sessions"),
    }[work]
    return lambda body: Listing(json.loads(body), model, key, "total")


def _least_reader(name: str, work: str) -> Callable[[bytes], Any]:
    """What msgspec takes at the least, for less and less of a result."""
    import msgspec

    from scapi import models

    key, model = {
        "lots": ("lots", models.AuctionLot),
        "history": ("prices", models.AuctionPrice),
        "sessions": ("sessions", models.OperationSession),
    }[work]
    rows = {
        "msgspec, additional undecoded": lambda: list[_row(model, {"additional": msgspec.Raw})],
        "msgspec, no additional": lambda: list[_row(model, {"additional": None})],
        "msgspec, dicts": lambda: list[dict[str, Any]],
        "msgspec, nothing kept": lambda: msgspec.Raw,
    }[name]()
    return msgspec.json.Decoder(msgspec.defstruct("Page", [("total", int), (key, rows)]), strict=False).decode


def _row(model: Any, changed: dict[str, Any]) -> Any:
    """A model of ours, with another kind for some fields, and without those that have none."""
    import msgspec

    fields: list[Any] = []
    for field in msgspec.structs.fields(model):
        kind = changed.get(field.name, field.type)
        if kind is not None:
            default = () if field.default is msgspec.NODEFAULT else (field.default,)
            fields.append((field.encode_name, kind, *default))
    return msgspec.defstruct("Row", fields, kw_only=True, frozen=True)


def main(name: str, url: str) -> None:
    calls = PROGRAMS[name](url)
    is_async = inspect.iscoroutinefunction(calls["close"])
    with asyncio.Runner() as runner:

        def done(call: Callable[..., Any], *arguments: Any) -> Any:
            result = call(*arguments)
            return runner.run(_awaited(result)) if is_async else result

        def make(call: Callable[..., Any], left: Iterator[tuple[Any, ...]], at_once: int) -> int:
            return runner.run(tasks(call, left, at_once)) if is_async else threads(call, left, at_once)

        def bulk(count: int, at_once: int) -> int:
            items = [f"i{number:03}" for number in range(count)]
            made = (
                done(calls["bulk"], items, at_once)
                if "bulk" in calls
                else make(calls["item"], zip(items, strict=True), at_once)
            )
            assert made == count, made
            return made

        def walk(item: str) -> int:
            count: int = done(calls["walk"], item)
            assert item == f"s{count}", count
            return count

        def obey(command: dict[str, Any]) -> dict[str, float]:
            if "hold" in command:
                return held(partial(done, calls["page"]), command["hold"])
            if "read" in command:
                return read(name, command["work"], command["read"])
            if "walk" in command:
                return measured(partial(walk, command["walk"])) | {"peak": _peak()}
            if "bulk" in command:
                return measured(partial(bulk, command["bulk"], command["at_once"]))
            return measured(partial(make, calls[command["work"]], turns(command["seconds"]), command["at_once"]))

        for line in sys.stdin:
            print(json.dumps(obey(json.loads(line))), flush=True)
        done(calls["close"])


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value


if __name__ == "__main__":
    main(*sys.argv[1:])
