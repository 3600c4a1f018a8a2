"""Many processes on one key, over real sockets, through a real Redis or PostgreSQL, with windows of a few seconds.

`python -m benchmarks.workers` (about eight minutes) prints the table, `--write` also writes it into
benchmarks/README.md; `--only redis` leaves the others out. Each run begins in the middle of a window. The server counts
by itself what is spent in each; whole windows count, from the second one on.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import environments, report, rounds
from benchmarks.pacing_socket import COSTS, PHASE
from scapi._primitives.threads import Wakeup
from scapi.pacing import Budget, PostgresBudget, RedisBudget
from scapi.testing import FakeApi
from tests.support.postgres import server as running_postgres
from tests.support.redis import running_redis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.redis import RedisServer

WORKER = Path(__file__).with_name("worker.py")
KNOWN = ["emission", "lots", "history"]
UNKNOWN = [*KNOWN, "regions", "clans", "sessions"]
OURS = {"redis": "RedisBudget", "postgres": "PostgresBudget", "own": "a Budget each", "share": "fixed shares"}


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What is tried, by 8 processes. `pauses` are those of each process between its calls, `then` happens meanwhile."""

    name: str
    way: str = "redis"
    world: str = "sync"
    callers: int = 3
    limit: int = 400
    calls: tuple[str, ...] = tuple(KNOWN)
    pauses: tuple[float, ...] = (0.0,) * 8
    priorities: tuple[str, ...] = ("normal",) * 8
    reserve: float = 0.0
    window: float = 4.0
    windows: int = 5
    then: Callable[[Run], None] | None = None
    #: Whole windows that count, the first one being 1.
    counted: tuple[int, ...] = (2, 3, 4, 5)


class Server(FakeApi):
    """A fake that begins in the middle of a window and takes notes."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.begun = time.monotonic()
        self.refused = self.answered = 0
        self.spent: Counter[int] = Counter()
        super().__init__(
            clock=lambda: PHASE + scenario.window / 2 + time.monotonic() - self.begun,
            limit=scenario.limit,
            window=scenario.window,
            costs=COSTS,
            reset_jitter=True,
        )
        self.app_token = f"token-{os.urandom(8).hex()}"

    def handle(self, method: str, target: str, *args: Any, **options: Any) -> Any:
        reply = super().handle(method, target, *args, **options)
        window = self.window()
        spent = self.scenario.limit - self.spend(0)
        if window == self.window():
            self.spent[window] = max(self.spent[window], spent)
        self.answered += 1
        self.refused += reply.status == 429
        return reply

    def window(self) -> int:
        """0 for the half window at the start, then 1, 2, …"""
        return int((time.monotonic() - self.begun) / self.scenario.window + 0.5)

    def until(self, window: float) -> float:
        """Seconds until so many windows have begun; 1.5 is the middle of the first whole one."""
        return self.begun + (window - 0.5) * self.scenario.window - time.monotonic()


class Run:
    """A scenario under way."""

    def __init__(self, scenario: Scenario, server: Server, url: str, redis: RedisServer, postgres: str | None) -> None:
        self.scenario, self.server, self.redis, self.postgres = scenario, server, redis, postgres
        self.processes = [self._process(number, url) for number in range(len(scenario.pauses))]
        for process in self.processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        server.begun = time.monotonic()
        for process in self.processes:
            assert process.stdin
            process.stdin.write(f"{server.until(scenario.windows + 1)}\n")
            process.stdin.flush()

    def _process(self, number: int, url: str) -> subprocess.Popen[str]:
        scenario = self.scenario
        python, extra = environments.limiters() if scenario.way not in OURS else environments.ours()
        told = {
            "url": url,
            "token": self.server.app_token,
            "redis": self.redis.url,
            "postgres": self.postgres,
            "way": scenario.way,
            "share": 1 / len(scenario.pauses) if scenario.way == "share" else 1.0,
            "world": scenario.world,
            "callers": scenario.callers,
            "calls": scenario.calls,
            "pause": scenario.pauses[number],
            "priority": scenario.priorities[number],
            "reserve": scenario.reserve,
            "limit": scenario.limit,
            "window": scenario.window,
        }
        return subprocess.Popen(
            [python, str(WORKER), json.dumps(told)], env=os.environ | extra, text=True, stdin=-1, stdout=-1, stderr=-1
        )

    def sleep_until(self, window: float) -> None:
        time.sleep(max(0.0, self.server.until(window)))


@dataclass
class Outcome:
    used: list[float]
    refused: float
    fairness: float
    failed: list[str]
    calls: int
    seconds: list[list[float]]


def run(scenario: Scenario) -> Outcome:
    """Try one scenario."""
    with ExitStack() as stack:
        redis = stack.enter_context(running_redis())
        postgres = stack.enter_context(running_postgres())() if scenario.way == "postgres" else None
        server = Server(scenario)
        url = stack.enter_context(server.serve())
        under_way = Run(scenario, server, url, redis, postgres)
        if scenario.then:
            happening = threading.Thread(target=scenario.then, args=(under_way,))
            happening.start()
        ended = [process.communicate(timeout=120) for process in under_way.processes]
        if scenario.then:
            happening.join()
    found = [json.loads(out) for out, _ in ended if out.strip()]
    done = [len(one["seconds"]) for one in found]
    return Outcome(
        used=[server.spent[number] / scenario.limit for number in range(1, scenario.windows + 1)],
        refused=server.refused / max(1, server.answered),
        fairness=min(done) / statistics.mean(done),
        failed=[error for one in found for error in one["failed"]],
        calls=sum(done),
        seconds=[one["seconds"] for one in found],
    )


def kill_two(under_way: Run) -> None:
    under_way.sleep_until(2.02)
    for process in under_way.processes[:2]:
        process.send_signal(signal.SIGKILL)


def restart(under_way: Run) -> None:
    under_way.sleep_until(2.02)
    under_way.redis.kill()
    under_way.redis.start()


def take_away(under_way: Run) -> None:
    under_way.sleep_until(2.02)
    under_way.redis.kill()
    under_way.sleep_until(5.02)
    under_way.redis.start()


def scenarios() -> Iterator[Scenario]:
    uneven = (0.0, 0.0, *(0.5,) * 6)
    yield Scenario(name="8 × 3 threads")
    yield Scenario(name="8 × 20 tasks, async", world="async", callers=20)
    yield Scenario(name="2 busy, 6 nearly idle", pauses=uneven)
    yield Scenario(
        name="50 points, costs 0 to 5, learned", limit=50, calls=tuple(UNKNOWN), windows=8, counted=tuple(range(2, 9))
    )
    yield Scenario(name="`kill -9` of 2 in the burst", then=kill_two, counted=(4, 5))
    yield Scenario(name="Redis restarted in the burst", then=restart, counted=(4, 5))
    yield Scenario(name="Redis gone for 3 windows", then=take_away, windows=8, counted=(7, 8))
    yield Scenario(name="8 × 3 threads", way="postgres")
    yield Scenario(name="8 × 20 tasks, async", way="postgres", world="async", callers=20)
    yield Scenario(name="4 × 3 threads", way="postgres", pauses=(0.0,) * 4)
    yield Scenario(name="2 busy, 6 nearly idle", way="postgres", pauses=uneven)
    yield Scenario(name="`kill -9` of 2 in the burst", way="postgres", then=kill_two, counted=(4, 5))
    for way in ("share", "own", "limits", "pyrate-limiter"):
        yield Scenario(name="8 × 3 threads", way=way)
        yield Scenario(name="2 busy, 6 nearly idle", way=way, pauses=uneven)


def row(scenario: Scenario, outcome: Outcome) -> list[str]:
    counted = [outcome.used[number - 1] for number in scenario.counted]
    even = len(set(scenario.pauses)) == 1 and scenario.then is None
    return [
        scenario.name,
        OURS.get(scenario.way, f"`{scenario.way}`"),
        f"{outcome.calls}",
        f"{len(outcome.failed)}",
        f"{outcome.refused:.2%}",
        f"{statistics.mean(counted):.1%}",
        f"{outcome.fairness:.2f}" if even else "",
    ]


def people() -> list[str]:
    """A person with high priority beside seven processes of crawlers with low priority."""
    scenario = Scenario(
        name="a person beside crawlers",
        pauses=(0.25, *(0.0,) * 7),
        callers=1,
        priorities=("high", *("low",) * 7),
        reserve=0.05,
        calls=("emission",),
        window=6.0,
    )
    outcome = run(scenario)
    waits = sorted(outcome.seconds[0])
    within = sum(wait < 1 for wait in waits) / len(waits)
    used = statistics.mean(outcome.used[number - 1] for number in scenario.counted)
    median = f"{waits[len(waits) // 2] * 1000:.1f} ms"
    return [f"{len(waits)}", f"{within:.1%}", median, f"{used:.1%}", f"{outcome.refused:.2%}"]


def call(budget: Any, left: int) -> float:
    """The seconds that a budget takes of a call without a server: to give it its turn, and to hear of its answer."""
    told = {"limit": 10**6, "remaining": left, "reset": 1_800_000_000_000}
    headers = {f"x-ratelimit-{name}": str(value) for name, value in told.items()}
    begun = time.perf_counter()
    wakeup = Wakeup()  # as each call of a client does
    with wakeup.hold:
        ticket = budget.enter("emission", wakeup)
        while (wait := budget.poll(ticket, time.monotonic())) is not None:
            wakeup.wait(wait.again)
        budget.leave(ticket, time.monotonic(), status=200, headers=headers)
    return time.perf_counter() - begun


def overhead(how_often: int = 2000) -> list[str]:
    """What a budget takes of a call, one at a time."""
    medians = []
    with running_redis() as redis, redis.client() as admin, running_postgres() as postgres:
        for source in (None, RedisBudget.from_url(redis.url), PostgresBudget(postgres())):
            budget = Budget() if source is None else source.budget_for("https://overhead.test", "key")
            call(budget, 10**6)
            if isinstance(source, RedisBudget):
                admin.config_resetstat()
            took = [call(budget, 10**6 - number) for number in range(how_often)]
            medians.append(statistics.median(took) * 1000)
        steps = admin.info("commandstats")["cmdstat_evalsha"]
        # Its thread says goodbye after five seconds without calls, and the server is gone by then.
        del budget
    trips, script = steps["calls"] / how_often, steps["usec_per_call"] / 1000
    own, shared, in_row = medians
    return [f"{own:.3f} ms", f"{shared:.2f} ms", f"{script:.2f} ms", f"{trips:.2f}", f"{in_row:.2f} ms"]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers", description=__doc__)
    parser.add_argument("--only", choices=[*OURS, "limits", "pyrate-limiter"], help="try one way of pacing alone")
    parser.add_argument("--write", action="store_true", help="write the tables into benchmarks/README.md")
    options = parser.parse_args()
    head = ["8 processes", "paced by", "calls", "failed", "429", "points used", "least process ÷ mean"]
    table = partial(rounds.table, head)
    rows = []
    for scenario in scenarios():
        if options.only in {None, scenario.way}:
            outcome = run(scenario)
            rows.append(row(scenario, outcome))
            print(" | ".join(rows[-1]), [f"{used:.0%}" for used in outcome.used], outcome.failed[:2], flush=True)
    parts = [
        table(rows),
        rounds.table(["calls of the person", "within 1 s", "median", "points used", "429"], [people()]),
        rounds.table(
            ["a call's time in a Budget", "in a RedisBudget", "its script", "its round trips", "in a PostgresBudget"],
            [overhead()],
        ),
    ]
    text = "\n\n".join(parts)
    print(f"\n{text}")
    if options.write:
        report.write("workers", text)


if __name__ == "__main__":
    main()
