"""Pacing over a real socket, in both worlds, against windows of a few seconds.

`python -m benchmarks.pacing_socket` prints the table; `--windows` and `--window` say how many and how long.

The real clients call `FakeApi.serve()` in the same process: as many tasks or threads as the row says, each calling
again as soon as it has its answer. The server enforces its windows, its resets jitter, a tenth of the emission answers
carry the headers of an older window, and its clock has nothing to do with the local one. It counts by itself what is
spent in each window, and when requests arrive in it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import math
import random
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from scapi import AppClient, sync
from scapi.exceptions import ScApiException
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: A fake's windows end 33.216 s into the minute, and every so many seconds before and after.
PHASE = 1_800_000_033.216

KNOWN: Mapping[str, Callable[[Any], Any]] = {
    "emission": lambda client: client.emission(),
    "lots": lambda client: client.auction("zyv9").lots(limit=1),
    "history": lambda client: client.auction("zyv9").price_history(limit=1),
}
UNKNOWN: Mapping[str, Callable[[Any], Any]] = {
    **KNOWN,
    "regions": lambda client: client.regions(),
    "clans": lambda client: client.clans(limit=1),
    "sessions": lambda client: client.operations_sessions(limit=1),
}
#: What the server charges, also where the clients have to find out.
COSTS = {"clans": 3, "sessions": 5}


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What is tried: `callers` tasks or threads call `calls` at random, for so many windows."""

    world: str
    callers: int
    limit: int
    calls: Mapping[str, Callable[[Any], Any]] = field(default_factory=lambda: KNOWN)
    stranger: bool = False
    window: float = 2.0
    windows: int = 6


class Server(FakeApi):
    """A fake whose clock runs from the start of a window on, and that takes notes."""

    def __init__(self, scenario: Scenario) -> None:
        self.begun = time.monotonic()
        self.scenario = scenario
        self.refused = self.answered = 0
        self.spent: Counter[int] = Counter()
        self.arrivals: dict[int, list[float]] = defaultdict(list)
        super().__init__(
            clock=lambda: PHASE + 0.001 + self.passed,
            limit=scenario.limit,
            window=scenario.window,
            costs=COSTS,
            reset_jitter=True,
            stale_headers=0.1,
        )
        # The budget goes by the credentials, and each run is to begin with a new one.
        self.app_token = f"token-{random.getrandbits(64):x}"

    @property
    def passed(self) -> float:
        """Seconds since the start of the first window."""
        return time.monotonic() - self.begun

    def handle(self, method: str, target: str, *args: Any, **options: Any) -> Any:
        """Answer, and take notes."""
        window, offset = divmod(self.passed, self.scenario.window)
        reply = super().handle(method, target, *args, **options)
        self.note(int(window))
        self.answered += 1
        self.refused += reply.status == 429
        if not target.startswith("/regions"):
            self.arrivals[int(window)].append(offset)
        return reply

    def note(self, window: int) -> None:
        """Note what is spent in a window; only its own last moments could be missed, and count as unspent."""
        spent = self.scenario.limit - self.spend(0)
        if int(self.passed // self.scenario.window) == window:
            self.spent[window] = max(self.spent[window], spent)

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Let somebody else spend a quarter of the points meanwhile, two at a time, at random moments."""
        over, rng = threading.Event(), random.Random(self.scenario.limit)

        def spend() -> None:
            while not over.wait(rng.expovariate(self.scenario.limit / 8 / self.scenario.window)):
                self.spend(2)
                self.note(int(self.passed // self.scenario.window))

        thread = threading.Thread(target=spend)
        if self.scenario.stranger:
            thread.start()
        yield
        over.set()
        if self.scenario.stranger:
            thread.join()


@dataclass
class Outcome:
    """What came of it; seconds into a window at which its first request arrived, and the second: medians."""

    completed: int
    failed: int
    sent: int
    refused: int
    used: float
    opened: float
    followed: float

    @property
    def share_refused(self) -> float:
        """Requests that earned a 429."""
        return self.refused / max(1, self.sent)


def run(scenario: Scenario) -> Outcome:
    """Try one scenario."""
    server = Server(scenario)
    with server.serve() as url:
        # Waking threads and connecting to a server that just starts are no part of it.
        server.begun = time.monotonic()
        with server.shared():
            ended = asyncio.run(_tasks(server, url)) if scenario.world == "async" else _threads(server, url)
    arrivals = [offsets for number, offsets in server.arrivals.items() if 0 < number < scenario.windows]
    spent = sum(server.spent[number] for number in range(scenario.windows))
    return Outcome(
        completed=ended[True],
        failed=ended[False],
        sent=server.answered,
        refused=server.refused,
        used=spent / scenario.limit / scenario.windows,
        opened=median([offsets[0] for offsets in arrivals] or [math.nan]),
        followed=median([offsets[1] for offsets in arrivals if len(offsets) > 1] or [math.nan]),
    )


async def _tasks(server: Server, url: str) -> Counter[bool]:
    ended, over, calls = Counter[bool](), False, list(server.scenario.calls.values())

    async def work(rng: random.Random) -> None:
        while not over:
            try:
                await rng.choice(calls)(client)
                ended[True] += 1
            except ScApiException:
                # Closable the client in the end is what stops those who wait.
                ended[False] += not over

    async with asyncio.TaskGroup() as group, AppClient(token=server.app_token, base_url=url) as client:
        for number in range(server.scenario.callers):
            group.create_task(work(random.Random(number)))
        await asyncio.sleep(_left(server))
        over = True
    return ended


def _threads(server: Server, url: str) -> Counter[bool]:
    ended, over, calls = list[bool](), False, list(server.scenario.calls.values())

    def work(number: int) -> None:
        rng = random.Random(number)
        while not over:
            try:
                rng.choice(calls)(client)
                ended.append(True)
            except ScApiException:
                if not over:
                    ended.append(False)

    with (
        ThreadPoolExecutor(server.scenario.callers) as pool,
        sync.AppClient(token=server.app_token, base_url=url) as client,
    ):
        for number in range(server.scenario.callers):
            pool.submit(work, number)
        time.sleep(_left(server))
        over = True
    return Counter(ended)


def _left(server: Server) -> float:
    return server.scenario.windows * server.scenario.window - server.passed


def _scenarios(window: float, windows: int) -> Iterator[tuple[str, Scenario]]:
    for stranger, (limit, calls) in itertools.product((False, True), ((400, KNOWN), (50, UNKNOWN))):
        for world, callers in (("async", (1, 10, 50, 200)), ("sync", (1, 16, 64))):
            for n in callers:
                name = f"{world} | {n} | {limit} | {'0 to 5, learned' if calls is UNKNOWN else '1, 2'} "
                name += f"| {'yes' if stranger else 'no'}"
                yield (
                    name,
                    Scenario(
                        world=world, callers=n, limit=limit, calls=calls, stranger=stranger,
                        window=window, windows=windows,
                    ),
                )  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Pacing over a real socket, in both worlds.")
    parser.add_argument("--window", type=float, default=2.0, help="seconds per window (default: 2)")
    parser.add_argument("--windows", type=int, default=6, help="windows per row (default: 6)")
    options = parser.parse_args()
    print("| world | callers | points/window | costs | stranger | calls | failed | 429 | of all | points used", end="")
    print(" | opened after | others after |\n|---|---|---|---|---|---|---|---|---|---|---|---|")
    for name, scenario in _scenarios(options.window, options.windows):
        outcome = run(scenario)
        print(
            f"| {name} | {outcome.completed} | {outcome.failed} | {outcome.refused} | {outcome.share_refused:.2%} "
            f"| {outcome.used:.2%} | {outcome.opened * 1000:.0f} ms | {outcome.followed * 1000:.0f} ms |",
            flush=True,
        )


if __name__ == "__main__":
    main()
