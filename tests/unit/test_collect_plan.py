"""What a collector does when: plans that fit into the points, the order of jobs, what is set aside."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scapi._collect import refusals
from scapi._collect.agenda import LONGEST_GAP_JOB, TURN, Agenda, Wanted
from scapi._collect.history import HistoryWalk
from scapi._collect.jobs import CLAN, EMISSION, Item, Job, Outcome
from scapi._collect.plan import HOTTEST, Load, fitted, rate_of
from scapi._collect.spans import Interval, gaps, merged
from scapi._collect.tally import Tally
from scapi._store.reading import BEGINNING
from scapi._store.rows import Place
from scapi.exceptions import BadRequestError, RateLimitError, ServerError, UnauthorizedError

NOW = datetime(2026, 8, 19, 12, tzinfo=UTC)

loads = st.lists(
    st.builds(Load, st.none() | st.floats(0, 5000), st.integers(0, 3000), is_aside=st.booleans()), max_size=30
)


@given(loads=loads, sales=st.floats(5, 3600), lots=st.none() | st.floats(5, 3600), points=st.floats(10, 2000))
def test_a_plan_fits_into_the_points(loads: list[Load], sales: float, lots: float | None, points: float) -> None:
    plan = fitted(loads, sales=sales, lots=lots, points=points)
    assert plan.sales_points + plan.lots_points <= points * 1.001
    for load in loads:
        interval = plan.sales_interval(load.rate)
        assert interval >= sales / HOTTEST * 0.999
        # What doesn't fit is said; what fits is done at least as often as was asked for.
        assert interval <= sales * 1.001 or plan.sentences()
    if lots is not None and plan.lots_interval != pytest.approx(lots):
        assert any("lots" in sentence for sentence in plan.sentences())


def test_busy_items_are_looked_at_more_often() -> None:
    busy, quiet = Load(400.0), Load(1.0)
    plan = fitted([busy, *[quiet] * 20], sales=300, lots=None, points=400)
    assert plan.sales_interval(1.0) == 300
    assert 75 <= plan.sales_interval(400.0) < 150
    tight = fitted([busy, *[quiet] * 20], sales=5, lots=None, points=60)
    assert tight.sales_interval(400.0) < tight.sales_interval(1.0)


def test_a_plan_that_does_not_fit_says_so_in_numbers() -> None:
    plan = fitted([Load(1.0)] * 1000, sales=60, lots=60, points=400)
    first, second, third = plan.sentences()
    assert first.startswith("1000 items every 60 s don't fit into 400 points a minute: their sales are polled every 5")
    assert second == "no points are left for lots: they aren't polled"
    assert third == "no points are left for older sales"


def test_sales_come_before_lots_and_lots_before_the_past() -> None:
    plan = fitted([Load(1.0, 150)] * 100, sales=60, lots=30, points=400)
    assert (plan.sales_stretch, plan.sales_points) == (1, 200)
    assert plan.lots_stretch == pytest.approx(2)
    assert plan.lots_interval == pytest.approx(60)
    assert plan.left == pytest.approx(0)


def test_emissions_and_clans_leave_fewer_points_and_at_most_take_half() -> None:
    plan = fitted([Load(1.0)] * 100, sales=60, lots=None, points=400, others=10)
    assert (plan.for_items, plan.others_stretch, plan.sentences()) == (390, 1, [])
    full = fitted([Load(1.0)] * 100, sales=60, lots=None, points=400, others=1000)
    assert (full.for_items, full.others_stretch) == (200, 5)
    assert "would take 1000 of 400 points a minute" in full.sentences()[0]
    assert full.sentences()[0].endswith("is 5.0 times as long")


def test_what_is_set_aside_costs_nothing() -> None:
    plan = fitted([Load(None, is_aside=True)] * 10_000, sales=60, lots=60, points=400)
    assert (plan.items, plan.sentences(), plan.left) == (0, [], 400)


def test_the_rate_is_that_of_the_newest_sales() -> None:
    assert rate_of([], NOW) == 0
    assert rate_of([NOW - timedelta(minutes=number) for number in range(1, 31)], NOW) == 60


# ── the order of jobs ─────────────────────────────────────────────────────────────────────────────────────────────────


def agenda(*, once: bool = False, since: datetime | None = BEGINNING, **wanted: Any) -> Agenda:
    return Agenda(Wanted(**{"sales": 300.0, "lots": 60.0, "since": since, **wanted}), once=once, rng=lambda: 0.5)


def item(name: str = "a") -> Item:
    return Item(Place("ru", name))


def looked(job: Job, **found: Any) -> Outcome:
    return Outcome(job, **{"rate": 1.0, "total": 900, "newest": NOW, **found})


def test_fresh_sales_are_first_then_lots_then_the_past() -> None:
    todo, one, other = agenda(), item("a"), item("b")
    todo.add(one, 0)
    todo.add(other, 0)
    kinds: list[tuple[str, str]] = []
    for _ in range(6):
        job = todo.next(0.0)
        assert job is not None
        kinds.append((job.kind, job.item.place.item))
        if job.kind == "sales":
            todo.done(looked(job, complete=[Interval(NOW, NOW - timedelta(hours=1))]), 0.0)
        elif job.kind == "lots":
            todo.done(looked(job, on_offer=3), 0.0)
        else:
            todo.done(looked(job, walk=HistoryWalk(BEGINNING), pages=1), 0.0)
    # The past of an item goes on until it is complete, or others have their turn.
    assert kinds == [("sales", "a"), ("sales", "b"), ("lots", "a"), ("lots", "b"), ("gap", "a"), ("gap", "a")]
    assert todo.wait(0.0) == 0


def test_pages_of_the_past_leave_room_for_fresh_sales() -> None:
    todo = agenda(lots=None)
    for name in ("a", "b"):
        todo.add(item(name), 0)
    for _ in range(2):
        job = todo.next(0.0)
        assert job is not None
        todo.done(looked(job, complete=[Interval(NOW, NOW - timedelta(hours=1))]), 0.0)
    first = todo.next(0.0)
    assert first is not None
    assert first.kind == "gap"
    # It may wait for points for a minute. Until then there is no second one, but there are looks that are due.
    assert todo.next(0.0) is None
    later = todo.next(400.0)
    assert later is not None
    assert later.kind == "sales"


def filling(todo: Agenda) -> Job:
    """A job of the past of an item whose sales and lots were polled just now."""
    todo.add(item(), 0)
    while (job := todo.next(0.0)) and job.kind != "gap":
        todo.done(looked(job, complete=[Interval(NOW, NOW - timedelta(hours=1))]), 0.0)
    assert job is not None
    return job


def test_a_job_reads_on_in_the_past_for_a_while() -> None:
    todo = agenda()
    job = filling(todo)
    assert todo.may_read_on(Outcome(job, pages=24), begun=0.0, now=LONGEST_GAP_JOB - 0.1)
    assert not todo.may_read_on(Outcome(job, pages=24), begun=0.0, now=LONGEST_GAP_JOB)
    # Others have their turn.
    assert not todo.may_read_on(Outcome(job, pages=TURN), begun=0.0, now=0.1)
    todo.done(Outcome(job, pages=20, walk=HistoryWalk(BEGINNING)), 0.0)
    assert not todo.may_read_on(Outcome(job, pages=TURN - 20), begun=0.0, now=0.1)


@pytest.mark.parametrize("event", ["fresh sales are due", "a pause", "a stop", "taken over"])
def test_a_job_of_the_past_ends_early(event: str) -> None:
    todo = agenda()
    job = filling(todo)
    now = 1000.0 if event == "fresh sales are due" else 0.1
    match event:
        case "a pause":
            todo.pause(until=5.0)
        case "a stop":
            todo.stop()
        case "taken over":
            todo.drop([job.item.place])
        case _:
            pass
    assert not todo.may_read_on(Outcome(job, pages=1), begun=now, now=now)


def test_emissions_and_clans_are_looked_at_first_and_have_intervals_of_their_own() -> None:
    todo = agenda(lots=None, since=None, emissions=60.0, members=3600.0)
    for name in ("a", EMISSION, f"{CLAN}1"):
        todo.add(item(name), 0)
    kinds: list[str] = []
    for _ in range(3):
        job = todo.next(0.0)
        assert job is not None
        kinds.append(job.kind)
        todo.done(Outcome(job) if job.kind != "sales" else looked(job), 0.0)
    assert kinds == ["emission", "members", "sales"]
    assert todo.wait(0.0) == pytest.approx(60)
    progress = Tally().progress(todo, 10.0, None, 0)
    # The live view counts the items of the auction.
    assert (progress.items, progress.looked, progress.lag) == (1, 1, 10)


def test_the_next_look_is_an_interval_away() -> None:
    todo = agenda(lots=None, since=None)
    todo.add(item(), 100.0)
    job = todo.next(100.0)
    assert job is not None
    assert todo.next(100.0) is None
    todo.done(looked(job), 110.0)
    assert todo.wait(110.0) == pytest.approx(300)


def test_a_refused_id_is_set_aside_for_hours_then_for_days() -> None:
    todo = agenda(lots=None)
    todo.add(item(), 0.0)
    now, waits = 0.0, list[float]()
    for _ in range(8):
        job = todo.next(now)
        assert job is not None
        waits.append(todo.failed(Outcome(job), now, BadRequestError("no", status=400)))
        now += waits[-1]
    assert waits[0] == 6 * 3600
    assert waits == sorted(waits)
    assert waits[-1] == 7 * 24 * 3600


def test_other_failures_wait_longer_each_time_but_not_for_ever() -> None:
    todo = agenda(lots=None)
    todo.add(item(), 0.0)
    now, waits = 0.0, list[float]()
    for _ in range(40):
        job = todo.next(now)
        assert job is not None
        waits.append(todo.failed(Outcome(job), now, ServerError("no", status=500)))
        now += waits[-1]
    assert waits[0] < 300
    assert waits[-1] <= refusals.LONGEST_WAIT


def test_a_round_leaves_what_fails_three_times() -> None:
    todo = agenda(once=True, lots=None)
    todo.add(item(), 0.0)
    now = 0.0
    for _ in range(3):
        job = todo.next(now)
        assert job is not None
        now += todo.failed(Outcome(job), now, ServerError("no", status=500))
    assert todo.is_done
    assert todo.given_up == {Place("ru", "a")}


def test_what_another_collector_has_taken_is_not_done() -> None:
    todo = agenda()
    todo.add(item(), 0.0)
    todo.drop([Place("ru", "a")])
    assert todo.next(0.0) is None
    assert todo.wait(0.0) is None


def test_credentials_that_are_no_good_are_hopeless() -> None:
    assert refusals.is_hopeless(UnauthorizedError("no", status=401), "sales")
    assert refusals.is_hopeless(RateLimitError("no", retry_after=math.inf), "members")
    assert not refusals.is_hopeless(RateLimitError("no", retry_after=30.0), "sales")
    # Of the members of a clan it says that the user isn't one of them.
    assert not refusals.is_hopeless(UnauthorizedError("no", status=401), "members")
    assert refusals.is_refusal(UnauthorizedError("no", status=401), "members")


def test_the_time_until_the_past_is_complete_is_estimated() -> None:
    todo = agenda(lots=None)
    todo.add(item(), 0.0)
    job = todo.next(0.0)
    assert job is not None
    todo.done(looked(job, rate=198.0, complete=[Interval(NOW, NOW - timedelta(hours=1))]), 0.0)
    todo.fit(400, 0.0)
    progress = Tally().progress(todo, 60.0, NOW - timedelta(hours=11), 0)
    assert (progress.items, progress.looked, progress.filling, progress.lag) == (1, 1, 1, 60)
    assert progress.eta is not None
    # Ten pages at two points each, of the nearly 400 a minute.
    assert 2.9 < progress.eta < 6.1


# ── intervals ─────────────────────────────────────────────────────────────────────────────────────────────────────────

ends = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda pair: (max(pair), min(pair)))


def interval(newest: int, oldest: int) -> Interval:
    return Interval(NOW + timedelta(hours=newest), NOW + timedelta(hours=oldest))


@given(st.lists(ends, max_size=8), st.integers(0, 40))
def test_intervals_and_gaps_are_what_sets_of_hours_are(pairs: list[tuple[int, int]], since: int) -> None:
    def hours(intervals: list[Interval]) -> set[int]:
        return {
            hour
            for hour in range(-2, 45)
            for each in intervals
            if each.oldest < NOW + timedelta(hours=hour) <= each.newest
        }

    given = [interval(*pair) for pair in pairs]
    spans = merged(given)
    assert hours(spans) == hours(given)
    assert spans == sorted(spans, reverse=True)
    assert all(newer.oldest > older.newest for newer, older in itertools.pairwise(spans))
    missing = gaps(spans, NOW + timedelta(hours=since))
    top = max(hours(given), default=-99)
    assert hours(missing) == set(range(since + 1, top + 1)) - hours(given)
