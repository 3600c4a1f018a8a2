"""Walks that are broken off and resumed, and walks that begin and end at a time."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scapi._async import AppClient
from scapi.models import AuctionPrice, BulkWalkState, SalesWalkState
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable

ITEM = "zyv9"
IDS = [f"item{number}" for number in range(6)]


def fake_with(sales: int | dict[str, int], **options: Any) -> FakeApi:
    made = sales if isinstance(sales, dict) else {ITEM: sales}
    return FakeApi(items=list(made), sales=made, limit=10**6, **options)


def client_of(fake: FakeApi, **options: Any) -> AppClient:
    http_client = httpx.AsyncClient(transport=fake.transport())
    return AppClient(token=fake.app_token, http_client=http_client, pace=False, retry=None, **options)


def keys(sales: list[AuctionPrice]) -> Counter[int]:
    return Counter(sale.key() for sale in sales)


async def take(rows: Any, count: int) -> list[Any]:
    taken: list[Any] = []
    async for row in rows:
        taken.append(row)
        if len(taken) == count:
            break
    return taken


def points(fake: FakeApi) -> int:
    """The points that were spent: nobody else does, and no window ends meanwhile."""
    return 10**6 - fake.spend(0)


# ── one item ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_walk_of_20000_broken_off_at_15000_asks_for_the_rest_alone() -> None:
    fake = fake_with(20_000)
    auction = client_of(fake).auction(ITEM)
    async with aclosing(auction.iter_price_history(additional=True)) as walk:
        first = await take(walk, 15_000)
        saved = walk.state.to_json()
    spent = points(fake)
    walk = auction.iter_price_history(resume=SalesWalkState.from_json(saved))
    rest = await take(walk, -1)
    # 5,000 sales are 25 pages, and 26 with their overlap; a page costs 2 points.
    assert points(fake) - spent <= 2 * 26
    assert spent >= 2 * 75
    assert len(first) + len(rest) == 20_000
    assert keys(first + rest) == keys(await take(auction.iter_price_history(additional=True), -1))
    assert len(saved) < 1000
    assert walk.state.done


@pytest.mark.parametrize("cut", [0, 1, 199, 200, 201, 333, 999, 1000])
async def test_a_walk_goes_on_at_any_sale_while_others_are_made(cut: int) -> None:
    fake = fake_with(1000)
    auction = client_of(fake).auction(ITEM)
    before = await take(auction.iter_price_history(), -1)
    walk = auction.iter_price_history()
    first = await take(walk, cut) if cut else []
    saved = walk.state
    await walk.aclose()
    assert walk.state == saved
    fake.advance(600)
    fake.sell(ITEM, 450)
    rest = await take(auction.iter_price_history(resume=saved), -1)
    if cut:
        assert keys(first + rest) == keys(before)
    else:
        assert len(rest) == 1450


async def test_the_state_is_that_of_the_last_sale_handed_out_whatever_is_on_its_way() -> None:
    fake = fake_with(700)
    auction = client_of(fake).auction(ITEM)
    whole = await take(auction.iter_price_history(), -1)
    walk = auction.iter_price_history()
    handed: list[AuctionPrice] = []
    async for sale in walk:
        handed.append(sale)
        if len(handed) % 97 == 0:
            rest = await take(auction.iter_price_history(resume=walk.state), -1)
            assert keys(handed + rest) == keys(whole)


async def test_equal_sales_of_one_second_are_resumed_within_it() -> None:
    fake = fake_with(0)
    fake.sell(ITEM, 650, amount=1, price=5, additional={})
    auction = client_of(fake).auction(ITEM)
    walk = auction.iter_price_history()
    first = await take(walk, 321)
    fake.sell(ITEM, 30, amount=1, price=5, additional={})
    rest = await take(auction.iter_price_history(resume=walk.state), -1)
    assert 650 <= len(first) + len(rest) <= 680


async def test_a_resumed_walk_keeps_its_bounds_and_its_limit() -> None:
    fake = fake_with(1000)
    auction = client_of(fake).auction(ITEM)
    whole = await take(auction.iter_price_history(), -1)
    walk = auction.iter_price_history(whole[700].time, until=whole[100].time, limit=450)
    first = await take(walk, 250)
    rest = await take(auction.iter_price_history("2020-01-01", limit=1, resume=walk.state), -1)
    wanted = [sale for sale in whole if whole[700].time < sale.time <= whole[100].time]
    assert first + rest == wanted[:450]


async def test_a_walk_that_is_done_stays_done() -> None:
    fake = fake_with(250)
    auction = client_of(fake).auction(ITEM)
    walk = auction.iter_price_history()
    await take(walk, -1)
    asked = len(fake.requests)
    assert await take(auction.iter_price_history(resume=walk.state), -1) == []
    assert len(fake.requests) == asked


async def test_a_frame_of_the_rest_of_a_walk() -> None:
    fake = fake_with(500)
    auction = client_of(fake).auction(ITEM)
    walk = auction.iter_price_history()
    await take(walk, 123)
    resumed = auction.iter_price_history(resume=walk.state)
    assert len(await resumed.to_dicts()) == 377
    assert resumed.state.done


async def test_plain_json_is_resumed_too() -> None:
    fake = fake_with(500)
    auction = client_of(fake, json=True).auction(ITEM)
    walk = auction.iter_price_history(additional=True)
    first = await take(walk, 333)
    rest = await take(auction.iter_price_history(resume=walk.state), -1)
    assert [*first, *rest] == await take(auction.iter_price_history(additional=True), -1)


async def test_a_state_of_something_else_is_refused() -> None:
    fake = fake_with(1)
    auction = client_of(fake).auction(ITEM)
    state = SalesWalkState(region="ru", item_id=ITEM)
    calls: list[tuple[Callable[[], object], type[Exception], str]] = [
        (lambda: auction.iter_price_history(resume=state, region="eu"), ValueError, "resume must be that of region"),
        (lambda: client_of(fake).auction("kqgy").iter_price_history(resume=state), ValueError, "item_id"),
        (lambda: auction.iter_price_history(resume=state, additional=True), ValueError, "additional"),
        (lambda: auction.iter_price_history(resume="x"), TypeError, "SalesWalkState"),  # type: ignore[arg-type]  # that is the point
    ]
    for call, error, says in calls:
        with pytest.raises(error, match=says):
            call()
    assert fake.requests == []


# ── between two times ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("newest", [0, 1, 199, 200, 201, 5000, 19_990])
async def test_what_is_newer_than_until_is_not_read(newest: int) -> None:
    fake = fake_with(20_000)
    auction = client_of(fake).auction(ITEM)
    edge = (await auction.price_history(limit=1, offset=newest))[0].time
    asked = len(fake.requests)
    found = await take(auction.iter_price_history(until=edge, limit=300), -1)
    assert len(fake.requests) - asked <= 20
    page = await auction.price_history(limit=200, offset=max(0, newest - 100))
    expected = [sale for sale in page if sale.time <= edge]
    assert found[: len(expected)] == expected


async def test_sales_made_during_the_search_hide_none() -> None:
    fake = fake_with(3000)
    answer = fake.transport().handler
    auction = client_of(fake).auction(ITEM)
    whole = await take(auction.iter_price_history(), -1)

    def busy(request: httpx.Request) -> Any:
        fake.advance(1)
        fake.sell(ITEM, 130)
        return answer(request)

    http_client = httpx.AsyncClient(transport=httpx.MockTransport(busy))
    client = AppClient(token=fake.app_token, http_client=http_client, pace=False)
    rows = client.auction(ITEM).iter_price_history(whole[2000].time, until=whole[900].time)
    wanted = [sale for sale in whole if whole[2000].time < sale.time <= whole[900].time]
    assert await take(rows, -1) == wanted


@pytest.mark.parametrize("until", [datetime(2020, 1, 1, tzinfo=UTC), "2020-01-01T00:00:00Z", "900w"])
async def test_until_before_the_first_sale_is_nothing(until: Any) -> None:
    fake = fake_with(1000)
    assert await take(client_of(fake).auction(ITEM).iter_price_history(until=until), -1) == []
    assert len(fake.requests) < 15


async def test_until_of_an_empty_history_is_nothing() -> None:
    fake = fake_with(0)
    assert await take(client_of(fake).auction(ITEM).iter_price_history(until="2026-08-19"), -1) == []


async def test_lengths_count_back_from_now() -> None:
    fake = FakeApi(sales={ITEM: 1000}, limit=10**6, now=datetime.now(UTC))
    auction = client_of(fake).auction(ITEM)
    whole = await take(auction.iter_price_history(), -1)
    now = datetime.now(UTC)
    for length, spelled in ((timedelta(days=20), "20d"), (timedelta(hours=600), timedelta(hours=600))):
        found = await take(auction.iter_price_history(since=spelled), -1)
        assert abs(len(found) - sum(sale.time > now - length for sale in whole)) <= 1


# ── many items ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("cut", [1, 4, 9, 17])
async def test_many_walks_go_on_where_they_were(cut: int) -> None:
    fake = fake_with({item: 150 + 200 * number for number, item in enumerate(IDS)})
    auctions = client_of(fake).auctions(IDS, region=["ru", "eu"])
    pages = auctions.iter_price_history()
    first = await take(pages, cut)
    saved = pages.state.to_json()
    await pages.aclose()
    asked = len(fake.requests)
    rest = await take(auctions.iter_price_history(resume=BulkWalkState.from_json(saved)), -1)
    found = Counter[tuple[str, str]]()
    for result in (*first, *rest):
        found[result.region, result.key] += len(result.unwrap())
    # The fake has as many sales in all other regions as it made for them by itself.
    for item in IDS:
        total = (await client_of(fake).auction(item).price_history(limit=0)).total
        assert found["ru", item] == total
    # What was under way when it was broken off is asked for again.
    assert asked >= cut
    assert len({(result.region, result.key) for result in (*first, *rest)}) == 12


async def test_states_with_other_rows_are_refused_before_anything_is_sent() -> None:
    fake = fake_with(1)
    auctions = client_of(fake).auctions([ITEM])
    state = BulkWalkState(walks=[SalesWalkState(region="ru", item_id=ITEM)])
    with pytest.raises(ValueError, match="additional"):
        auctions.iter_price_history(resume=state, additional=True)
    with pytest.raises(TypeError, match="BulkWalkState"):
        auctions.iter_price_history(resume=state.walks[0])  # type: ignore[arg-type]  # that is the point
    assert fake.requests == []


async def test_until_and_lengths_for_many_items() -> None:
    fake = fake_with(dict.fromkeys(IDS, 900))
    client = client_of(fake)
    edge = (await client.auction(IDS[0]).price_history(limit=1, offset=450))[0].time
    found = Counter[str]()
    async for result in client.auctions(IDS).iter_price_history(until=edge):
        page = result.unwrap()
        assert page or not page.has_more
        assert all(sale.time <= edge for sale in page)
        found[result.key] += len(page)
    assert abs(found[IDS[0]] - 450) <= 4
