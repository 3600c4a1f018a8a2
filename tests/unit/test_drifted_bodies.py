"""A server that changes changes every row: such bodies are read alike, without a step of Python for each row."""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
import sys
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scapi import AppClient
from scapi._api import decoding, errors
from scapi._http.messages import HttpRequest, HttpResponse
from scapi.exceptions import DecodeError, NotFoundError
from tests.unit.test_decoders import CLAN, LOT, MEMBER, PRICE, PROFILE, SESSION
from tests.unit.test_drift import mutated

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi.models import Listing

Row = dict[str, Any]

PAGE = decoding.Page(limit=200, offset=0)
CHARACTER = {"information": {"id": "i", "name": "n", "creationTime": "2021-12-03T10:15:30Z"}, "clan": PROFILE["clan"]}


def page_of(decode: Any, key: str, rows: list[Any], total: str = "total") -> Listing[Any]:
    return decode(msgspec.json.encode({total: 500, key: rows}), page=PAGE)


READERS: dict[str, tuple[Any, Callable[[list[Any]], Listing[Any]]]] = {
    "lots": (LOT, partial(page_of, decoding.LOTS, "lots")),
    "prices": (PRICE, partial(page_of, decoding.PRICES, "prices")),
    "sessions": (SESSION, partial(page_of, decoding.SESSIONS, "sessions")),
    "clans": (CLAN, partial(page_of, decoding.CLANS, "data", total="totalClans")),
    "members": (MEMBER, lambda rows: decoding.MEMBERS(msgspec.json.encode(rows))),
    "characters": (CHARACTER, lambda rows: decoding.CHARACTERS(msgspec.json.encode(rows))),
    "friends": ("ZIV", lambda rows: decoding.FRIENDS(msgspec.json.encode(rows))),
}


# ── every row drifted in the same way ─────────────────────────────────────────────────────────────────────────────────


def players(change: Callable[[Row], Any]) -> Callable[[Row], None]:
    def changed(session: Row) -> None:
        for player in session["participants"]:
            change(player)

    return changed


def cut(key: str, letters: int, instead: str = "") -> Callable[[Row], None]:
    return lambda row: row.update({key: row[key][:-letters] + instead})


#: What changes in each row, and what the models have for it. Nothing, where the spelling alone differs.
DRIFTS: dict[str, tuple[str, Callable[[Row], Any], dict[str, Any]]] = {
    "a null in place of additional": ("prices", lambda row: row.update(additional=None), {"additional": {}}),
    "no additional": ("prices", lambda row: row.pop("additional"), {"additional": {}}),
    "a sale's time without offset": ("prices", cut("time", 1), {}),
    "a sale's time without seconds": ("prices", cut("time", 4, "Z"), {"time": "2026-08-05T00:10:00Z"}),
    "a sale's time with +03": ("prices", cut("time", 1, "+03"), {"time": "2026-08-04T21:10:04Z"}),
    "amounts as text": ("prices", lambda row: row.update(amount=str(row["amount"])), {}),
    "amounts as floats in text": ("prices", lambda row: row.update(amount=f"{row['amount']}.0"), {}),
    "prices as floats": ("lots", lambda row: row.update(buyoutPrice=float(row["buyoutPrice"])), {}),
    "an unknown field": ("lots", lambda row: row.update(seller={"name": "x"}), {}),
    "a lot's times without offset": ("lots", lambda row: (cut("startTime", 1)(row), cut("endTime", 1)(row)), {}),
    "a lot's start with +03": ("lots", cut("startTime", 1, "+03"), {"startTime": "2026-08-04T21:00:00Z"}),
    "a null in place of a start price": ("lots", lambda row: row.update(startPrice=None), {"startPrice": None}),
    "no buyout": ("lots", lambda row: row.pop("buyoutPrice"), {"buyoutPrice": None}),
    "a null in place of an end": ("lots", lambda row: row.update(endTime=None), {"endTime": None}),
    "a session's start without seconds": ("sessions", cut("startTime", 4, "Z"), {}),
    "a session's end without offset": ("sessions", cut("endTime", 1), {}),
    "null levels of armor": ("sessions", players(lambda player: player.update(armorLevel=None)), {}),
    "nothing but nulls of players": (
        "sessions",
        players(lambda player: player.update(dict.fromkeys(["armorLevel", "armorClass", "primaryWeaponLevel"]))),
        {},
    ),
    "players without a name": (
        "sessions",
        players(lambda player: player.pop("username")),
        {"participants": [{name: value for name, value in SESSION["participants"][0].items() if name != "username"}]},
    ),
    "a null among the players": ("sessions", lambda row: row["participants"].insert(0, None), {}),
    "difficulties as text": ("sessions", lambda row: row.update(difficulty=str(row["difficulty"])), {}),
    "founded without offset": ("clans", cut("registrationTime", 1), {}),
    "clans without leader and level": (
        "clans",
        lambda row: (row.pop("leader"), row.pop("level")),
        {"leader": None, "level": None},
    ),
    "empty clans": ("characters", lambda row: row.update(clan={}), {"clan": None}),
    "joined on a date": ("members", cut("joinTime", 10), {"joinTime": "2022-07-03T00:00:00Z"}),
    "a clan joined on a date": (
        "characters",
        lambda row: cut("joinTime", 10)(row["clan"]["member"]),
        {"clan": {"info": CLAN, "member": MEMBER | {"joinTime": "2022-07-03T00:00:00Z"}}},
    ),
}


def drifted(name: str, count: int) -> tuple[list[Row], list[Row]]:
    """Rows that drifted, and rows as they should be that mean the same."""
    kind, change, meant = DRIFTS[name]
    sound = [deepcopy(READERS[kind][0]) for _ in range(count)]
    odd = deepcopy(sound)
    for row in odd:
        change(row)
    return odd, [row | meant for row in sound]


@pytest.mark.parametrize("name", DRIFTS)
def test_a_body_that_drifted_in_every_row_means_what_it_meant(name: str, caplog: pytest.LogCaptureFixture) -> None:
    read = READERS[DRIFTS[name][0]][1]
    odd, meant = drifted(name, 5)
    with caplog.at_level(logging.WARNING):
        rows = read(odd)
    assert len(caplog.records) <= 1
    assert rows == read(meant)
    assert rows.rejected == []


def python_calls(work: Callable[[], object]) -> int:
    calls = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("name", DRIFTS)
def test_a_body_that_drifted_takes_no_step_of_python_for_each_row(name: str) -> None:
    read = READERS[DRIFTS[name][0]][1]
    few, many = drifted(name, 20)[0], drifted(name, 200)[0]
    read(few)
    assert python_calls(lambda: read(many)) <= python_calls(lambda: read(few)) + 10


@pytest.mark.parametrize(("sparse", "loss"), [({"rank": 7}, "rank"), ({"rank": []}, "rank"), ({}, "rank")])
def test_one_warning_tells_of_all_rows(sparse: Row, loss: str, caplog: pytest.LogCaptureFixture) -> None:
    row = {name: value for name, value in MEMBER.items() if name != loss} | sparse
    with caplog.at_level(logging.WARNING):
        members = decoding.MEMBERS(msgspec.json.encode([row] * 50))
    assert [(member.name, member.rank) for member in members] == [("ZIV", None)] * 50
    (record,) = caplog.records
    assert f"50 without ClanMember.{loss}" in record.getMessage()


# ── any rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────

#: What no decoder reads at once: a body with it takes another way than one without.
ODD_ROWS = [5, None, {}, [], "row"]


def odd_rows(kind: str) -> st.SearchStrategy[Any]:
    row: Any = READERS[kind][0]
    if isinstance(row, str):
        return st.sampled_from([5, None, {}])
    gaps = [row | {key: None} for key in row]
    return st.sampled_from([*ODD_ROWS, *gaps, *({key: row[key] for key in row if key != left} for left in row)])


def outcomes(rows: Listing[Any]) -> list[Any]:
    """What became of each row, in the order of the rows. Which of several reasons a row is rejected for may differ."""
    lost = {row.index: ("rejected", row.raw) for row in rows.rejected}
    read = iter(rows)
    return [lost[n] if n in lost else next(read) for n in range(len(rows) + len(lost))]


@pytest.mark.parametrize("kind", READERS)
@given(data=st.data())
def test_a_row_is_read_alike_alone_and_in_any_company(kind: str, data: st.DataObject) -> None:
    row, read = READERS[kind]
    sound = st.just(row)
    rows = data.draw(st.lists(mutated(row) | sound | odd_rows(kind), min_size=1, max_size=4))
    rows = msgspec.json.decode(msgspec.json.encode(rows))
    together = outcomes(read(rows))
    assert together == [outcome for row in rows for outcome in outcomes(read([row]))]


@pytest.mark.parametrize("kind", ["lots", "prices", "sessions", "clans", "members", "characters"])
@given(data=st.data())
def test_what_is_read_at_once_and_what_is_mended_agree(kind: str, data: st.DataObject) -> None:
    row, read = READERS[kind]
    readable = [found for found in data.draw(st.lists(mutated(row), min_size=1, max_size=3)) if found is not None]
    alone = [outcomes(read([found]))[0] for found in readable]
    for odd in (5, data.draw(odd_rows(kind))):
        assert outcomes(read([*readable, odd]))[:-1] == alone
        assert outcomes(read([odd, *readable]))[1:] == alone


# ── as little as possible is lost ─────────────────────────────────────────────────────────────────────────────────────


def without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def profile(**changes: Any) -> bytes:
    return msgspec.json.encode(PROFILE | changes)


def test_a_statistic_without_a_type_is_read(caplog: pytest.LogCaptureFixture) -> None:
    stats = [{"id": "kil", "type": "INTEGER", "value": 5}, {"id": "pres-match-hist", "value": [1, 0, 1]}]
    found = decoding.PROFILE(profile(stats=stats))
    assert [(stat.id, stat.type, stat.value) for stat in found.stats] == [
        ("kil", "INTEGER", 5),
        ("pres-match-hist", None, [1, 0, 1]),
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "CharacterProfile read in part; 1 without Statistic.type: absent or null"
    ]


@pytest.mark.parametrize("bad", [None, {}, {"type": "INTEGER", "value": 5}, {"id": None, "value": 5}, 5, "kil"])
def test_a_statistic_that_is_none_is_left_out(bad: Any, caplog: pytest.LogCaptureFixture) -> None:
    found = decoding.PROFILE(profile(stats=[PROFILE["stats"][0], bad, PROFILE["stats"][0]]))
    assert [stat.id for stat in found.stats] == ["kil", "kil"]
    (record,) = caplog.records
    assert "1 without CharacterProfile.stats" in record.getMessage()


def test_a_sparse_clan_is_read(caplog: pytest.LogCaptureFixture) -> None:
    sparse = without(CLAN, "leader", "memberCount")
    clan = decoding.PROFILE(profile(clan={"info": sparse, "member": {"name": "ZIV"}})).clan
    assert clan is not None
    assert clan.member is not None
    assert (clan.info.name, clan.info.level, clan.info.leader, clan.info.member_count) == ("Wolves", 3, None, None)
    assert (clan.member.name, clan.member.rank, clan.member.join_time) == ("ZIV", None, None)
    (record,) = caplog.records
    for name in ("ClanInfo.leader", "ClanInfo.member_count", "ClanMember.rank", "ClanMember.join_time"):
        assert f"1 without {name}" in record.getMessage()
    bare = decoding.CLAN(b'{"id": "c", "name": "Wolves"}')
    assert (bare.uuid, bare.name, bare.tag, bare.level, bare.registration_time) == ("c", "Wolves", None, None, None)


def test_an_empty_clan_is_none(caplog: pytest.LogCaptureFixture) -> None:
    assert decoding.PROFILE(profile(clan={})).clan is None
    assert [record.getMessage() for record in caplog.records] == [
        "CharacterProfile read in part; 1 without CharacterProfile.clan: an empty object"
    ]
    (character,) = decoding.CHARACTERS(msgspec.json.encode([CHARACTER | {"clan": {}}]))
    assert character.clan is None


@pytest.mark.parametrize("clan", [5, [], "x", {"member": MEMBER}, {"info": {"name": "Wolves"}, "member": MEMBER}])
def test_a_clan_that_cannot_be_read_does_not_cost_the_profile(clan: Any, caplog: pytest.LogCaptureFixture) -> None:
    found = decoding.PROFILE(profile(clan=clan))
    assert (found.name, found.clan) == ("ZIV", None)
    assert len(caplog.records) == 1


@pytest.mark.parametrize("member", [None, 5, {}, {"rank": "LEADER"}])
def test_a_member_that_cannot_be_read_does_not_cost_the_clan(member: Any) -> None:
    clan = decoding.PROFILE(profile(clan={"info": CLAN, "member": member})).clan
    assert clan is not None
    assert (clan.info.name, clan.member) == ("Wolves", None)


def test_a_field_that_cannot_be_read_does_not_cost_its_record(caplog: pytest.LogCaptureFixture) -> None:
    clan = decoding.CLAN(msgspec.json.encode(CLAN | {"level": "high", "registrationTime": "yesterday", "leader": 5}))
    assert (clan.level, clan.registration_time, clan.leader, clan.level_points) == (None, None, None, 77)
    (record,) = caplog.records
    assert "1 without ClanInfo.level: Expected `int | null`, got `str`" in record.getMessage()
    found = decoding.PROFILE(profile(displayedAchievements=["a", 5, None, "b"], lastLogin="yesterday", alliance=7))
    assert (found.displayed_achievements, found.last_login, found.alliance) == (["a", "b"], None, None)


def test_a_player_without_a_name_is_read(caplog: pytest.LogCaptureFixture) -> None:
    row = SESSION | {"participants": [{"death": 1}, None, {"username": "ZIV", "mobKills": "many"}]}
    (session,) = page_of(decoding.SESSIONS, "sessions", [without(row, "endTime", "difficulty")])
    assert [(player.username, player.death, player.mob_kills) for player in session.participants] == [
        (None, 1, 0),
        ("ZIV", 0, 0),
    ]
    assert (session.end_time, session.difficulty, session.reward) == (None, None, 300)
    assert len(caplog.records) == 1


NEEDED = {
    "lots": ("itemId", "amount"),
    "prices": ("amount", "price", "time"),
    "sessions": ("id", "map", "startTime"),
    "clans": ("id", "name"),
    "members": ("name",),
    "characters": ("information",),
}


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind in NEEDED for field in READERS[kind][0]])
@pytest.mark.parametrize("gap", ["absent", "null"])
def test_a_gap_costs_a_row_where_the_field_is_needed_and_is_none_elsewhere(kind: str, field: str, gap: str) -> None:
    row, read = READERS[kind]
    sparse = without(row, field) if gap == "absent" else row | {field: None}
    rows = read([row, sparse, sparse])
    assert (len(rows), [lost.index for lost in rows.rejected]) == ((1, [1, 2]) if field in NEEDED[kind] else (3, []))


@pytest.mark.parametrize("field", ["startPrice", "currentPrice", "buyoutPrice"])
def test_a_price_that_cannot_be_read_costs_its_lot(field: str) -> None:
    """Otherwise it would look like a lot without bids or without a buyout."""
    rows = page_of(decoding.LOTS, "lots", [LOT, LOT | {field: "much"}])
    assert (len(rows), [lost.index for lost in rows.rejected]) == (1, [1])


def test_a_start_of_an_emission_that_cannot_be_read_is_not_the_end_of_one() -> None:
    with pytest.raises(DecodeError):
        decoding.EMISSION(b'{"currentStart": "soon"}')
    assert decoding.EMISSION(b'{"previousStart": "once"}').previous_start is None


def test_what_was_sent_stays_what_it_was() -> None:
    bad = LOT | {"amount": "many", "additional": None, "startTime": "2026-08-05T00:00"}
    rows = page_of(decoding.LOTS, "lots", [LOT | {"additional": None}, bad])
    assert rows.rejected[0].raw == bad


def test_digits_alone_are_no_time() -> None:
    """As milliseconds they would become the year 1755."""
    rows = page_of(decoding.PRICES, "prices", [PRICE, PRICE | {"time": "1755012345678"}])
    assert [row.index for row in rows.rejected] == [1]


# ── what the garbage collector sees ───────────────────────────────────────────────────────────────────────────────────


def test_the_collector_of_garbage_leaves_rows_alone() -> None:
    rows: list[Any] = [
        page_of(decoding.LOTS, "lots", [LOT])[0],
        page_of(decoding.PRICES, "prices", [PRICE])[0],
        page_of(decoding.SESSIONS, "sessions", [SESSION])[0].participants[0],
        *decoding.PROFILE(profile()).stats,
        *decoding.MEMBERS(msgspec.json.encode([MEMBER])),
    ]
    assert [row for row in rows if gc.is_tracked(row)] == []
    # Its list of players can be changed, and so take it in.
    assert gc.is_tracked(page_of(decoding.SESSIONS, "sessions", [SESSION])[0])


# ── large bodies ──────────────────────────────────────────────────────────────────────────────────────────────────────


def in_pieces(decode: Any, body: bytes, status: int = 200) -> tuple[Any, int]:
    """What comes of a body, and how often others could go on meanwhile."""
    pieces, count = decoding.in_pieces(HttpResponse(status, {}, body), decode, HttpRequest("https://h.test/x")), 0
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            return end.value, count
        count += 1


LARGE: dict[str, tuple[Any, list[Any], Callable[[list[Any]], Any]]] = {
    "lots": (
        partial(decoding.LOTS, page=PAGE),
        [LOT, LOT | {"additional": None}, LOT | {"amount": "many"}],
        lambda rows: {"total": 9, "lots": rows},
    ),
    "sessions": (partial(decoding.SESSIONS, page=PAGE), [SESSION], lambda rows: {"sessions": rows, "total": "9"}),
    "members": (decoding.MEMBERS, [MEMBER, 5, MEMBER | {"joinTime": "2022-07-03"}], lambda rows: rows),
    "friends": (decoding.FRIENDS, ["ZIV" * 20], lambda rows: rows),
    "json": (errors.json, [LOT], lambda rows: {"total": 9, "lots": rows, "x": {"y": [1]}}),
    "json list": (errors.json, [LOT], lambda rows: rows),
}


@pytest.mark.parametrize("kind", LARGE)
def test_a_body_in_pieces_is_the_same_as_at_once(
    kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(decoding, "PIECE", 1000)
    decode, rows, wrap = LARGE[kind]
    body = msgspec.json.encode(wrap(rows * 40))
    whole = decode(body)
    told = [record.getMessage() for record in caplog.records]
    caplog.clear()
    found, count = in_pieces(decode, body)
    assert found == whole
    assert getattr(found, "rejected", None) == getattr(whole, "rejected", None)
    assert getattr(found, "total", None) == getattr(whole, "total", None)
    assert [record.getMessage() for record in caplog.records] == told
    assert count >= len(body) / 1000 / 2


@pytest.mark.parametrize("kind", LARGE)
@pytest.mark.parametrize("body", [b"", b"<html>", b"7", b'{"lots": [', b"\xff", b'{"total": 1}', b"[" * 100_000])
def test_a_body_that_cannot_be_read_is_the_same_error_in_pieces(kind: str, body: bytes) -> None:
    decode = LARGE[kind][0]
    try:
        whole = decode(body)
    except DecodeError as failure:
        error = failure
    else:
        assert in_pieces(decode, body)[0] == whole
        return
    with pytest.raises(DecodeError) as caught:
        in_pieces(decode, body)
    assert (caught.value.body, caught.value.model, caught.value.url) == (body[:2000], error.model, "https://h.test/x")


def test_an_error_has_no_pieces() -> None:
    with pytest.raises(NotFoundError):
        in_pieces(errors.json, b"{}", 404)


@pytest.mark.parametrize("drifts", [False, True])
async def test_others_go_on_while_a_large_page_is_read(drifts: bool) -> None:
    lot = LOT | ({"startTime": "2026-08-05T00:00+03", "startPrice": None} if drifts else {})
    body = msgspec.json.encode({"total": 20_000, "lots": [lot] * 20_000})
    assert len(body) > 3 * decoding.LARGE
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0)
            beats += 1

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    http_client = httpx.AsyncClient(transport=transport)
    async with http_client, AppClient(token=secrets.token_hex(8), http_client=http_client) as client:
        others = asyncio.create_task(beat())
        before = beats
        lots = await client.auction("zyv9", "ru").lots(limit=200)
        others.cancel()
    assert (len(lots), lots.rejected) == (20_000, [])
    # A piece is 256 KiB.
    assert beats - before >= len(body) / 2**18
