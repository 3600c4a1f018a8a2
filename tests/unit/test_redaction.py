"""A secret that comes back is masked, however it is spelled and wherever an exception keeps it."""

from __future__ import annotations

import html
import json
import pickle
import string
from typing import Any
from urllib.parse import quote, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scapi._base.secrets import Secret
from scapi._http.credentials import Credentials
from scapi._http.guard import Guard
from scapi._http.messages import Form, HttpRequest
from scapi._http.redaction import Redactor
from scapi.exceptions import DecodeError, NotFoundError, RequestError

SECRET = "eyJhbGci/OiJI.S3CR3T+Zz_9"
NEEDLE = "S3CR3T"

#: What a character may be spelled as.
SPELLINGS = {
    "itself": lambda character: character,
    "JSON": lambda character: f"\\u{ord(character):04x}",
    "JSON in capitals": lambda character: f"\\u{ord(character):04X}",
    "JSON in JSON": lambda character: f"\\\\u{ord(character):04x}",
    "a backslash": lambda character: character if character.isalnum() else f"\\{character}",
    "bytes of Python": lambda character: f"\\x{ord(character):02x}",
    "a URL": lambda character: f"%{ord(character):02X}",
    "HTML": lambda character: f"&#{ord(character)};",
    "HTML in hex": lambda character: f"&#x{ord(character):X};",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_found(spelling: str) -> None:
    spelled = "".join(map(SPELLINGS[spelling], SECRET))
    assert Redactor(SECRET).mask(f"you sent {spelled}, \\u0041 %41") == "you sent ***, \\u0041 %41"
    assert Redactor(SECRET).mask(f'{{"a":"{spelled}"}}'.encode()) == b'{"a":"***"}'


@given(st.lists(st.sampled_from(sorted(SPELLINGS)), min_size=len(SECRET), max_size=len(SECRET)), st.text(), st.text())
def test_a_mixture_of_spellings_is_found(spellings: list[str], before: str, after: str) -> None:
    spelled = "".join(SPELLINGS[name](character) for name, character in zip(spellings, SECRET, strict=True))
    shown = Redactor(SECRET).mask(f"{before} {spelled} {after}")
    assert "***" in shown
    for decode in (str, html.unescape, unquote_plus, _from_json):
        assert NEEDLE not in decode(shown)


def _from_json(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


@given(st.text(min_size=4, max_size=30), st.text(), st.text())
def test_any_secret_is_found_and_nothing_else_is_touched(secret: str, before: str, after: str) -> None:
    assert secret not in Redactor(secret).mask(before + secret + after).replace("***", "")
    assert secret.encode() not in Redactor(secret).mask((before + secret + after).encode()).replace(b"***", b"")
    assert Redactor("no such secret").mask(before + after) == before + after


@given(st.text(alphabet=string.ascii_letters, min_size=9, max_size=20))
def test_what_a_form_spells_is_found(secret: str) -> None:
    secret = f"{secret} /ж"
    for spelled in (quote(secret), quote(secret, safe=""), secret.replace(" ", "+")):
        assert secret[:9] not in Redactor(secret).mask(f"code={spelled}&a=b")
    assert Redactor("a b/ж").mask("code=a+b%2F%D0%B6&a=b") == "code=***&a=b"


@pytest.mark.parametrize("length", range(8, len(SECRET)))
def test_a_secret_that_is_cut_off_at_the_end_is_masked_as_far_as_it_goes(length: int) -> None:
    for unfinished in ("", "\\", "\\u00", "%5", "&#8"):
        shown = Redactor(SECRET).mask(f'{{"token": "{SECRET[:length]}{unfinished}'.encode())
        assert SECRET[:8].encode() not in shown
        assert shown.startswith(b'{"token": "***')


def test_the_beginning_of_a_secret_elsewhere_is_no_secret() -> None:
    assert Redactor(SECRET).mask(f"{SECRET[:10]} and on") == f"{SECRET[:10]} and on"


def test_one_secret_may_be_a_part_of_another() -> None:
    shown = Redactor("abcd", "abcdefg", "", None).mask("abcdefg abcd xabcdx")
    assert shown == "*** *** x***x"


def test_what_is_too_short_for_a_secret_garbles_no_text() -> None:
    assert Redactor("t", "abc").mask("the abc") == "the abc"


def test_decoded_json_is_masked_in_keys_and_values_and_however_deep() -> None:
    data: Any = {"a": [SECRET, {"b": f"x{SECRET}y", SECRET: 1}], "n": None, "t": True, "f": 1.5}
    assert Redactor(SECRET).mask(data) == {"a": ["***", {"b": "x***y", "***": 1}], "n": None, "t": True, "f": 1.5}
    deep: Any = SECRET
    for _ in range(100_000):
        deep = [deep]
    found = Redactor(SECRET).mask(deep)
    while isinstance(found, list):
        found = found.pop()
    assert found == "***"


def test_a_secret_of_digits_is_found_in_numbers() -> None:
    assert Redactor("123456").mask({"code": 123456, "more": 91234560, "other": 12345, "huge": 10**5000}) == {
        "code": "***",
        "more": "***",
        "other": 12345,
        "huge": 10**5000,
    }


def test_a_long_body_takes_no_time_to_speak_of() -> None:
    """Ten megabytes that look like escapes all over. The bound is generous: it takes well under a second."""
    import time

    began = time.process_time()
    assert Redactor(SECRET).mask(b"%zz\\" * 250_000 + SECRET.encode()).endswith(b"***")
    assert Redactor(SECRET).mask(b"a" * 10_000_000 + SECRET.encode()).endswith(b"***")
    assert time.process_time() - began < 20


# ── what leaves ───────────────────────────────────────────────────────────────────────────────────────────────────────

OUTGOING = HttpRequest("https://h.test/path", Credentials(token=SECRET))


def left(error: BaseException, http_request: HttpRequest = OUTGOING) -> Any:
    with pytest.raises(type(error)) as caught, Guard(http_request):
        raise error
    assert caught.value is error
    return error


def test_all_that_an_error_keeps_is_masked() -> None:
    error = left(
        RequestError(
            f"no {SECRET}",
            status=418,
            url=f"https://h.test/{quote(SECRET, safe='')}",
            data={"a": SECRET},
            headers={"x-echo": SECRET, SECRET: "1"},
        )
    )
    assert NEEDLE not in f"{error} {error!r} {vars(error)}"
    assert NEEDLE.encode() not in pickle.dumps(error)
    error = left(DecodeError(SECRET, body=SECRET.encode(), path=f"$.{SECRET}", model=SECRET, url=SECRET))
    assert NEEDLE not in f"{error} {error!r} {vars(error)}"
    error = left(_noted(LookupError(f"of a hook {SECRET}")))
    assert NEEDLE not in f"{error} {error!r}"
    assert error.__notes__ == ["mine ***"]


def _noted(error: Exception) -> Exception:
    error.add_note(f"mine {SECRET}")
    return error


def test_what_led_to_an_error_is_masked_too() -> None:
    error = DecodeError("no text")
    try:
        f"{SECRET}".encode().join([b"", b"\xff"]).decode()
    except UnicodeDecodeError as cause:
        error.__cause__ = cause
    left(error)
    assert NEEDLE not in repr(error.__cause__)
    assert isinstance(error.__cause__, UnicodeDecodeError)
    assert b"S3CR3T" not in error.__cause__.object
    assert "can't decode" in str(error.__cause__)


def test_what_the_caller_is_handling_stays_as_it_is() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError as mine:
        error = left(NotFoundError("no such page", status=404))
        assert error.__context__ is mine  # noqa: PT017  # not this exception is tested, but the other
        assert str(mine) == SECRET  # noqa: PT017  # likewise
        assert mine.__traceback__ is not None  # noqa: PT017  # likewise


def test_an_error_that_nobody_expected_says_where_it_came_from() -> None:
    def decode() -> None:
        body = SECRET
        raise OverflowError(f"too much: {body}")

    with pytest.raises(OverflowError, match=r"too much: \*\*\*") as caught, Guard(OUTGOING):
        decode()
    (note,) = caught.value.__notes__
    assert note.startswith("raised in decode (")
    assert "test_redaction.py:" in note


def test_new_tokens_are_in_no_error_of_a_form() -> None:
    form = HttpRequest("https://h.test/token", method="POST", form=Form({"refresh_token": Secret(SECRET)}))
    fresh = {"access_token": "fr3sh-access", "nested": [{"refreshToken": "fr3sh-refresh"}], "error": "e"}
    error = left(RequestError("e: fr3sh-access", status=500, data=fresh, headers={"x-echo": "fr3sh-refresh"}), form)
    assert "fr3sh" not in f"{error} {vars(error)}"
    assert error.data == {"access_token": "***", "nested": [{"refreshToken": "***"}], "error": "e"}
    assert left(RequestError("e", status=500, data='{"access_token": "fr3sh-acc'), form).data is None
    assert left(DecodeError("cut off", body=b'{"access_token": "fr3sh-acc'), form).body == b""
    assert left(DecodeError("not an account", body=b'{"id": 1}')).body == b'{"id": 1}'


@pytest.mark.parametrize("value", ["\udc80" + SECRET, "", 5, None])
def test_a_field_that_cannot_be_sent_is_named_and_not_shown(value: Any) -> None:
    with pytest.raises(ValueError, match="refresh_token must be") as caught:
        HttpRequest("https://h.test", form=Form({"grant_type": "x", "refresh_token": Secret.of(value)})).check()
    assert NEEDLE not in repr(caught.value)
    assert caught.value.__context__ is None
