"""Collectors of the fake's market, into real databases: every sale exactly once, whatever happens meanwhile."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import sqlalchemy as sql

from scapi._async import AppClient, UserClient
from scapi._async.collector import Collector
from scapi._async.store import Store
from scapi._store import schema
from scapi._store.rows import Place
from scapi._store.times import micros, moment
from scapi.exceptions import UnauthorizedError
from scapi.models import AuctionPrice
from scapi.testing import FakeApi
from scapi.testing._catalogue import HOME_CLAN
from tests._async.fake_clock import FakeClock, with_clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from scapi.store import Progress

ITEMS = ["zyv9", "kqgy", "319k"]
HOUR = 3600.0

_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "market.db") if request.param == "sqlite" else str(request.getfixturevalue("postgres"))


class World(FakeClock):
    """A fake, and the clock of its clients, which moves the fake's."""

    def __init__(self, **options: Any) -> None:
        self.fake = FakeApi(**{"sales": dict.fromkeys(ITEMS, 700), "limit": 400, "reorder": True, **options})
        self.fake.app_token = f"collect-{next(_numbers)}"
        super().__init__(self.fake)

    def client(self, **options: Any) -> AppClient:
        http_client = httpx.AsyncClient(transport=self.fake.transport())
        return with_clock(AppClient, self)(token=self.fake.app_token, http_client=http_client, region="ru", **options)

    def user(self) -> UserClient:
        http_client = httpx.AsyncClient(transport=self.fake.transport())
        return with_clock(UserClient, self)(token=self.fake.user_token, http_client=http_client, region="ru")

    def collector(self, store: Store, items: list[str] = ITEMS, **options: Any) -> Collector:
        options = {"clock": self.wall, "concurrency": 1, "lease": 600, "client": None, "items": items, **options}
        return Collector(options.pop("client") or self.client(), store, **options)

    def truth(self, item: str, region: str = "ru") -> Counter[Any]:
        """All sales of an item, by time, key and number."""
        rows = self.fake._world.market.sales(region.upper(), item, 0, 10**9)  # what the answers are taken from
        sales = [AuctionPrice(**{**row, "price": int(row["price"])}) for row in rows]
        counts: Counter[Any] = Counter()
        found: Counter[Any] = Counter()
        for sale in sales:
            counts[sale.time, sale.key()] += 1
            found[micros(sale.time), sale.key(), counts[sale.time, sale.key()]] += 1
        return found

    def since(self, item: str, time: datetime) -> Counter[Any]:
        return Counter({row: n for row, n in self.truth(item).items() if row[0] > micros(time)})

    @property
    def refused(self) -> int:
        return sum(seen.status == 429 for seen in self.fake.requests)


def stored(store: Store, item: str, region: str = "ru") -> Counter[Any]:
    """What a store has of an item, by time, key and number."""
    table = schema.sale
    rows = sql.select(table.c.time, table.c.key, table.c.n).where(table.c.region == region, table.c.item == item)
    with store._sql.database.reading() as connection:
        return Counter((row[0], row[1], row[2]) for row in connection.execute(rows))


def emissions(store: Store) -> list[tuple[datetime, datetime | None]]:
    """The emissions in a store, by start and end."""
    rows = sql.select(schema.emission.c.started, schema.emission.c.ended).order_by(schema.emission.c.started)
    with store._sql.database.reading() as connection:
        found = connection.execute(rows).all()
    return [(moment(row.started), None if row.ended is None else moment(row.ended)) for row in found]


def clan_of(world: World) -> list[dict[str, Any]]:
    """The members of the user's clan, as the fake has them."""
    return world.fake._world.people("RU").members[HOME_CLAN]


def let_leases_end() -> None:
    """Leases end by the clock of the database, which no test moves."""
    time.sleep(0.05)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "market.db") as store:
        yield store


@pytest.fixture
async def either(url: str) -> AsyncIterator[Store]:
    """A store in SQLite, and one in PostgreSQL."""
    async with Store(url) as store:
        yield store


async def test_a_round_collects_the_whole_history_of_each_item(world: World, either: Store) -> None:
    done = await world.collector(either, since="all").once()
    assert [stored(either, item) for item in ITEMS] == [world.truth(item) for item in ITEMS]
    assert (done.sales, done.failures, done.failing, done.elsewhere) == (2100, 0, [], 0)
    # Four pages of an item, each with a little of the one before it; the last one of the newest half hour again.
    assert done.pages <= 3 * 5
    assert world.refused == 0


async def test_what_was_collected_is_known_after_an_error_too(world: World, store: Store) -> None:
    def fail(progress: Progress) -> None:
        if progress.sales:
            raise RuntimeError("enough")

    collector = world.collector(store, since="all", on_progress=fail)
    assert collector.collected is None
    with pytest.raises(RuntimeError, match="enough"):
        await collector.once()
    assert collector.collected is not None
    assert 0 < collector.collected.sales <= 2100


async def test_the_same_round_again_adds_nothing_and_asks_little(world: World, store: Store) -> None:
    await world.collector(store, since="all").once()
    done = await world.collector(store, since="all").once()
    assert (done.sales, done.pages) == (0, 3)


async def test_a_round_goes_no_further_back_than_asked(world: World, store: Store) -> None:
    begin = world.fake.now - timedelta(days=2)
    await world.collector(store, since="2d").once()
    for item in ITEMS:
        assert world.since(item, begin) <= stored(store, item) <= world.truth(item)
    assert sum(stored(store, ITEMS[0]).values()) < 700


async def test_a_round_without_a_past_reads_a_page_of_each_item(world: World, store: Store) -> None:
    done = await world.collector(store).once()
    assert done.pages == 3


@pytest.mark.simulation
async def test_hours_of_sales_late_sales_and_restarts_come_exactly_once(world: World, either: Store) -> None:
    rng = random.Random(3)  # no secret
    moment = 0.0
    while moment < 0.7 * HOUR:
        moment += rng.expovariate(1 / 60)
        item, count = rng.choice(ITEMS), rng.choice([1, 1, 2, 4, 210 if rng.random() < 0.05 else 1])
        price = rng.randint(1, 3)
        late = timedelta(seconds=rng.choice([0, 0, 0, 60, 900, 1700]))

        def sell(item: str = item, count: int = count, price: int = price, late: timedelta = late) -> None:
            world.fake.sell(item, count, amount=1, price=price, additional={"qlt": 1}, time=world.fake.now - late)

        world.at(moment, sell)
    told: Counter[Any] = Counter()
    known: Counter[Any] = Counter()

    def tell(event: Any) -> None:
        told[event.item, micros(event.sale.time), event.sale.key()] += 1

    restarts = 0
    while world.passed < 1.2 * HOUR:
        collector = world.collector(either, since="all", on_sale=tell, sales=rng.choice([120, 300]))
        world.at(world.passed + rng.uniform(10, 1500), collector.stop)
        await collector.run()
        restarts += 1
        world.pass_by(rng.choice([0, 10, 2000]))
    await world.collector(either, since="all", on_sale=tell).once()
    assert [stored(either, item) for item in ITEMS] == [world.truth(item) for item in ITEMS]
    assert restarts > 1
    # What turned up meanwhile was told, once, and nothing of what was there before.
    for item in ITEMS:
        known.update((item, time, key) for time, key, _ in stored(either, item))
    assert told <= known
    begun = micros(world.fake.now - timedelta(seconds=world.passed))
    assert sum(told.values()) > 0.8 * sum(n for (_, time, _), n in known.items() if time > begun)
    assert world.refused == 0


async def test_items_that_another_collector_has_are_left_to_it(world: World, either: Store) -> None:
    await either.lease("another", [Place("ru", "zyv9")], 600)
    done = await world.collector(either, since="all").once()
    assert (done.sales, done.elsewhere) == (1400, 1)
    # It ends, or dies and its lease runs out: then the next one has them at once.
    await either.lease("another", [Place("ru", "zyv9")], 0.001)
    let_leases_end()
    done = await world.collector(either, since="all").once()
    assert (done.sales, done.elsewhere) == (700, 0)


async def test_leases_are_given_back_at_the_end(world: World, store: Store) -> None:
    await world.collector(store).once()
    assert {state.owner for state in await store.item_states()} == {None}
    (run,) = await store.runs()
    assert run.ended is not None
    assert run.rows == 600


async def test_ids_that_are_refused_are_set_aside(world: World, store: Store) -> None:
    collector = world.collector(store, ["zyv9", "unknown9"], since="1d", sales=1800)
    world.at(3 * HOUR, collector.stop)
    done = await collector.run()
    assert sum("unknown9" in seen.path for seen in world.fake.requests) == 1
    assert [failure.item for failure in done.failing] == ["unknown9"]
    (state,) = await store.item_states(items=["unknown9"])
    assert state.aside == "refused by the server"
    assert "400" in (state.error or "")
    # Not even by the next one.
    await world.collector(store, ["zyv9", "unknown9"], since="1d").once()
    assert sum("unknown9" in seen.path for seen in world.fake.requests) == 1


async def test_what_is_never_traded_is_asked_rarely(world: World, store: Store) -> None:
    collector = world.collector(store, ["qyvk", "zyv9"], sales=7200)
    world.at(10 * HOUR, collector.stop)
    await collector.run()
    assert sum("qyvk" in seen.path for seen in world.fake.requests) == 1


async def test_failures_are_told_and_mended(world: World, store: Store) -> None:
    world.fake.fail("*/kqgy/history", "status", status=500, times=4)
    told: list[Any] = []
    collector = world.collector(store, sales=300, since="all", on_progress=told.append)
    # The waits after four failures are up to 300, 600, 1,200 and 1,800 seconds.
    world.at(2 * HOUR, collector.stop)
    done = await collector.run()
    assert any(failure.item == "kqgy" and "500" in failure.error for each in told for failure in each.failing)
    assert done.failures > 0
    assert done.failing == []
    assert [stored(store, item) for item in ITEMS] == [world.truth(item) for item in ITEMS]


async def test_a_failure_amid_the_past_costs_the_page_that_failed(store: Store) -> None:
    world, answers = World(sales={"kqgy": 3000}), itertools.count(1)

    def fail_once(_: object) -> None:
        if next(answers) == 8:
            world.fake.fail("*/history", "status", status=500, times=1)

    client = world.client(on_response=fail_once, retry=1)
    done = await world.collector(store, ["kqgy"], client=client, since="all").once()
    assert stored(store, "kqgy") == world.truth("kqgy")
    assert done.failures == 1
    # Each page has a sale of the one before it. The newest half hour, and the page after the failure, come twice.
    assert 3000 / 199 <= done.pages <= 3000 / 199 + 3


async def test_it_stops_after_the_current_page(store: Store) -> None:
    world, answers = World(sales={"kqgy": 3000}), itertools.count(1)

    def stop(_: object) -> None:
        if next(answers) == 5:
            collector.stop()

    collector = world.collector(store, ["kqgy"], client=world.client(on_response=stop), since="all")
    done = await collector.once()
    assert done.pages == 5
    assert done.sales == sum(stored(store, "kqgy").values()) > 900


async def test_bad_credentials_end_it(world: World, store: Store) -> None:
    client = with_clock(AppClient, world)(
        token="wrong", http_client=httpx.AsyncClient(transport=world.fake.transport())
    )
    with pytest.raises(UnauthorizedError):
        await Collector(client, store, ITEMS).run()


async def test_lots_that_go_are_gone_after_a_whole_look(world: World, either: Store) -> None:
    told: list[Any] = []
    kept: list[Any] = []

    def offer() -> None:
        kept.append(world.fake.list_lot("zyv9", buyout_price=77, amount=1, start_price=0, additional={"qlt": 2}))

    world.at(100, offer)
    world.at(400, lambda: world.fake.remove_lot(kept[0]))
    collector = world.collector(either, ["zyv9"], lots=60, on_lot=told.append)
    world.at(800, collector.stop)
    await collector.run()
    assert [event.kind for event in told if event.lot.buyout_price == 77] == ["new", "gone"]
    with either._sql.database.reading() as connection:
        rows = connection.execute(sql.select(schema.lot).where(schema.lot.c.buyout_price == 77)).all()
        assert [row.gone_at is not None for row in rows] == [True]
        here = sql.select(sql.func.count()).select_from(schema.lot).where(schema.lot.c.gone_at.is_(None))
        assert connection.execute(here).scalar_one() > 50
        assert connection.execute(sql.select(sql.func.count()).select_from(schema.lot_sample)).scalar_one() > 3


async def test_an_emission_that_ends_while_the_collector_is_down_is_one_row(world: World, either: Store) -> None:
    began = world.fake.now
    world.fake.start_emission()
    done = await world.collector(either, [], emissions=60).once()
    # The fake tells of one before it.
    assert (done.emissions, done.pages, done.points) == (len(emissions(either)), 1, 1)
    assert emissions(either)[-1] == (began, None)
    world.pass_by(240)
    world.fake.end_emission()
    ended = world.fake.now
    world.pass_by(7200)
    for new in (0, 0):
        assert (await world.collector(either, [], emissions=60).once()).emissions == new
    assert emissions(either)[-1] == (began, ended)


async def test_emissions_between_two_looks_are_found_at_a_point_a_look(world: World, store: Store) -> None:
    begun = world.fake.now
    for hour in range(3):
        world.at(hour * HOUR + 900, world.fake.start_emission)
        world.at(hour * HOUR + 1100, world.fake.end_emission)
    collector = world.collector(store, ["zyv9"], emissions="30m", sales=1800)
    world.at(3.2 * HOUR, collector.stop)
    done = await collector.run()
    assert emissions(store)[-3:] == [
        tuple(begun + timedelta(seconds=hour * HOUR + second) for second in (900, 1100)) for hour in range(3)
    ]
    looks = [seen for seen in world.fake.requests if seen.path.endswith("/emission")]
    assert len(looks) <= 3.2 * 2 / 0.9 + 1
    assert done.points == len(looks) + 2 * (len(world.fake.requests) - len(looks))
    (state,) = await store.item_states(items=["region:emission"])
    assert state.looked_at
    assert state.next_look
    assert state.next_look > state.looked_at


async def test_a_clan_member_who_leaves_and_comes_back_is_two_rows(world: World, either: Store) -> None:
    members = clan_of(world)
    gone = members[-1]
    back = gone | {"joinTime": world.fake.now + timedelta(seconds=6000)}
    world.at(1000, lambda: members.remove(gone))
    world.at(6000, lambda: members.append(back))
    count = len(members)
    for _ in range(3):  # and a restart changes nothing
        collector = world.collector(either, [], client=world.user(), clans=[HOME_CLAN], members="10m")
        world.at(world.passed + 3000, collector.stop)
        await collector.run()
    with either._sql.database.reading() as connection:
        table = schema.clan_member
        rows = connection.execute(sql.select(table).order_by(table.c.name, table.c.joined)).all()
    assert len(rows) == count + 1
    first, second = [row for row in rows if row.name == gone["name"]]
    begun = micros(world.fake.now - timedelta(seconds=world.passed))
    assert (first.joined, second.joined, second.left_at) == (micros(gone["joinTime"]), micros(back["joinTime"]), None)
    assert 1000 <= (first.left_at - begun) / 1e6 <= 1000 + 700
    assert [row.left_at for row in rows if row.name != gone["name"]] == [None] * (count - 1)
    assert {state.item: state.failures for state in await either.item_states()} == {f"clan:{HOME_CLAN}": 0}


async def test_members_that_cannot_be_read_are_not_taken_to_have_left(world: World, store: Store) -> None:
    members = clan_of(world)
    await world.collector(store, [], client=world.user(), clans=[HOME_CLAN]).once()
    members[-1] = {"name": 7}
    done = await world.collector(store, [], client=world.user(), clans=[HOME_CLAN]).once()
    assert (done.members, [failure.item for failure in done.failing]) == (0, [f"clan:{HOME_CLAN}"])


async def test_a_clan_of_others_is_set_aside_and_the_rest_goes_on(world: World, store: Store) -> None:
    other = next(clan["id"] for clan in world.fake._world.people("RU").clans if clan["id"] != HOME_CLAN)
    collector = world.collector(store, ["zyv9"], client=world.user(), clans=[HOME_CLAN, other])
    done = await collector.once()
    assert [failure.item for failure in done.failing] == [f"clan:{other}"]
    assert "only a user with a character in the clan" in done.failing[0].error
    assert (done.sales, done.members) == (200, len(clan_of(world)))
    (state,) = await store.item_states(items=[f"clan:{other}"])
    assert state.aside == "refused by the server"


@pytest.mark.simulation
async def test_points_are_used_up_by_a_plan_that_is_too_large(store: Store) -> None:
    world, told = World(limit=40), list[Any]()
    collector = world.collector(store, sales=0.5, on_progress=told.append)
    world.at(241, collector.stop)
    await collector.run()
    # A window of a minute has begun before.
    assert 2 * len(world.fake.requests) >= 0.98 * 40 * world.passed / 60
    assert world.refused == 0
    assert "don't fit into 40 points a minute" in told[-1].notes[0]


@pytest.mark.simulation
async def test_an_item_that_changes_costs_a_page_a_look(world: World, store: Store) -> None:
    await world.collector(store, since="all").once()
    begin = len(world.fake.requests)
    for number in range(60):
        world.at(world.passed + 60 * number, lambda: [world.fake.sell(item, 2) for item in ITEMS])
    collector = world.collector(store, since="all", sales=300)
    world.at(world.passed + 3500, collector.stop)
    await collector.run()
    looks = len(world.fake.requests) - begin
    assert looks <= 1.1 * 3 * (3500 / 300 + 1) * 1.2


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"sales": 0}, "sales"),
        ({"sales": "soon"}, "sales"),
        ({"sales": None}, "sales"),
        ({"lots": -1}, "lots"),
        ({"since": "long ago"}, "since"),
        ({"concurrency": 0}, "concurrency"),
        ({"lease": 0}, "lease"),
        ({"items": ["clan:1"]}, "items"),
        ({"items": []}, "items"),
        ({"items": [], "emissions": 0}, "emissions"),
        ({"members": 0}, "members"),
        ({"clans": [HOME_CLAN]}, "UserClient"),
        ({"clans": [" "]}, "clan_id"),
    ],
    ids=str,
)
async def test_bad_arguments_are_refused(world: World, tmp_path: Path, options: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        world.collector(Store(tmp_path / "market.db"), **options)


async def test_it_asks_past_the_cache_of_its_client(world: World, store: Store) -> None:
    client = world.client(cache=True)
    options: dict[str, Any] = {"clock": world.wall, "lots": 60, "since": "1h"}
    await Collector(client, store, ITEMS[:1], **options).once()
    before = stored(store, ITEMS[0])
    world.pass_by(5)
    world.fake.sell(ITEMS[0], 3)
    await Collector(client, store, ITEMS[:1], **options).once()
    assert (stored(store, ITEMS[0]) - before).total() == 3


async def test_progress_is_another_name_of_on_progress(world: World, store: Store) -> None:
    told: list[Progress] = []
    await world.collector(store, progress=told.append).once()
    assert told
    with pytest.raises(ValueError, match="on_progress and progress are two names of one argument"):
        world.collector(store, progress=told.append, on_progress=told.append)


async def test_clans_of_several_regions_are_refused(world: World, tmp_path: Path) -> None:
    store, options = Store(tmp_path / "market.db"), {"clans": [HOME_CLAN], "region": ["eu", "ru"]}
    with pytest.raises(ValueError, match="clans are in one region"):
        world.collector(store, client=world.user(), **options)


async def test_a_client_of_plain_objects_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="json"):
        Collector(world.client(json=True), Store(tmp_path / "market.db"), ITEMS)


async def test_items_as_one_string_are_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="items"):
        Collector(world.client(), Store(tmp_path / "market.db"), "zyv9")
