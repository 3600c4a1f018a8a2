"""No client, error, log, pickle or traceback of either world ever shows a token or a secret."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import pickle
import re
import socket
import sys
import tempfile
import traceback
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import scapi
import scapi.sync
from scapi import Config, Retry, exceptions, files
from scapi._http import httpx_adapter
from scapi._http.credentials import Credentials
from scapi._http.messages import HttpRequest
from tests.raw_server import answer, raw_server
from tests.support.tracebacks import rich_text
from tests.worlds.both import WORLDS, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi.testing import FakeApi

#: A global, so that no frame of a test has it as a local variable.
SECRET = "eyJS3CR3T.S3CR3T.S3CR3T"
NEEDLE = "S3CR3T"

CREDENTIALS: dict[str, dict[str, str]] = {
    "token": {"token": SECRET},
    "pair": {"client_id": "7", "client_secret": SECRET},
}

each_world = pytest.mark.parametrize("world", WORLDS, ids=str)
each_kind = pytest.mark.parametrize("kind", CREDENTIALS)


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder of a test stays behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def renderings(error: BaseException, *, thorough: bool = True) -> dict[str, str]:
    """An error in every way that tools show one; but for the slow ones, which show the same, unless thorough."""
    shown = {
        "str": str(error),
        "repr": repr(error),
        "attributes": repr(vars(error)),
        "traceback": "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()),
        "chain": _chain(error),
    }
    if isinstance(error, exceptions.ScApiException):
        shown["pickle"] = pickle.dumps(error).decode("latin-1")
    # What is spelled with escapes is as good as told.
    shown["unescaped"] = re.sub(r"\\+u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), "".join(shown.values()))
    if thorough:
        shown["rich"] = rich_text(error)
    if thorough and sys.version_info < (3, 13):
        shown["cgitb"] = _cgitb(error)
    return shown


def _cgitb(error: BaseException) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import cgitb
    # It shows the globals that a source line names too, and the lines of this file name SECRET.
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(str(Path(__file__).parent)):
        trace = trace.tb_next
    return cgitb.text((type(error), error, trace))


def _chain(error: BaseException) -> str:
    """The locals of all errors before this one, those that are suppressed included."""
    before = error.__cause__ or error.__context__
    if before is None:
        return ""
    lines = traceback.TracebackException.from_exception(before, capture_locals=True).format()
    return "".join(lines) + _chain(before)


def leaks(error: BaseException, *, thorough: bool = True) -> list[str]:
    # The test's own source lines say SECRET, never NEEDLE's value.
    return [way for way, text in renderings(error, thorough=thorough).items() if NEEDLE in text]


def raised(act: Callable[[], Any]) -> BaseException:
    try:
        act()
    except BaseException as error:  # noqa: BLE001  # whatever it is, it must not tell
        return error
    pytest.fail("there was no error")


def test_a_leak_would_be_found() -> None:
    def leaky(token: str) -> None:
        raise ValueError("oops")

    error = raised(lambda: leaky(SECRET))
    assert set(leaks(error)) >= {"traceback", "rich"}
    assert leaks(exceptions.TransportError(SECRET)) != []


# ── clients ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@each_world
@each_kind
def test_a_client_and_its_endpoints_show_no_secret(world: World, kind: str) -> None:
    client = world.api.AppClient(**CREDENTIALS[kind])
    shown = [client, client.auction("zyv9"), client.clan("c"), client._session, client._session.credentials, [client]]
    for thing in shown:
        assert NEEDLE not in f"{thing!r} {thing!s} {thing:}" if not isinstance(thing, list) else repr(thing)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert NEEDLE.encode() not in pickle.dumps(client, protocol)


@each_world
def test_a_user_client_shows_no_secret(world: World) -> None:
    client = world.api.UserClient(token=SECRET)
    assert NEEDLE not in f"{client!r} {client!s} {client.clan('c')!r}"
    assert NEEDLE.encode() not in pickle.dumps(client)


WRONG: dict[str, Callable[[Any], Any]] = {
    "region": lambda api: api.AppClient(token=SECRET, region="xx"),
    "half a pair": lambda api: api.AppClient(client_secret=SECRET),
    "half a pair and a token": lambda api: api.AppClient(token=SECRET, client_id="7"),
    "timeout": lambda api: api.AppClient(client_id="7", client_secret=SECRET, timeout=-1),
    "json": lambda api: api.AppClient(token=SECRET, json="yes"),
    "retry": lambda api: api.AppClient(token=SECRET, retry="3"),
    "base_url": lambda api: api.AppClient(token=SECRET, base_url="nonsense"),
    "http_client": lambda api: api.AppClient(token=SECRET, http_client=5),
    "line break": lambda api: api.AppClient(token=SECRET + "\n"),
    "line break in a pair": lambda api: api.AppClient(client_id="7", client_secret=SECRET + "\r\nX: 1"),
    "bytes": lambda api: api.AppClient(token=SECRET.encode()),
    "user": lambda api: api.UserClient(token=SECRET, region="xx"),
    "user line break": lambda api: api.UserClient(token=SECRET + " "),
    "environment": lambda api: api.AppClient.from_env(region="xx"),
    "environment of OAuth": lambda api: api.OAuthClient.from_env(timeout=-1),
    "oauth": lambda api: api.OAuthClient(client_id="7", client_secret=SECRET, redirect_uri="nowhere"),
    "oauth bytes": lambda api: api.OAuthClient(client_id="7", client_secret=SECRET.encode()),
    "refresh token": lambda api: api.UserClient(token="t", refresh_token=SECRET),
    "refresh token bytes": lambda api: api.UserClient(token="t", refresh_token=SECRET.encode(), client_id="7"),
    "github": lambda api: api.GitHubClient(token=SECRET, repository="nonsense"),
    "github line break": lambda api: api.GitHubClient(token=SECRET + "\n"),
    "proxy": lambda api: api.AppClient(token="t", proxy=f"http://user:{SECRET}@proxy.test", timeout=-1),
    "proxy of OAuth": lambda api: api.OAuthClient(client_id="7", client_secret="s", proxy=SECRET.encode()),
    "proxy of GitHub": lambda api: api.GitHubClient(proxy=f"http://user:{SECRET}@proxy.test", branch=""),
    "wrapped": lambda api: api.AppClient(token=scapi.Secret(SECRET + "\n")),
    "a file of bytes": lambda api: files.write_text("a", SECRET.encode()),
    "a file without a name": lambda api: files.write_text("", SECRET),
}


@each_world
@pytest.mark.parametrize("what", WRONG)
def test_a_constructor_that_fails_tells_nothing(world: World, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCAPI_TOKEN", SECRET)
    monkeypatch.setenv("SCAPI_CLIENT_SECRET", SECRET)
    error = raised(lambda: WRONG[what](world.api))
    assert isinstance(error, ValueError | TypeError | exceptions.CredentialsError)
    assert leaks(error) == []


def test_a_file_that_cannot_be_written_tells_nothing(tmp_path: Path) -> None:
    error = raised(lambda: files.write_text(tmp_path / "no" / "a", SECRET, private=True))
    assert isinstance(error, FileNotFoundError)
    # cgitb itself fails over an OSError.
    assert leaks(error, thorough=False) == []
    assert NEEDLE not in rich_text(error)


def test_a_header_that_cannot_be_sent_tells_nothing() -> None:
    http_request = HttpRequest("https://h.test", Credentials(token=SECRET), extra={"X": "a\nb"})
    assert leaks(raised(lambda: httpx_adapter.request(http_request, {}))) == []
    http_request = HttpRequest("https://h.test", Credentials(token=SECRET + "\n"))
    assert leaks(raised(lambda: httpx_adapter.request(http_request, {}))) == []


@each_world
def test_the_warning_about_both_tells_nothing(world: World) -> None:
    with pytest.warns(UserWarning, match="the pair is used") as warned:
        world.api.AppClient(token=SECRET, client_id="7", client_secret=SECRET)
    assert NEEDLE not in str(warned[0])


# ── calls ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

ECHO = f"<title>{SECRET}</title> you sent Authorization: Bearer {SECRET}".encode()

FAULTS: dict[str, dict[str, Any]] = {
    "401": {"status": 401, "body": f'{{"title":"bad","details":{{"token":"{SECRET}"}}}}'},
    "429": {"status": 429, "body": ECHO},
    "500": {"status": 500, "body": ECHO, "headers": {"X-Echo": SECRET}},
    "redirect": {"status": 302, "body": ECHO, "headers": {"Location": f"https://elsewhere.test/?token={SECRET}"}},
    "undecodable": {"status": 200, "body": ECHO},
    "json of another shape": {"status": 200, "body": f'{{"currentStart": "{SECRET}"}}'},
    "a list": {"status": 200, "body": f'["{SECRET}"]'},
    "empty": {"fault": "empty"},
    "cut": {"fault": "cut"},
    "reset": {"fault": "reset"},
    "late": {"fault": "delay", "delay": float("inf")},
}


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest, fake: FakeApi) -> dict[str, Any]:
    """A fault, switched on."""
    fake.fail("*", **FAULTS[request.param])
    return FAULTS[request.param]


@each_world
@each_kind
def test_a_failing_call_tells_nothing(
    world: World, kind: str, fault: dict[str, Any], url: str, caplog: pytest.LogCaptureFixture
) -> None:
    options = {"base_url": url, "timeout": 0.2, "retry": Retry(attempts=2, backoff=0.0, max_wait=0.0)}
    with caplog.at_level(logging.DEBUG):
        error = raised(
            lambda: world.run(world.api.AppClient(**CREDENTIALS[kind], **options), lambda api: api.emission())
        )
    assert isinstance(error, exceptions.ScApiException)
    assert leaks(error) == []
    ours = [record for record in caplog.records if record.name == "scapi"]
    assert not [record for record in ours if NEEDLE in record.getMessage()]
    if "headers" not in fault:
        assert caplog.records, "connections are logged at this level"
        assert NEEDLE not in caplog.text


@each_world
@each_kind
def test_a_page_that_is_no_page_tells_nothing(world: World, kind: str, fake: FakeApi, url: str) -> None:
    fake.fail("*", body=f'{{"total": "{SECRET}", "lots": "{SECRET}", "data": {{}}}}')
    for call in (lambda api: api.auction("zyv9").lots(), lambda api: api.clans(), lambda api: api.regions()):
        error = raised(partial(world.run, world.api.AppClient(**CREDENTIALS[kind], base_url=url), call))
        assert isinstance(error, exceptions.DecodeError)
        assert leaks(error) == []


@each_world
def test_a_refused_connection_tells_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with raw_server() as server:
        pass
    options = {"base_url": server.url, "retry": None}
    with caplog.at_level(logging.DEBUG):
        error = raised(lambda: world.run(world.api.AppClient(token=SECRET, **options), lambda api: api.emission()))
    assert isinstance(error, exceptions.TransportError)
    assert leaks(error) == []
    assert NEEDLE not in caplog.text


@each_world
def test_a_body_beyond_the_limit_tells_nothing(world: World) -> None:
    Config.MAX_BODY = 100
    with raw_server(answer(ECHO * 10)) as server:
        error = raised(
            lambda: world.run(world.api.AppClient(token=SECRET, base_url=server.url), lambda api: api.emission())
        )
    assert isinstance(error, exceptions.DecodeError)
    assert leaks(error) == []


@each_world
def test_a_borrowed_http_client_tells_nothing(world: World, fake: FakeApi) -> None:
    fake.fail("*", "reset")
    http_client = world.http_client(transport=fake.transport())
    error = raised(
        lambda: world.run(
            world.api.AppClient(token=SECRET, http_client=http_client, retry=None), lambda api: api.emission()
        )
    )
    assert isinstance(error, exceptions.TransportError)
    assert leaks(error) == []


@each_world
def test_a_wrong_argument_of_a_call_tells_nothing(world: World) -> None:
    error = raised(lambda: world.run(world.api.AppClient(token=SECRET), lambda api: api.clans(limit=-1)))
    assert isinstance(error, ValueError)
    assert leaks(error) == []


@each_world
def test_a_closed_client_tells_nothing(world: World) -> None:
    client = world.api.AppClient(token=SECRET)

    async def _closed(api: Any) -> None:
        await api.close()
        await api.emission()

    def closed(api: Any) -> None:
        api.close()
        api.emission()

    error = raised(lambda: world.run(client, closed if world is WORLDS[1] else _closed))
    assert isinstance(error, exceptions.ClosedError)
    assert leaks(error) == []


async def test_a_cancelled_call_tells_nothing(fake: FakeApi, url: str, caplog: pytest.LogCaptureFixture) -> None:
    fake.fail("*", "delay", delay=float("inf"))
    api = WORLDS[0].api
    caught: list[BaseException] = []

    async def call(client: Any) -> None:
        try:
            await client.emission()
        except asyncio.CancelledError as error:
            caught.append(error)

    with caplog.at_level(logging.DEBUG):
        async with api.AppClient(token=SECRET, base_url=url) as client:
            task = asyncio.create_task(call(client))
            while not fake.requests:  # noqa: ASYNC110  # the fake is in another thread and has no event to wait for
                await asyncio.sleep(0.005)
            task.cancel()
            await task
    assert leaks(caught[0]) == []
    assert NEEDLE not in caplog.text


@each_world
def test_a_working_call_logs_no_secret(world: World, fake: FakeApi, url: str, caplog: pytest.LogCaptureFixture) -> None:
    fake.add_token(SECRET)
    with caplog.at_level(logging.DEBUG):
        world.run(world.api.AppClient(token=SECRET, base_url=url), lambda api: api.emission())
    assert {record.getMessage().split()[0] for record in caplog.records} >= {"connected", "GET"}
    assert NEEDLE not in caplog.text


# ── all clients, and a server that tells everything it was told ───────────────────────────────────────────────────────

SPELLED = "".join(f"\\u{ord(character):04x}" for character in SECRET)

ECHOES: dict[str, list[dict[str, Any]]] = {
    "401": [{"status": 401, "body": f'{{"title":"bad","details":{{"token":"{SECRET}"}}}}'}],
    "403 in the headers": [{"status": 403, "headers": {"X-Echo": f"Bearer {SECRET}"}}],
    "404 in a page": [{"status": 404, "body": ECHO, "headers": {"X-Echo": SECRET}}],
    "418 spelled with escapes": [{"status": 418, "body": f'{{"title":"{SPELLED}","{SPELLED}":["{SPELLED}"]}}'}],
    "429": [{"status": 429, "body": ECHO, "headers": {"Retry-After": "0", "X-Echo": SECRET}}],
    "503 in HTML's spelling": [{"status": 503, "body": f"<title>{SECRET.replace('S', '&#83;')}</title>"}],
    "a redirect elsewhere": [{"status": 302, "body": ECHO, "headers": {"Location": f"ftp://elsewhere/?t={SECRET}"}}],
    "a redirect, then nothing": [
        {"status": 302, "body": ECHO, "headers": {"Location": f"/again?t={SECRET}", "X-Echo": SECRET}, "times": 1},
        {"fault": "reset"},
    ],
    "a redirect, then an error": [
        {"status": 302, "headers": {"Location": f"/again?t={SECRET}"}, "times": 1},
        {"status": 418, "body": ECHO},
    ],
    "a redirect, then what cannot be read": [
        {"status": 302, "headers": {"Location": f"/again?t={SECRET}"}, "times": 1},
        {"status": 200, "body": ECHO},
    ],
    "200 in text": [{"status": 200, "body": ECHO, "headers": {"X-Echo": SECRET}}],
    "200 in JSON": [{"status": 200, "body": f'{{"sha": 1, "a": "{SECRET}", "{SECRET}": "{SPELLED}"}}'}],
    "200 with a list": [{"status": 200, "body": f'["{SPELLED}", "{SECRET}"]'}],
    "200 that is no text": [{"status": 200, "body": b'{"a":"\xff' + SECRET.encode() + b'"}'}],
    "200 cut off": [{"status": 200, "body": f'{{"a": "{SECRET[:-1]}'}],
    "200 cut off in gzip": [{"status": 200, "body": gzip.compress(ECHO)[:-8], "headers": {"Content-Encoding": "gzip"}}],
    "an encoding": [{"status": 200, "headers": {"Content-Encoding": SECRET}}],
}


def _of_api(url: str, **credentials: str) -> dict[str, Any]:
    return {"base_url": url, "retry": None, "pace": False, **credentials}


def _of_oauth(url: str, client_secret: str) -> dict[str, Any]:
    return {"client_id": "7", "client_secret": client_secret, "base_url": f"{url}/oauth"}


def _of_github(url: str) -> dict[str, Any]:
    return {"token": SECRET, "api_url": url, "raw_url": url}


#: What is called on which client: a name in the world's module, its arguments at a server, and the call.
ASKED: dict[str, tuple[str, Callable[[str], dict[str, Any]], Callable[[Any], Any]]] = {
    "a token": ("AppClient", lambda url: _of_api(url, token=SECRET), lambda api: api.profile("x")),
    "a pair": ("AppClient", lambda url: _of_api(url, client_id="7", client_secret=SECRET), lambda api: api.clans()),
    "a user": ("UserClient", lambda url: _of_api(url, token=SECRET), lambda api: api.profile("x")),
    "an application's token": ("OAuthClient", lambda url: _of_oauth(url, SECRET), lambda api: api.get_app_token()),
    "a code": ("OAuthClient", lambda url: _of_oauth(url, "another"), lambda api: api.get_user_token(SECRET)),
    "a renewal": ("OAuthClient", lambda url: _of_oauth(url, "another"), lambda api: api.refresh_user_token(SECRET)),
    "a check": ("OAuthClient", lambda url: _of_oauth(url, "another"), lambda api: api.validate_user_token(SECRET)),
    "a commit": ("GitHubClient", _of_github, lambda api: api.latest_commit()),
    "a difference": ("GitHubClient", _of_github, lambda api: api.diff("a", "b")),
    "a folder": ("GitHubClient", _of_github, lambda api: api.contents("ru")),
    "a name": ("GitHubClient", _of_github, lambda api: _lookup(api).id("AK-105")),
}


def _lookup(github: Any) -> Any:
    """The item database behind a client, of its world, and without copies."""
    api = scapi.sync if isinstance(github, scapi.sync.GitHubClient) else scapi
    return api.DatabaseLookup(github, cache_dir=tempfile.mkdtemp())


@each_world
@pytest.mark.parametrize("asked", ASKED)
def test_no_client_tells_what_a_server_echoes(
    world: World, asked: str, fake: FakeApi, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    name, options, call = ASKED[asked]
    told: list[str] = []
    for echo, faults in ECHOES.items():
        fake.heal()
        for fault in faults:
            fake.fail("*", **fault)
        with caplog.at_level(logging.DEBUG):
            error = raised(lambda: world.run(getattr(world.api, name)(**options(url)), call))
        assert isinstance(error, exceptions.ScApiException), echo
        if isinstance(error, exceptions.ItemNameError):
            continue  # the file could be read, and what it says isn't an echo any more
        told += [f"{echo}: {way}" for way in leaks(error, thorough=False)]
        if isinstance(error, exceptions.DecodeError):
            assert error.url.startswith(url), echo
    assert told == []
    # httpcore logs the headers of answers as they came.
    assert not [record for record in caplog.records if record.name == "scapi" and NEEDLE in record.getMessage()]


FRESH = {"access_token": f"{NEEDLE}-access", "refresh_token": f"{NEEDLE}-refresh"}

HALF_TOKENS: dict[str, dict[str, Any]] = {
    "an error status": {"status": 500, "body": json.dumps({"title": "no", **FRESH})},
    "told twice": {"status": 400, "body": json.dumps({"error": f"late {FRESH['access_token']}", "data": [FRESH]})},
    "an error status, cut off": {"status": 500, "body": json.dumps(FRESH)[:-9]},
    "no expiry": {"status": 200, "body": json.dumps(FRESH)},
    "cut off": {"status": 200, "body": json.dumps(FRESH)[:-9]},
    "no text": {"status": 200, "body": json.dumps(FRESH).encode() + b"\xff"},
    "gzip, cut off": {
        "status": 200,
        "body": gzip.compress(json.dumps({**FRESH, "expires_in": 9}).encode(), 0)[:-8],
        "headers": {"Content-Encoding": "gzip"},
    },
}


@each_world
@pytest.mark.parametrize("half", HALF_TOKENS)
def test_no_error_tells_a_new_token(world: World, half: str, fake: FakeApi, url: str) -> None:
    fake.fail("*", **HALF_TOKENS[half])
    client = world.api.OAuthClient(client_id="7", client_secret="other", base_url=f"{url}/oauth")
    for call in (
        lambda api: api.get_app_token(),
        lambda api: api.get_user_token("code"),
        lambda api: api.refresh_user_token("r"),
    ):
        error = raised(partial(world.run, client, call))
        assert isinstance(error, exceptions.ScApiException)
        assert leaks(error, thorough=False) == []


# ── what cannot be written as UTF-8 ───────────────────────────────────────────────────────────────────────────────────

BROKEN = "\udc80"

UNWRITABLE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "refresh_user_token": ("OAuthClient", lambda api: api.refresh_user_token(SECRET + BROKEN)),
    "get_user_token": ("OAuthClient", lambda api: api.get_user_token(SECRET + BROKEN)),
    "validate_user_token": ("OAuthClient", lambda api: api.validate_user_token(SECRET + BROKEN)),
    "state": ("OAuthClient", lambda api: api.get_authorize_url(state=BROKEN)),
    "a pasted redirect": ("OAuthClient", lambda api: api.login(open_browser=False, ask=_pasted, port=free_port())),
    "username": ("AppClient", lambda api: api.operations_sessions(username=BROKEN)),
    "map": ("AppClient", lambda api: api.operations_sessions(map=BROKEN)),
    "a name in the path": ("AppClient", lambda api: api.profile(BROKEN)),
    "etag": ("GitHubClient", lambda api: api.rawfile("a", etag=BROKEN)),
    "a line break in the etag": ("GitHubClient", lambda api: api.rawfile("a", etag="a\r\nX: 1")),
    "ref": ("GitHubClient", lambda api: api.rawfile("a", ref=BROKEN)),
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _pasted(text: str) -> str:
    state = re.search(r"state=([\w-]+)", text)
    return f"http://localhost/?code={SECRET}{BROKEN}&state={state[1] if state else ''}"


@each_world
@pytest.mark.parametrize("what", UNWRITABLE)
def test_what_cannot_be_written_is_refused_before_anything_is_sent(
    world: World, what: str, fake: FakeApi, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, call = UNWRITABLE[what]
    options: dict[str, dict[str, Any]] = {
        "OAuthClient": {"client_id": "7", "client_secret": "other", "base_url": url},
        "AppClient": {"token": "t", "base_url": url},
        "GitHubClient": {"api_url": url, "raw_url": url},
    }
    error = raised(lambda: world.run(getattr(world.api, name)(**options[name]), call))
    assert isinstance(error, ValueError | exceptions.CredentialsError)
    assert not isinstance(error, UnicodeError)
    assert leaks(error) == []
    assert fake.requests == []


MADE: dict[str, Callable[[Any], Any]] = {
    "refresh_token": lambda api: api.UserClient(
        token="t", refresh_token=SECRET + BROKEN, client_id="7", client_secret=SECRET
    ),
    "base_url": lambda api: api.AppClient(token=SECRET, base_url=f"https://host.test/{BROKEN}"),
    "redirect_uri": lambda api: api.OAuthClient(
        client_id="7", client_secret=SECRET, redirect_uri=f"http://localhost/{BROKEN}"
    ),
    "branch": lambda api: api.GitHubClient(token=SECRET, branch=BROKEN),
    "realm": lambda api: api.DatabaseLookup(realm=BROKEN),
}


@each_world
@pytest.mark.parametrize("what", MADE)
def test_no_client_is_made_of_what_cannot_be_written(world: World, what: str) -> None:
    error = raised(lambda: MADE[what](world.api))
    assert isinstance(error, ValueError)
    assert not isinstance(error, UnicodeError)
    assert leaks(error) == []
