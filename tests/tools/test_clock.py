"""Time and chance are arguments: the library reads them in a few places, and no test patches them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tools.test_rooms import imports, modules, room

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parents[1]

#: The names of the library's functions that tell the time, draw a random number, or wait.
TIME_AND_CHANCE = {"monotonic", "now", "random", "sleep", "time", "utc", "wait", "wall"}

#: The modules with `await` that import `time` or `random` themselves.
READERS = {
    "scapi._async.clock",
    "scapi._async.connection",  # the time limits of sockets, which know nothing but real time
    "scapi._async.collector",  # the default of its public argument `clock`
    "scapi._async.store",  # the same
}


def patched(text: str) -> Iterator[str]:
    """The names that a test patches, by `setattr`, `mock.patch` or `mock.patch.object`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in {"setattr", "patch", "object"}:
            for argument in node.args[:2]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value.rpartition(".")[2]


def test_a_patch_is_found() -> None:
    text = """
monkeypatch.setattr(aio, "now", f)
monkeypatch.setattr("time.time", f)
mock.patch.object(output, "wall", f)
mock.patch("random.random")
setattr(aio.Wakeup, "wait", f)
call("sleep")
"""
    assert list(patched(text)) == ["now", "time", "wall", "random", "wait"]


def test_no_test_patches_the_time_chance_or_waits() -> None:
    found = [
        path.relative_to(TESTS).as_posix()
        for path in TESTS.rglob("*.py")
        if not TIME_AND_CHANCE.isdisjoint(patched(path.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize("name", [name for name in modules() if room(name) == "_async"])
def test_only_the_clock_reads_the_time_and_draws_random_numbers(name: str) -> None:
    found = {"time", "random"} & set(imports(name))
    text = modules()[name].read_text(encoding="utf-8")
    assert bool(found) is (name in READERS)
    assert ("datetime.now(" in text) is False
