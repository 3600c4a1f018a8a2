"""Arguments are closed sets in any case; answers are open sets that keep what the server said."""

from __future__ import annotations

import copy
import json
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import pytest

from scapi import enums
from scapi.enums import (
    Alliance,
    BonusProperty,
    ClanRank,
    IndexFile,
    ItemRank,
    Language,
    OperationsMap,
    Order,
    Quality,
    Realm,
    Region,
    SortAuction,
    SortOperations,
    StatType,
)
from scapi.models import AuctionPrice

if TYPE_CHECKING:
    from enum import StrEnum

CLOSED = [Region, Realm, Language, Order, SortAuction, SortOperations, IndexFile]
OPEN = [OperationsMap, Alliance, StatType, ClanRank, ItemRank, BonusProperty]
NAMED: list[Any] = [Quality, OperationsMap, Alliance, ClanRank, ItemRank, BonusProperty]


@pytest.mark.parametrize("kind", CLOSED)
def test_a_closed_set_is_found_in_any_case(kind: type[StrEnum]) -> None:
    for member in kind:
        assert kind(member.value.upper()) is member
        assert kind(f" {member.value.title()} ") is member
        assert str(member) == member.value


def test_the_alliances_are_spelled_as_two_clients_have_them_and_another_spelling_is_kept() -> None:
    assert set(Alliance) == {"stalkers", "bandits", "freedom", "duty", "covenant", "merc"}
    assert Alliance("stalker").value == "stalker"
    assert Alliance("stalker") is not Alliance.STALKERS


@pytest.mark.parametrize("kind", CLOSED)
@pytest.mark.parametrize("value", ["", "mars", 5, None, b"ru"])
def test_a_closed_set_refuses_what_it_does_not_know(kind: type[StrEnum], value: Any) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        kind(value)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("asc", Order.ASCENDING),
        ("ASCENDING", Order.ASCENDING),
        ("descending", Order.DESCENDING),
        (" Desc ", Order.DESCENDING),
    ],
)
def test_an_order_may_be_written_out(text: str, order: Order) -> None:
    assert Order(text) is order


@pytest.mark.parametrize("kind", OPEN)
def test_an_open_set_finds_its_own_members_in_any_case(kind: type[StrEnum]) -> None:
    for member in kind:
        assert kind(member.value.swapcase()) is member


@pytest.mark.parametrize("kind", OPEN)
@pytest.mark.parametrize("value", ["Moon_Base", "", "Ё", "a b"])
def test_an_open_set_keeps_what_it_does_not_know(kind: type[StrEnum], value: str) -> None:
    before = list(kind)
    member = kind(value)
    assert isinstance(member, kind)
    assert member == value
    assert (member.name, member.value, str(member)) == (value, value, value)
    assert kind(value) is member, "the member is made once"
    assert list(kind) == before, "the members that are known stay what they are"


@pytest.mark.parametrize("kind", [*OPEN, Quality])
def test_an_open_set_refuses_what_is_of_another_type(kind: Any) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        kind([1])


@pytest.mark.parametrize(
    "member", [Alliance("monolith"), ClanRank("GENERAL"), OperationsMap("moon"), Quality(9)], ids=repr
)
def test_a_grown_member_is_a_value_like_any_other(member: Any) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(member, protocol)) is member  # our own pickle
    assert copy.copy(member) is member
    assert copy.deepcopy({"rows": [member]})["rows"][0] is member
    assert {member: 1}[type(member)(member.value)] == 1
    assert msgspec.json.decode(msgspec.json.encode(member), type=type(member)) is member
    assert msgspec.convert(msgspec.to_builtins(member), type(member)) is member


@pytest.mark.parametrize("kind", [*OPEN, Quality])
def test_a_pickled_member_names_its_value_so_that_a_process_that_never_met_it_can_make_it(kind: Any) -> None:
    unseen = kind(77) if kind is Quality else kind("Never_Met")
    for member in [*kind, unseen]:
        assert member.__reduce_ex__(4) == (kind, (member.value,))


def test_threads_that_meet_a_new_value_at_once_get_one_member() -> None:
    values = [f"new-{number}" for number in range(200)] * 8
    with ThreadPoolExecutor(8) as pool:
        members = list(pool.map(StatType, values))
    assert len({id(member) for member in members}) == 200


@pytest.mark.parametrize(("spelling", "rank"), [("SOLIDER", "SOLDIER"), ("sergant", "SERGEANT")])
def test_the_misspelt_ranks_of_the_api_are_the_ranks_they_mean(spelling: str, rank: str) -> None:
    assert ClanRank(spelling) is ClanRank[rank]


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, "3", 2.5, None])
def test_a_number_beyond_64_bits_is_no_quality(value: Any) -> None:
    with pytest.raises(ValueError, match="is not a valid Quality"):
        Quality(value)


def test_a_quality_is_a_number() -> None:
    assert Quality(3) is Quality.RARE
    assert (Quality(12), Quality(12).name) == (12, "QUALITY_12")
    assert Quality.COMMON < Quality.LEGENDARY < Quality(12)


@pytest.mark.parametrize(("quality", "text"), [(Quality.COMMON, "common"), (Quality.UNIQUE, "unique")])
def test_a_quality_prints_as_its_name(quality: Quality, text: str) -> None:
    assert (str(quality), f"{quality}", f"{quality!s:>12}", f"{quality:>12}") == (
        text,
        text,
        text.rjust(12),
        text.rjust(12),
    )
    assert str(Quality(12)) == "quality_12"
    assert repr(quality) == f"<Quality.{text.upper()}: {quality.value}>"


def test_a_quality_that_prints_as_its_name_is_still_a_number_wherever_one_is_meant() -> None:
    rare = Quality.RARE
    assert (f"{rare:d}", f"{rare:02x}", f"{rare:.1f}", "%d" % rare, int(rare)) == ("3", "03", "3.0", "3", 3)  # noqa: UP031  # that is what is tested
    assert (rare == 3, {3: "x"}[rare], hash(rare), rare + 1, rare > Quality.COMMON) == (True, "x", hash(3), 4, True)
    assert (json.dumps([rare, {"quality": rare}]), msgspec.json.encode(rare)) == ('[3, {"quality": 3}]', b"3")
    assert Quality(3) is msgspec.json.decode(b"3", type=Quality)


# ── what stalcraft-api calls them ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (Region, {"RUSSIA": "ru", "EUROPE": "eu", "NORTH_AMERICA": "na", "SOUTH_EAST_ASIA": "sea"}),
        (Region, {"NORTH_EAST_ASIA": "nea"}),
        (Realm, {"RUSSIA": "ru"}),
        (Language, {"RUSSIAN": "ru", "ENGLISH": "en", "SPANISH": "es", "FRENCH": "fr", "KOREAN": "ko"}),
        (Order, {"ASC": "asc", "DESC": "desc"}),
    ],
)
def test_members_have_the_names_of_stalcraft_api_too(kind: Any, names: dict[str, str]) -> None:
    for name, value in names.items():
        assert kind[name] is kind(value)
        assert name not in [member.name for member in kind], "a second name is no second member"


@pytest.mark.parametrize("text", ["achievements.json", " Listing.JSON ", "stats.json"])
def test_an_index_file_may_be_named_as_a_file(text: str) -> None:
    assert IndexFile(text) is IndexFile(text.strip().lower().removesuffix(".json"))


# ── words and colours of the game ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("member", "language", "label"),
    [
        (Quality.RARE, "ru", "Редкий"),
        (Quality.RARE, Language.EN, "Rare"),
        (Quality.COMMON, "KO", "일반"),
        (Alliance.FREEDOM, "ru", "Заря"),
        (Alliance.MERC, "es", "Mercenarios"),
        (ClanRank.LEADER, "ru", "Лидер"),
        (OperationsMap.SEA_ALIENATION, "fr", "Mer d'exclusion"),
        (ItemRank.MASTER, "ru", "Мастер"),
        (BonusProperty.HEALTH_BONUS, "ru", "Живучесть"),
    ],
)
def test_a_member_has_the_word_of_the_game(member: Any, language: str, label: str) -> None:
    assert member.label(language) == label


@pytest.mark.parametrize("kind", NAMED)
def test_every_member_has_a_word_in_english_and_russian_and_a_colour(kind: Any) -> None:
    for member in kind:
        english, russian = member.label(), member.label("ru")
        assert english == member.label("en") == member.label("de"), "English is the default, and what is left"
        assert english.isascii()
        assert re.search("[а-я]", russian)
        assert re.fullmatch("#[0-9a-f]{6}", member.color)
        assert all(member.label(language) for language in Language)
    words = [member.label("ru") for member in kind]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(
    ("level", "color"),
    [(0, None), (1, "#2bb07f"), (4, "#2bb07f"), (5, "#3f86f5"), (10, "#d05cc0"), (15, "#e3a008"), (99, "#e3a008")],
)
def test_an_upgrade_level_has_a_colour_but_for_level_0(level: int, color: str | None) -> None:
    sale = AuctionPrice(amount=1, price=1, time=datetime.now(UTC), additional={"ptn": level})
    assert sale.level_color == color
    assert sale.label("ru") == (f"+{level}" if level else "")


@pytest.mark.parametrize(
    ("member", "label"),
    [(Quality(9), "Quality 9"), (Alliance("monolith"), "monolith"), (ItemRank("DEFAULT"), "DEFAULT")],
)
def test_a_member_that_nobody_has_seen_yet_is_grey_and_called_what_the_server_calls_it(member: Any, label: str) -> None:
    assert member.label("ru") == label
    assert member.color == "#8c959f"


def test_qualities_and_alliances_can_be_told_apart_by_their_colours() -> None:
    for kind in (Quality, Alliance, ClanRank, OperationsMap, ItemRank):
        assert len({member.color for member in kind}) == len(kind)


@pytest.mark.parametrize("kind", [*CLOSED, OperationsMap])
def test_literals_for_type_checkers_are_those_of_the_enum(kind: Any) -> None:
    member, literals = get_args(getattr(enums, f"{kind.__name__}Like"))
    assert member is kind
    spellings = {one.value for one in kind.__members__.values()}
    assert {kind(text).value for text in get_args(literals)} == spellings
    assert spellings <= set(get_args(literals))
