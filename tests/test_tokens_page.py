"""The examples of docs/tokens.md, unchanged, against the fake."""

from __future__ import annotations

import asyncio
import re
import socket
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

import scapi
import scapi.sync
from scapi.models import UserToken
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.socket

PAGE = (Path(__file__).parents[1] / "docs/tokens.md").read_text(encoding="utf-8")
LOGIN, LOGIN_SYNC, RENEWAL, RENEWAL_SYNC, WEB, WEB_SYNC, FAKE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    """A fake at which the clients of both worlds arrive that name no host, and a folder to save tokens in."""
    fake = FakeApi()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCAPI_CLIENT_ID", fake.client_id)
    monkeypatch.setenv("SCAPI_CLIENT_SECRET", fake.client_secret)
    with fake.serve() as url:
        monkeypatch.setenv("SCAPI_BASE_URL", url)
        monkeypatch.setattr(scapi.config.BaseUrl.OAUTH, "_value_", f"{url}/oauth")
        yield fake


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser, and a free port for it to come back to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for oauth_client in (scapi.OAuthClient, scapi.sync.OAuthClient):
        monkeypatch.setattr(oauth_client, "login", login_at(oauth_client.login, port))
    monkeypatch.setattr(webbrowser, "open", lambda url: browse(url).is_success)


def login_at(login: Any, port: int) -> Any:
    return lambda self: login(self, port=port, timeout=10)


def browse(url: str) -> httpx.Response:
    return httpx.get(url, follow_redirects=True, trust_env=False)


def run(example: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(example, "docs/tokens.md", "exec", dont_inherit=True), names)  # noqa: S102  # this is what examples are for
    return names


@pytest.mark.parametrize(("login", "renewal"), [(LOGIN, RENEWAL), (LOGIN_SYNC, RENEWAL_SYNC)])
@pytest.mark.usefixtures("browser")
def test_from_the_first_click_to_the_renewal(
    fake: FakeApi, capsys: pytest.CaptureFixture[str], login: str, renewal: str
) -> None:
    run(login)
    assert capsys.readouterr().out.startswith("your_login is logged in until ")
    first = UserToken.from_json(Path("token.json").read_text())
    fake.oauth.revoke(first.access_token)
    run(renewal)
    assert "YourCharacterName" in capsys.readouterr().out
    assert UserToken.from_json(Path("token.json").read_text()) != first
    assert fake.oauth.renewals == 1


@pytest.mark.parametrize("example", [WEB, WEB_SYNC])
def test_a_web_page_of_your_own(fake: FakeApi, example: str) -> None:
    page = run(example)
    session: dict[str, str] = {}
    location = httpx.get(page["start"](session), trust_env=False).headers["location"]
    query = dict(parse_qsl(urlsplit(location).query))

    async def visit(query: dict[str, str]) -> Any:
        # One event loop for all of it, because the example's client is never closed.
        token = page["back"](dict(session), query)
        return await token if asyncio.iscoroutine(token) else token

    async def visits() -> None:
        with pytest.raises(PermissionError):
            await visit({**query, "state": "another"})
        assert isinstance(await visit(query), UserToken)
        closed = page["oauth"].close()
        if closed is not None:
            await closed

    asyncio.run(visits())


def test_without_an_account(capsys: pytest.CaptureFixture[str]) -> None:
    run(FAKE)
    assert "YourCharacterName" in capsys.readouterr().out
