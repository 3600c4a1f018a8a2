"""The rooms of the package: who may import whom. CONTRIBUTING.md draws them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SOURCE = Path(__file__).parents[2] / "src"

#: From the ground up. A room imports itself and what stands before it.
LAYERS = (
    {"_version", "_conflict", "_base", "enums"},
    {"config", "files"},
    {"exceptions", "models"},
    {"_views"},
    {"_http"},
    {"_ratelimit"},
    {"_retry"},
    {"_api"},
    {"_lists", "_auth", "_items", "_store"},
    {"_collect"},
    {"_primitives"},
    {"_async", "_sync"},
    {"frames", "plot", "pacing", "store", "testing"},
    {"_lazy", "", "sync"},
    {"cli", "__main__"},
)

#: Layers whose rooms may import each other.
ONE_LAYER = [layer for layer in LAYERS if layer & {"_base", "models", "_lazy", "cli"}]

#: Methods that only forward to a room above, and import it inside: rows become a frame, text or a table of a notebook.
FORWARDS = {
    ("scapi.models._base", "scapi._views.html"),
    ("scapi.models._base", "scapi._views.text"),
    ("scapi.models.listing", "scapi._views.html"),
    ("scapi.models.listing", "scapi._views.text"),
    ("scapi.models.listing", "scapi.frames"),
}

#: Time, chance, sockets and files come to these rooms as arguments.
PURE = ("_api", "_lists", "_ratelimit", "_retry", "_views")
IMPURE = {
    "asyncio",
    "httpcore",
    "httpx",
    "os",
    "pathlib",
    "random",
    "selectors",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
}
IMPURE |= {"threading", "time"}

#: What a pure room may import all the same: a budget is shared by all threads of a process.
ALLOWED = {("_ratelimit", "threading")}


@cache
def modules() -> dict[str, Path]:
    """All modules of the package, but the generated ones, which import what their sources import."""
    found: dict[str, Path] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        if "_sync" not in parts:
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports(name: str) -> Iterator[str]:
    """What a module imports, wherever in it that stands. Imports for type checkers count."""
    for node in ast.walk(ast.parse(modules()[name].read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            inners = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (inner if inner in modules() else node.module for inner in inners)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def ours(name: str) -> set[str]:
    return {found for found in imports(name) if found in modules() and (name, found) not in FORWARDS} - {name}


def room(name: str) -> str:
    return name.partition(".")[2].partition(".")[0]


def floor(name: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if room(name) in rooms)


def test_every_room_has_its_floor() -> None:
    assert {room(name) for name in modules()} | {"_sync"} == {name for rooms in LAYERS for name in rooms}


@pytest.mark.parametrize("name", modules())
def test_nothing_imports_upwards(name: str) -> None:
    above = {found for found in ours(name) if floor(found) > floor(name)}
    assert above == set()
    beside = {found for found in ours(name) if floor(found) == floor(name) and room(found) != room(name)}
    assert all(
        {room(name), room(found)}
        <= {"exceptions", "models", "_version", "_conflict", "_base", "enums", "", "sync", "_lazy", "cli", "__main__"}
        for found in beside
    ), beside


def circles(graph: dict[str, set[str]]) -> Iterable[set[str]]:
    """Groups of modules that import each other, directly or through others."""
    reached = {name: {name} for name in graph}
    changed = True
    while changed:
        changed = False
        for name, found in graph.items():
            more = set().union(*(reached[other] for other in found)) - reached[name]
            reached[name] |= more
            changed = changed or bool(more)
    for name in graph:
        circle = {other for other in reached[name] if name in reached[other]}
        if len(circle) > 1 and name == min(circle):
            yield circle


def test_there_are_no_circles() -> None:
    graph = {name: ours(name) for name in modules()}
    # An error names the models that it carries, and a model the errors: for type checkers alone.
    found = [circle for circle in circles(graph) if not all(floor(name) == floor("scapi.models") for name in circle)]
    assert found == []


def test_a_circle_would_be_found() -> None:
    assert list(circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == [{"a", "b", "c"}]


@pytest.mark.parametrize("name", [name for name in modules() if room(name) in PURE])
def test_pure_rooms_know_no_socket_clock_file_or_chance(name: str) -> None:
    found = {imported.partition(".")[0] for imported in imports(name)}
    assert {(room(name), module) for module in found & IMPURE} <= ALLOWED


def test_models_stand_on_the_ground() -> None:
    for name in modules():
        if room(name) == "models":
            assert {room(found) for found in ours(name)} <= {"models", *LAYERS[0], *LAYERS[1], "exceptions"}, name
