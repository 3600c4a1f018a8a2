"""The point budget, against a server that enforces fixed windows. Time is a number that the tests move."""

from __future__ import annotations

import gc
import math
import os
import threading
import tracemalloc
from datetime import UTC, datetime
from email.utils import formatdate
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.pacing import KNOWN, UNKNOWN, Scenario, simulate
from scapi._ratelimit.budget import Budget
from scapi._ratelimit.protocol import Ticket
from scapi._ratelimit.registry import budget_for
from scapi._ratelimit.window import RateLimitHeaders, WindowClock
from scapi.models.ratelimit import RateLimit
from tests.recorded import published_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi._ratelimit.protocol import Pacing

EPOCH = 1_790_000_000


class Server:
    """Grants `limit` points in windows of 60 s that end at 40, 100, …; its clock is `EPOCH` ahead."""

    def __init__(self, limit: int = 50, *, left: int | None = None, costs: dict[str, int] | None = None) -> None:
        self.limit = limit
        self.left = limit if left is None else left
        self.reset = 40
        self.costs = costs or {"emission": 1, "lots": 2, "price_history": 2}

    def answer(self, operation: str, now: float) -> tuple[int, dict[str, str]]:
        while now >= self.reset:
            self.reset, self.left = self.reset + 60, self.limit
        cost = self.costs[operation]
        accepted = cost <= self.left
        self.left -= cost if accepted else 0
        return 200 if accepted else 429, headers(self.left, self.limit, self.reset, now)


def headers(left: int, limit: int = 50, reset: float = 40, now: float | None = None) -> dict[str, str]:
    """Make headers; without `now` there is no `Date`."""
    told = {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(left),
        "x-ratelimit-reset": str(round((EPOCH + reset) * 1000)),
    }
    return told if now is None else told | {"date": formatdate(EPOCH + math.floor(now), usegmt=True)}


class Caller:
    """A call as a budget knows it: it is woken, and it may die without a word."""

    def __init__(self, wake: Callable[[], object] = lambda: None) -> None:
        self.is_alive = True
        self._wake = wake

    def alive(self) -> bool:
        return self.is_alive

    def wake(self) -> None:
        self._wake()


def enter(budget: Budget, *operations: str) -> list[Ticket]:
    return [budget.enter(operation, Caller()) for operation in operations]


def poll(budget: Budget, ticket: Ticket, now: float) -> float:
    """Ask to be sent: 0.0 is yes, else the seconds after which to ask again."""
    wait = budget.poll(ticket, now)
    assert wait is None or wait.again > 0
    return 0.0 if wait is None else wait.again


def soonest(budget: Budget, ticket: Ticket, now: float) -> float:
    wait = budget.poll(ticket, now)
    return 0.0 if wait is None else wait.soonest


def until_reset(budget: Budget, now: float) -> float | None:
    return budget.state(now).until_reset


def go(budget: Budget, operation: str, now: float) -> Ticket:
    ticket = budget.enter(operation, Caller())
    assert budget.poll(ticket, now) is None
    return ticket


def rush(budget: Budget, operation: str, now: float) -> Ticket:
    """Go without a turn, as with `pace=False`."""
    ticket = budget.enter(operation, Caller(), pace=False)
    assert budget.poll(ticket, now) is None
    return ticket


def call(budget: Budget, server: Server, operation: str, now: float) -> int:
    """Make one whole call."""
    ticket = go(budget, operation, now)
    status, told = server.answer(operation, now + 0.1)
    budget.leave(ticket, now + 0.2, status=status, headers=told)
    return status


def opened(limit: int = 50, left: int = 50, now: float = 0.0) -> Budget:
    """Make a budget that has been told what is left, by a call whose points are taken off `left` already."""
    budget = Budget()
    budget.leave(go(budget, "emission", now), now, status=200, headers=headers(left, limit, now=now))
    return budget


def left(budget: Budget, now: float) -> int | None:
    return budget.state(now).ratelimit.remaining


# ── the first answer ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_hundred_tasks_started_together_send_one_request_until_its_answer_is_there() -> None:
    budget = Budget()
    tickets = enter(budget, *["emission"] * 100)
    assert [poll(budget, ticket, 0.0) == 0 for ticket in tickets].count(True) == 1
    budget.leave(tickets[0], 0.3, status=200, headers=headers(49, now=0.3))
    assert [poll(budget, ticket, 0.3) == 0 for ticket in tickets[1:]].count(True) == 49


def test_a_first_answer_that_doesnt_come_holds_the_others_for_a_second_each() -> None:
    budget = Budget()
    first, second, third = enter(budget, "lots", "lots", "lots")
    assert poll(budget, first, 0.0) == 0
    assert poll(budget, second, 0.25) == 0.75
    assert poll(budget, second, 1.0) == 0
    assert poll(budget, third, 1.5) == 0.5


def test_before_the_first_answer_nothing_is_known() -> None:
    budget = Budget()
    assert budget.state(0.0).ratelimit == RateLimit(limit=None, remaining=None, reset=None)
    assert until_reset(budget, 0.0) is None
    assert soonest(budget, budget.enter("lots", Caller()), 0.0) == 0


def test_a_server_without_such_headers_isnt_paced_until_they_appear() -> None:
    budget = Budget()
    budget.leave(go(budget, "lots", 0.0), 0.1, status=200, headers={})
    tickets = [go(budget, "lots", 0.2) for _ in range(1000)]
    budget.leave(tickets[0], 0.3, status=200, headers=headers(1, now=0.3))
    assert poll(budget, budget.enter("lots", Caller()), 0.4) > 0


def test_an_error_page_without_headers_doesnt_switch_pacing_off() -> None:
    budget = Budget()
    budget.leave(go(budget, "lots", 0.0), 0.1, status=502, headers={})
    go(budget, "lots", 0.2)
    assert poll(budget, budget.enter("lots", Caller()), 0.3) > 0


@pytest.mark.simulation
@pytest.mark.parametrize("status", [None, 200, 502])
def test_a_server_that_never_sends_such_headers_fills_no_memory(status: int | None) -> None:
    budget = Budget()
    hanging = rush(budget, "lots", 0.0)
    for now in range(50):
        budget.leave(go(budget, "lots", now + 1.0), now + 1.5, status=status, headers={})
    budget.leave(hanging, 60.0, status=502)
    tracemalloc.start()
    held = list[int]()
    for now in range(4500):
        # CPython keeps up to 2,000 tuples of a size for later, so only the last part counts.
        if now % 1500 == 0:
            held.append(tracemalloc.get_traced_memory()[0])
        budget.leave(go(budget, "lots", now + 60.0), now + 60.5, status=status, headers={})
    grown = tracemalloc.get_traced_memory()[0] - held[-1]
    tracemalloc.stop()
    assert grown < 5000


def test_a_cost_isnt_told_from_the_limit_once_something_was_lost_in_the_window() -> None:
    budget = opened(left=10)
    budget.leave(go(budget, "lots", 45.0), 45.1)
    budget.leave(go(budget, "clans", 45.2), 45.3, status=200, headers=headers(45, reset=100, now=45.3))
    assert "clans" not in budget.state(0.0).costs


def test_what_costs_nothing_never_waits_and_tells_nothing() -> None:
    budget = opened(left=0)
    free = go(budget, "regions", 1.0)
    budget.leave(free, 1.1, status=200, headers={})
    assert poll(budget, budget.enter("emission", Caller()), 1.2) > 0


# ── within a window ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_in_flight_is_counted() -> None:
    budget = opened(left=5)
    tickets = enter(budget, "lots", "lots", "lots")
    assert [poll(budget, ticket, 1.0) == 0 for ticket in tickets] == [True, True, False]
    assert left(budget, 1.0) == 1


def test_who_doesnt_get_points_waits_for_the_reset_and_little_longer() -> None:
    budget = opened(left=0, now=10.0)
    wait = poll(budget, budget.enter("emission", Caller()), 12.0)
    assert 28.0 < wait < 28.2


def test_nobody_overtakes_a_call_that_may_still_get_its_points() -> None:
    budget = opened(left=3)
    running = go(budget, "lots", 1.0)
    dear, cheap = enter(budget, "lots", "emission")
    assert poll(budget, dear, 1.0) > 0
    assert poll(budget, cheap, 1.0) > 0
    budget.leave(running, 1.1, sent=False)
    assert poll(budget, cheap, 1.1) > 0
    assert poll(budget, dear, 1.1) == 0
    assert poll(budget, cheap, 1.1) == 0


def test_the_points_that_are_too_few_for_a_call_go_to_the_first_that_they_suffice_for() -> None:
    budget, woken = opened(left=3), list[str]()
    running = go(budget, "lots", 1.0)
    dear = budget.enter("lots", Caller(lambda: woken.append("dear")))
    cheap = budget.enter("emission", Caller(lambda: woken.append("cheap")))
    latest = budget.enter("emission", Caller(lambda: woken.append("latest")))
    budget.leave(running, 1.2, status=200, headers=headers(1, now=1.2))
    assert woken == ["cheap"]
    assert [poll(budget, ticket, 1.2) > 0 for ticket in (dear, latest, cheap)] == [True, True, False]
    budget.leave(cheap, 1.3, status=200, headers=headers(0, now=1.3))
    # After the reset the order is the old one.
    assert [poll(budget, ticket, 41.2) == 0 for ticket in (latest, dear)] == [False, True]


def test_nothing_overtakes_what_a_dearer_one_in_the_middle_may_still_get() -> None:
    budget = opened(left=4)
    budget._ledger.costs.add_sample("operations", 5)
    budget._ledger.costs.add_sample("clans", 3)
    running = go(budget, "lots", 1.0)
    tickets = enter(budget, "operations", "clans", "emission")
    assert all(poll(budget, ticket, 1.1) > 0 for ticket in tickets)
    budget.leave(running, 1.2, sent=False)
    assert [poll(budget, ticket, 1.2) == 0 for ticket in tickets] == [False, True, True]


def test_an_answer_out_of_order_doesnt_bring_points_back() -> None:
    budget = opened(left=40)
    first, second = go(budget, "lots", 1.0), go(budget, "lots", 1.0)
    budget.leave(second, 1.2, status=200, headers=headers(36, now=1.2))
    budget.leave(first, 1.3, status=200, headers=headers(38, now=1.3))
    assert left(budget, 1.3) == 36


def test_an_older_reset_is_ignored_and_what_it_hides_stays_charged() -> None:
    budget = opened(left=40)
    budget.leave(go(budget, "lots", 1.0), 1.2, status=200, headers=headers(49, reset=-20, now=1.2))
    tickets = enter(budget, *["lots"] * 20)
    assert [poll(budget, ticket, 2.0) == 0 for ticket in tickets].count(True) == 19
    budget.leave(tickets[0], 2.2, status=200, headers=headers(36, now=2.2))
    assert left(budget, 2.2) == 36 - 2 * 18


@pytest.mark.parametrize("jitter", [-0.001, 0.001])
def test_a_reset_that_jitters_is_the_same_window(jitter: float) -> None:
    budget = opened(left=40)
    budget.leave(go(budget, "lots", 1.0), 1.2, status=200, headers=headers(45, reset=40 + jitter, now=1.2))
    assert left(budget, 1.2) == 40


def test_a_stranger_who_spends_is_noticed() -> None:
    budget = opened(left=40)
    budget.leave(go(budget, "lots", 1.0), 1.2, status=200, headers=headers(3, now=1.2))
    assert [poll(budget, ticket, 1.3) == 0 for ticket in enter(budget, "lots", "lots")] == [True, False]


def test_a_request_that_never_left_gives_its_points_back() -> None:
    budget = opened(left=2)
    ticket = go(budget, "lots", 1.0)
    assert left(budget, 1.0) == 0
    budget.leave(ticket, 1.1, sent=False)
    budget.leave(ticket, 1.1, sent=False)
    assert left(budget, 1.1) == 2


def test_a_request_without_an_answer_may_have_been_charged_until_a_later_one_tells() -> None:
    budget = opened(left=4)
    lost = go(budget, "lots", 1.0)
    budget.leave(lost, 2.0)
    later = go(budget, "lots", 2.1)
    assert poll(budget, budget.enter("emission", Caller()), 2.2) > 0
    budget.leave(later, 2.3, status=200, headers=headers(2, now=2.3))
    assert [poll(budget, ticket, 2.4) == 0 for ticket in enter(budget, "emission")] == [False]
    # The one that waited before is still the first.
    assert left(budget, 2.4) == 2


def test_who_doesnt_pace_is_counted_all_the_same() -> None:
    budget = opened(left=3)
    rush(budget, "lots", 1.0)
    assert left(budget, 1.0) == 1
    assert poll(budget, budget.enter("lots", Caller()), 1.0) > 0


def test_spread_requests_keep_even_distances() -> None:
    budget = opened(limit=10, left=9, now=0.0)
    now, starts = 0.0, list[float]()
    for n in range(9):
        ticket = budget.enter("emission", Caller(), pace="even")
        while wait := poll(budget, ticket, now):
            now += wait
        starts.append(now)
        budget.leave(ticket, now, status=200, headers=headers(8 - n, 10, now=now))
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert max(gaps) - min(gaps) < 0.5
    assert 36 < starts[-1] < 40


# ── a share of it ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_share_ends_where_others_begin() -> None:
    budget, server = Budget(share=0.3), Server(limit=10)
    assert call(budget, server, "emission", 0.0) == 200
    ticket, next_one = enter(budget, "lots", "emission")
    assert poll(budget, ticket, 1.0) == 0
    assert 38 < poll(budget, next_one, 1.0) < 40.2
    assert soonest(budget, budget.enter("lots", Caller()), 1.0) > 38
    budget.leave(ticket, 1.0, sent=False)
    assert poll(budget, next_one, 1.0) == 0
    assert left(budget, 1.0) == 8


def test_what_others_have_spent_counts_before_the_share() -> None:
    budget = Budget(share=0.5)
    budget.leave(go(budget, "emission", 0.0), 0.0, status=200, headers=headers(1, limit=10, now=0.0))
    assert [poll(budget, ticket, 1.0) == 0 for ticket in enter(budget, "emission", "emission")] == [True, False]


def test_a_call_that_is_dearer_than_the_whole_share_goes_in_a_new_window() -> None:
    budget, server = Budget(share=0.1), Server(limit=10)
    assert call(budget, server, "emission", 0.0) == 200
    ticket = budget.enter("lots", Caller())
    assert poll(budget, ticket, 1.0) > 0
    assert poll(budget, ticket, 41.2) == 0


@pytest.mark.parametrize("share", [0, -1, 1.5, math.nan])
def test_a_share_out_of_its_range_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share must be above 0 and at most 1"):
        Budget(share=share)


# ── from window to window ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_window_is_opened_by_one_request_and_its_answer_lets_the_others_go() -> None:
    budget, server = Budget(), Server(limit=10)
    for _ in range(5):
        assert call(budget, server, "lots", 1.0) == 200
    tickets = enter(budget, *["lots"] * 10)
    assert poll(budget, tickets[0], 39.9) > 0
    assert [poll(budget, ticket, 41.2) == 0 for ticket in tickets].count(True) == 1
    status, told = server.answer("lots", 41.3)
    budget.leave(tickets[0], 41.4, status=status, headers=told)
    assert [poll(budget, ticket, 41.4) == 0 for ticket in tickets[1:]].count(True) == 4


def test_a_late_answer_of_the_old_window_says_nothing_about_the_new() -> None:
    budget = opened(left=10, now=30.0)
    late = go(budget, "lots", 39.9)
    opening = budget.enter("lots", Caller())
    assert poll(budget, opening, 41.5) == 0
    budget.leave(late, 41.6, status=200, headers=headers(0, now=39.95))
    budget.leave(opening, 41.7, status=200, headers=headers(48, reset=100, now=41.6))
    assert left(budget, 41.7) == 48


def test_a_window_that_turned_before_we_thought_so_is_taken_up_at_once() -> None:
    budget = Budget()
    budget.leave(go(budget, "lots", 0.0), 0.0, status=200, headers=headers(0))
    assert until_reset(budget, 0.0) == pytest.approx(60, abs=0.1)
    ticket = rush(budget, "lots", 45.0)
    budget.leave(ticket, 45.1, status=200, headers=headers(48, reset=100))
    assert left(budget, 45.1) == 48
    # That it had turned by then is better knowledge of the server's clock.
    assert until_reset(budget, 45.1) == pytest.approx(60, abs=0.1)


@pytest.mark.parametrize("skew", [-30.0, 0.0, 30.0, 1e6])
def test_the_local_clock_may_show_any_time(skew: float) -> None:
    budget = Budget()
    ticket = go(budget, "lots", 10.0 + skew)
    budget.leave(ticket, 10.1 + skew, status=200, headers=headers(0, now=10.05))
    assert until_reset(budget, 10.1 + skew) == pytest.approx(30, abs=0.2)


@pytest.mark.parametrize("reset", [-1e6, 700, 1e6, None])
def test_a_reset_that_is_absurd_or_absent_means_a_whole_window_from_now(reset: float | None) -> None:
    budget = Budget()
    told = headers(7, reset=0 if reset is None else reset, now=10.0)
    if reset is None:
        del told["x-ratelimit-reset"]
    budget.leave(go(budget, "lots", 10.0), 10.0, status=200, headers=told)
    assert until_reset(budget, 10.0) == 60
    assert left(budget, 10.0) == 7
    budget.leave(go(budget, "lots", 30.0), 30.0, status=200, headers={**told, "x-ratelimit-remaining": "49"})
    assert until_reset(budget, 30.0) == 40
    assert left(budget, 30.0) == 7


def test_shorter_windows_are_learned_from_the_resets() -> None:
    budget = Budget()
    for turn in range(4):
        now = 2.0 * turn + 0.5
        ticket = rush(budget, "lots", now)
        budget.leave(ticket, now, status=200, headers=headers(0, reset=2.0 * (turn + 1)))
    assert until_reset(budget, 6.5) == pytest.approx(2, abs=0.1)


def test_a_clock_forgets_what_no_answer_has_confirmed_for_two_windows() -> None:
    clock = WindowClock()
    told = RateLimitHeaders.parse(headers(1, reset=40))
    back = RateLimitHeaders.parse(headers(1, reset=-5000))
    assert told is not None
    assert back is not None
    assert [clock.observe(told, 0), clock.observe(back, 60), clock.observe(back, 121)] == [
        "new",
        "old",
        "new",
    ]


def test_a_learned_length_gives_way_to_a_reset_farther_away() -> None:
    clock = WindowClock()
    for turn in range(3):
        told = RateLimitHeaders.parse(headers(1, reset=2 * turn, now=2 * turn - 1))
        assert told is not None
        clock.observe(told, 2 * turn - 1)
    assert clock.length == 2
    told = RateLimitHeaders.parse(headers(1, reset=60, now=5))
    assert told is not None
    assert clock.observe(told, 5) == "new"
    assert clock.length == 60


@pytest.mark.parametrize(
    "odd",
    [
        {"x-ratelimit-remaining": "many"},
        {"x-ratelimit-remaining": "9" * 5000},
        {"x-ratelimit-limit": "fifty"},
        {"x-ratelimit-reset": "soon"},
    ],
)
def test_headers_that_cant_be_read_dont_switch_pacing_off(odd: dict[str, str]) -> None:
    budget = opened(left=4)
    budget.leave(go(budget, "lots", 1.0), 1.1, status=200, headers=odd)
    assert [poll(budget, ticket, 1.2) == 0 for ticket in enter(budget, "lots", "lots")] == [True, False]


@pytest.mark.parametrize(
    "odd",
    [
        {"x-ratelimit-remaining": "-3"},
        {"x-ratelimit-remaining": "0.5"},
        {"x-ratelimit-remaining": "0, 40"},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "999999999999999"},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH - 3600)},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str((EPOCH - 3600) * 1000)},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH + 40)},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 5000},
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_whatever_can_be_read_counts_and_no_odd_reset_brings_points_back(odd: dict[str, str], is_first: bool) -> None:
    budget = Budget() if is_first else opened(left=2)
    dated = {"date": headers(0, now=1.0)["date"]}
    budget.leave(go(budget, "lots", 1.0), 1.1, status=200, headers=odd | dated)
    assert poll(budget, budget.enter("lots", Caller()), 1.2) > 38


def test_recorded_answers_out_of_a_cache_bring_no_points_back() -> None:
    # The shape of a recording: 399 is the cache's, with the same reset as the rest, which jitters by a millisecond.
    budget = Budget()
    told = [371, 370, 369, 352, 399, 351, 399, 399, 348, 399, 399, 399, 345, 399, 344]
    for step, remaining in enumerate(told):
        now, reset = 1.0 + step / 4, 40 + (step % 3 - 1) / 1000
        budget.leave(go(budget, "emission", now), now + 0.1, status=200, headers=headers(remaining, 400, reset, now))
        assert left(budget, now + 0.1) == min(told[: step + 1])


def test_thirty_published_responses_are_counted_by_the_lowest_of_their_window() -> None:
    told = published_case("ratelimit_sequence_fers_2026-06-07.json")
    if told is None:
        pytest.skip("the published headers are neither in $SCAPI_DATA nor in a shared/data beside the project")
    budget, least = Budget(), 400
    for row in told:
        minutes, _, seconds = row["t"].partition(":")
        now = float(seconds) + 60 * (int(minutes) - 40)
        ticket = go(budget, "price_history" if row["op"] == "history" else row["op"], now)
        sent = headers(row["remaining"], 400, 40 + row["reset_minus_first_ms"] / 1000, now)
        budget.leave(ticket, now + 0.1, status=row["status"], headers=sent)
        least = min(least, row["remaining"])
        assert left(budget, now + 0.1) == least
    assert {name: budget.state(now).costs[name] for name in ("emission", "lots", "price_history")} == {
        "emission": 1,
        "lots": 2,
        "price_history": 2,
    }


def test_a_response_400_is_counted_but_is_not_taken_for_the_price_of_the_endpoint() -> None:
    budget = opened(left=49)
    budget.leave(go(budget, "clans", 1.0), 1.1, status=400, headers=headers(45, now=1.1))
    assert left(budget, 1.2) == 45
    assert "clans" not in budget.state(1.2).costs
    budget.leave(go(budget, "clans", 2.0), 2.1, status=200, headers=headers(43, now=2.1))
    assert budget.state(2.2).costs["clans"] == 2


def test_a_cache_brings_no_points_back_after_a_block_either() -> None:
    budget = opened(left=30)
    budget.leave(go(budget, "lots", 10.0), 10.0, status=429, headers={"retry-after": "5"})
    budget.leave(go(budget, "lots", 15.0), 15.1, status=200, headers=headers(49, now=15.1))
    assert left(budget, 15.1) == 30


# ── what an exception leaves behind ───────────────────────────────────────────────────────────────────────────────────


def test_a_dead_ticket_is_dropped_by_whoever_looks_next() -> None:
    budget = opened(left=2)
    callers = [Caller() for _ in range(3)]
    tickets = [budget.enter("lots", caller) for caller in callers]
    callers[0].is_alive = False
    assert poll(budget, tickets[2], 1.0) > 0
    assert poll(budget, tickets[1], 1.0) == 0
    callers[2].is_alive = False
    assert budget.state(1.0).waiting == 0


def test_who_drops_a_dead_ticket_wakes_the_next() -> None:
    budget, woken = opened(left=4), list[str]()
    dead = Caller()
    budget.enter("lots", dead)
    budget.enter("lots", Caller(lambda: woken.append("next")))
    last = budget.enter("lots", Caller())
    assert poll(budget, last, 1.0) > 0
    assert woken == []
    dead.is_alive = False
    assert poll(budget, last, 1.1) > 0
    assert woken == ["next"]


def test_a_dead_request_may_have_been_charged_until_an_answer_tells() -> None:
    budget = opened(left=4)
    caller = Caller()
    ticket = budget.enter("lots", caller)
    assert poll(budget, ticket, 1.0) == 0
    caller.is_alive = False
    assert budget.state(1.1).in_flight == 0
    later = enter(budget, "lots", "lots")
    assert [poll(budget, other, 1.2) == 0 for other in later] == [True, False]
    budget.leave(later[0], 1.3, status=200, headers=headers(2, now=1.3))
    assert poll(budget, later[1], 1.4) == 0


def test_a_dead_request_that_was_to_be_measured_holds_nobody() -> None:
    budget = opened(left=20)
    caller = Caller()
    assert poll(budget, budget.enter("clans", caller), 1.0) == 0
    waiting = budget.enter("lots", Caller())
    assert poll(budget, waiting, 1.1) > 0
    caller.is_alive = False
    assert poll(budget, waiting, 1.2) == 0


def test_dead_tickets_dont_delay_what_a_call_is_told() -> None:
    budget = opened(limit=10, left=0)
    callers = [Caller() for _ in range(50)]
    for caller in callers:
        budget.enter("lots", caller)
        caller.is_alive = False
    ticket = budget.enter("lots", Caller())
    assert soonest(budget, ticket, 2.0) == pytest.approx(38, abs=0.1)


# ── refusals ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_a_refusal_nothing_goes_until_the_reset_whatever_remains() -> None:
    budget = opened(left=40)
    budget.leave(go(budget, "lots", 10.0), 10.1, status=429, headers=headers(1, now=10.1))
    assert poll(budget, budget.enter("emission", Caller()), 11.0) == pytest.approx(29, abs=0.2)
    assert until_reset(budget, 11.0) == pytest.approx(29, abs=0.2)


def test_after_a_refusal_with_headers_out_of_a_cache_the_reset_known_is_waited_for() -> None:
    budget = opened(left=40)
    budget.leave(go(budget, "lots", 10.0), 10.1, status=429, headers=headers(49, reset=-20, now=10.1))
    assert poll(budget, budget.enter("emission", Caller()), 11.0) == pytest.approx(29, abs=0.2)
    assert until_reset(budget, 11.0) == pytest.approx(29, abs=0.2)


DAY = 86_400


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({}, 60),
        ({"retry-after": "5"}, 5),
        ({"retry-after": "3600"}, 3600),
        ({"retry-after": "9" * 400}, DAY),
        ({"retry-after": "Thu, 24 Sep 2026 15:00:00 GMT", "date": "Thu, 24 Sep 2026 14:00:00 GMT"}, 3600),
        ({"retry-after": "Thu, 24 Sep 2026 15:00:00 GMT"}, 60),
    ],
)
@pytest.mark.parametrize("operation", ["lots", "regions"])
def test_a_refusal_without_our_headers_stops_everything_as_long_as_it_asks_for_and_a_day_at_most(
    told: dict[str, str], seconds: float, operation: str
) -> None:
    budget = opened(left=40)
    budget.leave(go(budget, operation, 10.0), 10.0, status=429, headers=told)
    for now in (10.0, 10.0 + seconds / 2):
        assert until_reset(budget, now) == pytest.approx(10 + seconds - now)
        for blocked in ("lots", "regions"):
            for pace in (True, False):
                ticket = budget.enter(blocked, Caller(), pace=pace)
                wait = budget.poll(ticket, now)
                assert wait is not None
                assert wait.blocked == wait.again == pytest.approx(10 + seconds - now)
                assert wait.is_foreign
                budget.leave(ticket, now, sent=False)
    # One goes first, and shows whether it is over.
    tickets = enter(budget, "emission", "emission", "emission")
    assert [poll(budget, ticket, 10.1 + seconds) == 0 for ticket in tickets] == [True, False, False]


def test_a_block_that_isnt_the_apis_outlasts_the_answers_that_were_on_their_way() -> None:
    budget = opened(left=40)
    refused, late = go(budget, "lots", 10.0), go(budget, "lots", 10.0)
    budget.leave(refused, 10.1, status=429, headers={"retry-after": "3600"})
    budget.leave(late, 10.2, status=200, headers=headers(36, now=10.2))
    assert until_reset(budget, 20.0) == pytest.approx(3590.1)
    assert left(budget, 20.0) == 36


def test_the_apis_own_refusal_stops_those_who_dont_pace_until_the_reset_and_no_free_call() -> None:
    budget = opened(left=40)
    budget.leave(go(budget, "lots", 10.0), 10.1, status=429, headers=headers(1, now=10.1))
    wait = budget.poll(budget.enter("lots", Caller(), pace=False), 11.0)
    assert wait is not None
    assert wait.blocked == pytest.approx(29, abs=0.2)
    assert not wait.is_foreign
    go(budget, "regions", 11.0)
    rush(budget, "lots", 41.2)


def test_a_late_refusal_of_the_window_before_doesnt_stop_the_new_one() -> None:
    budget = opened(left=10, now=30.0)
    late = go(budget, "lots", 39.9)
    opening = budget.enter("lots", Caller())
    assert poll(budget, opening, 41.5) == 0
    budget.leave(opening, 41.6, status=200, headers=headers(48, reset=100, now=41.6))
    budget.leave(late, 41.7, status=429, headers=headers(0, now=39.95))
    assert poll(budget, budget.enter("lots", Caller()), 41.8) == 0


def test_after_a_short_block_the_window_that_goes_on_is_read_again() -> None:
    budget = opened(left=40)
    budget.leave(go(budget, "lots", 10.0), 10.0, status=429, headers={"retry-after": "5"})
    budget.leave(go(budget, "lots", 15.0), 15.1, status=200, headers=headers(30, now=15.1))
    assert left(budget, 15.1) == 30


def test_a_date_that_is_ahead_costs_one_refusal_and_isnt_trusted_again() -> None:
    budget = Budget()
    budget.leave(go(budget, "lots", 10.0), 10.0, status=200, headers=headers(0, now=20.0))
    assert until_reset(budget, 10.0) == pytest.approx(20, abs=0.1)
    refused, late = go(budget, "lots", 31.0), rush(budget, "lots", 31.0)
    budget.leave(refused, 31.0, status=429, headers=headers(0, now=41.0))
    assert until_reset(budget, 31.0) == pytest.approx(60, abs=0.1)
    budget.leave(late, 40.0, status=200, headers=headers(0, reset=100, now=50.0))
    assert until_reset(budget, 40.0) == pytest.approx(60, abs=0.1)


def test_a_limit_of_zero_is_never_waited_for_and_asked_again_once_a_window() -> None:
    budget = Budget()
    budget.leave(go(budget, "lots", 10.0), 10.0, status=429, headers=headers(0, limit=0, now=10.0))
    ticket = budget.enter("lots", Caller())
    assert poll(budget, ticket, 11.0) == soonest(budget, ticket, 11.0) == until_reset(budget, 11.0) == math.inf
    assert poll(budget, ticket, 42.0) == 0


# ── costs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_cost_is_measured_by_sending_the_first_one_alone() -> None:
    budget, server = opened(left=49), Server(left=49, costs={"clans": 5, "lots": 2})
    running, clans, waiting = enter(budget, "lots", "clans", "lots")
    assert poll(budget, running, 1.0) == 0
    assert poll(budget, clans, 1.1) == pytest.approx(1.0)
    status, told = server.answer("lots", 1.2)
    budget.leave(running, 1.3, status=status, headers=told)
    assert poll(budget, clans, 1.3) == 0
    assert poll(budget, waiting, 1.4) == pytest.approx(0.9)
    status, told = server.answer("clans", 1.4)
    budget.leave(clans, 1.5, status=status, headers=told)
    assert budget.state(0.0).costs["clans"] == 5
    assert poll(budget, waiting, 1.5) == 0


def test_an_operation_that_cant_be_measured_goes_with_others_after_three_tries_and_ten_points_each() -> None:
    budget = opened(left=49)
    for now in (1.0, 2.0, 3.0):
        budget.leave(go(budget, "clans", now), now, sent=False)
    assert [poll(budget, ticket, 4.0) == 0 for ticket in enter(budget, *["clans"] * 5)] == [True] * 4 + [False]
    assert left(budget, 4.0) == 9
    assert "clans" not in budget.state(0.0).costs


def test_a_strangers_spending_raises_a_cost_only_until_the_next_measurement() -> None:
    budget = opened(left=49)
    for cost, remaining in ((22, 27), (3, 24)):
        budget.leave(go(budget, "clans", 1.0), 1.1, status=200, headers=headers(remaining, now=1.1))
        assert budget.state(0.0).costs["clans"] == cost


def test_a_cost_the_server_has_raised_is_learned_and_a_single_inflated_one_is_not() -> None:
    budget = opened(limit=400, left=400)
    remaining = 400
    for taken, learned in ((30, 1), (4, 1), (4, 1), (4, 1), (4, 4)):
        remaining -= taken
        budget.leave(go(budget, "emission", 1.0), 1.1, status=200, headers=headers(remaining, 400, now=1.1))
        assert budget.state(0.0).costs["emission"] == learned


def test_the_answer_that_opens_a_window_tells_a_cost_too() -> None:
    budget, server = Budget(), Server(costs={"clans": 3})
    assert call(budget, server, "clans", 39.0) == 200
    assert "clans" not in budget.state(0.0).costs
    assert call(budget, server, "clans", 45.0) == 200
    assert budget.state(0.0).costs["clans"] == 3


def test_a_refusal_tells_no_cost() -> None:
    budget = opened(left=20)
    budget.leave(go(budget, "clans", 1.0), 1.1, status=429, headers=headers(0, now=1.1))
    assert "clans" not in budget.state(0.0).costs


# ── queue ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_eta_is_the_reset_after_which_the_points_suffice() -> None:
    budget = opened(limit=10, left=4, now=10.0)
    tickets = enter(budget, *["lots"] * 13)
    etas = [soonest(budget, ticket, 10.0) for ticket in reversed(tickets)][::-1]
    assert etas[:2] == [0, 0]
    assert etas[2:7] == [pytest.approx(30, abs=0.1)] * 5
    assert etas[7:12] == [pytest.approx(90, abs=0.1)] * 5
    assert etas[12] == pytest.approx(150, abs=0.1)
    budget.leave(tickets[0], 10.0, sent=False)
    assert soonest(budget, tickets[12], 10.0) == pytest.approx(90, abs=0.1)


def test_eta_in_a_window_not_yet_opened_is_careful() -> None:
    budget = opened(limit=10, left=0)
    tickets = enter(budget, *["lots"] * 11)
    assert [soonest(budget, tickets[n], 50.0) for n in (10, 9, 0)] == [60, 0, 0]


@pytest.mark.parametrize("end", ["go", "leave", "cancel"])
def test_the_next_in_the_queue_is_woken_when_something_changes(end: str) -> None:
    budget, woken = opened(left=4 if end == "go" else 2), list[str]()
    running = go(budget, "lots", 1.0)
    first = budget.enter("lots", Caller(lambda: woken.append("first")))
    budget.enter("lots", Caller(lambda: woken.append("second")))
    if end == "go":
        assert poll(budget, first, 1.0) == 0
    elif end == "leave":
        budget.leave(running, 1.0, status=200, headers=headers(0, now=1.0))
    else:
        budget.leave(first, 1.0, sent=False)
    assert woken == (["first"] if end == "leave" else ["second"])


def test_leaving_twice_counts_once() -> None:
    budget = opened(left=10)
    ticket = go(budget, "lots", 1.0)
    budget.leave(ticket, 1.1, status=200, headers=headers(8, now=1.1))
    budget.leave(ticket, 1.1)
    assert left(budget, 1.1) == 8


def test_many_threads_share_one_budget_without_overdrawing_it() -> None:
    budget, server, lock = opened(limit=400, left=400), Server(400), threading.Lock()
    refused, begun = list[int](), threading.Barrier(16)

    def work() -> None:
        woken = threading.Event()
        begun.wait()
        for _ in range(10):
            ticket = budget.enter("lots", Caller(woken.set))
            while poll(budget, ticket, 1.0) > 0:
                assert woken.wait(30)
                woken.clear()
            with lock:
                status, told = server.answer("lots", 1.0)
            refused.append(status == 429)
            budget.leave(ticket, 1.0, status=status, headers=told)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(refused) == 160
    assert not any(refused)
    assert left(budget, 1.0) == server.left == 400 - 320


# ── properties ────────────────────────────────────────────────────────────────────────────────────────────────────────

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["enter", "enter", "answer", "answer", "deliver", "drop", "lose", "wait", "later"]),
        st.sampled_from(["emission", "lots", "price_history", "clans"]),
        st.integers(0, 30),
    ),
    min_size=30,
    max_size=120,
)


@settings(max_examples=4 * settings().max_examples)
@given(STEPS, st.sampled_from([7, 10, 50]), st.integers(1, 5))
def test_whatever_happens_the_budget_is_kept_nobody_is_delayed_and_no_point_is_lost(  # noqa: PLR0915  # one model
    steps: list[tuple[str, str, int]], limit: int, unknown: int
) -> None:
    """Calls begin, are answered, come back in any order, are dropped or lost, and time goes on."""
    now, budget = 0.5, Budget()
    server = Server(limit, costs={"emission": 1, "lots": 2, "price_history": 2, "clans": unknown})
    waiting, begun, answered = list[Ticket](), list[Ticket](), list[tuple[Ticket, int, dict[str, str]]]()

    # Who hears nothing of a new window for a second sends another request: that may go wrong, and only that.
    impatient = False

    def let_go() -> None:
        nonlocal impatient
        for ticket in list(waiting):
            at_most = budget._may_become_free()
            if poll(budget, ticket, now) == 0:
                # Whoever was overtaken could not have gone in this window any more, whatever comes back.
                overtaken = waiting[: waiting.index(ticket)]
                assert all(budget._ledger.price(other.operation) > at_most for other in overtaken), (
                    "somebody is delayed"
                )
                waiting.remove(ticket)
                impatient |= budget._ledger.window.remaining is None and bool(begun or answered)
                begun.append(ticket)

    def answer(number: int) -> None:
        ticket = begun.pop(number % len(begun))
        status, told = server.answer(ticket.operation, now)
        assert status == 200 or impatient, "overdrawn"
        answered.append((ticket, status, told))

    def deliver(number: int) -> None:
        ticket, status, told = answered.pop(number % len(answered))
        budget.leave(ticket, now, status=status, headers=told)

    def drain() -> None:
        while begun:
            answer(0)
        while answered:
            deliver(0)

    for step, operation, number in steps:
        now += 0.01
        if step == "enter":
            waiting.append(budget.enter(operation, Caller()))
        elif step == "answer" and begun:
            answer(number)
        elif step == "deliver" and answered:
            deliver(number)
        elif step == "drop" and (waiting or begun):
            ticket = (waiting + begun)[number % len(waiting + begun)]
            (waiting if ticket in waiting else begun).remove(ticket)
            budget.leave(ticket, now, sent=False)
        elif step == "lose" and begun:
            budget.leave(begun.pop(number % len(begun)), now)
        elif step == "wait":
            now += number / 100
        elif step == "later":
            drain()
            now += number
        let_go()
    drain()
    for ticket in waiting:
        budget.leave(ticket, now, sent=False)
    # With nothing on its way, the next answer leaves the two in agreement.
    now += 61
    assert call(budget, server, "emission", now) == 200
    assert left(budget, now + 0.2) == server.left


@given(
    st.dictionaries(
        st.sampled_from(["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "date", "retry-after"]),
        st.text() | st.integers(-(10**20), 10**20).map(str),
    ),
    st.none() | st.integers(100, 599),
)
def test_no_header_makes_it_fail_or_wait_longer_than_a_window_or_a_refusal_asks_for(
    told: dict[str, str], status: int | None
) -> None:
    budget = opened(left=30)
    for told_budget in (budget, Budget()):
        told_budget.leave(go(told_budget, "lots", 1.0), 1.1, status=status, headers=told)
        wait = poll(told_budget, told_budget.enter("emission", Caller()), 2.0)
        longest = DAY if status == 429 and "retry-after" in told else 60.1
        assert 0 <= wait <= longest or (wait == math.inf and told_budget.state(2.0).ratelimit.limit == 0)


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ({}, None),
        ({"x-ratelimit-remaining": "-1"}, RateLimitHeaders(0)),
        ({"x-ratelimit-remaining": "many"}, None),
        ({"x-ratelimit-remaining": "9" * 5000}, None),
        ({"x-ratelimit-remaining": ""}, None),
        ({"x-ratelimit-remaining": "\u0667"}, None),
        ({"x-ratelimit-remaining": " 7 "}, RateLimitHeaders(7)),
        ({"x-ratelimit-remaining": "7.9"}, RateLimitHeaders(7)),
        ({"x-ratelimit-remaining": "9, 7"}, RateLimitHeaders(7)),
        ({"x-ratelimit-remaining": "9, many"}, None),
        ({"x-ratelimit-limit": "50"}, RateLimitHeaders(None, 50)),
        ({"x-ratelimit-limit": "-1", "x-ratelimit-remaining": "7"}, RateLimitHeaders(7)),
        ({"x-ratelimit-remaining": "70", "x-ratelimit-limit": "50"}, RateLimitHeaders(50, 50)),
        ({"x-ratelimit-reset": "1790000033216"}, RateLimitHeaders(None, None, 1790000033.216)),
        ({"x-ratelimit-reset": "1790000033"}, RateLimitHeaders(None, None, 1790000033.0)),
        ({"x-ratelimit-reset": "1790000033216, 1790000093216"}, RateLimitHeaders(None, None, 1790000093.216)),
        ({"x-ratelimit-remaining": "7", "x-ratelimit-reset": "33"}, RateLimitHeaders(7)),
        ({"x-ratelimit-remaining": "7", "x-ratelimit-reset": "-5"}, RateLimitHeaders(7)),
        ({"x-ratelimit-remaining": "7", "x-ratelimit-reset": "999999999999999"}, RateLimitHeaders(7)),
        ({"x-ratelimit-remaining": "7", "x-ratelimit-reset": "1.5e3", "date": "?"}, RateLimitHeaders(7)),
    ],
)
def test_headers_are_read_with_tolerance(told: dict[str, str], seen: RateLimitHeaders | None) -> None:
    assert RateLimitHeaders.parse(told) == seen


def test_the_snapshot_tells_the_next_reset_by_the_servers_clock() -> None:
    budget = opened(limit=50, left=30, now=10.0)
    resets = [budget.state(now).ratelimit.reset for now in (10.0, 45.0, 190.0)]
    assert resets == [datetime.fromtimestamp(EPOCH + reset, UTC) for reset in (40, 100, 220)]
    assert [left(budget, now) for now in (190.0,)] == [50]


# ── one for each host and credentials ─────────────────────────────────────────────────────────────────────────────────


def test_the_same_host_and_credentials_share_a_budget_while_somebody_holds_it() -> None:
    budget: Pacing = budget_for("eapi.stalzone.com", "secret")
    assert budget is budget_for("EAPI.stalzone.com", "secret")
    assert budget is not budget_for("dapi.stalzone.com", "secret")
    assert budget is not budget_for("eapi.stalzone.com", "other")
    budget.poll(budget.enter("lots", Caller()), 0.0)
    del budget
    gc.collect()
    assert budget_for("eapi.stalzone.com", "secret").state(0.0).ratelimit == RateLimit()


def test_a_budget_that_was_given_takes_the_place() -> None:
    mine = Budget(window=2)
    assert budget_for("https://eapi.stalzone.com", "seam", mine) is mine


def test_what_has_budgets_is_asked_for_that_of_the_host_and_credentials() -> None:
    asked = list[tuple[str, str]]()

    class Source:
        def budget_for(self, base_url: str, credentials: str) -> Pacing:
            asked.append((base_url, credentials))
            return mine

    mine = Budget(window=2)
    assert budget_for("https://EAPI.stalzone.com", "seam", Source()) is mine
    assert asked == [("https://eapi.stalzone.com", "seam")]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system doesn't fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_has_no_part_in_what_its_parent_had_begun() -> None:
    budget = budget_for("eapi.stalzone.com", "fork")
    assert isinstance(budget, Budget)
    budget.leave(go(budget, "emission", 1.0), 1.0, status=200, headers=headers(2, now=1.0))
    go(budget, "lots", 1.1)
    budget.enter("lots", Caller())
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with budget._lock:
            held.set()
            release.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    child = os.fork()
    if child == 0:  # pragma: no cover  # in another process
        ok = poll(budget, budget.enter("lots", Caller()), 2.0) == 0 and left(budget, 2.0) == 48
        os._exit(0 if ok else 1)
    release.set()
    thread.join(30)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert left(budget, 2.0) == 0


# ── some minutes, simulated; `python -m benchmarks.pacing` does the whole hour ────────────────────────────────────────


@pytest.mark.simulation
@pytest.mark.parametrize("clock", [-30.0, 0.0, 30.0])
@pytest.mark.parametrize("tasks", [1, 2, 10, 50, 200])
@pytest.mark.parametrize(
    ("limit", "costs", "seconds"), [(400, KNOWN, 600), (50, KNOWN, 900), (50, UNKNOWN, 900)], ids=["400", "50", "new"]
)
def test_alone_no_request_is_refused_and_nearly_all_points_are_used(
    limit: int, costs: dict[str, int], seconds: float, tasks: int, clock: float
) -> None:
    outcome = simulate(Scenario(limit=limit, costs=costs, tasks=tasks, clock=clock, drift=clock / 3e5, seconds=seconds))
    assert outcome.refused == outcome.failed == 0
    assert outcome.share_used >= 0.98


@pytest.mark.simulation
@pytest.mark.parametrize("stranger", ["steady", "bursts"])
@pytest.mark.parametrize("tasks", [2, 200])
@pytest.mark.parametrize(("limit", "costs", "seconds"), [(400, KNOWN, 600), (50, UNKNOWN, 900)], ids=["400", "new"])
def test_with_a_stranger_every_call_completes_and_few_requests_are_refused(
    limit: int, costs: dict[str, int], seconds: float, tasks: int, stranger: str
) -> None:
    outcome = simulate(Scenario(limit=limit, costs=costs, tasks=tasks, stranger=stranger, seconds=seconds))
    assert outcome.failed == 0
    assert outcome.completed > 0
    assert outcome.share_refused < 0.02


@pytest.mark.simulation
@pytest.mark.parametrize("workers", [2, 4])
@pytest.mark.parametrize("limit", [400, 50])
def test_processes_with_a_share_each_are_hardly_ever_refused(limit: int, workers: int) -> None:
    outcome = simulate(Scenario(limit=limit, workers=workers, share=1 / workers, tasks=40, seconds=900))
    assert outcome.failed == 0
    assert outcome.share_refused < 0.005
    assert outcome.used / outcome.allowed >= 0.95


def test_a_server_without_a_date_costs_no_refusal_either() -> None:
    outcome = simulate(Scenario(date=None, seconds=900))
    assert outcome.refused == 0
    assert outcome.share_used >= 0.98
