"""An hour of pacing in virtual time, against a server that enforces its windows.

`python -m benchmarks.pacing` prints the table, and with `--priorities` the one of a crawler and people on one key;
`--minutes` makes them shorter.

No sleeping, no sockets, no event loop: a heap of things that happen, some tasks that drive a real `Budget`
and a real `Retry` as the clients do, and a server that counts points as the API does, with its flaws: resets
that jitter by a millisecond, answers out of a cache with an older reset and nearly all points left, and
somebody else who spends from the same budget. Everything random comes from one seed.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
import random
from collections import Counter, OrderedDict
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING

from scapi._ratelimit.budget import Budget
from scapi._retry import Retry, seconds_to_retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scapi._ratelimit.priorities import Priority
    from scapi._ratelimit.protocol import Ticket

EPOCH = 1_790_000_000.0
WINDOW = 60.0
PHASE = 33.216
#: No timer is finer than this.
TIMER = 0.001
KNOWN = {"emission": 1, "lots": 2, "price_history": 2}
UNKNOWN = {**KNOWN, "friends": 1, "clans": 3, "operations": 5}


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What is simulated.

    Attributes:
        limit: Points per window.
        tasks: How many call one after another, without a pause.
        costs: What the server charges per operation; all operations are called equally often.
        clock: Seconds that the local clock is ahead of the server's.
        drift: Share by which the local clock is quicker.
        date: Seconds that the `Date` header is ahead of the server's clock, or `None`: there is no such
            header.
        stale: Share of answers whose rate-limit headers are from an older window.
        stranger: `"none"`, `"steady"` or `"bursts"`; either takes a quarter of the points.
        workers: Processes that the tasks are spread over, each with a budget of its own.
        share: Share of the points that each of them may use.
        spread: Whether the requests are to be spread evenly.
        latency: Bounds of a request's whole time in seconds.
        priority: Of the tasks.
        people: Points that people ask for per window, as a share of the limit, at random moments and whatever becomes
            of their earlier calls.
        urgency: Priority of their calls.
        reserve: What the budget keeps for them.
        seconds: How long it goes on.
        seed: Of all that is random.
    """

    limit: int = 400
    tasks: int = 10
    costs: Mapping[str, int] = field(default_factory=lambda: KNOWN)
    clock: float = 0.0
    drift: float = 0.0
    date: float | None = 0.0
    stale: float = 0.05
    stranger: str = "none"
    workers: int = 1
    share: float = 1.0
    spread: bool = False
    latency: tuple[float, float] = (0.02, 0.3)
    priority: Priority = "normal"
    people: float = 0.0
    urgency: Priority = "high"
    reserve: float = 0.0
    seconds: float = 3600.0
    seed: int = 1


@dataclass
class Outcome:
    """What came of it; points of the stranger included in `used`.

    `waits` are the seconds that people waited for their turns, of those calls that fit into the reserve (a tenth if
    there is none) together with what people had asked for before in the same window. `points` is what each priority
    got.
    """

    allowed: int = 0
    used: int = 0
    unfit: int = 0
    sent: int = 0
    refused: int = 0
    completed: int = 0
    failed: int = 0
    longest_wait: float = 0.0
    demand: float = 0.0
    waits: list[float] = field(default_factory=list[float])
    points: Counter[Priority] = field(default_factory=Counter["Priority"])
    points_of_people: int = 0

    @property
    def share_used(self) -> float:
        """Points used of those that could be: allowed, wanted, and enough for a call that waited."""
        return self.used / min(self.allowed - self.unfit, self.demand)

    @property
    def share_refused(self) -> float:
        """Requests of ours that earned a 429."""
        return self.refused / max(1, self.sent)

    def wait(self, share: float) -> float:
        """Seconds within which such a share of the people's calls had their turn."""
        return sorted(self.waits)[math.ceil(share * len(self.waits)) - 1]


class Server:
    """Counts points in fixed windows, by its own clock."""

    def __init__(self, scenario: Scenario, rng: random.Random) -> None:
        self.scenario = scenario
        self.rng = rng
        self.reset = self._reset_after(0.0)
        self.left = scenario.limit

    @staticmethod
    def _reset_after(time: float) -> float:
        return time + WINDOW - (time - PHASE) % WINDOW

    def charge(self, cost: int) -> bool:
        """Take the points if there are enough."""
        if cost > self.left:
            return False
        self.left -= cost
        return True

    def turn(self) -> None:
        """Begin the next window."""
        self.reset, self.left = self.reset + WINDOW, self.scenario.limit

    def headers(self, time: float) -> dict[str, str]:
        """Headers of an answer, now and then out of a cache."""
        scenario = self.scenario
        reset, left = self.reset, self.left
        if self.rng.random() < scenario.stale:
            reset, left = reset - WINDOW, scenario.limit - 1
        headers = {
            "x-ratelimit-limit": str(scenario.limit),
            "x-ratelimit-remaining": str(left),
            "x-ratelimit-reset": str(round((EPOCH + reset) * 1000) + self.rng.choice((-1, 0, 1))),
        }
        if scenario.date is not None:
            headers["date"] = formatdate(math.floor(EPOCH + time + scenario.date), usegmt=True)
        return headers


class Call:
    """One task's present call: where it stands in its attempts and waits. It is the waiter of its tickets."""

    def __init__(
        self, budget: Budget, operation: str, begun: float, ask: Callable[[Call], None], priority: Priority
    ) -> None:
        self.budget = budget
        self.priority: Priority = priority
        self.wake = partial(ask, self)
        self.operation = operation
        self.begun = begun
        self.attempt = 0
        self.waited = 0.0
        self.ticket: Ticket | None = None
        self.sent = begun
        self.again: Callable[[], None] | None = None
        self.fits = False

    def alive(self) -> bool:
        """Tell the budget that nothing interrupts the calls of a simulation."""
        return True


class Simulation:
    """Tasks, their budgets, a server, and the heap of what happens next."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.rng = random.Random(scenario.seed)
        self.server = Server(scenario, self.rng)
        self.budgets = [Budget(share=scenario.share) for _ in range(scenario.workers)]
        for budget in self.budgets:
            budget.set_reserve(self, scenario.reserve)
        self.retry = Retry()
        self.time = 0.0
        self.outcome = Outcome()
        self.waiting: OrderedDict[Ticket, str] = OrderedDict()
        self._operations = sorted(scenario.costs)
        self._asked = 0
        self._order = itertools.count()
        self._happenings: list[tuple[float, int, Callable[[], None]]] = []

    def run(self) -> Outcome:
        """Let it happen."""
        scenario, end = self.scenario, self.scenario.seconds
        # The allowance is that of whole windows: the hour begins and ends in the middle of one.
        self.outcome.allowed = scenario.limit * (1 + math.floor((end - self.server.reset) / WINDOW))
        mean_cost = sum(scenario.costs.values()) / len(scenario.costs)
        self.outcome.demand = scenario.tasks * scenario.seconds * mean_cost / (sum(scenario.latency) / 2)
        self._at(self.server.reset, self._turn)
        for pause in self._stranger():
            self._at(self.time + pause, self._meddle)
        if scenario.people:
            self._at(0.0, self._visit)
        for task in range(scenario.tasks):
            self._at(self.time, partial(self._begin, self.budgets[task % scenario.workers]))
        while self._happenings and self._happenings[0][0] <= end:
            self.time, _, happen = heapq.heappop(self._happenings)
            happen()
        return self.outcome

    def _at(self, time: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._happenings, (time, next(self._order), happen))

    def _now(self) -> float:
        """Read the client's own clock."""
        return self.time * (1 + self.scenario.drift) + self.scenario.clock

    def _turn(self) -> None:
        # What is left, but too little for any of the calls that wait, nobody can use.
        if self.waiting and self.server.left < min(self.scenario.costs[call] for call in self.waiting.values()):
            self.outcome.unfit += self.server.left
        self.outcome.used += self.scenario.limit - self.server.left
        self.server.turn()
        self._asked = 0
        self._at(self.server.reset, self._turn)

    # ── somebody else ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _stranger(self) -> Iterator[float]:
        if self.scenario.stranger != "none":
            yield 0.0

    def _meddle(self) -> None:
        points = 2 if self.scenario.stranger == "steady" else self.rng.randint(2, self.scenario.limit // 5)
        for _ in range(points // 2):
            self.server.charge(2)
        rate = self.scenario.limit / 4 / WINDOW
        self._at(self.time + self.rng.expovariate(rate / points), self._meddle)

    # ── people ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _visit(self) -> None:
        scenario, operation = self.scenario, self.rng.choice(self._operations)
        self._asked += scenario.costs[operation]
        call = Call(self.budgets[0], operation, self.time, self._woken, scenario.urgency)
        call.fits = self._asked <= (scenario.reserve or 0.1) * scenario.limit
        self._queue(call)
        rate = scenario.people * scenario.limit / WINDOW
        mean_cost = sum(scenario.costs.values()) / len(scenario.costs)
        self._at(self.time + self.rng.expovariate(rate / mean_cost), self._visit)

    # ── a task ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, budget: Budget) -> None:
        call = Call(budget, self.rng.choice(self._operations), self.time, self._woken, self.scenario.priority)
        call.again = partial(self._begin, budget)
        self._queue(call)

    def _woken(self, call: Call) -> None:
        self._at(self.time, partial(self._poll, call, call.ticket))

    def _queue(self, call: Call) -> None:
        pace = "even" if self.scenario.spread else True
        call.ticket = call.budget.enter(call.operation, call, pace=pace, priority=call.priority)
        self.waiting[call.ticket] = call.operation
        self._poll(call, call.ticket)

    def _poll(self, call: Call, ticket: Ticket | None) -> None:
        if ticket is None or ticket not in self.waiting:
            return
        wait = call.budget.poll(ticket, self._now())
        if wait is not None:
            self._at(self.time + max(wait.again, TIMER), partial(self._poll, call, ticket))
            return
        del self.waiting[ticket]
        call.attempt += 1
        call.sent = self.time
        self.outcome.sent += 1
        there, back = (self.rng.uniform(*self.scenario.latency) / 2 for _ in range(2))
        self._at(self.time + there, partial(self._serve, call, back))

    def _serve(self, call: Call, back: float) -> None:
        accepted = self.server.charge(self.scenario.costs[call.operation])
        headers = self.server.headers(self.time)
        self._at(self.time + back, partial(self._answered, call, 200 if accepted else 429, headers))

    def _answered(self, call: Call, status: int, headers: dict[str, str]) -> None:
        assert call.ticket is not None
        call.budget.leave(call.ticket, self._now(), status=status, headers=headers)
        if status == 200:
            self.outcome.points[call.priority] += self.scenario.costs[call.operation]
            if call.again is None:
                self.outcome.points_of_people += self.scenario.costs[call.operation]
            self._end(call, completed=True)
            return
        self.outcome.refused += 1
        wait = seconds_to_retry(
            self.retry,
            "status",
            attempt=call.attempt,
            waited=call.waited,
            status=status,
            until_reset=call.budget.state(self._now()).until_reset,
            rng=self.rng.random,
        )
        if wait is None:
            self._end(call, completed=False)
            return
        call.waited += wait
        self._at(self.time + wait, partial(self._queue, call))

    def _end(self, call: Call, *, completed: bool) -> None:
        self.outcome.completed += completed
        self.outcome.failed += not completed
        self.outcome.longest_wait = max(self.outcome.longest_wait, self.time - call.begun)
        if call.fits:
            self.outcome.waits.append(call.sent - call.begun)
        if call.again:
            call.again()


def simulate(scenario: Scenario) -> Outcome:
    """Run one scenario."""
    return Simulation(scenario).run()


def _scenarios(seconds: float) -> Iterator[tuple[str, list[Scenario]]]:
    """Name the rows, and the runs each is the worst of."""
    clocks = ((-30.0, -100e-6), (0.0, 0.0), (30.0, 100e-6))
    for stranger in ("none", "steady", "bursts"):
        for limit, costs in itertools.product((400, 50), (KNOWN, UNKNOWN)):
            for tasks in (1, 2, 10, 50, 200):
                yield (
                    f"{limit} | {tasks} | {'1, 2' if costs is KNOWN else '1 to 5, learned'} | {stranger}",
                    [
                        Scenario(
                            limit=limit, tasks=tasks, costs=costs, clock=clock, drift=drift,
                            stranger=stranger, seconds=seconds, seed=seed,
                        )
                        for seed, (clock, drift) in enumerate(clocks)
                    ],
                )  # fmt: skip
    for limit in (400, 50):
        usual = [Scenario(limit=limit, seconds=seconds, seed=seed) for seed in range(3)]
        yield f"{limit} | 10 | 1, 2 | none; spread evenly", [replace(run, spread=True) for run in usual]
        yield f"{limit} | 40 | 1, 2 | none; 2 processes", [replace(run, workers=2, tasks=40) for run in usual]
        yield f"{limit} | 40 | 1, 2 | none; 8 processes", [replace(run, workers=8, tasks=40) for run in usual]
        for n in (2, 8):
            yield (
                f"{limit} | 40 | 1, 2 | none; {n} processes, a share each",
                [replace(run, workers=n, tasks=40, share=1 / n) for run in usual],
            )
        yield f"{limit} | 10 | 1, 2 | none; no `Date`", [replace(run, date=None) for run in usual]
        yield f"{limit} | 10 | 1, 2 | none; `Date` 2 s ahead", [replace(run, date=2.0) for run in usual]


def _shared_keys(seconds: float) -> Iterator[tuple[str, list[Scenario]]]:
    """Name the rows of a crawler and people on one key, and the runs each is the worst of."""
    ways: list[tuple[str, Priority, Priority, float, float]] = [
        ("none", "normal", "normal", 0.0, 0.1),
        ("high, low", "low", "high", 0.0, 0.1),
        ("high, low", "low", "high", 0.1, 0.05),
        ("high, low", "low", "high", 0.1, 0.1),
        ("high, low", "low", "high", 0.1, 0.3),
        ("high, low", "low", "high", 0.3, 0.3),
        ("high, low", "low", "high", 0.1, 2.0),
    ]
    for limit, tasks in itertools.product((400, 50), (2, 200)):
        for name, priority, urgency, reserve, people in ways:
            usual = Scenario(limit=limit, tasks=tasks, priority=priority, urgency=urgency, reserve=reserve)
            # With few points people call rarely.
            longer = 4 * seconds if limit < 400 else seconds
            runs = [replace(usual, people=people, seconds=longer, seed=seed) for seed in range(3)]
            yield f"{limit} | {tasks} | {people:.0%} | {name} | {reserve:.0%}", runs


def _print_shared_keys(seconds: float) -> None:
    print(
        "| points/min | crawler's tasks | people ask for | priorities | reserve | median | 95 % | below 1 s | 429 |",
        end="",
    )
    print(" crawler got | points used |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name, scenarios in _shared_keys(seconds):
        runs = [simulate(scenario) for scenario in scenarios]
        quick = min(sum(wait < 1 for wait in run.waits) / len(run.waits) for run in runs)
        crawled = min(1 - run.points_of_people / run.points.total() for run in runs)
        print(
            f"| {name} | {max(run.wait(0.5) for run in runs):.2f} s | {max(run.wait(0.95) for run in runs):.2f} s "
            f"| {quick:.1%} | {max(run.refused for run in runs)} | {crawled:.1%} "
            f"| {min(run.used / run.allowed for run in runs):.2%} |",
            flush=True,
        )


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="An hour of pacing, simulated: each row is the worst of three runs.")
    parser.add_argument("--minutes", type=float, default=60.0, help="simulated minutes per run (default: 60)")
    parser.add_argument("--priorities", action="store_true", help="a crawler and people on one key, a third as long")
    options = parser.parse_args()
    seconds = options.minutes * 60
    if options.priorities:
        _print_shared_keys(seconds / 3)
        return
    print("| points/min | tasks | costs | stranger | calls | failed | 429 | of ours | points used | of usable |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, scenarios in _scenarios(seconds):
        runs = [simulate(scenario) for scenario in scenarios]
        print(
            f"| {name} | {min(run.completed for run in runs)} | {max(run.failed for run in runs)} "
            f"| {max(run.refused for run in runs)} | {max(run.share_refused for run in runs):.2%} "
            f"| {min(run.used / run.allowed for run in runs):.2%} "
            f"| {min(run.share_used for run in runs):.2%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
