"""A secret shows itself nowhere."""

from __future__ import annotations

import copy
import io
import pickle
import traceback
from typing import Any

import pytest
from rich.console import Console
from rich.pretty import pretty_repr

from scapi._base.secrets import Secret

TEXT = "eyJ0eXAi.S3CR3T.sig"
NEEDLE = "S3CR3T"
OTHER = "another S3CR3T"


def test_nothing_shows_it() -> None:
    secret = Secret(TEXT)
    shown = f"{secret} {secret!r} {secret!s} {secret:>20} {'{}'.format(secret)} {'%s %r' % (secret, secret)} {[secret]}"  # noqa: UP031, UP032  # every way
    assert NEEDLE not in shown
    assert shown.count("***") == 8
    screen = io.StringIO()
    Console(file=screen, width=200).print(secret, [secret], pretty_repr({"a": secret}))
    assert NEEDLE not in screen.getvalue()
    for name in type(secret).__slots__:
        assert NEEDLE not in repr(getattr(secret, name))
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize("text", [TEXT, "", "ключ", "\udc80half a character", "\0"])
def test_it_gives_back_what_it_was_made_of(text: str) -> None:
    for secret in (Secret(text), copy.deepcopy(Secret(text)), pickle.loads(pickle.dumps(Secret(text)))):  # our own
        assert secret.reveal() == text
        assert bool(secret) is bool(text)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_no_pickle_holds_it_in_clear(protocol: int) -> None:
    first, second = (pickle.dumps(Secret(TEXT), protocol) for _ in range(2))
    assert NEEDLE.encode() not in first + second
    assert first != second


def test_comparisons_tell_no_more_than_whether_it_is_equal() -> None:
    assert Secret(TEXT) == Secret(TEXT)
    assert Secret(TEXT) != Secret("other")
    assert Secret(TEXT) != TEXT
    with pytest.raises(TypeError, match="unhashable"):
        hash(Secret(TEXT))
    with pytest.raises(AssertionError) as caught:
        assert Secret(TEXT) == Secret(OTHER)
    # pytest names the globals that the line names.
    assert NEEDLE not in str(caught.value).replace(repr(TEXT), "").replace(repr(OTHER), "")


def test_what_is_wrapped_stays_wrapped() -> None:
    secret = Secret(TEXT)
    assert Secret.of(secret) is secret
    assert Secret.of(None) is None
    assert Secret.of(TEXT) == secret


@pytest.mark.parametrize("value", [TEXT.encode(), 53, [TEXT], {"a": TEXT}])
def test_what_is_no_text_is_hidden_and_refused(value: Any) -> None:
    secret = Secret(value)
    assert NEEDLE not in repr(secret)
    assert secret
    with pytest.raises(TypeError, match=f"^token must be a string, not {type(value).__name__}$"):
        secret.check("token")


def test_a_frame_that_took_it_shows_nothing() -> None:
    def take(token: str | Secret) -> None:
        token = Secret.of(token)
        raise LookupError(f"no {token}")

    with pytest.raises(LookupError, match=r"no \*\*\*") as caught:
        take(TEXT)
    trace = caught.value.with_traceback(caught.value.__traceback__ and caught.value.__traceback__.tb_next)
    assert NEEDLE not in "".join(traceback.TracebackException.from_exception(trace, capture_locals=True).format())
