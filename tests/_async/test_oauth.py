from __future__ import annotations

import errno
import io
import logging
import pickle
import socket
import socketserver
import struct
import threading
import webbrowser
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from rich.console import Console

from scapi import models
from scapi._async import AppClient, OAuthClient, UserClient
from scapi.exceptions import (
    BadRequestError,
    CredentialsError,
    DecodeError,
    LoginError,
    ScApiException,
    TransportError,
    UnauthorizedError,
)
from scapi.testing import FakeApi
from tests.support.tracebacks import rich_text
from tests.support.wire import PLAIN, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.socket


@pytest.fixture
def fake() -> FakeApi:
    return FakeApi()


@pytest.fixture
def url(fake: FakeApi) -> Iterator[str]:
    with fake.serve() as url:
        yield url


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Response]:
    """What the browser showed: a plain HTTP client plays it."""
    shown: list[httpx.Response] = []

    def open_page(url: str) -> bool:
        shown.append(browse(url))
        return True

    monkeypatch.setattr(webbrowser, "open", open_page)
    return shown


def browse(url: str) -> httpx.Response:
    return httpx.get(url, follow_redirects=True, trust_env=False, verify=PLAIN, timeout=60)


def location(url: str) -> str:
    return httpx.get(url, trust_env=False, verify=PLAIN, timeout=60).headers["location"]


def client_of(fake: FakeApi, url: str, **options: object) -> OAuthClient:
    return OAuthClient(
        client_id=fake.client_id,
        client_secret=fake.client_secret,
        base_url=f"{url}/oauth",
        **options,  # type: ignore[arg-type]
    )


def no_browser(url: str) -> bool:
    return False


# ── the login ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_login_ends_in_a_token_that_opens_the_api(
    fake: FakeApi, url: str, port: int, pages: list[httpx.Response]
) -> None:
    async with client_of(fake, url) as oauth:
        token = await oauth.login(port=port, login_timeout=60)
        user = await oauth.validate_user_token(token)
    assert user.login == "your_login"
    assert timedelta(days=364) < token.expires_at - datetime.now(UTC) <= timedelta(days=365)
    assert not token.is_expired
    async with UserClient(token=token, base_url=url) as client:
        assert [character.info.name for character in await client.characters()]


async def test_the_browser_is_told_that_this_was_all_and_told_nothing_else(
    fake: FakeApi, url: str, port: int, pages: list[httpx.Response]
) -> None:
    async with client_of(fake, url) as oauth:
        token = await oauth.login(port=port, login_timeout=60)
    # The browser may get its page a moment later than we the token.
    assert wait_until(lambda: bool(pages))
    (page,) = pages
    assert page.status_code == 200
    assert "close this window" in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    code = parse_qs(page.url.query.decode())["code"][0]
    assert code not in page.text
    assert token.access_token not in page.text


async def test_the_port_is_free_again_after_a_login(
    fake: FakeApi, url: str, port: int, pages: list[httpx.Response]
) -> None:
    before = threading.active_count()
    async with client_of(fake, url) as oauth:
        await oauth.login(port=port, login_timeout=60)
        await oauth.login(port=port, login_timeout=60)
    assert threading.active_count() <= before + 1
    with socket.create_server(("127.0.0.1", port)):
        pass


async def test_other_requests_to_the_port_are_no_redirects(
    fake: FakeApi, url: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses: list[int] = []

    def nosy(target: str) -> bool:
        here = f"http://127.0.0.1:{port}"
        # Browsers open connections that they never use, and ask for icons.
        with socket.create_connection(("127.0.0.1", port)):
            strays = ("/favicon.ico", "/callback", "/other?code=1&state=2")
            statuses.extend(browse(here + path).status_code for path in strays)
            browse(target)
        return True

    monkeypatch.setattr(webbrowser, "open", nosy)
    async with client_of(fake, url) as oauth:
        assert await oauth.login(port=port, login_timeout=60)
    assert statuses == [404, 404, 404]


async def test_a_browser_that_hangs_up_bothers_nobody(
    fake: FakeApi, url: str, port: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def hasty(target: str) -> bool:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /callback?code=top-secret")
            # Closable it sends a reset.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        browse(target)
        return True

    monkeypatch.setattr(webbrowser, "open", hasty)
    async with client_of(fake, url) as oauth:
        assert await oauth.login(port=port, login_timeout=60)
    assert capfd.readouterr() == ("", "")


async def test_a_redirect_uri_may_be_of_ipv6(fake: FakeApi, url: str, pages: list[httpx.Response]) -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
            port = listener.getsockname()[1]
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with client_of(fake, url, redirect_uri=f"http://[::1]:{port}/callback") as oauth:
        assert await oauth.login(login_timeout=60)


async def test_a_stranger_without_the_state_neither_ends_a_login_nor_is_thanked(
    fake: FakeApi, url: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[httpx.Response] = []

    def forge(target: str) -> bool:
        here, real = f"http://localhost:{port}/callback", location(target)
        # What the picture of any web page can ask for while the user logs in.
        shown.extend(map(browse, (f"{here}?error=x", f"{here}?error=x&state=x", f"{here}?code=x&state=")))
        shown.append(browse(real.replace("state=", "state=x")))
        assert browse(real).status_code == 200
        return True

    monkeypatch.setattr(webbrowser, "open", forge)
    async with client_of(fake, url) as oauth:
        assert await oauth.login(port=port, login_timeout=60)
    assert [page.status_code for page in shown] == [404] * 4
    assert not any("close this window" in page.text for page in shown)
    assert [seen.path for seen in fake.requests] == ["/oauth/authorize", "/oauth/token"]


async def test_a_pasted_redirect_with_another_state_is_refused_and_its_code_not_used(
    fake: FakeApi, url: str, port: int
) -> None:
    def paste(prompt: str) -> str:
        where = next(word for word in prompt.split() if word.startswith(f"{url}/oauth/authorize?"))
        return location(where).replace("state=", "state=x")

    async with client_of(fake, url) as oauth:
        with pytest.raises(LoginError, match="another state"):
            await oauth.login(port=port, login_timeout=60, open_browser=False, ask=paste)
    assert [seen.path for seen in fake.requests] == ["/oauth/authorize"]


@pytest.mark.parametrize(
    "name", ["evil.test", "evil.test:{port}", "localhost:1", "localhost", "x.localhost:{port}", "[", ""]
)
async def test_a_foreign_name_of_this_machine_opens_nothing(
    fake: FakeApi, url: str, port: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses: list[int] = []

    def rebound(target: str) -> bool:
        real = location(target)
        answer = httpx.get(real, headers={"Host": name.format(port=port)}, trust_env=False, verify=PLAIN, timeout=60)
        statuses.append(answer.status_code)
        browse(real)
        return True

    monkeypatch.setattr(webbrowser, "open", rebound)
    async with client_of(fake, url) as oauth:
        assert await oauth.login(port=port, login_timeout=60)
    assert statuses == [421]


def ipv6(port: int = 0) -> socket.socket:
    """A listener at the other address of `localhost`."""
    try:
        return socket.create_server(("::1", port), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")


async def test_both_addresses_of_localhost_are_listened_at(
    fake: FakeApi, url: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ipv6().close()

    def prefer_ipv6(target: str) -> bool:
        return browse(location(target).replace("localhost", "[::1]")).status_code == 200

    monkeypatch.setattr(webbrowser, "open", prefer_ipv6)
    async with client_of(fake, url) as oauth:
        assert await oauth.login(port=port, login_timeout=60)
    # Both are free again.
    ipv6(port).close()
    socket.create_server(("127.0.0.1", port)).close()


async def test_the_other_address_of_localhost_is_left_to_nobody_else(fake: FakeApi, url: str, port: int) -> None:
    with ipv6(port):
        async with client_of(fake, url) as oauth:
            with pytest.raises(LoginError, match=f"can't listen on port {port} of ::1"):
                await oauth.login(port=port, login_timeout=60)
    socket.create_server(("127.0.0.1", port)).close()


async def test_a_machine_without_ipv6_is_listened_at_where_it_can_be(
    fake: FakeApi, url: str, port: int, pages: list[httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    bind = socketserver.TCPServer.server_bind

    def without_ipv6(server: socketserver.TCPServer) -> None:
        if server.address_family == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        bind(server)

    monkeypatch.setattr(socketserver.TCPServer, "server_bind", without_ipv6)
    async with client_of(fake, url) as oauth:
        assert await oauth.login(port=port, login_timeout=60)


async def test_a_code_is_of_use_to_nobody_but_the_login_that_it_answers(
    fake: FakeApi, url: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    thefts: list[httpx.Response] = []

    def overhear(target: str) -> bool:
        asked, real = parse_qs(urlsplit(target).query), location(target)
        assert asked["code_challenge_method"] == ["S256"]
        form = {
            "grant_type": "authorization_code", "client_id": fake.client_id, "client_secret": fake.client_secret,
            "code": parse_qs(urlsplit(real).query)["code"][0], "redirect_uri": f"http://localhost:{port}/callback",
        }  # fmt: skip
        guess = {"code_verifier": asked["code_challenge"][0]}
        thefts.extend(
            httpx.post(f"{url}/oauth/token", data=data, trust_env=False, verify=PLAIN, timeout=60)
            for data in (form, form | guess)
        )
        browse(real)
        return True

    monkeypatch.setattr(webbrowser, "open", overhear)
    async with client_of(fake, url) as oauth:
        assert await oauth.login(port=port, login_timeout=60)
    assert [theft.json()["hint"] for theft in thefts] == ["Failed to verify `code_verifier`"] * 2


async def test_a_login_whose_proof_the_server_echoes_shows_it_nowhere(
    fake: FakeApi, url: str, port: int, pages: list[httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_urlsafe", lambda _: "top-secret-verifier-of-forty-three-letters")
    echo = '{"error": "x", "error_description": "top-secret-verifier-of-forty-three-letters"}'
    fake.fail("/oauth/token", status=400, body=echo)
    async with client_of(fake, url) as oauth:
        with pytest.raises(BadRequestError) as failed:
            await oauth.login(port=port, login_timeout=60)
    assert str(failed.value).startswith("400 *** (POST ")


async def test_a_login_that_the_user_refuses_says_so(
    fake: FakeApi, url: str, port: int, pages: list[httpx.Response]
) -> None:
    fake.oauth.refusal = "access_denied"
    async with client_of(fake, url) as oauth:
        with pytest.raises(LoginError, match="access_denied: The user refused") as refused:
            await oauth.login(port=port, login_timeout=60)
    assert refused.value.error == "access_denied"
    assert isinstance(refused.value, CredentialsError)


async def test_a_taken_port_is_named(fake: FakeApi, url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with client_of(fake, url) as oauth:
            with pytest.raises(LoginError, match=rf"port {port} .*login\(port=\.\.\.\)"):
                await oauth.login(port=port, login_timeout=60)


async def test_a_login_that_nobody_makes_ends_in_time(
    fake: FakeApi, url: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda url: True)
    async with client_of(fake, url) as oauth:
        with pytest.raises(LoginError, match=r"nobody logged in within 0\.05 seconds"):
            await oauth.login(port=port, login_timeout=0.05)


@pytest.mark.parametrize("open_browser", [True, False])
async def test_without_a_browser_the_redirect_is_pasted(
    fake: FakeApi, url: str, port: int, monkeypatch: pytest.MonkeyPatch, open_browser: bool
) -> None:
    monkeypatch.setattr(webbrowser, "open", no_browser)
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        where = next(word for word in prompt.split() if word.startswith(f"{url}/oauth/authorize?"))
        return f"  {location(where)}\n"

    async with client_of(fake, url) as oauth:
        token = await oauth.login(port=port, login_timeout=60, open_browser=open_browser, ask=ask)
    assert token.refresh_token
    assert f"http://localhost:{port}/callback" in prompts[0]


async def test_a_browser_that_fails_is_as_good_as_none(
    fake: FakeApi, url: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(url: str) -> bool:
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "open", fail)
    async with client_of(fake, url) as oauth:
        with pytest.raises(LoginError, match="neither code nor error"):
            await oauth.login(port=port, login_timeout=60, ask=lambda prompt: "what?")


async def test_the_end_of_the_input_ends_the_login(fake: FakeApi, url: str, port: int) -> None:
    def ask(prompt: str) -> str:
        raise EOFError

    async with client_of(fake, url) as oauth:
        with pytest.raises(LoginError, match="no redirect was pasted: EOFError") as failed:
            await oauth.login(port=port, login_timeout=60, open_browser=False, ask=ask)
    assert isinstance(failed.value.__cause__, EOFError)


async def test_only_a_redirect_to_this_machine_can_be_listened_for(fake: FakeApi, url: str) -> None:
    async with client_of(fake, url, redirect_uri="https://example.com/back") as oauth:
        with pytest.raises(ValueError, match="redirect_uri must be a plain http URI of localhost"):
            await oauth.login()
        with pytest.raises(ValueError, match="timeout"):
            await oauth.login(login_timeout=0)
    async with client_of(fake, url) as oauth:
        with pytest.raises(ValueError, match="port must be an integer from 1 to 65535"):
            await oauth.login(port=0)


# ── a web page of one's own ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_web_page_of_ones_own_can_do_it_by_hand(fake: FakeApi, url: str) -> None:
    async with client_of(fake, url, redirect_uri="https://example.com/back?a=b") as oauth:
        where = oauth.get_authorize_url()
        query = parse_qs(urlsplit(where).query, keep_blank_values=True)
        assert query["scope"] == [""]
        assert query["response_type"] == ["code"]
        assert query["state"] == [where.state]
        back = location(where)
        assert back.startswith("https://example.com/back?a=b&code=")
        answer = parse_qs(urlsplit(back).query)
        assert answer["state"] == [where.state]
        token = await oauth.get_user_token(answer["code"][0])
        assert (await oauth.validate_user_token(token.access_token)).id == 1


def test_a_state_is_new_each_time_unless_it_is_given() -> None:
    oauth = OAuthClient(client_id="id", client_secret="secret")
    assert oauth.get_authorize_url().state != oauth.get_authorize_url().state
    assert len(oauth.get_authorize_url().state) >= 43
    given = oauth.get_authorize_url(state="a&b")
    assert given.state == "a&b"
    assert given.startswith("https://exbo.net/oauth/authorize?client_id=id&")
    assert given.endswith("&state=a%26b")
    # A web page keeps it until the user is back.
    assert repr(type(given)) == "<class 'scapi.AuthorizeUrl'>"
    assert pickle.loads(pickle.dumps(given)).state == "a&b"


async def test_a_code_buys_one_token_and_no_second_one(fake: FakeApi, url: str) -> None:
    async with client_of(fake, url) as oauth:
        code = parse_qs(urlsplit(location(oauth.get_authorize_url())).query)["code"][0]
        token = await oauth.get_user_token(code)
        with pytest.raises(BadRequestError, match="used before") as refused:
            await oauth.get_user_token(code)
        assert refused.value.data["error"] == "invalid_grant"
        # The fake takes a code that comes twice for a stolen one, as servers do.
        with pytest.raises(UnauthorizedError):
            await oauth.validate_user_token(token)


async def test_a_code_expires(fake: FakeApi, url: str) -> None:
    async with client_of(fake, url) as oauth:
        code = parse_qs(urlsplit(location(oauth.get_authorize_url())).query)["code"][0]
        fake.advance(601)
        with pytest.raises(BadRequestError, match="The grant is not valid: The code has expired"):
            await oauth.get_user_token(code)


async def test_a_code_belongs_to_the_redirect_uri_of_its_login(fake: FakeApi, url: str) -> None:
    async with client_of(fake, url) as here, client_of(fake, url, redirect_uri="http://localhost/other") as there:
        code = parse_qs(urlsplit(location(here.get_authorize_url())).query)["code"][0]
        with pytest.raises(BadRequestError, match="redirect URI"):
            await there.get_user_token(code)


async def test_an_unregistered_redirect_uri_is_refused_before_the_login(fake: FakeApi, url: str) -> None:
    fake.oauth.redirect_uris = ("http://localhost:1/callback",)
    async with client_of(fake, url) as oauth:
        assert browse(oauth.get_authorize_url()).status_code == 401


# ── tokens ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_application_gets_a_token_of_its_own(fake: FakeApi, url: str) -> None:
    async with client_of(fake, url) as oauth:
        token = await oauth.get_app_token()
    assert type(token) is models.AppToken
    assert token.token_type == "Bearer"
    assert token.expires_in == 31_536_000
    async with AppClient(token=token.access_token, base_url=url) as client:
        await client.emission()


async def test_a_token_is_renewed_once_and_the_old_pair_is_dead(fake: FakeApi, url: str) -> None:
    async with client_of(fake, url) as oauth:
        first = fake.oauth.issue(fake.now)
        second = await oauth.refresh_user_token(first)
        assert second.access_token != first.access_token
        with pytest.raises(UnauthorizedError, match="used before") as refused:
            await oauth.refresh_user_token(first.refresh_token)
        assert refused.value.data["error"] == "invalid_grant"
        with pytest.raises(UnauthorizedError):
            await oauth.validate_user_token(first)
        assert await oauth.validate_user_token(second)


async def test_the_wrong_secret_is_refused_in_the_servers_words(fake: FakeApi, url: str) -> None:
    async with OAuthClient(client_id=fake.client_id, client_secret="wrong", base_url=f"{url}/oauth") as oauth:
        with pytest.raises(UnauthorizedError, match="Client authentication failed") as refused:
            await oauth.get_app_token()
    assert refused.value.method == "POST"
    assert refused.value.data["error"] == "invalid_client"


async def test_nothing_is_ever_sent_twice(fake: FakeApi, url: str) -> None:
    for status in (429, 502, 503):
        fake.fail("/oauth/token", status=status, times=1)
        async with client_of(fake, url) as oauth:
            with pytest.raises(ScApiException):
                await oauth.get_app_token()
    fake.fail("/oauth/token", "reset", times=1)
    async with client_of(fake, url) as oauth:
        with pytest.raises(TransportError):
            await oauth.get_app_token()
    assert len(fake.requests) == 4


@pytest.mark.parametrize(
    "body",
    [
        '{"access_token": "top-secret-token"}',
        '{"access_token": "top-secret-token", "expires_in": "top-secret-token"}',
        '{"access_token": "top-secret-token", "expires_in": 1e300}',
        '{"access_token": "top-secret-token", "expires_in": 10, "token_type": 7}',
        '{"access_token": "top-secret-token", "expires_in"',
        '["top-secret-token"]',
        '"top-secret-token"',
        "null",
        "<html>top-secret-token</html>",
        "",
    ],
)
async def test_an_answer_that_is_no_token_is_an_error_that_shows_nothing(fake: FakeApi, url: str, body: str) -> None:
    fake.fail("/oauth/token", status=200, body=body)
    async with client_of(fake, url) as oauth:
        with pytest.raises(DecodeError) as failed:
            await oauth.get_app_token()
    assert "top-secret" not in told_by(failed.value)


async def test_a_token_outlives_the_program_only_when_asked_to(fake: FakeApi) -> None:
    token = fake.oauth.issue(fake.now)
    saved = token.to_json()
    assert token.access_token in saved
    assert models.UserToken.from_json(saved) == token
    with pytest.raises(ValueError, match=r"text must be what UserToken\.to_json\(\) returned"):
        models.UserToken.from_json('{"access_token": "x"}')


def test_an_http_client_of_ones_own_reaches_the_fake_without_a_socket() -> None:
    fake = FakeApi()
    oauth = client_of(fake, "https://anywhere.test", http_client=httpx.AsyncClient(transport=fake.transport()))
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(oauth)


# ── construction ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_credentials_are_needed_and_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCAPI_CLIENT_ID", raising=False)
    monkeypatch.delenv("SCAPI_CLIENT_SECRET", raising=False)
    with pytest.raises(CredentialsError, match="of the application are missing"):
        OAuthClient.from_env()
    monkeypatch.setenv("SCAPI_CLIENT_ID", "me")
    with pytest.raises(CredentialsError, match="client_secret is missing"):
        OAuthClient.from_env()
    monkeypatch.setenv("SCAPI_CLIENT_SECRET", "hush")
    oauth = OAuthClient.from_env(redirect_uri="http://localhost:1/")
    assert "client_id=me&redirect_uri=http%3A%2F%2Flocalhost%3A1%2F" in oauth.get_authorize_url()
    assert "hush" not in repr(oauth)


@pytest.mark.parametrize("given", ["", None, b"top-secret"])
async def test_what_is_no_code_and_no_token_is_refused_before_anything_is_sent(
    fake: FakeApi, url: str, given: Any
) -> None:
    async with client_of(fake, url) as oauth:
        with pytest.raises(ValueError, match=r"^code must be a non-empty string$") as failed:
            await oauth.get_user_token(given)
        assert "top-secret" not in told_by(failed.value)
        with pytest.raises(ValueError, match=r"^refresh_token must be a non-empty string$") as failed:
            await oauth.refresh_user_token(given)
        assert "top-secret" not in told_by(failed.value)
        with pytest.raises((TypeError, CredentialsError)) as refused:
            await oauth.validate_user_token(given)
        assert "top-secret" not in told_by(refused.value)
    assert fake.requests == []


@pytest.mark.parametrize("redirect_uri", ["", "callback", "http://localhost/#x", 7])
def test_a_redirect_uri_must_be_one(redirect_uri: str) -> None:
    with pytest.raises(ValueError, match="redirect_uri must be"):
        OAuthClient(client_id="id", client_secret="secret", redirect_uri=redirect_uri)


async def test_a_client_survives_pickling(fake: FakeApi, url: str) -> None:
    pickled = pickle.dumps(client_of(fake, url))
    assert fake.client_secret.encode() not in pickled
    async with pickle.loads(pickled) as oauth:
        assert await oauth.get_app_token()


# ── secrets ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def told_by(error: BaseException) -> str:
    """All that an error tells, a traceback with local variables included, but for the frames of this file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    assert trace is not None
    text = rich_text(error.with_traceback(trace))
    assert " locals " in text
    return f"{text}{error!r}{error}{error.__dict__}{error.__cause__!r}{pickle.dumps(error)!r}"


async def test_no_error_shows_a_secret(fake: FakeApi, url: str) -> None:
    fake.client_secret = "top-secret-of-the-application"
    for sent in ("", " top-secret-code", " top-secret-refresh"):
        # A server that tells everything that it was sent.
        echo = '{"error": "x", "error_description": "top-secret-of-the-application%s"}'
        fake.fail("/oauth/token", status=400, body=echo % sent, times=1)
    fake.fail("/oauth/token", "reset", times=3)
    told: list[str] = []
    async with client_of(fake, url) as oauth:
        for _ in range(2):
            with pytest.raises(ScApiException) as failed:
                await oauth.get_app_token()
            told.append(told_by(failed.value))
            with pytest.raises(ScApiException) as failed:
                await oauth.get_user_token("top-secret-code")
            told.append(told_by(failed.value))
            with pytest.raises(ScApiException) as failed:
                await oauth.refresh_user_token("top-secret-refresh")
            told.append(told_by(failed.value))
        with pytest.raises(UnauthorizedError) as failed:
            await oauth.validate_user_token("top-secret-token")
        told.append(told_by(failed.value))
    assert [text for text in told if "top-secret" in text] == []
    assert "400 ***" in told[0]
    assert "400 *** ***" in told[1]


def test_no_token_is_shown_by_accident(fake: FakeApi) -> None:
    token = fake.oauth.issue(fake.now)
    console = Console(file=io.StringIO(), width=400)
    console.print(token, {"held": [token]})
    file = console.file
    assert isinstance(file, io.StringIO)
    texts = (repr(token), str(token), f"{token}", repr([token]), file.getvalue(), repr(pickle.dumps(token)))
    for text in texts:
        assert token.access_token not in text
        assert token.refresh_token not in text
    assert "expires_at=2027-08-19 12:00:00+00:00" in repr(token)
    assert pickle.loads(pickle.dumps(token)) == token


async def test_a_login_logs_nothing_secret(
    fake: FakeApi, url: str, port: int, pages: list[httpx.Response], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "scapi")
    async with client_of(fake, url) as oauth:
        token = await oauth.login(port=port, login_timeout=60)
    assert wait_until(lambda: bool(pages))
    code = parse_qs(pages[0].url.query.decode())["code"][0]
    ours = "".join(record.getMessage() for record in caplog.records if record.name == "scapi")
    for secret in (code, token.access_token, token.refresh_token, fake.client_secret):
        assert secret not in ours
