"""Arguments are closed sets in any case; answers are open sets that keep what the server said."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from scapi.enums import (
    Alliance,
    ClanRank,
    IndexFile,
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

if TYPE_CHECKING:
    from enum import StrEnum

CLOSED = [Region, Realm, Language, Order, SortAuction, SortOperations, IndexFile]
OPEN = [OperationsMap, Alliance, StatType, ClanRank]


@pytest.mark.parametrize("kind", CLOSED)
def test_a_closed_set_is_found_in_any_case(kind: type[StrEnum]) -> None:
    for member in kind:
        assert kind(member.value.upper()) is member
        assert kind(f" {member.value.title()} ") is member
        assert str(member) == member.value


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
    assert pickle.loads(pickle.dumps(member)) is member  # our own pickle
    assert copy.deepcopy(member) is member
    assert {member: 1}[type(member)(member.value)] == 1
    assert msgspec.json.decode(msgspec.json.encode(member), type=type(member)) is member
    assert msgspec.convert(msgspec.to_builtins(member), type(member)) is member


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
