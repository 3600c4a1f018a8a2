"""`scapi market`: questions to a store in the terminal."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from scapi import plot
from scapi.cli import connection
from scapi.cli.app import run
from scapi.models import AuctionLot, AuctionPrice
from scapi.store import BEGINNING, LotsReading, SalesReading
from scapi.sync import Store

if TYPE_CHECKING:
    from pathlib import Path

    from scapi.store import Candle

#: The item database of a fake, so that no test asks the real one.
pytestmark = pytest.mark.usefixtures("key")


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


def test_tables_show_names_and_files_ids(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["market", "stats", path, "stone blossom", "--region", "eu"]) == 0
    assert "Stone Blossom" in capsys.readouterr().out
    assert run(["market", "stats", path, "Stone Blossom", "--region", "eu", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["item"] == "kqgy"
    assert run(["market", "health", path, "--region", "ru"]) == 0
    assert "Каменный цветок" in capsys.readouterr().out
    assert run(["market", "stats", path, "Stone Flower Pot"]) == 2
    assert "'Stone Flower Pot' is unknown" in capsys.readouterr().err


def test_names_are_in_the_language_of_the_only_region_of_a_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "market.db")
    with Store(path) as store:
        store.update_item("eu", "kqgy", failures=1)
    assert run(["market", "health", path]) == 0
    assert "Stone Blossom" in capsys.readouterr().out
    with Store(path) as store:
        store.update_item("ru", "kqgy", failures=1)
    assert run(["market", "health", path]) == 0
    assert capsys.readouterr().out.count("Каменный цветок") == 2


def test_ids_will_do_where_the_database_is_not_there(
    path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = f"http://127.0.0.1:{listener.getsockname()[1]}"
    monkeypatch.setattr(connection, "LIVE", connection.Endpoints(database=closed, cache=str(tmp_path)))
    assert run(["market", "latest", path]) == 0
    told = capsys.readouterr()
    assert "kqgy" in told.out
    assert "ids in place of names: " in told.err
    assert run(["market", "latest", path, "--fake"]) == 0
    assert "kqgy" not in capsys.readouterr().out


def test_a_table_without_rows_is_a_line_that_says_what_to_do(
    path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store(path) as store:
        sales = [AuctionPrice(amount=1, price=10, time=datetime.now(UTC) - timedelta(days=3), additional={})]
        store.write_sales("eu", "zyv9", SalesReading().piece(sales, end=BEGINNING))
    for options, said in (
        (["book", path, "zyv9"], "no lots here: collect with --lots 1m"),
        (["deals", path, "zyv9"], "no lots here: collect with --lots 1m"),
        (["deals", path, "kqgy", "--below", "0.1"], "no deals: for more, raise --below or lower --min-sales"),
        (["book", path, "kqgy", "--region", "eu", "--at", "2020-01-01"], "no lots on offer"),
        (["sales", path, "zyv9", "--since", "1d"], "no sales in this time: reach further back with --since"),
        (["history", path, "zyv9", "--since", "1d"], "no sales in this time: reach further back with --since"),
        (["latest", path, "kqgy", "--region", "ru"], "no sales here: collect past ones with --since 30d"),
        (["health", path, "9mmq"], "nothing here: collect it with scapi collect"),
        (["gaps", path], "no gaps"),
    ):
        assert run(["market", *options]) == 0
        told = capsys.readouterr()
        assert told.out == ""
        (line,) = told.err.splitlines()
        assert line.startswith(said)
        assert run(["market", *options, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == []


def test_headings_say_what_a_column_is(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    now = datetime.now(UTC).replace(microsecond=0)
    sales = [AuctionPrice(amount=1, price=10, time=now - timedelta(days=day), additional={}) for day in (1, 2, 8, 9)]
    with Store(path) as store:
        for two in (sales[:2], sales[2:]):
            store.write_sales("na", "kqgy", SalesReading().piece(two, end=two[-1].time - timedelta(hours=1)))
    for question, headings, fields in (
        ("health", ["Complete from (UTC)", "Complete until (UTC)", "Gaps"], ["oldest", "newest"]),
        ("gaps", ["Region", "Item", "Missing from (UTC)", "Missing until (UTC)"], ["oldest", "newest"]),
        ("sales", ["Region", "Item", "Time (UTC)", "Pieces", "Price", "Per piece", "Quality"], ["time", "unit_price"]),
        ("book", ["Buyout", "First seen (UTC)"], ["buyout_price", "first_seen"]),
    ):
        assert run(["market", question, path]) == 0
        shown = capsys.readouterr().out
        first = shown.splitlines()[0]
        places = [first.find(heading) for heading in headings]
        assert places == sorted(places), first
        assert -1 not in places, first
        assert ("the first sale" in shown) == (question == "health")
        assert run(["market", question, path, "--json"]) == 0
        assert set(fields) < set(json.loads(capsys.readouterr().out)[0])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_history_of_an_item_is_drawn(
    path: str, tmp_path: Path, theme: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "history.svg"
    command = ["market", "history", path, "Stone Blossom", "--region", "eu", "--width", "1h", "--theme", theme]
    assert run([*command, "--plot", str(file)]) == 0
    assert {"light": "#ffffff", "dark": "#0d1117"}[theme] in file.read_text()
    told = capsys.readouterr()
    assert told.out == ""
    assert re.fullmatch(rf"drawn in {file}: 9 candles of 9 sales, \S+ \d\d:00 to \S+ \d\d:00 \(UTC\)\n", told.err)


def test_the_history_of_an_item_is_by_quality_and_the_unfinished_candle_is_dotted(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[list[Candle], dict[str, Any]]] = []
    monkeypatch.setattr(plot, "candles", lambda candles, **options: drawn.append((list(candles), options)))
    now = datetime.now(UTC)
    common = [AuctionPrice(amount=1, price=10, time=now - timedelta(minutes=30), additional={})]
    with Store(path) as store:
        store.write_sales("eu", "kqgy", SalesReading().piece(common, end=now - timedelta(hours=1)))
    for options in ([], ["--by", "level"], ["--by", "quality", "--by", "level"]):
        command = ["market", "history", path, "kqgy", "--region", "eu", "--width", "1h", *options, "--json"]
        assert run([*command, "--plot", "picture.png"]) == 0
        rows, [(candles, how)] = json.loads(capsys.readouterr().out), drawn
        drawn.clear()
        assert [(row["quality"], row["level"]) for row in rows] == [(row.quality, row.level) for row in candles]
        assert {row.quality is None for row in candles} == {options == ["--by", "level"]}
        # The collector saw all sales until half an hour ago, whatever time it is.
        assert now - timedelta(minutes=31) < how["until"] < now
    with Store(path) as store:
        store.write_sales("ru", "kqgy", SalesReading().piece(common, end=BEGINNING))
    assert run(["market", "history", path, "kqgy", "--region", "ru", "--plot", "picture.png"]) == 0
    # A single quality isn't worth a name.
    assert [row.quality for row in drawn.pop()[0]] == [None]


def test_a_history_that_cannot_be_drawn_is_one_sentence(
    path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sale = AuctionPrice(amount=1, price=10, time=datetime.now(UTC), additional={})
    with Store(path) as store:
        store.write_sales("ru", "kqgy", SalesReading().piece([sale]))
    file = str(tmp_path / "history.png")
    for options, message in (
        (["kqgy", "--plot", file], "has sales of Каменный цветок in eu, ru: choose one with --region"),
        (["zyv9", "--plot", file], "nothing to draw: the store has no sales of "),
        (["kqgy", "--theme", "dark"], "goes with --plot FILE"),
        (["kqgy", "--plot", "history.gif"], "must end in .png, .svg"),
        (["kqgy", "--since", "soon"], "--since must be"),
    ):
        assert run(["market", "history", path, *options]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "history.png").exists()


def test_a_table_shows_nothing_that_a_terminal_obeys(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert run(["market", "health", path]) == 0
    shown = capsys.readouterr().out
    assert "no such item" in shown
    assert "\x1b[31m" not in shown


@pytest.mark.parametrize("question", ["latest", "stats", "candles", "book", "deals", "health"])
def test_a_narrow_terminal_gets_whole_words_and_numbers(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert run(["market", question, path, "--region", "eu", "--fake"]) == 0
    wide = capsys.readouterr().out.split()
    monkeypatch.setenv("COLUMNS", "60")
    assert run(["market", question, path, "--region", "eu", "--fake"]) == 0
    table, _, others = capsys.readouterr().out.partition("Not shown, for lack of width: ")
    assert others
    rule = {word for word in table.split() if set(word) == {"─"}}
    assert set(table.split()) - rule <= set(wide)


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
