"""What a server, the database or the environment says never reaches the terminal as it is."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import msgspec
import pytest
from rich.console import Console

from scapi import models
from scapi._base.annotations import plain_type
from scapi.cli import exports, fitted_tables, tables, terminal
from scapi.cli.app import run
from scapi.cli.commands.account import Account
from scapi.cli.commands.items import Match
from scapi.cli.doctor import command as doctor
from scapi.cli.doctor.findings import Finding
from scapi.models import ItemInfo, RegionInfo, Translation
from scapi.testing import FakeApi
from tests.cli.process import on_a_terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOSTILE = "\x1b]52;c;cHduZWQ=\x07\x1b[2J\x9b2J\u202e[red]x[/nope] :smile:"

NOW = datetime(2026, 1, 2, tzinfo=UTC)

#: Colours, and what a bar needs to be drawn over itself: all that rich says to a terminal for us.
OURS = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|[12]?K|1A)")


def obeyed(shown: str) -> set[str]:
    """What a terminal would obey of a stranger's text, if it was shown this."""
    theirs = OURS.sub("", shown.replace("\r\n", "\n"))
    return {char for char in theirs if unicodedata.category(char) in {"Cc", "Cf", "Cs"}} - {"\n", "\r"}


def say(fake: FakeApi, path: str, body: Any, status: int = 200) -> None:
    fake.fail(path, status=status, body=json.dumps(body))


@pytest.mark.socket
@pytest.mark.parametrize("form", ["--table", "--json", "--csv"])
def test_a_terminal_obeys_no_answer_in_any_form(form: str) -> None:
    fake = FakeApi()
    say(fake, "/regions", [{"id": HOSTILE, "name": HOSTILE}])
    with fake.serve() as url:
        code, shown = on_a_terminal("regions", form, SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
    assert code == 0
    assert not obeyed(shown)
    assert "[red]x[/nope]" in shown
    if form == "--json":
        assert json.loads(shown) == [{"id": HOSTILE, "name": HOSTILE}]


@pytest.mark.socket
def test_a_terminal_obeys_no_row_that_is_watched() -> None:
    files_seen = io.BytesIO()
    exports.write_jsonl(exports.Screen(files_seen), [RegionInfo(id=HOSTILE, name="x")], RegionInfo)
    assert not obeyed(files_seen.getvalue().decode())


@pytest.mark.parametrize("status", [404, 503, 302])
def test_an_error_is_one_sentence_that_a_terminal_does_not_obey(
    fake: FakeApi, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = {"location": "http://evil.test/\x9b2J"} if status == 302 else {}
    fake.fail("*/emission", status=status, body=json.dumps({"title": f"down\n{HOSTILE}"}), headers=headers)
    assert run(["emission"]) != 0
    said = capsys.readouterr().err
    assert not obeyed(said)
    assert said.splitlines()[-1].startswith(f"scapi: {status} ")


def test_a_date_of_a_statistic_is_text_too(fake: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    profile = {
        "username": "x", "uuid": "u", "status": "s", "alliance": "a", "lastLogin": "2026-01-01T00:00:00Z",
        "displayedAchievements": [HOSTILE],
        "stats": [{"id": f"\x1b{kind}", "type": kind, "value": "\x1b[2J\x1bc[red"} for kind in ("DATE", "OTHER")],
    }  # fmt: skip
    say(fake, "*/profile", profile)
    assert run(["profile", "x"]) == 0
    shown = capsys.readouterr().out
    assert not obeyed(shown)
    assert shown.count("[2Jc[red") == 2


def test_the_languages_of_the_database_are_text_too(capsys: pytest.CaptureFixture[str]) -> None:
    names = Translation(lines={"en": "x", "fr[/nope]": "y", HOSTILE: "z"})
    card = ItemInfo(id="x", translation=names, info_blocks=[{"type": "text", "text": HOSTILE}], data={})
    terminal.stdout().print(tables.card(card, "en"))
    shown = capsys.readouterr().out
    assert not obeyed(shown)
    assert "in fr[/nope]" in shown


def hostile(kind: Any) -> Any:
    """The JSON of a value of this type, in which every text that may be any text is a stranger's."""
    kind = plain_type(kind)
    if kind is Any or (isinstance(kind, type) and issubclass(kind, str)):
        return HOSTILE
    if get_origin(kind) is list:
        return [hostile(get_args(kind)[0])]
    if get_origin(kind) is dict:
        return {HOSTILE: HOSTILE}
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if issubclass(kind, msgspec.Struct):
        return {field.encode_name: hostile(field.type) for field in msgspec.structs.fields(kind)}
    return "2026-01-01T00:00:00Z" if issubclass(kind, datetime) else kind(1)


#: The database is a stranger too.
NAMES = defaultdict(lambda: "\x1b[31mname")

VIEWS: list[tuple[type[Any], Callable[..., Any]]] = [
    (RegionInfo, lambda row: tables.regions([row], NOW)),
    (models.EmissionState, lambda row: tables.emission(row, NOW)),
    (models.CharacterProfile, lambda row: tables.profile(row, NOW, NAMES)),
    (models.AuctionLot, lambda row: tables.lots([row], NOW)),
    (models.AuctionPrice, lambda row: tables.sales([row], NOW)),
    (models.LotEvent, lambda row: tables.lot_event([row], NOW)),
    (models.ClanInfo, lambda row: tables.clans([row], NOW)),
    (models.ClanInfo, lambda row: tables.clan(row, NOW)),
    (models.OperationSession, lambda row: tables.sessions([row], NOW)),
    (models.OperationSession, lambda row: tables.session(row, NAMES)),
    (Match, lambda row: tables.matches([row], NOW)),
    (ItemInfo, lambda row: tables.card(row, "en")),
    (Account, lambda row: tables.account(row, NOW)),
    (Finding, lambda row: doctor._table([row], NOW)),
]


@pytest.mark.parametrize(("model", "view"), VIEWS, ids=map(str, range(len(VIEWS))))
def test_no_view_of_any_model_passes_on_what_a_terminal_obeys(
    model: type[Any], view: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    row = msgspec.convert(hostile(model), model, strict=False)
    terminal.stdout().print(view(row))
    shown = capsys.readouterr().out
    assert shown.strip()
    assert not obeyed(shown)


def test_text_is_never_markup_whatever_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    for console in (terminal.stdout(), terminal.stderr()):
        assert isinstance(console, Console)
        table = fitted_tables.table("x")
        table.add_row("[red]x[/nope] :smile:")
        console.print(table)
        console.print("[red]y[/nope] :smile:")
    shown, said = capsys.readouterr()
    assert shown.count("[/nope] :smile:") == said.count("[/nope] :smile:") == 2


def test_the_arguments_and_the_environment_are_text_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCAPI_REGION", HOSTILE)
    assert run(["emission", "--fake"]) == 2
    monkeypatch.delenv("SCAPI_REGION")
    assert run([HOSTILE]) == 2
    assert run(["emission", "--out", f"{HOSTILE}/x.csv", "--fake"]) != 0
    assert not obeyed(capsys.readouterr().err)


# ── spreadsheets ──────────────────────────────────────────────────────────────────────────────────────────────────────

FORMULAS = ["=1+1", "@SUM(A1)", "-2+3|cmd", "+1"]


@pytest.fixture
def formulas(fake: FakeApi) -> None:
    say(fake, "/regions", [{"id": text, "name": "x"} for text in FORMULAS])


def ids(text: str) -> list[str]:
    return [row["id"] for row in csv.DictReader(io.StringIO(text, newline=""))]


@pytest.mark.usefixtures("formulas")
def test_a_csv_file_holds_no_formula_unless_it_is_to_be_exact(tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    assert run(["regions", "--out", str(out)]) == 0
    assert ids(out.read_text()) == [f"'{text}" for text in FORMULAS]
    assert run(["regions", "--out", str(out), "--no-spreadsheet"]) == 0
    assert ids(out.read_text()) == FORMULAS


@pytest.mark.usefixtures("formulas")
def test_printed_csv_is_exact_unless_it_is_for_a_spreadsheet(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["regions", "--csv"]) == 0
    assert ids(capsys.readouterr().out) == FORMULAS
    assert run(["regions", "--csv", "--spreadsheet"]) == 0
    assert ids(capsys.readouterr().out) == [f"'{text}" for text in FORMULAS]


def test_numbers_stay_numbers_in_a_spreadsheet(tmp_path: Path, key: dict[str, str]) -> None:
    for option in ("--spreadsheet", "--no-spreadsheet"):
        assert run(["history", "zyv9", "--out", str(tmp_path / f"{option}.csv"), option]) == 0
    guarded, exact = ((tmp_path / f"--{name}.csv").read_bytes() for name in ("spreadsheet", "no-spreadsheet"))
    assert guarded == exact


@pytest.mark.parametrize("form", [["--json"], ["--table"], ["--out", "x.jsonl"]])
def test_other_forms_are_for_no_spreadsheet(form: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["regions", "--fake", *form, "--spreadsheet"]) == 2
    assert "go with --csv or --out FILE.csv" in capsys.readouterr().err
