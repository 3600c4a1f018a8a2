"""The programs in the guide on watchers run as they are printed there, while things happen."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scapi._core.watch import Pulse
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = Path(__file__).parents[2] / "docs/watchers.md"
PROGRAMS = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)

pytestmark = pytest.mark.socket


@pytest.fixture
def _busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A world where something happens all the time, watched without the wait of a minute."""
    fake, over = FakeApi(limit=1_000_000), threading.Event()

    def play() -> None:
        while not over.wait(0.05):
            fake.advance(60)
            fake.sell("zyv9")
            fake.end_emission()
            fake.advance(60)
            fake.start_emission()

    monkeypatch.setattr(Pulse, "after_success", lambda *_: 0.05)
    with fake.serve() as url:
        monkeypatch.setenv("SCAPI_BASE_URL", url)
        monkeypatch.setenv("SCAPI_TOKEN", fake.app_token)
        thread = threading.Thread(target=play)
        thread.start()
        yield
        over.set()
        thread.join()


@pytest.mark.usefixtures("_busy")
@pytest.mark.parametrize("program", PROGRAMS, ids=[str(number) for number in range(len(PROGRAMS))])
def test_a_program_of_the_guide_runs(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # the second time with what the first one saved
        exec(compile(program, GUIDE.name, "exec"), {"__name__": "__main__"})  # noqa: S102  # what the guide is there for
        assert re.fullmatch(r"(started|ended|\d{4}-\d\d-\d\d) .+\n", capsys.readouterr().out)


def test_each_program_is_there_for_both_worlds() -> None:
    assert ["from scapi.sync import" in program for program in PROGRAMS] == [False, True] * 2
