"""What the server may change without notice, and what becomes of it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import pytest

from scapi._api import decoding, errors
from scapi._http.messages import KEPT
from scapi.enums import Alliance, ClanRank, OperationsMap, Quality, StatType
from scapi.exceptions import DecodeError
from scapi.models import AuctionLot, AuctionPrice, Listing, RegionInfo

LOT = {
    "itemId": "zyv9",
    "amount": 2,
    "startPrice": 100,
    "currentPrice": 150,
    "buyoutPrice": 9000,
    "startTime": "2026-08-05T00:00:00Z",
    "endTime": "2026-08-07T00:00:00Z",
    "additional": {"qlt": 3, "ptn": 7, "spawn_time": 1785874687778, "bonus_properties": ["SPEED_MOD"]},
}
PRICE = {"amount": 4, "price": 109000.0, "time": "2026-08-05T00:10:04Z", "additional": {"qlt": 0}}
CLAN = {
    "id": "a552092f",
    "name": "Wolves",
    "tag": "W",
    "level": 3,
    "levelPoints": 77,
    "registrationTime": "2022-07-03T10:15:30Z",
    "alliance": "covenant",
    "description": "d",
    "leader": "ZIV",
    "memberCount": 12,
}
MEMBER = {"name": "ZIV", "rank": "LEADER", "joinTime": "2022-07-03T10:15:30Z"}
PROFILE = {
    "username": "ZIV",
    "uuid": "u-1",
    "status": "§4Red",
    "alliance": "stalkers",
    "lastLogin": "2026-08-05T00:10:04Z",
    "displayedAchievements": ["acrobat"],
    "clan": {"info": CLAN, "member": MEMBER},
    "stats": [{"id": "kil", "type": "INTEGER", "value": 7}],
}
SESSION = {
    "id": 1472603904834535425,
    "map": "big_cleanup",
    "startTime": "2026-08-05T00:00:00Z",
    "endTime": "2026-08-05T00:12:00Z",
    "difficulty": 5,
    "sessionDurationSeconds": 718.10004,
    "difficultyReward": 300,
    "participants": [{"username": "ZIV", "death": 1, "mobKills": 9, "armorItemId": "rwnrv"}],
}


PAGE = decoding.Page(limit=20, offset=0)


def encoded(value: Any) -> bytes:
    return msgspec.json.encode(value)


def lots(*rows: Any, total: int = 50) -> Listing[AuctionLot]:
    return decoding.LOTS(encoded({"total": total, "lots": rows}), page=PAGE)


def prices(*rows: Any) -> Listing[AuctionPrice]:
    return decoding.PRICES(encoded({"total": 50, "prices": rows}), page=PAGE)


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


# ── what is unknown ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_value_nobody_has_seen_is_kept_as_a_member() -> None:
    profile = decoding.PROFILE(
        encoded(PROFILE | {"alliance": "monolith", "stats": [{"id": "x", "type": "MATRIX", "value": [[1]]}]})
    )
    member = decoding.MEMBERS(encoded([MEMBER | {"rank": "GENERALISSIMUS"}]))[0]
    session = decoding.SESSIONS(encoded({"total": 1, "sessions": [SESSION | {"map": "moon"}]}), page=PAGE)[0]
    assert (profile.alliance, profile.stats[0].type) == ("monolith", "MATRIX")
    assert isinstance(profile.alliance, Alliance)
    assert isinstance(profile.stats[0].type, StatType)
    assert profile.stats[0].value == [[1]]
    assert (member.rank, type(member.rank)) == ("GENERALISSIMUS", ClanRank)
    assert (session.map, type(session.map)) == ("moon", OperationsMap)


@pytest.mark.parametrize(
    ("sent", "quality"),
    [
        (0, Quality.COMMON),
        (5, Quality.LEGENDARY),
        (6, Quality.UNIQUE),
        (3.0, Quality.RARE),
        (12, Quality(12)),
        (-1, Quality(-1)),
    ],
)
def test_a_quality_is_read_from_additional(sent: Any, quality: Quality) -> None:
    row = lots(LOT | {"additional": {"qlt": sent}})[0]
    assert row.quality is quality
    assert row.additional == {"qlt": sent}


@pytest.mark.parametrize("sent", [None, "3", 2.5, True, [], {}])
def test_a_quality_or_level_that_is_no_whole_number_is_none(sent: Any) -> None:
    rows = [
        *lots(LOT | {"additional": {"qlt": sent, "ptn": sent}}),
        *prices(PRICE | {"additional": {"qlt": sent, "ptn": sent}}),
    ]
    assert [(row.quality, row.upgrade_level, row.additional["qlt"]) for row in rows] == [(None, 0, sent)] * 2


@pytest.mark.parametrize(
    "additional",
    [
        {},
        {"upgrade_bonus": 0.0},
        {"buyer": "ё", "md_k": "0.3", "attributes": [{"a": None}], "compens_2026_ptn": 5, "future": {"deep": [1]}},
    ],
)
def test_additional_is_handed_over_untouched(additional: dict[str, Any]) -> None:
    lot, price = lots(LOT | {"additional": additional})[0], prices(PRICE | {"additional": additional})[0]
    assert lot.additional == price.additional == additional
    assert (lot.quality, lot.upgrade_level, price.quality, price.upgrade_level) == (None, 0, None, 0)


def test_additional_may_be_absent_or_null() -> None:
    rows = [*lots(without(LOT, "additional"), LOT | {"additional": None}), *prices(without(PRICE, "additional"))]
    assert [row.additional for row in rows] == [{}, {}, {}]
    assert rows[0].additional is not rows[1].additional


def test_fields_nobody_has_seen_are_ignored() -> None:
    assert lots(LOT | {"seller": {"name": "x"}, "id": 5}) == lots(LOT)
    body = {"total": 50, "lots": [LOT], "cursor": "abc", "lotsTotal": None}
    assert decoding.LOTS(encoded(body), page=PAGE) == lots(LOT)


# ── spellings of numbers and times ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("spelling", "price"),
    [
        ("109000.0", 109000),
        ("1.09E7", 10_900_000),
        ("1.09e+7", 10_900_000),
        ("109000", 109000),
        ('"109000"', 109000),
        ("0", 0),
        ("0.0", 0),
        ("10000000000", 10**10),
        ("9007199254740993", 2**53 + 1),
    ],
)
def test_a_price_however_it_is_written_is_an_integer(spelling: str, price: int) -> None:
    body = f'{{"total": 1.0, "prices": [{{"amount": 1.0, "price": {spelling}, "time": "2026-08-05T00:10:04Z"}}]}}'
    page = decoding.PRICES(body.encode(), page=PAGE)
    assert (page.total, page[0].amount, page[0].price) == (1, 1, price)
    assert {type(page.total), type(page[0].amount), type(page[0].price)} == {int}


def test_prices_of_lots_may_be_floats_too() -> None:
    (lot,) = lots(LOT | {"startPrice": 100.0, "currentPrice": 1.5e10, "buyoutPrice": 9000.0})
    assert (lot.start_price, lot.current_price, lot.buyout_price) == (100, 15_000_000_000, 9000)
    assert {type(lot.start_price), type(lot.current_price), type(lot.buyout_price)} == {int}


def test_the_id_of_a_session_keeps_every_digit() -> None:
    page = decoding.SESSIONS(encoded({"total": 1, "sessions": [SESSION]}), page=PAGE)
    assert page[0].id == 1472603904834535425
    assert page[0].duration_seconds == 718.10004


@pytest.mark.parametrize(
    ("spelling", "moment"),
    [
        ("2026-08-05T00:10:04Z", datetime(2026, 8, 5, 0, 10, 4, tzinfo=UTC)),
        ("2026-08-05T00:10:04.000Z", datetime(2026, 8, 5, 0, 10, 4, tzinfo=UTC)),
        ("2025-02-10T05:07:38.874909Z", datetime(2025, 2, 10, 5, 7, 38, 874909, tzinfo=UTC)),
        ("2026-08-05T03:10:04+03:00", datetime(2026, 8, 5, 0, 10, 4, tzinfo=UTC)),
        ("2026-08-05T03:10:04+03", datetime(2026, 8, 5, 0, 10, 4, tzinfo=UTC)),
        ("2026-08-05T00:10:04", datetime(2026, 8, 5, 0, 10, 4, tzinfo=UTC)),
        ("2026-08-05T00:10:04.5", datetime(2026, 8, 5, 0, 10, 4, 500_000, tzinfo=UTC)),
        ("2026-08-05T00:10Z", datetime(2026, 8, 5, 0, 10, tzinfo=UTC)),
        ("2026-08-05T00:10", datetime(2026, 8, 5, 0, 10, tzinfo=UTC)),
        ("2026-08-05", datetime(2026, 8, 5, tzinfo=UTC)),
    ],
)
def test_a_time_however_it_is_written_is_aware(spelling: str, moment: datetime) -> None:
    page = prices(PRICE | {"time": spelling}, PRICE)
    assert page.rejected == []
    assert page[0].time == moment
    assert page[0].time.utcoffset() is not None
    assert decoding.EMISSION(encoded({"currentStart": spelling})).current_start == moment


def test_an_odd_time_deep_inside_is_mended_too() -> None:
    clan = {"info": CLAN | {"registrationTime": "2022-07-03"}, "member": MEMBER | {"joinTime": "2022-07-03T10:15"}}
    profile = decoding.PROFILE(encoded(PROFILE | {"clan": clan}))
    assert profile.clan is not None
    assert profile.clan.info.registration_time == datetime(2022, 7, 3, tzinfo=UTC)
    assert profile.clan.member.join_time == datetime(2022, 7, 3, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize("spelling", ["yesterday", "", "2026-13-01T00:00:00Z", {}, True, 1785874687778])
def test_a_time_that_is_none_costs_its_row(spelling: Any) -> None:
    page = prices(PRICE | {"time": spelling}, PRICE)
    assert (len(page), [row.index for row in page.rejected]) == (1, [0])


# ── what is missing ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("nothing", ["absent", "null"])
def test_an_optional_field_may_be_absent_or_null(nothing: str) -> None:
    def leave_out(row: dict[str, Any], *names: str) -> dict[str, Any]:
        return without(row, *names) if nothing == "absent" else row | dict.fromkeys(names)

    optional = ("status", "alliance", "lastLogin", "displayedAchievements", "clan", "stats")
    profile = decoding.PROFILE(encoded(leave_out(PROFILE, *optional)))
    assert (profile.status, profile.alliance, profile.last_login) == (None, None, None)
    assert (profile.displayed_achievements, profile.clan, profile.stats) == ([], None, [])
    (lot,) = lots(leave_out(LOT, "currentPrice"))
    assert lot.current_price is None
    clan = decoding.CLAN(encoded(leave_out(CLAN, "alliance", "description")))
    assert (clan.alliance, clan.description) == (None, "")
    emission = decoding.EMISSION(encoded(leave_out({}, "currentStart", "previousStart", "previousEnd")))
    assert (emission.current_start, emission.previous_start, emission.previous_end) == (None, None, None)
    assert not emission.active
    player = SESSION["participants"][0]
    row = SESSION | {"participants": [leave_out(player, "armorItemId", "secondaryWeaponItemId", "mobKills")]}
    (session,) = decoding.SESSIONS(encoded({"total": 1, "sessions": [row]}), page=PAGE)
    assert session.participants[0].armor_item_id is None
    assert session.participants[0].secondary_weapon_item_id is None
    assert session.participants[0].mob_kills == 0


def test_a_statistic_may_have_no_value() -> None:
    stats = [{"id": "a", "type": "INTEGER"}, {"id": "b", "type": "SLIDING_MATCH_HISTORY", "value": None}]
    assert [stat.value for stat in decoding.PROFILE(encoded(PROFILE | {"stats": stats})).stats] == [None, None]


# ── rows that can't be read ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_bad_row_never_costs_the_page(caplog: pytest.LogCaptureFixture) -> None:
    bad: list[Any] = [LOT | {"amount": "many"}, without(LOT, "itemId"), None, 5, [], "row", LOT | {"buyoutPrice": 1.5}]
    with caplog.at_level(logging.DEBUG):
        page = lots(LOT, *bad, LOT)
    assert page == [lots(LOT)[0]] * 2
    assert [row.index for row in page.rejected] == [1, 2, 3, 4, 5, 6, 7]
    assert [row.raw for row in page.rejected] == bad
    assert page.rejected[0].reason == "Expected `int`, got `str` - at `$.amount`"
    assert "itemId" in page.rejected[1].reason
    assert (page.total, page.has_more) == (50, True)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("scapi", "WARNING")
    assert record.getMessage().startswith("7 of 9 AuctionLot rows rejected; row 1: Expected `int`, got `str`")


@pytest.mark.parametrize(
    ("decode", "good", "bad"),
    [
        (decoding.REGIONS, {"id": "RU", "name": "RUSSIA"}, {"id": 5, "name": []}),
        (decoding.MEMBERS, MEMBER, MEMBER | {"name": 7}),
        (decoding.CHARACTERS, {"information": {"id": "i", "name": "n", "creationTime": "2021-12-03T10:15:30Z"}}, {}),
        (decoding.FRIENDS, "ZIV", 7),
    ],
    ids=["regions", "members", "characters", "friends"],
)
def test_a_bad_row_never_costs_a_list_either(decode: Any, good: Any, bad: Any) -> None:
    rows = decode(encoded([good, bad, good]))
    assert len(rows) == 2
    assert [(row.index, row.raw) for row in rows.rejected] == [(1, bad)]
    assert (rows.total, rows.has_more) == (3, False)


def test_a_list_without_bad_rows_has_an_empty_rejected_too() -> None:
    regions = decoding.REGIONS(b'[{"id":"RU","name":"RUSSIA"}]')
    assert regions == [RegionInfo(id="RU", name="RUSSIA")]
    assert isinstance(regions, Listing)
    assert (regions.rejected, regions.total, regions.has_more) == ([], 1, False)


def test_a_page_without_bad_rows_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert lots(LOT, LOT | {"currentPrice": None}).rejected == []
    assert caplog.records == []


# ── bodies that can't be read ─────────────────────────────────────────────────────────────────────────────────────────

PAGES = {
    "AuctionLot": decoding.LOTS,
    "AuctionPrice": decoding.PRICES,
    "ClanInfo": decoding.CLANS,
    "OperationSession": decoding.SESSIONS,
}
RECORDS = {"EmissionState": decoding.EMISSION, "CharacterProfile": decoding.PROFILE, "ClanInfo": decoding.CLAN}
LISTS = {
    "RegionInfo": decoding.REGIONS,
    "ClanMember": decoding.MEMBERS,
    "Character": decoding.CHARACTERS,
    "str": decoding.FRIENDS,
}


DECODERS = [
    *[pytest.param(name, partial(decode, page=PAGE), id=f"page of {name}") for name, decode in PAGES.items()],
    *[pytest.param(name, decode, id=f"list of {name}") for name, decode in LISTS.items()],
    *[pytest.param(name, decode, id=name) for name, decode in RECORDS.items()],
]


@pytest.mark.parametrize(("model", "decode"), DECODERS)
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is empty"),
        (b" \r\n", "the body is empty"),
        (b"<!DOCTYPE html><html></html>", "an HTML page"),
        (b'{"total": 5, "lots": [', "truncated"),
        (b"\xff\xfe", "malformed"),
        (b'"text"', "expected|Expected"),
        (b"7", "expected|Expected"),
        (b"null", "expected|Expected"),
        (b"[" * 100_000, "recursion|depth"),
    ],
    ids=["empty", "blank", "html", "half", "binary", "text", "number", "null", "deep"],
)
def test_a_body_that_is_not_what_was_promised(model: str, decode: Any, body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=f"(?s)not a {model}: .*({reason})") as caught:
        decode(body)
    error = caught.value
    assert (error.body, error.model, error.path[0]) == (body[:2000], model, "$")


@pytest.mark.parametrize("decode", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"total": 3}', b'{"error": "x"}'])
def test_a_page_without_rows_is_no_page(decode: Any, body: bytes) -> None:
    with pytest.raises(DecodeError, match="expected an object with a list in"):
        decode(body, page=PAGE)


@pytest.mark.parametrize("total", [None, "many", [], 1.5])
def test_a_page_without_a_total_is_no_page(total: Any) -> None:
    with pytest.raises(DecodeError) as caught:
        decoding.CLANS(encoded({"totalClans": total, "data": [CLAN]}), page=PAGE)
    assert (caught.value.path, caught.value.model) == ("$.totalClans", "ClanInfo")


def test_the_path_says_where_the_trouble_is() -> None:
    with pytest.raises(DecodeError, match="Expected `str`, got `int`") as caught:
        decoding.PROFILE(encoded(PROFILE | {"uuid": 7}))
    assert (caught.value.path, caught.value.model) == ("$.uuid", "CharacterProfile")
    assert caught.value.__cause__ is not None


def test_only_the_start_of_a_large_body_is_kept() -> None:
    with pytest.raises(DecodeError) as caught:
        decoding.CLAN(b"x" * 100_000)
    assert len(caught.value.body) == KEPT


# ── json=True ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_json_is_handed_over_as_it_is() -> None:
    assert errors.json(b'{"total":1,"prices":[{"price":109000.0,"x":null}]}') == {
        "total": 1,
        "prices": [{"price": 109000.0, "x": None}],
    }
    assert errors.json(b"[1, 2.0]") == [1, 2.0]


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"\xff"])
def test_what_is_no_json_is_a_decode_error(body: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        errors.json(body)
    assert caught.value.body == body
