"""What is public is documented: in the reference, and where somebody would read about it."""

from __future__ import annotations

import importlib
import re
from operator import attrgetter
from typing import Any

import pytest

import scapi
import scapi.sync
from tests.docs.pages import DOCS, ROOT

MODULES = (
    "scapi", "scapi.models", "scapi.enums", "scapi.exceptions", "scapi.config", "scapi.pacing", "scapi.testing",
    "scapi.frames", "scapi.plot", "scapi.files", "scapi.store",
)  # fmt: skip
PUBLIC = [(module, name) for module in MODULES for name in importlib.import_module(module).__all__]
REFERENCE = "\n".join(page.read_text(encoding="utf-8") for page in DOCS.glob("reference/*.md"))
NO_GUIDES = {"migrating.md", "faults.md"}
#: Only code counts: `Order` and `Diff` are words, too.
GUIDES = "\n".join(
    code
    for page in DOCS.glob("*.md")
    if page.name not in NO_GUIDES
    for code in re.findall(r"```.*?```|`[^`\n]+`", page.read_text(encoding="utf-8"), re.DOTALL)
)


def resolve(dotted: str) -> Any:
    """What a page calls by this name, with or without `scapi` in front."""
    first, _, rest = dotted.removeprefix("scapi.").partition(".")
    if first in ("config", "enums", "exceptions", "files", "frames", "models", "pacing", "plot", "testing"):
        return attrgetter(rest)(importlib.import_module(f"scapi.{first}"))
    found = getattr(scapi, first)
    # On the class, settings answer with themselves: an instance is what programs see.
    return attrgetter(rest)(found) if rest else found


def test_both_worlds_have_the_same_names() -> None:
    assert sorted(scapi.sync.__all__) == sorted(scapi.__all__)


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=".".join)
def test_a_public_name_is_in_the_reference(module: str, name: str) -> None:
    assert re.search(rf"^::: scapi\.(\w+\.)*{re.escape(name)}$", REFERENCE, re.MULTILINE)


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=".".join)
def test_a_public_name_is_in_a_guide(module: str, name: str) -> None:
    assert re.search(rf"(?<![\w/]){re.escape(name)}(?!\w)", GUIDES)


@pytest.mark.parametrize("client", ["AppClient", "UserClient", "OAuthClient", "DatabaseLookup", "GitHubClient"])
def test_a_method_of_a_client_is_in_a_guide(client: str) -> None:
    methods = [name for name in dir(getattr(scapi, client)) if not name.startswith("_")]
    assert [name for name in methods if not re.search(rf"\b{name}\b", GUIDES)] == []


def test_the_reference_holds_nothing_that_is_gone() -> None:
    for dotted in re.findall(r"^::: (\S+)$", REFERENCE, re.MULTILINE):
        if dotted not in MODULES:
            assert resolve(dotted) is not None


def test_what_the_page_for_newcomers_names_is_there() -> None:
    rows = re.findall(r"^\| `.*?\| (.*?) \|", (DOCS / "migrating.md").read_text("utf-8"), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([\w.]+)`", row)]
    assert len(named) > 90
    for name in named:
        assert resolve(name) is not None, name


def test_the_page_on_stability_names_the_public_modules_and_the_supported_pythons() -> None:
    page = (DOCS / "stability.md").read_text(encoding="utf-8")
    assert [module for module in MODULES if f"`{module}`" not in page] == []
    rows = "".join(re.findall(r"^\| 3.*? \|", page, re.MULTILINE))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r"3\.\d+", rows) == re.findall(r"Python :: (3\.\d+)", project)
