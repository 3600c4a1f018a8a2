"""Which error an answer becomes, and what it says."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from scapi import exceptions
from scapi._api.decoding import read as unguarded
from scapi._api.errors import json
from scapi._http.credentials import Credentials
from scapi._http.guard import Guard
from scapi._http.messages import HttpRequest, HttpResponse

OUTGOING = HttpRequest("https://h.test/ru/emission", Credentials(token="S3CR3T"))

KINDS = {
    301: exceptions.RequestError,
    304: exceptions.RequestError,
    400: exceptions.BadRequestError,
    401: exceptions.UnauthorizedError,
    403: exceptions.ForbiddenError,
    404: exceptions.NotFoundError,
    405: exceptions.ClientError,
    418: exceptions.ClientError,
    429: exceptions.RateLimitError,
    499: exceptions.ClientError,
    500: exceptions.ServerError,
    502: exceptions.ServerError,
    503: exceptions.ServerError,
    504: exceptions.ServerError,
    520: exceptions.ServerError,
    599: exceptions.ServerError,
    600: exceptions.RequestError,
    103: exceptions.RequestError,
}


def read(reply: HttpResponse, decode: Any, http_request: HttpRequest) -> Any:
    with Guard(http_request):
        return unguarded(reply, decode, http_request)


def raised(body: Any, *, status: int = 400, headers: dict[str, str] | None = None) -> exceptions.RequestError:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    with pytest.raises(exceptions.RequestError) as caught:
        read(HttpResponse(status, headers or {}, content), json, OUTGOING)
    return caught.value


@pytest.mark.parametrize(("status", "kind"), KINDS.items())
def test_every_status_has_its_error(status: int, kind: type[exceptions.RequestError]) -> None:
    error = raised({"title": "t"}, status=status, headers={"x": "y"})
    assert type(error) is kind
    assert (error.status, error.method, error.url) == (status, "GET", "https://h.test/ru/emission")
    assert (error.message, error.data, error.headers) == ("t", {"title": "t"}, {"x": "y"})


@pytest.mark.parametrize("status", [200, 201, 299])
def test_a_status_of_success_is_none(status: int) -> None:
    assert read(HttpResponse(status, {}, b"{}"), json, OUTGOING) == {}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"title": "Unauthorized", "status": 401, "details": {"token": "Corrupted or illegal authorization token"}},
            "Unauthorized: token: Corrupted or illegal authorization token",
        ),
        ({"title": "Unauthorized", "status": 401, "details": {}}, "Unauthorized"),
        ({"title": "Bad", "details": {"a": 1, "b": ["x"]}}, "Bad: a: 1, b: ['x']"),
        ({"title": "Bad", "details": "why"}, "Bad: why"),
        ({"title": "Bad", "details": None}, "Bad"),
        ({"title": "Bad", "details": ["x", "y"]}, "Bad: ['x', 'y']"),
        ({"title": 5}, "5"),
        (
            {"error": "unsupported_grant_type", "error_description": "Not supported.", "hint": "Check", "message": "M"},
            "Not supported.: Check",
        ),
        ({"error": "invalid_client"}, "invalid_client"),
        ({"message": "Unauthenticated."}, "Unauthenticated."),
        (b"<html><head><title>\n Bad  gateway &amp; more </title></head></html>", "Bad gateway & more"),
        (b"<html>no title</html>", "the server gave no reason"),
        (b"", "the server gave no reason"),
        (b"   ", "the server gave no reason"),
        (b"[]", "the server gave no reason"),
        (b"{}", "the server gave no reason"),
        (b"null", "the server gave no reason"),
        (b'"text"', "the server gave no reason"),
        (b"\xff\xfe\x00", "the server gave no reason"),
        (b"[" * 100_000, "the server gave no reason"),
    ],
)
def test_the_message_says_what_the_server_said(body: Any, message: str) -> None:
    error = raised(body)
    assert error.message == message
    assert str(error) == f"400 {message} (GET https://h.test/ru/emission)"


@pytest.mark.parametrize(
    ("body", "data"), [(b"", None), (b"oops", "oops"), (b"<p>", "<p>"), (b'{"a": 1}', {"a": 1}), (b"\xff", "\ufffd")]
)
def test_data_is_the_body_as_far_as_it_can_be_read(body: bytes, data: Any) -> None:
    assert raised(body).data == data


def test_a_page_of_text_is_cut() -> None:
    assert len(raised(b"x" * 100_000).data) == 2000


def test_a_redirect_that_is_not_followed_says_where_it_leads() -> None:
    error = raised(b"", status=302, headers={"location": "https://elsewhere.test/"})
    assert error.message.startswith("redirected to https://elsewhere.test/, which is not followed")


def test_an_echo_of_the_secret_is_redacted_in_body_and_headers() -> None:
    echo = {"location": "https://elsewhere.test/?t=S3CR3T", "x-echo": "Bearer S3CR3T"}
    for body in (b'{"title":"bad S3CR3T"}', b"S3CR3T", b"", b'{"S3CR3T":"S3CR3T"}'):
        error = raised(body, status=302, headers=echo)
        assert "S3CR3T" not in f"{error!r} {error} {vars(error)}"


def test_a_decode_error_knows_where_it_came_from_and_no_secret() -> None:
    with pytest.raises(exceptions.DecodeError) as caught:
        read(HttpResponse(203, {}, b"S3CR3T" * 400), json, OUTGOING)
    error = caught.value
    assert (error.url, error.status) == ("https://h.test/ru/emission", 203)
    assert error.body.startswith(b"***")
    assert b"S3CR" not in error.body
