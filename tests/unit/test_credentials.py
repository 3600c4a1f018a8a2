"""Credentials that are checked, sent, and shown to nobody."""

from __future__ import annotations

import pickle
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from scapi._base.secrets import Secret, reveal
from scapi._http.credentials import Credentials
from scapi._http.messages import Form, HttpRequest
from scapi.exceptions import CredentialsError
from scapi.models import UserToken

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRET = "eyJ0eXAi.S3CR3T.sig"


def clear(headers: Mapping[str, str | Secret]) -> dict[str, str]:
    """The headers as they are sent."""
    return {name: reveal(value) for name, value in headers.items()}


@pytest.mark.parametrize(
    ("parts", "headers"),
    [
        ({"token": SECRET}, {"Authorization": f"Bearer {SECRET}"}),
        ({"client_id": "7", "client_secret": SECRET}, {"Client-Id": "7", "Client-Secret": SECRET}),
    ],
)
def test_the_headers(parts: dict[str, str], headers: dict[str, str]) -> None:
    assert clear(Credentials(**parts).check().headers()) == headers


def test_both_warn_and_the_pair_is_used() -> None:
    credentials = Credentials(token="t", client_id="7", client_secret=SECRET)
    with pytest.warns(UserWarning, match="the pair is used") as warned:
        credentials.check()
    assert SECRET not in str(warned[0].message)
    assert clear(credentials.headers()) == {"Client-Id": "7", "Client-Secret": SECRET}


@pytest.mark.parametrize(
    "parts", [{}, {"token": ""}, {"client_id": "7"}, {"client_secret": SECRET}, {"token": "t", "client_id": "7"}]
)
def test_too_little_is_refused(parts: dict[str, str]) -> None:
    with pytest.raises(CredentialsError) as caught, warnings.catch_warnings():
        Credentials(**parts).check()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", ["token", "client_id", "client_secret"])
@pytest.mark.parametrize("tail", ["\r\nX-Evil: 1", "\n", " ", "\0", "\x7f", "ё", "\ud800"], ids=ascii)
def test_what_cannot_be_a_header_is_refused_without_showing_it(name: str, tail: str) -> None:
    parts = {"client_id": "7", "client_secret": "s", name: SECRET + tail}
    if name == "token":
        parts = {name: SECRET + tail}
    with pytest.raises(CredentialsError, match=f"{name} contains characters that can't be sent") as caught:
        Credentials(**parts).check()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "token", "Basic"])
def test_a_token_with_its_scheme_in_front_is_refused_with_the_reason(scheme: str) -> None:
    with pytest.raises(
        CredentialsError, match="token contains a space: pass the token alone, without a word"
    ) as caught:
        Credentials(token=f"{scheme} {SECRET}").check()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("value", [b"S3CR3T", 53, ["S3CR3T"]])
def test_what_is_no_text_is_refused_without_showing_it(value: Any) -> None:
    with pytest.raises(TypeError, match="token must be a string, not") as caught:
        Credentials(token=value).check()
    assert "S3CR3T" not in str(caught.value)


def test_repr_shows_the_kind_and_nothing_else() -> None:
    assert repr(Credentials(token=SECRET)) == "Credentials(token=***)"
    assert repr(Credentials(client_id="7", client_secret=SECRET)) == "Credentials(client_id=***, client_secret=***)"
    assert not hasattr(Credentials(token=SECRET), "__dict__")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_works_and_never_holds_the_secret_in_clear(protocol: int) -> None:
    for credentials in (Credentials(token=SECRET), Credentials(client_id="7", client_secret=SECRET)):
        first, second = (pickle.dumps(credentials, protocol) for _ in range(2))
        assert SECRET.encode() not in first
        assert b"S3CR3T" not in first
        assert first != second
        assert pickle.loads(first).headers() == credentials.headers()  # our own pickle


def test_a_fingerprint_tells_credentials_apart_and_says_nothing_else() -> None:
    prints = {
        Credentials(token=SECRET).fingerprint(),
        Credentials(token="other").fingerprint(),
        Credentials(client_id="7", client_secret=SECRET).fingerprint(),
    }
    assert len(prints) == 3
    assert Credentials(token=SECRET).fingerprint() in prints
    assert not any(SECRET in text for text in prints)


def test_an_echo_is_redacted() -> None:
    body = f'{{"you sent": "{SECRET}", "id": "7"}}'.encode()
    redacted = b'{"you sent": "***", "id": "7"}'
    for credentials in (Credentials(token=SECRET), Credentials(client_id="7", client_secret=SECRET)):
        assert HttpRequest("https://h.test", credentials).redact(body) == redacted
        assert HttpRequest("https://h.test", hidden=credentials).redact(body) == redacted
        assert HttpRequest("https://h.test", credentials).elsewhere("https://other.test").redact(body) == redacted
    assert HttpRequest("https://h.test").redact(body) == body


def test_what_is_not_sent_along_is_in_no_header() -> None:
    elsewhere = HttpRequest("https://h.test", Credentials(token=SECRET), extra={"X": "1"}).elsewhere(
        "https://other.test"
    )
    assert elsewhere.headers() == {}
    assert HttpRequest("https://h.test", hidden=Credentials(token=SECRET)).headers() == {}


@pytest.mark.parametrize("secret", ["ключ", "\udc80" + SECRET])
def test_what_cannot_be_sent_can_be_kept(secret: str) -> None:
    data = pickle.dumps(Credentials(token=secret))
    assert b"S3CR3T" not in data
    assert pickle.loads(data).secrets() == [Secret(secret)]  # our own pickle


@pytest.mark.parametrize("write", [UserToken.to_json, pickle.dumps])
def test_a_token_that_is_no_text_cannot_be_saved_and_does_not_show(write: Any) -> None:
    pair = UserToken(access_token="\udc80" + SECRET, refresh_token="r", expires_in=1, expires_at=datetime.now(UTC))
    with pytest.raises(ValueError, match="UserToken holds characters that can't be written") as caught:
        write(pair)
    assert "S3CR3T" not in f"{caught.value!r}"
    assert caught.value.__context__ is None


def test_a_request_on_its_way_out_shows_no_secret() -> None:
    form = Form({"grant_type": "refresh_token", "refresh_token": Secret(SECRET)})
    http_request = HttpRequest("https://h.test/", Credentials(token=SECRET), method="POST", form=form, extra={"X": "1"})
    assert SECRET not in repr(http_request)
    assert repr(form) == "Form(grant_type, refresh_token)"
    assert http_request.content() == f"grant_type=refresh_token&refresh_token={SECRET}".encode()
    assert clear(http_request.headers()) == {
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": f"Bearer {SECRET}",
        "X": "1",
    }
    assert HttpRequest("https://h.test/").headers() == {}
    assert HttpRequest("https://h.test/").content() is None
