"""The examples run as they are, and the two worlds of each say the same."""

from __future__ import annotations

import os
import re
import runpy
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
import pytest

from scapi.models import LotsWatchState
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from tests.support.programs import WarmPython

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.socket


def started(example: str, *arguments: str, **environ: str) -> subprocess.Popen[str]:
    """An example as a process of its own."""
    return subprocess.Popen(  # noqa: S603  # our own examples
        [sys.executable, "-W", "error", str(ROOT / "examples" / f"{example}.py"), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Run(Protocol):
    """What an example prints. To stderr it prints nothing, or what a pattern says."""

    def __call__(self, example: str, *arguments: str, told: str = "", **environ: str) -> str: ...


@pytest.fixture
def run(warm_python: WarmPython, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run an example in a process of its own, which a warm one forks: it takes a tenth of a second, not half of one."""
    folder = tmp_path_factory.mktemp("run")

    def run(example: str, *arguments: str, told: str = "", **environ: str) -> str:
        out, err = folder / "out", folder / "err"
        code = warm_python.start(
            arguments=[str(ROOT / "examples" / f"{example}.py"), *arguments],
            customs="",
            environment={**os.environ, **environ},
            folder=str(folder),
            out=str(out),
            err=str(err),
        ).wait(120)
        assert re.fullmatch(told, err.read_text(encoding="utf-8"))
        assert code == 0
        return out.read_text(encoding="utf-8")

    return run


PROGRAMS = {
    **{f"collect_sales_{world}": ["sales.jsonl", "zyv9"] for world in ("async", "sync")},
    **{f"deal_finder_{world}": ["market.db", "zyv9"] for world in ("async", "sync")},
    **{f"market_snapshot_{world}": ["zyv9"] for world in ("async", "sync")},
    **{f"nightly_export_{world}": ["market.db", "sales.csv", "zyv9"] for world in ("async", "sync")},
    **{f"price_alert_bot_{world}": ["zyv9", "25000", "bot.json"] for world in ("async", "sync")},
    "telegram_bot_async": ["alerts.json"],
}


def ends_with(program: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> object:
    """What a program ends with: an exit code, or a sentence. In this process, because starting one takes a second."""
    monkeypatch.setattr(sys, "argv", [f"{program}.py", *arguments])
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOT / "examples" / f"{program}.py"), run_name="__main__")
    finally:
        signal.signal(signal.SIGTERM, before)
    return ended.value.code


def test_every_program_is_known() -> None:
    found = {path.stem for path in ROOT.glob("examples/*.py")}
    # Workers of Procrastinate run those.
    assert found - {"procrastinate_tasks_async", "procrastinate_tasks_sync"} == set(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_wrong_usage_and_a_missing_key_are_one_sentence(
    program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SCAPI_TOKEN", "SCAPI_CLIENT_ID", "SCAPI_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    needed = PROGRAMS[program]
    for arguments in (needed[:-1], [*needed, "--unknown"]):
        assert ends_with(program, arguments, monkeypatch) == 2
        usage, *_, sentence = capsys.readouterr().err.splitlines()
        assert usage.startswith(f"usage: {program}.py ")
        assert sentence.startswith(f"{program}.py: error: ")
    assert ends_with(program, ["--help"], monkeypatch) == 0
    assert "--fake" in capsys.readouterr().out
    assert "SCAPI_TOKEN" in str(ends_with(program, needed, monkeypatch))
    assert not capsys.readouterr().err


@pytest.mark.parametrize("world", ["async", "sync"])
def test_a_price_that_is_no_number_is_one_sentence(
    world: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ends_with(f"price_alert_bot_{world}", ["zyv9", "cheap", "bot.json"], monkeypatch) == 2
    assert "invalid float value: 'cheap'" in capsys.readouterr().err


@pytest.mark.parametrize("world", ["async", "sync"])
def test_collect_sales_reads_each_sale_once(world: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "sales.jsonl"
    assert run(f"collect_sales_{world}", str(file), "zyv9", "319k", "--fake") == "2000 new sales\n3 new sales\n"
    sales = [msgspec.json.decode(line) for line in file.read_text().splitlines()]
    assert sum(sale["item"] == "zyv9" for sale in sales) == 1003


@pytest.mark.parametrize("world", ["async", "sync"])
def test_collect_sales_goes_on_where_it_left_off(world: str, tmp_path: Path, run: Run) -> None:
    fake = FakeApi(sales={"zyv9": 450})
    file = tmp_path / "sales.jsonl"
    with fake.serve(run_clock=False) as url:
        environ = {"SCAPI_BASE_URL": url, "SCAPI_TOKEN": fake.app_token}
        assert run(f"collect_sales_{world}", str(file), "zyv9", **environ) == "450 new sales\n"
        asked = len(fake.requests)
        assert run(f"collect_sales_{world}", str(file), "zyv9", **environ) == "0 new sales\n"
        assert len(fake.requests) == asked + 1
        # All in one second, the first of them read before the others are made.
        for number in (1, 2, 1):
            fake.sell("zyv9", number, price=700)
            assert run(f"collect_sales_{world}", str(file), "zyv9", **environ) == f"{number} new sales\n"
    assert len(file.read_text().splitlines()) == 454


@pytest.mark.parametrize("world", ["async", "sync"])
def test_collect_sales_finds_late_sales_and_none_twice(world: str, tmp_path: Path, run: Run) -> None:
    fake = FakeApi(sales={"kqgy": 300}, reorder=True)
    details = {"bonus_properties": ["a", "b", "c"], "qlt": 1, "ptn": 2}
    fake.sell("kqgy", 3, price=900, additional=details)
    file = tmp_path / "sales.jsonl"
    with fake.serve(run_clock=False) as url:
        environ = {"SCAPI_BASE_URL": url, "SCAPI_TOKEN": fake.app_token}
        assert run(f"collect_sales_{world}", str(file), "kqgy", **environ) == "303 new sales\n"
        assert run(f"collect_sales_{world}", str(file), "kqgy", **environ) == "0 new sales\n"
        for minutes in (1, 29):
            fake.sell("kqgy", 2, price=900, additional=details, time=fake.now - timedelta(minutes=minutes))
            assert run(f"collect_sales_{world}", str(file), "kqgy", **environ) == "2 new sales\n"
    assert len(file.read_text().splitlines()) == 307


@pytest.mark.parametrize("world", ["async", "sync"])
def test_market_snapshot_finds_the_cheapest_of_all_lots(world: str, run: Run) -> None:
    fake = FakeApi(limit=100_000, clock=time.time)
    for price in range(250):
        fake.list_lot("zyv9", amount=1, buyout_price=1000 + price)
    # The last of many, cheap by the piece and not as a whole; and a cheaper one that has ended.
    fake.list_lot("zyv9", amount=100, buyout_price=100)
    fake.list_lot("zyv9", amount=100, buyout_price=50, duration=0)
    with fake.serve() as url:
        shown = run(f"market_snapshot_{world}", "zyv9", SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
    assert shown.split()[4] == "1"


def test_market_snapshot_is_the_same_in_both_worlds(run: Run) -> None:
    items = ("zyv9", "kqgy", "nope")
    shown = run("market_snapshot_async", *items, "--fake")
    assert [line.split()[0] for line in shown.splitlines()] == ["kqgy", "zyv9"]
    assert run("market_snapshot_sync", *items, "--fake") == shown


@pytest.mark.parametrize("world", ["async", "sync"])
def test_market_snapshot_takes_no_failure_for_an_empty_market(world: str, run: Run) -> None:
    fake = FakeApi()
    fake.fail("*/lots", status=403)
    with fake.serve() as url, pytest.raises(AssertionError, match="auction/zyv9/lots"):
        run(f"market_snapshot_{world}", "zyv9", SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)


@pytest.mark.parametrize("world", ["async", "sync"])
def test_price_alert_bot_tells_of_cheap_lots_and_goes_on_after_a_restart(world: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "bot.json"
    for told in ("", ".*bot.json can't be read, so the bot begins anew: .*\\n"):
        # The fake is a new one each time, so that the second run finds lots that the first never saw.
        said = run(f"price_alert_bot_{world}", "zyv9", "25000", str(file), "--fake", told=told).splitlines()
        assert said == ["zyv9: 2 for 20,000"] * 2
        state = file.read_text(encoding="utf-8")
        assert LotsWatchState.from_json(state).item_id == "zyv9"
        file.write_text(state[:50])


@pytest.mark.parametrize("world", ["async", "sync"])
def test_the_deal_finder_tells_the_deal(world: str, tmp_path: Path, run: Run) -> None:
    told = run(f"deal_finder_{world}", str(tmp_path / "market.db"), "zyv9", "--fake")
    assert "sales and" in told
    assert "zyv9 +0 common: 1, 100% below" in told


@pytest.mark.parametrize("world", ["async", "sync"])
def test_the_nightly_export_adds_what_is_new(world: str, tmp_path: Path, run: Run) -> None:
    first, second = run(
        f"nightly_export_{world}", str(tmp_path / "market.db"), str(tmp_path / "sales.csv"), "zyv9", "--fake"
    ).splitlines()
    assert first.endswith(" 0 gaps")
    assert second.startswith("0 new sales")
    assert len((tmp_path / "sales.csv").read_text().splitlines()) > 1000


@pytest.mark.parametrize("world", ["async", "sync"])
def test_collect_sales_reads_again_what_was_cut_off(world: str, tmp_path: Path, run: Run) -> None:
    fake = FakeApi(sales={"zyv9": 300})
    file = tmp_path / "sales.jsonl"
    with fake.serve(run_clock=False) as url:
        environ = {"SCAPI_BASE_URL": url, "SCAPI_TOKEN": fake.app_token}
        run(f"collect_sales_{world}", str(file), "zyv9", **environ)
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        run(f"collect_sales_{world}", str(file), "zyv9", **environ)
    assert file.read_bytes() == whole


def test_the_telegram_bot_answers_alerts_and_ends(tmp_path: Path) -> None:
    file = tmp_path / "alerts.json"
    with started("telegram_bot_async", str(file), "--fake") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        # Nothing here may wait for ever, however slow the machine is.
        (watchdog := threading.Timer(120, process.kill)).start()
        process.stdin.write("/price stone blossom\n/alert 40000 Stone Blossom\n/price Moon\n/alert\n")
        process.stdin.flush()
        said: list[str] = []
        while not any("2 for 20,000" in line for line in said):
            said.append(process.stdout.readline())
            assert said[-1]
        # No more messages: it ends by itself.
        process.stdin.close()
        told, errors = "".join(said) + process.stdout.read(), process.stderr.read()
        assert process.wait() == 0
        watchdog.cancel()
    assert not errors
    assert re.search(r"to you: Stone Blossom: \d+ lots, from [\d,]+ a piece, sold for [\d,]+\.", told)
    assert "to you: I'll tell you of Stone Blossom for 40,000 a piece or less." in told
    assert "to you: 'Moon' is unknown" in told
    assert "to you: Try /price ITEM" in told
    [alert] = msgspec.json.decode(file.read_bytes())
    assert (alert["item"], alert["most"]) == ("kqgy", 40_000)


def test_the_telegram_bot_outlives_a_torn_file_and_ends_on_sigterm(tmp_path: Path) -> None:
    file = tmp_path / "alerts.json"
    file.write_text('[{"chat":"you","item":"kq')
    with started("telegram_bot_async", str(file), "--fake") as process:
        assert process.stderr is not None
        (watchdog := threading.Timer(120, process.kill)).start()
        assert "alerts.json can't be read, so there are no alerts" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.stderr.read() == "stopped\n"
        assert process.wait() == 0
        watchdog.cancel()
