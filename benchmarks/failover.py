"""A budget behind Sentinel and in a cluster, whose Redis is killed in the middle.

`python -m benchmarks.failover` (about a minute) starts real servers on free ports of this machine: a master with a
replica and a Sentinel, then a cluster of three masters with a replica each. Two budgets, each with a client of its own
as two processes would have it, call a fake with windows of 4 s from four threads each. After two windows the master
that holds the budget is killed. It prints how many calls failed or were refused, for how long the budgets were without
Redis, and how many points are left at the end as each of the two sees it.
"""

from __future__ import annotations

import logging
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from scapi.exceptions import ScApiException
from scapi.pacing import RedisBudget
from scapi.sync import AppClient
from scapi.testing import FakeApi
from tests.support.redis import PATIENCE, PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

WINDOW, WINDOWS, LIMIT = 4.0, 7, 200
TIMEOUT = 0.5


class Servers:
    """Redis servers on ports of this machine, which end with the block that made them."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scapi-")))
        self.processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, *options: str, config: str = "") -> int:
        """Start a server on a free port, and wait until it answers."""
        assert PROGRAM
        port = free_port()
        (folder := self._folder / str(port)).mkdir()
        (folder / "config").write_text(config.format(port=port), encoding="utf-8")
        command = [PROGRAM, str(folder / "config"), "--port", str(port), "--dir", str(folder), *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes[port] = process
        self._stack.callback(self.kill, port)
        wait_for(lambda: client(port).ping())
        return port

    def kill(self, port: int) -> None:
        """End a server as a crash does."""
        self.processes[port].kill()
        self.processes[port].wait(PATIENCE)


def free_port() -> int:
    """Return a free port whose neighbour 10,000 above, the bus of a cluster, exists and is free, too."""
    while True:
        with socket.socket() as one, socket.socket() as bus, suppress(OSError, OverflowError):
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            bus.bind(("127.0.0.1", port + 10_000))
            return port


def client(port: int) -> Any:
    """Return a client of one server."""
    import redis

    return redis.Redis(port=port, socket_timeout=TIMEOUT)


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until a condition is true and raises nothing."""
    end = time.monotonic() + PATIENCE
    while True:
        with suppress(Exception):
            if condition():
                return
        assert time.monotonic() < end
        time.sleep(0.05)


class Topology(NamedTuple):
    """Makes a budget, and kills the master of a key."""

    budget: Callable[[], RedisBudget]
    kill: Callable[[], None]


@contextmanager
def sentinel() -> Generator[Topology]:
    """Run a master with a replica, and a Sentinel that promotes it."""
    from redis.sentinel import Sentinel

    with ExitStack() as stack:
        servers = Servers(stack)
        master = servers.start("--save", "")
        replica = servers.start("--save", "", "--replicaof", f"127.0.0.1 {master}")
        wait_for(lambda: client(replica).info("replication")["master_link_status"] == "up")
        config = (
            f"sentinel monitor main 127.0.0.1 {master} 1\nsentinel down-after-milliseconds main 1000\n"
            "sentinel failover-timeout main 5000\n"
        )
        watcher = servers.start("--sentinel", config=config)
        wait_for(lambda: client(watcher).sentinel_slaves("main"))

        def budget() -> RedisBudget:
            watched = Sentinel([("127.0.0.1", watcher)], socket_timeout=TIMEOUT)
            return RedisBudget(watched.master_for("main", socket_timeout=TIMEOUT), timeout=TIMEOUT)

        yield Topology(budget, lambda: servers.kill(master))


@contextmanager
def cluster() -> Generator[Topology]:
    """Run a cluster of three masters with a replica each."""
    options = ("--save", "", "--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
    with ExitStack() as stack:
        servers = Servers(stack)
        ports = [servers.start(*options) for _ in range(6)]
        nodes = [f"127.0.0.1:{port}" for port in ports]
        create = ["redis-cli", "--cluster", "create", *nodes, "--cluster-replicas", "1", "--cluster-yes"]
        subprocess.run(create, check=True, stdout=subprocess.DEVNULL, timeout=60)
        for port in ports:
            wait_for(lambda port=port: client(port).cluster("info")["cluster_state"] == "ok")

        def kill() -> None:
            masters = [port for port in ports if client(port).info("replication")["role"] == "master"]
            servers.kill(next(port for port in masters if client(port).keys("{scapi:*")))

        url = f"redis://127.0.0.1:{ports[0]}"
        yield Topology(lambda: RedisBudget.from_url(url, cluster=True, timeout=TIMEOUT), kill)


class Log(logging.Handler):
    """Notes when a budget lost Redis and when it came back."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: list[float] = []
        self.back: list[float] = []

    def emit(self, record: logging.LogRecord) -> None:
        if "can't be used" in record.getMessage():
            self.lost.append(time.monotonic())
        elif "is back" in record.getMessage():
            self.back.append(time.monotonic())


def run(topology: Topology, log: Log) -> list[str]:
    """Call until the end, and return the row of the table."""
    fake, begun = FakeApi(limit=LIMIT, window=WINDOW, clock=time.time), time.monotonic()
    failed: list[str] = []

    def work(one: AppClient) -> None:
        while time.monotonic() < begun + WINDOWS * WINDOW:
            try:
                one.emission()
            except ScApiException as error:
                failed.append(f"{type(error).__name__}: {error}")

    clients = [
        AppClient(token=fake.app_token, http_client=httpx.Client(transport=fake.transport()), budget=topology.budget())
        for _ in range(2)
    ]
    threads = [threading.Thread(target=work, args=(one,)) for one in clients for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(2 * WINDOW)
    topology.kill()
    for thread in threads:
        thread.join()
    statuses = [request.status for request in fake.requests]
    away = max((back - lost for lost, back in zip(log.lost, log.back, strict=False)), default=0.0)
    left = " and ".join(str(one.ratelimit.remaining) for one in clients)
    for one in clients:
        one.close()
    is_back = len(log.lost) == len(log.back)
    return [
        f"{len(statuses)}",
        f"{len(failed)}",
        f"{statuses.count(429)}",
        f"{away:.1f} s" if is_back else "still",
        left,
        *failed[:1],
    ]


def main() -> None:
    """Print the table."""
    logger = logging.getLogger("scapi")
    logger.setLevel(logging.INFO)
    print("| | calls | failed | 429 | without Redis | left, as both say |")
    print("|---|---|---|---|---|---|")
    for name, made in (("Sentinel, master killed", sentinel), ("cluster, master of the budget killed", cluster)):
        logger.addHandler(log := Log())
        with made() as topology:
            print("| " + " | ".join([name, *run(topology, log)]) + " |", flush=True)
        logger.removeHandler(log)


if __name__ == "__main__":
    main()
