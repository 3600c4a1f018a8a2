"""What goes over the wire, and what may come back over it."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import h11
import httpx
import pytest

from scapi import Config, Retry, __version__, exceptions
from scapi._async import AppClient
from tests.raw_server import EMISSION, answer, raw_server

if TYPE_CHECKING:
    from scapi.testing import FakeApi

pytestmark = [pytest.mark.engine, pytest.mark.socket]


class AlarmError(Exception):
    """What the handler of a signal raises."""


async def test_the_headers_of_a_request() -> None:
    with raw_server() as server:
        async with AppClient(token="t", base_url=server.url) as client:
            await client.emission()
    head = server.requests[0].lower().split("\r\n")
    assert head[0] == "get /ru/emission http/1.1"
    assert f"user-agent: scapi/{__version__}" in head
    assert {"accept: application/json", "accept-encoding: gzip", "authorization: bearer t"} <= set(head)
    assert "host: " + server.url.removeprefix("http://") in head


async def test_a_pair_is_sent_as_two_headers() -> None:
    with raw_server() as server:
        async with AppClient(client_id="7", client_secret="s", base_url=server.url) as client:
            await client.emission()
    head = server.requests[0].lower().split("\r\n")
    assert {"client-id: 7", "client-secret: s"} <= set(head)
    assert not any(line.startswith("authorization") for line in head)


async def test_a_borrowed_http_client_sends_our_name_too(fake: FakeApi) -> None:
    with raw_server() as server:
        async with httpx.AsyncClient() as http_client:
            await AppClient(token="t", base_url=server.url, http_client=http_client).emission()
    assert f"user-agent: scapi/{__version__}" in server.requests[0].lower()


async def test_names_are_percent_encoded_on_the_wire() -> None:
    with raw_server(answer(b"{}", "404 Not Found")) as server:
        async with AppClient(token="t", base_url=server.url) as client:
            for name in ("A/B?c#d ё", "%2F", "..."):
                with pytest.raises(exceptions.NotFoundError):
                    await client.profile(name)
    assert [request.split()[1].split("/")[4] for request in server.requests] == [
        "A%2FB%3Fc%23d%20%D1%91",
        "%252F",
        "...",
    ]


async def test_many_calls_share_one_connection() -> None:
    with raw_server() as server:
        async with AppClient(token="t", base_url=server.url) as client:
            for _ in range(20):
                await client.emission()
    assert (server.connections, len(server.requests)) == (1, 20)


async def test_errors_do_not_cost_the_connection() -> None:
    with raw_server(answer(b"{}", "404 Not Found")) as server:
        async with AppClient(token="t", base_url=server.url) as client:
            for _ in range(5):
                with pytest.raises(exceptions.NotFoundError):
                    await client.emission()
    assert server.connections == 1


async def test_a_connection_is_given_up_when_anything_is_raised_between_two_steps(monkeypatch: Any) -> None:
    def interrupted(_: h11.Connection) -> None:
        raise AlarmError

    with raw_server() as server:
        async with AppClient(token="t", base_url=server.url) as client:
            await client.emission()
            with monkeypatch.context() as patch:
                # By now httpcore says that the connection is idle, and h11 isn't ready for the next request.
                patch.setattr(h11.Connection, "start_next_cycle", interrupted)
                with pytest.raises(AlarmError):
                    await client.emission()
            await client.emission()
    assert server.connections == 2


async def test_a_server_that_closes_after_each_answer_is_connected_to_anew() -> None:
    with raw_server(answer(connection="close")) as server:
        async with AppClient(token="t", base_url=server.url) as client:
            for _ in range(3):
                await client.emission()
    assert server.connections == 3


async def test_large_answers_come_in_gzip(fake: FakeApi, reach: dict[str, Any]) -> None:
    sizes = {
        encoding: len(fake.handle("GET", "/ru/auction/kqgy/history?limit=200", headers(fake, encoding)).body)
        for encoding in ("gzip", "identity")
    }
    async with AppClient(token=fake.app_token, **reach) as client:
        assert len(await client.auction("kqgy").price_history(limit=200)) == 200
    assert sizes["gzip"] < sizes["identity"] / 4


def headers(fake: FakeApi, encoding: str) -> dict[str, str]:
    return {"authorization": f"Bearer {fake.app_token}", "accept-encoding": encoding}


async def test_gzip_is_unpacked() -> None:
    with raw_server(answer(gzip.compress(EMISSION), content_encoding="gzip")) as server:
        async with AppClient(token="t", base_url=server.url) as client:
            assert (await client.emission()).previous_start.day == 5


async def test_gzip_that_is_none_is_a_decode_error() -> None:
    with raw_server(answer(b"not gzip at all", content_encoding="gzip")) as server:
        async with AppClient(token="t", base_url=server.url, retry=None) as client:
            with pytest.raises(exceptions.DecodeError, match="can't be decompressed") as caught:
                await client.emission()
    assert caught.value.url == f"{server.url}/ru/emission"


async def test_a_body_beyond_the_limit_is_a_decode_error() -> None:
    Config.MAX_BODY = 1000
    bomb = gzip.compress(b" " * 100_000)
    with raw_server(answer(bomb, content_encoding="gzip")) as server:
        async with AppClient(token="t", base_url=server.url) as client:
            with pytest.raises(exceptions.DecodeError, match=r"larger than Config\.MAX_BODY, 1000 bytes") as caught:
                await client.emission()
    assert caught.value.url == f"{server.url}/ru/emission"


async def test_an_answer_that_never_comes_ends_in_time(fake: FakeApi, url: str) -> None:
    fake.fail("*", "delay", delay=float("inf"))
    async with AppClient(token=fake.app_token, base_url=url, timeout=2.0) as client:
        with pytest.raises(exceptions.RequestTimeoutError, match="did not respond in time") as caught:
            await client.emission()
    assert not caught.value.connecting
    assert caught.value.__cause__ is not None
    assert len(fake.requests) == 1, "a timeout is not tried again"


async def test_a_refused_connection_is_a_transport_error() -> None:
    with raw_server() as server:
        pass
    async with AppClient(token="t", base_url=server.url, retry=Retry(attempts=2, backoff=0.0)) as client:
        with pytest.raises(exceptions.TransportError, match=r"no response from 127\.0\.0\.1") as caught:
            await client.emission()
    assert isinstance(caught.value.__cause__, httpx.ConnectError)
    assert not isinstance(caught.value, exceptions.RequestTimeoutError)


@pytest.mark.parametrize("fault", ["reset", "cut"])
async def test_a_broken_connection_is_a_transport_error(fake: FakeApi, reach: dict[str, Any], fault: Any) -> None:
    fake.fail("*", fault)
    async with AppClient(token=fake.app_token, retry=None, **reach) as client:
        with pytest.raises(exceptions.TransportError) as caught:
            await client.emission()
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, exceptions.BadRequestError),
        (401, exceptions.UnauthorizedError),
        (403, exceptions.ForbiddenError),
        (404, exceptions.NotFoundError),
        (409, exceptions.ClientError),
        (429, exceptions.RateLimitError),
        (500, exceptions.ServerError),
        (503, exceptions.ServerError),
    ],
)
async def test_every_error_status_has_its_error(
    fake: FakeApi, reach: dict[str, Any], status: int, kind: type[exceptions.RequestError]
) -> None:
    fake.fail("*", status=status, body=b'{"title":"Oh","status":0,"details":{"a":"b","c":1}}', headers={"X-Ray": "7"})
    async with AppClient(token=fake.app_token, retry=None, **reach) as client:
        with pytest.raises(kind) as caught:
            await client.emission()
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.method, error.message) == (status, "GET", "Oh: a: b, c: 1")
    assert error.data == {"title": "Oh", "status": 0, "details": {"a": "b", "c": 1}}
    assert error.headers["x-ray"] == "7"
    seconds = "; possible again in 60.0 s" if status == 429 else ""
    assert str(error) == f"{status} Oh: a: b, c: 1{seconds} (GET {error.url})"


async def test_the_page_of_a_proxy_is_told_by_its_title(fake: FakeApi, reach: dict[str, Any]) -> None:
    fake.fail("*", "html")
    async with AppClient(token=fake.app_token, retry=None, **reach) as client:
        with pytest.raises(exceptions.ServerError, match="502 Bad gateway") as caught:
            await client.emission()
    assert caught.value.data.startswith("<!DOCTYPE html>")


async def test_a_page_of_html_with_status_200_is_a_decode_error(fake: FakeApi, reach: dict[str, Any]) -> None:
    fake.fail("*", "html", status=200)
    async with AppClient(token=fake.app_token, **reach) as client:
        for call in (client.emission, client.regions, client.clans, client.auction("zyv9").lots):
            with pytest.raises(exceptions.DecodeError, match="HTML page") as caught:
                await call()
            assert caught.value.body.startswith(b"<!DOCTYPE html>")


async def test_half_a_body_is_a_decode_error(fake: FakeApi, reach: dict[str, Any]) -> None:
    fake.fail("*", "broken_json")
    async with AppClient(token=fake.app_token, **reach) as client:
        with pytest.raises(exceptions.DecodeError) as caught:
            await client.auction("kqgy").price_history()
    assert (caught.value.model, caught.value.status) == ("AuctionPrice", 200)
    assert caught.value.body.startswith(b'{"total":82319,"prices":[')


async def test_a_redirect_on_the_same_host_is_followed(fake: FakeApi, reach: dict[str, Any]) -> None:
    fake.fail("/ru/emission", status=307, headers={"Location": "/eu/emission"})
    async with AppClient(token=fake.app_token, **reach) as client:
        assert (await client.emission()).previous_start
    assert [seen.path for seen in fake.requests] == ["/ru/emission", "/eu/emission"]


async def test_a_redirect_to_another_host_is_not_followed(fake: FakeApi, reach: dict[str, Any]) -> None:
    fake.fail("/ru/emission", status=302, body=b"", headers={"Location": "https://elsewhere.test/"})
    async with AppClient(token=fake.app_token, **reach) as client:
        with pytest.raises(exceptions.RequestError, match=r"redirected to https://elsewhere\.test/") as caught:
            await client.emission()
    assert type(caught.value) is exceptions.RequestError
    assert len(fake.requests) == 1


async def test_a_loop_of_redirects_ends(fake: FakeApi, reach: dict[str, Any]) -> None:
    fake.fail("*", status=301, body=b"", headers={"Location": "/ru/emission"})
    async with AppClient(token=fake.app_token, **reach) as client:
        with pytest.raises(exceptions.RequestError):
            await client.emission()
    assert len(fake.requests) == 6
