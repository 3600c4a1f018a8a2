"""Watchers of the fake, in virtual time: waits move it, and things happen while they wait."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scapi._async import AppClient
from scapi.exceptions import BadRequestError, ServerError, UnauthorizedError
from scapi.models import (
    BulkLotsWatchState,
    BulkSalesWatchState,
    EmissionWatchState,
    LotsWatchState,
    SaleEvent,
    SalesWatchState,
    WatchError,
)
from scapi.testing import FakeApi
from tests._async.fake_clock import FakeClock, with_clock

if TYPE_CHECKING:
    from collections.abc import Callable

ITEM = "zyv9"
#: Details whose keys and lists have more than one order.
MIXED = {"bonus_properties": ["a", "b", "c"], "qlt": 1, "list": [{"x": 1, "y": 2}, {"y": 3, "x": 0}]}
HOUR = 3600.0

#: Four hours bring every kind of failure, some of them longer than a call goes on trying, restarts, emissions and sales
#: by the hundred in one second. A day brings more of the same, so only the thorough run waits for it.
some_hours = pytest.mark.parametrize(
    "hours", [pytest.param(4, marks=pytest.mark.simulation), pytest.param(24, marks=pytest.mark.thorough)]
)

_numbers = itertools.count()


class World(FakeClock):
    """A fake, and the clock of its clients, which moves the fake's."""

    def __init__(self, **options: Any) -> None:
        self.fake = FakeApi(**{"sales": {ITEM: 50}, **options})
        self.fake.app_token = f"watch-{next(_numbers)}"
        super().__init__(self.fake)

    def client(self, **options: Any) -> AppClient:
        http_client = httpx.AsyncClient(transport=self.fake.transport())
        return with_clock(AppClient, self)(token=self.fake.app_token, http_client=http_client, region="ru", **options)

    @property
    def refused(self) -> int:
        return sum(seen.status == 429 for seen in self.fake.requests)


@pytest.fixture
def world() -> World:
    return World()


async def until(watcher: Any, world: World, end: float) -> list[Any]:
    """What a watcher says up to a time; the client is closed then, which ends it."""
    world.at(end, watcher.close)
    return [event async for event in watcher]


def faults_for(hours: int, world: World, seed: int) -> None:
    """A failure of some kind every ten minutes or so; some last longer than a call goes on trying."""
    rng = random.Random(seed)  # no secret
    kinds: list[Any] = ["status", "html", "empty", "reset", "broken_json"]
    moment = 0.0
    while moment < hours * HOUR:
        moment += rng.uniform(60, 1200)
        kind, times = rng.choice(kinds), rng.choice([1, 2, 5])
        world.at(moment, lambda kind=kind, times=times: world.fake.fail("*", kind, times=times))


# ── for hours ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@some_hours
async def test_hours_of_emissions_with_faults(world: World, hours: int) -> None:
    faults_for(hours, world, 1)
    client = world.client()
    first, begun = await client.emission(), world.fake.now
    events = await until(client.watch_emission(), world, hours * HOUR)
    told = [(event.kind, event.time) for event in events if event.kind != "error"]
    assert any(event.kind == "error" for event in events)
    # What the fake itself says, asked every five minutes of the same hours.
    again, expected = FakeApi(), set[Any]()
    probe = AppClient(token=again.app_token, http_client=httpx.AsyncClient(transport=again.transport()), pace=False)
    for _ in range(hours * 12):
        state = await probe.emission("ru")
        expected |= {("started", state.previous_start), ("ended", state.previous_end)}
        if state.current_start:
            expected.add(("started", state.current_start))
        again.advance(300)
        again.spend(0)
    known = {("started", first.current_start or first.previous_start), ("ended", first.previous_end)}
    after = {entry for entry in expected - known if begun < entry[1] <= world.fake.now}
    assert len(told) == len(set(told))
    assert set(told) >= {entry for entry in after if entry[1] < world.fake.now - timedelta(minutes=10)}
    assert set(told) <= after | {entry for entry in told if entry[1] > world.fake.now - timedelta(minutes=10)}
    assert [kind for kind, _ in told] == [("started", "ended")[place % 2] for place in range(len(told))]
    assert len(told) > 1.6 * hours
    assert world.refused == 0
    assert len(world.fake.requests) < 1.5 * hours * HOUR / 15


def sales_for(hours: int, world: World, seed: int) -> Counter[int]:
    """Sales until an hour before the end, some equal and in one second; each by its price."""
    rng, made, moment, price = random.Random(seed), Counter[int](), 0.0, 0  # no secret
    while moment < (hours - 1) * HOUR:
        moment += rng.expovariate(1 / 120)
        price, count = price + 1, rng.choice([1, 1, 1, 2, 4, 250 if rng.random() < 0.05 else 1])
        made[price] += count
        world.at(moment, lambda n=count, p=price: world.fake.sell(ITEM, n, amount=1, price=p, additional={}))
    return made


@some_hours
async def test_hours_of_sales_with_faults(world: World, hours: int) -> None:
    faults_for(hours, world, 2)
    made = sales_for(hours, world, 3)
    events = await until(world.client().auction(ITEM).watch_sales(), world, hours * HOUR)
    sold = [event.sale for event in events if event.kind == "sold"]
    assert Counter(sale.price for sale in sold) == made
    assert [sale.time for sale in sold] == sorted(sale.time for sale in sold)
    assert {type(event) for event in events} == {SaleEvent, WatchError}
    assert world.refused == 0
    # Two pages a look, and more after hundreds in one second.
    assert len(world.fake.requests) < 2.5 * hours * HOUR / 60


@some_hours
async def test_hours_of_sales_with_restarts(world: World, hours: int) -> None:
    made = sales_for(hours, world, 4)
    rng, told, stops = random.Random(5), Counter[int](), 0  # no secret
    auction = world.client().auction(ITEM)
    saved = SalesWatchState(region="ru", item_id=ITEM, since=world.fake.now).to_json()
    while world.passed < hours * HOUR:
        watcher = auction.watch_sales(state=SalesWatchState.from_json(saved))
        world.at(world.passed + 3600, watcher.close)
        left = rng.randint(1, 40)
        async for event in watcher:
            told[event.sale.price] += 1
            saved = watcher.state.to_json()
            left -= 1
            if not left:
                break
        stops += 1
        world.pass_by(rng.choice([0, 30, 900, 7200]))
    told.update(
        [event.sale.price for event in await until(auction.watch_sales(state=watcher.state), world, world.passed + 60)]
    )
    assert told == made
    assert stops >= hours


@some_hours
async def test_hours_of_lots_with_faults_and_restarts(world: World, hours: int) -> None:
    faults_for(hours, world, 6)
    rng, moment, up = random.Random(7), 0.0, list[Any]()  # no secret
    listed, removed = Counter[int](), Counter[int]()

    def offer(price: int) -> None:
        up.append(world.fake.list_lot(ITEM, duration=120 * HOUR, buyout_price=price, amount=1, start_price=0))
        listed[price] += 1

    def buy() -> None:
        if up:
            lot = up.pop(rng.randrange(len(up)))
            world.fake.remove_lot(lot)
            removed[int(lot["buyoutPrice"])] += 1

    for number in range(12 * hours):
        moment += rng.uniform(130, 400)
        world.at(moment, lambda price=900_000_000 + number: offer(price))
        # Far enough from its offer to have been seen, with all the failures between.
        if number > 2 * hours:
            world.at(moment + 60, buy)

    def is_ours(lot: Any) -> bool:
        return bool(900_000_000 <= lot.buyout_price < 1_000_000_000)

    events: list[Any] = []
    state = None
    for part in range(1, 5):
        if state is not None:
            state = LotsWatchState.from_json(state.to_json())
        mine = world.client().auction(ITEM).watch_lots(where=is_ours, state=state)
        events += await until(mine, world, part * hours * HOUR / 3)
        state = mine.state
    new = Counter(event.lot.buyout_price for event in events if event.kind == "new")
    gone = Counter(event.lot.buyout_price for event in events if event.kind == "gone")
    assert max(new.values()) == max(gone.values()) == 1
    assert not gone - new
    assert new - gone == listed - removed
    assert len(new) > 10 * hours
    assert len(gone) > 8 * hours
    assert world.refused == 0


# ── each kind ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_emission_starts_and_ends(world: World) -> None:
    world.fake.end_emission()
    world.at(100, world.fake.start_emission)
    world.at(400, world.fake.end_emission)
    begun = world.fake.now
    first, second = await until(world.client().watch_emission(), world, 1000)
    assert (first.kind, first.time) == ("started", begun + timedelta(seconds=100))
    assert first.state.active
    assert (second.kind, second.time) == ("ended", begun + timedelta(seconds=400))
    assert len(world.fake.requests) == math.ceil(1000 / 15)


async def test_an_emission_that_nobody_saw_is_told_of_after_a_restart(world: World) -> None:
    world.fake.end_emission()
    watcher = world.client().watch_emission()
    await until(watcher, world, 30)
    saved = watcher.state.to_json()
    world.fake.start_emission()
    world.pass_by(300)
    world.fake.end_emission()
    world.pass_by(3600)
    again = world.client().watch_emission(state=EmissionWatchState.from_json(saved))
    assert [event.kind for event in await until(again, world, world.passed + 60)] == ["started", "ended"]


async def test_an_old_answer_out_of_a_cache_tells_nothing_twice(world: World) -> None:
    world.fake.end_emission()
    token = {"authorization": f"Bearer {world.fake.app_token}"}
    old = world.fake.handle("GET", "/ru/emission", token).body
    world.at(100, world.fake.start_emission)
    world.at(200, lambda: world.fake.fail("*/emission", body=old, times=2))
    world.at(400, world.fake.end_emission)
    world.at(500, lambda: world.fake.fail("*/emission", body=old, times=2))
    events = await until(world.client().watch_emission(), world, 1000)
    assert [event.kind for event in events] == ["started", "ended"]


async def test_sales_since_a_time_come_oldest_first(world: World) -> None:
    client = world.client()
    history = await client.auction(ITEM).price_history(limit=50, additional=True)
    events = await until(client.auction(ITEM).watch_sales(history[20].time), world, 100)
    assert [event.sale for event in events] == [sale for sale in reversed(history) if sale.time > history[20].time]


async def test_a_sale_that_turns_up_late_is_told_of(world: World) -> None:
    early = world.fake.now + timedelta(seconds=100)
    world.at(400, lambda: world.fake.sell(ITEM, price=2))
    world.at(1500, lambda: world.fake.sell(ITEM, price=1, time=early))
    events = await until(world.client().auction(ITEM).watch_sales(), world, 2000)
    assert [event.sale.price for event in events] == [2, 1]
    assert events[1].sale.time == early < events[0].sale.time


async def test_rows_in_another_order_are_the_same_ones() -> None:
    world = World(sales={ITEM: 300}, reorder=True)
    world.fake.sell(ITEM, 3, price=7, additional=MIXED)
    world.fake.list_lot(ITEM, duration=24 * HOUR, buyout_price=7, additional=MIXED)
    assert await until(world.client().auction(ITEM).watch_sales(), world, 500) == []
    watcher = world.client().auction(ITEM).watch_lots(where=lambda lot: lot.buyout_price == 7)
    assert await until(watcher, world, world.passed + 500) == []
    world.at(world.passed + 100, lambda: world.fake.sell(ITEM, 2, price=8, additional=MIXED))
    sold = await until(world.client().auction(ITEM).watch_sales(), world, world.passed + 500)
    assert [event.sale.price for event in sold] == [8, 8]


async def test_an_item_that_was_never_sold_is_watched_from_its_first_sale() -> None:
    world = World(sales={ITEM: 0})
    world.at(100, lambda: world.fake.sell(ITEM, 2, price=7, amount=1, additional={}))
    events = await until(world.client().auction(ITEM).watch_sales(), world, 500)
    assert [event.sale.price for event in events] == [7, 7]


async def test_a_bid_makes_no_new_lot(world: World) -> None:
    listed = market_lot = world.fake.list_lot(ITEM, current_price=5, start_price=1, duration=24 * HOUR)
    world.pass_by(10)
    rows = world.fake._world.market._listed
    watcher = world.client().auction(ITEM).watch_lots(where=lambda lot: lot.buyout_price == listed["buyoutPrice"])

    def bid() -> None:
        for _, row in rows[next(iter(rows))]:
            row["currentPrice"] = 6

    world.at(100, bid)
    assert await until(watcher, world, 300) == []
    assert 6 in {lot.current_price for lot in watcher.state.lots}
    assert market_lot["currentPrice"] == 5


# ── many items ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_sales_of_many_items_and_regions_in_one_iterator(world: World) -> None:
    items = [ITEM, "kqgy", "319k"]
    for number, (item, region) in enumerate(itertools.product(items, ("ru", "eu"))):
        world.at(200 + 50 * number, lambda n=number, i=item, r=region: world.fake.sell(i, price=900 + n, region=r))
    watcher = world.client().auctions(items, ["ru", "eu"]).watch_sales()
    events = await until(watcher, world, 1000)
    sold = {(event.item_id, event.region): event.sale.price for event in events}
    assert sold == {place: 900 + number for number, place in enumerate(itertools.product(items, ("ru", "eu")))}
    assert len(events) == 6
    assert [state.item_id for state in watcher.state.items] == [item for item in items for _ in range(2)]


async def test_looks_at_many_items_are_spread_over_the_interval(world: World) -> None:
    items = [ITEM, "kqgy", "319k"]
    times: list[tuple[float, str]] = []
    answer = world.fake.transport().handler

    def handle(request: httpx.Request) -> Any:
        times.append((world.passed, request.url.path.split("/")[3]))
        return answer(request)

    http_client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    client = with_clock(AppClient, world)(token=world.fake.app_token, http_client=http_client, region="ru")
    await until(client.auctions(items).watch_lots(interval=120), world, 600)
    first = [next(time for time, item in times if item == wanted) for wanted in items]
    assert [round(b - a) for a, b in itertools.pairwise(first)] == [40, 40]
    looks = Counter(item for time, item in dict.fromkeys(times))
    assert all(count >= 5 for count in looks.values())


@pytest.mark.simulation
async def test_looks_at_many_items_fit_into_the_points() -> None:
    items = [f"item{number}" for number in range(60)]
    world = World(items=items, limit=100, sales=dict.fromkeys(items, 5))
    client = world.client()
    watcher = client.auctions(items).watch_sales(interval=10)
    assert await until(watcher, world, 1200) == []
    assert world.refused == 0
    # Each window has 100 points, of which something is left for others.
    assert 0.75 * 20 * 50 < len(world.fake.requests) < 0.95 * 20 * 50
    assert {state.begun for state in watcher.state.items} == {True}


async def test_an_item_that_the_server_refuses_is_reported_once_and_the_others_go_on(world: World) -> None:
    world.at(600, lambda: world.fake.sell(ITEM, price=7))
    events = await until(world.client().auctions(["nope", ITEM]).watch_sales(), world, 1000)
    assert [(event.kind, event.item_id) for event in events] == [("error", "nope"), ("sold", ITEM)]
    assert events[0].permanent
    assert events[0].region == "ru"
    assert isinstance(events[0].error, BadRequestError)
    assert sum("nope" in seen.path for seen in world.fake.requests) == 1


async def test_a_watcher_of_nothing_but_a_refused_item_ends(world: World) -> None:
    events = [event async for event in world.client().auction("nope").watch_lots()]
    assert [(event.kind, event.permanent) for event in events] == [("error", True)]
    assert [event async for event in world.client().auctions([]).watch_lots()] == []


@pytest.mark.parametrize("kind", ["lots", "sales"])
async def test_many_items_are_watched_on_after_a_restart(world: World, kind: str) -> None:
    auctions = world.client().auctions([ITEM, "kqgy"])
    watch: Any = auctions.watch_lots if kind == "lots" else auctions.watch_sales
    state: Any = BulkLotsWatchState if kind == "lots" else BulkSalesWatchState
    watcher = watch()
    assert all(not item.begun for item in watcher.state.items)
    await until(watcher, world, 200)
    saved = watcher.state.to_json()
    world.pass_by(100)
    for item in (ITEM, "kqgy"):
        world.fake.sell(item, price=8)
        world.fake.list_lot(item, buyout_price=8, duration=24 * HOUR)
    events = await until(watch(state=state.from_json(saved)), world, world.passed + 200)
    found = [event.item_id for event in events if "8" in repr(event) and event.kind in {"new", "sold"}]
    assert {ITEM, "kqgy"} <= set(found)
    with pytest.raises(TypeError, match="WatchState"):
        watch(state="x")


async def test_a_state_is_there_before_the_first_look(world: World) -> None:
    world.fake.end_emission()
    world.fake.fail("*", status=500, times=1)
    watcher = world.client(retry=None).watch_emission()
    async for event in watcher:
        assert event.kind == "error"
        saved = watcher.state.to_json()
        break
    # Nothing was seen by then, so what is there at the next look is where it begins.
    again = world.client().watch_emission(state=EmissionWatchState.from_json(saved))
    assert await until(again, world, world.passed + 100) == []
    assert again.state.begun


# ── what fails ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_errors_are_events_and_put_the_next_look_off(world: World) -> None:
    world.fake.fail("*/emission", status=500)
    events = await until(world.client(retry=None).watch_emission(), world, 2 * 3600)
    assert {type(event.error) for event in events} == {ServerError}
    assert [event.failures for event in events] == list(range(1, len(events) + 1))
    assert max(event.wait for event in events) > 60
    assert all(0 <= event.wait <= min(300, 15 * 2**event.failures) for event in events)
    assert 20 < len(events) < 200


async def test_errors_go_to_the_callback_in_place_of_the_loop(world: World) -> None:
    heard: list[WatchError] = []
    world.fake.fail("*/history", status=401, times=3)
    world.at(2000, lambda: world.fake.sell(ITEM, price=9))
    events = await until(world.client().auction(ITEM).watch_sales(on_failure=heard.append), world, 4000)
    assert (
        [event.sale.price for event in events if event.kind == "sold"]
        == [9]
        == [event.sale.price for event in events if event.kind != "error"]
    )
    assert [type(event.error) for event in heard] == [UnauthorizedError] * 3
    assert [event.failures for event in heard] == [1, 2, 3]


async def test_a_predicate_that_raises_loses_nothing(world: World) -> None:
    world.at(100, lambda: world.fake.sell(ITEM, price=9))
    broken = [True]

    def where(sale: Any) -> bool:
        if broken:
            broken.clear()
            raise ZeroDivisionError
        return bool(sale.price == 9)

    watcher = world.client().auction(ITEM).watch_sales(where=where)
    with pytest.raises(ZeroDivisionError):
        await until(watcher, world, 500)
    assert [event.sale.price for event in await until(watcher, world, 600) if event.kind == "sold"] == [9]


async def test_watchers_of_a_small_budget_share_it() -> None:
    world = World(limit=10)
    client = world.client()
    watchers = [client.watch_emission(interval=0.5), client.auction(ITEM).watch_sales(interval=0.5)]
    for _ in range(2):
        for watcher in watchers:
            world.at(world.passed + 300, watcher.close)
            assert [event async for event in watcher if event.kind == "error"] == []
    assert world.refused == 0
    assert len(world.fake.requests) > 40


# ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_closing_ends_the_iteration_for_good(world: World) -> None:
    async with world.client().watch_emission() as watcher:
        assert await until(watcher, world, 100) == []
        asked = len(world.fake.requests)
        assert [event async for event in watcher] == []
    assert len(world.fake.requests) == asked > 1


async def test_closing_hands_over_no_more_and_the_state_knows(world: World) -> None:
    begun = world.fake.now
    world.pass_by(10)
    world.fake.sell(ITEM, 5, price=3)
    watcher = world.client().auction(ITEM).watch_sales(begun)
    async for _ in watcher:
        watcher.close()
    again = world.client().auction(ITEM).watch_sales(state=SalesWatchState.from_json(watcher.state.to_json()))
    assert len(await until(again, world, 200)) == 4


async def test_closing_the_client_ends_its_watchers(world: World) -> None:
    client = world.client()
    await client.close()
    assert [event async for event in client.watch_emission()] == []
    assert world.fake.requests == []


# ── wrong arguments ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("interval", [0, -1, math.inf, math.nan, "60", None])
async def test_a_wrong_interval_is_refused_at_once(world: World, interval: Any) -> None:
    client = world.client()
    for watch in (client.watch_emission, client.auction(ITEM).watch_lots, client.auction(ITEM).watch_sales):
        with pytest.raises(ValueError, match="interval"):
            watch(interval=interval)


async def test_wrong_arguments_are_refused_at_once(world: World) -> None:
    client, plain = world.client(), world.client(json=True)
    auction = client.auction(ITEM)
    lots = LotsWatchState(region="ru", item_id=ITEM, lots=[])
    calls: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
        (lambda bad: client.watch_emission("mars"), ValueError, "region"),
        (lambda bad: client.watch_emission(on_failure=bad), TypeError, "on_failure"),
        (lambda bad: client.watch_emission(state=bad), TypeError, "EmissionWatchState"),
        (lambda bad: plain.watch_emission(), ValueError, "json=True"),
        (lambda bad: auction.watch_lots(where=bad), TypeError, "where"),
        (lambda bad: auction.watch_sales(where=bad), TypeError, "where"),
        (lambda bad: auction.watch_sales("yesterday"), ValueError, "since"),
        (lambda bad: auction.watch_lots(state=lots, region="eu"), ValueError, "region"),
        (lambda bad: client.auction("kqgy").watch_lots(state=lots), ValueError, "item_id"),
    ]
    for call, error, says in calls:
        with pytest.raises(error, match=says):
            call("nonsense")
    assert world.fake.requests == []


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"type": "lots"}', b"\xff"])
def test_a_state_that_is_none_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="SalesWatchState"):
        SalesWatchState.from_json(text)
