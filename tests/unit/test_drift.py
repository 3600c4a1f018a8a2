"""Whatever an answer turns into on its way, a decoder makes of it a result or a `ScApiException`."""

from __future__ import annotations

import json
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scapi._api import decoding, errors
from scapi._http.messages import HttpRequest, HttpResponse
from scapi.exceptions import ScApiException
from scapi.testing import FakeApi
from tests.recorded import MADE_UP

if TYPE_CHECKING:
    from collections.abc import Callable

CLAN = "a552092f-e7c9-4cc3-a256-1e3f525770bf"
OUTGOING = HttpRequest("https://h.test/x")

PAGE = decoding.Page(20, 0)
DECODERS: dict[str, tuple[str, Callable[[bytes], Any]]] = {
    "regions": ("/regions", decoding.REGIONS),
    "emission": ("/ru/emission", decoding.EMISSION),
    "profile": ("/ru/character/by-name/ZIV/profile", decoding.PROFILE),
    "clans": ("/ru/clans?limit=2", partial(decoding.CLANS, page=PAGE)),
    "clan": (f"/ru/clan/{CLAN}/info", decoding.CLAN),
    "members": (f"/ru/clan/{CLAN}/members", decoding.MEMBERS),
    "characters": ("/ru/characters", decoding.CHARACTERS),
    "friends": ("/ru/friends/YourCharacterName", decoding.FRIENDS),
    "lots": ("/ru/auction/zyv9/lots?limit=3&additional=true", partial(decoding.LOTS, page=PAGE)),
    "history": ("/ru/auction/kqgy/history?limit=3&additional=true", partial(decoding.PRICES, page=PAGE)),
    "sessions": ("/ru/operations/sessions?limit=2", partial(decoding.SESSIONS, page=PAGE)),
    "json": ("/regions", errors.json),
}


@cache
def payload(name: str) -> bytes:
    """What the fake answers."""
    fake = FakeApi(user_limit=1_000)
    reply = fake.handle("GET", DECODERS[name][0], {"authorization": f"Bearer {fake.user_token}"})
    assert reply.status == 200
    return reply.body


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        [1e300, 2**63, 2**64, -(2**70), 1e-300, "2026-08-05", "9999-12-31T23:59:59-14:00", "0", "LEADER"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """The document with something dropped, replaced, doubled or wrapped, at any depth."""
    if isinstance(value, dict | list) and value and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
        items = dict(value) if isinstance(value, dict) else dict(enumerate(value))
        match draw(st.sampled_from(["deeper", "deeper", "drop", "double"])):
            case "deeper":
                items[key] = draw(mutated(items[key]))
            case "drop":
                del items[key]
            case _:
                items[f"{key}2" if isinstance(value, dict) else len(items)] = items[key]
        return items if isinstance(value, dict) else list(items.values())
    return draw(st.sampled_from([None, [value], {"x": value}, str(value), [], {}]) | ANYTHING)


def result_or_error(decode: Callable[[bytes], Any], body: bytes, status: int = 200) -> Any:
    try:
        return decoding.read(HttpResponse(status, {}, body), decode, OUTGOING)
    except ScApiException as error:
        return error


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.data())
def test_a_mutated_document_is_a_result_or_our_error(name: str, data: st.DataObject) -> None:
    document = json.loads(payload(name))
    for _ in range(data.draw(st.integers(1, 3))):
        document = data.draw(mutated(document))
    result_or_error(DECODERS[name][1], json.dumps(document).encode(errors="surrogatepass"))


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.data())
def test_a_damaged_body_is_a_result_or_our_error(name: str, data: st.DataObject) -> None:
    body = payload(name)
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, len(body)))
    result_or_error(DECODERS[name][1], body[:start] + data.draw(st.binary(max_size=6)) + body[end:])


@pytest.mark.parametrize("name", DECODERS)
@given(body=st.binary(max_size=60) | ANYTHING.map(lambda value: json.dumps(value).encode()))
@example(b'{"total": NaN, "lots": []}')
@example(b'{"total": 1e999, "lots": []}')
@example(b'["\\ud800"]')
@example(b"[" * 50_000 + b"]" * 50_000)
@example(b'{"a":' * 50_000)
def test_any_body_at_all_is_a_result_or_our_error(name: str, body: bytes) -> None:
    result_or_error(DECODERS[name][1], body)


@given(
    body=st.binary(max_size=60) | ANYTHING.map(lambda value: json.dumps(value).encode()),
    status=st.integers(100, 999).filter(lambda status: status // 100 != 2),
)
@example(b"<title>" * 5000, 502)
@example(b"[" * 50_000, 500)
def test_any_error_body_is_a_request_error(body: bytes, status: int) -> None:
    error = result_or_error(errors.json, body, status)
    assert (error.status, bool(error.message)) == (status, True)


@given(
    st.dictionaries(
        st.sampled_from(["title", "details", "error", "error_description", "message", "hint", "status"]), ANYTHING
    )
)
def test_any_error_document_has_a_message(document: dict[str, Any]) -> None:
    assert isinstance(result_or_error(errors.json, json.dumps(document).encode(), 400).message, str)


@given(st.dictionaries(st.sampled_from(["qlt", "ptn", "x"]), ANYTHING))
def test_whatever_additional_holds_the_row_is_read_and_answers(additional: dict[str, Any]) -> None:
    row = json.loads(payload("history"))["prices"][0] | {"additional": additional}
    page = decoding.PRICES(json.dumps({"total": 1, "prices": [row]}).encode(), page=PAGE)
    assert page.rejected == []
    assert page[0].quality is None or isinstance(page[0].quality, int)
    assert isinstance(page[0].upgrade_level, int)


@given(data=st.data())
def test_mutated_recordings_are_a_result_or_our_error(data: st.DataObject) -> None:
    sales = MADE_UP.read("history.json")
    result_or_error(partial(decoding.PRICES, page=PAGE), json.dumps(data.draw(mutated(sales))).encode())
    lots = {"total": 2, "lots": MADE_UP.read("lots_demo.json")}
    result_or_error(partial(decoding.LOTS, page=PAGE), json.dumps(data.draw(mutated(lots))).encode())
