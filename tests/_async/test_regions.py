"""Which region a call goes to: its own, the endpoint's, the client's, and last that of `Config` at the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scapi import Config, Region
from scapi._async import AppClient, UserClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scapi.testing import FakeApi

CLAN = "a552092f-e7c9-4cc3-a256-1e3f525770bf"


@pytest.fixture
async def http_client(fake: FakeApi) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=fake.transport()) as client:
        yield client


def asked(fake: FakeApi) -> str:
    return fake.requests[-1].path.split("/")[1]


async def call_all(client: UserClient, **region: Any) -> None:
    """Call every endpoint that has a region."""
    await client.emission(**region)
    await client.profile("ZIV", **region)
    await client.clans(**region)
    await client.operations_sessions(**region)
    await client.auction("zyv9").lots(**region)
    await client.auction("zyv9").price_history(**region)
    await client.clan(CLAN).info(**region)
    await client.clan(CLAN).members(**region)
    await client.characters(**region)
    await client.friends("YourCharacterName", **region)


def regions(fake: FakeApi) -> set[str]:
    assert len(fake.requests) == 10
    return {seen.path.split("/")[1] for seen in fake.requests}


async def test_without_any_it_is_that_of_config(fake: FakeApi, http_client: httpx.AsyncClient) -> None:
    client = UserClient(token=fake.user_token, http_client=http_client)
    await call_all(client)
    assert regions(fake) == {"ru"}


async def test_that_of_the_client_goes_before_that_of_config(fake: FakeApi, http_client: httpx.AsyncClient) -> None:
    client = UserClient(token=fake.user_token, region=Region.SEA, http_client=http_client)
    Config.REGION = "na"
    await call_all(client)
    assert regions(fake) == {"sea"}


async def test_that_of_the_call_goes_before_all(fake: FakeApi, http_client: httpx.AsyncClient) -> None:
    client = UserClient(token=fake.user_token, region="sea", http_client=http_client)
    Config.REGION = "na"
    await call_all(client, region="Nea")
    assert regions(fake) == {"nea"}


async def test_that_of_an_endpoint_stands_between_call_and_client(
    fake: FakeApi, http_client: httpx.AsyncClient
) -> None:
    client = UserClient(token=fake.user_token, region="sea", http_client=http_client)
    auction, clan = client.auction("zyv9", region="eu"), client.clan(CLAN, region=Region.EU)
    for call in (auction.lots, auction.price_history, clan.info, clan.members):
        await call()
        assert asked(fake) == "eu"
        await call(region="na")
        assert asked(fake) == "na"


async def test_config_is_read_at_the_call(fake: FakeApi, http_client: httpx.AsyncClient) -> None:
    client = AppClient(token=fake.app_token, http_client=http_client)
    auction, clan = client.auction("zyv9"), client.clan(CLAN)
    Config.REGION = "EU"
    for call in (client.emission, auction.lots, clan.info):
        await call()
        assert asked(fake) == "eu"
    Config.REGION = Region.NA
    for call in (client.emission, auction.lots, clan.info):
        await call()
        assert asked(fake) == "na"
