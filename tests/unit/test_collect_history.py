"""The walk through a history: whatever is sold, turns up late or comes out of a cache, each sale is told once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scapi._collect import history
from scapi._collect.history import HistoryWalk
from scapi._collect.spans import Interval, gaps, merged
from scapi._store.reading import BEGINNING
from scapi.models import SALES_OVERLAP, AuctionPrice, Listing
from scapi.models.listing import Rejected

START = datetime(2026, 8, 19, 12, tzinfo=UTC)


def sale(second: int, price: int = 1) -> AuctionPrice:
    return AuctionPrice(amount=1, price=price, time=START + timedelta(seconds=second))


class Server:
    """A history that grows: newest first, late sales in their place, pages of a few rows."""

    def __init__(self, page: int) -> None:
        self.page = page
        self.sales: list[AuctionPrice] = []
        self.states: list[list[AuctionPrice]] = [[]]

    def sell(self, *sold: AuctionPrice) -> None:
        """Add sales. A late one goes above those of its own second and below those that are newer."""
        for one in sold:
            place = next((at for at, other in enumerate(self.sales) if other.time <= one.time), len(self.sales))
            self.sales.insert(place, one)
        self.states.append(list(self.sales))

    def answer(self, offset: int, behind: int = 0) -> Listing[AuctionPrice]:
        """Answer a page, of the state that was so many changes ago."""
        sales = self.states[max(0, len(self.states) - 1 - behind)]
        return Listing(sales[offset : offset + self.page], total=len(sales), limit=self.page, offset=offset)


class Stored:
    """What a store holds of an item: rows by time, key and number, and what is complete."""

    def __init__(self) -> None:
        self.rows: set[tuple[datetime, int, int]] = set()
        self.complete: list[Interval] = []

    def take(self, walk: HistoryWalk, page: Listing[AuctionPrice]) -> None:
        taken = walk.take(page)
        self.rows |= {(row.row.time, row.key, row.n) for row in taken.rows}
        if taken.complete:
            self.complete = merged([*self.complete, taken.complete])

    def newer(self, time: datetime) -> int:
        return sum(row[0] > time for row in self.rows)


def truth(sales: list[AuctionPrice]) -> set[tuple[datetime, int, int]]:
    counts: Counter[tuple[datetime, int]] = Counter()
    rows: set[tuple[datetime, int, int]] = set()
    for one in sales:
        counts[one.time, one.key()] += 1
        rows.add((one.time, one.key(), counts[one.time, one.key()]))
    return rows


def look(stored: Stored, server: Server) -> HistoryWalk:
    """Look at the top, as far down as what is complete."""
    walk = from_top(stored)
    while not walk.done:
        stored.take(walk, server.answer(walk.offset))
    return walk


def from_top(stored: Stored) -> HistoryWalk:
    if not stored.complete:
        return HistoryWalk(BEGINNING, enough=1)
    return HistoryWalk(stored.complete[0].newest, enough=3)


def fill(stored: Stored, server: Server) -> int:
    """Fill all gaps, and return how many pages that took."""
    pages = 0
    while missing := gaps(stored.complete):
        walk = HistoryWalk(missing[0].oldest, gap=missing[0], newer=stored.newer(missing[0].newest))
        while not walk.done:
            stored.take(walk, server.answer(walk.offset))
            pages += 1
        assert walk.stuck is None
    return pages


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PAGE", 5)


def test_an_empty_history_is_one_page() -> None:
    stored = Stored()
    walk = look(stored, Server(5))
    assert (walk.done, walk.stuck, stored.complete, stored.rows) == (True, None, [], set())


def test_a_history_of_one_page_is_complete_but_for_what_may_come_late() -> None:
    stored, server = Stored(), Server(5)
    server.sell(sale(0), sale(10), sale(4000))
    look(stored, server)
    assert stored.rows == truth(server.sales)
    ((newest, oldest),) = stored.complete
    assert oldest == BEGINNING
    assert newest < sale(4000).time - SALES_OVERLAP <= newest + timedelta(seconds=1)


def test_equal_sales_on_both_sides_of_a_page_are_all_told() -> None:
    stored, server = Stored(), Server(5)
    for second in range(6):
        server.sell(*[sale(second * 4000)] * 3)
    look(stored, server)
    fill(stored, server)
    assert stored.rows == truth(server.sales)
    assert len(stored.rows) == 18


@pytest.mark.parametrize("crowd", [5, 6, 14, 40])
def test_a_second_with_more_sales_than_a_page_is_told_whole(crowd: int) -> None:
    stored, server = Stored(), Server(5)
    server.sell(*(sale(second) for second in range(7)))
    server.sell(*(sale(5000, price % 3) for price in range(crowd)))
    server.sell(*(sale(9000 + second) for second in range(3)))
    look(stored, server)
    fill(stored, server)
    assert stored.rows == truth(server.sales)
    assert gaps(stored.complete) == []


def test_a_crowd_that_moves_while_it_is_read_is_read_again() -> None:
    stored, server = Stored(), Server(5)
    server.sell(sale(0), *[sale(5000)] * 12, sale(9000))
    walk = HistoryWalk(BEGINNING)
    for number in range(30):
        if walk.done:
            break
        stored.take(walk, server.answer(walk.offset))
        if number in {2, 3, 5}:
            server.sell(sale(9001 + number))
    fill(stored, server)
    look(stored, server)
    assert stored.rows == truth(server.sales)


def test_rows_that_cannot_be_read_keep_their_places() -> None:
    stored, server = Stored(), Server(5)
    server.sell(*(sale(second * 100) for second in range(12)))
    walk = HistoryWalk(BEGINNING)
    while not walk.done:
        page = server.answer(walk.offset)
        bad = [at for at, one in enumerate(page) if one.time == sale(700).time]
        page.rejected = [Rejected(at, {}, "no") for at in bad]
        for at in bad:
            del page[at]
        stored.take(walk, page)
    assert stored.rows == truth([one for one in server.sales if one.time != sale(700).time])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda offset: Listing([sale(9), sale(5), sale(7)], total=300, limit=5, offset=offset), "sorted"),
        (lambda offset: Listing([sale(9), sale(5), sale(3)], total=300, limit=5), "nothing"),
        (lambda offset: Listing([], total=300, limit=5, offset=offset), "nothing"),
        (lambda offset: Listing([], total=9, limit=5, offset=offset, rejected=[Rejected(0, {}, "")]), "nothing"),
    ],
    ids=["unsorted", "no offset", "no rows", "unreadable"],
)
def test_a_walk_on_a_server_that_makes_no_sense_ends_and_says_why(answer: object, reason: str) -> None:
    walk = HistoryWalk(BEGINNING)
    for _ in range(50):
        if walk.done:
            break
        walk.take(answer(walk.offset))  # type: ignore[operator]
    assert walk.stuck is not None
    assert reason in walk.stuck


def test_a_broken_backfill_asks_for_the_rest_alone() -> None:
    stored, server = Stored(), Server(5)
    server.sell(*(sale(second * 60) for second in range(500)))
    look(stored, server)
    (gap,) = gaps(stored.complete)
    walk = HistoryWalk(BEGINNING, gap=gap, newer=stored.newer(gap.newest))
    for _ in range(60):
        stored.take(walk, server.answer(walk.offset))
    left = len(server.sales) - len(stored.rows)
    server.sell(*(sale(30_000 + second) for second in range(3)))
    look(stored, server)
    # Each page has two sales of the one before it: that of the last second, and the one above it.
    assert fill(stored, server) <= left / 3 + 3
    look(stored, server)
    assert stored.rows == truth(server.sales)


class Step(NamedTuple):
    """What happens between two pages."""

    kind: str
    amount: int


steps = st.lists(
    st.builds(
        Step, st.sampled_from(["sell", "equal", "late", "page", "page", "page", "old page", "kill"]), st.integers(0, 7)
    ),
    max_size=60,
)


@settings(deadline=None)
@given(steps=steps, walkers=st.integers(1, 2))
def test_any_interleaving_gives_the_truth(steps: list[Step], walkers: int) -> None:
    """Pages, sales, equal sales, late sales, old answers of a cache, restarts, two collectors."""
    stored, server = Stored(), Server(5)
    server.sell(*(sale(number * 50, number // 3) for number in range(-40, 0)))
    now, walks = 0, dict.fromkeys(range(walkers), HistoryWalk(BEGINNING))
    for number, step in enumerate(steps):
        who = number % walkers
        match step.kind:
            case "sell":
                now += step.amount * 100
                server.sell(sale(now, step.amount))
            case "equal":
                server.sell(*[sale(now)] * step.amount)
            case "late":
                newest = (server.sales[0].time - START) // timedelta(seconds=1)
                server.sell(sale(newest - min(1800, step.amount * 300), 7))
            case "kill":
                walks[who] = begun(stored, step.amount)
            case kind:
                if walks[who].done:
                    walks[who] = begun(stored, step.amount)
                page = server.answer(walks[who].offset, step.amount if kind == "old page" else 0)
                stored.take(walks[who], page)
        assert stored.rows <= truth(server.sales)
        for span in stored.complete:
            assert {row for row in truth(server.sales) if span.oldest < row[0] <= span.newest} <= stored.rows
    look(stored, server)
    fill(stored, server)
    look(stored, server)
    assert stored.rows == truth(server.sales)


def begun(stored: Stored, number: int) -> HistoryWalk:
    """Begin a walk as a collector does: at the top, or in a gap."""
    missing = gaps(stored.complete)
    if number % 2 or not missing:
        return from_top(stored)
    gap = missing[number % len(missing)]
    return HistoryWalk(gap.oldest, gap=gap, newer=stored.newer(gap.newest))
