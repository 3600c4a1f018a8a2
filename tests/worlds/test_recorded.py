"""Answers in the shape that people recorded of the real API, read by both worlds' clients, figure by figure."""

from __future__ import annotations

from datetime import datetime
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from scapi import exceptions
from scapi.enums import Quality
from scapi.models import EmissionState
from tests.recorded import MADE_UP, SETS, Answers
from tests.worlds.both import WORLDS, Act, World

each_world = pytest.mark.parametrize("world", WORLDS, ids=str)
each_set = pytest.mark.parametrize("sent", SETS, ids=str)


def answered(world: World, body: bytes, act: Act, *, client: str = "AppClient", **reply: Any) -> Any:
    """What a client makes of an answer."""
    status, headers = reply.pop("status", 200), reply.pop("headers", {"content-type": "application/json"})
    transport = httpx.MockTransport(lambda _: httpx.Response(status, headers=headers, content=body))
    options = {"token": "recorded", "retry": None, "pace": False, "http_client": world.http_client(transport=transport)}
    return world.run(getattr(world.api, client)(**options, **reply), act)


def history(world: World, sent: Answers, **options: Any) -> Any:
    size = len(sent.read("history.json")["prices"])
    return answered(
        world,
        sent.raw("history.json"),
        lambda api: api.auction("kqgy").price_history(limit=size, additional=True, region="eu"),
        **options,
    )


def is_read(lot: Any, row: dict[str, Any]) -> bool:
    """Whether a lot is what was sent."""
    start, end = (datetime.fromisoformat(row[name]) for name in ("startTime", "endTime"))
    assert (lot.item_id, lot.amount, lot.start_price) == (row["itemId"], row["amount"], row["startPrice"])
    assert (lot.buyout_price, lot.current_price) == (row["buyoutPrice"], None)
    assert (lot.start_time, lot.end_time) == (start, end)
    assert (lot.additional, lot.quality, lot.upgrade_level) == ({}, None, 0)
    assert lot.unit_price == row["buyoutPrice"] / row["amount"]
    return True


@each_world
@each_set
def test_the_history_of_an_artefact(world: World, sent: Answers) -> None:
    page, document = history(world, sent), sent.read("history.json")
    assert (len(page), page.total) == (len(document["prices"]), document["total"])
    assert (page.rejected, page.has_more) == ([], True)
    assert {type(row.price) for row in page} == {int}
    assert [row.time for row in page] == sorted((row.time for row in page), reverse=True)


@each_world
@each_set
def test_every_row_of_the_history_says_what_was_sent(world: World, sent: Answers) -> None:
    rows = sent.read("history.json")["prices"]
    for sale, row in zip(history(world, sent), rows, strict=True):
        assert sale.time == datetime.fromisoformat(row["time"])
        assert sale.additional == row["additional"]
        assert (sale.amount, sale.price, sale.unit_price) == (row["amount"], row["price"], row["price"] / row["amount"])
        assert sale.quality == row["additional"].get("qlt")
        assert isinstance(sale.quality, Quality) is ("qlt" in row["additional"])
        assert sale.upgrade_level == row["additional"].get("ptn", 0)
    assert sum("qlt" not in row["additional"] for row in rows) == 1
    assert max(row["additional"].get("ptn", 0) for row in rows) == 15


@each_world
@each_set
def test_json_is_the_page_itself(world: World, sent: Answers) -> None:
    assert history(world, sent, json=True) == sent.read("history.json")


@each_world
@each_set
def test_a_listing_of_lots(world: World, sent: Answers) -> None:
    page = answered(world, sent.raw("lots.json"), lambda api: api.auction("x").lots(limit=1))
    document = sent.read("lots.json")
    assert (page.total, page.rejected, page.has_more) == (document["total"], [], True)
    assert all(is_read(lot, row) for lot, row in zip(page, document["lots"], strict=True))
    assert (page[0].end_time - page[0].start_time).total_seconds() == 48 * 3600


@each_world
@each_set
def test_an_empty_listing(world: World, sent: Answers) -> None:
    page = answered(world, sent.raw("lots_none.json"), lambda api: api.auction("x").lots())
    assert (list(page), page.total, page.rejected, page.has_more) == ([], 0, [], False)


@each_world
@each_set
def test_single_lots_and_those_of_the_demo_host(world: World, sent: Answers) -> None:
    rows = [sent.read("lot_alone.json"), *sent.read("lots_demo.json")]
    body = msgspec.json.encode({"total": len(rows), "lots": rows})
    page = answered(world, body, lambda api: api.auction("x").lots())
    assert page.rejected == []
    assert all(is_read(lot, row) for lot, row in zip(page, rows, strict=True))
    assert page[1].start_time.microsecond > 0


@each_world
@each_set
def test_an_emission_without_a_start(world: World, sent: Answers) -> None:
    state = answered(world, sent.raw("emission_without_start.json"), lambda api: api.emission())
    document = sent.read("emission_without_start.json")
    assert state == EmissionState(
        previous_start=datetime.fromisoformat(document["previousStart"]),
        previous_end=datetime.fromisoformat(document["previousEnd"]),
    )
    assert not state.active


@each_world
@each_set
def test_a_profile_that_came_empty(world: World, sent: Answers) -> None:
    _, _, head = sent.raw("profile_empty_headers.txt").decode().partition("\n")
    headers = dict(HeaderParser().parsestr(head).items())
    with pytest.raises(exceptions.DecodeError, match="the body is empty") as caught:
        answered(world, b"", lambda api: api.profile("Nobody"), headers=headers)
    assert (caught.value.body, caught.value.model, caught.value.status) == (b"", "CharacterProfile", 200)


@each_world
@each_set
def test_what_the_demo_host_answers(world: World, sent: Answers) -> None:
    document = sent.read("demo.json")
    row, clan, person = document["history_row"], document["character"]["clan"]["info"], document["clan_member"]

    def body(value: Any) -> bytes:
        return msgspec.json.encode(value)

    (region,) = answered(world, body([document["region"]]), lambda api: api.regions())
    assert (region.id, region.name) == (document["region"]["id"], document["region"]["name"])
    history = {"total": 1, "prices": [row]}
    (sale,) = answered(world, body(history), lambda api: api.auction("x").price_history())
    assert (sale.amount, sale.price, sale.time) == (row["amount"], row["price"], datetime.fromisoformat(row["time"]))
    assert sale.time.microsecond > 0
    (character,) = answered(world, body([document["character"]]), lambda api: api.characters(), client="UserClient")
    assert character.info.name == document["character"]["information"]["name"]
    assert (character.clan.info.tag, character.clan.member.rank.value) == (clan["tag"], "LEADER")
    info = answered(world, body(clan), lambda api: api.clan("c").info())
    assert info == character.clan.info
    assert (info.name, info.level_points, info.alliance.value) == (clan["name"], clan["levelPoints"], clan["alliance"])
    (member,) = answered(world, body([person]), lambda api: api.clan("c").members(), client="UserClient")
    assert (member.name, member.rank.value) == (person["name"], person["rank"])
    assert member.join_time == datetime.fromisoformat(person["joinTime"])


ERRORS = [
    exceptions.UnauthorizedError,
    exceptions.UnauthorizedError,
    exceptions.RateLimitError,
    exceptions.BadRequestError,
]


def said(body: dict[str, Any]) -> str:
    """What a person should read of an error."""
    if "error_description" in body:
        return f"{body['error_description']}: {body['hint']}"
    return ": ".join([body["title"], *(f"{name}: {text}" for name, text in body["details"].items())])


@each_world
@each_set
@pytest.mark.parametrize("index", range(len(ERRORS)))
def test_the_errors_of_the_server(world: World, sent: Answers, index: int) -> None:
    document = sent.read("errors.json")[index]
    body = document["body"]
    with pytest.raises(ERRORS[index]) as caught:
        answered(world, msgspec.json.encode(body), lambda api: api.emission(), status=document["http"])
    assert type(caught.value) is ERRORS[index]
    assert (caught.value.message, caught.value.status, caught.value.data) == (said(body), document["http"], body)


@each_set
def test_every_answer_is_read_by_a_test(sent: Answers) -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    unread = {file.name for file in sent.folder.iterdir()} - set(sent.files.values()) - {"README.md"}
    assert unread == set()
    assert [name for name in MADE_UP.files if f'"{name}"' not in here] == []
