"""What a program hears of each answer, and how it names itself."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import scapi
from scapi import Retry, exceptions
from scapi._async import AppClient, UserClient
from scapi._async.oauth import OAuthClient
from scapi.models import UserToken
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi.models import ResponseInfo

FRESH = {"previousStart": "2026-08-05T00:00:00Z"}


def client_of(answer: Callable[[httpx.Request], httpx.Response], **options: Any) -> AppClient:
    return AppClient(
        token="top-secret-token", http_client=httpx.AsyncClient(transport=httpx.MockTransport(answer)), **options
    )


async def test_each_answer_is_told(fake: FakeApi, reach: dict[str, Any]) -> None:
    fake.add_token("told", limit=50)
    heard: list[ResponseInfo] = []
    async with AppClient(token="told", on_response=heard.append, region="eu", **reach) as client:
        await client.emission()
        await client.auction("zyv9").lots(limit=1)
        with pytest.raises(exceptions.NotFoundError):
            await client.profile("nobody at all")
    assert [(info.operation, info.path, info.status) for info in heard] == [
        ("emission", "/eu/emission", 200),
        ("lots", "/eu/auction/zyv9/lots", 200),
        ("profile", "/eu/character/by-name/nobody%20at%20all/profile", 404),
    ]
    assert [info.remaining for info in heard] == [49, 47, 45]
    assert all(info.method == "GET" and info.attempts == 1 and info.seconds >= 0 for info in heard)
    assert heard[0].headers["content-type"].startswith("application/json")


async def test_each_attempt_is_told_with_what_the_call_has_waited() -> None:
    fake = FakeApi()
    fake.fail("*", status=503, times=2)
    heard: list[ResponseInfo] = []
    retry = Retry(attempts=3, backoff=0.01)
    http_client = httpx.AsyncClient(transport=fake.transport())
    await AppClient(token=fake.app_token, http_client=http_client, retry=retry, on_response=heard.append).emission()
    assert [(info.status, info.attempts) for info in heard] == [(503, 1), (503, 2), (200, 3)]
    assert heard[0].waited <= heard[1].waited <= heard[2].waited


async def test_headers_show_neither_credentials_nor_cookies() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=FRESH, headers={"X-Echo": "top-secret-token", "Set-Cookie": "session=1"})

    heard: list[ResponseInfo] = []
    await client_of(answer, on_response=heard.append).emission()
    assert (heard[0].headers["x-echo"], heard[0].headers["set-cookie"]) == ("***", "***")


async def test_it_is_called_in_the_thread_of_the_call(fake: FakeApi, reach: dict[str, Any]) -> None:
    threads: list[int] = []
    hook = lambda _: threads.append(threading.get_ident())  # noqa: E731  # a plain function, as short as it can be
    async with AppClient(token=fake.app_token, on_response=hook, **reach) as client:
        await client.emission()
    assert threads == [threading.get_ident()]


async def test_what_it_raises_is_logged_once_and_dropped(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[ResponseInfo] = []

    def fail(info: ResponseInfo) -> None:
        calls.append(info)
        raise ZeroDivisionError("of the program's")

    client = client_of(lambda _: httpx.Response(200, json=FRESH), on_response=fail)
    for _ in range(3):
        assert (await client.emission()).previous_start
    assert len(calls) == 3
    assert [record.levelname for record in caplog.records if "on_response" in record.message] == ["ERROR"]


async def test_a_view_has_one_of_its_own() -> None:
    here: list[ResponseInfo] = []
    there: list[ResponseInfo] = []
    client = client_of(lambda _: httpx.Response(200, json=FRESH), on_response=here.append)
    await client.with_options(on_response=there.append).emission()
    await client.with_options(on_response=None).emission()
    await client.emission()
    assert (len(here), len(there)) == (1, 1)


def test_what_can_not_be_called_is_refused() -> None:
    with pytest.raises(TypeError, match="on_response must be a function, not str"):
        UserClient(token="t", on_response="print")  # type: ignore[arg-type]  # that is what is tested


# ── logins and renewals ───────────────────────────────────────────────────────────────────────────────────────────────

PAIR = {"token_type": "Bearer", "expires_in": 3600, "access_token": "new", "refresh_token": "next-secret"}


def oauth_server(seen: list[str]) -> Callable[[httpx.Request], httpx.Response]:
    """What answers renewals and calls, and keeps the names of the programs that ask."""

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["user-agent"])
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json=PAIR, headers={"X-Echo": "old-secret"})
        return httpx.Response(200, json=[])

    return answer


async def test_a_renewal_is_told_and_names_the_program(fake: FakeApi) -> None:
    heard: list[ResponseInfo] = []
    seen: list[str] = []
    client = UserClient(
        token=UserToken(access_token="old", refresh_token="old-secret", expires_in=60, expires_at=datetime.now(UTC)),
        client_id="id",
        client_secret="secret",
        user_agent="market-bot/1.2",
        on_response=heard.append,
        http_client=httpx.AsyncClient(transport=httpx.MockTransport(oauth_server(seen))),
    )
    await client.characters()
    assert [(info.method, info.operation, info.status) for info in heard] == [
        ("POST", "oauth_token", 200),
        ("GET", "characters", 200),
    ]
    assert (heard[0].path, heard[0].headers["x-echo"], heard[0].attempts) == ("/oauth/token", "***", 1)
    assert seen == [f"market-bot/1.2 scapi/{scapi.__version__}"] * 2


async def test_an_oauth_client_tells_of_its_answers_and_names_the_program() -> None:
    heard: list[ResponseInfo] = []
    seen: list[str] = []
    http_client = httpx.AsyncClient(transport=httpx.MockTransport(oauth_server(seen)))
    options: dict[str, Any] = {"client_id": "id", "client_secret": "secret", "http_client": http_client}
    await OAuthClient(**options, on_response=heard.append, user_agent="site/3").refresh_user_token("old-secret")
    await OAuthClient(**options).refresh_user_token("old-secret")
    assert [(info.operation, info.headers["x-echo"]) for info in heard] == [("oauth_token", "***")]
    assert [name.partition(" ")[0] for name in seen] == ["site/3", f"scapi/{scapi.__version__}"]


@pytest.mark.parametrize(
    ("option", "wrong", "kind"), [("on_response", 7, TypeError), ("user_agent", "two\nlines", ValueError)]
)
def test_an_oauth_client_refuses_what_it_can_not_use(option: str, wrong: Any, kind: type[Exception]) -> None:
    options: dict[str, Any] = {option: wrong}
    with pytest.raises(kind, match=option):
        OAuthClient(client_id="id", client_secret="secret", **options)


async def test_what_the_cache_answers_is_not_told() -> None:
    heard: list[ResponseInfo] = []
    client = client_of(lambda _: httpx.Response(200, json=FRESH), on_response=heard.append, cache=True)
    for _ in range(3):
        await client.emission()
    assert len(heard) == 1


# ── the program's name ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_name_of_the_program_stands_before_ours() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["user-agent"])
        return httpx.Response(200, json=FRESH)

    await client_of(answer, user_agent="market-bot/1.2 (+https://example.test)").emission()
    await client_of(answer).emission()
    ours = f"scapi/{scapi.__version__}"
    assert seen == [f"market-bot/1.2 (+https://example.test) {ours}", ours]


@pytest.mark.parametrize("wrong", ["", "two\nlines", 7, " x "])
def test_a_name_that_can_not_be_sent_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="user_agent must be printable ASCII"):
        AppClient(token="t", user_agent=wrong)


# ── the log ───────────────────────────────────────────────────────────────────────────────────────────────────────────

LOGGING = """
import logging
from scapi.sync import AppClient
{before}
AppClient(token="t")
logging.getLogger("scapi").info("told")
logging.getLogger("scapi").debug("whispered")
"""


def said(level: str, before: str = "") -> str:
    code = LOGGING.format(before=before)
    command = [sys.executable, "-c", code]
    path = {"PYTHONPATH": ":".join(sys.path), "SCAPI_LOG": level}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=path)  # noqa: S603  # our own code
    return done.stderr


@pytest.mark.parametrize(("level", "words"), [("", []), ("info", ["told"]), ("DEBUG", ["told", "whispered"])])
def test_the_environment_switches_the_log_on(level: str, words: list[str]) -> None:
    assert [line.split()[-1] for line in said(level).splitlines()] == words


def test_a_program_that_logs_keeps_its_handlers() -> None:
    before = "logging.basicConfig(format='mine %(message)s')"
    assert said("info", before).splitlines() == ["mine told"]


def test_another_level_is_refused() -> None:
    assert "SCAPI_LOG must be info or debug, not 'loud'" in said("loud")
