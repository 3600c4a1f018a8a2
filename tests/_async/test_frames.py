"""Whole lists and bulk calls as one frame: the frame of their models, made without holding these."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, Literal

import httpx
import polars as pl
import pytest

from scapi import frames
from scapi._async import AppClient
from scapi.exceptions import BadRequestError, ServerError
from scapi.models import AuctionLot, AuctionPrice, BulkResult, Listing
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable

ITEM = "zyv9"
IDS = ["zyv9", "kqgy", "dm6l2"]
NAMES = ["Player1", "Player2"]
WAYS: list[Literal["to_dicts", "to_polars", "to_pandas", "to_arrow"]] = [
    "to_dicts",
    "to_polars",
    "to_pandas",
    "to_arrow",
]


def fake_with(sales: int) -> FakeApi:
    return FakeApi(items=IDS, sales={ITEM: sales}, characters=NAMES, limit=10**6)


def client_of(fake: FakeApi, before: Callable[[int], object] = lambda number: None, **options: Any) -> AppClient:
    """A client of the fake; `before` is called ahead of every request with its number, from 1."""
    answer = fake.transport().handle_request
    numbers = iter(range(1, 10**6))

    def handle(request: httpx.Request) -> Any:
        before(next(numbers))
        return answer(request)

    http_client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    return AppClient(token=fake.app_token, http_client=http_client, pace=False, retry=None, **options)


def same(frame: Any, other: Any) -> bool:
    if isinstance(frame, pl.DataFrame):
        return frame.schema == other.schema and frame.equals(other)
    if isinstance(frame, list):
        return bool(frame == other)
    return bool(frame.equals(other))


# ── one list ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("flatten", [False, True])
async def test_a_whole_history_is_the_frame_of_its_models(way: str, flatten: bool) -> None:
    client = client_of(fake_with(1001))
    models = [sale async for sale in client.auction(ITEM).iter_price_history(additional=True)]
    frame = await getattr(client.auction(ITEM).iter_price_history(additional=True), way)(flatten=flatten)
    assert same(frame, getattr(frames, way)(models, flatten=flatten))
    assert len(frame) == 1001


async def test_lots_clans_and_sessions_have_frames_too() -> None:
    client = client_of(fake_with(0))
    lots = [lot async for lot in client.auction(ITEM).iter_lots(additional=True)]
    assert (await client.auction(ITEM).iter_lots(additional=True).to_polars()).equals(frames.to_polars(lots))
    clans = [clan async for clan in client.iter_clans(limit=30)]
    assert (await client.iter_clans(limit=30).to_arrow()).equals(frames.to_arrow(clans))
    sessions = [session async for session in client.iter_operations_sessions(limit=150)]
    exploded = await client.iter_operations_sessions(limit=150).to_dicts(explode=True)
    assert exploded == frames.to_dicts(sessions, explode=True)


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_new_is_a_frame_with_the_columns_of_a_full_one(way: str) -> None:
    frame = await getattr(client_of(fake_with(0)).auction(ITEM).iter_price_history(), way)()
    assert same(frame, getattr(frames, way)([], model=AuctionPrice))


async def test_a_frame_has_every_sale_once_while_new_ones_push_the_others_down() -> None:
    fake = fake_with(1500)
    client = client_of(fake)
    before = [sale async for sale in client.auction(ITEM).iter_price_history(additional=True)]

    def sell(number: int) -> None:
        if 1 < number < 7:
            fake.advance(5)
            fake.sell(ITEM, 150)

    frame = await client_of(fake, sell).auction(ITEM).iter_price_history(additional=True).to_polars()
    assert frame.equals(frames.to_polars(before))


async def test_limit_and_since_hold_for_frames() -> None:
    client = client_of(fake_with(900))
    sales = [sale async for sale in client.auction(ITEM).iter_price_history(limit=450)]
    assert await client.auction(ITEM).iter_price_history(limit=450).to_dicts() == frames.to_dicts(sales)
    newer = [sale for sale in sales if sale.time > sales[300].time]
    assert await client.auction(ITEM).iter_price_history(sales[300].time).to_dicts() == frames.to_dicts(newer)


async def test_a_frame_takes_up_where_an_iteration_was_left() -> None:
    client = client_of(fake_with(700))
    whole = await client.auction(ITEM).iter_price_history().to_dicts()
    rows = client.auction(ITEM).iter_price_history()
    first: list[AuctionPrice] = []
    async for sale in rows:
        first += [sale]
        if len(first) == 250:
            break
    assert frames.to_dicts(first) + await rows.to_dicts() == whole
    assert await rows.to_dicts() == []


async def test_an_error_on_the_way_is_raised_and_no_frame_of_the_rows_before_it() -> None:
    fake = fake_with(1000)

    def break_down(number: int) -> None:
        if number == 3:
            fake.fail("*/history")

    sales = client_of(fake, break_down).auction(ITEM).iter_price_history()
    with pytest.raises(ServerError):
        await sales.to_polars()


async def test_only_a_few_pages_are_there_at_any_time() -> None:
    most = 0

    def count(number: int) -> None:
        nonlocal most
        if number in {3, 14}:
            pages = [found for found in gc.get_objects() if type(found) is Listing]
            # One may be under way just now in another thread, and not know yet how many there are in all.
            most = max(most, sum(getattr(page, "total", 0) == 3000 for page in pages))

    frame = await client_of(fake_with(3000), count).auction(ITEM).iter_price_history(additional=True).to_polars()
    assert len(frame) == 3000
    assert 0 < most <= 5


@pytest.mark.parametrize("way", WAYS)
async def test_what_cannot_be_a_frame_is_refused_before_anything_is_sent(way: str) -> None:
    fake = fake_with(10)
    client, plain = client_of(fake), client_of(fake, json=True)
    with pytest.raises(ValueError, match="explode must be False for AuctionPrice"):
        await getattr(client.auction(ITEM).iter_price_history(), way)(explode=True)
    with pytest.raises(ValueError, match="flatten must be False for ClanInfo"):
        await getattr(client.iter_clans(), way)(flatten=True)
    for rows in (plain.auction(ITEM).iter_lots(), plain.auctions(IDS).lots(), plain.profiles(NAMES)):
        with pytest.raises(ValueError, match="json=True gives plain objects, and frames are made of models"):
            await getattr(rows, way)()
    assert fake.requests == []


# ── many items ────────────────────────────────────────────────────────────────────────────────────────────────────────


def by_key(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In an order of their own: results come as they arrive."""
    return sorted(rows, key=lambda row: str(row["key"]))


@pytest.mark.parametrize("way", WAYS)
async def test_lots_of_many_items_are_one_frame_with_their_ids(way: str) -> None:
    client = client_of(fake_with(0))
    results = [result async for result in client.auctions(IDS).lots(limit=50, additional=True, concurrency=1)]
    frame = await getattr(client.auctions(IDS).lots(limit=50, additional=True, concurrency=1), way)()
    assert same(frame, getattr(frames, way)(results))


async def test_histories_and_profiles_are_one_frame_each() -> None:
    client = client_of(fake_with(450))
    sales = [result async for result in client.auctions(IDS).iter_price_history(additional=True, limit=430)]
    rows = await client.auctions(IDS).iter_price_history(additional=True, limit=430).to_dicts(flatten=True)
    assert by_key(rows) == by_key(frames.to_dicts(sales, flatten=True))
    profiles = [result async for result in client.profiles(NAMES)]
    assert by_key(await client.profiles(NAMES).to_dicts(explode=True)) == by_key(
        frames.to_dicts(profiles, explode=True)
    )


async def test_no_items_are_a_frame_with_the_columns_of_many() -> None:
    frame = await client_of(fake_with(0)).auctions([]).lots().to_polars()
    assert frame.columns == ["key", "region", *frames.to_polars([], model=AuctionLot).columns]
    assert len(frame) == 0


async def test_the_first_error_is_raised_in_place_of_a_frame() -> None:
    with pytest.raises(BadRequestError) as caught:
        await client_of(fake_with(0)).auctions([*IDS, "nope"]).lots().to_polars()
    assert "key: 'nope'" in caught.value.__notes__


@pytest.mark.parametrize("way", WAYS)
async def test_errors_that_are_handed_over_are_in_the_list_beside_the_frame(way: str) -> None:
    errors: list[BulkResult[Any]] = []
    wanted = client_of(fake_with(0)).auctions([*IDS, "nope"]).lots(on_error="yield", concurrency=1)
    frame = await getattr(wanted, way)(errors=errors)
    assert [(result.key, type(result.error)) for result in errors] == [("nope", BadRequestError)]
    good = [result async for result in client_of(fake_with(0)).auctions(IDS).lots(concurrency=1)]
    assert same(frame, getattr(frames, way)(good))


async def test_errors_that_nobody_would_hear_of_are_refused_before_anything_is_sent() -> None:
    fake = fake_with(0)
    client = client_of(fake)
    with pytest.raises(ValueError, match="errors must be a list with on_error='yield'"):
        await client.auctions(IDS).lots(on_error="yield").to_polars()
    with pytest.raises(ValueError, match="errors must be left out with on_error='raise'"):
        await client.auctions(IDS).lots().to_polars(errors=[])
    wrong: Any = ()
    with pytest.raises(TypeError, match="errors must be a list, not tuple"):
        await client.auctions(IDS).lots(on_error="yield").to_polars(errors=wrong)
    assert fake.requests == []


async def test_progress_is_told_while_a_frame_is_made() -> None:
    told: list[tuple[int, int | None]] = []
    client = client_of(fake_with(0))
    await client.auctions(IDS).lots(progress=lambda done, total: told.append((done, total))).to_arrow()
    assert told == [(1, 3), (2, 3), (3, 3)]
