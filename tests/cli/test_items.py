from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from scapi.cli import connection, item_card
from scapi.cli.app import run

if TYPE_CHECKING:
    from pathlib import Path

    from scapi.testing import FakeApi


def paths(fake: FakeApi) -> list[str]:
    return [seen.path for seen in fake.requests if "auction" in seen.path]


class TestNames:
    @pytest.mark.parametrize("command", ["lots", "history"])
    @pytest.mark.parametrize("name", ["AK-105", "ак-105", "AK105", "105 AK"])
    def test_a_name_stands_for_its_id(self, fake: FakeApi, command: str, name: str) -> None:
        assert run([command, name]) == 0
        assert paths(fake) == [f"/ru/auction/zz2rn/{command}"]

    def test_a_name_without_capitals_is_a_name_and_an_id_without_digits_an_id(self, fake: FakeApi) -> None:
        fake.github.edit_item("wooz", en="gravel")
        assert run(["lots", "gravel"]) == 0
        assert run(["lots", "kqgy"]) == 0
        assert paths(fake) == ["/ru/auction/wooz/lots", "/ru/auction/kqgy/lots"]

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("carpet", "'carpet' means several: Carpet (400j), Carpet (wooz)"),
            ("Gun Oli", "'Gun Oli' is unknown; similar: Gun Oil (dm6l2)"),
            ("Nothing of the Kind", "'Nothing of the Kind' is unknown; similar: none"),
        ],
    )
    @pytest.mark.parametrize("command", ["lots", "history", "item"])
    def test_a_name_that_is_no_single_items_shows_the_candidates(
        self, fake: FakeApi, command: str, name: str, said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run([command, name]) == 2
        assert capsys.readouterr() == ("", f"scapi: {said}\n")
        assert not paths(fake)

    def test_an_id_with_a_digit_needs_neither_the_extra_nor_the_database(
        self, fake: FakeApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "rapidfuzz", None)
        assert run(["lots", "zyv9"]) == 0
        assert [seen.path for seen in fake.requests] == ["/ru/auction/zyv9/lots"]

    def test_an_id_without_one_needs_no_extra_either(
        self, fake: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setitem(sys.modules, "rapidfuzz", None)
        assert run(["lots", "kqgy"]) == 0
        missing = 'rapidfuzz is missing for item names: pip install ".[names]" in your clone of scapi'
        expected = f"kqgy is taken for an id: {missing}\n"
        assert capsys.readouterr().err.startswith(expected)
        assert paths(fake) == ["/ru/auction/kqgy/lots"]

    def test_an_id_works_while_the_database_can_not_be_read(
        self, fake: FakeApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fake.fail("*/listing.json", status=404)
        assert run(["lots", "kqgy"]) == 0
        assert "kqgy is taken for an id: 404" in capsys.readouterr().err

    def test_a_name_that_no_database_can_be_read_for_says_how_to_go_on(
        self, fake: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        nobody = connection.Endpoints(database="http://127.0.0.1:1")
        monkeypatch.setattr(connection, "LIVE", nobody)
        assert run(["lots", "Stone Blossom"]) == 7
        said = capsys.readouterr().err
        assert said.startswith("scapi: no response from 127.0.0.1")
        assert said.endswith(
            "; names come from the item database: give the id, or with --fake the name of a made-up item\n"
        )

    def test_an_id_that_the_database_lacks_goes_to_the_api(
        self, fake: FakeApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["lots", "zyxwa"]) == 4
        assert capsys.readouterr().err.startswith("zyxwa is taken for an id: 'zyxwa' is unknown")
        assert paths(fake) == ["/ru/auction/zyxwa/lots"]

    @pytest.mark.usefixtures("key")
    @pytest.mark.parametrize("command", [["lots", "AK-105"], ["items", "ak"], ["item", "zyv9"]])
    def test_without_the_extra_the_command_that_installs_it_is_named(
        self, command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setitem(sys.modules, "rapidfuzz", None)
        assert run(command) == 9
        assert (
            capsys.readouterr().err
            == 'scapi: rapidfuzz is missing for item names: pip install ".[names]" in your clone of scapi\n'
        )

    @pytest.mark.parametrize(("region", "realm"), [("ru", "ru"), ("eu", "global")])
    def test_the_region_says_which_database(self, fake: FakeApi, region: str, realm: str) -> None:
        assert run(["items", "ak", "--region", region]) == 0
        assert fake.requests[0].path.endswith(f"/{realm}/listing.json")

    def test_the_database_needs_no_key(self, fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SCAPI_TOKEN")
        assert run(["items", "ak"]) == 0
        assert fake.requests

    @pytest.mark.parametrize("command", [["lots", "AK-105"], ["items", "ak"], ["item", "zyv9", "--level", "3"]])
    def test_the_fake_has_a_database(self, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection, "LIVE", None)
        assert run([*command, "--fake"]) == 0


@pytest.mark.usefixtures("key")
class TestItems:
    def test_matches_have_scores_and_marks(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["items", "carpet", "--json", "--language", "ru"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert [(row["id"], row["name"], row["score"], row["ambiguous"]) for row in found] == [
            ("400j", "«Ковёр»", 100.0, True),
            ("wooz", "Ковёр", 100.0, True),
        ]
        assert found[0]["names"]["en"] == "Carpet"

    def test_no_more_than_the_limit(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["items", "a", "--limit", "2", "--csv"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 3

    def test_nothing_found_is_an_empty_table(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["items", "qqqqqqqq"]) == 0
        assert capsys.readouterr().err == "0 items\n"

    def test_a_card_in_json_is_whole(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["item", "AK-105", "--json"]) == 0
        card = json.loads(capsys.readouterr().out)
        assert card["translation"]["lines"]["ru"] == "АК-105"
        assert card["info_blocks"][0]["type"] == "list"
        assert run(["item", "AK-105", "--out", str(tmp_path / "card.csv")]) == 0
        assert (tmp_path / "card.csv").read_text().startswith("id,translation_key,translation_lines,")

    def test_a_level_has_a_card_of_its_own(self, capsys: pytest.CaptureFixture[str]) -> None:
        shown: list[str] = []
        for level in ("0", "15"):
            assert run(["item", "AK-105", "--level", level]) == 0
            shown.append(capsys.readouterr().out)
        (usual,), (upgraded,) = (re.findall("^Damage: ([0-9.]+)$", text, re.MULTILINE) for text in shown)
        assert float(upgraded) == pytest.approx(float(usual) * 1.3)
        weights = [re.findall("^Weight: .*$", text, re.MULTILINE) for text in shown]
        assert weights[0] == weights[1] != []
        assert run(["item", "AK-105", "--level", "16"]) == 2


def text(**lines: str) -> dict[str, Any]:
    return {"type": "translation", "key": "k", "args": {}, "lines": lines}


class TestBlocks:
    def test_every_kind_of_block_is_readable(self) -> None:
        card: list[dict[str, Any]] = [
            {
                "type": "list",
                "title": text(ru="Свойства", en="Features"),
                "elements": [
                    {"type": "key-value", "key": text(en="Class"), "value": {"type": "text", "text": "Rifle"}},
                    {
                        "type": "numeric",
                        "name": text(en="Mass"),
                        "value": 1.5,
                        "formatted": {"value": {"en": "1.5 kg"}},
                    },
                    {"type": "numeric", "name": text(en="Rate"), "value": 600},
                    {"type": "range", "name": text(en="Heat"), "min": 13.09, "max": 15.4},
                    {"type": "item", "name": text(en="Scope")},
                    {"type": "usage", "name": text(en="Eat it")},
                    {"type": "text", "text": text(en="Rare")},
                    text(en="Bare"),
                    {"type": "new", "odd": [1]},
                ],
            },
            {},
            {"type": "text", "title": {"type": "text", "text": ""}, "text": text(en="One\nTwo")},
            {
                "type": "damage",
                "startDamage": 33.9,
                "damageDecreaseStart": 14.0,
                "endDamage": 22.1,
                "damageDecreaseEnd": 62.0,
                "maxDistance": 135.0,
            },
            {"type": "unheard of", "title": 7},
        ]
        assert list(item_card.lines(card, "en")) == [
            "Features",
            "  Class: Rifle",
            "  Mass: 1.5 kg",
            "  Rate: 600",
            "  Heat: 13.09 – 15.4",
            "  Scope",
            "  Eat it",
            "  Rare",
            "  Bare",
            "One",
            "Two",
            "Damage: 33.9 up to 14 m, 22.1 from 62 m, range 135 m",
        ]
        assert next(item_card.lines(card, "ru")) == "Свойства"

    def test_what_is_missing_is_a_dash(self) -> None:
        card = [{"type": "damage", "startDamage": 1, "endDamage": 0.25}]
        assert list(item_card.lines(card, "en")) == ["Damage: 1 up to – m, 0.25 from – m, range – m"]


@pytest.mark.usefixtures("key")
class TestPlot:
    @pytest.mark.parametrize(("suffix", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
    def test_the_sales_are_drawn_and_shown(
        self, suffix: str, begins: bytes, fake: FakeApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fake.sell("qyvk", 5, price=900, additional={"qlt": 0})
        fake.sell("qyvk", 250, price=900, additional={"qlt": 3})
        picture = tmp_path / f"x{suffix}"
        assert run(["history", "qyvk", "--quality", "rare", "--all", "--csv", "--plot", str(picture)]) == 0
        assert picture.read_bytes().startswith(begins)
        assert len(capsys.readouterr().out.splitlines()) == 251
        assert list(tmp_path.iterdir()) == [picture]

    @pytest.mark.parametrize("name", ["x.gif", "x"])
    def test_another_kind_of_picture_is_refused(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["history", "zyv9", "--plot", name]) == 2
        assert "the name must end in .png, .svg" in capsys.readouterr().err

    def test_no_sales_are_no_picture(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["history", "zyv9", "--limit", "0", "--plot", str(tmp_path / "x.png")]) == 2
        assert "sales" in capsys.readouterr().err
        assert not list(tmp_path.iterdir())


class TestWaits:
    def test_a_call_that_is_tried_again_says_so_on_stderr(
        self, fake: FakeApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fake.fail("*/emission", status=503, times=1)
        assert run(["emission", "--json"]) == 0
        shown, said = capsys.readouterr()
        assert json.loads(shown)
        assert "emission waits" in said
        assert "after attempt 1: 503" in said
