"""`scapi market`: questions to a store in the terminal."""

from __future__ import annotations

import json
import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from scapi.cli.app import run
from scapi.models import AuctionLot, AuctionPrice
from scapi.store import BEGINNING, LotsReading, SalesReading
from scapi.sync import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = str(tmp_path / "market.db")
    now = datetime.now(UTC).replace(microsecond=0)
    sales = [
        AuctionPrice(amount=1, price=1000 + n, time=now - timedelta(hours=n), additional={"qlt": 3}) for n in range(9)
    ]
    with Store(path) as store:
        store.write_sales("eu", "kqgy", SalesReading().piece(sales, end=BEGINNING))
        lots = [AuctionLot(item_id="kqgy", amount=1, buyout_price=400, additional={"qlt": 3})]
        store.write_lots("eu", "kqgy", LotsReading(now).piece(lots, complete=True))
        store.update_item("ru", "kqgy", failures=2, error="\x1b[31mno such item")
    return path


@pytest.mark.parametrize(
    ("question", "options", "rows"),
    [
        ("latest", [], 1),
        ("sales", ["--limit", "3"], 3),
        ("stats", ["--by", "quality", "--per", "piece"], 1),
        ("candles", ["--width", "30d", "--since", "300d"], None),
        ("book", ["--region", "eu"], 1),
        ("deals", ["--below", "0.5"], 1),
        ("gaps", [], 0),
        ("health", [], 2),
    ],
)
def test_each_question_is_a_command(
    path: str, capsys: pytest.CaptureFixture[str], question: str, options: list[str], rows: int | None
) -> None:
    assert run(["market", question, path, "kqgy", *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) == rows or rows is None
    assert run(["market", question, path, *options]) == 0


def test_a_table_shows_nothing_that_a_terminal_obeys(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert run(["market", "health", path]) == 0
    shown = capsys.readouterr().out
    assert "no such item" in shown
    assert "\x1b[31m" not in shown


def test_out_in_and_prune(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, other = str(tmp_path / "sales.csv"), str(tmp_path / "other.db")
    assert run(["market", "export", path, file]) == 0
    assert run(["market", "import", other, file]) == 0
    assert run(["market", "import", other, file]) == 0
    assert run(["market", "prune", other, "--keep", "1d"]) == 0
    assert capsys.readouterr().err.splitlines() == ["9 sales", "9 new sales", "0 new sales", "0 rows removed"]


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "none.db"
    assert run(["market", "latest", str(missing)]) == 10
    assert "there is no store at" in capsys.readouterr().err
    assert not missing.exists()
    assert run(["market", "stats", str(missing), "--since", "soon"]) == 2


@pytest.mark.parametrize("command", [["market", "health"], ["collect", "--fake", "--once"]])
def test_a_store_that_cannot_be_opened_is_one_sentence_that_names_it(
    command: list[str], path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE scapi_version SET version = 99")
    (text := tmp_path / "text.db").write_text("no database, but a text that is long enough to be looked at" * 20)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    name, *options = command
    for store, message in {
        path: "version 99 of the schema, and this release of scapi knows",
        str(text): f"can't open the store {text}: ",
        str(tmp_path / "missing" / "market.db"): "there is no store at" if options[:1] != ["--fake"] else "can't open",
        f"postgresql://me:hidden@127.0.0.1:{port}/market": f"postgresql+psycopg://me@127.0.0.1:{port}/market: ",
    }.items():
        arguments = [*options, store] if name == "market" else [store, "zyv9", *options]
        assert run([name, *arguments]) == 10
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith("scapi: ")
        assert message in line
        assert "hidden" not in line
