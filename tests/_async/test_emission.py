from __future__ import annotations

import httpx

from scapi._async import AppClient
from scapi.testing import FakeApi


async def test_emission_over_a_socket_and_over_a_client_of_the_callers() -> None:
    fake = FakeApi()
    with fake.serve() as url:
        async with AppClient(token=fake.app_token, base_url=url) as client:
            over_socket = await client.emission()
    async with httpx.AsyncClient(transport=fake.transport()) as http_client:
        assert await AppClient(token=fake.app_token, http_client=http_client).emission() == over_socket
    assert over_socket.previous_start is not None
