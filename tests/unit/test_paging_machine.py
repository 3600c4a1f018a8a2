"""Pages are read while the list moves: what comes out is compared with what was there all the time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from scapi._api import requests
from scapi._lists.paginator import Paginator
from scapi._lists.sales import SalesPaginator
from scapi._lists.shapes import SHAPES
from scapi.models import AuctionLot, AuctionPrice, ClanInfo, Listing, Rejected, SalesWalkState

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 8, 19, 12, tzinfo=UTC)

#: Few values, so that equal rows and equal times are common.
SECONDS = st.integers(0, 4)
PRICES = st.integers(1, 2)


@dataclass(eq=False)
class Row:
    """A row of the server's. Two of them may look the same and still be two."""

    second: int
    price: int
    readable: bool = True
    bid: int | None = None
    number: int = field(default=0)
    looks: str = field(default="", init=False)


class Moving(RuleBasedStateMachine):
    """A list that moves while a walk reads it."""

    page_size = 12

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.ever: list[Row] = []
        self.throughout: set[Row] = set()
        self.out: list[Any] = []
        # How often each row was ever there, and came out, by its looks.
        self.ever_seen, self.out_seen = Counter[str](), Counter[str]()
        self.clock = 0
        self.pages = 0

    # ── what each list is ─────────────────────────────────────────────────────────────────────────────────────────────

    def first(self) -> Any:
        raise NotImplementedError

    def model(self, row: Row) -> Any:
        raise NotImplementedError

    def looks(self, model: Any) -> str:
        """What tells rows apart that a reader can tell apart."""
        return repr(model)

    # ── how it moves ──────────────────────────────────────────────────────────────────────────────────────────────────

    def put(self, place: int, row: Row) -> None:
        self.rows.insert(place, row)
        self.ever.append(row)
        row.looks = self.looks(self.model(row))
        self.ever_seen[row.looks] += row.readable

    def take_away(self, row: Row) -> None:
        self.rows.remove(row)
        self.throughout.discard(row)

    # ── how it is read ────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self) -> None:
        self.walk = self.made(lambda: Paginator(self.first()))
        self.throughout = set(self.rows)

    def made(self, make: Callable[[], Any]) -> Any:
        """A walk with pages of twelve instead of two hundred: borders are where it can go wrong."""
        operation = self.first().operation
        usual = SHAPES[operation]
        SHAPES[operation] = usual._replace(page_size=self.page_size, margin=self.margin)
        try:
            return make()
        finally:
            SHAPES[operation] = usual

    margin = 1

    def page(self) -> Listing[Any]:
        limit, offset = self.walk.request.page
        found = self.rows[offset : offset + limit]
        raw = [(index, self.model(row), row.readable) for index, row in enumerate(found)]
        return Listing(
            [model for _, model, readable in raw if readable],
            total=len(self.rows),
            limit=limit,
            offset=offset,
            rejected=[Rejected(index, {"model": repr(model)}, "odd") for index, model, readable in raw if not readable],
        )

    def read(self) -> None:
        self.take_out(self.walk.feed(self.page()))
        self.pages += 1

    def drain(self) -> None:
        for _ in range(400):
            if self.walk.done:
                return
            self.read()
        raise AssertionError("the walk doesn't end")

    def take_out(self, models: list[Any]) -> None:
        self.out += models
        for looks in map(self.looks, models):
            self.out_seen[looks] += 1
            assert self.out_seen[looks] <= self.ever_seen[looks], "twice"

    def compare(self) -> None:
        assert not Counter(row.looks for row in self.throughout if row.readable) - self.out_seen, "missed"

    @precondition(lambda self: not self.walk.done)
    @rule()
    def read_a_page(self) -> None:
        self.read()

    def teardown(self) -> None:
        if hasattr(self, "walk"):
            self.drain()
            self.compare()


class History(Moving):
    """Newest first; sales only ever come in on top."""

    def first(self) -> Any:
        return requests.price_history("ru", "x", limit=200, offset=0, additional=False)

    def model(self, row: Row) -> AuctionPrice:
        return AuctionPrice(amount=1, price=row.price, time=START + timedelta(seconds=row.second))

    @initialize(steps=st.lists(st.tuples(st.sampled_from([0, 0, 1, 1, 5]), PRICES, st.booleans()), max_size=60))
    def fill(self, steps: list[tuple[int, int, bool]]) -> None:
        for step, price, odd in steps:
            self.clock += step
            self.put(0, Row(self.clock, price, readable=not odd or price == 1))
        self.begin()

    @rule(count=st.integers(1, 40), step=st.integers(0, 1), price=PRICES)
    def sell(self, count: int, step: int, price: int) -> None:
        self.clock += step
        for _ in range(count):
            self.put(0, Row(self.clock, price))


class StaleHistory(History):
    """Behind a cache, which now and then answers with the list as it was: the page begins further down, over a gap.

    Exact as long as none is older than the first, and at most three come with no page that brings anything new between.
    """

    @initialize(steps=st.lists(st.tuples(st.integers(0, 1), PRICES), max_size=30))
    def fill(self, steps: list[tuple[int, int]]) -> None:
        for step, price in steps:
            self.clock += step or len(self.rows) % 4 == 0
            self.put(0, Row(self.clock, price))
        self.begin()
        self.still_unauthorized = 0

    @rule(count=st.integers(1, 5), price=PRICES)
    def sell(self, count: int, price: int) -> None:
        self.clock += 1
        for _ in range(count):
            self.put(0, Row(self.clock, price))

    @precondition(lambda self: not self.walk.done and self.still_unauthorized < 3)
    @rule(count=st.integers(1, 30))
    def read_a_stale_page(self, count: int) -> None:
        newest, self.rows = self.rows[:count], self.rows[count:]
        if self.rows and self.throughout.issubset(self.rows):
            self.still_unauthorized += 1
            self.read()
        self.rows = newest + self.rows

    def read(self) -> None:
        before = len(self.out)
        super().read()
        if len(self.out) > before:
            self.still_unauthorized = 0


class SecondHistory(History):
    """Nothing but sales of the same second, more than a page of them: only `total` tells them apart."""

    @initialize(count=st.integers(0, 60))
    def fill(self, count: int) -> None:
        for _ in range(count):
            self.put(0, Row(0, 1))
        self.begin()

    @rule(count=st.integers(1, 40))
    def sell(self, count: int) -> None:
        for _ in range(count):
            self.put(0, Row(0, 1))


class ResumedHistory(History):
    """A program that takes sale by sale, ends at any of them, and goes on from the state that it has saved."""

    def begin(self) -> None:
        self.walk = self.sales()
        self.throughout = set(self.rows)
        self.current: Listing[Any] | None = None
        self.unread: list[Any] = []

    def sales(self, resume: SalesWalkState | None = None) -> SalesPaginator:
        options: dict[str, Any] = {"since": None, "until": None, "limit": None, "additional": False, "now": START}
        found: SalesPaginator = self.made(lambda: SalesPaginator("ru", "x", resume=resume, **options))
        return found

    @rule(count=st.integers(1, 30))
    def read_some_sales(self, count: int) -> None:
        for _ in range(count):
            while not self.unread and not self.walk.done:
                self.current = self.walk.feed(self.page())
                self.unread = list(self.current)
            if self.unread:
                self.take_out([self.unread.pop(0)])

    @precondition(lambda self: False)
    @rule()
    def read_a_page(self) -> None:
        """Not here."""

    @rule()
    def restart(self) -> None:
        saved = self.walk.state(self.current, len(self.unread)).to_json()
        self.walk = self.sales(SalesWalkState.from_json(saved))
        self.current, self.unread = None, []
        assert self.walk.state(None).to_json() == saved

    @rule(count=st.integers(0, 12))
    def have_a_page_that_nobody_has_seen(self, count: int) -> None:
        """The next page came, and the program ends before it gets it."""
        if not self.unread and not self.walk.done:
            self.walk.feed(self.page())
            self.restart()

    def drain(self) -> None:
        while self.unread or not self.walk.done:
            self.read_some_sales(1)
            self.pages += 1
            assert self.pages < 2000, "the walk doesn't end"


class HistoryUntil(History):
    """Only the sales up to a time: what is newer is neither read nor handed out, also behind a cache."""

    def begin(self) -> None:
        self.until = START + timedelta(seconds=self.clock // 2)
        self.walk = self.made(lambda: Paginator(self.first(), until=self.until))
        self.throughout = {row for row in self.rows if row.second <= self.clock // 2}

    @precondition(lambda self: not self.walk.done and not self.out)
    @rule(count=st.integers(1, 40))
    def read_a_stale_page(self, count: int) -> None:
        """Older answers, as long as nothing was read but for the search."""
        newest, self.rows = self.rows[:count], self.rows[count:]
        is_searching = self.walk.request.page.limit == 1
        if is_searching and self.throughout.issubset(self.rows):
            self.read()
        self.rows = newest + self.rows

    @invariant()
    def nothing_newer(self) -> None:
        assert all(sale.time <= self.until for sale in self.out)


class Lots(Moving):
    """Oldest first: new ones come in at the end, any one may go, and bids change any one."""

    margin = 2

    def first(self) -> Any:
        return requests.lots("ru", "x", limit=200, offset=0, sort="time_created", order="asc", additional=False)

    def model(self, row: Row) -> AuctionLot:
        start = START + timedelta(seconds=row.second)
        end = start + timedelta(hours=12)
        return AuctionLot(
            item_id="x",
            amount=1,
            start_price=0,
            current_price=row.bid,
            buyout_price=row.price,
            start_time=start,
            end_time=end,
        )

    def looks(self, model: Any) -> str:
        # Bids change.
        return f"{(model.start_time - START).seconds} {model.buyout_price}"

    @initialize(steps=st.lists(st.tuples(st.sampled_from([0, 1, 1, 1, 2]), PRICES, st.booleans()), max_size=60))
    def fill(self, steps: list[tuple[int, int, bool]]) -> None:
        for step, price, odd in steps:
            self.clock += step
            self.put(len(self.rows), Row(self.clock, price, readable=not odd or price == 1))
        self.begin()

    @rule(step=st.integers(1, 2), price=PRICES)
    def put_up(self, step: int, price: int) -> None:
        self.clock += step
        self.put(len(self.rows), Row(self.clock, price))

    @precondition(lambda self: self.rows)
    @rule(place=st.integers(0, 100), count=st.integers(1, 25))
    def go(self, place: int, count: int) -> None:
        place %= len(self.rows)
        for row in self.rows[place : place + count]:
            self.take_away(row)

    @precondition(lambda self: self.rows)
    @rule(place=st.integers(0, 100), bid=st.integers(1, 9))
    def bid(self, place: int, bid: int) -> None:
        self.rows[place % len(self.rows)].bid = bid


class NewestLots(Lots):
    """Newest first: pushed down by new ones, pulled up by those that go."""

    def first(self) -> Any:
        return requests.lots("ru", "x", limit=200, offset=0, sort="time_created", order="desc", additional=False)

    @initialize(steps=st.lists(st.tuples(st.sampled_from([0, 1, 1, 1, 2]), PRICES, st.booleans()), max_size=60))
    def fill(self, steps: list[tuple[int, int, bool]]) -> None:
        for step, price, odd in steps:
            self.clock += step
            self.put(0, Row(self.clock, price, readable=not odd or price == 1))
        self.begin()

    @rule(step=st.integers(1, 2), price=PRICES)
    def put_up(self, step: int, price: int) -> None:
        self.clock += step
        self.put(0, Row(self.clock, price))


class Clans(Moving):
    """In an order nobody knows, but with ids: exact as long as less goes, or moves, than pages overlap."""

    def first(self) -> Any:
        return requests.clans("ru", limit=200, offset=0)

    def model(self, row: Row) -> ClanInfo:
        return ClanInfo(
            uuid=str(row.number),
            name="",
            tag="",
            level=1,
            level_points=1,
            registration_time=START,
            leader="",
            member_count=1,
        )

    margin = 4

    @initialize(count=st.integers(0, 60))
    def fill(self, count: int) -> None:
        for _ in range(count):
            self.put(0, Row(0, 0, number=len(self.ever)))
        self.begin()
        self.moves = 0

    @rule(place=st.integers(0, 100))
    def found(self, place: int) -> None:
        if self.moves < 4:
            self.put(place % (len(self.rows) + 1), Row(0, 0, number=len(self.ever)))
            self.moves += 1

    @rule(place=st.integers(0, 100))
    def dissolve(self, place: int) -> None:
        if self.rows and self.moves < 4:
            self.take_away(self.rows[place % len(self.rows)])
            self.moves += 1

    def read(self) -> None:
        super().read()
        self.moves = 0


for machine in (History, HistoryUntil, ResumedHistory, StaleHistory, SecondHistory, Lots, NewestLots, Clans):
    machine.TestCase.settings = settings(stateful_step_count=25)
    globals()[f"Test{machine.__name__}"] = machine.TestCase


# ── what a search has found ───────────────────────────────────────────────────────────────────────────────────────────


def stale_history(count: int, *sales: int) -> StaleHistory:
    history = StaleHistory()
    history.fill([(0, 1)] * count)
    for number in sales:
        history.sell(number, 1)
    return history


def test_a_page_that_begins_right_behind_the_frontier_within_its_tie_is_all_new() -> None:
    history = stale_history(6, 5, 2, 1, 2)
    for count in (1, 2, 1, 3):
        history.read_a_stale_page(count)
    history.teardown()


def test_a_cache_that_answers_every_other_page_loses_no_patience() -> None:
    history = stale_history(15, 4)
    for count in (1, 2, 2, 2):
        history.read()
        if not history.walk.done:
            history.read_a_stale_page(count)
    history.teardown()


def test_a_walk_ends_with_the_fourth_page_in_vain_each_older_than_the_one_before() -> None:
    history = stale_history(30)
    history.read()
    for _ in range(3):
        history.sell(5, 1)
    history.read()
    done = []
    for count in (1, 5, 9, 13):
        history.read_a_stale_page(count)
        done.append(history.walk.done)
    assert done == [False, False, False, True]


@pytest.mark.parametrize(
    ("filled", "steps"),
    [
        (1, [(29, 1, 1), (3, 1, 0), None, (1, 1, 0), (12, 2, 0), (11, 1, 0), *[None] * 3, (43, 1, 0)]),
        (2, [(28, 2, 0), (22, 1, 0), (2, 1, 1), *[None] * 6, (39, 1, 0)]),
    ],
)
def test_sales_that_push_a_second_of_several_pages_down_by_more_than_a_page(filled: int, steps: list[Any]) -> None:
    history = History()
    history.fill([(0, 1, False)] * filled)
    for step in steps:
        if step is None:
            history.read()
        else:
            count, price, seconds = step
            history.sell(count=count, price=price, step=seconds)
    history.teardown()


def test_a_page_out_of_a_cache_that_begins_below_the_time_is_read_again_from_further_up() -> None:
    history = HistoryUntil()
    history.fill([(1, 1, False)] * 120)
    while history.walk.request.page.limit == 1:
        history.read()
    offset = history.walk.request.page.offset
    assert offset > 30
    newest, history.rows = history.rows[:30], history.rows[30:]
    history.read()
    history.rows = newest + history.rows
    assert history.walk.request.page.offset == offset - history.page_size
    history.teardown()
    assert len(history.out) == 60
