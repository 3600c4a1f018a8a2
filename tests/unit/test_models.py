"""The records themselves: frozen, keyword-only, comparable, and what they answer beyond their fields."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from scapi import models

T0 = datetime(2026, 8, 5, tzinfo=UTC)

SALE_KEY, LOT_KEY, BARE_KEY = 3326134364619486370, 8850321578272758697, -7410661434207806891
BRACKET_KEY = 3219758843451478613

#: The contract's table, field by field.
FIELDS = {
    "RegionInfo": "id name",
    "EmissionState": "current_start previous_start previous_end",
    "ClanInfo": "uuid name tag level level_points registration_time alliance description leader member_count",
    "ClanMember": "name rank join_time",
    "ClanAffiliation": "info member",
    "CharacterInfo": "uuid name creation_time",
    "Character": "info clan",
    "Statistic": "id type value",
    "CharacterProfile": "uuid name status alliance last_login displayed_achievements clan stats",
    "AuctionLot": "item_id amount start_price current_price buyout_price start_time end_time additional",
    "AuctionPrice": "amount price time additional",
    "ResponseInfo": "method operation path status headers seconds attempts waited remaining",
    "OperationSession": "id map start_time end_time difficulty duration_seconds reward participants",
    "OperationParticipant": (
        "username death mob_kills damage_received damage_dealt armor_class armor_item_id armor_level "
        "primary_weapon_item_id primary_weapon_level secondary_weapon_item_id secondary_weapon_level"
    ),
    "PieceDetails": "bonus_properties spawn_time studied percent charge max_charge transfers upgrade_bonus buyer",
    "RateLimit": "limit remaining reset",
}

# Of tokens and bulk calls, whose fields the contract names in its prose.
FIELDS |= {
    "AppToken": "access_token token_type expires_in expires_at",
    "BulkError": "key region value error permanent",
    "BulkLotsWatchState": "items",
    "BulkSalesWatchState": "items",
    "BulkValue": "key region value error",
    "BulkWalkState": "walks",
    "SalesWalkState": "region item_id additional since until left done total position time keys is_whole",
    "User": "id uuid login display_login distributor distributor_id",
    "UserToken": "access_token token_type expires_in expires_at refresh_token",
}

# Of the item database and its repository, which the contract leaves to us.
FIELDS |= {
    "BarterOffer": "currency cost required_items",
    "BarterRecipe": "item settlement_required_level offers",
    "BarterSettlement": "settlement_title recipes",
    "ChangedFile": "filename status additions deletions previous_filename",
    "Commit": "sha message date url",
    "ContentEntry": "name path type size sha",
    "DatabaseState": "repository branch folder reachable files missing",
    "Diff": "status ahead_by behind_by files",
    "FileState": "url etag checked_at size",
    "Hideout": "perks recipes",
    "HideoutPerk": "id name desc",
    "HideoutRecipe": "bench category subcategory result ingredients energy requirements",
    "HideoutRequirements": "perks features",
    "ItemAmount": "item amount",
    "ItemInfo": "id translation category color status data info_blocks",
    "Lookup": "id translation category color status data path icon score ambiguous",
    "RawFile": "content url etag",
    "Translation": "key lines text args",
}

# Of watchers, which came later.
FIELDS |= {
    "EmissionEvent": "kind region time state",
    "EmissionWatchState": "region begun started ended",
    "LotEvent": "kind region item_id lot",
    "LotsWatchState": "region item_id begun lots",
    "SaleEvent": "kind region item_id sale",
    "SalesWatchState": "region item_id begun since seen",
    "WatchError": "kind region item_id error failures wait permanent",
}


def lot(**changes: Any) -> models.AuctionLot:
    values: dict[str, Any] = {
        "item_id": "zyv9",
        "amount": 4,
        "start_price": 10,
        "buyout_price": 1000,
        "start_time": T0,
        "end_time": T0,
    }
    return models.AuctionLot(**values | changes)


def price(**changes: Any) -> models.AuctionPrice:
    values: dict[str, Any] = {"amount": 4, "price": 1000, "time": T0}
    return models.AuctionPrice(**values | changes)


@pytest.mark.parametrize(("name", "fields"), FIELDS.items())
def test_the_fields_are_those_of_the_contract(name: str, fields: str) -> None:
    model = getattr(models, name)
    assert model.__struct_fields__ == tuple(fields.split())
    assert model.__struct_config__.frozen
    with pytest.raises(TypeError, match="positional"):
        model(None)


def test_no_other_record_is_exported() -> None:
    others = {"BulkResult", "Listing", "NumberedRow", "Rejected", "RowCounts", "SALES_OVERLAP", "numbered"}
    assert set(FIELDS) | others == set(models.__all__)


def test_a_record_is_frozen_and_keyword_only() -> None:
    region = models.RegionInfo(id="RU", name="RUSSIA")
    with pytest.raises(AttributeError, match="immutable"):
        region.id = "EU"  # type: ignore[misc]  # that is what is tested
    with pytest.raises(TypeError, match="positional"):
        models.RegionInfo("RU", "RUSSIA")  # type: ignore[misc]  # that is what is tested


def test_a_record_is_a_value() -> None:
    row = lot(additional={"qlt": 3})
    assert pickle.loads(pickle.dumps(row)) == row  # our own pickle
    assert copy.deepcopy(row) == row
    assert msgspec.json.decode(msgspec.json.encode(row), type=models.AuctionLot) == row
    assert "AuctionLot(item_id='zyv9', amount=4" in repr(row)


@pytest.mark.parametrize(
    ("row", "unit_price"),
    [
        (lot(), 250.0),
        (lot(buyout_price=0), None),
        (lot(amount=0), None),
        (lot(amount=1, buyout_price=10**10), 1e10),
        (price(), 250.0),
        (price(amount=0), 1000.0),
        (price(price=0), 0.0),
    ],
)
def test_the_price_per_piece(row: Any, unit_price: float | None) -> None:
    assert row.unit_price == unit_price
    assert type(row.unit_price) is type(unit_price)


def test_an_emission_is_active_while_it_has_a_start() -> None:
    assert not models.EmissionState(previous_start=T0, previous_end=T0).active
    assert models.EmissionState(current_start=T0).active


def test_defaults_are_not_shared_between_records() -> None:
    assert lot().additional is not lot().additional


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

DETAILS = {"bonus_properties": ["a", "b"], "qlt": 3, "deep": [{"x": 1, "y": [2, 3]}, {"x": 0}]}
TURNED = {"deep": [{"x": 0}, {"y": [3, 2], "x": 1}], "qlt": 3, "bonus_properties": ["b", "a"]}


def a_sale(**changes: Any) -> models.AuctionPrice:
    return models.AuctionPrice(**{"amount": 1, "price": 100, "time": T0, "additional": DETAILS, **changes})


def a_lot(**changes: Any) -> models.AuctionLot:
    usual = {"item_id": "zyv9", "amount": 1, "start_price": 5, "buyout_price": 9, "start_time": T0, "end_time": T0}
    return models.AuctionLot(**{**usual, "additional": DETAILS, **changes})


def test_a_key_is_the_same_for_ever() -> None:
    # Databases hold them: whoever changes these numbers changes what is in there.
    assert a_sale().key() == SALE_KEY
    assert a_lot().key() == LOT_KEY
    assert a_sale(additional={}).key() == BARE_KEY
    assert a_sale(additional={"name": "a [rare] one"}).key() == BRACKET_KEY


@pytest.mark.parametrize("make", [a_sale, a_lot])
def test_a_key_knows_no_order_of_keys_and_lists(make: Any) -> None:
    assert make(additional=TURNED).key() == make().key()
    assert -(2**63) <= make().key() < 2**63


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 2},
        {"price": 101},
        {"time": T0.replace(second=1)},
        {"additional": {}},
        {"additional": {**DETAILS, "qlt": 4}},
        {"additional": {**DETAILS, "bonus_properties": ["a", "b", "b"]}},
    ],
)
def test_a_sale_of_another_kind_has_another_key(changes: dict[str, Any]) -> None:
    assert a_sale(**changes).key() != a_sale().key()


def test_a_bid_makes_no_other_lot() -> None:
    assert a_lot(current_price=7).key() == a_lot().key()
    assert a_lot(buyout_price=7).key() != a_lot().key()


def test_a_key_outlives_json_and_pickle() -> None:
    for row in (a_sale(), a_lot(current_price=7)):
        assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(row)), type(row)).key() == row.key()
        assert pickle.loads(pickle.dumps(row)).key() == row.key()  # our own pickle
