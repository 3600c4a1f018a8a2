"""Every Python block of the README and of the pages runs as it is printed there, against the fake."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from scapi.models import UserToken
from tests.docs.pages import DOCS, PAGES, Example, docstring_examples, examples

if TYPE_CHECKING:
    from scapi.testing import FakeApi

pytestmark = pytest.mark.socket

LOGIN, LOGIN_SYNC, RENEWAL, RENEWAL_SYNC, WEB, WEB_SYNC, _ = examples("tokens.md")
WATCHERS = examples("watchers.md")
CLIENTS = ("AppClient", "UserClient", "OAuthClient", "DatabaseLookup", "GitHubClient")
# These need more than a fake, or somebody who uses what they define.
APART = [LOGIN, LOGIN_SYNC, RENEWAL, RENEWAL_SYNC, WEB, WEB_SYNC, *WATCHERS, *examples("how-do-i.md")]


@pytest.mark.parametrize("example", [e for e in examples() if e not in APART], ids=str)
def test_an_example_runs_and_prints_what_its_page_says(
    example: Example, fake: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in re.findall(r"^(?:from|import) (prometheus_client|structlog)\b", example.source, re.MULTILINE):
        pytest.importorskip(module)
    example.run()
    printed = capsys.readouterr().out
    if example.announced:
        assert printed.splitlines() == example.announced
    assert printed or "print(" not in example.source
    for name in re.findall(r'"([\w-]+\.(?:png|svg|jsonl))"', example.source):
        assert Path(name).stat().st_size


@pytest.mark.parametrize("example", docstring_examples(), ids=str)
def test_an_example_of_a_docstring_runs(example: Example, fake: FakeApi) -> None:
    example.run()


def test_the_clients_and_the_modules_have_an_example_each() -> None:
    clients = {f"{world}.{name}" for world in ("scapi", "scapi.sync") for name in CLIENTS}
    modules = {"scapi", "scapi.sync", "scapi.frames", "scapi.plot", "scapi.store", "scapi.testing.FakeApi"}
    assert clients | modules <= {example.page for example in docstring_examples()}


@pytest.mark.parametrize("example", examples("limits.md"), ids=str)
def test_a_program_of_the_guide_on_the_limit_makes_one_call_and_a_crawler_one_for_each_item(
    example: Example, fake: FakeApi
) -> None:
    example.run()
    assert [request.status for request in fake.requests] == [200] * (4 if "crawl" in example.source else 1)


@pytest.mark.parametrize(("login", "renewal"), [(LOGIN, RENEWAL), (LOGIN_SYNC, RENEWAL_SYNC)], ids=str)
@pytest.mark.usefixtures("browser")
def test_from_the_first_click_to_the_renewal(
    fake: FakeApi, capsys: pytest.CaptureFixture[str], login: Example, renewal: Example
) -> None:
    login.run()
    assert capsys.readouterr().out.startswith("your_login is logged in until ")
    first = UserToken.from_json(Path("token.json").read_text())
    fake.oauth.revoke(first.access_token)
    renewal.run()
    assert "YourCharacterName" in capsys.readouterr().out
    assert UserToken.from_json(Path("token.json").read_text()) != first
    assert fake.oauth.renewals == 1


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("example", WATCHERS, ids=str)
def test_a_watcher_goes_on_with_what_it_saved(example: Example, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        example.run()
        assert re.fullmatch(r"(started|ended|\d{4}-\d\d-\d\d) .+\n", capsys.readouterr().out)


@pytest.mark.parametrize("example", [WEB, WEB_SYNC], ids=str)
def test_a_web_page_of_your_own(fake: FakeApi, example: Example) -> None:
    page = example.run()
    session: dict[str, str] = {}
    location = httpx.get(page["start"](session), trust_env=False).headers["location"]
    query = dict(parse_qsl(urlsplit(location).query))

    async def visit(query: dict[str, str]) -> Any:
        # One event loop for all of it, because the example's client is never closed.
        token = page["back"](dict(session), query)
        return await token if asyncio.iscoroutine(token) else token

    async def visits() -> None:
        with pytest.raises(PermissionError):
            await visit({**query, "state": "another"})
        assert isinstance(await visit(query), UserToken)
        closed = page["oauth"].close()
        if closed is not None:
            await closed

    asyncio.run(visits())


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_tabs_come_in_pairs_and_each_is_of_its_world(page: str) -> None:
    tabbed = [example for example in examples(page) if example.tab]
    assert [example.tab for example in tabbed] == ["async", "sync"] * (len(tabbed) // 2)
    for example in tabbed:
        theirs = "scapi.sync" in example.source or not re.search(r"\b(await|async|from scapi import)\b", example.source)
        assert theirs == (example.tab == "sync")


def test_a_page_shows_the_async_world_beside_the_sync_one() -> None:
    alone = [example for example in examples() if not example.tab and "await " in example.source]
    assert {example.page for example in alone} <= {"README.md", "how-do-i.md"}


def test_every_python_block_is_found() -> None:
    for page in PAGES:
        assert len(re.findall(r"^ *```py", page.read_text(encoding="utf-8"), re.MULTILINE)) == len(examples(page.name))


def test_every_picture_of_the_pages_is_there_and_small() -> None:
    pictures = [DOCS / name for page in PAGES[1:] for name in re.findall(r"!\[.+\]\((.+)\)", page.read_text("utf-8"))]
    assert pictures
    assert all(0 < picture.stat().st_size < 150_000 for picture in pictures)
