"""Interrupts calls at random moments by SIGALRM, and prints what is still held then: a program of its own.

    python tests/support/interrupted.py INTERRUPTS SECONDS [--wire] [--bulk] [--latency] [--keep] [--threads]

It ends after so many interrupts, or after so many seconds. `--latency`: the server takes its time. `--keep`: the
exceptions are kept with their tracebacks, as Jupyter, pytest and error trackers do. `--threads`: three more threads
call with the same credentials, two of them with the same client.

The wire is a stub, so that what is tested is what is ours above it: the budget, waits, sessions. With `--wire` it is a
server in a process of its own, so that the connections are tested too. With `--bulk` what is interrupted are calls that
take threads of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scapi import pacing, sync
from scapi._http.httpx_adapter import MAX_CONNECTIONS
from scapi._http.messages import HttpRequest, HttpResponse
from scapi._retry import RetryState

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

LIMIT = 60
WINDOW = 0.1
#: An answer to everything that is asked for here.
BODY = b'{"total": 0, "lots": []}'
#: The path at which the server answers nobody before there are as many requests as a client has connections.
TOGETHER = "/together"


class Alarm(Exception):
    """What the handler raises, as the job limits of task queues do."""


class Points:
    """The points of a server that enforces short windows."""

    def __init__(self) -> None:
        self._reset, self._left = 0.0, LIMIT
        self._lock = threading.Lock()

    def spend(self) -> tuple[int, dict[str, str]]:
        """Take a point: the status and the headers of the answer."""
        with self._lock:
            now = time.time()
            if now >= self._reset:
                self._reset, self._left = now + WINDOW - now % WINDOW, LIMIT
            is_granted = self._left > 0
            self._left = max(0, self._left - 1)
            return 200 if is_granted else 429, {
                "x-ratelimit-limit": str(LIMIT),
                "x-ratelimit-remaining": str(self._left),
                "x-ratelimit-reset": str(round(self._reset * 1000)),
            }


class Stub:
    """Answers in place of a transport."""

    closed = False
    points = Points()

    def __init__(self, latency: float) -> None:
        self._latency = latency

    def send(self, _request: object, _sink: object = None, **_options: object) -> HttpResponse:
        time.sleep(random.random() * self._latency)
        return HttpResponse(*Stub.points.spend(), BODY)

    def refuse(self) -> None:
        """There is nothing to close."""

    close = refuse


async def serve(latency: float) -> None:
    """Serve at a port, which is printed, for as long as stdin is open."""
    points, arrived, all_arrived = Points(), list[bytes](), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while request := await reader.readuntil(b"\r\n\r\n"):
                status, headers = points.spend()
                if f" {TOGETHER} ".encode() in request:
                    status = 200
                    arrived.append(request)
                    if len(arrived) == MAX_CONNECTIONS:
                        all_arrived.set()
                    await asyncio.wait_for(all_arrived.wait(), 30)
                await asyncio.sleep(random.random() * latency)
                lines = [
                    f"HTTP/1.1 {status} x",
                    f"content-length: {len(BODY)}",
                    *(f"{name}: {headers[name]}" for name in headers),
                ]
                # In two parts, so that an interrupt can come between them.
                writer.write("\r\n".join([*lines, "", ""]).encode())
                await asyncio.sleep(0)
                writer.write(BODY)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=256)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    os._exit(0)


@contextmanager
def served(latency: float) -> Generator[str]:
    """The URL of a server in a process of its own."""
    command = [sys.executable, __file__, "0", "0", "--serve", str(latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603  # ours
        assert process.stdin
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()


def connect(url: str | None, latency: float, budget: pacing.Budget) -> Any:
    client = sync.AppClient(token="t", base_url=url or "https://interrupted.test", budget=budget)
    if url is None:
        client._session._transport.refuse()
        client._session._transport = Stub(latency)
    return client


def descriptors() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def call_together(client: Any) -> int:
    """Use all connections of a client at once; how many of the calls succeeded, none of which may have waited."""
    transport, done = client._session._transport, list[int]()
    http_request = HttpRequest(client._session.settings.base_url + TOGETHER, client._session._credentials)

    def call() -> None:
        done.append(transport.send(http_request, retry_state=RetryState(None, 0)).status)

    threads = [threading.Thread(target=call) for _ in range(MAX_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return done.count(200)


def interrupt(call: Any, most: float) -> Exception | None:
    """Make a call, and raise in the middle of it; the exception if that came in time."""
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, most))
            call()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except Alarm as alarm:
        return alarm
    return None


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true, but not for ever."""
    end = time.monotonic() + 30
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)


def call_many(client: Any) -> None:
    """Make calls on threads; none of their results is left out."""
    assert len(list(client.auctions(["a", "b", "c"]).lots(concurrency=3))) == 3


def working() -> int:
    """How many threads of iterators there are, after those had time to end that nobody wants any more."""

    def left() -> int:
        return sum(one.name.startswith("scapi") for one in threading.enumerate())

    wait_for(lambda: not left())
    return left()


def call_on(client: Any, stop: threading.Event, done: list[int]) -> None:
    while not stop.is_set():
        client.emission()
        done.append(1)


def connections(client: Any) -> dict[str, int]:
    """What is held of a client's connections."""
    pool = client._session._transport._pools.get()._pool
    return {
        "leases": sum(hold is not None for hold in pool._leases._owners.values()),
        "in line": len(pool._leases._queue),
        "not closed": len(pool._leases.dropped),
        "places": MAX_CONNECTIONS - call_together(client),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("interrupts", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--serve", type=float)
    for flag in ("--wire", "--bulk", "--latency", "--keep", "--threads"):
        parser.add_argument(flag, action="store_true")
    options = parser.parse_args()
    if options.serve is not None:
        asyncio.run(serve(options.serve))
    latency = 0.004 if options.latency else 0.0
    with served(latency) if options.wire else nullcontext() as url:
        found = look(options, url, latency)
    sys.stdout.write(json.dumps(found))


def look(options: argparse.Namespace, url: str | None, latency: float) -> dict[str, Any]:
    """Interrupt calls, and find what is held then."""

    def raise_alarm(_signal: int, _frame: FrameType | None) -> None:
        raise Alarm

    signal.signal(signal.SIGALRM, raise_alarm)
    lost: list[str] = []
    sys.unraisablehook = lambda unraisable: lost.append(repr(unraisable.exc_value))
    budget = pacing.Budget(window=WINDOW)
    client, other = connect(url, latency, budget), connect(url, latency, budget)
    begun_with = descriptors()
    stop, done = threading.Event(), list[int]()
    callers = (client, other, client) if options.threads else ()
    threads = [threading.Thread(target=call_on, args=(caller, stop, done)) for caller in callers]
    for thread in threads:
        thread.start()

    kept, interrupts, end = list[Exception](), 0, time.monotonic() + options.seconds
    most = latency + (0.0006 if url is None else 0.003) + (0.003 if options.bulk else 0)
    call = partial(call_many, client) if options.bulk else client.emission
    while interrupts < options.interrupts and time.monotonic() < end:
        alarm = interrupt(call, most)
        if alarm is not None:
            interrupts += 1
            if options.keep:
                kept.append(alarm)
        del alarm

    before = len(done)
    began = time.monotonic()
    client.emission()
    took = time.monotonic() - began
    wait_for(lambda: not threads or len(done) >= before + 3)
    stop.set()
    for thread in threads:
        thread.join(30)
    budget = client._session._budget
    # Calls on threads whose caller was interrupted go on to their end.
    wait_for(lambda: not budget.state(time.monotonic()).in_flight)
    state = budget.state(time.monotonic())
    # All points of a whole window are given out: the calls of one window are as many as it grants.
    time.sleep(2 * WINDOW)
    other.emission()
    state_then = budget.state(time.monotonic())
    found = {
        "interrupts": interrupts,
        "took": took,
        "stuck": sum(thread.is_alive() for thread in threads) + bool(threads and len(done) < before + 3),
        "waiting": state.waiting,
        "in_flight": state.in_flight,
        "waits": len(client._session._waiting) + len(other._session._waiting),
        "lost points": LIMIT - 1 - (state_then.ratelimit.remaining or 0),
        "lost exceptions": lost,
    }
    if url is not None:
        found |= connections(client)
        client.close()
        other.close()
        found["descriptors kept"] = descriptors() - begun_with
    # The frames of an exception that is kept may hold a socket that nobody else knows, or an iterator that was
    # interrupted between two results.
    kept.clear()
    gc.collect()
    found["workers"] = working()
    if url is not None:
        # Threads that made connections which nobody wants any more close them.
        wait_for(lambda: descriptors() <= begun_with)
        found["descriptors"] = max(0, descriptors() - begun_with)
    return found


if __name__ == "__main__":
    main()
