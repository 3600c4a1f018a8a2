"""Options for a part of a program: a view of a client that shares what the client has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scapi import Retry, exceptions
from scapi._async import AppClient, UserClient
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def http_client(fake: FakeApi) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=fake.transport()) as http_client:
        yield http_client


async def test_a_view_has_options_of_its_own_and_the_client_keeps_its_own(
    fake: FakeApi, http_client: httpx.AsyncClient
) -> None:
    client = AppClient(token=fake.app_token, http_client=http_client, region="eu")
    view = client.with_options(region="na", json=True)
    assert isinstance(await view.emission(), dict)
    assert (await client.emission()).previous_start
    await view.auction("zyv9").lots(limit=1)
    assert [request.path.split("/")[1] for request in fake.requests] == ["na", "eu", "na"]
    assert type(view) is AppClient
    assert "region=na" in repr(view)
    assert "region=eu" in repr(client)


async def test_a_view_of_a_view_keeps_what_it_does_not_change(fake: FakeApi, http_client: httpx.AsyncClient) -> None:
    client = AppClient(token=fake.app_token, http_client=http_client)
    view = client.with_options(region="na").with_options(json=True)
    assert isinstance(await view.emission(), dict)
    assert fake.requests[-1].path == "/na/emission"


async def test_a_view_shares_points_and_connections(fake: FakeApi, url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "scapi")
    fake.add_token("shared", limit=50)
    async with AppClient(token="shared", base_url=url) as client:
        view = client.with_options(timeout=20)
        await client.emission()
        await view.emission()
        assert client.ratelimit.remaining == view.ratelimit.remaining == 48
    assert sum("connected to" in record.message for record in caplog.records) == 1


async def test_closing_either_closes_both(fake: FakeApi, url: str) -> None:
    client = AppClient(token=fake.app_token, base_url=url)
    async with client.with_options(timeout=20) as view:
        await view.emission()
    with pytest.raises(exceptions.ClosedError):
        await client.emission()


async def test_a_number_of_attempts_is_a_retry() -> None:
    fake = FakeApi()
    fake.fail("*", status=503)
    http_client = httpx.AsyncClient(transport=fake.transport())
    client = AppClient(token=fake.app_token, http_client=http_client, retry=Retry(attempts=5, backoff=0))
    for retry, attempts in ((2, 2), (None, 1), (Retry(attempts=3, backoff=0), 3)):
        before = len(fake.requests)
        with pytest.raises(exceptions.ServerError):
            await client.with_options(retry=retry).emission()
        assert len(fake.requests) - before == attempts


async def test_the_timeout_of_a_view_is_that_of_its_calls() -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"previousStart": "2026-08-05T00:00:00Z"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond), timeout=9) as http_client:
        client = AppClient(token="t", http_client=http_client, timeout=3)
        await client.with_options(timeout=7).emission()
        await client.emission()
        await client.with_options(timeout=None).emission()
    assert [request.extensions["timeout"]["read"] for request in seen] == [7, 3, 9]


async def test_a_view_over_our_own_connections_has_a_timeout_of_its_own(fake: FakeApi, url: str) -> None:
    fake.fail("*", "delay", delay=30)
    async with AppClient(token=fake.app_token, base_url=url) as client:
        with pytest.raises(exceptions.RequestTimeoutError):
            await client.with_options(timeout=0.2, retry=None).emission()


async def test_a_view_that_does_not_wait_raises_where_its_client_would_wait() -> None:
    fake = FakeApi(limit=2)
    fake.app_token = "a view that doesn't wait".replace(" ", "-")
    async with httpx.AsyncClient(transport=fake.transport()) as http_client:
        client = AppClient(token=fake.app_token, http_client=http_client)
        for _ in range(2):
            await client.emission()
        with pytest.raises(exceptions.RateLimitError, match="no turn within queue_timeout"):
            await client.with_options(queue_timeout=0).emission()
    assert len(fake.requests) == 2


async def test_the_view_of_a_user_client_is_one(fake: FakeApi, http_client: httpx.AsyncClient) -> None:
    client = UserClient(token=fake.user_token, http_client=http_client)
    view = client.with_options(region="eu")
    assert isinstance(view, UserClient)
    assert await view.characters() == await client.characters("eu")


@pytest.mark.parametrize(
    ("options", "error", "complaint"),
    [
        ({"timeout": 0}, ValueError, "timeout must be a number of seconds above 0, not 0"),
        ({"region": "xx"}, ValueError, "region must be one of ru"),
        ({"pace": "odd"}, ValueError, "pace must be True, False or 'even', not 'odd'"),
        ({"retry": "3"}, TypeError, "retry must be a Retry, a number of attempts or None"),
        ({"json": 1}, ValueError, "json must be True or False, not 1"),
        ({"priority": "urgent"}, ValueError, "priority must be 'high', 'normal' or 'low', not 'urgent'"),
        ({"reserve": 0.2}, TypeError, "reserve is not an option of a call"),
        (
            {"base_url": "https://x.test"},
            TypeError,
            "base_url is not an option of a call; the options are region, json, ",
        ),
        ({"token": "t"}, TypeError, "token is not an option of a call"),
    ],
)
def test_a_wrong_option_is_refused_by_name(options: Any, error: type[Exception], complaint: str) -> None:
    with pytest.raises(error, match=complaint):
        AppClient(token="t").with_options(**options)
