from __future__ import annotations

import itertools
import time
from collections import Counter
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from scapi._async import AppClient
from scapi._primitives import aio
from scapi.config import Config
from scapi.exceptions import BadRequestError, DecodeError, ServerError
from scapi.models import AuctionPrice, ClanInfo
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ITEM = "zyv9"


def fake_with(sales: int, **options: Any) -> FakeApi:
    return FakeApi(sales={ITEM: sales}, limit=10**6, **options)


def client_of(fake: FakeApi, before: Callable[[int], object] = lambda number: None, **options: Any) -> AppClient:
    """A client of the fake; `before` is called ahead of every request with its number, from 1."""
    answer = fake.transport().handler
    numbers = iter(range(1, 10**6))

    def handle(request: httpx.Request) -> Any:
        before(next(numbers))
        return answer(request)

    http_client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    return AppClient(token=fake.app_token, http_client=http_client, pace=False, retry=None, **options)


def everything(fake: FakeApi, item: str = ITEM) -> list[Any]:
    """The whole history as the fake has it, decoded."""
    raw: list[Any] = []
    while True:
        target = f"/RU/auction/{item}/history?limit=200&offset={len(raw)}&additional=true"
        page = msgspec.json.decode(fake.handle("GET", target, {"authorization": f"Bearer {fake.app_token}"}).body)
        raw += page["prices"]
        if len(raw) >= page["total"]:
            return msgspec.convert(raw, list[AuctionPrice], strict=False)


def offsets(fake: FakeApi) -> list[int]:
    return [int(seen.query["offset"]) for seen in fake.requests]


# ── every sale, exactly once ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("sales", [0, 1, 199, 200, 201, 1000])
async def test_history_is_whole(sales: int) -> None:
    fake = fake_with(sales)
    expected = everything(fake)
    found = [sale async for sale in client_of(fake).auction(ITEM).iter_price_history(additional=True)]
    assert found == expected


@pytest.mark.parametrize("burst", [1, 7, 150, 199, 200, 450])
async def test_sales_made_while_paging_neither_hide_nor_repeat_others(burst: int) -> None:
    fake = fake_with(1500)
    before = everything(fake)

    def sell(number: int) -> None:
        if number < 12:
            fake.advance(5)
            fake.sell(ITEM, burst)

    found = [sale async for sale in client_of(fake, sell).auction(ITEM).iter_price_history(additional=True)]
    told = Counter(map(msgspec.json.encode, found))
    assert not Counter(map(msgspec.json.encode, before)) - told
    assert not told - Counter(map(msgspec.json.encode, everything(fake)))


async def test_equal_sales_of_one_second_are_different_sales() -> None:
    fake = fake_with(0)
    fake.sell(ITEM, 950, amount=1, price=5, additional={})
    found = [
        sale
        async for sale in client_of(fake, lambda number: fake.sell(ITEM, 30, amount=1, price=5, additional={}))
        .auction(ITEM)
        .iter_price_history()
    ]
    # The first page came with 30 more; those that came after it need not be told of.
    assert 980 <= len(found) <= 950 + 30 * len(fake.requests)
    assert set(map(repr, found)) == {repr(found[0])}


async def test_limit_is_for_all_pages() -> None:
    fake = fake_with(1000)
    expected = everything(fake)[:450]
    asked = len(fake.requests)
    found = [sale async for sale in client_of(fake).auction(ITEM).iter_price_history(limit=450, additional=True)]
    assert found == expected
    assert len(fake.requests) - asked == 3


async def test_a_small_limit_asks_for_a_small_page() -> None:
    fake = fake_with(1000)
    assert len([sale async for sale in client_of(fake).auction(ITEM).iter_price_history(limit=5)]) == 5
    assert [seen.query["limit"] for seen in fake.requests] == ["5"]


async def test_limit_0_asks_for_nothing() -> None:
    fake = fake_with(1000)
    client = client_of(fake)
    assert [row async for row in client.auction(ITEM).iter_price_history(limit=0)] == []
    assert [row async for row in client.auction(ITEM).iter_lots(limit=0)] == []
    assert [row async for row in client.iter_clans(limit=0)] == []
    assert [row async for row in client.iter_operations_sessions(limit=0)] == []
    assert fake.requests == []


# ── since ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("index", [0, 1, 150, 199, 200, 450])
async def test_since_is_every_newer_sale_and_no_other(index: int) -> None:
    fake = fake_with(1000)
    known = everything(fake)
    since = known[index].time
    found = [sale async for sale in client_of(fake).auction(ITEM).iter_price_history(since, additional=True)]
    assert found == [sale for sale in known if sale.time > since]


async def test_nothing_new_costs_one_request() -> None:
    fake = fake_with(1000)
    since = everything(fake)[0].time
    asked = len(fake.requests)
    assert [sale async for sale in client_of(fake).auction(ITEM).iter_price_history(since)] == []
    assert len(fake.requests) - asked == 1


async def test_since_finds_what_is_new_in_a_history_that_is_sorted_otherwise() -> None:
    """The API sorts it newest first. Nothing is lost where it does not."""
    times = [f"2026-08-{day:02}T00:00:00Z" for day in range(1, 29) for _ in range(20)]

    def answer(request: httpx.Request) -> httpx.Response:
        limit, offset = (int(request.url.params[name]) for name in ("limit", "offset"))
        rows = [
            {"amount": 1, "price": offset + place, "time": time} for place, time in enumerate(times[offset:][:limit])
        ]
        return httpx.Response(200, json={"total": len(times), "prices": rows})

    http_client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    sales = AppClient(token="t", http_client=http_client, pace=False).auction(ITEM).iter_price_history("2026-08-20")
    assert sorted([sale.price async for sale in sales]) == list(range(400, 560))


async def test_since_takes_datetimes_and_texts_in_any_zone() -> None:
    fake = fake_with(1000)
    since = everything(fake)[20].time
    zone = datetime.fromisoformat("2026-01-01T00:00:00+05:00").tzinfo
    spellings = [
        since,
        since.replace(tzinfo=None),
        since.astimezone(zone),
        since.isoformat(),
        f"{since:%Y-%m-%dT%H:%M:%SZ}",
    ]
    client = client_of(fake)
    for spelling in spellings:
        found = [sale async for sale in client.auction(ITEM).iter_price_history(spelling)]
        assert len(found) == 20


async def test_since_in_the_future_is_nothing() -> None:
    fake = fake_with(10)
    tomorrow = fake.now + timedelta(days=1)
    assert [sale async for sale in client_of(fake).auction(ITEM).iter_price_history(tomorrow)] == []


async def test_since_with_sales_pouring_in() -> None:
    fake = fake_with(1000)
    known = everything(fake)
    wanted = Counter(repr(sale) for sale in known if sale.time > known[500].time)

    def sell(number: int) -> None:
        fake.advance(1)
        fake.sell(ITEM, 120)

    rows = client_of(fake, sell).auction(ITEM).iter_price_history(known[500].time, additional=True)
    found = Counter([repr(sale) async for sale in rows])
    assert not wanted - found
    assert max(found[key] - wanted[key] for key in wanted) == 0


# ── lots, clans, sessions ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_lots_that_stay_come_exactly_once() -> None:
    fake = fake_with(0)
    lots = []
    for number in range(700):
        fake.advance(number % 3)
        lots.append(fake.list_lot(ITEM, buyout_price=number // 2, amount=1, start_price=0, additional={}))
    gone: list[Any] = []

    def trade(number: int) -> None:
        if number > 1:
            gone.extend(lots[number * 40 : number * 40 + 30 * number : 2])
            for lot in lots[number * 40 : number * 40 + 30 * number : 2]:
                fake.remove_lot(lot)
            del lots[number * 40 : number * 40 + 30 * number : 2]
        fake.advance(1)
        fake.list_lot(ITEM, buyout_price=10**6)

    found = [lot async for lot in client_of(fake, trade).auction(ITEM).iter_lots()]
    prices = Counter(lot.buyout_price for lot in found if lot.start_price == 0 and lot.amount == 1)
    assert len(gone) > 200
    for price in range(350):
        stayed = sum(lot["buyoutPrice"] == price for lot in lots)
        ever = stayed + sum(lot["buyoutPrice"] == price for lot in gone)
        assert stayed <= prices[price] <= ever + 1, price


@pytest.mark.parametrize("sort", ["time_created", "time_left", "buyout_price", "current_price"])
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_lots_in_any_order(sort: str, order: str) -> None:
    fake = fake_with(0)
    for number in range(430):
        fake.list_lot(ITEM, duration=3600 + number % 9, buyout_price=number // 50, current_price=number % 8 or None)
    client = client_of(fake)
    found = [lot async for lot in client.auction(ITEM).iter_lots(sort=sort, order=order)]
    total = (await client.auction(ITEM).lots(limit=1)).total
    assert len(found) == total >= 430
    last = {seen.query["sort"] + seen.query["order"] for seen in fake.requests if seen.query["limit"] == "200"}
    assert last == {sort + order}


async def test_lots_follow_config() -> None:
    fake = fake_with(0)
    Config.SORT_AUCTION = "time_left"
    try:
        [lot async for lot in client_of(fake).auction(ITEM).iter_lots()]
    finally:
        del Config.SORT_AUCTION
    assert {seen.query["sort"] for seen in fake.requests} == {"time_left"}


async def test_clans_are_all_there() -> None:
    fake = fake_with(0)
    client = client_of(fake)
    total = (await client.clans(limit=1)).total
    found = [clan async for clan in client.iter_clans()]
    assert len({clan.uuid for clan in found}) == len(found) == total > 0
    assert all(isinstance(clan, ClanInfo) for clan in found)


@pytest.mark.parametrize("sort", ["date_finish", "difficulty"])
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_sessions_are_all_there(sort: str, order: str) -> None:
    fake = fake_with(0)
    client = client_of(fake)
    total = (await client.operations_sessions(limit=1)).total
    found = [session async for session in client.iter_operations_sessions(sort=sort, order=order)]
    assert len({session.id for session in found}) == len(found) == total > 100


async def test_sessions_of_a_filter() -> None:
    fake = fake_with(0)
    client = client_of(fake)
    wanted = await client.operations_sessions(limit=100, map="big_cleanup")
    found = [session async for session in client.iter_operations_sessions(map="big_cleanup")]
    assert len(found) == wanted.total
    assert {session.map for session in found} == {"big_cleanup"}


# ── plain JSON, odd rows, odd servers ─────────────────────────────────────────────────────────────────────────────────


async def test_json_gives_the_rows_as_they_were_sent() -> None:
    fake = fake_with(500)
    client = client_of(fake, json=True)
    found: list[Any] = [sale async for sale in client.auction(ITEM).iter_price_history(additional=True)]
    assert msgspec.convert(found, list[AuctionPrice], strict=False) == everything(fake)
    assert found[0].keys() == {"amount", "price", "time", "additional"}


async def test_json_with_since_and_sales_coming_in() -> None:
    fake = fake_with(1000)
    known = everything(fake)
    client = client_of(fake, lambda number: fake.sell(ITEM, 50), json=True)
    found = [sale async for sale in client.auction(ITEM).iter_price_history(known[450].time, additional=True)]
    old = [sale for sale in msgspec.convert(found, list[AuctionPrice], strict=False) if sale in known]
    assert old == [sale for sale in known if sale.time > known[450].time]


@pytest.mark.parametrize("body", [b"[]", b'{"total": 1}', b'{"prices": []}', b'{"prices": {}, "total": 1}'])
async def test_json_that_is_no_page_is_an_error(body: bytes) -> None:
    fake = fake_with(1)
    fake.fail("*/history", body=body)
    with pytest.raises(DecodeError, match="not a page"):
        [sale async for sale in client_of(fake, json=True).auction(ITEM).iter_price_history()]


class Server:
    """Answers histories from a list of its own."""

    def __init__(self, rows: list[Any], total: int | None = None, *, most: int = 200, deaf: bool = False) -> None:
        self.rows, self.total, self.most, self.deaf = rows, len(rows) if total is None else total, most, deaf
        self.requests = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        limit, offset = (int(request.url.params[name]) for name in ("limit", "offset"))
        page = self.rows if self.deaf else self.rows[offset : offset + min(limit, self.most)]
        return httpx.Response(200, json={"total": self.total, "prices": page})

    def client(self, **options: Any) -> AppClient:
        http_client = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return AppClient(token="t", http_client=http_client, pace=False, retry=None, **options)


def sale(number: int, price: Any = None) -> dict[str, Any]:
    """A made-up sale, the later the lower its number."""
    time = datetime(2026, 8, 19, tzinfo=UTC) - timedelta(minutes=15 * number)
    return {"amount": 1, "price": number if price is None else price, "time": time.isoformat(), "additional": {}}


@pytest.mark.parametrize("total", [10, 11, 100, 5000])
async def test_a_server_that_ignores_limit_and_offset_is_read_once(total: int) -> None:
    server = Server([sale(number) for number in range(10)], total, deaf=True)
    found = [row.price async for row in server.client().auction(ITEM).iter_price_history()]
    assert found == list(range(10))
    assert server.requests <= 7


async def test_a_server_that_gives_smaller_pages_is_read_whole() -> None:
    server = Server([sale(number // 3, number) for number in range(500)], most=30)
    found = [row.price async for row in server.client().auction(ITEM).iter_price_history()]
    assert found == list(range(500))


async def test_a_total_that_promises_too_much_ends_with_the_rows() -> None:
    server = Server([sale(number) for number in range(250)], 10_000)
    assert len([row async for row in server.client().auction(ITEM).iter_price_history()]) == 250
    assert server.requests <= 5


async def test_rows_that_cannot_be_read_count_but_are_not_given() -> None:
    rows = [sale(number, "?" if number % 50 in {0, 49} else number) for number in range(1000)]
    found = [row.price async for row in Server(rows).client().auction(ITEM).iter_price_history()]
    assert found == [number for number in range(1000) if number % 50 not in {0, 49}]


async def test_rows_without_a_time_keep_their_place() -> None:
    rows = [sale(number) for number in range(1000)]
    for number in (0, 150, 198, 199, 200, 397, 998, 999):
        rows[number]["time"] = "?"
    plain = [row async for row in Server(rows).client(json=True).auction(ITEM).iter_price_history()]
    assert [row["price"] for row in plain] == list(range(1000))  # type: ignore[index]  # plain JSON


async def test_rows_out_of_order_are_all_read() -> None:
    rows = [sale(number * 7919 % 1000, number) for number in range(1000)]
    found = [row.price async for row in Server(rows).client().auction(ITEM).iter_price_history()]
    assert found == list(range(1000))


async def test_rows_without_any_time_are_all_read() -> None:
    rows = [{**sale(number), "time": None} for number in range(1000)]
    found = [row async for row in Server(rows).client(json=True).auction(ITEM).iter_price_history()]
    assert found == rows


async def test_an_order_of_details_that_varies_makes_no_new_row() -> None:
    server = Server([sale(number // 4, number) for number in range(700)])

    def reorder(number: int) -> None:
        for row in server.rows:
            names = ["SPEED_MOD", "HEALTH_BONUS"][:: 1 if number % 2 else -1]
            row["additional"] = dict(list({"qlt": 1, "bonus_properties": names}.items())[:: 1 if number % 2 else -1])

    numbers = iter(range(100))

    def handle(request: httpx.Request) -> httpx.Response:
        reorder(next(numbers))
        return server(request)

    http_client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    client = AppClient(token="t", http_client=http_client, pace=False)
    assert [row.price async for row in client.auction(ITEM).iter_price_history()] == list(range(700))


# ── the next page ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_next_page_is_on_its_way_while_one_is_used() -> None:
    fake = fake_with(1000)
    second = aio.Wakeup()
    client = client_of(fake, lambda number: second.wake() if number == 2 else None)
    async with aclosing(client.auction(ITEM).iter_price_history()) as sales:
        async for _ in sales:
            assert await asked(second)
            break


async def all_of(rows: AsyncIterator[Any], found: list[Any]) -> None:
    async for row in rows:
        found += [row]


async def asked(wakeup: aio.Wakeup) -> bool:
    began = time.monotonic()
    await wakeup.wait(10)
    return time.monotonic() - began < 9


async def test_no_more_than_one_page_ahead() -> None:
    fake = fake_with(2000)
    client = client_of(fake)
    used = itertools.count(1)
    async for _ in client.auction(ITEM).iter_price_history():
        assert len(fake.requests) <= next(used) // 195 + 2


async def test_no_page_is_asked_for_beyond_the_end() -> None:
    fake = fake_with(200)
    assert len([row async for row in client_of(fake).auction(ITEM).iter_price_history()]) == 200
    assert offsets(fake) == [0]


async def test_an_error_comes_after_the_rows_before_it() -> None:
    fake = fake_with(1000)
    found: list[Any] = []

    def break_down(number: int) -> None:
        if number == 3:
            fake.fail("*/history")

    sales = client_of(fake, break_down).auction(ITEM).iter_price_history()
    with pytest.raises(ServerError):
        await all_of(sales, found)
    assert 350 < len(found) <= 400


async def test_an_error_ahead_that_nobody_waits_for_is_forgotten() -> None:
    fake = fake_with(1000)
    second = aio.Wakeup()

    def break_down(number: int) -> None:
        if number == 2:
            fake.fail("*/history")
            second.wake()

    async with aclosing(client_of(fake, break_down).auction(ITEM).iter_price_history()) as sales:
        async for _ in sales:
            assert await asked(second)
            break


async def test_an_unknown_item_is_an_error() -> None:
    with pytest.raises(BadRequestError):
        [row async for row in client_of(fake_with(0)).auction("nope").iter_lots()]


async def test_bad_arguments_raise_at_the_call() -> None:
    fake = fake_with(0)
    client = client_of(fake)
    auction = client.auction(ITEM)
    bad: list[Callable[[], object]] = [
        lambda: auction.iter_lots(limit=-1),
        lambda: auction.iter_lots(sort="beauty"),
        lambda: auction.iter_lots(region="moon"),
        lambda: auction.iter_price_history("yesterday"),
        lambda: auction.iter_price_history(limit=True),
        lambda: client.iter_clans(limit=-1),
        lambda: client.iter_operations_sessions(order="up"),
        lambda: client.iter_operations_sessions(before="soon"),
    ]
    for call in bad:
        with pytest.raises(ValueError, match="must be"):
            call()
    assert fake.requests == []
