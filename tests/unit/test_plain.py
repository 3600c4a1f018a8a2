"""Every record is a dict and JSON, by Python's names or by the API's, and comes back from either."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scapi import models, store
from scapi.enums import Alliance, ClanRank, OperationsMap, StatType
from scapi.exceptions import NotFoundError

T0 = datetime(2026, 8, 5, 1, 2, 3, tzinfo=UTC)

CLAN = models.ClanInfo(uuid="c", name="Вороны", level=3, registration_time=T0, alliance=Alliance("monolith"))
MEMBER = models.ClanMember(name="ZIV", rank=ClanRank.LEADER, join_time=T0)
LOT = models.AuctionLot(
    item_id="zyv9", amount=2, buyout_price=9, start_time=T0, additional={"qlt": 3, "deep": [{"item_id": 1}]}
)
SALE = models.AuctionPrice(amount=1, price=10**30, time=T0, additional={"bonus_properties": ["a"]})
PROFILE = models.CharacterProfile(
    uuid="u",
    name="ZIV",
    last_login=T0,
    clan=models.ClanAffiliation(info=CLAN, member=MEMBER),
    stats=[models.Statistic(id="kil", type=StatType.INTEGER, value=7), models.Statistic(id="x", value={"a": [1]})],
)
SESSION = models.OperationSession(
    id=2**60, map=OperationsMap.BIG_CLEANUP, start_time=T0, duration_seconds=1.5, reward=3,
    participants=[models.OperationParticipant(username="a", armor_item_id="b")],
)  # fmt: skip
STATE = models.LotsWatchState(region="ru", item_id="zyv9", lots=[LOT])
SEEN = models.SalesWatchState(region="ru", item_id="zyv9", since=T0, seen={5: (T0, 2)})
TOKEN = models.UserToken(access_token="a", refresh_token="r", expires_in=5, expires_at=T0)
RECIPES = [models.BarterRecipe(item="a", offers=[models.BarterOffer(cost=3)])]
SETTLEMENT = models.BarterSettlement(
    settlement_title=models.Translation(lines={"en": "Bar"}), recipes=models.Listing(RECIPES, total=1, limit=1)
)
RECORDS: list[Any] = [
    CLAN, MEMBER, LOT, SALE, PROFILE, SESSION, STATE, SEEN, TOKEN, SETTLEMENT,
    models.BulkSalesWatchState(items=[SEEN]), models.BulkLotsWatchState(items=[STATE]),
    models.RegionInfo(id="RU"),
    models.EmissionState(current_start=T0),
    models.EmissionWatchState(region="ru", started=T0),
    models.RateLimit(limit=400, reset=T0),
    models.SaleEvent(region="ru", item_id="zyv9", sale=SALE),
    models.AppToken(access_token="a", expires_in=5, expires_at=T0),
    models.DatabaseState(
        repository="a/b", branch="main", folder=Path("x"), reachable=None,
        files={"ru/listing.json": models.FileState(url="u", etag=None, checked_at=T0, size=5)},
    ),
    store.Gap(region="ru", item="zyv9", newest=T0, oldest=T0 - timedelta(days=1)),
    store.Written(new=[SALE], known=3, unstored=[store.Unstored(SALE, "too large")]),
    store.ClanChange(joined=[MEMBER], left=["a"]),
    store.CollectedLot(kind="gone", region="ru", item="zyv9", lot=LOT),
    store.Collected(
        sales=1, lots=2, emissions=1, members=4, pages=3, points=6, failures=1, elsewhere=0,
        failing=[store.Failure(region="ru", item="zyv9", error="500", failures=1, time=T0)],
    ),
]  # fmt: skip


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
@pytest.mark.parametrize("wire", [False, True])
def test_a_record_comes_back_from_json(record: Any, *, wire: bool) -> None:
    assert type(record).from_json(record.to_json(wire=wire)) == record
    assert type(record).from_json(record.to_json(wire=wire).encode()) == record


def test_every_record_can_be_written_and_read_back() -> None:
    public = [getattr(module, name) for module in (models, store) for name in module.__all__]
    records = [kind for kind in public if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
    assert len(records) > 50
    methods = {"to_dict", "to_json", "from_json", "__get_pydantic_core_schema__"}
    assert [kind for kind in records if not methods <= set(dir(kind))] == []


def test_a_dict_has_the_names_of_the_attributes_and_values_that_python_works_with() -> None:
    assert PROFILE.to_dict() == {
        "uuid": "u",
        "name": "ZIV",
        "status": None,
        "alliance": None,
        "last_login": T0,
        "displayed_achievements": [],
        "clan": {
            "info": {
                "uuid": "c",
                "name": "Вороны",
                "tag": None,
                "level": 3,
                "level_points": None,
                "registration_time": T0,
                "alliance": "monolith",
                "description": "",
                "leader": None,
                "member_count": None,
            },
            "member": {"name": "ZIV", "rank": "LEADER", "join_time": T0},
        },
        "stats": [{"id": "kil", "type": "INTEGER", "value": 7}, {"id": "x", "type": None, "value": {"a": [1]}}],
    }
    assert type(PROFILE.to_dict()["clan"]["info"]["alliance"]) is str


def test_in_the_spelling_of_the_api_a_record_is_what_the_api_sends() -> None:
    assert LOT.to_dict(wire=True) == {
        "itemId": "zyv9",
        "amount": 2,
        "buyoutPrice": 9,
        "startTime": "2026-08-05T01:02:03Z",
        "additional": {"qlt": 3, "deep": [{"item_id": 1}]},
    }
    assert msgspec.json.decode(PROFILE.to_json(wire=True), type=models.CharacterProfile) == PROFILE
    assert json.loads(SESSION.to_json(wire=True))["sessionDurationSeconds"] == 1.5


def test_json_has_the_names_of_the_attributes() -> None:
    assert json.loads(LOT.to_json()) == {
        "item_id": "zyv9",
        "amount": 2,
        "start_price": None,
        "current_price": None,
        "buyout_price": 9,
        "start_time": "2026-08-05T01:02:03Z",
        "end_time": None,
        "additional": {"qlt": 3, "deep": [{"item_id": 1}]},
    }


def test_a_dict_is_no_part_of_the_record() -> None:
    LOT.to_dict()["additional"]["deep"].append(1)
    LOT.to_dict(wire=True)["additional"]["deep"].append(1)
    assert LOT.additional == {"qlt": 3, "deep": [{"item_id": 1}]}


def test_no_name_of_python_is_another_fields_name_on_the_wire() -> None:
    kinds = [kind for kind in vars(models).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
    assert len(kinds) > 30
    for kind in kinds:
        for field in msgspec.structs.fields(kind):
            same = [other.name for other in msgspec.structs.fields(kind) if other.encode_name == field.name]
            assert same in ([], [field.name])


def test_an_error_is_told_by_its_type_and_text() -> None:
    failed = models.BulkError(key="a", region="ru", error=NotFoundError("none", status=404))
    assert json.loads(failed.to_json())["error"] == {"type": "NotFoundError", "message": "404 none (GET )"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"item_id": 5}', "[" * 5000, b"\xff"])
def test_what_is_no_such_record_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"^text must be what AuctionLot\.to_json\(\) returned: "):
        models.AuctionLot.from_json(text)


def test_text_that_is_no_text_is_refused_without_being_shown() -> None:
    with pytest.raises(ValueError, match=r"^ClanInfo holds characters that can't be written as UTF-8$") as caught:
        models.ClanInfo(uuid="c", name="\ud800").to_json()
    assert caught.value.__cause__ is None


def test_a_state_of_one_watcher_is_none_of_another() -> None:
    with pytest.raises(ValueError, match="EmissionWatchState"):
        models.EmissionWatchState.from_json(SEEN.to_json())


def test_the_repr_of_a_record_reads_well() -> None:
    west = timezone(timedelta(hours=-3))
    lot = msgspec.structs.replace(LOT, start_time=T0.astimezone(west))
    assert repr(lot) == (
        "AuctionLot(item_id='zyv9', amount=2, start_price=None, current_price=None, buyout_price=9, "
        "start_time=2026-08-05T01:02:03Z, end_time=None, quality=rare, upgrade_level=0, unit_price=4.5, "
        "additional={'qlt': 3, 'deep': [{'item_id': 1}]})"
    )
    assert "stats=[2 Statistic])" in repr(PROFILE)
    assert "alliance='monolith'" in repr(PROFILE)
