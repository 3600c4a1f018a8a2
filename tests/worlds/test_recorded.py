"""What people recorded of the real API, read by both worlds' clients, figure by figure."""

from __future__ import annotations

from datetime import UTC, datetime
from email.parser import HeaderParser
from typing import Any

import httpx
import msgspec
import pytest

from scapi import exceptions
from scapi.enums import Alliance, ClanRank, Quality
from scapi.models import EmissionState
from tests.recorded import FOLDER, history_page, read, rows_of
from tests.worlds.both import WORLDS, Act, World

pytestmark = pytest.mark.skipif(
    FOLDER is None, reason="no recorded answers: neither shared/data above the project nor $SCAPI_DATA"
)
each_world = pytest.mark.parametrize("world", WORLDS, ids=str)


def answered(world: World, body: bytes, act: Act, *, client: str = "AppClient", **reply: Any) -> Any:
    """What a client makes of a recorded answer."""
    status, headers = reply.pop("status", 200), reply.pop("headers", {"content-type": "application/json"})
    transport = httpx.MockTransport(lambda _: httpx.Response(status, headers=headers, content=body))
    options = {"token": "recorded", "retry": None, "pace": False, "http_client": world.http_client(transport=transport)}
    return world.run(getattr(world.api, client)(**options, **reply), act)


def raw(name: str) -> bytes:
    assert FOLDER is not None
    return (FOLDER / name).read_bytes()


def history(world: World, **options: Any) -> Any:
    return answered(
        world,
        raw("history_artefact_kqgy_eu_2026-08-05.json"),
        lambda api: api.auction("kqgy").price_history(limit=100, additional=True, region="eu"),
        **options,
    )


@each_world
def test_the_history_of_an_artefact(world: World) -> None:
    page = history(world)
    assert (len(page), page.total, page.rejected, page.has_more) == (100, 82319, [], True)
    assert {type(row.price) for row in page} == {int}
    assert (page[0].price, page[0].time) == (109_000, datetime(2026, 8, 5, 0, 10, 4, tzinfo=UTC))
    assert [row.time for row in page] == sorted((row.time for row in page), reverse=True)


@each_world
def test_every_row_of_the_history_says_what_its_additional_says(world: World) -> None:
    rows = history_page()["prices"]
    for row, sent in zip(history(world), rows, strict=True):
        assert row.additional == sent["additional"]
        assert (row.amount, row.price, row.unit_price) == (
            sent["amount"],
            sent["price"],
            sent["price"] / sent["amount"],
        )
        assert row.quality == sent["additional"].get("qlt")
        assert isinstance(row.quality, Quality) is ("qlt" in sent["additional"])
        assert row.upgrade_level == sent["additional"].get("ptn", 0)
    assert sum("qlt" not in sent["additional"] for sent in rows) == 1
    assert max(sent["additional"].get("ptn", 0) for sent in rows) == 15


@each_world
def test_json_is_the_recorded_page_itself(world: World) -> None:
    assert history(world, json=True) == history_page()


@each_world
def test_a_listing_of_lots(world: World) -> None:
    name = "lots_009n9_wikimirror_2025-10_first_of_75.json"
    page = answered(world, raw(name), lambda api: api.auction("009n9").lots(limit=1))
    (lot,) = page
    assert (page.total, page.rejected, page.has_more) == (75, [], True)
    assert (lot.item_id, lot.amount, lot.start_price, lot.current_price, lot.buyout_price) == (
        "009n9",
        1,
        1111,
        None,
        30000,
    )
    assert (lot.end_time - lot.start_time).total_seconds() == 48 * 3600
    assert (lot.additional, lot.quality, lot.upgrade_level, lot.unit_price) == ({}, None, 0, 30000.0)


@each_world
def test_an_empty_listing(world: World) -> None:
    page = answered(world, raw("lots_empty_issue90.json"), lambda api: api.auction("x").lots())
    assert (list(page), page.total, page.rejected, page.has_more) == ([], 0, [], False)


@each_world
def test_single_lots_and_those_of_the_demo_host(world: World) -> None:
    rows = [read("lots_kqgy_issue110_2026-08_single.json"), *rows_of("lots_demo_1kv2.json")]
    body = msgspec.json.encode({"total": len(rows), "lots": rows})
    page = answered(world, body, lambda api: api.auction("x").lots())
    assert [lot.item_id for lot in page] == ["kqgy", "1kv2", "1kv2"]
    assert [lot.buyout_price for lot in page] == [100_000, 10_000, 10_000]
    assert (page.rejected, page[1].start_time.microsecond) == ([], 874909)
    assert all(lot.current_price is None for lot in page)


@each_world
def test_an_emission_without_a_start(world: World) -> None:
    state = answered(world, raw("emission_ru_2023-01-30.json"), lambda api: api.emission())
    assert state == EmissionState(
        previous_start=datetime(2023, 1, 30, 5, 16, 52, tzinfo=UTC),
        previous_end=datetime(2023, 1, 30, 5, 21, 52, tzinfo=UTC),
    )
    assert not state.active


@each_world
def test_a_profile_that_came_empty(world: World) -> None:
    _, _, head = raw("profile_empty_body_issue100_headers.txt").decode().partition("\n")
    headers = dict(HeaderParser().parsestr(head).items())
    with pytest.raises(exceptions.DecodeError, match="the body is empty") as caught:
        answered(world, b"", lambda api: api.profile("Too_Pivo"), headers=headers)
    assert (caught.value.body, caught.value.model, caught.value.status) == (b"", "CharacterProfile", 200)


@each_world
def test_what_the_demo_host_answers(world: World) -> None:
    sent = read("demo_characters_clan_members_pyscx.json")

    def body(value: Any) -> bytes:
        return msgspec.json.encode(value)

    (region,) = answered(world, body([sent["region"]]), lambda api: api.regions())
    assert (region.id, region.name) == ("RU", "RUSSIA")
    history = {"total": 1, "prices": [sent["history_row"]]}
    (sale,) = answered(world, body(history), lambda api: api.auction("x").price_history())
    assert (sale.amount, sale.price, sale.time.microsecond) == (1, 1000, 1594)
    (character,) = answered(world, body([sent["character"]]), lambda api: api.characters(), client="UserClient")
    assert (character.info.name, character.clan.info.tag, character.clan.member.rank) == (
        "Test-1",
        "TAG",
        ClanRank.LEADER,
    )
    clan = answered(world, body(sent["character"]["clan"]["info"]), lambda api: api.clan("c").info())
    assert clan == character.clan.info
    assert (clan.name, clan.level_points, clan.alliance) == ("Clan #1", 239_323, Alliance.COVENANT)
    (member,) = answered(world, body([sent["clan_member"]]), lambda api: api.clan("c").members(), client="UserClient")
    assert (member.name, member.rank, member.join_time.year) == ("Test-3", ClanRank.OFFICER, 2023)


MESSAGES = [
    (exceptions.UnauthorizedError, "Unauthorized: token: Corrupted or illegal authorization token"),
    (exceptions.UnauthorizedError, "Unauthorized"),
    (exceptions.RateLimitError, "Rate limit exceeded"),
    (
        exceptions.BadRequestError,
        (
            "The authorization grant type is not supported by the authorization server.: "
            "Check that all required parameters have been provided"
        ),
    ),
]


@each_world
@pytest.mark.parametrize("index", range(len(MESSAGES)))
def test_the_errors_of_the_server(world: World, index: int) -> None:
    sent, (kind, message) = rows_of("errors_real.json")[index], MESSAGES[index]
    with pytest.raises(kind) as caught:
        answered(world, msgspec.json.encode(sent["body"]), lambda api: api.emission(), status=sent["http"])
    assert (caught.value.message, caught.value.status, caught.value.data) == (message, sent["http"], sent["body"])


def test_every_recording_is_read_by_a_test() -> None:
    assert FOLDER is not None
    from pathlib import Path

    here = Path(__file__).read_text(encoding="utf-8") + Path(__file__).parents[1].joinpath("recorded.py").read_text()
    assert [file.name for file in FOLDER.iterdir() if file.name not in here] == []
