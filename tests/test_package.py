import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import scapi
import scapi.sync
from scapi import exceptions

PROJECT = Path(__file__).parents[1]


def test_the_package_and_its_metadata_name_the_same_version() -> None:
    metadata = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert scapi.__version__ == metadata["project"]["version"]


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(scapi.__file__).parent / "py.typed").exists()


@pytest.mark.parametrize("world", ["scapi", "scapi.sync"])
def test_the_package_works_without_what_only_names_need(world: str) -> None:
    program = f"""
import sys
sys.modules.update(rapidfuzz=None, platformdirs=None)
from {world} import AppClient, DatabaseLookup, GitHubClient
AppClient(token="token"), GitHubClient()
try:
    DatabaseLookup()
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == 'rapidfuzz is missing for item names: pip install ".[names]" in your clone of scapi\n'


MODULES = ("enums", "exceptions", "files", "frames", "models", "pacing", "plot", "testing")


def out_of(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout  # noqa: S603


@pytest.mark.parametrize("world", ["scapi", "scapi.sync"])
def test_modules_are_there_without_an_import_of_their_own(world: str) -> None:
    names = f"""[{world}.{f", {world}.".join(MODULES)}]"""
    program = f"import {world}; print(*(module.__name__ for module in {names}))"
    assert out_of(program).split() == [f"scapi.{module}" for module in MODULES]
    assert out_of("import scapi; print(scapi.sync.AppClient.__name__)") == "AppClient\n"


def test_importing_the_package_imports_no_module_of_either_world() -> None:
    program = "import sys, scapi; print(*sorted(name for name in sys.modules if name.startswith('scapi')))"
    assert out_of(program).split() == ["scapi", "scapi._conflict", "scapi._lazy", "scapi._version"]


@pytest.mark.parametrize("world", ["scapi", "scapi.sync"])
def test_all_names_can_be_imported_without_any_extra(world: str) -> None:
    extras = "matplotlib=None, polars=None, pandas=None, pyarrow=None, rich=None, click=None, rapidfuzz=None"
    program = f"import sys; sys.modules.update({extras}, uvicorn=None)\nfrom {world} import *\nprint(RateLimitError)"
    assert out_of(program) == "<class 'scapi.exceptions.RateLimitError'>\n"


@pytest.mark.parametrize("world", [scapi, scapi.sync])
def test_dir_shows_what_is_meant_for_users_and_nothing_else(world: ModuleType) -> None:
    shown = set(dir(world))
    assert shown - {"plot", "sync", "store"} == set(world.__all__)
    assert not {"SHARED", "lazily", "annotations", "TYPE_CHECKING"} & shown
    assert all(getattr(world, name) is not None for name in shown)


@pytest.mark.parametrize("world", [scapi, scapi.sync])
def test_every_error_can_be_caught_by_a_name_of_the_package(world: ModuleType) -> None:
    for name in exceptions.__all__:
        assert getattr(world, name) is getattr(exceptions, name)
