import tomllib
from pathlib import Path

import scapi

PROJECT = Path(__file__).parents[1]


def test_the_package_and_its_metadata_name_the_same_version() -> None:
    metadata = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert scapi.__version__ == metadata["project"]["version"]


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(scapi.__file__).parent / "py.typed").exists()
