"""What a piece, a profile and an item say of themselves in words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scapi.enums import BonusProperty, ItemRank, Quality, StatType
from scapi.models import AuctionLot, AuctionPrice, CharacterProfile, Lookup, PieceDetails, Statistic, Translation
from tests.unit.real_data import REASON, real_database

T0 = datetime(2026, 8, 5, tzinfo=UTC)


def sale(**additional: Any) -> AuctionPrice:
    return AuctionPrice(amount=1, price=100, time=T0, additional=additional)


# ── additional ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_additional_says_is_readable() -> None:
    found = sale(
        qlt=1, ptn=15, ndmg=0.25, md_k=0.3, it_transf_count=2, spawn_time=1735608570403, upgrade_bonus=0.0042,
        stats_random=0.0, buyer="ZIV", bonus_properties=["STAMINA_BONUS", "SPEED_MOD", "NEVER_SEEN"],
    ).details  # fmt: skip
    assert found == PieceDetails(
        bonus_properties=[BonusProperty("NEVER_SEEN"), BonusProperty.SPEED_MOD, BonusProperty.STAMINA_BONUS],
        spawn_time=datetime(2024, 12, 31, 1, 29, 30, 403000, tzinfo=UTC),
        studied=True,
        percent=107.5,
        charge=75.0,
        max_charge=70.0,
        transfers=2,
        upgrade_bonus=0.0042,
        buyer="ZIV",
    )
    assert [found.label("ru") for found in found.bonus_properties[1:]] == ["Скорость передвижения", "Выносливость"]


def test_what_was_not_sent_is_not_made_up() -> None:
    assert sale().details == PieceDetails() == AuctionLot(item_id="a", amount=1).details
    assert json.loads(PieceDetails().to_json())["charge"] is None


@pytest.mark.parametrize("odd", [None, True, "x", [], {}, [1, {}], 10**400, -(10**30), 1e308])
def test_what_is_of_another_kind_counts_as_absent(odd: Any) -> None:
    for key in ("bonus_properties", "spawn_time", "stats_random", "ndmg", "md_k", "it_transf_count", "upgrade_bonus"):
        found = sale(**{key: odd}, qlt=odd).details
        assert found.to_json()
        assert found.spawn_time is None
        assert found.bonus_properties == []
        assert 0 <= found.transfers < 2**63 or odd == -(10**30)


@pytest.mark.parametrize(
    ("quality", "roll", "percent"),
    [(0, -2, 85), (0, 2, 100), (0, -3, 85), (3, 0, 137.5), (5, 9, 175), (6, 2, 190), (9, 0, None), (None, 0, None)],
)
def test_a_studied_artefact_has_a_place_in_the_range_of_its_quality(
    quality: int | None, roll: float, percent: float | None
) -> None:
    known = {} if quality is None else {"qlt": quality}
    assert sale(stats_random=roll, **known).details.percent == percent
    assert sale(**known).details.percent is None


# ── quality and level ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("additional", "category", "quality"),
    [
        ({}, "artefact/gravity", Quality.COMMON),
        ({}, "artefact", Quality.COMMON),
        ({"qlt": 3}, "artefact/gravity", Quality.RARE),
        ({}, "weapon/pistol", None),
        ({"qlt": 0}, "weapon/pistol", None),
        ({}, "artefacts_of_another_kind", None),
        ({}, None, None),
        ({"qlt": 3}, None, Quality.RARE),
    ],
)
def test_the_category_decides_what_a_row_without_a_quality_is(
    additional: dict[str, Any], category: str | None, quality: Quality | None
) -> None:
    assert sale(**additional).quality_in(category) is quality


@pytest.mark.parametrize(
    ("additional", "language", "label"),
    [
        ({"qlt": 3, "ptn": 7}, "ru", "Редкий +7"),
        ({"qlt": 0}, "en", "Common"),
        ({"ptn": 15}, "en", "+15"),
        ({"qlt": 9, "ptn": 1}, "ko", "Quality 9 +1"),
        ({}, "en", ""),
    ],
)
def test_quality_and_level_in_the_words_of_the_game(additional: dict[str, Any], language: str, label: str) -> None:
    assert sale(**additional).label(language) == label


# ── profiles and items ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "value", "parsed"),
    [
        (StatType.INTEGER, 7, 7),
        (StatType.DECIMAL, 1.5, 1.5),
        (StatType.DURATION, 5_400_000, timedelta(hours=1.5)),
        (StatType.DATE, "2026-08-05T00:00:00Z", T0),
        (StatType("NEW"), {"a": 1}, {"a": 1}),
        (None, 7, 7),
        (StatType.DURATION, "long", "long"),
        (StatType.DURATION, 10**30, 10**30),
        (StatType.DURATION, None, None),
        (StatType.DATE, "yesterday", "yesterday"),
        (StatType.DATE, 5, 5),
        (StatType.DATE, {}, {}),
    ],
)
def test_a_statistic_is_read_as_its_type_says(kind: StatType | None, value: Any, parsed: Any) -> None:
    found = Statistic(id="x", type=kind, value=value).parsed
    assert (found, type(found)) == (parsed, type(parsed))


def test_a_statistic_of_a_profile_is_found_by_its_id() -> None:
    stats = [
        Statistic(id="kil", type=StatType.INTEGER, value=7),
        Statistic(id="pla-tim", type=StatType.DURATION, value=1),
    ]
    profile = CharacterProfile(uuid="u", name="ZIV", stats=stats)
    assert profile.stat("kil") == 7
    assert profile.stat("pla-tim") == timedelta(milliseconds=1)
    assert profile.stat("dea") is None
    assert profile.stat("dea", 0) == 0


@pytest.mark.parametrize(
    ("color", "rank"),
    [
        ("RANK_MASTER", ItemRank.MASTER),
        ("RANK_GOD", ItemRank("RANK_GOD")),
        ("DEFAULT", None),
        ("QUEST_ITEM", None),
        (None, None),
    ],
)
def test_the_colour_of_an_item_is_a_rank(color: str | None, rank: ItemRank | None) -> None:
    assert Lookup(id="a", translation=Translation(), color=color, data={}).rank is rank


@pytest.mark.skipif(real_database() is None, reason=REASON)
def test_the_words_are_those_of_the_item_database() -> None:
    folder = real_database()
    assert folder is not None
    words: dict[str, dict[str, str]] = {}
    for path in (folder / "ru" / "items").rglob("*.json"):
        collect(json.loads(path.read_text(encoding="utf-8")), words)
    factor = "stalker.artefact_properties.factor."
    known: dict[str, Any] = {f"core.rank.{rank.name.lower()}": rank for rank in ItemRank}
    known |= {
        "core.quality.common": Quality.COMMON,
        f"{factor}speed_modifier": BonusProperty.SPEED_MOD,
        f"{factor}stamina_bonus": BonusProperty.STAMINA_BONUS,
        f"{factor}stamina_regeneration_bonus": BonusProperty.STAMINA_REGENERATION,
        f"{factor}bullet_dmg_factor": BonusProperty.BULLET_DMG,
        f"{factor}health_bonus": BonusProperty.HEALTH_BONUS,
        f"{factor}max_weight_bonus": BonusProperty.MAX_WEIGHT_BONUS,
        f"{factor}bleeding_accumulation": BonusProperty.BLEEDING_ACC,
        f"{factor}heal_efficiency": BonusProperty.HEAL_EFFICIENCY,
    }
    found = {key: member for key, member in known.items() if key in words}
    assert len(found) >= 12
    for key, member in found.items():
        for language, word in words[key].items():
            assert member.label(language) == word


def collect(raw: Any, words: dict[str, dict[str, str]]) -> None:
    """The texts of the game in a file of the item database, by their keys."""
    if isinstance(raw, dict):
        if "key" in raw and isinstance(raw.get("lines"), dict):
            words[raw["key"]] = raw["lines"]
        raw = list(raw.values())
    if isinstance(raw, list):
        for item in raw:
            collect(item, words)
