"""What the generator can't promise: both worlds export all of it, primitives are twins, and each loads only itself."""

from __future__ import annotations

import ast
import importlib
import inspect
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import scapi
import scapi.sync
from tools.build_sync import NAMES, PROSE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


def in_the_sync_world(text: str) -> str:
    """A phrase as the generator words it."""
    for pattern, replacement in PROSE.items():
        text = re.sub(pattern, replacement, text)
    return re.sub(r"\w+", lambda word: NAMES.get(word[0], word[0]), text)


def statements(text: str) -> list[str]:
    """What a file says, in whatever order its imports are sorted."""
    return sorted(ast.unparse(statement) for statement in ast.parse(text).body)


def pairs() -> Iterator[tuple[str, type, type]]:
    asynchronous, synchronous = importlib.import_module("scapi._async"), importlib.import_module("scapi._sync")
    for name in asynchronous.__all__:
        yield name, getattr(asynchronous, name), getattr(synchronous, name)
    # Programs that use none of these don't pay for them, so they have modules of their own.
    for name in (
        "AuctionsEndpoint", "Collector", "DatabaseLookup", "GitHubClient", "Results", "Rows", "SaleResults", "SaleRows",
        "Store", "Watcher",
    ):  # fmt: skip
        yield name, getattr(scapi, name), getattr(scapi.sync, name)


def test_both_worlds_export_the_same_names() -> None:
    assert scapi.__all__ == scapi.sync.__all__
    # Modules that need an extra aren't in `__all__`: `import *` would need it too.
    assert set(dir(scapi)) == {*scapi.__all__, "plot", "store", "sync"}
    assert set(dir(scapi.sync)) == {*scapi.__all__, "plot", "store"}
    assert importlib.import_module("scapi._async").__all__ == importlib.import_module("scapi._sync").__all__


def test_what_is_no_client_is_one_and_the_same_thing_in_both_worlds() -> None:
    mirrored = {name for name, _, _ in pairs()}
    for name in scapi.__all__:
        one, other = getattr(scapi, name), getattr(scapi.sync, name)
        assert (one is not other) is (name in mirrored), name


def test_classes_name_themselves_as_programs_import_them() -> None:
    for name, one, other in pairs():
        assert repr(one) == f"<class 'scapi.{name}'>"
        assert repr(other) == f"<class 'scapi.sync.{name}'>"
    # So a pickle doesn't depend on where a class lives today.
    pickled = pickle.dumps(scapi.sync.AppClient(token="t"))
    assert b"scapi.sync" in pickled
    assert isinstance(pickle.loads(pickled), scapi.sync.AppClient)


def test_a_name_that_nobody_exports_is_an_attribute_error() -> None:
    for module in (scapi, scapi.sync):
        with pytest.raises(AttributeError, match=rf"module '{module.__name__}' has no attribute 'Nonsense'"):
            _ = module.Nonsense


def test_the_primitives_are_twins() -> None:
    one, other = importlib.import_module("scapi._primitives.aio"), importlib.import_module("scapi._primitives.threads")
    for name in sorted(own_names(one) | own_names(other)):
        first, second = getattr(one, name), getattr(other, name)
        if not inspect.isclass(first):
            assert callable(first)
            assert callable(second)
            continue
        for method in [method for method in vars(first) if not method.startswith("_")] + ["__init__"]:
            here, there = (list(inspect.signature(getattr(twin, method)).parameters) for twin in (first, second))
            assert here == there, f"{name}.{method}"


def own_names(module: ModuleType) -> set[str]:
    """The functions and classes that other modules take from this one."""
    found = {name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    return {name for name in found if not name.startswith("_") and callable(getattr(module, name))}


def test_twins_are_few() -> None:
    """What can be mirrored is mirrored."""
    root = Path(scapi.__file__).parent
    twins = sum(lines(root / "_primitives" / name) for name in ("aio.py", "threads.py"))
    mirrored = sum(map(lines, (root / "_async").glob("*.py")))
    assert twins <= 650
    assert twins / (twins + mirrored) <= 0.2


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_the_users_file_for_type_checkers_is_the_same_in_both_worlds() -> None:
    folder = Path(__file__).parents[1] / "typing"
    here, there = (folder.joinpath(f"{world}_user.py").read_text(encoding="utf-8") for world in ("async", "sync"))
    assert statements(in_the_sync_world(here)) == statements(there)


USE = """
import sys
from {world} import AppClient, Region, models, exceptions
client = AppClient(token="t", base_url="http://127.0.0.1:1", retry=None)
try:
    {call}
except exceptions.TransportError:
    print(*sorted(name for name in sys.modules if name.startswith("scapi")))
"""

WORLDS = {
    "scapi": (
        "import asyncio; asyncio.run(client.emission())",
        {"scapi._sync", "scapi._primitives.threads", "scapi.sync"},
    ),
    "scapi.sync": ("client.emission()", {"scapi._async", "scapi._primitives.aio"}),
}


@pytest.mark.parametrize("world", WORLDS)
def test_a_program_loads_only_the_world_that_it_uses(world: str) -> None:
    call, foreign = WORLDS[world]
    code = USE.format(world=world, call=call)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_path())  # noqa: S603  # our own code
    loaded = set(done.stdout.split())
    assert "scapi._api.requests" in loaded
    assert not {name for name in loaded if any(name == other or name.startswith(f"{other}.") for other in foreign)}
    assert not any(name.startswith("scapi.testing") for name in loaded)


def test_an_import_alone_loads_next_to_nothing() -> None:
    code = "import sys, scapi, scapi.sync; print({'httpx', 'msgspec', 'asyncio'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_path())  # noqa: S603  # our own code
    assert done.stdout.strip() == "set()"


def _path() -> dict[str, str]:
    """The environment of a process that finds the package where this one does."""
    return {"PYTHONPATH": str(Path(scapi.__file__).parents[1])}
