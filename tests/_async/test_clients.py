"""A client from its construction to its end."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scapi import BaseUrl, Config, RateLimit, exceptions
from scapi._api import demo_tokens
from scapi._async import AppClient, UserClient
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_httpx import HTTPXMock

CALM = {"previousStart": "2026-08-05T00:00:00Z"}


def recorder(seen: list[httpx.Request], status: int = 200) -> httpx.AsyncClient:
    """An HTTP client that keeps the requests and answers all of them alike."""

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, json=CALM)

    return httpx.AsyncClient(transport=httpx.MockTransport(respond))


# ── credentials ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_token_and_a_pair_are_both_let_in(fake: FakeApi, reach: dict[str, Any]) -> None:
    async with AppClient(token=fake.app_token, **reach) as client:
        assert (await client.emission()).previous_start
    async with AppClient(client_id=fake.client_id, client_secret=fake.client_secret, **reach) as client:
        assert (await client.emission()).previous_start


async def test_wrong_credentials_are_unauthorized(reach: dict[str, Any]) -> None:
    async with AppClient(token="expired", **reach) as client:
        with pytest.raises(exceptions.UnauthorizedError) as caught:
            await client.emission()
    error = caught.value
    assert error.message == "Unauthorized: token: Corrupted or illegal authorization token"
    assert (error.status, error.method, error.data["title"]) == (401, "GET", "Unauthorized")
    assert error.url.endswith("/ru/emission")


@pytest.mark.parametrize("empty", [{}, {"token": ""}, {"token": None, "client_id": "", "client_secret": ""}])
def test_without_credentials_there_is_no_client(empty: dict[str, Any]) -> None:
    with pytest.raises(exceptions.CredentialsError, match="pass token, or client_id and client_secret"):
        AppClient(**empty)


@pytest.mark.parametrize(("half", "missing"), [("client_id", "client_secret"), ("client_secret", "client_id")])
def test_half_a_pair_is_refused_even_beside_a_token(half: str, missing: str) -> None:
    for token in ({}, {"token": "t"}):
        with pytest.raises(exceptions.CredentialsError, match=f"{missing} is missing"):
            AppClient(**{half: "x"}, **token)


async def test_of_both_the_pair_is_used(fake: FakeApi, reach: dict[str, Any]) -> None:
    with pytest.warns(UserWarning, match="the pair is used") as warned:
        client = AppClient(token="expired", client_id=fake.client_id, client_secret=fake.client_secret, **reach)
    assert len(warned) == 1
    async with client:
        assert (await client.emission()).previous_start


def test_a_user_client_needs_a_token() -> None:
    with pytest.raises(exceptions.CredentialsError):
        UserClient(token="")
    with pytest.raises(exceptions.CredentialsError, match="pass token, or set SCAPI_USER_TOKEN"):
        UserClient()


async def test_from_env_takes_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[httpx.Request] = []
    monkeypatch.setenv("SCAPI_TOKEN", "from-the-environment")
    await AppClient.from_env(http_client=recorder(seen), region="eu").emission()
    assert seen[0].headers["authorization"] == "Bearer from-the-environment"
    assert seen[0].url.path == "/eu/emission"


async def test_from_env_takes_a_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[httpx.Request] = []
    monkeypatch.setenv("SCAPI_CLIENT_ID", "7")
    monkeypatch.setenv("SCAPI_CLIENT_SECRET", "s3")
    await AppClient.from_env(http_client=recorder(seen)).emission()
    assert (seen[0].headers["client-id"], seen[0].headers["client-secret"]) == ("7", "s3")
    assert "authorization" not in seen[0].headers


def test_from_env_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(exceptions.CredentialsError, match="SCAPI_TOKEN"):
        AppClient.from_env()
    monkeypatch.setenv("SCAPI_CLIENT_ID", "7")
    with pytest.raises(exceptions.CredentialsError, match="client_secret is missing"):
        AppClient.from_env()


async def test_without_arguments_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[httpx.Request] = []
    monkeypatch.setenv("SCAPI_CLIENT_ID", "7")
    monkeypatch.setenv("SCAPI_CLIENT_SECRET", "s3")
    monkeypatch.setenv("SCAPI_USER_TOKEN", "player")
    await AppClient(http_client=recorder(seen)).emission()
    await UserClient(http_client=recorder(seen)).emission()
    await UserClient.from_env(http_client=recorder(seen), region="eu").emission()
    assert seen[0].headers["client-secret"] == "s3"
    assert [request.headers["authorization"] for request in seen[1:]] == ["Bearer player"] * 2
    assert seen[2].url.path == "/eu/emission"


@pytest.mark.parametrize("given", [{"token": "t"}, {"client_id": "i", "client_secret": "s"}, {"token": ""}])
def test_who_passes_credentials_gets_none_of_the_environment(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SCAPI_TOKEN", "SCAPI_CLIENT_ID", "SCAPI_CLIENT_SECRET"):
        monkeypatch.setenv(name, "x")
    if given == {"token": ""}:
        with pytest.raises(exceptions.CredentialsError, match=r"no credentials.*run: python -m scapi\.testing program"):
            AppClient(**given)
    else:
        # Of a token and a pair together the pair would be used, with a warning.
        assert ("token=" in repr(AppClient(**given))) is ("token" in given)


@pytest.mark.parametrize(("kind", "token"), [(AppClient, demo_tokens.APP_TOKEN), (UserClient, demo_tokens.USER_TOKEN)])
async def test_demo_goes_to_the_demo_host_with_its_published_token(
    kind: Callable[..., Any], token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCAPI_BASE_URL", "https://elsewhere.test")
    seen: list[httpx.Request] = []
    await kind.demo(http_client=recorder(seen)).emission()
    assert str(seen[0].url) == f"{BaseUrl.DEMO}/ru/emission"
    assert seen[0].headers["authorization"] == f"Bearer {token}"


async def test_demo_may_have_another_host() -> None:
    seen: list[httpx.Request] = []
    await AppClient.demo(base_url=BaseUrl.STALCRAFT_DEMO, http_client=recorder(seen)).emission()
    assert seen[0].url.host == "dapi.stalcraft.net"


# ── where to ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def host_of(**options: Any) -> str:
    seen: list[httpx.Request] = []
    await AppClient(token="t", http_client=recorder(seen), **options).emission()
    return str(seen[0].url.copy_with(path="/"))


async def test_the_host_is_that_of_the_argument_then_of_config_then_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await host_of() == "https://eapi.stalzone.com/"
    monkeypatch.setenv("SCAPI_BASE_URL", "https://environment.test/")
    assert await host_of() == "https://environment.test/"
    Config.BASE_URL = BaseUrl.STALCRAFT
    assert await host_of() == "https://eapi.stalcraft.net/"
    assert await host_of(base_url="https://argument.test") == "https://argument.test/"


async def test_a_host_may_be_behind_a_path() -> None:
    seen: list[httpx.Request] = []
    await AppClient(token="t", base_url="https://proxy.test/stalzone/", http_client=recorder(seen)).emission()
    assert str(seen[0].url) == "https://proxy.test/stalzone/ru/emission"


# ── an HTTP client of the caller's ────────────────────────────────────────────────────────────────────────────────────


async def test_a_borrowed_http_client_is_never_closed() -> None:
    borrowed = recorder([])
    async with AppClient(token="t", http_client=borrowed) as client:
        await client.emission()
    await client.close()
    assert not borrowed.is_closed
    assert (await borrowed.get("https://host.test")).status_code == 200


async def test_a_borrowed_http_client_keeps_its_own_settings() -> None:
    seen: list[httpx.Request] = []
    borrowed = recorder(seen)
    borrowed.headers["X-Mine"], borrowed.timeout = "1", httpx.Timeout(7)
    borrowed.cookies.set("c", "2")
    await AppClient(token="t", http_client=borrowed).emission()
    await AppClient(token="t", http_client=borrowed, timeout=3).emission()
    assert (seen[0].headers["x-mine"], seen[0].headers["cookie"]) == ("1", "c=2")
    assert [request.extensions["timeout"]["read"] for request in seen] == [7, 3]


@pytest.mark.parametrize("wrong", ["client", 5, object()], ids=["text", "number", "object"])
def test_what_is_no_http_client_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="http_client must be an httpx"):
        AppClient(token="t", http_client=wrong)


async def test_pytest_httpx_stands_in_for_our_own_connections(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url="https://eapi.stalzone.com/eu/emission", json=CALM)
    async with AppClient(token="t", region="eu") as client:
        emission = await client.emission()
    assert emission.previous_start.year == 2026
    assert httpx_mock.get_requests()[0].headers["authorization"] == "Bearer t"


# ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_closed_client_says_so(app: AppClient, fake: FakeApi) -> None:
    await app.emission()
    await app.close()
    await app.close()
    with pytest.raises(exceptions.ClosedError, match="the client is closed"):
        await app.emission()
    assert len(fake.requests) == 1


async def test_an_error_inside_the_block_gets_out_of_it(fake: FakeApi, reach: dict[str, Any]) -> None:
    with pytest.raises(ZeroDivisionError):
        async with AppClient(token=fake.app_token, **reach) as client:
            raise ZeroDivisionError
    with pytest.raises(exceptions.ClosedError, match="closed"):
        await client.emission()


# ── the budget ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_rate_limit_is_unknown_before_the_first_answer(app: AppClient) -> None:
    assert app.ratelimit == RateLimit(limit=None, remaining=None, reset=None)
    await app.regions()
    assert app.ratelimit == RateLimit(), "regions tells nothing of limits"


async def test_the_rate_limit_is_that_of_the_last_answer(fake: FakeApi, reach: dict[str, Any]) -> None:
    fake.add_token("small", limit=50)
    fake.add_token("small-user", kind="user", limit=20)
    async with AppClient(token="small", **reach) as app, UserClient(token="small-user", **reach) as user:
        await app.emission()
        await app.auction("zyv9").lots(limit=1)
        await user.emission()
        assert (app.ratelimit.limit, app.ratelimit.remaining) == (50, 47)
        assert (user.ratelimit.limit, user.ratelimit.remaining) == (20, 19)
        assert app.ratelimit.reset is not None
        assert app.ratelimit.reset.utcoffset() is not None
        assert 0 < (app.ratelimit.reset - fake.now).total_seconds() <= 60


# ── what it looks like, and where it can go ───────────────────────────────────────────────────────────────────────────


def test_repr_tells_host_and_region_and_no_secret() -> None:
    app = AppClient(client_id="77", client_secret="hush", base_url=BaseUrl.DEMO, region="eu")
    user = UserClient(token="hush")
    assert repr(app) == (
        "AppClient(Credentials(client_id=***, client_secret=***), base_url='https://dapi.stalzone.com', region=eu)"
    )
    assert repr(user) == "UserClient(Credentials(token=***), base_url='https://eapi.stalzone.com', region=None)"
    assert repr(app.auction("zyv9")) == "AuctionEndpoint('zyv9')"
    assert repr(app.clan("c-1")) == "ClanEndpoint('c-1')"
    assert repr(user.clan("c-1")) == "UserClanEndpoint('c-1')"


async def test_a_client_goes_through_a_pickle(fake: FakeApi, url: str) -> None:
    for client in (AppClient(token=fake.app_token, base_url=url, region="na"), UserClient(token=fake.user_token)):
        twin = pickle.loads(pickle.dumps(client))  # our own pickle
        assert type(twin) is type(client)
        assert repr(twin) == repr(client)
    async with pickle.loads(pickle.dumps(AppClient(token=fake.app_token, base_url=url, region="na"))) as twin:
        await twin.emission()
    assert fake.requests[-1].path == "/na/emission"


async def test_a_client_with_a_borrowed_http_client_does_not_pickle() -> None:
    with pytest.raises(TypeError, match="with an http_client of your own can't be pickled"):
        pickle.dumps(AppClient(token="t", http_client=recorder([])))


def test_the_documented_example_of_fake_api_builds_a_client() -> None:
    fake = FakeApi()
    http_client = httpx.AsyncClient(transport=fake.transport())
    assert isinstance(AppClient(token=fake.app_token, http_client=http_client), AppClient)
