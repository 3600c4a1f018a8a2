"""Many processes on one key in virtual time: the real steps, and a server that enforces its windows.

`python -m benchmarks.shared` prints the table, and `--write` also writes it into benchmarks/README.md; `--minutes`
makes the runs longer or shorter, `--row` takes the steps of PostgreSQL's budget. It is the simulation of
`benchmarks.pacing`, with a `SharedBudget` for each process. Steps of Redis run on a `redis-server` of their own, with
the simulated time in place of its clock.
"""

from __future__ import annotations

import argparse
import itertools
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from benchmarks import report, rounds
from benchmarks.pacing import EPOCH, UNKNOWN, Scenario, Simulation
from scapi._primitives.redis_budget import KEYS, script
from scapi._ratelimit import shared_state
from scapi._ratelimit.shared import SharedBudget
from scapi._ratelimit.shared_messages import read
from scapi._ratelimit.shared_step import step
from tests.support.redis import running_redis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapi._ratelimit.shared_messages import Grant, Reply

#: Seconds that a step takes.
STEP = 0.001


class Place(Protocol):
    """Where budgets meet."""

    def take(self, request: dict[str, Any]) -> tuple[Reply, list[Grant]]:
        """Take the step of a request, at the time that its `now` says."""
        ...


class RedisPlace:
    """Keys in a Redis, and the script."""

    def __init__(self, client: Any, name: str) -> None:
        client.script_load(script()[0])
        self.client = client
        self.keys = [f"{{{name}}}:{key}" for key in KEYS]

    def take(self, request: dict[str, Any]) -> tuple[Reply, list[Grant]]:
        """Run the script."""
        return read(self.client.evalsha(script()[1], len(KEYS), *self.keys, msgspec.msgpack.encode(request)))


class RowPlace:
    """The bytes that a row of PostgreSQL holds, and the steps in Python."""

    def __init__(self) -> None:
        self.row: bytes | None = None

    def take(self, request: dict[str, Any]) -> tuple[Reply, list[Grant]]:
        """Read the state, change it, write it."""
        state = shared_state.read(self.row)
        reply = step(state, request, request["now"])
        self.row = shared_state.write(state)
        return reply


class SharedSimulation(Simulation):
    """The simulation, with budgets that meet in one place.

    Attributes:
        had: Points that each process has spent.
        steps: How many steps were made.
    """

    def __init__(self, scenario: Scenario, place: Place) -> None:
        super().__init__(scenario)
        self._place = place
        self.had = [0] * scenario.workers
        self.steps = 0
        self._names = map(str, itertools.count())
        self._next_step = [float("inf")] * scenario.workers
        self.shared = [
            SharedBudget(name=self._names.__next__, kick=partial(self._kicked, number))
            for number in range(scenario.workers)
        ]
        self.budgets = self.shared  # type: ignore[assignment]
        for budget in self.shared:
            budget.set_reserve(self, scenario.reserve)

    def _kicked(self, number: int) -> None:
        self._step_at(number, self.time)

    def _step_at(self, number: int, time: float) -> None:
        if time < self._next_step[number]:
            self._next_step[number] = time
            self._at(time, partial(self._step, number, time))

    def _step(self, number: int, due: float) -> None:
        if due != self._next_step[number]:
            return
        self._next_step[number] = float("inf")
        budget = self.shared[number]
        wait = budget.due(self._now())
        if wait > 0:
            self._step_at(number, self.time + max(wait, STEP / 10))
            return
        request = budget.request(self._now()) | {"now": round((EPOCH + self.time) * 1000)}
        reply, grants = self._place.take(request)
        self.steps += 1
        self._at(self.time + STEP, partial(self._absorb, number, reply, grants))

    def _absorb(self, number: int, reply: Reply, grants: list[Grant]) -> None:
        self.shared[number].apply_reply(reply, grants, self._now())
        self._step_at(number, self.time + min(3600.0, max(STEP, self.shared[number].due(self._now()))))

    def _serve(self, call: Any, back: float) -> None:
        before = self.server.left
        super()._serve(call, back)
        self.had[self.shared.index(call.budget)] += before - self.server.left


def simulate(scenario: Scenario, place: Place) -> SharedSimulation:
    """Run one scenario."""
    simulation = SharedSimulation(scenario, place)
    simulation.run()
    return simulation


def _scenarios(seconds: float) -> Iterator[tuple[str, Scenario]]:
    usual = Scenario(seconds=seconds, workers=100, tasks=300)
    yield "100 processes, 3 tasks each", usual
    yield "100 processes, 1 task each", replace(usual, tasks=100)
    yield "100 processes, 50 points, costs 1 to 5, learned", replace(usual, limit=50, costs=UNKNOWN)
    yield "8 processes, 5 tasks each", replace(usual, workers=8, tasks=40)
    yield "8 processes, 50 points, costs 1 to 5, learned", replace(usual, workers=8, tasks=40, limit=50, costs=UNKNOWN)
    yield "8 processes beside a stranger", replace(usual, workers=8, tasks=40, stranger="steady")
    yield "8 processes, spread evenly", replace(usual, workers=8, tasks=40, spread=True)


HEAD = ["", "calls", "failed", "429", "of ours", "points of usable", "least process ÷ mean", "steps per call"]


def row(name: str, run: SharedSimulation) -> list[str]:
    """Return a row of the table."""
    outcome = run.outcome
    return [
        name,
        f"{outcome.completed}",
        f"{outcome.failed}",
        f"{outcome.refused}",
        f"{outcome.share_refused:.2%}",
        f"{outcome.share_used:.2%}",
        f"{min(run.had) * len(run.had) / max(1, sum(run.had)):.2f}",
        f"{run.steps / max(1, outcome.sent):.2f}",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shared", description=__doc__)
    parser.add_argument("--minutes", type=float, default=15.0, help="simulated minutes per run (default: 15)")
    parser.add_argument("--row", action="store_true", help="take the steps of PostgreSQL's budget, not Redis'")
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/README.md")
    given = parser.parse_args()
    rows = []
    with running_redis() as server, server.client() as redis:
        for name, scenario in _scenarios(given.minutes * 60):
            redis.flushdb()
            rows.append(row(name, simulate(scenario, RowPlace() if given.row else RedisPlace(redis, "simulated"))))
            print(" | ".join(rows[-1]), flush=True)
    text = f"{given.minutes:g} minutes of each, simulated:\n\n{rounds.table(HEAD, rows)}"
    print(f"\n{text}")
    if given.write:
        report.write("shared", text)


if __name__ == "__main__":
    main()
