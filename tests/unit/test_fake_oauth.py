"""The OAuth server of the fake, asked as a plain HTTP program would."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from scapi.testing import FakeApi

BACK = "http://localhost:1/callback"


@pytest.fixture
def fake() -> FakeApi:
    return FakeApi()


def post(fake: FakeApi, *, as_json: bool = False, **fields: str) -> tuple[int, Any]:
    form = {"client_id": fake.client_id, "client_secret": fake.client_secret, **fields}
    kind = "application/json" if as_json else "application/x-www-form-urlencoded"
    body = json.dumps(form) if as_json else urlencode(form)
    reply = fake.handle("POST", "/oauth/token", {"Content-Type": kind}, body.encode())
    return reply.status, json.loads(reply.body)


def authorize(fake: FakeApi, **query: str) -> tuple[int, dict[str, str]]:
    query = {"client_id": fake.client_id, "redirect_uri": BACK, "response_type": "code", **query}
    reply = fake.handle("GET", f"/oauth/authorize?{urlencode(query)}")
    answer = parse_qs(urlsplit(reply.headers.get("location", "")).query)
    return reply.status, {name: value for name, (value,) in answer.items()}


def lots(fake: FakeApi, token: str) -> int:
    return fake.handle("GET", "/ru/auction/zyv9/lots", {"Authorization": f"Bearer {token}"}).status


def characters(fake: FakeApi, token: str) -> int:
    return fake.handle("GET", "/ru/characters", {"Authorization": f"Bearer {token}"}).status


@pytest.mark.parametrize("as_json", [False, True])
def test_every_grant_is_taken_as_form_and_as_json(fake: FakeApi, as_json: bool) -> None:
    status, app = post(fake, as_json=as_json, grant_type="client_credentials")
    assert status == 200
    assert set(app) == {"token_type", "expires_in", "access_token"}
    assert (lots(fake, app["access_token"]), characters(fake, app["access_token"])) == (200, 401)
    _, answer = authorize(fake, state="abc")
    assert answer["state"] == "abc"
    grant = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": BACK}
    status, user = post(fake, as_json=as_json, **grant)
    assert status == 200
    assert set(user) == {"token_type", "expires_in", "access_token", "refresh_token"}
    assert characters(fake, user["access_token"]) == 200
    renewal = {"grant_type": "refresh_token", "refresh_token": user["refresh_token"]}
    status, renewed = post(fake, as_json=as_json, **renewal)
    assert status == 200
    assert (characters(fake, user["access_token"]), characters(fake, renewed["access_token"])) == (401, 200)
    assert post(fake, as_json=as_json, **renewal)[0] == 401
    assert fake.oauth.renewals == 1


def test_tokens_expire_by_the_clock_of_the_fake(fake: FakeApi) -> None:
    fake.oauth.expires_in = 60
    token = fake.oauth.issue(fake.now)
    assert (token.expires_at - fake.now).total_seconds() == 60
    fake.advance(59)
    assert characters(fake, token.access_token) == 200
    fake.advance(1)
    assert characters(fake, token.access_token) == 401
    # What renews it outlives it.
    assert post(fake, grant_type="refresh_token", refresh_token=token.refresh_token)[0] == 200


@pytest.mark.parametrize(
    ("fields", "status", "error", "hint"),
    [
        ({}, 400, "unsupported_grant_type", "grant_type"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", "grant_type"),
        ({"grant_type": "client_credentials", "client_secret": "x"}, 401, "invalid_client", None),
        ({"grant_type": "authorization_code"}, 400, "invalid_request", "`code`"),
        ({"grant_type": "authorization_code", "code": "x"}, 400, "invalid_grant", "Unknown code"),
        ({"grant_type": "refresh_token"}, 400, "invalid_request", "`refresh_token`"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 401, "invalid_grant", "Unknown refresh token"),
    ],
)
def test_errors_have_the_shape_that_oauth_servers_have_for_them(
    fake: FakeApi, fields: dict[str, str], status: int, error: str, hint: str | None
) -> None:
    answered, body = post(fake, **fields)
    assert (answered, body["error"]) == (status, error)
    assert body["error_description"] == body["message"]
    assert hint is None or hint in body["hint"]


def test_a_body_that_is_no_json_object_is_refused(fake: FakeApi) -> None:
    for body in (b"{", b"[1]", b"7"):
        reply = fake.handle("POST", "/oauth/token", {"Content-Type": "application/json"}, body)
        assert reply.status == 400
        assert json.loads(reply.body)["error"] == "invalid_request"


def test_a_login_can_be_refused_and_asked_for_wrongly(fake: FakeApi) -> None:
    assert authorize(fake, response_type="token") == (302, {"error": "unsupported_response_type"})
    fake.oauth.refusal = "access_denied"
    status, answer = authorize(fake, state="s")
    assert status == 302
    assert (answer["error"], answer["state"]) == ("access_denied", "s")


def test_strangers_are_not_redirected(fake: FakeApi) -> None:
    fake.oauth.redirect_uris = (BACK,)
    assert authorize(fake)[0] == 302
    assert authorize(fake, client_id="x")[0] == 401
    assert authorize(fake, redirect_uri="http://evil.test/")[0] == 401
    assert authorize(fake, redirect_uri="")[0] == 401


def test_a_token_tells_whose_it_is_and_the_wrong_one_nothing(fake: FakeApi) -> None:
    def user(headers: dict[str, str]) -> tuple[int, Any]:
        reply = fake.handle("GET", "/oauth/user", headers)
        return reply.status, json.loads(reply.body)

    token = fake.oauth.issue(fake.now)
    status, body = user({"Authorization": f"Bearer {token.access_token}"})
    assert status == 200
    assert set(body) == {"id", "uuid", "login", "display_login", "distributor", "distributor_id"}
    app = post(fake, grant_type="client_credentials")[1]
    for header in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {app['access_token']}"}):
        assert user(header)[0] == 401
    assert fake.handle("GET", "/oauth/nothing").status == 404
    with pytest.raises(KeyError):
        fake.oauth.revoke("x")
    fake.oauth.revoke(token.access_token)
    assert characters(fake, token.access_token) == 401


def test_the_same_seed_issues_the_same_tokens_and_shows_none() -> None:
    one, two, other = (FakeApi(seed=seed) for seed in (1, 1, 2))
    tokens = [fake.oauth.issue(fake.now) for fake in (one, two, other)]
    assert tokens[0] == tokens[1] != tokens[2]
    assert tokens[0].access_token not in repr(one.oauth)
    assert repr(one.oauth) == "<OAuthServer tokens=1 renewals=0>"
