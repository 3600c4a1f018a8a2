"""The examples of docs/names.md do what the page says: each prints what the comments beside its prints announce."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path

import pytest

from scapi._core import github, store
from scapi.config import Config
from scapi.testing import FakeApi

PAGE = Path(__file__).parents[1] / "docs" / "names.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_prints_what_the_page_says(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeApi()
    fake.add_token("...")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path))
    with fake.serve() as url:
        monkeypatch.setattr(github, "RAW_URL", url)
        monkeypatch.setattr(github, "API_URL", url)
        monkeypatch.setitem(vars(Config), "BASE_URL", url)
        # What a page shows as top-level `await` runs as such, as in a notebook.
        running = eval(compile(example, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), {})  # noqa: S307
        if inspect.iscoroutine(running):
            asyncio.run(running)
    assert store.default_folder() == tmp_path
    said = re.findall(r"^ *(?:print\(.*\)  )?# (.*)$", example, re.MULTILINE)
    assert said or "print" not in example
    assert capsys.readouterr().out.splitlines() == said


def test_every_example_is_there_in_both_worlds() -> None:
    assert len(EXAMPLES) % 2 == 0
    for ours, theirs in zip(EXAMPLES[::2], EXAMPLES[1::2], strict=True):
        assert ("await " in ours, "scapi.sync" in theirs, "await " in theirs) == (True, True, False)
