"""Answers are used again for a while where that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from scapi._async import AppClient
from scapi.exceptions import DecodeError, NotFoundError, ServerError

if TYPE_CHECKING:
    from scapi.testing import FakeApi


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


async def test_walks_and_watchers_ask_past_it(fake: FakeApi, url: str) -> None:
    async with made(fake, url) as client:
        for _ in range(2):
            assert [row async for row in client.auction("zyv9").iter_price_history(limit=5)]
        assert len(fake.requests) == 2
        async for _ in client.auctions(["zyv9"]).iter_price_history(limit=5):
            break
        assert len(fake.requests) == 3


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
