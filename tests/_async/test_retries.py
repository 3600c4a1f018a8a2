"""What is tried again and after how long, without waiting for it: the clock is the test's."""

from __future__ import annotations

import itertools
import logging
import math
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from scapi import Retry
from scapi._async import AppClient
from scapi.exceptions import (
    ClosedError,
    RateLimitError,
    RequestTimeoutError,
    ScApiException,
    ServerError,
)
from scapi.testing import START, FakeApi
from tests._async.fake_clock import FakeClock, with_clock

ports = itertools.count(1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def full_jitter(clock: FakeClock) -> None:
    """Every draw is as high as it can be."""
    clock.draw = 1.0


def client_of(fake: FakeApi, clock: FakeClock, **options: Any) -> AppClient:
    # A host of its own, and so a budget of its own.
    options.setdefault("base_url", f"http://127.0.0.1:{next(ports)}")
    http_client = httpx.AsyncClient(transport=fake.transport())
    return with_clock(AppClient, clock)(token=fake.app_token, http_client=http_client, **options)


@pytest.mark.parametrize(
    "options", [{"status": status} for status in (502, 503, 504, *range(520, 526), 530)] + [{"fault": "reset"}]
)
@pytest.mark.usefixtures("full_jitter")
async def test_what_may_pass_is_tried_again_with_backoff(options: dict[str, Any], clock: FakeClock) -> None:
    fake = FakeApi()
    fake.fail("*", **options, times=3)
    await client_of(fake, clock, retry=Retry(attempts=4, backoff=0.5)).emission()
    assert clock.waits == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 500, 501, 526])
async def test_what_will_not_pass_is_raised_at_once(status: int, clock: FakeClock) -> None:
    fake = FakeApi()
    fake.fail("*", status=status)
    with pytest.raises(ScApiException):
        await client_of(fake, clock).emission()
    assert (clock.waits, len(fake.requests)) == ([], 1)


@pytest.mark.parametrize("options", [{"status": 429}, {"status": 503}, {"fault": "reset"}])
async def test_without_a_retry_everything_is_sent_once(options: dict[str, Any], clock: FakeClock) -> None:
    fake = FakeApi()
    fake.fail("*", **options)
    with pytest.raises(ScApiException):
        await client_of(fake, clock, retry=None).emission()
    assert (clock.waits, len(fake.requests)) == ([], 1)


async def test_a_timeout_is_not_tried_again(clock: FakeClock) -> None:
    fake = FakeApi()
    fake.fail("*", "delay", delay=math.inf)
    with pytest.raises(RequestTimeoutError):
        await client_of(fake, clock, timeout=1.0).emission()
    assert (clock.waits, len(fake.requests)) == ([], 1)


async def test_the_last_error_is_raised_when_attempts_run_out(clock: FakeClock) -> None:
    fake = FakeApi()
    fake.fail("*", status=502, times=2)
    fake.fail("*", status=503)
    with pytest.raises(ServerError, match="503"):
        await client_of(fake, clock).emission()
    assert len(fake.requests) == 3


@pytest.mark.usefixtures("full_jitter")
async def test_waits_for_failures_never_exceed_max_wait(clock: FakeClock) -> None:
    fake = FakeApi()
    fake.fail("*", status=503)
    with pytest.raises(ServerError):
        await client_of(fake, clock, retry=Retry(attempts=50, backoff=1.0, max_wait=20.0)).emission()
    assert clock.waits == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize("asked", ["7", formatdate(START.timestamp() + 7, usegmt=True)])
async def test_retry_after_is_honoured_in_seconds_and_as_a_date(asked: str, clock: FakeClock) -> None:
    fake = FakeApi()
    fake.fail("*", status=503, headers={"retry-after": asked}, times=1)
    await client_of(fake, clock, retry=Retry(backoff=0)).emission()
    assert clock.waits == [7.0]


async def test_a_retry_after_beyond_max_wait_is_not_begun(clock: FakeClock) -> None:
    fake = FakeApi()
    fake.fail("*", status=503, headers={"retry-after": "3600"})
    with pytest.raises(ServerError):
        await client_of(fake, clock).emission()
    assert (clock.waits, len(fake.requests)) == ([], 1)


async def test_a_429_waits_for_the_reset(clock: FakeClock) -> None:
    fake = FakeApi(window=60, limit=4)
    client = client_of(fake, clock, pace=False)
    await client.emission()
    fake.spend(10)
    until_reset = (client.ratelimit.reset - fake.now).total_seconds()
    clock.fakes.append(fake)
    await client.emission()
    assert [request.status for request in fake.requests] == [200, 429, 200]
    assert until_reset <= sum(clock.waits) <= until_reset + 1


async def test_a_refusal_tells_when_the_points_are_back(clock: FakeClock) -> None:
    fake = FakeApi(limit=0)
    with pytest.raises(RateLimitError) as caught:
        await client_of(fake, clock, retry=None).emission()
    assert caught.value.retry_after > 0


# ── a proxy's page: a 429 without the API's headers ───────────────────────────────────────────────────────────────────


async def test_while_a_block_is_known_nothing_is_sent_and_every_call_hears_what_is_left(clock: FakeClock) -> None:
    fake = FakeApi()
    fake.fail("*", "html", status=429, headers={"retry-after": "3600"})
    base_url = f"http://127.0.0.1:{next(ports)}"
    clients = [
        client_of(fake, clock, base_url=base_url, **options) for options in ({}, {"pace": False}, {"retry": None})
    ]
    told = list[float]()
    for minutes in range(6):
        clock.passed = 60.0 * minutes
        for client in clients:
            with pytest.raises(RateLimitError) as caught:
                await client.emission()
            told.append(caught.value.retry_after)
    assert told == pytest.approx([3600.0 - 60 * minutes for minutes in range(6) for _ in clients])
    assert (clock.waits, len(fake.requests)) == ([], 1)
    fake.heal()
    clock.passed = 3601.0
    await clients[0].emission()


async def test_a_block_that_a_call_may_wait_for_is_waited_for(clock: FakeClock) -> None:
    fake = FakeApi()
    fake.fail("*", "html", status=429, headers={"retry-after": "30"}, times=1)
    base_url = f"http://127.0.0.1:{next(ports)}"
    first = client_of(fake, clock, base_url=base_url, retry=None)
    with pytest.raises(RateLimitError):
        await first.emission()
    for options in ({"retry": Retry(max_wait=29.0)}, {"queue_timeout": 29.0}):
        with pytest.raises(RateLimitError, match="an earlier refusal is still in force"):
            await client_of(fake, clock, base_url=base_url, **options).emission()
    assert clock.waits == []
    await client_of(fake, clock, base_url=base_url, queue_timeout=31.0).emission()
    assert sum(clock.waits) == pytest.approx(30, abs=0.1)
    assert [request.status for request in fake.requests] == [429, 200]


async def test_a_block_stops_the_retry_of_another_call_too(clock: FakeClock) -> None:
    fake = FakeApi()
    base_url = f"http://127.0.0.1:{next(ports)}"
    fake.fail("*", "html", status=429, headers={"retry-after": "5"}, times=2)
    await client_of(fake, clock, base_url=base_url, pace=False).emission()
    assert [request.status for request in fake.requests] == [429, 429, 200]
    assert 10 <= sum(clock.waits) <= 11


# ── all waits of a call in sum ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_wait_after_a_refusal_counts_against_queue_timeout(clock: FakeClock) -> None:
    fake = FakeApi(limit=1)
    client = client_of(fake, clock, pace=False, queue_timeout=3.0)
    await client.emission()
    with pytest.raises(RateLimitError) as caught:
        await client.emission()
    assert (clock.waits, len(fake.requests)) == ([], 2)
    assert caught.value.retry_after > 3


async def test_waits_after_failures_count_against_queue_timeout(clock: FakeClock) -> None:
    fake = FakeApi()
    fake.fail("*", status=503, headers={"retry-after": "4"})
    with pytest.raises(ServerError):
        await client_of(fake, clock, queue_timeout=9.0, retry=Retry(attempts=9, backoff=0)).emission()
    assert clock.waits == [4.0, 4.0]


async def test_the_queue_and_the_waits_after_failures_count_together(clock: FakeClock) -> None:
    fake = FakeApi(limit=1)
    clock.fakes.append(fake)
    client = client_of(fake, clock, queue_timeout=40.0, retry=Retry(backoff=0))
    await client.emission()
    fake.fail("*", status=503, headers={"retry-after": "10"})
    with pytest.raises(ServerError):
        await client.emission()
    # The queue took more than 30 s of the 40.
    assert [request.status for request in fake.requests] == [200, 503]
    assert 30 < sum(clock.waits) < 40


@pytest.mark.parametrize("odd", ["999999999999999", "9" * 5000, "-1", "1e5", "soon", "33"])
async def test_no_odd_header_makes_an_answer_or_the_points_raise(odd: str) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        told = {f"x-ratelimit-{name}": odd for name in ("limit", "remaining", "reset")}
        return httpx.Response(200, json={}, headers=told)

    http_client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    client = AppClient(token="t", base_url=f"http://127.0.0.1:{next(ports)}", http_client=http_client)
    await client.emission()
    assert client.ratelimit.reset is None


async def test_every_wait_is_logged_once(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeApi()
    fake.fail("*", status=503, times=2)
    with caplog.at_level(logging.INFO, logger="scapi"):
        await client_of(fake, clock).emission()
    lines = [record.getMessage() for record in caplog.records if record.name == "scapi"]
    assert len(lines) == len(clock.waits) == 2
    for attempt, (line, wait) in enumerate(zip(lines, clock.waits, strict=True), start=1):
        assert line.startswith(f"/ru/emission waits {wait:.2f} s after attempt {attempt}: 503 ")


async def test_what_a_server_says_does_not_forge_the_log(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeApi()
    forged = "down\\n2026-11-26 CRITICAL root logged in \\u001b[2J" + "x" * 3_000_000
    fake.fail("*", status=503, body=f'{{"title": "{forged}"}}', times=2)
    with caplog.at_level(logging.INFO, logger="scapi"):
        await client_of(fake, clock).emission()
    for record in caplog.records:
        assert record.getMessage().isprintable()
        assert len(record.getMessage()) < 700


async def test_a_call_that_will_not_get_its_turn_in_time_fails_at_once(clock: FakeClock) -> None:
    fake = FakeApi(limit=1)
    client = client_of(fake, clock, queue_timeout=5.0)
    await client.emission()
    with pytest.raises(RateLimitError, match="queue_timeout") as caught:
        await client.emission()
    assert clock.waits == []
    assert caught.value.retry_after > 5
    assert len(fake.requests) == 1


async def test_a_call_that_gets_its_turn_in_time_waits_for_it(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    fake = FakeApi(limit=1)
    clock.fakes.append(fake)
    client = client_of(fake, clock, queue_timeout=61.0)
    await client.emission()
    with caplog.at_level(logging.INFO, logger="scapi"):
        await client.emission()
    assert [request.status for request in fake.requests] == [200, 200]
    assert [record.getMessage().partition(" s ")[2] for record in caplog.records if record.name == "scapi"] == [
        "for free points of the API's limit (attempt 1)"
    ]


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
async def test_a_clock_that_jumps_changes_no_wait(jump: float, clock: FakeClock) -> None:
    fake = FakeApi(limit=100)
    client = client_of(fake, clock)
    await client.emission()
    clock.ahead = jump
    for _ in range(5):
        await client.emission()
    assert clock.waits == []


async def test_a_closed_client_says_so(clock: FakeClock) -> None:
    fake = FakeApi()
    client = client_of(fake, clock)
    await client.emission()
    await client.close()
    await client.close()
    with pytest.raises(ClosedError, match="the client is closed"):
        await client.emission()
    assert len(fake.requests) == 1
