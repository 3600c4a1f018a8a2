from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scapi._async import AppClient
from scapi._async.bulk import FanOut
from scapi._primitives import aio
from scapi.enums import Region
from scapi.exceptions import BadRequestError, NotFoundError, ServerError
from scapi.models import AuctionLot, BulkError, Listing
from scapi.pacing import Budget
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IDS = [f"item{number}" for number in range(20)]
NAMES = [f"Player{number}" for number in range(20)]


def fake_with(**options: Any) -> FakeApi:
    return FakeApi(items=IDS, characters=NAMES, limit=10**6, **options)


def client_of(fake: FakeApi, before: Callable[[], object] = lambda: None, **options: Any) -> AppClient:
    answer = fake.transport().handler

    def handle(request: httpx.Request) -> Any:
        before()
        return answer(request)

    http_client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    return AppClient(token=fake.app_token, http_client=http_client, pace=False, retry=None, **options)


# ── answers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def held() -> threading.Lock:
    """What marks that results are wanted."""
    hold = threading.Lock()
    hold.acquire()
    return hold


async def test_each_id_is_answered_with_its_own_page() -> None:
    fake = fake_with()
    client = client_of(fake)
    found = {result.key: result.value async for result in client.auctions(IDS).price_history(limit=7)}
    assert found.keys() == set(IDS)
    for item, page in found.items():
        assert page == await client.auction(item).price_history(limit=7)


async def test_lots_with_all_their_options() -> None:
    fake = fake_with()
    client = client_of(fake)
    options: dict[str, Any] = {"limit": 5, "offset": 1, "sort": "buyout_price", "order": "desc", "additional": True}
    async for result in client.auctions(IDS, "eu").lots(**options):
        assert result.unwrap() == await client.auction(result.key, "eu").lots(**options)
    assert {seen.path.split("/")[1] for seen in fake.requests} == {"EU"} or all("eu" in s.path for s in fake.requests)


async def test_profiles() -> None:
    fake = fake_with()
    found = {result.key: result.unwrap().name async for result in client_of(fake).profiles(NAMES)}
    assert found == {name: name for name in NAMES}


async def test_a_key_given_twice_is_answered_twice() -> None:
    fake = fake_with()
    keys = Counter([result.key async for result in client_of(fake).auctions([*IDS, *IDS[:3], IDS[0]]).lots()])
    assert keys == Counter([*IDS, *IDS[:3], IDS[0]])


@pytest.mark.parametrize("kind", [list, tuple, set, dict.fromkeys, iter])
async def test_keys_of_any_iterable(kind: Callable[[list[str]], Any]) -> None:
    fake = fake_with()
    assert {result.key async for result in client_of(fake).auctions(kind(IDS)).lots()} == set(IDS)


async def test_no_keys_are_no_requests() -> None:
    fake = fake_with()
    client = client_of(fake)
    assert [result async for result in client.auctions([]).lots()] == []
    assert [result async for result in client.profiles(iter(()))] == []
    assert fake.requests == []


async def test_json_is_the_body_as_it_was_sent() -> None:
    fake = fake_with()
    async for result in client_of(fake, json=True).auctions(IDS).price_history(limit=2):
        assert {"total", "prices"} == result.unwrap().keys()  # type: ignore[attr-defined]  # plain JSON


# ── what is under way ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("concurrency", [1, 3, 64])
async def test_keys_are_taken_only_as_calls_complete(concurrency: int) -> None:
    fake = fake_with()
    taken = itertools.count()

    def endless() -> Iterator[str]:
        for number in taken:
            yield IDS[number % len(IDS)]

    done = 0
    async with aclosing(client_of(fake).auctions(endless()).lots(concurrency=concurrency)) as results:
        async for _ in results:
            done += 1
            assert int(repr(taken)[6:-1]) <= done + concurrency + 1
            if done == 200:
                break
    assert len(fake.requests) <= 200 + concurrency


class Meter:
    """How many calls are under way at once, at most."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.lock = threading.Lock()

    async def call(self, item: int) -> int:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        await aio.Wakeup().wait(0.002)
        with self.lock:
            self.now -= 1
        return item


@pytest.mark.parametrize("limit", [1, 2, 8])
async def test_never_more_calls_than_allowed_and_no_fewer(limit: int) -> None:
    meter = Meter()
    async with FanOut(meter.call, range(40), limit, held()) as results:
        assert sorted([item async for item in results]) == list(range(40))
    assert meter.most == limit


async def test_results_come_as_they_complete() -> None:
    first = aio.Wakeup()

    async def call(item: int) -> int:
        if item == 0:
            await first.wait(30)
        return item

    found: list[int] = []
    async with FanOut(call, range(5), 2, held()) as results:
        async for item in results:
            found.append(item)
            if len(found) == 4:
                first.wake()
    assert found == [1, 2, 3, 4, 0]


async def test_an_error_ends_what_is_under_way() -> None:
    ended = []

    async def call(item: int) -> int:
        if item == 3:
            raise ValueError(item)
        try:
            await aio.Wakeup().wait(0 if item < 3 else 60)
        finally:
            ended.append(item)
        return item

    found: list[int] = []
    began = time.monotonic()
    with pytest.raises(ValueError, match="3"):
        async with FanOut(call, itertools.count(), 3, held()) as results:
            await gather(results, found)
    assert time.monotonic() - began < 30
    assert set(found) <= {0, 1, 2}
    assert 4 not in ended or len(ended) <= 6


async def gather(rows: Any, found: list[Any]) -> None:
    async for row in rows:
        found += [row]


async def test_stopping_early_ends_what_is_under_way() -> None:
    ended = []

    async def call(item: int) -> int:
        try:
            await aio.Wakeup().wait(0 if item == 0 else 60)
        finally:
            ended.append(item)
        return item

    began = time.monotonic()
    async with FanOut(call, range(100), 4, held()) as results:
        async for item in results:
            assert item == 0
            break
    assert time.monotonic() - began < 30
    assert 0 in ended
    assert len(ended) <= 5


async def test_an_error_of_the_keys_comes_after_the_results_that_are_there() -> None:
    def keys() -> Iterator[str]:
        yield from IDS[:5]
        raise LookupError("no more of them")

    fake, found = fake_with(), list[Any]()
    with pytest.raises(LookupError, match="no more of them"):
        await gather(client_of(fake).auctions(keys()).lots(concurrency=1), found)
    assert [result.key for result in found] == IDS[:5]
    assert len(fake.requests) == 5


# ── errors ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_errors_are_handed_over_in_place() -> None:
    fake = fake_with()
    keys = [*IDS, "nope", "worse", ""]
    results = [result async for result in client_of(fake).auctions(iter(keys)).lots(on_error="yield")]
    failed = {result.key: result.error for result in results if result.error is not None}
    assert {key: type(error) for key, error in failed.items()} == {
        "nope": BadRequestError,
        "worse": BadRequestError,
        "": ValueError,
    }
    assert Counter(result.key for result in results) == Counter(keys)
    assert all((result.value is None) == (result.key in failed) for result in results)


async def test_an_error_in_the_middle_is_raised_with_its_key() -> None:
    fake = fake_with()
    keys = (IDS[number % 20] if number != 50 else "nope" for number in itertools.count())
    found: list[Any] = []
    with pytest.raises(BadRequestError) as caught:
        await gather(client_of(fake).auctions(keys).lots(), found)
    assert caught.value.__notes__ == ["key: 'nope'"]
    assert 40 <= len(found) <= 60
    assert len(fake.requests) <= 70


async def test_unwrap_is_the_value_or_the_error() -> None:
    fake = fake_with()
    results = [result async for result in client_of(fake).profiles(["Player1", "nobody"], on_error="yield")]
    by_key = {result.key: result for result in results}
    assert by_key["Player1"].unwrap().name == "Player1"
    with pytest.raises(NotFoundError) as caught:
        by_key["nobody"].unwrap()
    assert caught.value.__notes__ == ["key: 'nobody'"]
    assert isinstance(by_key["nobody"], BulkError)


async def test_a_bad_key_of_a_list_raises_before_anything_is_sent() -> None:
    fake = fake_with()
    client = client_of(fake)
    with pytest.raises(ValueError, match="item_id must be"):
        client.auctions([*IDS, ""]).lots()
    with pytest.raises(ValueError, match="username must be"):
        client.profiles(["Player1", "."])
    assert fake.requests == []


async def test_bad_arguments_raise_at_the_call() -> None:
    fake = fake_with()
    client = client_of(fake)
    auctions = client.auctions(IDS)
    wrong: Any = None
    bad: list[tuple[type[Exception], str, Callable[[], object]]] = [
        (TypeError, "item_ids", lambda: client.auctions("zyv9")),
        (TypeError, "names", lambda: client.profiles(wrong)),
        (ValueError, "region", lambda: client.auctions(IDS, "moon")),
        (ValueError, "region", lambda: client.profiles(NAMES, "moon")),
        (ValueError, "concurrency", lambda: auctions.lots(concurrency=0)),
        (ValueError, "concurrency", lambda: auctions.price_history(concurrency=65)),
        (ValueError, "on_error", lambda: client.profiles(NAMES, on_error=wrong)),
        (ValueError, "on_error", lambda: client.profiles(NAMES, on_error=["yield"])),  # type: ignore[arg-type]
        (TypeError, "progress", lambda: auctions.lots(progress=3)),  # type: ignore[arg-type]  # that is the point
        (ValueError, "limit", lambda: auctions.lots(limit=201)),
        (ValueError, "sort", lambda: auctions.lots(sort="beauty")),
        (ValueError, "limit", lambda: auctions.price_history(limit=-1)),
        (ValueError, "limit", lambda: auctions.iter_price_history(limit=-1)),
        (ValueError, "since", lambda: auctions.iter_price_history("soon")),
        (ValueError, r"since\['item1'\]", lambda: auctions.iter_price_history({"item1": "soon"})),
    ]
    for kind, name, call in bad:
        with pytest.raises(kind, match=name):
            call()
    assert fake.requests == []


# ── progress ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_progress_counts_keys_of_those_there_are() -> None:
    fake = fake_with()
    told: list[tuple[int, int | None]] = []
    auctions = client_of(fake).auctions([*IDS, "nope"])
    async for _ in auctions.lots(on_error="yield", progress=lambda *counts: told.append(counts)):
        pass
    assert told == [(number, 21) for number in range(1, 22)]


async def test_progress_of_a_generator_has_no_total() -> None:
    fake = fake_with()
    told: list[tuple[int, int | None]] = []
    async for _ in client_of(fake).profiles(iter(NAMES), progress=lambda *counts: told.append(counts)):
        pass
    assert told == [(number, None) for number in range(1, 21)]


async def test_an_error_of_the_callback_is_the_callers() -> None:
    def refuse(done: int, total: int | None) -> None:
        raise KeyError(done)

    with pytest.raises(KeyError):
        await gather(client_of(fake_with()).profiles(NAMES, progress=refuse), [])


# ── whole histories ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_whole_histories_come_page_by_page() -> None:
    fake = fake_with(sales={item: 150 * number for number, item in enumerate(IDS)})
    client = client_of(fake)
    found: dict[str, list[Any]] = {item: [] for item in IDS}
    last: dict[str, bool] = {}
    told: list[int] = []
    results = client.auctions(IDS).iter_price_history(progress=lambda done, total: told.append(done))
    async for result in results:
        page = result.unwrap()
        assert isinstance(page, Listing)
        assert len(page) <= 200
        assert last.get(result.key, True), "a page after the last"
        last[result.key] = page.has_more
        found[result.key] += page
    assert not any(last.values())
    assert told == list(range(1, 21))
    assert {item: len(rows) for item, rows in found.items()} == {item: 150 * n for n, item in enumerate(IDS)}
    assert found[IDS[9]] == [sale async for sale in client.auction(IDS[9]).iter_price_history()]


async def test_each_item_since_its_own_time() -> None:
    fake = fake_with(sales=dict.fromkeys(IDS, 700))
    client = client_of(fake)
    since: dict[str, datetime | str] = {}
    for number, item in enumerate(IDS[:10]):
        page = await client.auction(item).price_history(limit=200)
        since[item] = page[number * 20].time
    found: Counter[str] = Counter()
    async for result in client.auctions(IDS).iter_price_history(since, concurrency=3):
        found[result.key] += len(result.unwrap())
    expected = {item: number * 20 for number, item in enumerate(IDS[:10])} | dict.fromkeys(IDS[10:], 700)
    assert {item: abs(found[item] - expected[item]) <= 3 for item in IDS} == dict.fromkeys(IDS, True)


async def test_nothing_new_anywhere_is_one_request_each() -> None:
    fake = fake_with()
    later = fake.now + timedelta(days=1)
    pages = [result.unwrap() async for result in client_of(fake).auctions(IDS).iter_price_history(later)]
    assert pages == [[]] * 20
    assert len(fake.requests) == 20


async def test_no_more_histories_are_begun_than_read_at_once() -> None:
    fake = fake_with(sales=dict.fromkeys(IDS, 1000))
    client = client_of(fake)
    going: set[str] = set()
    begun: list[str] = []
    keys = (begun.append(item) or item for item in IDS)  # type: ignore[func-returns-value]  # it is for its effect
    async for result in client.auctions(keys).iter_price_history(concurrency=4):
        going.add(result.key)
        if not result.unwrap().has_more:
            going.discard(result.key)
        assert len(going) <= 5
    assert begun == IDS


async def test_a_limit_for_each_item() -> None:
    fake = fake_with(sales=dict.fromkeys(IDS, 1000))
    client = client_of(fake)
    found: Counter[str] = Counter()
    async for result in client.auctions(IDS).iter_price_history(limit=250):
        found[result.key] += len(result.unwrap())
    assert found == Counter(dict.fromkeys(IDS, 250))
    asked = len(fake.requests)
    assert [result.unwrap() async for result in client.auctions(IDS).iter_price_history(limit=0)] == [[]] * 20
    assert len(fake.requests) == asked


async def test_a_history_that_breaks_off_ends_with_its_error() -> None:
    fake = fake_with(sales=dict.fromkeys(IDS, 700))
    fake.fail("*/item3/history", times=None)
    seen: dict[str, list[Any]] = {item: [] for item in IDS}
    told: list[int] = []
    results = client_of(fake).auctions(IDS).iter_price_history(on_error="yield", progress=lambda n, _: told.append(n))
    async for result in results:
        seen[result.key].append(result)
    assert [type(result.error) for result in seen["item3"]] == [ServerError]
    assert all(sum(len(r.unwrap()) for r in pages) == 700 for item, pages in seen.items() if item != "item3")
    assert told == list(range(1, 21))
    with pytest.raises(ServerError) as caught:
        await gather(client_of(fake).auctions(IDS).iter_price_history(), [])
    assert caught.value.__notes__ == ["key: 'item3'"]


# ── several regions, whole lists of lots, the cheapest ────────────────────────────────────────────────────────────────


async def test_several_regions_in_one_call() -> None:
    fake = fake_with()
    client = client_of(fake)
    told: list[tuple[int, int | None]] = []
    auctions = client.auctions(IDS[:5], region=["ru", "EU", Region.NA, "ru"])
    found = {
        (result.region, result.key): result.unwrap()
        async for result in auctions.lots(limit=3, progress=lambda *counts: told.append(counts))
    }
    assert found.keys() == {(region, item) for region in ("ru", "eu", "na") for item in IDS[:5]}
    for (region, item), page in found.items():
        assert page == await client.auction(item, region).lots(limit=3)
    assert told[-1] == (15, 15)


async def test_an_error_in_one_of_several_regions_names_it() -> None:
    fake = fake_with()
    fake.fail("/eu/*", status=500)
    results = [r async for r in client_of(fake).auctions(["item1", "nope"], ["ru", "eu"]).lots(on_error="yield")]
    failed = {(result.region, result.key): result for result in results if result.error is not None}
    assert failed.keys() == {("ru", "nope"), ("eu", "nope"), ("eu", "item1")}
    assert failed["ru", "nope"].permanent
    assert not failed["eu", "item1"].permanent
    with pytest.raises(ServerError) as caught:
        await gather(client_of(fake).auctions(["item1"], ["ru", "eu"]).lots(), [])
    assert caught.value.__notes__ == ["key: 'item1'", "region: eu"]


@pytest.mark.parametrize("region", [[], ["moon"], 3, ["ru", None]])
async def test_wrong_regions_are_refused(region: Any) -> None:
    with pytest.raises(ValueError, match="region must be"):
        client_of(fake_with()).auctions(IDS, region)


async def test_all_lots_of_many_items() -> None:
    fake = fake_with()
    for number in range(430):
        fake.list_lot("item3", buyout_price=number)
    client = client_of(fake)
    found: dict[str, list[AuctionLot]] = {item: [] for item in IDS}
    async for result in client.auctions(IDS).iter_lots(sort="buyout_price"):
        found[result.key] += result.unwrap()
    assert len(found["item3"]) >= 430
    for item in (IDS[0], "item3"):
        assert found[item] == [lot async for lot in client.auction(item).iter_lots(sort="buyout_price")]


async def cheapest_by_hand(client: AppClient, fake: FakeApi, item: str) -> list[float]:
    lots = [lot async for lot in client.auction(item).iter_lots()]
    offered = [lot for lot in lots if lot.end_time is not None and lot.end_time > fake.now + timedelta(minutes=1)]
    return sorted(lot.unit_price for lot in offered if lot.unit_price is not None)


async def test_the_cheapest_are_per_piece_of_all_that_can_be_bought() -> None:
    fake = fake_with()
    for number in range(250):
        fake.list_lot("item1", amount=10 + number, buyout_price=10**6)
    fake.list_lot("item1", amount=100, buyout_price=150, duration=3600)
    fake.list_lot("item1", amount=100, buyout_price=0, start_price=1)
    fake.list_lot("item1", amount=100, buyout_price=100, duration=60)
    fake.advance(120)
    client = client_of(fake)
    assert len(fake.requests) == 0
    one = await client.auction("item1").cheapest()
    assert [lot.unit_price for lot in one] == [1.5]
    assert len(fake.requests) >= 2
    by_hand = await cheapest_by_hand(client, fake, "item1")
    found = await client.auction("item1").cheapest(20)
    assert [lot.unit_price for lot in found] == by_hand[:20]
    assert found.total == len(by_hand)
    dear = await client.auction("item1").cheapest(3, where=lambda lot: lot.amount < 50)
    assert all(lot.amount < 50 for lot in dear)
    assert len(await client.auction("item1").cheapest(where=lambda lot: False)) == 0


async def test_the_cheapest_of_many_items() -> None:
    fake = fake_with()
    fake.list_lot("item1", amount=1, buyout_price=1)
    client = client_of(fake)
    results = [r async for r in client.auctions([*IDS[:4], "nope"], ["ru"]).cheapest(2, on_error="yield")]
    found = {result.key: result for result in results}
    assert found["item1"].unwrap()[0].buyout_price == 1
    assert [lot.unit_price for lot in found["item2"].unwrap()] == (await cheapest_by_hand(client, fake, "item2"))[:2]
    assert isinstance(found["nope"], BulkError)


async def test_wrong_arguments_of_cheapest() -> None:
    fake = fake_with()
    client, plain = client_of(fake), client_of(fake, json=True)
    wrong: Any = "x"
    with pytest.raises(ValueError, match="n must be"):
        await client.auction("item1").cheapest(0)
    with pytest.raises(TypeError, match="where must be callable"):
        await client.auction("item1").cheapest(where=wrong)
    with pytest.raises(TypeError, match="where must be callable"):
        client.auctions(IDS).cheapest(where=wrong)
    with pytest.raises(ValueError, match="json=True"):
        await plain.auction("item1").cheapest()
    with pytest.raises(ValueError, match="json=True"):
        plain.auctions(IDS).cheapest()
    assert fake.requests == []


async def test_a_frame_says_which_region_a_row_is_from() -> None:
    client = client_of(fake_with())
    rows = await client.auctions(IDS[:2], ["ru", "eu"]).price_history(limit=2).to_dicts()
    assert Counter((row["region"], row["key"]) for row in rows) == {
        (region, item): 2 for region in ("ru", "eu") for item in IDS[:2]
    }


# ── priority ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_all_that_makes_many_calls_takes_a_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    enter = Budget.enter

    def hear(*args: Any, priority: Any = "normal", **options: Any) -> Any:
        heard.append(priority)
        return enter(*args, priority=priority, **options)

    monkeypatch.setattr(Budget, "enter", hear)
    client = client_of(fake_with())
    one, many = client.auction(IDS[0]), client.auctions(IDS[:2])
    options: dict[str, Any] = {"priority": "low"}
    lists: list[Any] = [
        one.iter_lots(limit=1, **options),
        one.iter_price_history(limit=1, **options),
        client.iter_clans(limit=1, **options),
        client.iter_operations_sessions(limit=1, **options),
        client.profiles(NAMES[:2], **options),
        many.lots(limit=1, **options),
        many.iter_lots(limit=1, **options),
        many.cheapest(**options),
        many.price_history(limit=1, **options),
        many.iter_price_history(limit=1, **options),
    ]
    for rows in lists:
        await gather(rows, [])
    await one.cheapest(**options)
    watchers: list[Any] = [
        one.watch_lots(**options),
        one.watch_sales(**options),
        many.watch_lots(**options),
        many.watch_sales(**options),
        client.watch_emission(**options),
    ]
    for watcher in watchers:
        await watcher._poll(watcher._schedule.next())
    assert set(heard) == {"low"}
    assert len(heard) >= 20
    await one.lots(limit=1)
    assert heard[-1] == "normal"
    with pytest.raises(ValueError, match="priority must be 'high', 'normal' or 'low'"):
        many.lots(priority="urgent")  # type: ignore[arg-type]  # that is the point
