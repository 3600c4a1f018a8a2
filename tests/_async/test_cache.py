"""Answers are used again for a while where that is asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from scapi._api import caching
from scapi._async import AppClient
from scapi.exceptions import ClosedError, DecodeError, NotFoundError, ServerError

if TYPE_CHECKING:
    from scapi.testing import FakeApi

#: Longer than any test takes, on a busy machine too.
LONG = {"emission": 600}


def made(fake: FakeApi, url: str, **options: Any) -> AppClient:
    arguments: dict[str, Any] = {"token": fake.app_token, "cache": True, "retry": None, **options}
    return AppClient(base_url=url, **arguments)


async def test_nothing_is_kept_by_default(fake: FakeApi, url: str) -> None:
    async with made(fake, url, cache=None) as client:
        await client.emission()
        await client.emission()
    assert len(fake.requests) == 2


async def test_an_answer_is_used_again(fake: FakeApi, url: str) -> None:
    async with made(fake, url) as client:
        first = await client.auction("zyv9").lots(limit=20)
        second = await client.auction("zyv9").lots(limit=20)
        assert first == second
        # Each caller has a list of its own.
        first.clear()
        assert len(await client.auction("zyv9").lots(limit=20)) == len(second) > 0
        assert len(fake.requests) == 1
        await client.auction("zyv9").lots(limit=21)
        await client.emission("eu")
        await client.emission("ru")
        assert len(fake.requests) == 4
        # Clans are none of the endpoints that `True` is for.
        await client.clans()
        await client.clans()
    assert len(fake.requests) == 6


async def test_a_client_of_other_credentials_asks_for_itself(fake: FakeApi, url: str) -> None:
    pair: dict[str, Any] = {"token": None, "client_id": fake.client_id, "client_secret": fake.client_secret}
    async with made(fake, url) as client, made(fake, url, **pair) as other:
        await client.emission()
        await other.emission()
    assert len(fake.requests) == 2


async def test_a_view_shares_the_answers_and_says_how_old_they_may_be(fake: FakeApi, url: str) -> None:
    async with made(fake, url) as client:
        await client.emission()
        raw: Any = await client.with_options(json=True).emission()
        assert set(raw) >= {"previousStart"}
        assert len(fake.requests) == 1
        await client.with_options(cache=None).emission()
        await client.with_options(cache={"emission": 0}).emission()
    assert len(fake.requests) == 3


async def test_no_error_is_kept(fake: FakeApi, url: str) -> None:
    async with made(fake, url) as client:
        fake.fail("*", status=500, times=1)
        with pytest.raises(ServerError):
            await client.emission()
        fake.fail("*", body="no emission", times=1)
        with pytest.raises(DecodeError) as caught:
            await client.emission()
        assert caught.value.body == b"no emission"
        await client.emission()
        for _ in range(2):
            with pytest.raises(NotFoundError):
                await client.profile("nobody of this name")
    assert len(fake.requests) == 5


async def test_walks_ask_past_it(fake: FakeApi, url: str) -> None:
    async with made(fake, url) as client:
        for _ in range(2):
            assert [row async for row in client.auction("zyv9").iter_price_history(limit=5)]
        assert len(fake.requests) == 2
        async for _ in client.auctions(["zyv9"]).iter_price_history(limit=5):
            break
        assert len(fake.requests) == 3


async def test_watchers_and_the_cheapest_lots_ask_past_it(fake: FakeApi, url: str) -> None:
    async with made(fake, url) as client:
        auction = client.auction("zyv9")
        await auction.price_history(limit=200, offset=0, additional=True)
        await auction.lots(limit=200, offset=0, sort="time_created", order="asc", additional=True)
        cached = [request.target for request in fake.requests]
        async for _ in auction.watch_sales(fake.now - timedelta(days=7)):
            break
        await auction.cheapest()
        asked = [request.target for request in fake.requests[2:]]
        assert set(cached) <= set(asked), "the same requests as those whose answers are kept"


async def test_a_watcher_leaves_the_cache_as_it_is(fake: FakeApi, url: str) -> None:
    async with made(fake, url) as client:
        first = await client.auction("zyv9").price_history(limit=200, offset=0, additional=True)
        fake.sell("zyv9", 1)
        async for _ in client.auction("zyv9").watch_sales(fake.now - timedelta(days=7)):
            break
        again = await client.auction("zyv9").price_history(limit=200, offset=0, additional=True)
        assert again == first


async def test_a_closed_client_answers_nothing_any_more(fake: FakeApi, url: str) -> None:
    async with made(fake, url) as client:
        await client.emission()
    with pytest.raises(ClosedError):
        await client.emission()


async def test_a_bulk_call_hands_over_the_error_that_equal_names_share_and_keeps_none(fake: FakeApi, url: str) -> None:
    async with made(fake, url) as client:
        fake.fail("*", status=500, times=1)
        results = [result async for result in client.profiles(["A"] * 3, on_error="yield", concurrency=1)]
        assert [type(result.error) for result in results] == [ServerError, NotFoundError, NotFoundError]
    assert len(fake.requests) == 3


async def test_the_number_of_answers_is_bounded(fake: FakeApi, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "MOST_BODIES", 2)
    async with made(fake, url, cache=LONG) as client:
        for region in ("ru", "eu", "na", "ru"):
            await client.emission(region)
        assert len(fake.requests) == 4, "the oldest made room"
        await client.emission("na")
        await client.emission("ru")
    assert len(fake.requests) == 4


async def test_views_share_a_request_if_they_would_send_the_same(fake: FakeApi, url: str) -> None:
    heard: list[str] = []
    async with made(fake, url, cache=LONG) as client:
        view = client.with_options(on_response=lambda info: heard.append(info.operation))
        low = client.with_options(priority="low")
        await client.emission()
        assert await view.emission() == await low.emission()
        assert (len(fake.requests), heard) == (1, [])
        await client.with_options(cache={}).emission()
        await view.with_options(cache=None).emission()
    assert (len(fake.requests), heard) == (3, ["emission"])


async def test_a_bulk_call_asks_once_for_equal_names(fake: FakeApi, url: str) -> None:
    async with made(fake, url) as client:
        name = (await client.operations_sessions(limit=1))[0].participants[0].username or ""
        await client.profile(name)
        left = client.ratelimit.remaining
        results = [result async for result in client.profiles([name] * 10)]
        assert len(results) == 10
        assert client.ratelimit.remaining == left
    assert len(fake.requests) == 2


def test_what_is_wrong_is_named(fake: FakeApi, url: str) -> None:
    with pytest.raises(ValueError, match=r"cache must be seconds by endpoint, of .*, not 'lot'"):
        made(fake, url, cache={"lot": 5})
