"""Names to ids, on a small listing of our own."""

from __future__ import annotations

import builtins
import pickle
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scapi._items import names
from scapi._items.database import (
    barter_file,
    hideout_file,
    icon_file,
    index_file,
    item_file,
    read_barter,
    read_hideout,
    read_index,
    read_item,
)
from scapi.config import Config
from scapi.enums import IndexFile, Language, Realm
from scapi.exceptions import DecodeError, ItemNameError


def text(**lines: str) -> dict[str, Any]:
    return {"type": "translation", "key": "item.name", "args": {}, "lines": lines}


def item(id_: str, folder: str = "other", **lines: str) -> dict[str, Any]:
    return {
        "data": f"/items/{folder}/{id_}.json",
        "icon": f"/icons/{folder}/{id_}.png",
        "name": text(**lines),
        "color": "RANK_MASTER",
        "status": {"state": "NONE"},
    }


LISTING = [
    item("ak1", "weapon/assault_rifle", ru="АК-105", en="AK-105", ko="AK-105"),
    item("ak2", "weapon/assault_rifle", ru="АК-105 «Гром»", en="AK-105 Thunder", ko="AK-105 천둥"),
    item("frog", "artefact/gravity", ru="Акпа", en="Toad", fr="Fusée éclairante", ko="플레어"),
    item("tin", "misc", ru="«Консервная банка»", en='"Tin" Can'),
    item("oil", "misc", ru="Оружейное масло", en="Gun Oil", es="Aceite\xa0para armas", ko="총기 기름"),
    item("hedge", "misc", ru="Плёнка ежа", en="Hedgehog Film"),
    item("rug2", "other", ru="Ковёр", en="Carpet"),
    item("rug1", "other", ru="Ковёр", en="Carpet"),
    item("rug0", "misc", ru="«Ковёр»", en="Carpet"),
    item("pack", "backpacks", ru="Штурмовой рюкзак", en="Assault Backpack"),
    item("raw", "bullet", ru="item.amm.base_x.name", en="item.amm.base_x.name"),
    item("toad", "other", ru="Чужой", en="Stranger"),
    item("eye", "misc", ru="Глаз", en="Eye", ko="총알"),
]
INDEX = read_index(IndexFile.LISTING, msgspec.json.encode(LISTING))


def found(query: str, **options: Any) -> list[str]:
    return [result.id for result in names.search(INDEX, query, **options)]


# ── the name itself ───────────────────────────────────────────────────────────────────────────────────────────────────

NAMES = [(row["data"].rsplit("/")[-1][:-5], name) for row in LISTING for name in row["name"]["lines"].values()]
QUOTES = {"«": '«"“„‟', "»": '»"”“’', '"': '"“«”', "'": "'’‘"}
GAPS = {"-": "-‐‑–— ", " ": " \xa0\u2009\t"}


@st.composite
def respelled(draw: st.DrawFn) -> tuple[str, str]:
    """A name as a person may type it: any case, quotes, hyphens, spaces, ё."""
    id_, name = draw(st.sampled_from(NAMES))
    letters: list[str] = []
    for letter in name:
        if letter in QUOTES:
            letters.append(draw(st.sampled_from([*QUOTES[letter], ""])))
        elif letter in GAPS:
            letters.append(draw(st.sampled_from([*GAPS[letter], "", "  "])))
        elif letter == "ё":
            letters.append(draw(st.sampled_from(["ё", "е", "Ё", "е\u0308"])))
        else:
            letters.append(draw(st.sampled_from([letter, letter.upper(), letter.lower()])))
    edge = draw(st.sampled_from(["", " ", "\n", "\xa0"]))
    return id_, edge + "".join(letters) + edge


@given(respelled())
def test_an_exact_name_is_first_however_it_is_typed(case: tuple[str, str]) -> None:
    id_, query = case
    results = names.search(INDEX, query)
    exact = [result.id for result in results if result.score == 100]
    assert id_ in exact
    assert [result.id for result in results[: len(exact)]] == exact
    written = [other for other in exact if query.strip() in {other, *(name for named, name in NAMES if named == other)}]
    for result in results[: len(exact)]:
        assert result.ambiguous is (len(exact) > 1 and written != [result.id])
    assert all(result.score <= 99 for result in results[len(exact) :])


@given(st.lists(st.text(alphabet=st.sampled_from("aZ éЁйё\n-«’AК가ﬁ\u0301\u200b"), max_size=6), max_size=5))
def test_many_texts_are_spelled_as_each_of_them_alone(texts: list[str]) -> None:
    assert list(names.spell(texts)) == [next(names.spell([text])) for text in texts]


def test_a_name_of_several_ids_gives_all_of_them_first_by_category_and_id() -> None:
    results = names.search(INDEX, "carpet")
    assert [(r.id, r.score, r.ambiguous) for r in results] == [
        ("rug0", 100.0, True),
        ("rug1", 100.0, True),
        ("rug2", 100.0, True),
    ]


def test_of_equal_names_the_one_written_like_the_query_is_first() -> None:
    assert found("Ковёр")[:3] == ["rug1", "rug2", "rug0"]
    assert found("«Ковёр»")[:3] == ["rug0", "rug1", "rug2"]


@pytest.mark.parametrize(("query", "id_"), [("«Ковёр»", "rug0"), ("RUG0", "x2"), ("rug1", "rug1")])
def test_what_one_id_alone_is_called_exactly_is_meant(query: str, id_: str) -> None:
    rows = [item("rug0", "misc", ru="«Ковёр»", en="Carpet"), item("rug1", "other", ru="Ковёр", en="Carpet")]
    rows += [item("x1", "other", en="R-UG1"), item("x2", "other", en="RUG0")]
    index = read_index("listing", msgspec.json.encode(rows))
    assert names.resolve(index, query).id == id_
    (first,) = names.search(index, query, limit=1)
    assert (first.id, first.score, first.ambiguous) == (id_, 100.0, False)
    # The others still are: nobody who asked for them would have written it so.
    assert all(entry.ambiguous for entry in names.search(index, query)[1:] if entry.score == 100)


def test_what_two_ids_are_called_exactly_is_ambiguous() -> None:
    rows = [item("abcd", "misc", en="X"), item("x", "misc", en="abcd"), item("y", "misc", en="Ab-Cd")]
    index = read_index("listing", msgspec.json.encode(rows))
    with pytest.raises(ItemNameError, match="means several") as caught:
        names.resolve(index, "abcd")
    assert [entry.id for entry in caught.value.candidates][:2] == ["abcd", "x"]


def test_a_limit_cuts_but_still_says_ambiguous() -> None:
    (only,) = names.search(INDEX, "Carpet", limit=1)
    assert only.ambiguous


def test_a_longer_name_never_beats_the_exact_one() -> None:
    first, second = names.search(INDEX, "ак-105", limit=2)
    assert (first.id, second.id) == ("ak1", "ak2")
    assert (first.score, first.ambiguous) == (100.0, False)
    assert second.score < 95


def test_an_id_is_found_in_any_case() -> None:
    assert found("OIL")[0] == "oil"
    assert names.search(INDEX, "oil", limit=1)[0].score == 100


def test_an_id_that_is_another_name_in_another_case_is_the_id_and_the_name_the_name() -> None:
    results = names.search(INDEX, "toad", limit=2)
    assert [(r.id, r.score, r.ambiguous) for r in results] == [("toad", 100.0, False), ("frog", 100.0, True)]
    assert names.resolve(INDEX, "toad").id == "toad"
    assert names.resolve(INDEX, "Toad").id == "frog"
    with pytest.raises(ItemNameError, match="means several"):
        names.resolve(INDEX, "TOAD")


# ── everything else that people type ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("query", "id_", "score"),
    [
        ("АK-105", "ak1", 99.0),
        ("fusee eclairante", "frog", 99.0),
        ("масло оружейное", "oil", 98.0),
        ("105 ак", "ak1", 98.0),
        ("frgf", "frog", 97.0),
        ("jhe;tqyjt vfckj", "oil", 97.0),
        ("{tl", "toad", 0.0),
        ("ещфв", "frog", 97.0),
    ],
)
def test_the_score_tells_how_a_name_was_found(query: str, id_: str, score: float) -> None:
    results = names.search(INDEX, query, limit=1)
    assert [(r.id, r.score) for r in results] == ([(id_, score)] if score else [])


@pytest.mark.parametrize(
    ("query", "id_"),
    [
        ("оружейно масло", "oil"),
        ("оруждейное масло", "oil"),
        ("ороужейное масло", "oil"),
        ("оружейное мосло", "oil"),
        ("маслр оружейное", "oil"),
        ("jhe;tqyjt vfcj", "oil"),
        ("총알이", "eye"),
        ("알총", "eye"),
        ("플래어", "frog"),
        ("рюкзак", "pack"),
        ("рюкзак штурм", "pack"),
        ("h.rpfr", "pack"),
        ("штурмвой", "pack"),
    ],
)
def test_typos_and_parts_of_names_are_found(query: str, id_: str) -> None:
    first = names.search(INDEX, query)[0]
    assert first.id == id_
    assert first.score <= 95


@pytest.mark.parametrize("query", ["---", "«»", "zzzzzzzz", "쀍"])
def test_what_fits_nothing_finds_nothing(query: str) -> None:
    assert found(query) == []


def test_threshold_and_limit_are_kept() -> None:
    assert found("ak 105", threshold=100) == ["ak1"]
    assert found("ak 105", threshold=0, limit=None)[0] == "ak1"
    assert len(found("a", limit=2)) == 2
    assert len(found("a", limit=None)) > 2


@pytest.mark.parametrize(
    ("query", "options", "argument"),
    [
        (5, {}, "query"),
        ("", {"threshold": 101}, "threshold"),
        ("oil", {"threshold": 101}, "threshold"),
        ("oil", {"threshold": -1}, "threshold"),
        ("oil", {"limit": 0}, "limit"),
        ("oil", {"limit": True}, "limit"),
    ],
)
def test_bad_arguments_are_named(query: Any, options: dict[str, Any], argument: str) -> None:
    with pytest.raises(ValueError, match=argument):
        names.search(INDEX, query, **options)


@pytest.mark.parametrize("query", ["", " ", "\n\xa0"])
def test_a_box_that_nothing_was_typed_into_finds_nothing(query: str) -> None:
    assert names.search(INDEX, query) == []
    with pytest.raises(ValueError, match="query"):
        names.resolve(INDEX, query)


def test_a_threshold_of_the_scale_of_stalcraft_api_is_taken_at_its_word_with_a_warning() -> None:
    with pytest.warns(UserWarning, match=r"from 0 to 100, so threshold=0\.9 finds nearly everything; .* say 90$"):
        assert len(names.search(INDEX, "oil", threshold=0.9)) > len(names.search(INDEX, "oil", threshold=90))
    assert found("oil", threshold=0)
    assert found("oil", threshold=1)


@pytest.mark.parametrize("query", ["Оружейное масло", "oil", "масло оружейное", "jhe;tqyjt vfckj"])
def test_a_name_that_means_one_entry_is_resolved(query: str) -> None:
    assert names.resolve(INDEX, query).id == "oil"


@pytest.mark.parametrize(
    ("query", "message", "candidates"),
    [
        ("carpet", r"'carpet' means several: Carpet \(rug0\), Carpet \(rug1\), Carpet \(rug2\)", 3),
        ("gun oill", r"'gun oill' is unknown; similar: Gun Oil \(oil\)", 1),
        ("zzzzzzzz", "'zzzzzzzz' is unknown; similar: none", 0),
    ],
)
def test_a_name_that_means_none_or_several_lists_the_candidates(query: str, message: str, candidates: int) -> None:
    with pytest.raises(ItemNameError, match=message) as caught:
        names.resolve(INDEX, query)
    again = pickle.loads(pickle.dumps(caught.value))  # our own pickle
    assert (again.query, len(again.candidates), str(again)) == (query, candidates, str(caught.value))


def test_without_rapidfuzz_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name == "rapidfuzz":
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r'pip install "\.\[names\]"'):
        names.search(INDEX, "oil")


# ── what is read ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_item_carries_all_that_the_listing_says() -> None:
    entry = INDEX.entries["ak1"]
    assert (entry.category, entry.color, entry.status) == ("weapon/assault_rifle", "RANK_MASTER", "NONE")
    assert entry.path == "/items/weapon/assault_rifle/ak1.json"
    assert entry.icon == "/icons/weapon/assault_rifle/ak1.png"
    assert entry.data == LISTING[0]


def test_a_name_falls_back_to_what_there_is() -> None:
    frog = INDEX.entries["frog"]
    assert frog.name("FR") == frog.name(Language.FR) == "Fusée éclairante"
    assert frog.name("es") == "Toad"
    index = read_index(
        "stats",
        msgspec.json.encode(
            [
                {"id": "a", "name": text(ru="Имя", en=" ")},
                {"id": "b", "name": text(pl="Nazwa")},
                {"id": "c", "name": {"type": "text", "text": "plain"}},
                {
                    "id": "d",
                    "name": {"type": "text", "text": ""},
                    "type": "SLIDING_MATCH_HISTORY",
                    "category": "NONE",
                },
            ]
        ),
    )
    assert [entry.name("ko") for entry in index.entries.values()] == ["Имя", "Nazwa", "plain", "d"]
    assert names.search(index, "Plain")[0].id == "c"
    assert names.search(index, "d")[0].category == "NONE"


def test_the_language_is_read_from_config_at_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Config, "LANGUAGE", "ru")
    assert INDEX.entries["oil"].name() == "Оружейное масло"


def test_achievements_are_found_by_their_title() -> None:
    rows = [{"id": "acrobat", "title": text(ru="Акробат", en="Acrobat"), "description": text(), "points": 10}]
    (result,) = names.search(read_index("achievements", msgspec.json.encode(rows)), "акрбат")
    assert (result.id, result.data["points"], result.path) == ("acrobat", 10, None)


def test_rows_that_cannot_be_read_are_set_aside() -> None:
    rows = [LISTING[0], {"data": 5}, 7, LISTING[0], LISTING[1]]
    index = read_index("LISTING", msgspec.json.encode(rows))
    assert list(index.entries) == ["ak1", "ak2"]
    assert [rejected.index for rejected in index.rejected] == [1, 2, 3]
    assert "duplicate id" in index.rejected[2].reason


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b"\xff[]"])
def test_a_body_that_is_no_index_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError):
        read_index("listing", body)


def test_an_unknown_index_is_named() -> None:
    with pytest.raises(ValueError, match="listing, achievements, stats"):
        read_index("items", b"[]")


def test_an_item_file_is_read_with_empty_blocks_and_unknown_fields() -> None:
    raw = {
        "id": "ak1",
        "category": "weapon/assault_rifle",
        "name": text(ru="АК-105"),
        "color": None,
        "status": {"state": "NONE", "new": 1},
        "infoBlocks": [{}, {"type": "damage", "startDamage": 33.9}],
        "later": True,
    }
    info = read_item(msgspec.json.encode(raw))
    assert (info.id, info.name("en"), info.category, info.status) == (
        "ak1",
        "АК-105",
        "weapon/assault_rifle",
        "NONE",
    )
    assert info.info_blocks == raw["infoBlocks"]
    assert info.data == raw


def test_a_file_that_is_no_item_is_refused() -> None:
    with pytest.raises(DecodeError, match="ItemFile"):
        read_item(b'{"id": 5}')


def test_barter_keeps_what_can_be_read() -> None:
    recipe = {
        "settlementRequiredLevel": 1,
        "item": "nv63",
        "offers": [{"currency": "money", "cost": 25000, "requiredItems": [{"item": "odq0", "amount": 2}]}],
    }
    body = [{"settlementTitle": text(en="Rostok"), "recipes": [recipe, {"item": None}]}, "no settlement"]
    settlements = read_barter(msgspec.json.encode(body))
    assert [rejected.raw for rejected in settlements.rejected] == ["no settlement"]
    (rostok,) = settlements
    assert rostok.settlement_title.get("ru") == "Rostok"
    assert [(r.item, r.settlement_required_level) for r in rostok.recipes] == [("nv63", 1)]
    assert (rostok.recipes[0].offers[0].cost, rostok.recipes[0].offers[0].required_items[0].amount) == (
        25000,
        2,
    )
    assert [rejected.index for rejected in rostok.recipes.rejected] == [1]


def test_hideout_keeps_what_can_be_read() -> None:
    body = {
        "perks": [{"id": "ammunition", "name": text(en="Ammunition"), "desc": text(en="…")}],
        "recipes": [
            {
                "bench": "workbench",
                "category": text(en="Ammo"),
                "subcategory": text(en="9 mm"),
                "result": [{"item": "okp24", "amount": 1}],
                "ingredients": [{"item": "z22k", "amount": 20.0}],
                "energy": 1000.0,
                "requirements": {"perks": {"ammunition": 1}, "features": ["workbench"]},
            },
            {"bench": "workbench"},
        ],
    }
    hideout = read_hideout(msgspec.json.encode(body))
    assert hideout.perks[0].name.get() == "Ammunition"
    assert hideout.recipes[0].ingredients[0].amount == 20
    assert hideout.recipes[0].requirements.perks == {"ammunition": 1}
    assert [rejected.index for rejected in hideout.recipes.rejected] == [1]


def test_files_have_their_places() -> None:
    assert index_file(Realm.GLOBAL, IndexFile.STATS) == "global/stats.json"
    assert barter_file(Realm.RU) == "ru/barter_recipes.json"
    assert hideout_file(Realm.RU) == "ru/hideout_recipes.json"
    path = "/items/weapon/pistol/rw23l.json"
    assert item_file(Realm.RU, path) == "ru/items/weapon/pistol/rw23l.json"
    assert item_file(Realm.GLOBAL, path, 15) == "global/items/weapon/pistol/_variants/rw23l/15.json"
    assert icon_file(Realm.RU, "icons/misc/oil.png") == "ru/icons/misc/oil.png"


@pytest.mark.parametrize(
    "path", ["", "/items/a.png", "items/../../a.json", "/icons/a.json", "a.json", "/items/a.json/.."]
)
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        item_file(Realm.RU, path)


@pytest.mark.parametrize("level", [-1, 16, True, 1.5])
def test_an_upgrade_level_out_of_range_is_refused(level: Any) -> None:
    with pytest.raises(ValueError, match="upgrade_level"):
        item_file(Realm.RU, "/items/a.json", level)
