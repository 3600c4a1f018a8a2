from __future__ import annotations

import csv
import json
import os
import re
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from scapi.__main__ import main
from scapi._lists.polling import Backoff
from scapi.cli import errors, exit_codes, exports
from scapi.cli.app import app, run
from scapi.cli.commands.game import operations
from scapi.cli.formatting import counted
from scapi.testing._catalogue import HOME_CLAN

if TYPE_CHECKING:
    from scapi.testing import FakeApi

COMMANDS = {
    "regions": ["regions"],
    "emission": ["emission"],
    "lots": ["lots", "zyv9", "--limit", "3"],
    "history": ["history", "zyv9", "--limit", "3"],
    "profile": ["profile", "ZIV"],
    "clans": ["clans", "--limit", "3"],
    "clan": ["clan", HOME_CLAN],
    "operations": ["operations", "--limit", "3"],
}


@pytest.mark.usefixtures("key")
class TestForms:
    @pytest.mark.parametrize("name", COMMANDS)
    def test_json_has_the_models_own_names(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert run([*COMMANDS[name], "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        single = {"emission": "previous_start", "profile": "last_login", "clan": "member_count"}
        several = {"regions": "id", "lots": "unit_price", "history": "quality", "clans": "uuid", "operations": "map"}
        assert single[name] in found if name in single else several[name] in found[0]

    @pytest.mark.parametrize("name", COMMANDS)
    def test_csv_has_a_line_of_names_and_a_line_per_row(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert run([*COMMANDS[name], "--csv"]) == 0
        head, *rows = csv.reader(capsys.readouterr().out.splitlines())
        assert len(rows) == {"regions": 5, "lots": 3, "history": 3, "clans": 3, "operations": 3}.get(name, 1)
        assert {len(row) for row in rows} == {len(head)}

    @pytest.mark.parametrize("name", COMMANDS)
    @pytest.mark.parametrize("suffix", exports.WRITERS)
    def test_out_writes_a_file_and_prints_nothing(
        self, name: str, suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / f"rows{suffix}"
        assert run([*COMMANDS[name], "--out", str(out)]) == 0
        shown, said = capsys.readouterr()
        assert not shown
        assert said.endswith(f" in {out}\n")
        assert list(tmp_path.iterdir()) == [out]
        assert out.stat().st_size > 50

    def test_the_forms_agree(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        lots = ["lots", "kqgy", "--limit", "50"]
        assert run([*lots, "--json"]) == 0
        wanted: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        for suffix in exports.WRITERS:
            assert run([*lots, "--out", str(tmp_path / f"lots{suffix}")]) == 0
        lines = [json.loads(line) for line in (tmp_path / "lots.jsonl").read_text().splitlines()]
        assert lines == wanted
        with (tmp_path / "lots.csv").open(newline="") as file:
            table = list(csv.DictReader(file))
        assert [row["buyout_price"] for row in table] == [str(row["buyout_price"]) for row in wanted]
        assert [json.loads(row["additional"]) for row in table] == [row["additional"] for row in wanted]
        frame = pytest.importorskip("pyarrow.parquet").read_table(tmp_path / "lots.parquet")
        assert frame.column("unit_price").to_pylist() == [row["unit_price"] for row in wanted]
        assert str(frame.schema.field("end_time").type) == "timestamp[us, tz=UTC]"

    def test_csv_spells_true_and_times_as_json_does(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["emission", "--csv"]) == 0
        row = next(csv.DictReader(capsys.readouterr().out.splitlines()))
        assert row["active"] == "false"
        assert row["current_start"] == ""
        assert row["previous_end"] == "2026-08-19T11:21:58Z"

    def test_an_empty_listing_has_the_same_columns(self, tmp_path: Path) -> None:
        parquet = pytest.importorskip("pyarrow.parquet")
        for item in ("qyvk", "zyv9"):
            assert run(["lots", item, "--out", str(tmp_path / f"{item}.parquet")]) == 0
        empty, full = (parquet.read_table(tmp_path / f"{item}.parquet") for item in ("qyvk", "zyv9"))
        assert (len(empty), len(full)) == (0, 20)
        assert empty.schema == full.schema

    def test_a_file_that_is_there_is_replaced_in_whole(self, tmp_path: Path) -> None:
        out, link = tmp_path / "clans.csv", tmp_path / "link.csv"
        out.write_text("old")
        link.symlink_to(out)
        assert run(["clans", "--out", str(link)]) == 0
        assert out.read_text().startswith("uuid,name")
        assert link.is_symlink()


class TestQuestions:
    def test_the_options_reach_the_api(self, fake: FakeApi) -> None:
        assert (
            run(
                [
                    "lots",
                    "zyv9",
                    "--region",
                    "EU",
                    "--limit",
                    "7",
                    "--offset",
                    "2",
                    "--sort",
                    "buyout_price",
                    "--order",
                    "desc",
                ]
            )
            == 0
        )
        assert (
            run(
                [
                    "operations",
                    "--map",
                    "shock_therapy",
                    "--username",
                    "ZIV",
                    "--before",
                    "2026-08-01",
                    "--after",
                    "2026-07-01",
                ]
            )
            == 0
        )
        lots, operations = fake.requests
        assert lots.path == "/eu/auction/zyv9/lots"
        expected = {"limit": "7", "offset": "2", "sort": "buyout_price", "order": "desc", "additional": "true"}
        assert lots.query == expected
        asked = {"map": "shock_therapy", "username": "ZIV", "before": "2026-08-01T00:00:00Z"}
        assert asked.items() <= operations.query.items()

    def test_the_region_may_come_from_the_environment(self, fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SCAPI_REGION", "sea")
        assert run(["emission"]) == 0
        assert fake.requests[0].path == "/sea/emission"

    def test_a_name_with_any_characters_arrives(self, fake: FakeApi) -> None:
        assert run(["profile", "A/B?c#d ё"]) == 0
        assert fake.requests[0].status == 200

    def test_since_reads_what_is_newer(self, fake: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
        for ago in ("2d", "2026-08-17T12:00:00Z"):
            assert run(["history", "zyv9", "--since", ago, "--csv"], now=lambda: fake.now) == 0
            _, *times = [row[2] for row in csv.reader(capsys.readouterr().out.splitlines())]
            assert len(times) > 20
            assert min(times) > "2026-08-17T12:00:00Z"
            assert times == sorted(times, reverse=True)

    @pytest.mark.parametrize(
        ("arguments", "count"),
        [
            (["clans"], 240),
            (["clans", "--limit", "210"], 210),
            (["lots", "kqgy"], 258),
            (["history", "zyv9"], 215),
            (["history", "zyv9", "--limit", "7"], 7),
            (["operations"], 320),
            (["operations", "--map", "shock_therapy"], 100),
        ],
    )
    @pytest.mark.usefixtures("key")
    def test_all_means_every_page(
        self, arguments: list[str], count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run([*arguments, "--all", "--out", str(tmp_path / "all.jsonl")]) == 0
        assert len((tmp_path / "all.jsonl").read_text().splitlines()) == count
        assert capsys.readouterr().err.startswith(f"{count} ")
        assert run([*arguments, "--all"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == count + 2

    @pytest.mark.usefixtures("key")
    def test_only_rows_of_the_qualities_are_left(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["history", "kqgy", "--limit", "200", "--quality", "rare", "--quality", "LEGENDARY", "--json"]) == 0
        kept = json.loads(capsys.readouterr().out)
        assert {row["quality"] for row in kept} == {"rare", "legendary"}

    def test_a_sale_without_a_quality_is_common(self, fake: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
        fake.sell("kqgy", additional={"upgrade_bonus": 0.0})
        assert run(["history", "kqgy", "--limit", "1", "--quality", "common", "--json"]) == 0
        assert [row["quality"] for row in json.loads(capsys.readouterr().out)] == [None]

    def test_what_players_write_can_not_steer_the_terminal(
        self, fake: FakeApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        row = {"username": "[red]x\x1b[2J\u202e", "uuid": "1", "status": "§4red\x07"}
        fake.fail("*/profile", body=json.dumps(row), status=200)
        assert run(["profile", "x"]) == 0
        shown = capsys.readouterr().out
        assert "[red]x[2J" in shown
        assert not {"\x1b", "\x07", "\u202e", "§"} & set(shown)

    def test_fake_needs_no_key(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["lots", "zyv9", "--fake", "--limit", "1"]) == 0
        assert "1 of" in capsys.readouterr().err


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the command is started in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestFailures:
    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (["lots", "nope"], 4, "400 Invalid item id"),
            (["profile", "Nobody"], 4, "404"),
            (["profile", "Too_Pivo"], 8, "the body is empty"),
            (["clan", "nope"], 4, "404"),
            (["lots", "zyv9", "--limit", "-1"], 2, "limit must be an integer from 0 to 200, not -1"),
            (["operations", "--before", "soon"], 2, "before must be a datetime"),
            (["lots", "zyv9", "--sort", "beauty"], 2, "'--sort'"),
            (["lots"], 2, "Missing argument 'NAME_OR_ID'"),
            (["clans", "--json", "--out", "x.csv"], 2, "choose one"),
            (["clans", "--out", "x.xls"], 2, "the name must end in .csv, .jsonl, .parquet, not .xls"),
            (["clans", "--out", "missing/x.csv"], 10, "No such file or directory"),
            (["clans", "--all", "--offset", "3"], 2, "choose one"),
            (["history", "zyv9", "--since", "soon"], 2, "since must be"),
            (["nope"], 2, "No such command 'nope'"),
        ],
    )
    @pytest.mark.usefixtures("key")
    def test_one_sentence_and_a_code(
        self,
        arguments: list[str],
        code: int,
        said: str,
        folder: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert run(arguments) == code
        shown, complaint = capsys.readouterr()
        assert not shown
        *notes, complaint = complaint.splitlines()
        assert complaint.startswith("scapi: ")
        assert not notes or arguments == ["lots", "nope"]
        assert said in complaint
        assert not list(folder.iterdir())

    @pytest.mark.parametrize(("status", "code"), [(401, 3), (403, 3), (429, 5), (418, 4), (500, 6)])
    def test_each_family_of_statuses_has_its_code(
        self, fake: FakeApi, status: int, code: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # A limit of 0 never comes back, so that the 429 isn't waited for.
        monkeypatch.setenv("SCAPI_TOKEN", "site-token")
        fake.add_token("site-token", limit=0 if status == 429 else None)
        if status != 429:
            fake.fail("*", status=status)
        assert run(["emission"]) == code

    def test_a_wrong_key_is_not_shown(
        self, fake: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("SCAPI_TOKEN", "hunter2hunter2")
        assert run(["emission"]) == 3
        complaint = capsys.readouterr().err
        assert "401 Unauthorized" in complaint
        assert "hunter2" not in complaint

    @pytest.mark.parametrize("command", ["emission", "doctor"])
    def test_no_key_says_where_one_goes(self, command: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert run([command]) == 3
        expected = (
            "scapi: no credentials: set SCAPI_TOKEN, or SCAPI_CLIENT_ID and SCAPI_CLIENT_SECRET, or run "
            "scapi login; --fake needs none\n"
        )
        assert capsys.readouterr().err == expected

    def test_half_a_pair_says_which_half(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("SCAPI_CLIENT_ID", "1")
        assert run(["emission"]) == 3
        assert "client_secret is missing" in capsys.readouterr().err

    def test_an_extra_that_is_missing_is_named_before_anything_is_sent(
        self, fake: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        assert run(["clans", "--out", str(tmp_path / "x.parquet")]) == 9
        assert 'pip install ".[arrow]"' in capsys.readouterr().err
        assert not fake.requests

    def test_a_mistake_of_ours_keeps_its_traceback(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(app, "main", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run([])

    def test_a_picture_has_the_name_of_the_item_and_the_chosen_look(
        self,
        key: dict[str, str],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        from scapi import plot

        drawn: dict[str, Any] = {}
        draw = plot.price_history
        monkeypatch.setattr(
            plot, "price_history", lambda sales, **options: drawn.update(options) or draw(sales, **options)
        )
        picture = tmp_path / "prices.svg"
        assert run(["history", "kqgy", f"--plot={picture}", "--by", "level", "--theme", "dark", "--region", "eu"]) == 0
        assert drawn == {"item": "Stone Blossom", "region": "eu", "by": "level", "theme": "dark"}
        assert picture.stat().st_size > 1000
        told = capsys.readouterr()
        # The picture stands in place of the table.
        assert told.out == ""
        assert told.err.startswith(f"drawn in {picture}: 20 of ")

    def test_a_limit_counts_what_a_filter_leaves(self, key: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["lots", "kqgy", "--quality", "rare", "--limit", "5", "--json"]) == 0
        five = json.loads(capsys.readouterr().out)
        assert [lot["quality"] for lot in five] == ["rare"] * 5
        assert run(["lots", "kqgy", "--quality", "rare", "--limit", "3", "--offset", "2", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == five[2:]
        assert run(["history", "kqgy", "--quality", "rare", "--limit", "5", "--table"]) == 0
        assert re.match("5 rare sales, found among the newest [0-9]+\n", capsys.readouterr().err)
        assert run(["history", "kqgy", "--quality", "rare", "--since", "3h", "--table"]) == 0
        assert re.match("[0-9]+ rare sales?, found among all [0-9]+\n", capsys.readouterr().err)
        assert run(["lots", "kqgy", "--quality", "rare", "--quality", "unique", "--buyout", "--limit", "1"]) == 0
        assert re.match("1 rare or unique lot with a buyout, found among the first [0-9]+\n", capsys.readouterr().err)

    def test_lots_that_can_be_bought_at_once(self, key: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["lots", "dm6l2", "--buyout", "--all", "--json"]) == 0
        lots = json.loads(capsys.readouterr().out)
        assert lots
        assert all(lot["buyout_price"] for lot in lots)

    @pytest.mark.parametrize("filters", [[], ["--buyout"], ["--quality", "rare"], ["--all"]])
    def test_the_cheapest_are_per_piece_of_all_lots_that_can_be_bought(
        self, key: dict[str, str], filters: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["lots", "kqgy", "--all", "--buyout", *filters, "--json"]) == 0
        offered = [lot for lot in json.loads(capsys.readouterr().out) if lot["end_time"] > "2026-08-19T13"]
        assert run(["lots", "kqgy", "--cheapest", *filters, "--limit", "200", "--json"]) == 0
        found = [lot for lot in json.loads(capsys.readouterr().out) if lot["end_time"] > "2026-08-19T13"]
        prices = [lot["unit_price"] for lot in found]
        assert prices == sorted(lot["unit_price"] for lot in offered)[: len(prices)]
        assert prices

    def test_the_cheapest_are_twenty_and_the_note_counts_all(
        self, key: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["lots", "kqgy", "--cheapest"]) == 0
        assert re.search(r"^the 20 cheapest of \d+ lots with a buyout$", capsys.readouterr().err, re.MULTILINE)
        assert run(["lots", "kqgy", "--cheapest", "--limit", "1", "--csv"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 2

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--cheapest", "--sort", "time_left"], "--cheapest sorts all lots"),
            (["--cheapest", "--watch"], "--cheapest sorts all lots"),
            (["--cheapest", "--limit", "0"], "limit must be an integer >= 1, not 0"),
            (["--watch", "--all"], "--watch waits for changes"),
            (["--watch", "--offset", "3"], "--watch waits for changes"),
            (["--watch", "--csv"], "--watch never ends"),
            (["--watch", "--out", "x.jsonl"], "--watch never ends"),
            (["--watch", "--interval", "0"], "interval must be a number of seconds above 0, not 0.0"),
            (["--interval", "5"], "it goes with --watch"),
        ],
    )
    def test_options_of_lots_that_contradict_each_other_are_refused(
        self, key: dict[str, str], options: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["lots", "zyv9", *options]) == 2
        assert said in capsys.readouterr().err
        assert not list(folder.iterdir())

    @pytest.mark.parametrize(
        ("command", "most"), [("lots zyv9", 200), ("history zyv9", 200), ("clans", 200), ("operations", 100)]
    )
    def test_a_page_that_is_too_large_is_told_the_option_for_several(
        self, key: dict[str, str], command: str, most: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run([*command.split(), "--limit", "400"]) == 2
        assert capsys.readouterr().err == f"scapi: a page has at most {most} rows: add --all to read 400\n"

    def test_an_option_before_the_command_is_told_its_place(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["--fake", "lots", "kqgy"]) == 2
        assert "--fake goes behind the command, as in: scapi lots kqgy --fake" in capsys.readouterr().err
        assert run(["--nonsense", "lots"]) == 2
        assert "No such option" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("command", "own"), [("lots", "--cheapest"), ("doctor", "--replay"), ("market sales", "--since")]
    )
    def test_help_lists_the_options_of_the_command_first(
        self, command: str, own: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run([*command.split(), "--help"]) == 0
        shown = capsys.readouterr().out
        assert shown.index(own) < shown.index("--json") < shown.index("--help")

    def test_maps_are_completed(self) -> None:
        (option,) = (option for option in operations.params if option.name == "map")
        found = option.shell_complete(click.Context(operations), "s")
        assert {item.value for item in found} == {"shock_therapy", "sea_alienation"}

    @pytest.mark.parametrize("command", ["lots dm6l2", "history dm6l2", "clans", "operations"])
    def test_a_narrow_terminal_cuts_no_number(
        self, key: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
    ) -> None:
        monkeypatch.setenv("COLUMNS", "40")
        assert run([*command.split(), "--limit", "5"]) == 0
        out = capsys.readouterr().out
        assert "…" not in out
        assert "Not shown, for lack of width: " in out

    @pytest.mark.parametrize(("count", "text"), [(0, "0 items"), (1, "1 item"), (2000, "2\xa0000 items")])
    def test_one_is_not_many(self, count: int, text: str) -> None:
        assert counted(count, "items") == text

    @pytest.mark.parametrize("option", ["--by=quality", "--theme=dark"])
    def test_the_look_of_no_picture_is_refused(
        self, key: dict[str, str], capsys: pytest.CaptureFixture[str], option: str
    ) -> None:
        assert run(["history", "kqgy", option]) == 2
        assert "they go with --plot FILE" in capsys.readouterr().err

    @pytest.mark.parametrize("option", ["--out={}/rows.csv", "--plot={}/rows.png"])
    def test_a_place_that_can_not_be_written_is_known_before_anything_is_sent(
        self, fake: FakeApi, tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["history", "zyv9", "--all", option.format(tmp_path / "no")]) == 10
        assert capsys.readouterr().err == f"scapi: [Errno 2] No such file or directory: '{tmp_path / 'no'}'\n"
        (tmp_path / "file").write_text("in the way")
        assert run(["history", "zyv9", "--all", option.format(tmp_path / "file")]) == 10
        assert not fake.requests
        assert [path.name for path in tmp_path.iterdir()] == ["file"]

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
    def test_a_pipe_is_not_replaced(self, fake: FakeApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        os.mkfifo(tmp_path / "rows.csv")
        assert run(["clans", "--out", str(tmp_path / "rows.csv")]) == 10
        assert "not a regular file" in capsys.readouterr().err
        assert stat.S_ISFIFO((tmp_path / "rows.csv").stat().st_mode)
        assert not fake.requests

    @pytest.mark.usefixtures("key")
    def test_home_is_home_also_where_the_shell_leaves_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("USERPROFILE", str(tmp_path))
        assert run(["history", "zyv9", "--out=~/rows.csv", "--plot=~/rows.png"]) == 0
        assert {"rows.csv", "rows.png"} <= {path.name for path in tmp_path.iterdir()}
        (tmp_path / "answers.json").write_text('{"software": "", "exchanges": []}')
        assert run(["doctor", "--replay=~/answers.json"]) == 0

    @pytest.mark.usefixtures("key")
    def test_what_another_run_has_begun_is_left_alone(self, tmp_path: Path) -> None:
        # A container's process id is always the same: a name made of it is everybody's.
        theirs = [tmp_path / f".rows.csv.{os.getpid()}.part", tmp_path / ".rows.csv.0123456789abcdef.part"]
        for path in theirs:
            path.write_text("theirs")
        assert run(["clans", "--out", str(tmp_path / "rows.csv")]) == 0
        assert [path.read_text() for path in theirs] == ["theirs", "theirs"]

    def test_an_interrupted_file_leaves_nothing(
        self, fake: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setitem(exports.WRITERS, ".csv", interrupted)
        (tmp_path / "old.csv").write_text("old")
        assert run(["clans", "--out", str(tmp_path / "old.csv")]) == 130
        assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old.csv", "old")]


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_every_exit_code_and_command_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "terminal.md").read_text(encoding="utf-8")
    codes = {*errors.EXIT_CODES.values(), exit_codes.INTERRUPTED, exit_codes.PIPE_CLOSED}
    assert all(f"| {code} | " in page for code in codes)
    assert all(f"`{name}" in page for name in app.commands)


@pytest.mark.parametrize("group", [[], ["market"]])
def test_no_line_of_a_list_of_commands_is_cut(group: list[str]) -> None:
    shown = CliRunner().invoke(app, [*group, "--help"], terminal_width=80).output
    assert "..." not in shown.partition("Commands:")[2]


@pytest.mark.parametrize("name", app.commands)
def test_every_command_has_help_and_explains_its_options(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0
    for parameter in app.commands[name].params:
        assert parameter.param_type_name == "argument" or getattr(parameter, "help", None)


def test_everything_is_shown_that_rarely_is(fake: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    fake.fail("*/emission", body="{}", times=1)
    assert run(["emission"]) == 0
    assert capsys.readouterr().out == "No emission.\n"
    fake.start_emission()
    fake.advance(90)
    moment = fake.now
    assert run(["emission"], now=lambda: moment) == 0
    # The fake's clock runs while it is served.
    said = r"An emission is running, since 2026-08-19 12:00:\d\d, 1 min 3\d s by now\."
    assert re.search(said, capsys.readouterr().out)
    fake.fail("*/profile", body='{"username": "x", "uuid": "1", "stats": [{"id": "a", "type": "NEW", "value": "odd"}]}')
    assert run(["profile", "x"]) == 0
    assert "a  odd" in capsys.readouterr().out


class TestMain:
    def test_it_exits_with_the_code_of_the_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.argv", ["scapi", "emission"])
        with pytest.raises(SystemExit) as exit_:
            main()
        assert exit_.value.code == 3

    def test_an_extra_that_is_missing_is_named(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delitem(sys.modules, "scapi.cli.app")
        monkeypatch.setitem(sys.modules, "click", None)
        with pytest.raises(SystemExit) as exit_:
            main()
        assert exit_.value.code == 9
        assert (
            capsys.readouterr().err == 'scapi: the terminal needs click: pip install ".[cli]" in your clone of scapi\n'
        )

    def test_a_module_of_ours_that_is_missing_is_a_mistake(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "scapi.cli.app", None)
        with pytest.raises(ModuleNotFoundError):
            main()


@pytest.mark.usefixtures("key")
def test_a_closed_pipe_is_left_quietly(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def closed(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(exports, "write_json", closed)
    assert run(["clans", "--json"]) == 141
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("form", [["--csv"], ["--out", "emissions.jsonl"]])
def test_what_never_ends_is_neither_a_file_nor_csv(form: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["emission", "--watch", *form]) == 2
    assert "never ends" in capsys.readouterr().err


def test_emissions_are_told_of_and_failures_go_to_stderr(
    fake: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.end_emission()
    steps = iter([fake.start_emission, lambda: fake.fail("*", status=404, times=1), fake.end_emission])

    def turn(*_: object) -> float:
        fake.advance(60)
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        step()
        return 0.0

    monkeypatch.setattr(Backoff, "after_success", turn)
    monkeypatch.setattr(Backoff, "after_failure", turn)
    assert run(["emission", "--watch", "--json"]) == 130
    out, err = capsys.readouterr()
    first, started = map(json.loads, out.splitlines())
    assert first["current_start"] is None
    assert started["current_start"] is not None
    assert err.startswith("scapi: ")
    assert err.count("404") == len(err.strip().splitlines()) == 1
