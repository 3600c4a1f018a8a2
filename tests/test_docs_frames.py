"""The programs in the guides on frames and charts run, as they are printed there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scapi.config import Config
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[1] / "docs"
PROGRAMS = [
    pytest.param(program, id=f"{page}-{number}")
    for page in ("frames.md", "charts.md")
    for number, program in enumerate(
        re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    )
]

pytestmark = pytest.mark.socket


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """An empty working directory, and a fake behind `from_env`."""
    fake = FakeApi()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCAPI_TOKEN", fake.app_token)
    monkeypatch.delenv("SCAPI_CLIENT_ID", raising=False)
    monkeypatch.delenv("SCAPI_CLIENT_SECRET", raising=False)
    with fake.serve() as url:
        monkeypatch.setitem(vars(Config), "BASE_URL", url)
        yield tmp_path


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_of_the_guides_runs(program: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(program, "guide", "exec", dont_inherit=True), {"__name__": "__main__"})  # noqa: S102  # what guides are for
    assert capsys.readouterr().out or "plot" in program
    for name in re.findall(r'"([\w-]+\.(?:png|svg))"', program):
        assert (folder / name).stat().st_size > 1000


@pytest.mark.parametrize("page", ["frames.md", "charts.md"])
def test_every_picture_of_the_guides_is_there_and_small(page: str) -> None:
    for name in re.findall(r"!\[.+\]\((.+)\)", (DOCS / page).read_text(encoding="utf-8")):
        assert 0 < (DOCS / name).stat().st_size < 150_000
