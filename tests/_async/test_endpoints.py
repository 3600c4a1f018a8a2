"""Every endpoint with every parameter, against the fake, over a mock transport and over a real socket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from scapi import Config, OperationsMap, Order, Region, SortAuction, SortOperations, exceptions, models
from scapi._async import AppClient, UserClient

if TYPE_CHECKING:
    from scapi.testing import FakeApi

HOME_CLAN = "a552092f-e7c9-4cc3-a256-1e3f525770bf"
DEMO_CLAN = "647d6c53-b3d7-4d30-8d08-de874eb1d845"


def last_query(fake: FakeApi) -> dict[str, str]:
    return dict(fake.requests[-1].query)


async def test_regions(app: AppClient) -> None:
    regions = await app.regions()
    assert [(region.id, region.name) for region in regions][:2] == [("RU", "RUSSIA"), ("EU", "EUROPE")]


async def test_emission(app: AppClient, fake: FakeApi) -> None:
    fake.end_emission(region="eu")
    calm = await app.emission(region="eu")
    fake.start_emission(region="eu")
    storm = await app.emission(Region.EU)
    assert (calm.active, storm.active) == (False, True)
    assert storm.current_start == fake.now
    assert calm.previous_start < calm.previous_end <= fake.now


async def test_profile(app: AppClient) -> None:
    profile = await app.profile("ziv", region="eu")
    assert isinstance(profile, models.CharacterProfile)
    assert profile.name == "ZIV"
    assert profile.clan.info.uuid == HOME_CLAN
    assert {stat.id for stat in profile.stats} >= {"reg-tim", "pla-tim"}


async def test_a_missing_character_is_not_found(app: AppClient) -> None:
    with pytest.raises(exceptions.NotFoundError):
        await app.profile("Nobody")


async def test_a_profile_that_is_an_empty_page_is_a_decode_error(app: AppClient) -> None:
    with pytest.raises(exceptions.DecodeError, match="empty") as caught:
        await app.profile("Too_Pivo")
    assert (caught.value.body, caught.value.path, caught.value.model) == (b"", "$", "CharacterProfile")
    assert caught.value.url.endswith("/character/by-name/Too_Pivo/profile")


async def test_clans_page_by_page(app: AppClient) -> None:
    first = await app.clans(limit=200, region="na")
    rest = await app.clans(limit=200, offset=200, region="na")
    assert (len(first), first.total, first.limit, first.offset, first.has_more) == (200, 240, 200, 0, True)
    assert (len(rest), rest.offset, rest.has_more) == (40, 200, False)
    assert len({clan.uuid for clan in [*first, *rest]}) == 240


async def test_operations_sessions_sort_and_order(app: AppClient) -> None:
    latest = await app.operations_sessions(limit=100)
    hardest = await app.operations_sessions(limit=100, sort=SortOperations.DIFFICULTY, order="desc")
    easiest = await app.operations_sessions(limit=100, sort="difficulty", order=Order.ASCENDING, offset=5)
    assert [row.end_time for row in latest] == sorted((row.end_time for row in latest), reverse=True)
    assert hardest[0].difficulty > easiest[0].difficulty
    assert [row.difficulty for row in easiest] == sorted(row.difficulty for row in easiest)
    assert easiest.offset == 5


async def test_operations_sessions_filters(app: AppClient, fake: FakeApi) -> None:
    before, after = fake.now - timedelta(days=1), fake.now - timedelta(days=2)
    rows = await app.operations_sessions(map=OperationsMap.SHOCK_THERAPY, before=before, after=after, limit=100)
    assert rows
    assert all(row.map is OperationsMap.SHOCK_THERAPY and after < row.end_time < before for row in rows)
    somebody = rows[0].participants[0].username
    with_them = await app.operations_sessions(username=somebody.lower(), limit=100)
    assert rows[0].id in {row.id for row in with_them}
    assert all(somebody in {player.username for player in row.participants} for row in with_them)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2025, 12, 1, 3, tzinfo=timezone(timedelta(hours=3))),
        datetime(2025, 12, 1, tzinfo=UTC),
        datetime(2025, 12, 1),  # noqa: DTZ001  # a naive time is what this is about
        "2025-12-01T00:00:00Z",
        "2025-12-01",
        "2025-12-01T03:00+03:00",
    ],
    ids=str,
)
async def test_a_time_is_sent_as_the_api_writes_it(app: AppClient, fake: FakeApi, moment: datetime | str) -> None:
    await app.operations_sessions(before=moment, after=moment)
    assert {last_query(fake)[name] for name in ("before", "after")} == {"2025-12-01T00:00:00Z"}


async def test_a_map_that_came_after_this_library_is_sent_by_its_name(app: AppClient, fake: FakeApi) -> None:
    with pytest.raises(exceptions.BadRequestError, match="map: must be one of"):
        await app.operations_sessions(map="moon_base")
    assert last_query(fake)["map"] == "moon_base"


async def test_lots_with_every_parameter(app: AppClient, fake: FakeApi) -> None:
    lots = await app.auction("zyv9").lots(
        limit=7, offset=2, sort="BUYOUT_PRICE", order="ascending", additional=True, region="EU"
    )
    assert (len(lots), lots.limit, lots.offset) == (7, 7, 2)
    assert [lot.buyout_price for lot in lots] == sorted(lot.buyout_price for lot in lots)
    assert any(lot.additional for lot in lots)
    assert fake.requests[-1].path == "/eu/auction/zyv9/lots"
    assert last_query(fake) == {
        "limit": "7",
        "offset": "2",
        "sort": "buyout_price",
        "order": "asc",
        "additional": "true",
    }


async def test_lots_without_parameters_take_the_defaults_of_config(app: AppClient, fake: FakeApi) -> None:
    await app.auction("zyv9").lots()
    assert last_query(fake) == {"limit": "20", "offset": "0", "sort": "time_created", "order": "asc"}
    Config.LIMIT, Config.OFFSET, Config.ADDITIONAL = 3, 1, True
    Config.SORT_AUCTION, Config.ORDER_AUCTION = "time_left", "desc"
    lots = await app.auction("zyv9").lots()
    assert len(lots) == 3
    assert last_query(fake) == {
        "limit": "3",
        "offset": "1",
        "sort": "time_left",
        "order": "desc",
        "additional": "true",
    }


@pytest.mark.parametrize("sort", SortAuction)
async def test_the_server_knows_every_sort_of_lots(app: AppClient, sort: SortAuction) -> None:
    assert len(await app.auction("zyv9").lots(sort=sort, order=Order.DESCENDING, limit=5)) == 5


async def test_without_additional_there_is_none(app: AppClient) -> None:
    Config.ADDITIONAL = True
    lots = await app.auction("zyv9").lots(additional=False)
    assert {len(lot.additional) for lot in lots} == {0}
    assert {(lot.quality, lot.upgrade_level) for lot in lots} == {(None, 0)}


async def test_price_history(app: AppClient, fake: FakeApi) -> None:
    fake.sell("kqgy", 2, price=5000, amount=2, additional={"qlt": 4, "ptn": 15})
    history = await app.auction("kqgy").price_history(limit=200, additional=True)
    assert (len(history), history.total, history.has_more) == (200, 82_321, True)
    assert history.rejected == []
    assert [row.time for row in history] == sorted((row.time for row in history), reverse=True)
    assert (history[0].price, history[0].unit_price) == (5000, 2500.0)
    assert (history[0].quality.name, history[0].upgrade_level) == ("EXCEPTIONAL", 15)
    assert all(isinstance(row.price, int) for row in history)


async def test_a_limit_of_zero_is_sent_as_zero(app: AppClient, fake: FakeApi) -> None:
    history = await app.auction("kqgy").price_history(limit=0, offset=7, region="sea")
    assert (list(history), history.total, history.has_more) == ([], 82_319, True)
    assert (last_query(fake)["limit"], last_query(fake)["offset"]) == ("0", "7")


async def test_an_unknown_item_is_a_bad_request(app: AppClient) -> None:
    with pytest.raises(exceptions.BadRequestError, match="Invalid item id: item: x22sxr4"):
        await app.auction("x22sxr4").lots()


async def test_an_item_that_is_not_traded_has_an_empty_listing(app: AppClient) -> None:
    lots = await app.auction("qyvk").lots()
    assert (list(lots), lots.total, lots.has_more) == ([], 0, False)


async def test_clan_info(app: AppClient, user: UserClient) -> None:
    seen_by_app = await app.clan(HOME_CLAN).info(region="eu")
    seen_by_user = await user.clan(HOME_CLAN, region="eu").info()
    assert seen_by_app == seen_by_user
    assert (seen_by_app.uuid, seen_by_app.leader) == (HOME_CLAN, "ZIV")


async def test_clan_members(user: UserClient) -> None:
    members = await user.clan(HOME_CLAN).members(region=Region.EU)
    assert {"ZIV", "YourCharacterName"} <= {member.name for member in members}
    assert next(member.rank for member in members if member.name == "ZIV") == "LEADER"


async def test_members_of_a_foreign_clan_are_unauthorized(user: UserClient) -> None:
    with pytest.raises(exceptions.UnauthorizedError):
        await user.clan(DEMO_CLAN).members()


async def test_characters_and_friends(user: UserClient) -> None:
    characters = await user.characters(region="na")
    assert [character.info.name for character in characters] == ["YourCharacterName", "YourSecondCharacter"]
    assert [character.clan is None for character in characters] == [False, True]
    friends = await user.friends("yourcharactername", region="na")
    assert friends
    assert all(isinstance(name, str) for name in friends)


async def test_a_user_can_do_what_an_application_can(user: UserClient) -> None:
    assert (await user.emission()).previous_start
    assert await user.auction("zyv9").lots(limit=1)
    assert await user.operations_sessions(limit=1)
    assert await user.clans(limit=1)
    assert (await user.profile("ZIV")).name == "ZIV"


@pytest.mark.parametrize(
    "name",
    ["A/B?c#d ё", "%2F", "a%20b", "Тихий_Волк-2.й", "sTALKER_Сидорович", "x&y=z;+", "..."],
    ids=["all", "percent", "escape", "ru", "mixed-case", "query", "dots"],
)
async def test_a_name_arrives_as_it_is(app: AppClient, fake: FakeApi, name: str) -> None:
    fake.fail("*", status=404)
    with pytest.raises(exceptions.NotFoundError):
        await app.profile(name)
    assert fake.requests[-1].path == f"/ru/character/by-name/{name}/profile"
    assert dict(fake.requests[-1].query) == {}


async def test_a_character_with_every_awkward_sign_is_found(app: AppClient) -> None:
    assert (await app.profile("A/B?c#d ё")).name == "A/B?c#d ё"


async def test_a_username_in_the_query_arrives_as_it_is(app: AppClient, fake: FakeApi) -> None:
    await app.operations_sessions(username="A/B?c#d&e=ё+%2F")
    assert last_query(fake)["username"] == "A/B?c#d&e=ё+%2F"


async def test_item_and_clan_ids_are_encoded_too(user: UserClient, fake: FakeApi) -> None:
    fake.fail("*", status=404)
    for call in (user.auction("a/b").lots, user.auction("a/b").price_history):
        with pytest.raises(exceptions.NotFoundError):
            await call()
    for call in (user.clan("c/d").info, user.clan("c/d").members):
        with pytest.raises(exceptions.NotFoundError):
            await call()
    with pytest.raises(exceptions.NotFoundError):
        await user.friends("e/f")
    assert [seen.target.partition("?")[0] for seen in fake.requests] == [
        "/ru/auction/a%2Fb/lots",
        "/ru/auction/a%2Fb/history",
        "/ru/clan/c%2Fd/info",
        "/ru/clan/c%2Fd/members",
        "/ru/friends/e%2Ff",
    ]


async def test_json_is_exactly_what_the_server_sent(fake: FakeApi, reach: dict[str, Any]) -> None:
    """The fake's own answer, decoded by the standard library, is the measure."""
    import json

    def sent(target: str) -> Any:
        return json.loads(fake.handle("GET", target, {"authorization": f"Bearer {fake.user_token}"}).body)

    async with UserClient(token=fake.user_token, json=True, **reach) as client:
        assert await client.regions() == sent("/regions")
        assert await client.emission() == sent("/ru/emission")
        assert await client.profile("ZIV") == sent("/ru/character/by-name/ZIV/profile")
        assert await client.clans(limit=2) == sent("/ru/clans?limit=2")
        assert await client.clan(HOME_CLAN).info() == sent(f"/ru/clan/{HOME_CLAN}/info")
        assert await client.clan(HOME_CLAN).members() == sent(f"/ru/clan/{HOME_CLAN}/members")
        assert await client.characters() == sent("/ru/characters")
        assert await client.friends("YourCharacterName") == sent("/ru/friends/YourCharacterName")
        assert await client.operations_sessions(limit=2) == sent("/ru/operations/sessions?limit=2&order=desc")
        lots = await client.auction("zyv9").lots(limit=2, additional=True)
        assert lots == sent("/ru/auction/zyv9/lots?limit=2&additional=true")
        history = await client.auction("kqgy").price_history(limit=2)
        assert history == sent("/ru/auction/kqgy/history?limit=2")
    assert type(lots) is dict
    assert type(history["prices"][0]["price"]) is float


async def test_json_that_is_none_is_a_decode_error(fake: FakeApi, reach: dict[str, Any]) -> None:
    async with AppClient(token=fake.app_token, json=True, **reach) as client:
        with pytest.raises(exceptions.DecodeError, match="empty"):
            await client.profile("Too_Pivo")
