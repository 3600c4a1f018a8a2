"""The programs in the guide on the limit run, as they are printed there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scapi.config import Config
from scapi.pacing import set_factory
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = Path(__file__).parents[2] / "docs/limits.md"
PROGRAMS = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)

pytestmark = pytest.mark.socket


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[FakeApi]:
    fake = FakeApi()
    fake.app_token = f"token-{request.node.name}"
    with fake.serve() as url:
        monkeypatch.setenv("SCAPI_TOKEN", fake.app_token)
        monkeypatch.delenv("SCAPI_CLIENT_ID", raising=False)
        monkeypatch.delenv("SCAPI_CLIENT_SECRET", raising=False)
        Config.BASE_URL = url
        yield fake
    del Config.BASE_URL
    set_factory(None)


@pytest.mark.parametrize("program", PROGRAMS, ids=[str(number) for number in range(len(PROGRAMS))])
def test_a_program_of_the_guide_runs(program: str, fake: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(program, GUIDE.name, "exec"), {"__name__": "__main__"})  # noqa: S102  # what the guide is there for
    assert [request.status for request in fake.requests] == [200]
    assert re.search("EmissionState|399 of 400 points left", capsys.readouterr().out)


def test_each_program_is_there_for_both_worlds() -> None:
    worlds = ["from scapi.sync import" in program for program in PROGRAMS]
    assert worlds.count(True) == worlds.count(False) > 0
