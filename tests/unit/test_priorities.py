"""Priorities and the reserve: who goes first within a window, and what low calls leave over."""

from __future__ import annotations

import gc
import math
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.pacing import KNOWN, UNKNOWN, Scenario, simulate
from scapi._ratelimit.budget import Budget
from scapi._ratelimit.priorities import Priority, is_overdue, points_kept, seconds_until_kept
from scapi._ratelimit.protocol import Ticket
from tests.unit.test_pacing import Caller, Server, go, headers, left, opened, poll, soonest

if TYPE_CHECKING:
    from collections.abc import Callable

PRIORITIES: tuple[Priority, ...] = get_args(Priority)


class Client:
    """Something that keeps a reserve."""


def enter(
    budget: Budget, priority: Priority, operation: str = "lots", wake: Callable[[], object] = lambda: None
) -> Ticket:
    return budget.enter(operation, Caller(wake), priority=priority)


def spend(budget: Budget, priority: Priority, now: float, operation: str = "lots") -> None:
    ticket = enter(budget, priority, operation)
    assert poll(budget, ticket, now) == 0


def answer(budget: Budget, ticket: Ticket, remaining: int, now: float, *, reset: float = 40, limit: int = 50) -> None:
    budget.leave(ticket, now, status=200, headers=headers(remaining, limit, reset, now))


# ── order ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_high_goes_before_normal_and_normal_before_low_and_equals_in_their_order() -> None:
    budget = opened(left=0)
    order: tuple[Priority, ...] = ("low", "normal", "high", "low", "normal", "high")
    tickets = [enter(budget, priority) for priority in order]
    assert all(poll(budget, ticket, 1.0) > 0 for ticket in tickets)
    gone = list[Ticket]()
    while len(gone) < 6:
        following = next(ticket for ticket in tickets if ticket not in gone and poll(budget, ticket, 41.0) == 0)
        gone.append(following)
        answer(budget, following, 50 - 2 * len(gone), 41.0, reset=100)
        tickets.reverse()
    assert [tickets.index(ticket) for ticket in gone] == [2, 5, 1, 4, 0, 3]
    assert [ticket.priority for ticket in gone] == ["high", "high", "normal", "normal", "low", "low"]


def test_a_call_has_normal_priority_unless_it_says_otherwise() -> None:
    budget = opened(left=2)
    plain = budget.enter("lots", Caller())
    assert plain.priority == "normal"
    assert poll(budget, enter(budget, "low"), 1.0) > 0
    assert poll(budget, plain, 1.0) == 0


def test_a_high_call_that_comes_late_is_the_one_that_is_woken() -> None:
    budget, woken = opened(left=2), list[str]()
    running = go(budget, "lots", 1.0)
    enter(budget, "low", wake=lambda: woken.append("low"))
    enter(budget, "normal", wake=lambda: woken.append("normal"))
    enter(budget, "high", wake=lambda: woken.append("high"))
    budget.leave(running, 1.1, sent=False)
    assert woken == ["high"]


def test_a_dead_high_call_holds_nobody() -> None:
    budget = opened(left=2)
    caller = Caller()
    budget.enter("lots", caller, priority="high")
    low = enter(budget, "low")
    assert poll(budget, low, 1.0) > 0
    caller.is_alive = False
    assert poll(budget, low, 1.1) == 0


def test_a_low_call_may_open_a_window_and_have_the_points_that_are_too_few_for_a_high_one() -> None:
    budget = Budget()
    low = enter(budget, "low")
    assert poll(budget, low, 0.0) == 0
    answer(budget, low, 1, 0.1)
    high, cheap = enter(budget, "high"), enter(budget, "low", "emission")
    assert poll(budget, high, 1.0) > 0
    assert poll(budget, cheap, 1.0) == 0


# ── nobody starves ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_that_has_waited_for_a_whole_window_goes_before_a_high_one() -> None:
    budget = opened(left=0, now=1.0)
    low = enter(budget, "low")
    assert poll(budget, low, 2.0) > 0
    high = enter(budget, "high", "price_history")
    budget.leave(high, 3.0, sent=False)
    # The next window is gone before its turn comes.
    opener = enter(budget, "high")
    assert poll(budget, opener, 41.0) == 0
    answer(budget, opener, 0, 41.1, reset=100)
    high = enter(budget, "high")
    assert poll(budget, high, 61.0) > 0
    assert poll(budget, high, 101.0) > 0
    assert poll(budget, low, 101.0) == 0
    assert poll(budget, high, 101.0) > 0  # the low one opens the window
    answer(budget, low, 48, 101.1, reset=160)
    assert poll(budget, high, 101.1) == 0


def test_overdue_calls_of_a_priority_get_a_tenth_of_a_window_before_others() -> None:
    budget = opened(left=0, now=1.0)
    lows = [enter(budget, "low") for _ in range(20)]
    assert all(poll(budget, ticket, 2.0) > 0 for ticket in lows)
    budget.leave(go_through(budget, 41.0), 41.1, status=200, headers=headers(0, reset=100, now=41.1))
    highs = [enter(budget, "high", "price_history") for _ in range(3)]
    assert all(poll(budget, ticket, 50.0) > 0 for ticket in highs)
    opener = lows.pop(0)
    assert poll(budget, opener, 101.0) == 0
    answer(budget, opener, 48, 101.1, reset=160)
    # A tenth of 50 are 5: with the one that opened the window, two more calls of 2 points begin below it.
    order = list[str]()
    while lows and len(order) < 6:
        for ticket in (*lows, *highs):
            if poll(budget, ticket, 101.2) == 0:
                order.append(ticket.priority)
                (lows if ticket in lows else highs).remove(ticket)
                break
    assert order == ["low", "low", "high", "high", "high", "low"]


def go_through(budget: Budget, now: float) -> Ticket:
    ticket = enter(budget, "high")
    assert poll(budget, ticket, now) == 0
    return ticket


def test_a_reserve_of_everything_starves_no_low_call() -> None:
    client, budget = Client(), opened(left=0, now=1.0)
    budget.set_reserve(client, 1.0)
    low = enter(budget, "low")
    assert poll(budget, low, 2.0) > 0
    opener = go_through(budget, 41.0)
    answer(budget, opener, 48, 41.1, reset=100)
    assert poll(budget, low, 41.2) == pytest.approx(20.8)  # then it is overdue
    assert poll(budget, low, 62.0) == 0


# ── the reserve ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_low_calls_leave_the_reserve_over_until_it_melts() -> None:
    client, budget = Client(), opened(left=7)
    budget.set_reserve(client, 0.1)
    first, second = enter(budget, "low"), enter(budget, "low")
    assert poll(budget, first, 1.0) == 0
    answer(budget, first, 5, 1.1)
    # 5 points are kept until 6 s before the end, none from 1.2 s before it; the window ends at 40.05.
    assert poll(budget, second, 1.2) == pytest.approx(40.05 - 1.2 - 4.8 * 3 / 5 - 1.2, abs=0.06)
    assert poll(budget, second, 34.0) > 0
    assert poll(budget, second, 36.1) == 0
    answer(budget, second, 3, 36.2)
    third = enter(budget, "low")
    assert poll(budget, third, 36.3) > 0
    assert poll(budget, third, 38.0) == 0


@pytest.mark.parametrize("priority", ["high", "normal"])
def test_calls_that_arent_low_may_use_the_reserve(priority: Priority) -> None:
    client, budget = Client(), opened(left=4)
    budget.set_reserve(client, 0.1)
    low = enter(budget, "low", "emission")
    assert poll(budget, low, 1.0) > 0
    spend(budget, priority, 1.0)
    spend(budget, priority, 1.0)
    assert poll(budget, low, 1.0) > 0


def test_the_greatest_reserve_of_the_living_clients_counts() -> None:
    budget = opened(left=7)
    small, great, closed = Client(), Client(), Client()
    budget.set_reserve(small, 0.1)
    budget.set_reserve(great, 0.12)
    budget.set_reserve(closed, 1.0)
    budget.set_reserve(closed, 0)
    low = enter(budget, "low", "emission")
    assert poll(budget, low, 1.0) == 0  # 6 are kept
    budget.leave(low, 1.1, sent=False)
    low = enter(budget, "low", "lots")
    assert poll(budget, low, 1.2) > 0
    del great
    gc.collect()
    assert poll(budget, low, 2.3) == 0


def test_without_a_reserve_low_calls_may_spend_everything() -> None:
    budget = opened(left=2)
    assert poll(budget, enter(budget, "low"), 1.0) == 0


def test_what_is_kept_is_told_to_be_left() -> None:
    client, budget = Client(), opened(left=5)
    budget.set_reserve(client, 0.1)
    assert left(budget, 1.0) == 5


def test_spread_low_calls_are_spread_over_what_isnt_kept() -> None:
    client, budget = Client(), opened(left=10)
    budget.set_reserve(client, 0.1)
    for now, remaining in ((7.5, 9), (15.0, 8), (22.5, 7), (30.0, 6)):
        ticket = budget.enter("emission", Caller(), pace="even", priority="low")
        assert poll(budget, ticket, now) == 0
        answer(budget, ticket, remaining, now)
    assert poll(budget, budget.enter("emission", Caller(), pace="even", priority="low"), 33.0) > 0


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_reserve_out_of_its_range_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="reserve must be from 0 to 1"):
        Budget().set_reserve(Client(), share)


# ── what a call is told ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_is_told_of_those_of_higher_priority_and_not_of_lower_ones() -> None:
    budget = opened(limit=10, left=0, now=10.0)
    for _ in range(10):
        enter(budget, "high")
    low, high = enter(budget, "low"), enter(budget, "high")
    # 10 calls take two windows; a low call is overdue before that.
    assert soonest(budget, low, 11.0) == pytest.approx(60)
    assert soonest(budget, high, 11.0) == pytest.approx(149.1, abs=0.1)
    for _ in range(30):
        enter(budget, "low")
    assert soonest(budget, enter(budget, "high"), 11.0) == pytest.approx(149.1, abs=0.1)


def test_a_low_call_is_told_how_long_the_reserve_holds_it() -> None:
    client, budget = Client(), opened(left=5)
    budget.set_reserve(client, 0.1)
    low = enter(budget, "low")
    assert soonest(budget, low, 1.0) == pytest.approx(35, abs=0.1)
    assert soonest(budget, enter(budget, "normal"), 1.0) == 0


# ── points of which no answer has told ────────────────────────────────────────────────────────────────────────────────


def test_answers_out_of_a_cache_hold_no_points_back_as_long_as_nobody_else_spends() -> None:
    budget = opened(left=6)
    first, second = go(budget, "lots", 1.0), go(budget, "lots", 1.0)
    answer(budget, first, 2, 1.1)
    answer(budget, second, 49, 1.2, reset=-20)
    assert poll(budget, budget.enter("lots", Caller()), 1.3) == 0


def test_a_share_may_change_at_any_time_and_what_was_spent_counts() -> None:
    budget = opened(limit=10, left=9)
    answer(budget, go(budget, "lots", 1.0), 7, 1.1, limit=10)
    budget.share = 0.5
    assert budget.share == 0.5
    assert poll(budget, budget.enter("lots", Caller()), 1.2) == 0
    assert poll(budget, budget.enter("lots", Caller()), 1.2) > 0
    with pytest.raises(ValueError, match="share must be"):
        budget.share = 0


# ── the rules ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.floats(0, 1), st.integers(1, 1000), st.floats(0, 60), st.floats(0, 60))
def test_a_reserve_only_melts_and_is_gone_before_the_end(share: float, quota: int, early: float, late: float) -> None:
    early, late = max(early, late), min(early, late)
    assert 0 <= points_kept(share, quota, late, 60) <= points_kept(share, quota, early, 60) <= share * quota
    assert points_kept(share, quota, 1.19, 60) == 0
    assert points_kept(share, quota, 6.01, 60) == share * quota


@given(st.floats(0.01, 1), st.integers(1, 1000), st.floats(0, 60), st.integers(0, 1000))
def test_after_the_seconds_told_no_more_points_are_kept(share: float, quota: int, until: float, points: int) -> None:
    seconds = seconds_until_kept(points, share, quota, until, 60)
    assert 0 <= seconds <= until
    assert points_kept(share, quota, until - seconds, 60) <= points + 1e-6
    assert seconds == 0 or points_kept(share, quota, until - seconds / 2, 60) > points


def test_a_call_is_overdue_after_a_window_unless_its_priority_has_had_its_tenth() -> None:
    assert is_overdue(60.0, 60.0, 4, 50)
    assert not is_overdue(59.9, 60.0, 0, 50)
    assert not is_overdue(600.0, 60.0, 5, 50)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["enter", "enter", "enter", "answer", "drop", "die", "wait", "later"]),
            st.sampled_from(PRIORITIES),
            st.sampled_from(["emission", "lots", "price_history"]),
            st.integers(0, 30),
        ),
        min_size=20,
        max_size=100,
    ),
    st.sampled_from([10, 50]),
    st.sampled_from([0.0, 0.1, 0.5, 1.0]),
)
def test_whatever_happens_the_order_and_the_reserve_are_kept_and_everybody_gets_a_turn(  # noqa: PLR0915  # one model
    steps: list[tuple[str, Priority, str, int]], limit: int, reserve: float
) -> None:
    """Calls begin, are answered, are dropped or die, and time goes on. Nothing stays taken."""
    now, budget, server, client = 0.5, Budget(), Server(limit), Client()
    budget.set_reserve(client, reserve)
    callers, entered = dict[Ticket, Caller](), dict[Ticket, float]()
    waiting, begun = list[Ticket](), list[Ticket]()

    def let_go() -> None:
        """Poll all that wait, as often as any of them goes."""
        while sum(try_to_go(ticket) for ticket in list(waiting)):
            pass

    def try_to_go(ticket: Ticket) -> bool:
        most, is_open = budget._may_become_free(), budget._ledger.window.remaining is not None
        if poll(budget, ticket, now) > 0:
            return False
        waiting.remove(ticket)
        begun.append(ticket)
        # The same rule, written down once more.
        is_due = now - entered[ticket] >= 60 and ticket.priority != "high"
        if is_open and not is_due:
            ahead = [
                other
                for other in waiting
                if PRIORITIES.index(other.priority) < PRIORITIES.index(ticket.priority)
                and budget._ledger.price(other.operation) <= most
            ]
            assert not ahead, "a call of higher priority was overtaken"
            if ticket.priority == "low" and server.reset - now > 6.1:
                assert budget._ledger.points_free() >= int(reserve * limit), "the reserve was spent"
        older = [other for other in waiting if entered[other] < entered[ticket]]
        assert not [o for o in older if (o.priority, o.operation) == (ticket.priority, ticket.operation)], "overtaken"
        return True

    def answer_first() -> None:
        ticket = begun.pop(0)
        status, told = server.answer(ticket.operation, now)
        budget.leave(ticket, now, status=status, headers=told)

    for step, priority, operation, number in steps:
        now += 0.01
        if step == "enter":
            caller = Caller()
            ticket = budget.enter(operation, caller, priority=priority)
            callers[ticket], entered[ticket] = caller, now
            waiting.append(ticket)
        elif step == "answer" and begun:
            answer_first()
        elif step == "drop" and waiting:
            budget.leave(waiting.pop(number % len(waiting)), now, sent=False)
        elif step == "die" and waiting + begun:
            ticket = (waiting + begun)[number % len(waiting + begun)]
            callers[ticket].is_alive = False
            (waiting if ticket in waiting else begun).remove(ticket)
        elif step == "wait":
            now += number / 100
        elif step == "later":
            while begun:
                answer_first()
            now += number
        let_go()
    # All that wait get their turn, though high calls keep coming that want more than there is.
    end = now + 60 * (2 + 10 * len(waiting) / limit + len(waiting))
    rest = list(waiting)
    while any(ticket in waiting for ticket in rest):
        assert now < end, "somebody starves"
        while begun:
            answer_first()
        now += 2.0
        for _ in range(limit // 8):
            ticket = budget.enter("lots", Caller(), priority="high")
            entered[ticket] = now
            waiting.append(ticket)
        let_go()


# ── simulated; `python -m benchmarks.pacing --priorities` does the whole hour ─────────────────────────────────────────


@pytest.mark.simulation
@pytest.mark.parametrize("tasks", [2, 10, 200])
@pytest.mark.parametrize(
    ("limit", "costs", "seconds"), [(400, KNOWN, 600), (50, KNOWN, 1800), (400, UNKNOWN, 600)], ids=["400", "50", "new"]
)
def test_beside_a_crawler_people_wait_less_than_a_second_and_nearly_all_points_are_used(
    limit: int, costs: dict[str, int], seconds: float, tasks: int
) -> None:
    outcome = simulate(
        Scenario(limit=limit, costs=costs, tasks=tasks, priority="low", people=0.1, reserve=0.1, seconds=seconds)
    )
    assert outcome.refused == outcome.failed == 0
    assert len(outcome.waits) > 20
    assert outcome.wait(0.95) < 1
    assert outcome.used / outcome.allowed >= 0.98


@pytest.mark.simulation
@pytest.mark.parametrize(("limit", "tasks"), [(400, 50), (50, 200)])
def test_a_crawler_beside_people_who_want_twice_the_points_gets_a_tenth(limit: int, tasks: int) -> None:
    outcome = simulate(Scenario(limit=limit, tasks=tasks, priority="low", people=2.0, reserve=0.1, seconds=600))
    assert outcome.refused == outcome.failed == 0
    assert outcome.points["low"] / outcome.points.total() > 0.09
    assert outcome.used / outcome.allowed >= 0.98
