from __future__ import annotations

import logging
import pickle
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from scapi._async import UserClient
from scapi.exceptions import (
    ClosedError,
    CredentialsError,
    RequestTimeoutError,
    ScApiException,
    ServerError,
    TokenNotSavedError,
    UnauthorizedError,
)
from scapi.testing import FakeApi
from tests.support.tracebacks import rich_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapi.models import UserToken

pytestmark = pytest.mark.socket


@pytest.fixture
def fake() -> FakeApi:
    return FakeApi(user_limit=10_000)


@pytest.fixture
def url(fake: FakeApi) -> Iterator[str]:
    with fake.serve() as url:
        yield url


def client_of(fake: FakeApi, url: str, token: str | UserToken, **options: Any) -> UserClient:
    return UserClient(
        token=token,
        client_id=fake.client_id,
        client_secret=fake.client_secret,
        base_url=url,
        oauth_url=f"{url}/oauth",
        **options,
    )


def paths(fake: FakeApi) -> list[tuple[str, int]]:
    return [(seen.path, seen.status) for seen in fake.requests]


def almost_expired(token: UserToken) -> UserToken:
    return msgspec.structs.replace(token, expires_at=datetime.now(UTC) + timedelta(seconds=30))


# ── when it is renewed ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_token_that_is_about_to_expire_is_renewed_before_the_call(fake: FakeApi, url: str) -> None:
    saved: list[UserToken] = []
    token = fake.oauth.issue(fake.now)
    async with client_of(fake, url, almost_expired(token), on_token=saved.append) as client:
        await client.characters()
        await client.characters()
    assert paths(fake) == [("/oauth/token", 200), ("/ru/characters", 200), ("/ru/characters", 200)]
    (new,) = saved
    assert new.access_token != token.access_token
    assert new.refresh_token != token.refresh_token
    assert not new.is_expired


async def test_a_cached_response_needs_no_renewal_and_is_no_other_users(fake: FakeApi, url: str) -> None:
    token = fake.oauth.issue(fake.now)
    cache = {"characters": 600}
    async with (
        client_of(fake, url, almost_expired(token), cache=cache) as client,
        client_of(fake, url, fake.oauth.issue(fake.now), cache=cache) as another,
    ):
        first = await client.characters()
        assert await client.characters() == first
        await another.characters()
    assert paths(fake) == [("/oauth/token", 200), ("/ru/characters", 200), ("/ru/characters", 200)]


async def test_when_a_bare_token_expires_is_read_off_it(url: str, fake: FakeApi) -> None:
    fake.oauth.expires_in = 0
    token = fake.oauth.issue(datetime.now(UTC))
    fake.oauth.expires_in = 3600
    async with client_of(fake, url, token.access_token, refresh_token=token.refresh_token) as client:
        await client.characters()
    assert paths(fake) == [("/oauth/token", 200), ("/ru/characters", 200)]


async def test_a_short_life_is_not_spent_on_renewals(fake: FakeApi, url: str) -> None:
    fake.oauth.expires_in = 20
    async with client_of(fake, url, almost_expired(fake.oauth.issue(fake.now))) as client:
        await client.characters()
        await client.characters()
    assert fake.oauth.renewals == 0


async def test_a_token_that_lives_no_time_is_still_used_once_per_renewal(fake: FakeApi, url: str) -> None:
    fake.oauth.expires_in = 0
    token = fake.oauth.issue(fake.now)
    async with client_of(fake, url, token) as client:
        with pytest.raises(UnauthorizedError):
            await client.characters()
    assert fake.oauth.renewals <= 2


async def test_a_refused_token_is_renewed_and_the_call_goes_on(fake: FakeApi, url: str) -> None:
    saved: list[UserToken] = []
    token = fake.oauth.issue(fake.now)
    fake.oauth.revoke(token.access_token)
    async with client_of(fake, url, token, on_token=saved.append) as client:
        assert await client.characters()
        before = client.ratelimit
        assert await client.friends("YourCharacterName") is not None
        # The budget went on, because the user is the same.
        assert before.remaining is not None
        assert (client.ratelimit.remaining or 0) < before.remaining
    assert paths(fake)[:3] == [("/ru/characters", 401), ("/oauth/token", 200), ("/ru/characters", 200)]
    assert len(saved) == 1


async def test_an_opaque_token_is_renewed_when_it_is_refused(fake: FakeApi, url: str) -> None:
    token = fake.oauth.issue(fake.now)
    async with client_of(fake, url, "opaque", refresh_token=token.refresh_token, retry=None) as client:
        assert await client.characters()
    assert fake.oauth.renewals == 1


async def test_a_renewal_that_does_not_help_is_not_repeated(fake: FakeApi, url: str) -> None:
    fake.fail("/ru/friends/*", status=401)
    async with client_of(fake, url, fake.oauth.issue(fake.now)) as client:
        for _ in range(3):
            with pytest.raises(UnauthorizedError):
                await client.friends("YourCharacterName")
        # The token itself is good, so that another 401 doesn't cost a new pair each time.
        assert fake.oauth.renewals == 1
        await client.characters()
        assert len(fake.requests) == 6


async def test_a_client_that_cannot_renew_says_that_the_token_is_refused(fake: FakeApi, url: str) -> None:
    token = fake.oauth.issue(fake.now)
    fake.oauth.revoke(token.access_token)
    async with UserClient(token=token, base_url=url) as client:
        with pytest.raises(UnauthorizedError):
            await client.characters()
    assert len(fake.requests) == 1


# ── when it is not ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_refused_renewal_is_final(fake: FakeApi, url: str) -> None:
    async with client_of(fake, url, "stale", refresh_token="unknown") as client:
        for _ in range(3):
            with pytest.raises(UnauthorizedError, match=r"could not be renewed: .*Unknown refresh token") as refused:
                await client.characters()
        assert refused.value.data["error"] == "invalid_grant"
        assert refused.value.__cause__ is not None
    assert [path for path, _ in paths(fake)].count("/oauth/token") == 1


async def test_a_refusal_with_400_is_an_unauthorized_error_too(fake: FakeApi, url: str) -> None:
    fake.fail("/oauth/token", status=400, body='{"error": "invalid_grant", "hint": "Token has been revoked"}')
    async with client_of(fake, url, "stale", refresh_token="x") as client:
        with pytest.raises(UnauthorizedError, match="invalid_grant: Token has been revoked"):
            await client.characters()


async def test_a_failure_that_passes_is_tried_again_by_the_next_call(fake: FakeApi, url: str) -> None:
    token = almost_expired(fake.oauth.issue(fake.now))
    fake.fail("/oauth/token", status=503, times=1)
    fake.fail("/oauth/token", "html", times=1)
    fake.fail("/oauth/token", status=429, times=1)
    fake.fail("/oauth/token", "delay", delay=20, times=1)
    # Over the transport, waiting takes no time.
    http_client = httpx.AsyncClient(transport=fake.transport())
    async with client_of(fake, url, token, timeout=2.5, http_client=http_client) as client, http_client:
        for kind in (ServerError, ServerError, Exception, RequestTimeoutError):
            with pytest.raises(kind):
                await client.characters()
    fake.heal()
    # The one that timed out had been carried out all the same: nobody can know, and the pair is lost.
    assert fake.oauth.renewals == 1


# ── on_token ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_token_that_could_not_be_saved_is_in_the_error_and_handed_over_again(fake: FakeApi, url: str) -> None:
    saved: list[UserToken] = []
    full = [True]

    def save(token: UserToken) -> None:
        if full[0]:
            raise OSError("disk full")
        saved.append(token)

    async with client_of(fake, url, almost_expired(fake.oauth.issue(fake.now)), on_token=save) as client:
        with pytest.raises(TokenNotSavedError) as failed:
            await client.characters()
        assert isinstance(failed.value, CredentialsError)
        assert isinstance(failed.value.__cause__, OSError)
        token = failed.value.token
        with pytest.raises(TokenNotSavedError) as again:
            await client.characters()
        assert again.value.token == token
        full[0] = False
        await client.characters()
    assert saved == [token]
    # Not one call went on before the token was saved, and it was renewed once.
    assert paths(fake) == [("/oauth/token", 200), ("/ru/characters", 200)]
    text = f"{failed.value!r} {failed.value} {failed.value.__dict__} {pickle.dumps(failed.value)!r}"
    assert token.access_token not in text
    assert token.refresh_token not in text
    assert pickle.loads(pickle.dumps(failed.value)).token == token


async def test_on_token_that_calls_its_own_client_does_not_hang(fake: FakeApi, url: str) -> None:
    clients: list[UserClient] = []

    async def save(token: UserToken) -> None:
        await clients[0].characters()

    def save_plainly(token: UserToken) -> object:
        return save(token)

    async with client_of(fake, url, almost_expired(fake.oauth.issue(fake.now)), on_token=save_plainly) as client:
        clients.append(client)
        with pytest.raises(TokenNotSavedError) as failed:
            await client.characters()
    assert "must not call the client" in str(failed.value.__cause__)


# ── construction ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"refresh_token": "r"}, "of the application are missing"),
        ({"refresh_token": "r", "client_id": "i"}, "client_secret is missing"),
        ({"refresh_token": "r", "client_secret": "s"}, "client_id is missing"),
        ({"client_id": "i", "client_secret": "s"}, "refresh_token, which is missing"),
        ({"on_token": print}, "of the application are missing"),
        ({"on_token": print, "client_id": "i", "client_secret": "s"}, "refresh_token, which is missing"),
        ({"token": None}, "no credentials"),
        ({"token": ""}, "no credentials"),
    ],
)
def test_half_of_what_renews_a_token_is_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(CredentialsError, match=complaint):
        UserClient(**{"token": "t", **options})


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"on_token": "print"}, "on_token must be a function"),
        ({"refresh_token": 7}, "refresh_token must be a string, not int"),
        ({"token": 7}, "token must be a string, not int"),
        ({"client_id": 7}, "client_id must be a string, not int"),
    ],
)
def test_what_is_no_token_and_no_function_is_refused(options: dict[str, Any], complaint: str) -> None:
    given = {"token": "t", "refresh_token": "r", "client_id": "i", "client_secret": "s", **options}
    with pytest.raises(TypeError, match=complaint):
        UserClient(**given)


async def test_a_client_that_renews_survives_pickling(fake: FakeApi, url: str) -> None:
    token = fake.oauth.issue(fake.now)
    client = client_of(fake, url, almost_expired(token))
    pickled = pickle.dumps(client)
    for secret in (token.access_token, token.refresh_token, fake.client_secret):
        assert secret.encode() not in pickled
        assert secret not in repr(client)
    async with pickle.loads(pickled) as twin:
        assert await twin.characters()
    assert fake.oauth.renewals == 1


async def test_a_renewal_goes_over_an_http_client_of_ones_own(fake: FakeApi) -> None:
    async with httpx.AsyncClient(transport=fake.transport()) as http_client:
        token = almost_expired(fake.oauth.issue(fake.now))
        client = client_of(fake, "https://anywhere.test", token, http_client=http_client)
        assert await client.characters()
        await client.close()
    assert fake.oauth.renewals == 1


async def test_a_renewal_logs_nothing_secret(fake: FakeApi, url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "scapi")
    token = fake.oauth.issue(fake.now)
    saved: list[UserToken] = []
    async with client_of(fake, url, almost_expired(token), on_token=saved.append) as client:
        await client.characters()
    for pair in (token, *saved):
        assert pair.access_token not in caplog.text
        assert pair.refresh_token not in caplog.text


async def test_a_closed_client_renews_nothing(fake: FakeApi, url: str) -> None:
    client = client_of(fake, url, almost_expired(fake.oauth.issue(fake.now)))
    await client.close()
    with pytest.raises(ClosedError, match="closed"):
        await client.characters()
    assert fake.requests == []


# ── secrets ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def told_by(error: BaseException) -> str:
    """All that an error tells, a traceback with local variables included, but for the frames of this file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    assert trace is not None
    text = rich_text(error.with_traceback(trace))
    assert " locals " in text
    return f"{text}{error!r}{error}{error.__dict__}{error.__cause__!r}"


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": "no URL"},
        {"oauth_url": "no URL"},
        {"http_client": object()},
        {"on_token": 7},
        {"client_id": ""},
        {"client_secret": "top-secret\n"},
        {"token": "top-secret\n"},
        {"retry": "often"},
    ],
)
def test_a_client_that_cannot_be_made_shows_no_secret(options: dict[str, Any]) -> None:
    secrets = {"token": "top-secret-1", "refresh_token": "top-secret-2", "client_secret": "top-secret-3"}
    with pytest.raises((ValueError, TypeError, CredentialsError)) as failed:
        UserClient(**{"client_id": "id", **secrets, **options})
    assert "top-secret" not in told_by(failed.value)


async def test_a_renewal_that_fails_shows_no_secret(fake: FakeApi, url: str) -> None:
    fake.client_secret = "top-secret-of-the-application"
    fake.fail("/oauth/token", "reset", times=1)
    fake.fail("/oauth/token", status=200, body='{"access_token": "top-secret-new", "expires_in": "soon"}', times=1)
    fake.fail("/oauth/token", status=500, body="top-secret-of-the-application top-secret-refresh", times=1)
    told: list[str] = []
    async with client_of(fake, url, "top-secret-access", refresh_token="top-secret-refresh") as client:
        for _ in range(4):
            with pytest.raises(ScApiException) as failed:
                await client.characters()
            told.append(told_by(failed.value))
    assert [text for text in told if "top-secret" in text] == []


async def test_a_token_that_could_not_be_saved_is_not_shown_either(fake: FakeApi, url: str) -> None:
    saved: list[UserToken] = []

    def save(token: UserToken) -> None:
        saved.append(token)
        raise OSError("disk full")

    async with client_of(fake, url, almost_expired(fake.oauth.issue(fake.now)), on_token=save) as client:
        with pytest.raises(TokenNotSavedError) as failed:
            await client.characters()
    text = told_by(failed.value)
    assert saved[0].access_token not in text
    assert saved[0].refresh_token not in text
    assert fake.client_secret not in text
