from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

import scapi
import scapi.sync
from scapi.cli.app import run
from scapi.testing import FakeApi
from tests.cli.process import finish

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_the_demo_shows_all_parts_in_under_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    # Of the processor's time, which other processes don't take part in.
    began = time.process_time()
    assert run(["demo"]) == 0
    assert time.process_time() - began < 10
    shown, progress = capsys.readouterr()
    for part in (
        "emission",
        "ZIV",
        "Quality",
        "Buyout",
        "Dealt",
        "from scapi.sync import AppClient",
        "8\xa0400 sales",
    ):
        assert part in shown
    assert "42/42" in progress
    assert "items ━" not in shown


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    """A fake in the place of the public demo host."""
    fake = FakeApi()
    with fake.serve() as url:
        for cls in (scapi.AppClient, scapi.sync.AppClient):
            monkeypatch.setattr(cls, "demo", classmethod(lambda cls: cls(token=fake.app_token, base_url=url)))
        yield fake


def test_live_says_that_the_demo_host_has_no_characters(live: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    live.fail("*/profile", status=404)
    assert run(["demo", "--live"]) == 0
    assert capsys.readouterr().out.count("404, as expected") == 2


def test_a_failure_in_the_bulk_ends_it_with_one_sentence(live: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    live.fail("*/dm6l2/history", status=500)
    assert run(["demo", "--live"]) == 6
    assert capsys.readouterr().err.splitlines()[-1].startswith("scapi: 500 Internal Server Error (GET http://127.0.0.1")


def test_without_the_network_one_sentence_and_an_exit_code() -> None:
    code, _, complaint = finish("demo", "--live", https_proxy="http://127.0.0.1:9")
    assert code == 7
    assert complaint.startswith("scapi: no response from dapi.stalzone.com")
    assert complaint.count("\n") == 1


def test_without_the_extra_one_sentence_names_the_command() -> None:
    program = "import sys; sys.modules['rich'] = None; from scapi.__main__ import main; main()"
    code, _, complaint = finish(program=("-c", program))
    assert code == 9
    assert complaint == 'scapi: the terminal needs rich: pip install ".[cli]" in your clone of scapi\n'
