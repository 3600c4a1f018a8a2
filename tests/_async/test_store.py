"""The store on SQLite and on a real PostgreSQL: every sale once, whatever comes in which order, and what people ask."""

from __future__ import annotations

import itertools
import json
import random
import re
import sqlite3
import statistics
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, func, select, table
from sqlalchemy.dialects import sqlite

from scapi._async.store import Store
from scapi._base import atomic
from scapi._store import export_import, statements
from scapi._store.conditions import Sales
from scapi._store.query_scope import QueryScope
from scapi._store.sql_store import SqlStore
from scapi.enums import Quality
from scapi.exceptions import ClosedError, LeaseLostError, StoreError, StoreVersionError
from scapi.models import AuctionLot, AuctionPrice, ClanMember, EmissionState
from scapi.store import BEGINNING, LotsReading, Place, Sale, SalesReading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from pathlib import Path

    from scapi.store import SalesPiece

T0 = datetime(2026, 8, 1, tzinfo=UTC)
ITEM = "kqgy"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "market.db") if request.param == "sqlite" else request.getfixturevalue("postgres")


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with Store(url, clock=T0.timestamp) as store:
        yield store


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    sql = SqlStore(tmp_path_factory.mktemp("store") / "market.db", create=True, clock=T0.timestamp)
    yield sql
    sql.database.close()


numbers = itertools.count()


def at(seconds: float) -> datetime:
    """So many seconds before T0."""
    return T0 - timedelta(seconds=seconds)


def sale(seconds: float, price: int = 100, amount: int = 1, **additional: Any) -> AuctionPrice:
    return AuctionPrice(amount=amount, price=price, time=at(seconds), additional=additional)


def lot(buyout: int | None, amount: int = 1, bid: int | None = None, **additional: Any) -> AuctionLot:
    return AuctionLot(
        item_id=ITEM,
        amount=amount,
        start_price=0,
        current_price=bid,
        buyout_price=buyout,
        start_time=T0,
        end_time=T0 + timedelta(days=1),
        additional=additional,
    )


async def collect(store: Store, sales: Iterable[AuctionPrice], *, region: str = "eu", item: str = ITEM) -> None:
    """Write a whole history."""
    ordered = sorted(sales, key=lambda sale: sale.time, reverse=True)
    await store.write_sales(region, item, SalesReading().piece(ordered, end=BEGINNING))


def counted(sales: Iterable[AuctionPrice] | Iterable[Sale]) -> Counter[tuple[Any, ...]]:
    return Counter((one.time, one.amount, one.price, json.dumps(one.additional)) for one in sales)


# ── sales ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_page_that_is_written_again_changes_nothing(store: Store) -> None:
    page = [sale(0), sale(1, qlt=3, ptn=5), sale(1), sale(1), sale(2)]
    piece = SalesReading().piece(page, end=at(10))
    first, again = [await store.write_sales("eu", ITEM, piece) for _ in range(2)]
    assert counted(first.new) == counted(page)
    assert [one.time for one in first.new] == sorted(one.time for one in page)
    assert (first.known, again.new, again.known) == (0, [], 5)
    found = await store.sales(ITEM)
    assert counted(found) == counted(page)
    assert [one.n for one in found if one.time == at(1) and not one.additional] == [1, 2]
    [artefact] = [one for one in found if one.additional]
    assert (artefact.quality, artefact.level, artefact.additional) == (Quality.RARE, 5, {"qlt": 3, "ptn": 5})
    assert (artefact.key, artefact.seen_at) == (page[1].key(), T0)


async def test_equal_sales_are_counted_across_pages(store: Store) -> None:
    reading = SalesReading()
    for page, end in (([sale(0), sale(1), sale(1)], None), ([sale(1), sale(1)], None), ([sale(1), sale(5)], BEGINNING)):
        await store.write_sales("eu", ITEM, reading.piece(page, end=end))
    assert counted(await store.sales(ITEM))[(at(1), 1, 100, "{}")] == 5


async def test_an_equal_sale_that_turns_up_late_is_another_one(store: Store) -> None:
    await collect(store, [sale(0), sale(60)])
    written = await store.write_sales("eu", ITEM, SalesReading().piece([sale(0), sale(60), sale(60)], end=at(1800)))
    assert (counted(written.new), written.known) == (counted([sale(60)]), 2)


async def test_a_span_goes_down_to_the_last_sale_of_a_page_and_touching_spans_are_one(store: Store) -> None:
    reading = SalesReading()
    await store.write_sales("eu", ITEM, reading.piece([sale(0), sale(10), sale(20)]))
    [span] = await store.spans("eu", ITEM)
    assert (span.newest, span.oldest) == (at(0), at(20))
    await store.write_sales("eu", ITEM, reading.piece([sale(20), sale(30)], end=at(40)))
    [span] = await store.spans("eu", ITEM)
    assert (span.newest, span.oldest) == (at(0), at(40))
    assert await store.spans("ru", ITEM) == []


async def test_a_gap_lies_between_two_spans_until_it_is_read(store: Store) -> None:
    await store.write_sales("eu", ITEM, SalesReading().piece([sale(500)], end=at(600)))
    await store.write_sales("eu", ITEM, SalesReading().piece([sale(0)], end=at(100)))
    [gap] = await store.gaps()
    assert (gap.region, gap.item, gap.newest, gap.oldest) == ("eu", ITEM, at(100), at(500))
    assert gap.length == timedelta(seconds=400)
    await store.write_sales("eu", ITEM, SalesReading(gap.newest).piece([], end=gap.oldest))
    assert await store.gaps() == []
    assert len(await store.spans("eu", ITEM)) == 1


async def test_a_sale_that_no_database_can_hold_is_told_and_the_others_are_stored(store: Store) -> None:
    page = [sale(0), sale(1, 2**63), sale(2, qlt=2**40), sale(3, 2**63 - 1)]
    written = await store.write_sales("eu", ITEM, SalesReading().piece(page, end=BEGINNING))
    assert counted(written.new) == counted([page[0], page[3]])
    assert [one.row for one in written.unstored] == page[1:3]
    assert [one.reason for one in written.unstored] == [
        f"price must fit in 64 bits, which {2**63} doesn't",
        f"quality must fit in 32 bits, which {2**40} doesn't",
    ]


sold = st.tuples(st.integers(0, 8), st.integers(1, 2), st.booleans())


@given(
    sold=st.lists(sold, max_size=40),
    late=st.lists(sold, max_size=5),
    looks=st.lists(st.tuples(st.integers(1, 7), st.integers(0, 12), st.integers(0, 9)), min_size=1, max_size=6),
    seed=st.integers(0, 3),
)
def test_any_order_of_pages_and_looks_and_late_sales_gives_the_truth(
    sql: SqlStore, sold: Any, late: Any, looks: Any, seed: int
) -> None:
    """Looks that break off anywhere, pages that are written twice and in any order, and one last whole look."""
    made = [sale(seconds * 30, price, **({"qlt": 3} if artefact else {})) for seconds, price, artefact in sold]
    more = [sale(seconds * 30, price) for seconds, price, _ in late]
    pieces: list[SalesPiece] = []

    def look(sales: list[AuctionPrice], size: int, pages: int) -> None:
        ordered = sorted(sales, key=lambda one: one.time, reverse=True)
        reading, cut = SalesReading(), [ordered[at : at + size] for at in range(0, len(ordered), size)] or [[]]
        for number, page in enumerate(cut[: pages + 1]):
            pieces.append(reading.piece(page, end=BEGINNING if number == len(cut) - 1 else None))

    for size, pages, sold_so_far in looks:
        look(made[: sold_so_far * 4], size, pages)
    look([*made, *more], 3, 100)
    random.Random(seed).shuffle(pieces)
    # An item that nobody has written yet: a store for each example would take the time.
    place = Place("eu", f"item{next(numbers)}")
    for piece in [*pieces, *pieces[:2]]:
        sql.writing.sales(place, piece, None, {})
    assert counted(sql.queries.sales(QueryScope(items=[place.item]), None)) == counted([*made, *more])
    assert len(sql.leases.spans(place)) == (1 if made or more else 0)


# ── lots ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_lot_is_gone_only_after_a_complete_look(store: Store) -> None:
    first = await store.write_lots("eu", ITEM, LotsReading(at(60)).piece([lot(10), lot(10), lot(30)], complete=True))
    assert (len(first.new), first.known, first.gone) == (3, 0, [])
    reading = LotsReading(at(30))
    partly = await store.write_lots("eu", ITEM, reading.piece([lot(10, bid=7)]))
    assert (partly.new, partly.known, partly.gone) == ([], 1, [])
    whole = await store.write_lots("eu", ITEM, reading.piece([lot(30)], complete=True))
    assert whole.gone == [lot(10)]
    assert [(one.unit_price, one.bid, one.n) for one in await store.book(ITEM)] == [(10.0, 7, 1), (30.0, None, 1)]
    # As of a time between the looks, the equal one was still there.
    assert [one.n for one in await store.book(ITEM, at=at(45))] == [1, 2, 1]


async def test_of_two_looks_the_later_one_counts_whichever_is_written_first(store: Store) -> None:
    await store.write_lots("eu", ITEM, LotsReading(at(90)).piece([lot(10), lot(20)], complete=True))
    await store.write_lots("eu", ITEM, LotsReading(at(10)).piece([lot(10, bid=9)], complete=True))
    await store.write_lots("eu", ITEM, LotsReading(at(50)).piece([lot(10, bid=5), lot(20)], complete=True))
    [left] = await store.book(ITEM)
    assert (left.buyout_price, left.bid, left.first_seen, left.last_seen) == (10, 9, at(90), at(10))


async def test_the_book_has_the_cheapest_piece_first_and_no_lot_that_has_ended(store: Store) -> None:
    ended = AuctionLot(item_id=ITEM, amount=1, buyout_price=1, end_time=at(600))
    lots = [lot(100, amount=10), lot(30), lot(0), lot(None), lot(18, amount=2, qlt=3), ended]
    await store.write_lots("eu", ITEM, LotsReading(at(0)).piece(lots, complete=True))
    assert [one.unit_price for one in await store.book(ITEM)] == [9.0, 10.0, 30.0, None, None]
    assert (await store.book(ITEM))[0].quality is Quality.RARE
    assert await store.book(ITEM, region="ru") == []


# ── what else is stored ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_emission_is_one_row_however_often_it_is_told(store: Store) -> None:
    for state in (
        EmissionState(current_start=at(600)),
        EmissionState(current_start=at(601)),
        EmissionState(previous_start=at(600), previous_end=at(60)),
        EmissionState(previous_start=at(600), previous_end=at(60), current_start=at(0)),
    ):
        await store.write_emission("eu", state)
    with store._sql.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT started, ended FROM emission ORDER BY started").fetchall()
    seconds = [tuple(None if time is None else time // 1_000_000 - T0.timestamp() for time in row) for row in rows]
    assert seconds == [(-600, -60), (0, None)]


async def test_who_joined_and_who_left_a_clan(store: Store) -> None:
    ann, ben = ClanMember(name="Ann", join_time=at(900)), ClanMember(name="Ben")
    first = await store.write_clan_members("eu", "clan", [ann, ben], at=at(60))
    assert (first.joined, first.left) == ([ann, ben], [])
    same = await store.write_clan_members("eu", "clan", [ben, ann], at=at(50))
    assert (same.joined, same.left) == ([], [])
    gone = await store.write_clan_members("eu", "clan", [ben], at=at(40))
    assert (gone.joined, gone.left) == ([], ["Ann"])
    again = ClanMember(name="Ann", join_time=at(35))
    back = await store.write_clan_members("eu", "clan", [ben, again], at=at(30))
    assert (back.joined, back.left) == ([again], [])
    # A look that doesn't know all members says nothing of those that it doesn't know.
    part = await store.write_clan_members("eu", "clan", [ben], at=at(20), complete=False)
    assert (part.joined, part.left) == ([], [])


async def test_the_later_of_two_looks_at_a_clan_counts(store: Store) -> None:
    ann, ben = ClanMember(name="Ann", join_time=at(900)), ClanMember(name="Ben", join_time=at(45))
    await store.write_clan_members("eu", "clan", [ann], at=at(60))
    await store.write_clan_members("eu", "clan", [ben], at=at(40))
    # Another collector asked before Ben came and Ann went, and writes only now.
    late = await store.write_clan_members("eu", "clan", [ann], at=at(50))
    assert late.left == []
    query = "SELECT name, left_at IS NULL FROM clan_member ORDER BY name"
    with store._sql.database.reading() as connection:
        assert [tuple(row) for row in connection.exec_driver_sql(query)] == [("Ann", False), ("Ben", True)]


# ── leases and states ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_lease_belongs_to_one_owner_until_it_ends(store: Store) -> None:
    here, there = Place("eu", ITEM), Place("ru", ITEM)
    assert await store.lease("one", [here], 600) == [here]
    assert await store.lease("two", [here, there], 600) == [there]
    assert await store.renew("one", 600) == [here]
    assert await store.lease("one", [here, there], 600) == [here]
    await store.release("one")
    assert await store.lease("two", [here], 600) == [here]
    assert await store.renew("one", 600) == []


async def test_the_lease_of_an_owner_that_is_gone_is_taken_over(store: Store) -> None:
    here = Place("eu", ITEM)
    await store.lease("dead", [here], 0.001)
    while not await store.lease("alive", [here], 600):
        pass
    piece = SalesReading().piece([sale(0)], end=BEGINNING)
    with pytest.raises(LeaseLostError, match="dead has no lease of kqgy in eu any more"):
        await store.write_sales("eu", ITEM, piece, owner="dead", total=1)
    with pytest.raises(LeaseLostError):
        await store.write_lots("eu", ITEM, LotsReading(T0).piece([lot(1)], complete=True), owner="dead")
    with pytest.raises(LeaseLostError):
        await store.update_item("eu", ITEM, owner="dead", failures=1)
    assert (await store.sales(ITEM), await store.book(ITEM), await store.spans("eu", ITEM)) == ([], [], [])
    await store.write_sales("eu", ITEM, piece, owner="alive", total=1)
    [state] = await store.item_states()
    assert (state.owner, state.total, state.failures) == ("alive", 1, 0)


async def test_the_state_of_an_item_keeps_what_is_not_changed(store: Store) -> None:
    await store.update_item("eu", ITEM, failures=3, error="400", error_at=at(5))
    await store.write_sales("eu", ITEM, SalesReading().piece([sale(0)]), sales_at=at(1), next_sales=at(-60))
    await store.update_item("ru", "zyv9", aside="unknown")
    [state] = await store.item_states(region="eu")
    assert (state.failures, state.error, state.error_at) == (3, "400", at(5))
    assert (state.sales_at, state.next_sales, state.lots_at, state.aside) == (at(1), at(-60), None, None)
    assert [one.aside for one in await store.item_states("zyv9")] == ["unknown"]


async def test_health_shows_what_is_there_and_what_failed(store: Store) -> None:
    await store.write_sales("eu", ITEM, SalesReading().piece([sale(0)], end=at(100)), total=7)
    await store.write_sales("eu", ITEM, SalesReading(at(200)).piece([], end=at(300)))
    await store.write_lots("eu", ITEM, LotsReading(T0).piece([lot(10), lot(20)], complete=True))
    await store.update_item("ru", ITEM, failures=2, error="no such item", error_at=T0)
    eu, ru = await store.health()
    assert (eu.newest, eu.oldest, eu.gaps, eu.lots, eu.total, eu.failures) == (at(0), at(300), 1, 2, 7, 0)
    assert (ru.newest, ru.gaps, ru.lots, ru.failures, ru.error) == (None, 0, 0, 2, "no such item")
    assert await store.health("other") == []


async def test_runs_are_kept(store: Store) -> None:
    await store.write_run("one")
    await store.write_run("one", rows=40, failures=1, ended=True)
    [run] = await store.runs()
    assert (run.owner, run.began, run.ended, run.rows, run.failures) == ("one", T0, T0, 40, 1)


# ── questions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def a_month() -> list[AuctionPrice]:
    dice = random.Random(5)
    return [
        sale(
            dice.randrange(28 * 86_400),
            dice.randrange(1, 10_000),
            dice.choice([0, 1, 1, 2, 50]),
            **dice.choice([{}, {"qlt": 0}, {"qlt": 3}, {"qlt": 3, "ptn": 5}]),
        )
        for _ in range(600)
    ]


@pytest.mark.parametrize("per", ["sale", "piece"])
async def test_stats_are_exact(store: Store, per: str) -> None:
    month = a_month()
    await collect(store, month)
    await collect(store, [sale(0, 7)], region="ru")
    found = await store.stats(ITEM, region="eu", per=per)
    assert [(one.quality, one.level) for one in found] == [(Quality.COMMON, 0), (Quality.RARE, 0), (Quality.RARE, 5)]
    for one in found:
        group = [s for s in month if ((s.quality or 0), s.upgrade_level) == (one.quality, one.level)]
        prices = [s.unit_price for s in group for _ in range(max(s.amount, 1) if per == "piece" else 1)]
        tenths = statistics.quantiles(prices, n=10, method="inclusive")
        assert (one.count, one.pieces) == (len(group), sum(s.amount for s in group))
        assert one.median == pytest.approx(statistics.median(prices))
        assert one.mean == pytest.approx(statistics.fmean(prices))
        assert (one.p10, one.p90) == pytest.approx((tenths[0], tenths[-1]))
        assert one.vwap == pytest.approx(sum(s.price for s in group) / one.pieces)
        assert (one.min, one.max) == (min(prices), max(prices))
    [all_of_it] = await store.stats(ITEM, by=(), region=["eu"])
    assert (all_of_it.quality, all_of_it.level, all_of_it.count) == (None, None, 600)
    assert await store.stats(ITEM, since=T0 + timedelta(days=1)) == []


async def test_stats_of_a_single_sale_and_of_absurd_prices(store: Store) -> None:
    await collect(store, [sale(0, 2**63 - 1), sale(1, 2**63 - 1), sale(2, 2**63 - 1)])
    await collect(store, [sale(0, 40, 4)], item="zyv9")
    absurd, single = await store.stats([ITEM, "zyv9"])
    assert absurd.median == pytest.approx(2.0**63)
    assert (single.count, single.pieces, single.median, single.p10, single.p90) == (1, 4, 10.0, 10.0, 10.0)


async def test_candles_have_the_first_and_the_last_price_of_each_stretch(store: Store) -> None:
    month = a_month()
    await collect(store, month)
    await collect(store, [sale(0, 7)], region="ru")
    found = await store.candles(ITEM, "1d", region="eu")
    days: dict[datetime, list[AuctionPrice]] = {}
    for one in sorted(month, key=lambda one: (one.time, one.key())):
        days.setdefault(one.time.replace(hour=0, minute=0, second=0), []).append(one)
    assert [candle.time for candle in found] == sorted(days)
    for candle in found:
        day = [one.unit_price for one in days[candle.time]]
        assert (candle.open, candle.close, candle.low, candle.high) == (day[0], day[-1], min(day), max(day))
        assert candle.count == len(day)
        assert candle.turnover == sum(one.price for one in days[candle.time])
    by_quality = await store.candles(ITEM, timedelta(days=7), by="quality", region="eu", since="14d")
    assert {candle.quality for candle in by_quality} == {Quality.COMMON, Quality.RARE}
    assert {candle.time.weekday() for candle in by_quality} == {0}


async def test_the_latest_sale_of_each_quality_and_level(store: Store) -> None:
    month = a_month()
    await collect(store, month)
    found = await store.latest(ITEM)
    assert len(found) == 3
    for one in found:
        group = [s for s in month if ((s.quality or 0), s.upgrade_level) == ((one.quality or 0), one.level)]
        assert one.time == max(s.time for s in group)
    [newest] = await store.latest(by=())
    assert newest.time == max(one.time for one in month)


async def test_sales_of_a_stretch_and_with_a_limit(store: Store) -> None:
    await collect(store, [sale(0), sale(60), sale(120), sale(180)])
    assert [one.time for one in await store.sales(ITEM, since=at(120), until=at(0))] == [at(60), at(120)]
    assert [one.time for one in await store.sales(ITEM, since="90s")] == [at(0), at(60)]
    first = await store.sales(limit=3)
    assert (len(first), first.total, first.has_more) == (3, 4, True)


async def test_a_deal_is_below_its_own_quality_and_level_and_told_once_to_each_recipient(store: Store) -> None:
    await collect(
        store, [*(sale(n, 100) for n in range(5)), *(sale(n, 1000, qlt=3) for n in range(5)), sale(9, 9000, qlt=5)]
    )
    lots = [
        lot(76),
        lot(77),
        lot(700, qlt=3),
        lot(800, amount=2, qlt=3),
        lot(10, qlt=5),
        lot(0),
        lot(760, qlt=3, ptn=1),
    ]
    await store.write_lots("eu", ITEM, LotsReading(T0).piece(lots, complete=True))
    found = await store.deals()
    # 0.8 of what is left of 1000 after the fee is 760, and of 100 it is 76; one sale is too few to compare with.
    assert [(one.unit_price, one.quality, one.sales) for one in found] == [
        (400.0, Quality.RARE, 5),
        (700.0, Quality.RARE, 5),
        (76.0, Quality.COMMON, 5),
    ]
    assert [one.profit for one in found] == pytest.approx([1100.0, 250.0, 19.0])
    assert found[0].share == pytest.approx(400 / 950)
    assert await store.deals(recipient="ann") == found
    assert await store.deals(recipient="ann") == []
    assert await store.deals(recipient="ben", below=0.5) == found[:1]
    assert await store.deals(recipient="ben") == found[1:]


async def test_rows_become_frames(store: Store) -> None:
    await collect(store, a_month())
    frame = (await store.stats(ITEM)).to_polars()
    assert frame["quality"].to_list() == ["common", "rare", "rare"]
    assert (await store.sales(ITEM, limit=5)).to_pandas().shape == (5, 12)
    assert (await store.candles(ITEM)).to_arrow().column_names[:5] == ["region", "item", "quality", "level", "time"]
    assert (await store.gaps()).to_dicts() == []


async def test_views_answer_what_the_methods_answer(url: str) -> None:
    async with Store(url) as store:
        now = datetime.now(UTC)
        sales = [
            AuctionPrice(amount=2, price=n, time=now - timedelta(hours=n), additional={"qlt": 1}) for n in range(1, 9)
        ]
        await collect(store, sales)
        lots = [AuctionLot(item_id=ITEM, amount=1, buyout_price=1, additional={"qlt": 1})]
        await store.write_lots("eu", ITEM, LotsReading(now).piece(lots, complete=True))
        names = ("sales", "latest", "stats", "candles", "book", "deals", "gaps", "health")
        with store._sql.database.reading() as connection:
            counts = {
                name: connection.scalar(select(func.count()).select_from(table(f"market_{name}"))) for name in names
            }
            [median] = connection.exec_driver_sql("SELECT median FROM market_stats").scalars()
            [time] = connection.exec_driver_sql("SELECT time FROM market_latest").scalars()
        assert counts.pop("candles") == len(await store.candles(ITEM, by=("quality", "level")))
        assert counts == {"sales": 8, "latest": 1, "stats": 1, "book": 1, "deals": 1, "gaps": 0, "health": 1}
        assert median == 2.25
        assert datetime.fromisoformat(str(time)).replace(microsecond=0) == sales[0].time.replace(microsecond=0)


@pytest.mark.parametrize(
    ("question", "arguments", "message"),
    [
        ("stats", {"by": "price"}, "by must be 'quality', 'level', both or nothing, not 'price'"),
        ("stats", {"per": "lot"}, "per must be 'sale' or 'piece', not 'lot'"),
        ("stats", {"since": "yesterday"}, "since must be a datetime or an ISO 8601 string"),
        ("candles", {"items": ITEM, "width": "1x"}, "width must be a timedelta above 0, or text such as '1d'"),
        ("sales", {"limit": 0}, "limit must be an integer >= 1, not 0"),
        ("latest", {"region": "mars"}, "region must be one of ru, eu"),
        ("latest", {"items": [""]}, "items must be a non-empty string"),
        ("deals", {"fee": 1}, "fee must be a share from 0 to less than 1, not 1"),
        ("deals", {"below": 0}, "below must be"),
    ],
)
async def test_wrong_arguments_are_refused(
    tmp_path: Path, question: str, arguments: dict[str, Any], message: str
) -> None:
    async with Store(tmp_path / "market.db") as store:
        with pytest.raises(ValueError, match=message):
            await getattr(store, question)(**arguments)
    assert not (tmp_path / "market.db").exists()


# ── in and out ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [".parquet", ".csv", ".jsonl"])
async def test_what_is_exported_is_read_back_the_same_and_once(store: Store, tmp_path: Path, kind: str) -> None:
    month = [*a_month(), sale(5, buyer='Ann, "A"\n'), sale(5.5)]
    await collect(store, [*month, sale(60), sale(60)])
    await collect(store, [sale(60)], region="ru")
    path = tmp_path / f"sales{kind}"
    assert await store.export(path) == len(month) + 3
    async with Store(tmp_path / "other.db") as other:
        assert await other.import_(path) == len(month) + 3
        assert await other.import_(path) == 0
        assert list(await other.sales()) == list(await store.sales())
        assert await other.spans("eu", ITEM) == []
    assert await store.export(path, ITEM, since=at(60), until=at(5), region="eu") == len(
        await store.sales(ITEM, at(60), at(5), region="eu")
    )


async def test_a_file_that_is_no_export_is_refused(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "sales.jsonl"
    with pytest.raises(ValueError, match=r"path must be a file whose name ends in .parquet, .csv, .jsonl"):
        await store.export(tmp_path / "sales.xlsx")
    with pytest.raises(OSError, match="none"):
        await store.import_(tmp_path / "none.csv")
    await collect(store, [sale(0), sale(1)])
    await store.export(path)
    lines = path.read_text().splitlines()
    for wrong, message in (
        ("{}", "row 2 of sales.jsonl must have region, item"),
        ("nothing", "row 2 of sales.jsonl must have region, item"),
        (
            lines[1].replace('"price":100', '"price":1.5'),
            "row 2 of sales.jsonl must have an integer of 64 bits in price",
        ),
        (lines[1].replace("2026", "x"), "row 2 of sales.jsonl must have a time in ISO 8601 in time"),
    ):
        path.write_text(f"{lines[0]}\n{wrong}\n")
        with pytest.raises(ValueError, match=message):
            await store.import_(path)
    (tmp_path / "sales.parquet").write_bytes(b"PAR0")
    with pytest.raises(ValueError, match="must be a Parquet file"):
        await store.import_(tmp_path / "sales.parquet")


async def test_an_export_that_fails_leaves_the_file_that_was_there(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("before")
    await store.close()
    with pytest.raises(ClosedError):
        await store.export(path)
    assert path.read_text() == "before"
    assert not list(atomic.abandoned(tmp_path))


async def test_pruning_removes_what_is_older_and_nothing_younger(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_import, "PORTION", 3)
    day = 86_400
    old = [*(sale(11 * day, price) for price in range(8)), *(sale(12 * day + n) for n in range(8)), sale(10 * day + 1)]
    young = [sale(10 * day), sale(1), sale(1)]
    await collect(store, [*old, *young])
    await collect(store, [sale(11 * day)], region="ru")
    await store.write_lots("eu", ITEM, LotsReading(at(12 * day)).piece([lot(10), lot(20)], complete=True))
    await store.write_lots("eu", ITEM, LotsReading(at(11 * day)).piece([lot(20)], complete=True))
    assert await store.prune("10d") == len(old) + 1 + 1 + 2  # a lot that is gone, and two samples
    assert counted(await store.sales()) == counted(young)
    assert [one.buyout_price for one in await store.book()] == [20]
    [span] = await store.spans("eu", ITEM)
    assert (span.newest, span.oldest) == (at(1), at(10 * day) - timedelta(microseconds=1))
    assert await store.spans("ru", ITEM) == []
    assert await store.prune("10d") == 0


# ── the database ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_report_is_a_page_about_the_market(store: Store, tmp_path: Path) -> None:
    day = 86_400
    sales = [sale(n * day / 4, (200 if n < 28 else 100) + n, qlt=n % 2 * 3) for n in range(100)]
    await store.write_sales("eu", ITEM, SalesReading().piece(sales, end=BEGINNING))
    await store.write_sales("ru", "zyv9", SalesReading().piece(sales[:7]))
    await store.write_lots("eu", ITEM, LotsReading(T0).piece([lot(50, amount=2, qlt=3)], complete=True))
    await store.update_item("na", "zyv9", failures=3, error="<i>no such item</i>")
    await store.report(tmp_path / "report.html", names={ITEM: "Stone & Blossom"})
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for part in ("Stone &amp; Blossom", "100 sales", "7 sales", "Rare", "&lt;i&gt;no such item&lt;/i&gt;"):
        assert part in page
    # A rise between two weeks, two charts for each item and region, and a deal.
    assert re.search(r'class="risen">\+\d\d%', page)
    assert page.count("<svg") == 4
    assert re.search(r"<td>25</td><td>2\d\d</td><td>8\d%</td><td>[\d.]+</td>", page)
    assert "Last runs" not in page
    for number in range(45):
        await store.update_item("sea", f"item{number}", aside="it never trades", sales_at=at(7200 * number))
    await store.write_run("one", rows=7000, failures=2)
    await store.write_run("one", rows=7000, failures=2, ended=True)
    await store.write_run("two")
    await store.report(tmp_path / "report.html", "zyv9", since=timedelta(days=1))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "7,000 rows, 2 failures" in page
    assert page.count("running or killed") == 1
    await store.report(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(part in page for part in ("it never trades", "<td>20 h ago</td>", "<td>4 d ago</td>"))
    # 45 and the three from above, of which 40 are shown.
    assert "And 8 more" in page
    await store.report(tmp_path / "report.html", "zyv9", since=timedelta(days=1), region="ru")
    assert "Stone" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="since"):
        await store.report(tmp_path / "report.html", since="soon")
    with pytest.raises(OSError, match="none"):
        await store.report(tmp_path / "none" / "report.html")


async def test_a_store_of_a_newer_release_is_refused(url: str) -> None:
    async with Store(url) as store:
        with store._sql.database.writing() as connection:
            connection.exec_driver_sql("UPDATE scapi_version SET version = 99")
    async with Store(url) as store:
        with pytest.raises(StoreVersionError, match="version 99 of the schema"):
            await store.health()


async def test_tables_of_others_are_left_alone(url: str) -> None:
    async with Store(url) as store:
        with store._sql.database.writing() as connection:
            connection.exec_driver_sql("DROP TABLE scapi_version")
    async with Store(url) as store:
        with pytest.raises(StoreError, match="tables of others by the name of clan_member, emission"):
            await store.health()


async def test_a_store_is_made_only_where_that_is_wanted(tmp_path: Path) -> None:
    async with Store(tmp_path / "none.db", create=False) as store:
        with pytest.raises(StoreError, match="there is no store at"):
            await store.health()
    sqlite3.connect(tmp_path / "other.db").close()
    async with Store(tmp_path / "other.db", create=False) as store:
        with pytest.raises(StoreError, match="holds no store"):
            await store.health()
    (tmp_path / "text.db").write_text("no database, but a text that is long enough to be looked at" * 20)
    async with Store(tmp_path / "text.db") as store:
        with pytest.raises(StoreError, match=r"can't open the store .*text\.db: .*not a database"):
            await store.health()


async def test_a_closed_store_is_closed(url: str) -> None:
    store = Store(url)
    await store.health()
    await store.close()
    with pytest.raises(ClosedError, match="the store is closed"):
        await store.health()


@pytest.mark.parametrize("begins", ["before", "meanwhile"])
def test_a_connection_in_use_while_the_store_closes_is_closed_after_its_transaction(url: str, begins: str) -> None:
    sql = SqlStore(url, create=True, clock=T0.timestamp)
    sql.leases.runs(1)  # opens the database
    if begins == "meanwhile":
        event.listen(sql.database._opened(), "checkout", lambda *_: sql.database.close())
    with sql.database.writing() as connection:
        sql.database.close()
        connection.exec_driver_sql("DELETE FROM sale")
        used: Any = connection.connection.dbapi_connection
    with pytest.raises(Exception, match="closed"):
        used.execute("SELECT 1")


async def test_an_item_is_found_in_every_region_by_its_key(tmp_path: Path) -> None:
    async with Store(tmp_path / "market.db") as store:
        for region, item in itertools.product(("eu", "na", "ru"), ("a", ITEM)):
            await collect(store, [sale(1), sale(2)], region=region, item=item)
        found = Counter((each.region, each.item) for each in await store.sales(ITEM))
    assert found == {("eu", ITEM): 2, ("na", ITEM): 2, ("ru", ITEM): 2}
    question = statements.sales(Sales(None, [ITEM]), None)
    text = question.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with closing(sqlite3.connect(tmp_path / "market.db")) as connection:
        steps = [step for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {text}")]
    assert "SEARCH sale USING PRIMARY KEY (region=? AND item=?)" in steps
    assert "SCAN sale" not in steps


def test_postgresql_compiles_no_question(postgres: str) -> None:
    sql = SqlStore(postgres, create=True, clock=T0.timestamp)
    with sql.database.reading() as connection:
        assert connection.exec_driver_sql("SHOW jit").scalar() == "off"
    sql.database.close()


def test_writers_that_begin_at_once_make_one_store_and_write_each_sale_once(url: str) -> None:
    page = [sale(n // 2, 100 + n % 2) for n in range(100)]

    def write(turn: int) -> int:
        sql = SqlStore(url, create=True, clock=T0.timestamp)
        new = 0
        for item in random.Random(turn).sample(range(5), 5):
            written = sql.writing.sales(Place("eu", f"item{item}"), SalesReading().piece(page, end=BEGINNING), None, {})
            new += len(written.new)
        sql.leases.take(f"owner{turn}", [Place("eu", f"item{item}") for item in range(5)], 60)
        sql.database.close()
        return new

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(write, range(4))) == 5 * len(page)
    sql = SqlStore(url, create=False, clock=T0.timestamp)
    assert len(sql.queries.sales(QueryScope(), None)) == 5 * len(page)
    assert len({state.owner for state in sql.leases.states(None, None)}) == 1
    sql.database.close()


async def test_readers_read_while_a_writer_writes(url: str) -> None:
    async with Store(url) as store, Store(url) as reader:
        await collect(store, [sale(0)])
        with store._sql.database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM sale")
            assert len(await reader.sales()) == 1
        assert await reader.sales() == []


@pytest.mark.parametrize(
    "url",
    ["mysql://user:secret@host/name", "postgresql+pg8000://user:secret@host/name", ":memory:", "sqlite://", "://", 5],
)
def test_a_url_of_no_database_is_refused_without_showing_it(url: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="url must be") as caught:
        Store(url)
    assert "secret" not in str(caught.value)
