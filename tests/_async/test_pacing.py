"""Calls that wait for their turn, through whole clients, in virtual time: waits move it."""

from __future__ import annotations

import gc
import itertools
import math
from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

from scapi._async import AppClient
from scapi.exceptions import RateLimitError
from scapi.models import RateLimit
from scapi.testing import FakeApi
from tests._async.fake_clock import FakeClock, with_clock

#: Seconds from the start of a fake to the end of its first window.
FIRST_RESET = 33.216


_numbers = itertools.count()


def start(**options: Any) -> FakeApi:
    """A fake whose token no other test uses: the budget goes by it."""
    fake = FakeApi(**options)
    fake.app_token = f"token-{next(_numbers)}"
    return fake


def connect(fake: FakeApi, clock: FakeClock, *, token: str | None = None, **options: Any) -> AppClient:
    http_client = httpx.AsyncClient(transport=fake.transport())
    return with_clock(AppClient, clock)(token=token or fake.app_token, http_client=http_client, **options)


def statuses(fake: FakeApi) -> list[int]:
    return [request.status for request in fake.requests]


async def test_a_call_waits_for_the_reset_before_it_would_overdraw() -> None:
    fake = start(limit=4)
    time = FakeClock(fake)
    client = connect(fake, time)
    for _ in range(4):
        await client.emission()
    assert not time.waits
    await client.emission()
    assert time.passed == pytest.approx(FIRST_RESET, abs=1.1)
    assert time.passed > FIRST_RESET
    assert statuses(fake) == [200] * 5


async def test_without_pacing_nothing_waits_beforehand() -> None:
    fake = start(limit=2)
    time = FakeClock(fake)
    client = connect(fake, time, pace=False, retry=None)
    await client.auction("zyv9").lots()
    with pytest.raises(RateLimitError) as refusal:
        await client.emission()
    assert refusal.value.retry_after == pytest.approx(FIRST_RESET, abs=1.1)
    assert not time.waits
    assert statuses(fake) == [200, 429]


async def test_without_pacing_a_refusal_is_waited_out() -> None:
    fake = start(limit=2)
    time = FakeClock(fake)
    client = connect(fake, time, pace=False)
    for _ in range(3):
        await client.emission()
    assert statuses(fake) == [200, 200, 429, 200]
    assert FIRST_RESET < time.passed < FIRST_RESET + 1.5


async def test_even_pacing_spreads_the_calls_over_the_window() -> None:
    fake = start(limit=10)
    time = FakeClock(fake)
    client = connect(fake, time, pace="even")
    moments = list[float]()
    for _ in range(10):
        await client.emission()
        moments.append(time.passed)
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert statuses(fake) == [200] * 10
    assert max(gaps) - min(gaps) < 0.5
    assert 0.8 * FIRST_RESET < moments[-1] < FIRST_RESET


async def test_low_calls_leave_a_tenth_to_all_others() -> None:
    fake = start(limit=20)
    time = FakeClock(fake)
    client = connect(fake, time, queue_timeout=0)
    crawler = client.with_options(priority="low")
    for _ in range(18):
        await crawler.emission()
    with pytest.raises(RateLimitError, match="no turn within queue_timeout"):
        await crawler.emission()
    await client.with_options(priority="high").emission()
    await client.emission()
    assert not time.waits
    assert statuses(fake) == [200] * 20


async def test_what_is_left_of_the_reserve_goes_to_low_calls_before_the_window_ends() -> None:
    fake = start(limit=20)
    time = FakeClock(fake)
    client = connect(fake, time, priority="low")
    for _ in range(20):
        await client.emission()
    assert FIRST_RESET - 6 < time.passed < FIRST_RESET
    assert statuses(fake) == [200] * 20


async def test_a_client_keeps_its_reserve_until_it_and_all_its_views_are_closed_or_gone() -> None:
    fake = start(limit=20)
    time = FakeClock(fake)
    crawler = connect(fake, time, priority="low", reserve=0, queue_timeout=0)
    people = connect(fake, time, reserve=0.9)
    view = people.with_options(region="eu")
    del people
    gc.collect()
    for _ in range(2):
        await crawler.emission()
    with pytest.raises(RateLimitError):
        await crawler.emission()
    await view.close()
    await crawler.emission()
    others = connect(fake, time, reserve=0.9)
    with pytest.raises(RateLimitError):
        await crawler.emission()
    del others
    gc.collect()
    time.passed += 1  # its death is noticed within a second
    await crawler.emission()
    assert statuses(fake) == [200] * 4


async def test_who_cant_get_a_turn_in_time_hears_it_at_once() -> None:
    fake = start(limit=2)
    time = FakeClock(fake)
    client = connect(fake, time, queue_timeout=30)
    await client.auction("zyv9").lots()
    with pytest.raises(RateLimitError, match="queue_timeout") as refusal:
        await client.auction("zyv9").price_history()
    assert refusal.value.retry_after == pytest.approx(FIRST_RESET, abs=1.1)
    assert refusal.value.url is not None
    assert refusal.value.url.endswith("/history?limit=20&offset=0")
    assert not time.waits
    assert statuses(fake) == [200]


async def test_who_gets_a_turn_in_time_waits_for_it() -> None:
    fake = start(limit=2)
    time = FakeClock(fake)
    client = connect(fake, time, queue_timeout=40)
    for _ in range(2):
        await client.auction("zyv9").lots()
    assert time.passed > FIRST_RESET
    assert statuses(fake) == [200, 200]


async def test_a_call_that_gave_up_leaves_its_place_to_others() -> None:
    fake = start(limit=3)
    time = FakeClock(fake)
    hasty, patient = connect(fake, time, queue_timeout=0), connect(fake, time)
    await hasty.auction("zyv9").lots()
    with pytest.raises(RateLimitError):
        await hasty.auction("zyv9").lots()
    await patient.emission()
    assert statuses(fake) == [200, 200]
    assert patient.ratelimit.remaining == 0


async def test_a_limit_of_zero_is_told_at_once() -> None:
    fake = start(limit=0)
    time = FakeClock(fake)
    client = connect(fake, time)
    for _ in range(2):
        with pytest.raises(RateLimitError) as refusal:
            await client.emission()
        assert refusal.value.retry_after == math.inf
    assert "limit of these credentials is 0" in str(refusal.value)
    assert not time.waits
    assert statuses(fake) == [429]


async def test_clients_with_the_same_credentials_and_host_share_one_budget() -> None:
    fake = start(limit=2)
    time = FakeClock(fake)
    fake.add_token("another", limit=2)
    first, second = connect(fake, time), connect(fake, time, queue_timeout=0)
    await first.auction("zyv9").lots()
    assert second.ratelimit == first.ratelimit
    with pytest.raises(RateLimitError):
        await second.emission()
    for stranger in (connect(fake, time, token="another"), connect(fake, time, base_url="https://elsewhere.test")):
        assert stranger.ratelimit == RateLimit()
    await connect(fake, time, token="another", queue_timeout=0).emission()
    assert statuses(fake) == [200, 200]


async def test_a_budget_goes_with_the_last_client_that_uses_it() -> None:
    fake = start()
    time = FakeClock(fake)
    client = connect(fake, time)
    await client.emission()
    del client
    gc.collect()
    assert connect(fake, time).ratelimit == RateLimit()


async def test_a_client_tells_the_points_that_are_left() -> None:
    fake = start(limit=50)
    time = FakeClock(fake)
    client = connect(fake, time)
    assert client.ratelimit == RateLimit(limit=None, remaining=None, reset=None)
    begun = fake.now
    await client.emission()
    await client.auction("zyv9").lots()
    reset = begun + timedelta(seconds=FIRST_RESET)
    assert client.ratelimit == RateLimit(limit=50, remaining=47, reset=reset)
    time.passed = 40.0
    assert client.ratelimit == RateLimit(limit=50, remaining=50, reset=reset + timedelta(seconds=60))
