"""Many calls through random faults in both worlds: does every call end as documented, and does anything grow?

    PYTHONPATH=src python -m benchmarks.soak --calls 20000 --seed 1

The server of the tests plays the faults, in a process of its own; this process holds nothing but the client, so that
its memory and descriptors are the client's. Every call ends in a result or in one of the documented errors, or the
command fails.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import random
import resource
import sys
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import scapi
import scapi.sync
from scapi import Retry
from scapi.exceptions import ScApiException
from scapi.testing import FakeApi
from tests.support import wire
from tests.support.faults import BOMB, DEEP, HTML, PACKED

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

CONCURRENCY = 32
TIMEOUT = 0.25
#: Share of requests that a fault strikes.
FAULTY = 0.3

WIRES = [
    wire.reset_at_once,
    wire.close_at_once,
    wire.reset_in_headers,
    wire.reset_in_body,
    wire.close_in_body,
    wire.length_too_long,
    wire.length_too_short,
    wire.two_answers,
    wire.no_http,
    wire.bad_chunks,
    wire.endless_headers,
    wire.drip_body,
    wire.never,
]
ANSWERS: list[tuple[int, bytes, dict[str, str]]] = [
    (200, b'["\xff"]', {}),
    (200, DEEP, {}),
    (200, BOMB[:20] + b"???", PACKED),
    (200, HTML.encode(), {"content-type": "text/html"}),
    (200, b"", {}),
    (204, b"", {}),
    (301, b"", {}),
    (302, b"", {"location": "http://elsewhere.test/"}),
    (418, b"", {}),
    (500, b'{"title": "Internal server error"}', {}),
    (502, HTML.encode(), {"content-type": "text/html"}),
    (503, b"", {}),
]


class FaultyServer(wire.WireServer):
    """Strikes requests at random; the dice are the same for the same seed."""

    dice = random.Random()

    def strike(self, mount: wire.Mount) -> None:
        mount.arrived.clear()
        mount.wire = None
        if self.dice.random() >= FAULTY:
            return
        fault = self.dice.randrange(len(WIRES) + len(ANSWERS))
        if fault < len(WIRES):
            mount.wire = WIRES[fault]
        else:
            status, body, headers = ANSWERS[fault - len(WIRES)]
            mount.fake.fail("*", status=status, body=body, headers=headers, times=1)
            # Of its faults that are used up, the fake keeps none that matters.
            mount.fake._faults[:] = [one for one in mount.fake._faults if one.left != 0]


def serve(seed: int, channel: Connection) -> None:
    FaultyServer.dice.seed(seed)
    server = FaultyServer()
    # With a clock that runs, because the client's does too: its windows of points have to end as the server's do.
    fake = FakeApi(clock=time.time, limit=10**9)
    mount = server.mount(fake)  # the server keeps it no longer than somebody holds it
    channel.send(mount.url)
    channel.recv()
    server.close()


class Tally:
    """What the calls came to, and what the process held meanwhile."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.ends: Counter[str] = Counter()
        self.undocumented: list[BaseException] = []
        self.memory: list[float] = []
        self.most_descriptors = 0
        self._lock = threading.Lock()

    def count(self, error: BaseException | None) -> None:
        with self._lock:
            self.ends["result" if error is None else type(error).__name__] += 1
            if error is not None and not isinstance(error, ScApiException):
                self.undocumented.append(error)
            if self.ends.total() % (self.calls // 20) == 0:
                gc.collect()
                self.memory.append(resident())
                self.most_descriptors = max(self.most_descriptors, descriptors())


def resident() -> float:
    """Memory of this process in MiB."""
    if Path("/proc/self/statm").exists():
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def plan(calls: int, seed: int) -> list[int]:
    """Which endpoint every call goes to."""
    dice = random.Random(seed)
    return [dice.randrange(len(ENDPOINTS)) for _ in range(calls)]


ENDPOINTS: list[Any] = [
    lambda client: client.regions(),
    lambda client: client.emission(),
    lambda client: client.clans(limit=5),
    lambda client: client.operations_sessions(limit=5),
    lambda client: client.auction("zyv9").lots(limit=20),
    lambda client: client.auction("zyv9").price_history(limit=20),
]
OPTIONS: dict[str, Any] = {"token": "fake-app-token", "timeout": TIMEOUT, "retry": Retry(attempts=3, backoff=0.01)}


async def soak_async(url: str, tally: Tally, endpoints: list[int]) -> None:
    queue = iter(endpoints)

    async def work(client: scapi.AppClient) -> None:
        for endpoint in queue:
            try:
                await ENDPOINTS[endpoint](client)
                tally.count(None)
            except Exception as error:  # noqa: BLE001  # what it is, is what we are here for
                tally.count(error)

    async with scapi.AppClient(base_url=url, **OPTIONS) as client:
        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(work(client))
        # The task of this coroutine itself is the last one.
        assert len(asyncio.all_tasks()) == 1, asyncio.all_tasks()


def soak_sync(url: str, tally: Tally, endpoints: list[int]) -> None:
    def one(endpoint: int) -> None:
        try:
            ENDPOINTS[endpoint](client)
            tally.count(None)
        except Exception as error:  # noqa: BLE001  # what it is, is what we are here for
            tally.count(error)

    with scapi.sync.AppClient(base_url=url, **OPTIONS) as client, ThreadPoolExecutor(CONCURRENCY) as threads:
        list(threads.map(one, endpoints))
    assert threading.active_count() == 1, threading.enumerate()


def soak(world: str, url: str, calls: int, seed: int) -> bool:
    """Run one world, print its line, and say whether all is well."""
    tally = Tally(calls)
    before = descriptors()
    began = time.perf_counter()
    endpoints = plan(calls, seed)
    if world == "async":
        asyncio.run(soak_async(url, tally, endpoints))
    else:
        soak_sync(url, tally, endpoints)
    seconds = time.perf_counter() - began
    gc.collect()
    after = descriptors()
    quarter = tally.memory[len(tally.memory) // 4]
    errors = tally.ends.total() - tally.ends["result"] - len(tally.undocumented)
    counts = (world, calls, f"{seconds:.0f}", tally.ends["result"], errors, len(tally.undocumented))
    held = (f"{quarter:.1f}", f"{tally.memory[-1]:.1f}", before, tally.most_descriptors, after)
    print("|", " | ".join(map(str, counts + held)), "|")
    print(f"{world}: {', '.join(f'{name} {count}' for name, count in tally.ends.most_common())}", file=sys.stderr)
    for error in tally.undocumented[:3]:
        traceback.print_exception(error)
    grown = tally.memory[-1] - quarter
    # Faults strike less than half of the calls: where most fail, it is the server that is broken.
    all_ended = tally.ends.total() == calls and tally.ends["result"] > calls / 2
    return all_ended and not tally.undocumented and after <= before and grown < MOST_GROWTH


#: MiB that memory may grow by, from the first quarter of the calls to the last.
MOST_GROWTH = 8.0


def main() -> int:
    parser = argparse.ArgumentParser(description="Many calls through random faults in both worlds.")
    parser.add_argument("--calls", type=int, default=20_000, help="calls in each world, 20 or more")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(
        "| world | calls | seconds | results | documented errors | others | MiB at 25 % | MiB at the end "
        "| descriptors before | most | after |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    well = True
    processes = multiprocessing.get_context("spawn")
    for world in ("async", "sync"):
        channel, far = processes.Pipe()
        server = processes.Process(target=serve, args=(options.seed, far), daemon=True)
        server.start()
        url = channel.recv()
        well = soak(world, url, options.calls, options.seed) and well
        channel.send("stop")
        server.join()
    print("all is well" if well else "something is wrong", file=sys.stderr)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
