"""Clients of the fake, once over a mock transport and once over a real socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scapi._async import AppClient, UserClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scapi.testing import FakeApi


@pytest.fixture(params=["transport", "socket"])
async def reach(request: pytest.FixtureRequest, fake: FakeApi) -> AsyncIterator[dict[str, Any]]:
    """The options that lead a client to the fake."""
    if request.param == "transport":
        async with httpx.AsyncClient(transport=fake.transport()) as http_client:
            yield {"http_client": http_client}
    else:
        yield {"base_url": request.getfixturevalue("url")}


@pytest.fixture
async def app(fake: FakeApi, reach: dict[str, Any]) -> AsyncIterator[AppClient]:
    async with AppClient(token=fake.app_token, **reach) as client:
        yield client


@pytest.fixture
async def user(fake: FakeApi, reach: dict[str, Any]) -> AsyncIterator[UserClient]:
    async with UserClient(token=fake.user_token, **reach) as client:
        yield client
