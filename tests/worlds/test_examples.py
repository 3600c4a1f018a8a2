"""The examples run as they are, and the two worlds of each say the same."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from scapi.models import LotsWatchState
from scapi.testing import FakeApi

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.socket


def run(example: str, *arguments: str, **environ: str) -> str:
    """What an example prints."""
    done = subprocess.run(  # noqa: S603  # our own examples
        [sys.executable, "-W", "error", str(ROOT / "examples" / f"{example}.py"), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert not done.stderr
    assert done.returncode == 0
    return done.stdout


@pytest.mark.parametrize("world", ["async", "sync"])
def test_collect_sales_reads_each_sale_once(world: str, tmp_path: Path) -> None:
    file = tmp_path / "sales.jsonl"
    assert run(f"collect_sales_{world}", str(file), "zyv9", "319k", "--fake") == "2000 new sales\n3 new sales\n"
    sales = [msgspec.json.decode(line) for line in file.read_text().splitlines()]
    assert sum(sale["item"] == "zyv9" for sale in sales) == 1003


@pytest.mark.parametrize("world", ["async", "sync"])
def test_collect_sales_goes_on_where_it_left_off(world: str, tmp_path: Path) -> None:
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
def test_collect_sales_finds_late_sales_and_none_twice(world: str, tmp_path: Path) -> None:
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
def test_market_snapshot_finds_the_cheapest_of_all_lots(world: str) -> None:
    fake = FakeApi(limit=100_000, clock=time.time)
    for price in range(250):
        fake.list_lot("zyv9", amount=1, buyout_price=1000 + price)
    # The last of many, cheap by the piece and not as a whole; and a cheaper one that has ended.
    fake.list_lot("zyv9", amount=100, buyout_price=100)
    fake.list_lot("zyv9", amount=100, buyout_price=50, duration=0)
    with fake.serve() as url:
        shown = run(f"market_snapshot_{world}", "zyv9", SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
    assert shown.split()[4] == "1"


def test_market_snapshot_is_the_same_in_both_worlds() -> None:
    items = ("zyv9", "kqgy", "nope")
    shown = run("market_snapshot_async", *items, "--fake")
    assert [line.split()[0] for line in shown.splitlines()] == ["kqgy", "zyv9"]
    assert run("market_snapshot_sync", *items, "--fake") == shown


@pytest.mark.parametrize("world", ["async", "sync"])
def test_market_snapshot_takes_no_failure_for_an_empty_market(world: str) -> None:
    fake = FakeApi()
    fake.fail("*/lots", status=403)
    with fake.serve() as url, pytest.raises(AssertionError, match="auction/zyv9/lots"):
        run(f"market_snapshot_{world}", "zyv9", SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)


@pytest.mark.parametrize("world", ["async", "sync"])
def test_price_alert_bot_tells_of_cheap_lots_and_goes_on_after_a_restart(world: str, tmp_path: Path) -> None:
    file = tmp_path / "bot.json"
    for _ in range(2):
        # The fake is a new one each time, so that the second run finds lots that the first never saw.
        told = run(f"price_alert_bot_{world}", "zyv9", "25000", str(file), "--fake").splitlines()
        assert told == ["zyv9: 2 for 20,000"] * 2
        assert LotsWatchState.from_json(file.read_text(encoding="utf-8")).item_id == "zyv9"


@pytest.mark.parametrize("world", ["async", "sync"])
def test_the_deal_finder_tells_the_deal(world: str, tmp_path: Path) -> None:
    told = run(f"deal_finder_{world}", str(tmp_path / "market.db"), "zyv9", "--fake")
    assert "sales and" in told
    assert "zyv9 +0 common: 1, 100% below" in told


@pytest.mark.parametrize("world", ["async", "sync"])
def test_the_nightly_export_adds_what_is_new(world: str, tmp_path: Path) -> None:
    first, second = run(
        f"nightly_export_{world}", str(tmp_path / "market.db"), str(tmp_path / "sales.csv"), "zyv9", "--fake"
    ).splitlines()
    assert first.endswith(" 0 gaps")
    assert second.startswith("0 new sales")
    assert len((tmp_path / "sales.csv").read_text().splitlines()) > 1000


@pytest.mark.parametrize("world", ["async", "sync"])
def test_the_month_of_an_artefact_is_by_quality(world: str, tmp_path: Path) -> None:
    told = run(f"artefact_month_{world}", str(tmp_path / "market.db"), "zyv9", "--fake").splitlines()
    assert [line.split()[0] for line in told[1:]] == [
        "common", "uncommon", "special", "rare", "exceptional", "legendary",
    ]  # fmt: skip
