import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import scapi

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
    assert done.stdout == 'item names need rapidfuzz: pip install ".[names]" in your clone of scapi\n'
