"""`get`: any other GET of the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from scapi import Region, exceptions
from scapi._async import AppClient
from scapi.models import EmissionState, RegionInfo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scapi.testing import FakeApi


@pytest.fixture
async def client(fake: FakeApi) -> AsyncIterator[AppClient]:
    async with httpx.AsyncClient(transport=fake.transport()) as http_client:
        yield AppClient(token=fake.app_token, http_client=http_client)


class Mine(msgspec.Struct):
    id: str


async def test_an_answer_is_plain_json_or_a_model(client: AppClient) -> None:
    assert set(await client.get("ru/emission")) >= {"previousStart"}
    assert isinstance(await client.get("/ru/emission", model=EmissionState), EmissionState)
    regions = await client.get("regions", model=list[RegionInfo])
    assert [region.id for region in regions] == [region.id for region in await client.regions()]
    assert (await client.get("regions", model=list[Mine]))[0].id


async def test_parameters_are_written_as_the_api_wants_them(client: AppClient, fake: FakeApi) -> None:
    params: dict[str, Any] = {
        "limit": 1,
        "additional": True,
        "after": datetime(2026, 8, 1, tzinfo=UTC),
        "region": Region.EU,
        "a&b": "x y",
        "none": None,
    }
    await client.get("ru/auction/zyv9/lots", params=params)
    assert fake.requests[-1].target == (
        "/ru/auction/zyv9/lots?limit=1&additional=true&after=2026-08-01T00%3A00%3A00Z&region=eu&a%26b=x+y"
    )


async def test_a_path_is_encoded_where_it_has_to_be(client: AppClient, fake: FakeApi) -> None:
    for path, sent in (("ru/a b", "/ru/a%20b"), ("ru/a%20b", "/ru/a%20b"), ("ru/Я", "/ru/%D0%AF")):
        with pytest.raises(exceptions.NotFoundError):
            await client.get(path)
        assert fake.requests[-1].target == sent


async def test_errors_and_retries_are_those_of_all_calls(client: AppClient, fake: FakeApi) -> None:
    fake.fail("*", status=503, times=1)
    await client.with_options(retry=2).get("ru/emission")
    assert [request.status for request in fake.requests] == [503, 200]
    with pytest.raises(exceptions.DecodeError):
        await client.get("ru/emission", model=list[RegionInfo])


async def test_what_it_costs_is_reserved_before(fake: FakeApi) -> None:
    fake.add_token("three", limit=5)
    async with httpx.AsyncClient(transport=fake.transport()) as http_client:
        client = AppClient(token="three", http_client=http_client, queue_timeout=0)
        await client.get("ru/emission", cost=3)
        assert client.ratelimit.remaining == 4
        with pytest.raises(exceptions.RateLimitError, match="no turn within queue_timeout"):
            await client.get("ru/emission", cost=5)
        await client.get("ru/emission", cost=4)


async def test_a_client_of_plain_json_ignores_the_model(client: AppClient) -> None:
    assert isinstance(await client.with_options(json=True).get("ru/emission", model=EmissionState), dict)


@pytest.mark.parametrize(
    "path",
    [
        "https://elsewhere.test/x",
        "//elsewhere.test/x",
        "ru/../admin",
        "ru/%2e%2E/x",
        "ru//x",
        "x?a=1",
        "",
        "/",
        None,
        5,
    ],
)
async def test_only_a_path_below_the_host_is_taken(path: Any, client: AppClient, fake: FakeApi) -> None:
    with pytest.raises(ValueError, match="path must be "):
        await client.get(path)
    assert not fake.requests


@pytest.mark.parametrize("odd", ["ru/x#a", "ru\\x", "ru/a\nb", "ru/\ud800"])
async def test_a_path_has_no_other_characters_than_a_path_has(odd: str, client: AppClient) -> None:
    with pytest.raises(ValueError, match="path must be "):
        await client.get(odd)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"params": {"a": [1]}}, r"params\['a'\] must be text, a number, a bool, a datetime or None, not \[1\]"),
        ({"params": {"a": float("nan")}}, r"params\['a'\] must be text"),
        ({"params": {5: "x"}}, "params must be a non-empty string, not 5"),
        ({"params": "a=1"}, "params must be a mapping of names to values, not str"),
        ({"cost": -1}, "cost must be an integer >= 0, not -1"),
        ({"cost": True}, "cost must be an integer >= 0, not True"),
        ({"model": str}, r"model must be a msgspec.Struct, list\[...\] of one, or None, not <class 'str'>"),
    ],
)
async def test_a_wrong_argument_is_refused(options: Any, complaint: str, client: AppClient, fake: FakeApi) -> None:
    with pytest.raises((ValueError, TypeError), match=complaint):
        await client.get("ru/emission", **options)
    assert not fake.requests
