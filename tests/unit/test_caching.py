"""How long response bodies are kept, and how many."""

from __future__ import annotations

from typing import Any

import pytest

from scapi._api import caching
from scapi._api.caching import StoredBodies


def test_an_answer_is_kept_for_as_long_as_the_reader_wants_it() -> None:
    bodies = StoredBodies()
    bodies.put("/a", b"1", 100.0)
    assert bodies.get("/a", 109.9, 10.0) == b"1"
    assert bodies.get("/a", 110.0, 10.0) is None
    assert bodies.get("/a", 110.0, 60.0) == b"1"
    assert bodies.get("/a", 100.0, 0.0) is None
    assert bodies.get("/b", 100.0, 60.0) is None
    bodies.forget("/a")
    assert bodies.get("/a", 100.0, 60.0) is None


def test_the_oldest_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "MOST_BODIES", 3)
    monkeypatch.setattr(caching, "MOST_BYTES", 100)
    bodies = StoredBodies()

    def kept() -> list[str]:
        return [name for name in "abcdef" if bodies.get(name, 0.0, 1.0) is not None]

    for name in "abcd":
        bodies.put(name, b"x" * 10, 0.0)
    assert kept() == ["b", "c", "d"]
    bodies.put("b", b"x" * 10, 0.0)  # the newest by now
    bodies.put("e", b"x" * 85, 0.0)
    assert kept() == ["b", "e"]
    bodies.put("f", b"x" * 101, 0.0)
    assert kept() == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, {}), (False, {}), (True, caching.SANE), ({"lots": 5, "emission": 0.5}, {"lots": 5.0, "emission": 0.5})],
)
def test_what_is_said_of_the_endpoints(value: Any, seconds: dict[str, float]) -> None:
    assert caching.lifetimes(value) == seconds


@pytest.mark.parametrize(
    ("value", "kind", "complaint"),
    [
        (5, TypeError, "cache must be True, False, None or seconds by endpoint, not 5"),
        ({"lot": 5}, ValueError, "cache must be seconds by endpoint, of characters, .*, not 'lot'"),
        ({"lots": -1}, ValueError, r"cache\['lots'\] must be a number of seconds, 0 or more, not -1"),
        ({"lots": True}, ValueError, r"cache\['lots'\] must be"),
    ],
)
def test_what_is_wrong_is_named(value: Any, kind: type[Exception], complaint: str) -> None:
    with pytest.raises(kind, match=complaint):
        caching.lifetimes(value)
