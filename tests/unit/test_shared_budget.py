"""A budget that processes share, in virtual time: Redis' script and PostgreSQL's steps run by the clock of the test."""

from __future__ import annotations

import itertools
import math
import random
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from benchmarks.pacing import KNOWN, UNKNOWN, Scenario, Simulation
from benchmarks.shared import RedisPlace, RowPlace, SharedSimulation, simulate
from scapi._primitives.redis_budget import RedisBudget
from scapi._ratelimit import shared_state
from scapi._ratelimit.budget import Budget
from scapi._ratelimit.shared import SharedBudget
from scapi._ratelimit.shared_messages import Grant
from scapi._ratelimit.shared_times import LEASE
from scapi.pacing import Pacing, Ticket, Wait
from tests.unit.test_pacing import EPOCH, Caller, headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.redis import RedisServer

_numbers = itertools.count()


class Place:
    """The common place of some processes, and its clock, which the test may set."""

    def __init__(self, where: RedisPlace | RowPlace) -> None:
        self.where = where
        self.ahead = 0.0
        self._names = map(str, itertools.count())

    def lose(self) -> None:
        """Lose the state, as a restart does."""
        if isinstance(self.where, RedisPlace):
            self.where.client.delete(*self.where.keys)
        else:
            self.where.row = None

    def processes(self) -> set[str]:
        """The processes that take part."""
        if isinstance(self.where, RowPlace):
            return set(shared_state.read(self.where.row).processes)
        fields = self.where.client.hkeys(self.where.keys[2])
        return {name.decode() for name in self.where.client.zrange(self.where.keys[1], 0, -1)} | {
            field.decode() for field in fields
        }

    def process(self) -> SharedBudget:
        return SharedBudget(name=self._names.__next__)

    def step(self, budget: SharedBudget, now: float, *, is_lost: bool = False, bye: bool = False) -> None:
        request = budget.request(now, bye=bye) | {"now": round((EPOCH + now + self.ahead) * 1000)}
        reply, grants = self.where.take(request)
        if not is_lost:
            budget.apply_reply(reply, grants, now)

    def ask(self, budget: SharedBudget, operation: str, now: float, **options: Any) -> Ticket | None:
        """A ticket that may go, or None; then it doesn't wait any longer."""
        ticket = self.wait(budget, operation, now, **options)
        if budget.poll(ticket, now) is None:
            return ticket
        self.end(budget, ticket, now, sent=False)
        return None

    def wait(self, budget: SharedBudget, operation: str, now: float, **options: Any) -> Ticket:
        ticket = budget.enter(operation, Caller(), **options)
        if budget.poll(ticket, now) is not None:
            self.step(budget, now)
        return ticket

    def end(self, budget: SharedBudget, ticket: Ticket, now: float, **answer: Any) -> None:
        budget.leave(ticket, now, **answer)
        self.step(budget, now)

    def open(self, left: int, now: float = 0.0, limit: int = 50) -> SharedBudget:
        """A process whose first answer told what is left until 40."""
        budget = self.process()
        ticket = self.ask(budget, "emission", now)
        assert ticket
        self.end(budget, ticket, now, status=200, headers=headers(left, limit, now=now))
        return budget


@pytest.fixture(params=[pytest.param("redis", marks=pytest.mark.server), "row"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "row":
        yield Place(RowPlace())
    else:
        with request.getfixturevalue("redis_server").client() as client:
            yield Place(RedisPlace(client, f"test-{next(_numbers)}"))


def left(budget: SharedBudget, now: float) -> int | None:
    return budget.state(now).ratelimit.remaining


# ── one budget ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_one_process_learns_all_know(place: Place) -> None:
    one, other = place.open(30), place.process()
    assert place.ask(other, "lots", 1.0)
    assert left(other, 1.0) == 28
    place.step(one, 1.1)
    assert left(one, 1.1) == 28


def test_all_processes_together_dont_overdraw(place: Place) -> None:
    processes = [place.open(9), *(place.process() for _ in range(5))]
    assert sum(place.ask(budget, "lots", 1.0) is not None for budget in processes) == 4


def test_a_window_is_opened_by_one_request_of_all(place: Place) -> None:
    processes = [place.process() for _ in range(5)]
    went = [ticket for budget in processes if (ticket := place.ask(budget, "lots", 0.0))]
    assert len(went) == 1
    place.end(processes[0], went[0], 0.1, status=200, headers=headers(48, now=0.1))
    assert all(place.ask(budget, "lots", 0.2) for budget in processes)
    # The next window again, although what was sent in this one hasn't been answered.
    assert sum(place.ask(budget, "lots", 45.0) is not None for budget in processes) == 1


def test_a_refusal_stops_all(place: Place) -> None:
    one, other = place.open(30), place.process()
    ticket = place.ask(one, "lots", 1.0)
    assert ticket
    place.end(one, ticket, 1.1, status=429, headers={"retry-after": "20"})
    waiting = place.wait(other, "lots", 1.2)
    wait = other.poll(waiting, 1.2)
    assert wait is not None
    assert wait.is_foreign
    assert wait.blocked == pytest.approx(19.9, abs=0.1)


def test_a_cost_is_learned_once_for_all(place: Place) -> None:
    one, other = place.open(40), place.process()
    ticket = place.ask(one, "clans", 1.0)
    assert ticket
    assert place.ask(other, "clans", 1.0) is None, "one is measured alone"
    place.end(one, ticket, 1.1, status=200, headers=headers(35, now=1.1))
    place.step(other, 1.2)
    assert other.state(1.2).costs["clans"] == 5


def test_a_cost_that_the_caller_gives_is_reserved_as_given(place: Place) -> None:
    one, other = place.open(9), place.process()
    assert place.ask(one, "get:3", 1.0)
    assert place.ask(other, "get:5", 1.0), "nothing has to be measured"
    assert left(other, 1.0) == 1
    assert place.ask(other, "get:2", 1.0) is None
    free = one.enter("get:0", Caller())
    assert one.poll(free, 1.0) is None
    one.leave(free, 1.1, status=200)


def test_a_cost_above_the_limit_takes_a_whole_window(place: Place) -> None:
    budget = place.open(49)
    assert place.ask(budget, f"get:{10**30}", 1.0) is None
    assert place.ask(budget, f"get:{10**30}", 41.0)


# ── what dies and what is lost ────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_dead_process_held_is_given_back(place: Place) -> None:
    one, dead = place.open(10), place.process()
    for _ in range(4):
        assert place.ask(dead, "lots", 1.0)
    assert place.ask(one, "lots", 1.1)
    waiting = place.wait(one, "lots", 1.2)
    assert isinstance(one.poll(waiting, 1.2), Wait)
    # It may have been charged, until an answer to a later request tells.
    place.step(one, 1.2 + LEASE)
    assert one.poll(waiting, 1.2 + LEASE) is not None
    ticket = next(iter(one._in_flight))
    place.end(one, ticket, 1.3 + LEASE, status=200, headers=headers(8, now=1.3 + LEASE))
    place.step(one, 1.4 + LEASE)
    late = place.ask(one, "emission", 45.0)
    assert late or one.poll(waiting, 45.0) is None


def test_grants_whose_reply_was_lost_are_given_back_with_the_next_step(place: Place) -> None:
    one, other = place.open(2), place.process()
    ticket = other.enter("lots", Caller())
    assert other.poll(ticket, 1.0)
    place.step(other, 1.0, is_lost=True)
    other.leave(ticket, 1.1, sent=False)
    place.step(other, 1.1)
    assert place.ask(one, "lots", 1.2)


def test_a_grant_whose_call_was_given_up_is_given_back(place: Place) -> None:
    one, other = place.open(2), place.process()
    caller = Caller()
    ticket = other.enter("lots", caller)
    other.poll(ticket, 1.0)
    place.step(other, 1.0)
    caller.is_alive = False
    place.step(other, 1.1)
    assert place.ask(one, "lots", 1.2)


def test_a_flushed_place_is_filled_by_the_next_steps(place: Place) -> None:
    one, other = place.open(20), place.process()
    held = place.ask(other, "lots", 1.0)
    assert held
    place.lose()
    place.step(one, 2.0)
    place.step(other, 2.0)
    probe = place.ask(one, "lots", 2.5)
    assert probe
    assert place.ask(other, "lots", 2.5) is None, "the window is opened anew, by one request"
    place.end(one, probe, 2.6, status=200, headers=headers(18, now=2.6))
    assert left(one, 2.6) == 16, "what the other holds is known again"


@pytest.mark.parametrize("step", [-3600.0, -5.0, 5.0, 3600.0])
def test_a_step_of_its_clock_heals_within_a_window(place: Place, step: float) -> None:
    one, other = place.open(50), place.process()
    place.step(other, 0.5)
    place.ahead = step
    went = 0
    for tenth in range(10, 398):
        now = tenth / 10
        for budget in (one, other):
            if ticket := place.ask(budget, "emission", now):
                went += 1
                place.end(budget, ticket, now, status=200, headers=headers(50 - went, now=now))
    # All points, and none twice. A clock that is set forward costs one request that opens the window too early.
    assert 50 <= went <= 51
    # And the next window begins when it ought to.
    waiting = place.wait(one, "emission", 41.0)
    assert one.poll(waiting, 41.0) is None


def test_a_process_that_left_is_forgotten(place: Place) -> None:
    one = place.open(20)
    assert place.processes() == {"0"}
    place.step(one, 1.0, bye=True)
    assert place.processes() == set()


# ── whose turn it is ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_had_less_in_this_window_goes_first(place: Place) -> None:
    greedy, modest = place.open(7), place.process()
    assert all(place.ask(greedy, "lots", 1.0) for _ in range(2))
    held = [place.wait(greedy, "lots", 1.1) for _ in range(3)]
    first = place.wait(modest, "lots", 1.2)
    for ticket in list(greedy._in_flight):
        greedy.leave(ticket, 1.3, sent=False)
    place.step(greedy, 1.3)
    place.step(modest, 1.3)
    assert modest.poll(first, 1.3) is None
    assert len(held) == 3


def test_high_goes_before_normal_before_low_across_processes(place: Place) -> None:
    one, other, third = place.open(2), place.process(), place.process()
    holder = place.ask(one, "lots", 1.0)
    assert holder
    low = place.wait(one, "lots", 1.1, priority="low")
    normal = place.wait(other, "lots", 1.2)
    high = place.wait(third, "lots", 1.3, priority="high")
    order = list[str]()
    one.leave(holder, 1.4, sent=False)
    waiting = {"low": (one, low), "normal": (other, normal), "high": (third, high)}
    for now in (1.5, 1.6, 1.7, 1.8):
        for name, (budget, ticket) in list(waiting.items()):
            place.step(budget, now)
            if budget.poll(ticket, now) is None:
                order.append(name)
                budget.leave(ticket, now, sent=False)
                place.step(budget, now)
                del waiting[name]
    assert order == ["high", "normal", "low"]


class Client:
    """Something that a reserve belongs to."""


def test_a_reserve_of_one_process_holds_for_the_low_calls_of_all(place: Place) -> None:
    person, crawler, client = place.open(30), place.process(), Client()
    person.set_reserve(client, 0.4)
    place.step(person, 0.9)
    went = 0
    while place.ask(crawler, "emission", 1.0, priority="low"):
        went += 1
    assert went == 10, "20 of 50 are kept"
    assert place.ask(person, "emission", 1.0, priority="high")
    # It has melted before the window ends.
    assert place.ask(crawler, "emission", 39.5, priority="low")


def test_a_reserve_ends_with_its_client(place: Place) -> None:
    person, crawler, client = place.open(20), place.process(), Client()
    person.set_reserve(client, 0.4)
    place.step(person, 0.9)
    assert place.ask(crawler, "emission", 1.0, priority="low") is None
    del client
    place.step(person, 1.1)
    assert place.ask(crawler, "emission", 1.2, priority="low")


# ── alone ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_redis_a_process_goes_on_with_its_share_and_says_so_once(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    one = place.open(40)
    for _ in range(3):
        place.step(place.process(), 0.5)
    place.step(one, 0.6)
    waiting = one.enter("emission", Caller())
    one.poll(waiting, 1.0)
    one.request(1.0)
    one.fail("ConnectionError: gone", 1.0)
    one.fail("ConnectionError: gone", 1.1)
    assert one.poll(waiting, 1.1) is None
    went = 1
    while one.poll(last := one.enter("emission", Caller()), 1.2) is None:
        went += 1
    one.leave(last, 1.2, sent=False)
    # A quarter of 50, less what it had before.
    assert went == 11
    assert len(caplog.records) == 1
    place.step(one, 2.0)
    assert left(one, 2.0) == 29, "what it spent alone counts"


def test_a_redis_that_doesnt_answer_holds_nobody_for_longer_than_its_patience(place: Place) -> None:
    one = place.open(40)
    ticket = one.enter("emission", Caller())
    wait = one.poll(ticket, 1.0)
    assert wait is not None
    assert wait.is_asking
    one.request(1.0)
    assert one.poll(ticket, 1.0 + wait.again + 0.01) is None


# ── the same properties of all budgets ────────────────────────────────────────────────────────────────────────────────


class Mine:
    """A budget as a user may write one: it keeps to the door, and counts."""

    def __init__(self) -> None:
        self._budget = Budget()
        self.entered = 0

    def enter(self, operation: str, waiter: Any, **options: Any) -> Ticket:
        self.entered += 1
        return self._budget.enter(operation, waiter, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._budget, name)


class MineSimulation(Simulation):
    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.budgets = [Mine()]  # type: ignore[list-item]
        self.budgets[0].set_reserve(self, scenario.reserve)


@pytest.fixture(params=["in-process", pytest.param("redis", marks=pytest.mark.server), "row", "mine"])
def simulation(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "redis":
        with request.getfixturevalue("redis_server").client() as client:
            yield lambda scenario: SharedSimulation(scenario, RedisPlace(client, f"simulated-{next(_numbers)}"))
    elif request.param == "row":
        yield lambda scenario: SharedSimulation(scenario, RowPlace())
    else:
        yield Simulation if request.param == "in-process" else MineSimulation


@pytest.mark.simulation
@pytest.mark.parametrize(("limit", "costs", "tasks"), [(400, KNOWN, 2), (400, KNOWN, 20), (50, UNKNOWN, 10)])
def test_no_request_is_refused_and_nearly_all_points_are_used(
    simulation: Any, limit: int, costs: dict[str, int], tasks: int
) -> None:
    outcome = simulation(Scenario(limit=limit, costs=costs, tasks=tasks, clock=30.0, seconds=160)).run()
    assert outcome.refused == outcome.failed == 0
    assert outcome.share_used >= 0.95


@pytest.mark.simulation
def test_beside_a_stranger_every_call_completes(simulation: Any) -> None:
    outcome = simulation(Scenario(tasks=20, stranger="bursts", seconds=160)).run()
    assert outcome.failed == 0
    assert outcome.share_refused < 0.02


@pytest.mark.simulation
def test_people_beside_a_crawler_go_at_once(simulation: Any) -> None:
    scenario = Scenario(tasks=20, priority="low", people=0.05, reserve=0.1, seconds=220)
    outcome = simulation(scenario).run()
    assert outcome.refused == 0
    assert outcome.wait(0.95) < 1.0
    assert outcome.share_used >= 0.97


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("workers", "limit", "costs"),
    [
        (8, 400, KNOWN),
        pytest.param(8, 50, UNKNOWN, marks=pytest.mark.thorough),
        pytest.param(100, 400, KNOWN, marks=pytest.mark.thorough),
    ],
)
def test_processes_use_all_points_and_share_them_fairly(
    place: Place, workers: int, limit: int, costs: dict[str, int]
) -> None:
    run = simulate(Scenario(workers=workers, tasks=3 * workers, limit=limit, costs=costs, seconds=160), place.where)
    assert run.outcome.failed == 0
    assert run.outcome.share_refused <= (0.02 if costs is UNKNOWN else 0)
    assert run.outcome.share_used >= 0.96
    assert min(run.had) >= (0.7 if limit == 400 else 0.4) * sum(run.had) / workers


# ── two implementations of one step ───────────────────────────────────────────────────────────────────────────────────


class BothPlaces:
    """Takes each step in Redis and in a row, and compares."""

    def __init__(self, redis: Any) -> None:
        self.places = RedisPlace(redis, f"both-{next(_numbers)}"), RowPlace()

    def take(self, request: dict[str, Any]) -> Any:
        # As it arrives elsewhere: the steps in Python must not share lists with the process.
        sent = msgspec.json.encode(request)
        (reply, grants), (other, others) = (place.take(msgspec.json.decode(sent)) for place in self.places)
        assert others == grants
        for name in (name for name in reply.__struct_fields__ if name != "id"):
            assert getattr(other, name) == getattr(reply, name), name
        return reply, grants


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario(workers=8, tasks=16, seconds=45),
        Scenario(workers=3, tasks=10, limit=50, costs=UNKNOWN, seconds=70),
        Scenario(workers=2, tasks=4, stranger="bursts", stale=0.1, seconds=45),
        Scenario(workers=3, tasks=3, spread=True, seconds=45),
        Scenario(workers=4, tasks=8, limit=100, priority="low", people=0.05, reserve=0.1, seconds=100),
    ],
    ids=["even", "learned", "stranger", "spread", "priorities"],
)
def test_the_script_and_the_steps_in_python_do_the_same(redis_server: RedisServer, scenario: Scenario) -> None:
    with redis_server.client() as client:
        assert simulate(scenario, BothPlaces(client)).outcome.completed > 10


class Chaos:
    """Processes that come, call, lie and die at random, beside a server whose windows are 60 s and 50 points."""

    def __init__(self, seed: int, both: BothPlaces) -> None:
        self.rng, self.both = random.Random(seed), both
        self.now, self.reset, self.left = 1_800_000_000_000, 1_800_000_040_000, 50
        self.names = list("abcd")
        self.in_flight: dict[str, list[Grant]] = {name: [] for name in self.names}
        self.known: dict[str, str] = {}

    def step(self) -> None:
        rng = self.rng
        self.now += rng.choice(
            [0, 0, 5, 40, 40, 300, 300, 1100, 1100, 3500, *([20_000, 130_000, -700, -5000] * (rng.random() < 0.1))]
        )
        while self.now >= self.reset:
            self.reset, self.left = self.reset + 60_000, 50
        if rng.random() < 0.02:
            gone = self.names.pop(rng.randrange(len(self.names)))
            self.names.append(f"{gone}{rng.random()}")
        me = rng.choice(self.names)
        held = self.in_flight.setdefault(me, [])
        ended = [grant for grant in held if rng.random() < 0.6]
        held[:] = [grant for grant in held if grant not in ended]
        reports = [self.report(grant) for grant in ended]
        if rng.random() < 0.05:
            reports.append(self.report(Grant("", 0, 0, 0)))
        request: dict[str, Any] = {
            "me": me,
            "now": self.now,
            "lease": 3000,
            "length": 60_000,
            "held": sum(grant.points for grant in held),
            "wants": [self.want() for _ in range(rng.choice([0, 1, 1, 2, 5]))],
            "reports": reports,
            "costs": rng.choice([-1, 0, 1, 2]),
            "bye": not held and rng.random() < 0.05,
        }
        if rng.random() < 0.2:
            request["reserve"] = rng.choice([0.0, 0.1, 0.4])
        if me in self.known:
            request["id"] = self.known[me]
        if rng.random() < 0.5:
            request |= {"reset": self.reset + rng.randint(-1, 1), "left": self.reset - self.now + rng.randint(-50, 50)}
        reply, grants = self.both.take(request)
        self.known[me] = reply.id
        held += grants

    def want(self) -> tuple[int, str, int, int, int]:
        rank, operation = self.rng.randint(1, 3), self.rng.choice(["emission", "lots", "clans", "sessions"])
        known = {"emission": 1, "lots": 2}.get(operation, 0)
        return rank, operation, int(self.rng.random() < 0.1), int(rank > 1 and self.rng.random() < 0.2), known

    def report(self, grant: Grant) -> dict[str, Any]:
        rng = self.rng
        told: dict[str, Any] = {
            "op": grant.operation,
            "points": grant.points,
            "id": grant.id,
            "window": grant.window,
            "started": self.now - rng.randint(0, 1500),
            "verdict": rng.choices(["known", "unknown", "past", "none", "unsent", "bare"], [30, 1, 1, 2, 1, 0.3])[0],
            "status": 200,
        }
        cost = {"emission": 1, "lots": 2, "clans": 5, "sessions": 3}.get(grant.operation, 0)
        if cost > self.left or rng.random() < 0.02:
            told |= {"status": 429, "asked": rng.choice([500, 8000])}
        elif told["verdict"] != "unsent":
            self.left -= cost
        if told["verdict"] in {"known", "unknown", "past"}:
            # Now and then a response is out of a cache, or from the window before.
            age = rng.choices([0, -60_000], [20, 1])[0]
            told |= {"over": rng.random() < 0.1, "limit": 50, "remaining": self.left + rng.choice([0, 0, 0, 0, 3])}
            if told["verdict"] == "known":
                told |= {
                    "reset": self.reset + age + rng.choice([0, 0, 1, -1, 60]),
                    "left": max(0, self.reset + age - self.now),
                }
        return told


@pytest.mark.parametrize(
    "seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.thorough) for seed in range(3, 40))]
)
def test_they_do_the_same_whatever_processes_say(redis_server: RedisServer, seed: int) -> None:
    with redis_server.client() as client:
        chaos = Chaos(seed, BothPlaces(client))
        for _ in range(600):
            chaos.step()


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_keys_have_the_prefix_an_expiry_and_no_secret_and_lie_on_one_node(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        budget = RedisBudget(client, prefix="bot").budget_for("https://eapi.stalzone.com", "0123456789abcdef")
        caller = Caller()
        ticket = budget.enter("emission", caller)
        end = time.monotonic() + 30
        while budget.poll(ticket, time.monotonic()) is not None:
            assert time.monotonic() < end
            time.sleep(0.01)
        # The threads of other tests may still be at work on this server.
        keys = sorted(client.keys("{bot:*"))
        assert keys
        assert not client.keys("*0123456789abcdef*")
        for key in keys:
            assert 0 < client.ttl(key) <= 86400
            assert b"eapi" not in key
            assert b"0123456789abcdef" not in key
        assert len({key[: key.index(b"}")] for key in keys}) == 1


def test_keys_in_use_keep_an_expiry_also_when_they_are_made_again(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        where = RedisPlace(client, f"test-{next(_numbers)}")
        place = Place(where)
        budget = place.open(50)
        client.delete(where.keys[-1])
        assert place.ask(budget, "emission", 1.0)
        assert all(client.ttl(key) > 3000 for key in where.keys if client.exists(key))
        for key in where.keys:
            client.expire(key, 60)
        assert place.ask(budget, "emission", 100.0)
        assert all(client.ttl(key) > 3000 for key in where.keys if client.exists(key))


def test_all_kinds_of_budget_keep_to_the_door(place: Place) -> None:
    shared: Pacing = place.process()
    own: Pacing = Budget()
    for budget in (shared, own):
        state = budget.state(0.0)
        assert state.ratelimit.limit is None
        assert state.waiting == state.in_flight == 0
        assert state.until_reset is None or math.isfinite(state.until_reset)
