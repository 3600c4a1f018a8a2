"""The examples of the docstrings run, and those of the pages come in pairs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import DOCS, PAGES, Example, docstring_examples, examples

if TYPE_CHECKING:
    from scapi.testing import FakeApi

pytestmark = pytest.mark.socket

CLIENTS = ("AppClient", "UserClient", "OAuthClient", "DatabaseLookup", "GitHubClient")


@pytest.mark.parametrize("example", docstring_examples(), ids=str)
def test_an_example_of_a_docstring_runs(example: Example, fake: FakeApi) -> None:
    example.run()


def test_the_clients_and_the_modules_have_an_example_each() -> None:
    clients = {f"{world}.{name}" for world in ("scapi", "scapi.sync") for name in CLIENTS}
    modules = {"scapi", "scapi.sync", "scapi.frames", "scapi.plot", "scapi.store", "scapi.testing.FakeApi"}
    assert clients | modules <= {example.page for example in docstring_examples()}


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_tabs_come_in_pairs_and_each_is_of_its_world(page: str) -> None:
    tabbed = [example for example in examples(page) if example.tab]
    assert [example.tab for example in tabbed] == ["async", "sync"] * (len(tabbed) // 2)
    for example in tabbed:
        theirs = "scapi.sync" in example.source or not re.search(r"\b(await|async|from scapi import)\b", example.source)
        assert theirs == (example.tab == "sync")


def test_a_page_shows_the_async_world_beside_the_sync_one() -> None:
    # aiohttp has no sync world.
    blocks = [example for example in examples() if not example.tab and "import httpx_aiohttp" not in example.source]
    alone = [example for example in blocks if "await " in example.source]
    assert {example.page for example in alone} <= {"README.md", "how-do-i.md"}


def test_every_python_block_is_found() -> None:
    for page in PAGES:
        assert len(re.findall(r"^ *```py", page.read_text(encoding="utf-8"), re.MULTILINE)) == len(examples(page.name))


def test_every_picture_of_the_pages_is_there_and_small() -> None:
    pictures = [DOCS / name for page in PAGES[1:] for name in re.findall(r"!\[.+\]\((.+)\)", page.read_text("utf-8"))]
    assert pictures
    assert all(0 < picture.stat().st_size < 150_000 for picture in pictures)
