from __future__ import annotations

import base64
import json
import pickle
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote_plus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scapi._api import decoding
from scapi._auth import oauth
from scapi._base.secrets import Secret
from scapi._http.credentials import Credentials
from scapi._http.guard import Guard
from scapi._http.messages import Form, HttpRequest, HttpResponse
from scapi.exceptions import DecodeError, LoginError, RequestError, UnauthorizedError
from scapi.models import AppToken, UserToken

APPLICATION = Credentials(client_id="id", client_secret="hush-hush")
REQUEST = oauth.token_request("https://exbo.test/oauth", APPLICATION, "authorization_code", code=Secret("one-time"))


def jwt(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.signature"


def token(*, expires_in: int, left: float) -> UserToken:
    return UserToken(
        access_token="a",
        refresh_token="r",
        expires_in=expires_in,
        expires_at=datetime.now(UTC) + timedelta(seconds=left),
    )


# ── redirects ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_redirect_gives_its_code_to_whoever_knows_its_state() -> None:
    redirect = oauth.Redirect(" http://localhost:1/callback?code=a%2Bb&state=s%20s\n")
    assert redirect.answers("s s")
    assert not redirect.answers("s")
    assert redirect.code("s s").reveal() == "a+b"
    assert repr(redirect) == "Redirect(***)"


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("code=c&state=other", "another state"),
        ("code=c&state=", "another state"),
        ("code=c", "another state"),
        ("code=c&state=ß", "another state"),
        ("error=access_denied", "another state"),
        ("state=s", "neither code nor error"),
        ("", "neither code nor error"),
        ("[//[?", "neither code nor error"),
        ("error=access_denied&state=s", "the login was refused: access_denied"),
        ("error=x&error_description=because&hint=so&state=s", "refused: x: because"),
        ("error=x&code=c&state=s", "the login was refused: x"),
    ],
)
def test_a_redirect_that_is_no_answer_gives_nothing(query: str, complaint: str) -> None:
    with pytest.raises(LoginError, match=complaint):
        oauth.Redirect(f"http://localhost:1/callback?{query}").code("s")


@given(st.text(), st.text(min_size=1))
def test_whatever_is_pasted_ends_in_a_code_or_in_a_login_error(pasted: str, state: str) -> None:
    with suppress(LoginError):
        assert oauth.Redirect(pasted).code(state) in unquote_plus(pasted)


@pytest.mark.parametrize(
    ("uri", "port", "result"),
    [
        ("http://localhost:8723/callback", None, "http://localhost:8723/callback"),
        ("http://localhost:8723/callback", 9, "http://localhost:9/callback"),
        ("http://127.0.0.1/", 9, "http://127.0.0.1:9/"),
        ("http://[::1]:5/x", 9, "http://[::1]:9/x"),
    ],
)
def test_another_port_changes_nothing_else(uri: str, port: int | None, result: str) -> None:
    assert oauth.loopback(uri, port) == result


# ── answers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(body: object, status: int = 200) -> UserToken:
    with Guard(REQUEST):
        return decoding.read(HttpResponse(status, {}, json.dumps(body).encode()), oauth.user_token, REQUEST)


def test_an_answer_becomes_a_token_that_knows_when_it_expires() -> None:
    before = datetime.now(UTC)
    given = read({"access_token": "a", "refresh_token": "r", "expires_in": "60", "expires_at": "never", "new": 1})
    assert (given.access_token, given.refresh_token, given.token_type) == ("a", "r", "Bearer")
    assert timedelta(seconds=60) <= given.expires_at - before < timedelta(seconds=70)


@given(
    st.dictionaries(
        st.sampled_from(["access_token", "refresh_token", "expires_in", "token_type"]),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.integers()),
    )
)
def test_any_answer_is_a_token_or_a_decode_error(body: dict[str, object]) -> None:
    with suppress(DecodeError):
        assert isinstance(read(body), UserToken)


def test_half_an_answer_is_not_kept_because_it_may_be_half_a_token() -> None:
    with pytest.raises(DecodeError, match=r"not a token: .*expires_in") as failed:
        read({"access_token": "hush", "refresh_token": "hush"})
    assert failed.value.body == b""
    assert (failed.value.model, failed.value.url) == ("UserToken", "https://exbo.test/oauth/token")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": "e", "error_description": "d", "hint": "h", "message": "m"}, "d: h"),
        ({"error": "e", "message": "m"}, "m"),
        ({"error": "e"}, "e"),
        ({"error": "e", "error_description": "hush-hush one-time"}, "*** ***"),
    ],
)
def test_what_the_server_says_is_in_the_message(body: dict[str, str], message: str) -> None:
    with pytest.raises(UnauthorizedError) as refused:
        read(body, 401)
    assert refused.value.message == message
    assert refused.value.data.keys() == body.keys()


def test_a_form_shows_the_names_of_its_fields_only() -> None:
    assert repr(REQUEST.form) == "Form(grant_type, client_id, client_secret, code)"
    assert "hush" not in repr(REQUEST)
    assert "one-time" not in repr(REQUEST)
    http_request = HttpRequest(
        "https://exbo.test", Credentials(token="bearer"), form=Form({"refresh_token": Secret("r-token")})
    )
    assert http_request.redact(b"bearer r-token rest") == b"*** *** rest"
    assert REQUEST.content() == b"grant_type=authorization_code&client_id=id&client_secret=hush-hush&code=one-time"


# ── renewal ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("expires_in", "left", "due"),
    [
        (31_536_000, 61, False),
        (31_536_000, 59, True),
        (100, 11, False),
        (100, 9, True),
        (0, 1, False),
        (0, -1, True),
        (-5, 1, False),
    ],
)
def test_a_token_is_due_a_minute_or_a_tenth_of_its_life_before_it_expires(
    expires_in: int, left: float, due: bool
) -> None:
    given = token(expires_in=expires_in, left=left)
    assert oauth.is_due(given, datetime.now(UTC)) is due
    assert given.is_expired is (left < 0)


def test_a_jwt_tells_how_long_it_lives() -> None:
    found = oauth.pair_of(Secret(jwt({"iat": 1_000, "exp": 4_600.5, "sub": "1"})), Secret("r"))
    assert found.expires_at == datetime.fromtimestamp(4600.5, UTC)
    assert found.expires_in == 3600
    assert oauth.pair_of(Secret(jwt({"exp": 4_600})), None).expires_in == 0


@pytest.mark.parametrize(
    "text", ["opaque", "a.b.c", "..", jwt({}), jwt([1]), jwt({"exp": "soon"}), jwt({"exp": 1e300}), jwt({"exp": -1e18})]
)
def test_of_any_other_token_only_the_server_can_tell(text: str) -> None:
    found = oauth.pair_of(Secret(text), Secret("r"))
    assert found.access_token == text
    assert not found.is_expired
    assert not oauth.is_due(found, datetime.now(UTC))


@given(st.text())
def test_no_text_breaks_the_reading_of_a_token(text: str) -> None:
    assert oauth.pair_of(Secret(text), None).access_token == text


def test_a_pair_keeps_its_refresh_token_unless_another_is_given() -> None:
    pair = token(expires_in=1, left=1)
    assert oauth.pair_of(pair, None) == pair
    assert oauth.pair_of(pair, Secret("other")).refresh_token == "other"


def test_a_refusal_is_an_unauthorized_error_whatever_its_status() -> None:
    error = oauth.refused(RequestError("because", status=400, url="u", method="POST", data={"error": "x"}))
    assert str(error) == "400 the token could not be renewed: because (POST u)"
    assert error.data == {"error": "x"}


# ── tokens ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["", "[]", "{}", b"\xff", '{"access_token": "hush", "expires_in": "x"}'])
def test_what_is_no_saved_token_is_refused_without_being_shown(text: str | bytes) -> None:
    for kind in (AppToken, UserToken):
        with pytest.raises(ValueError, match=f"must be what {kind.__name__}.to_json") as refused:
            kind.from_json(text)
        assert "hush" not in str(refused.value)
        assert refused.value.__context__ is None


def test_a_saved_token_is_the_same_when_it_is_loaded_and_when_it_is_pickled() -> None:
    for original in (
        token(expires_in=5, left=5),
        AppToken(access_token="a", expires_in=1, expires_at=datetime.max.replace(tzinfo=UTC)),
    ):
        assert type(original).from_json(original.to_json()) == original
        assert pickle.loads(pickle.dumps(original)) == original
        assert msgspec.structs.replace(original) == original
        assert hash(original)


def test_a_login_error_pickles() -> None:
    twin = pickle.loads(pickle.dumps(LoginError("no", error="access_denied")))
    assert (str(twin), twin.error) == ("no", "access_denied")
