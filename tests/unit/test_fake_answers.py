"""The fake's answers, asked for without any transport."""

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scapi.testing import COSTS, START, FakeApi, _market, _players, _random

HOME = "a552092f-e7c9-4cc3-a256-1e3f525770bf"
DEMO = "647d6c53-b3d7-4d30-8d08-de874eb1d845"
UNAUTHORIZED = {"title": "Unauthorized", "status": 401, "details": {}}

PATHS = {
    "regions": "/regions",
    "emission": "/ru/emission",
    "lots": "/ru/auction/kqgy/lots",
    "history": "/ru/auction/kqgy/history",
    "profile": "/ru/character/by-name/ZIV/profile",
    "clans": "/ru/clans",
    "clan": f"/ru/clan/{HOME}/info",
    "members": f"/ru/clan/{HOME}/members",
    "characters": "/ru/characters",
    "friends": "/ru/friends/YourCharacterName",
    "sessions": "/ru/operations/sessions",
}
USER_ONLY = ("members", "characters", "friends")


@pytest.fixture
def fake() -> FakeApi:
    return FakeApi()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def ask(fake: FakeApi, target: str, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
    reply = fake.handle("GET", target, bearer(fake.user_token) if headers is None else headers)
    return reply.status, json.loads(reply.body or b"null")


def get(fake: FakeApi, target: str) -> Any:
    status, value = ask(fake, target, bearer(fake.app_token))
    assert status == 200, value
    return value


def when(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


# ── all endpoints ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("endpoint", PATHS)
def test_every_endpoint_answers_in_either_case_of_the_region(endpoint: str) -> None:
    fake = FakeApi(user_limit=1000)
    path = PATHS[endpoint]
    assert ask(fake, path) == ask(fake, path.replace("/ru/", "/RU/"))
    assert ask(fake, path)[0] == 200


def test_the_table_of_costs_names_every_endpoint() -> None:
    assert set(COSTS) == {*PATHS, "bad_request"}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    def digest(seed: int) -> str:
        for kept in (_market._sale, _players._populated, _random.numbers_for):
            kept.cache_clear()
        fake, digest = FakeApi(seed=seed, user_limit=1000), hashlib.sha256()
        for path in PATHS.values():
            digest.update(fake.handle("GET", path, bearer(fake.user_token)).body)
        return digest.hexdigest()

    assert digest(1) == digest(1) != digest(2)


def test_what_happens_in_one_fake_does_not_happen_in_another_of_the_same_seed() -> None:
    def seen(fake: FakeApi) -> list[Any]:
        pages = [get(fake, f"/ru/auction/kqgy/{kind}?additional=true") for kind in ("history", "lots")]
        return [*pages, get(fake, "/ru/emission"), dict(fake.github.files)]

    one, other = FakeApi(), FakeApi()
    before = seen(other)
    one.sell("kqgy", 3)
    one.list_lot("kqgy")
    one.start_emission()
    one.github.edit_item("kqgy", en="Renamed")
    assert all(mine != theirs for mine, theirs in zip(seen(one), before, strict=True))
    assert seen(other) == before


def test_every_region_has_its_own_data(fake: FakeApi) -> None:
    pages = [get(fake, f"/{region}/auction/zyv9/history")["prices"] for region in ("ru", "eu", "na", "sea", "nea")]
    assert all(a != b for a, b in pairwise(pages))


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/regions/", 404),
        ("GET", "/xx/emission", 404),
        ("POST", "/regions", 405),
        ("DELETE", "/ru/emission", 405),
        ("GET", "/ru/character/by-name/Nobody/profile", 404),
        ("GET", "/ru/clan/not-a-clan/info", 404),
        ("GET", "/ru/clan/not-a-clan/members", 404),
        ("GET", "/ru/friends/ZIV", 404),
        ("GET", "/ru/auction/nope/lots", 400),
        ("GET", "/ru/auction/KQGY/history", 400),
        ("GET", "/ru/auction/kqgy/lots?limit=201", 400),
        ("GET", "/ru/auction/kqgy/lots?limit=-1", 400),
        ("GET", "/ru/auction/kqgy/lots?limit=%C2%B2", 400),
        ("GET", "/ru/auction/kqgy/lots?offset=x", 400),
        ("GET", "/ru/operations/sessions?limit=101", 400),
        ("GET", "/ru/operations/sessions?after=yesterday", 400),
        ("GET", "/ru/operations/sessions?before=2026-01-01T00:00:00", 400),
    ],
)
def test_what_is_refused_and_how(fake: FakeApi, method: str, target: str, status: int) -> None:
    reply = fake.handle(method, target, bearer(fake.user_token))
    body = json.loads(reply.body)
    assert reply.status == body["status"] == status
    assert set(body) == {"title", "status", "details"}
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("target", "name", "allowed"),
    [
        ("/ru/auction/kqgy/lots?sort=price", "sort", "time_created, time_left, current_price, buyout_price"),
        ("/ru/auction/kqgy/lots?order=ascending", "order", "asc, desc"),
        ("/ru/operations/sessions?sort=time_created", "sort", "date_finish, difficulty"),
        ("/ru/operations/sessions?map=moon", "map", "big_cleanup, shock_therapy, sea_alienation"),
    ],
)
def test_an_unknown_enum_value_is_told_what_is_allowed(fake: FakeApi, target: str, name: str, allowed: str) -> None:
    status, body = ask(fake, target)
    assert status == 400
    assert body["details"][name].endswith(allowed)


def test_an_unknown_item_is_an_invalid_item_id(fake: FakeApi) -> None:
    assert ask(fake, "/ru/auction/nope/lots")[1]["title"] == "Invalid item id"


def test_a_limit_above_the_maximum_may_be_clamped() -> None:
    fake = FakeApi(clamp_limit=True)
    assert len(get(fake, "/ru/auction/kqgy/history?limit=500")["prices"]) == 200


def test_a_limit_of_nothing_gives_nothing_but_the_total(fake: FakeApi) -> None:
    assert get(fake, "/ru/auction/kqgy/history?limit=0") == {"total": 82319, "prices": []}


# ── history ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_of_the_history_is_spelled_as_the_api_spells_it(fake: FakeApi) -> None:
    body = fake.handle("GET", "/ru/auction/kqgy/history?limit=200", bearer(fake.app_token)).body
    first = json.loads(body)["prices"][0]
    assert body.count(b'.0,"time"') == 200
    assert set(first) == {"amount", "price", "time", "additional"}
    assert when(first["time"]) <= START


def test_additional_is_empty_unless_asked_for_in_any_case(fake: FakeApi) -> None:
    for asked in ("", "&additional=false", "&additional=1"):
        rows = get(fake, f"/ru/auction/kqgy/history?limit=50{asked}")["prices"]
        assert all(row["additional"] == {} for row in rows)
    for asked in ("true", "True", "TRUE"):
        rows = get(fake, f"/ru/auction/kqgy/history?limit=50&additional={asked}")["prices"]
        assert any("qlt" in row["additional"] for row in rows)


def test_artefacts_show_every_key_that_has_been_seen(fake: FakeApi) -> None:
    keys: Counter[str] = Counter()
    for offset in range(0, 4000, 200):
        for row in get(fake, f"/ru/auction/kqgy/history?additional=true&limit=200&offset={offset}")["prices"]:
            keys.update(list(row["additional"]))
    for key in (
        *("upgrade_bonus", "qlt", "ptn", "bonus_properties", "stats_random", "ndmg", "md_k"),
        *("it_transf_count", "spawn_time", "buyer"),
    ):
        assert 0 < keys[key] <= 4000, key
    assert keys["upgrade_bonus"] == 4000
    assert keys["qlt"] < 4000


def test_a_long_history_is_paged_newest_first_with_some_sales_in_one_second(fake: FakeApi) -> None:
    rows = [
        row
        for offset in range(0, 82_400, 5_000)
        for row in get(fake, f"/ru/auction/kqgy/history?limit=200&offset={offset}&additional=true")["prices"]
    ]
    times = [row["time"] for row in rows]
    assert times == sorted(times, reverse=True)
    assert any(a == b for a, b in pairwise(rows))


@given(cut=st.integers(0, 199))
def test_a_page_is_the_same_in_one_piece_or_two(cut: int) -> None:
    fake = FakeApi()
    path = "/ru/auction/kqgy/history?additional=true"
    whole = get(fake, f"{path}&limit=200&offset=1000")["prices"]
    first = get(fake, f"{path}&limit={cut}&offset=1000")["prices"]
    second = get(fake, f"{path}&limit={200 - cut}&offset={1000 + cut}")["prices"]
    assert first + second == whole


def test_the_last_page_is_short_and_the_next_one_empty() -> None:
    fake = FakeApi(sales={"zyv9": 250, "somebody's": 3})
    assert len(get(fake, "/ru/auction/zyv9/history?limit=200&offset=200")["prices"]) == 50
    assert get(fake, "/ru/auction/zyv9/history?offset=250") == {"total": 250, "prices": []}
    assert get(fake, "/ru/auction/somebody's/history")["total"] == 3


def test_sales_are_put_on_top_and_push_the_others_down(fake: FakeApi) -> None:
    path = "/eu/auction/y3nmw/history?limit=10&additional=true"
    before = get(fake, path)
    fake.advance(5)
    fake.sell("y3nmw", 3, region="EU")
    fake.sell("y3nmw", region="eu", amount=2, price=7, additional={"buyer": "ZIV"})
    after = get(fake, path)
    assert after["total"] == before["total"] + 4
    assert after["prices"][4:] == before["prices"][:6]
    assert {row["time"] for row in after["prices"][:4]} == {"2026-08-19T12:00:05Z"}
    assert after["prices"][0]["price"] == 7.0
    assert after["prices"][0] | {"time": ""} == {
        "amount": 2,
        "price": 7,
        "time": "",
        "additional": {"buyer": "ZIV"},
    }
    assert get(fake, "/ru/auction/y3nmw/history?limit=1")["prices"][0]["time"] < "2026-08-19T12:00:05Z"


def test_an_item_bound_to_its_owner_has_empty_listings(fake: FakeApi) -> None:
    assert get(fake, "/ru/auction/qyvk/history") == {"total": 0, "prices": []}
    assert get(fake, "/ru/auction/qyvk/lots") == {"total": 0, "lots": []}


def test_further_items_may_be_made_known_with_a_category() -> None:
    fake = FakeApi(items={"art": "artefact/gravity"})
    rows = get(fake, "/ru/auction/art/history?limit=20&additional=true")["prices"]
    assert any("qlt" in row["additional"] for row in rows)
    assert get(FakeApi(items=["a", "b"]), "/ru/auction/b/history")["total"] > 0


# ── lots ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def all_lots(fake: FakeApi, item: str = "kqgy", query: str = "") -> list[dict[str, Any]]:
    path, lots = f"/ru/auction/{item}/lots?limit=200{query}&offset=", list[dict[str, Any]]()
    while len(lots) < (page := get(fake, f"{path}{len(lots)}"))["total"]:
        lots += page["lots"]
    return lots


def test_lots_come_in_all_their_kinds(fake: FakeApi) -> None:
    lots = [lot for item in ("kqgy", "zyv9") for lot in all_lots(fake, item)]
    assert any(lot["startPrice"] == 0 for lot in lots)
    assert any(lot["buyoutPrice"] == 0 for lot in lots)
    assert not any(lot["startPrice"] == lot["buyoutPrice"] == 0 for lot in lots)
    assert {"currentPrice" in lot for lot in lots} == {True, False}
    assert any(lot["buyoutPrice"] > 2**31 for lot in lots)
    hours = {(when(lot["endTime"]) - when(lot["startTime"])) / timedelta(hours=1) for lot in lots}
    assert hours == {6, 12, 24, 48}


def test_expired_lots_are_shown_for_a_while_unless_switched_off() -> None:
    assert any(when(lot["endTime"]) < START for lot in all_lots(FakeApi()))
    assert all(when(lot["endTime"]) > START for lot in all_lots(FakeApi(stale=0)))


def test_lots_expire_and_appear_as_the_clock_moves(fake: FakeApi) -> None:
    before = all_lots(fake)
    fake.advance(3600)
    after = all_lots(fake)
    new = [lot for lot in after if lot not in before]
    assert new
    assert [lot for lot in before if lot not in after]
    assert all(START < when(lot["startTime"]) <= fake.now for lot in new)
    fake.advance(3 * 86_400)
    assert not [lot for lot in all_lots(fake) if lot in before]


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("time_created", lambda lot: lot["startTime"]),
        ("time_left", lambda lot: lot["endTime"]),
        ("current_price", lambda lot: lot.get("currentPrice", lot["startPrice"])),
        ("buyout_price", lambda lot: lot["buyoutPrice"]),
    ],
)
def test_lots_are_sorted_both_ways(fake: FakeApi, sort: str, key: Any) -> None:
    rising = [key(lot) for lot in all_lots(fake, query=f"&sort={sort}")]
    falling = [key(lot) for lot in all_lots(fake, query=f"&sort={sort}&order=desc")]
    assert rising == sorted(rising)
    assert falling == rising[::-1]


def test_prices_of_lots_are_spelled_as_wished() -> None:
    def spelled(*, floats: bool) -> set[type]:
        return {type(lot["buyoutPrice"]) for lot in all_lots(FakeApi(float_lots=floats))}

    assert spelled(floats=False) == {int}
    assert spelled(floats=True) == {float}


def test_a_lot_is_put_up_taken_away_and_expires() -> None:
    fake = FakeApi(stale=0)
    others = all_lots(fake, "1kv2")
    lot = fake.list_lot("1kv2", duration=60, amount=4, start_price=0, buyout_price=10, additional={"qlt": 5})
    twin = fake.list_lot("1kv2", duration=60, amount=4, start_price=0, buyout_price=10)
    (shown,) = [row for row in all_lots(fake, "1kv2", "&additional=true") if row["additional"] == {"qlt": 5}]
    assert (shown["amount"], shown["startPrice"], shown["buyoutPrice"]) == (4, 0, 10)
    assert when(shown["endTime"]) - when(shown["startTime"]) == timedelta(seconds=60)
    assert lot["startTime"] == twin["startTime"] == "2026-08-19T12:00:00Z"
    fake.remove_lot(shown)
    assert len(all_lots(fake, "1kv2")) == len(others) + 1
    fake.remove_lot(twin)
    with pytest.raises(ValueError, match="there is no such lot"):
        fake.remove_lot(lot)
    fake.list_lot("1kv2", duration=60, amount=4, start_price=0, buyout_price=10)
    fake.remove_lot(others[0])
    assert len(all_lots(fake, "1kv2")) == len(others)
    fake.advance(60)
    assert not [lot for lot in all_lots(fake, "1kv2") if lot["buyoutPrice"] == 10 or lot == others[0]]


def test_lots_of_hundreds_of_items_come_out_the_same_again() -> None:
    items = [f"item{number}" for number in range(300)]
    fake = FakeApi(items=items, limit=10_000)
    first = [get(fake, f"/ru/auction/{item}/lots") for item in items]
    assert [get(fake, f"/ru/auction/{item}/lots") for item in items] == first


# ── people ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_profile_is_found_in_any_case_and_leaves_out_what_is_unknown(fake: FakeApi) -> None:
    profile = get(fake, "/ru/character/by-name/zIv/profile")
    assert profile["username"] == "ZIV"
    assert profile["clan"]["info"]["id"] == HOME
    assert profile["clan"]["member"]["rank"] == "LEADER"
    types = {stat["type"]: type(stat["value"]) for stat in profile["stats"]}
    assert types == {
        "INTEGER": int,
        "DECIMAL": float,
        "DURATION": int,
        "DATE": str,
        "SLIDING_MATCH_HISTORY": list,
    }
    assert all(stat["value"] != 0 for stat in profile["stats"])
    assert "clan" not in get(fake, "/ru/character/by-name/Loner/profile")


def test_optional_fields_of_profiles_are_absent_here_and_there() -> None:
    fake = FakeApi(limit=10_000)
    names = [member["name"] for member in ask(fake, f"/ru/clan/{HOME}/members")[1]]
    profiles = [get(fake, f"/ru/character/by-name/{name}/profile") for name in names * 2]
    profiles += [get(fake, f"/{region}/character/by-name/ZIV/profile") for region in ("eu", "na", "sea", "nea")]
    for field in ("alliance", "lastLogin"):
        assert {field in profile for profile in profiles} == {True, False}
    assert all(None not in profile.values() for profile in profiles)


def test_a_name_is_decoded_after_the_path_is_split(fake: FakeApi) -> None:
    name = "A%2FB%3Fc%23d%20%D1%91"
    assert get(fake, f"/ru/character/by-name/{name}/profile")["username"] == "A/B?c#d ё"
    assert fake.requests[-1].path == "/ru/character/by-name/A/B?c#d ё/profile"
    assert ask(fake, "/ru/character/by-name/A/B/profile")[0] == 404


def test_some_profiles_are_an_empty_200(fake: FakeApi) -> None:
    reply = fake.handle("GET", "/ru/character/by-name/Too_Pivo/profile", bearer(fake.app_token))
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["content-length"] == "0"
    assert reply.headers["x-ratelimit-remaining"] == "398"


def test_further_characters_exist_in_every_region() -> None:
    fake = FakeApi(characters=["Mine"])
    assert get(fake, "/na/character/by-name/MINE/profile")["username"] == "Mine"


def test_clans_are_listed_once_each_and_agree_with_their_members() -> None:
    fake = FakeApi(limit=10_000)
    clans = [clan for offset in (0, 200) for clan in get(fake, f"/sea/clans?limit=200&offset={offset}")["data"]]
    assert len({clan["id"] for clan in clans}) == get(fake, "/sea/clans")["totalClans"] == len(clans)
    assert {"alliance" in clan for clan in clans} == {True, False}
    assert {"Wolves", "Foxes", "Lynxes", "Owls"} < {clan["name"].split()[1] for clan in clans}
    assert get(fake, f"/sea/clan/{clans[9]['id'].upper()}/info") == clans[9]
    assert clans[0]["id"] == HOME
    assert get(fake, f"/sea/clan/{DEMO}/info")["leader"] == "Test-1"
    members = ask(fake, f"/sea/clan/{HOME}/members")[1]
    assert len(members) == clans[0]["memberCount"]
    assert [member["name"] for member in members if member["rank"] == "LEADER"] == [clans[0]["leader"]]


def test_the_user_sees_their_own_characters_friends_and_clan(fake: FakeApi) -> None:
    mine, other = ask(fake, "/ru/characters")[1]
    assert mine["information"]["name"] == "YourCharacterName"
    assert mine["clan"]["info"]["id"] == HOME
    assert "clan" not in other
    friends = ask(fake, "/ru/friends/yourcharactername")[1]
    assert friends
    assert "YourCharacterName" not in friends
    assert ask(fake, f"/ru/clan/{DEMO}/members") == (401, UNAUTHORIZED)


# ── operations ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_operation_sessions_are_paged_sorted_and_filtered() -> None:
    fake = FakeApi(limit=10_000)
    path = "/ru/operations/sessions?limit=100"
    first = get(fake, path)
    rows = [row for offset in (0, 100, 200, 300) for row in get(fake, f"{path}&offset={offset}")["sessions"]]
    assert len(rows) == len({row["id"] for row in rows}) == first["total"]
    assert min(row["id"] for row in rows) > 2**53
    ends = [row["endTime"] for row in rows]
    assert ends == sorted(ends)
    assert get(fake, f"{path}&order=desc")["sessions"] == rows[:-101:-1]
    by_difficulty = get(fake, f"{path}&sort=difficulty&order=desc")["sessions"]
    assert by_difficulty[0]["difficulty"] == max(row["difficulty"] for row in rows)
    assert get(fake, f"{path}&map=shock_therapy")["total"] == sum(row["map"] == "shock_therapy" for row in rows)
    assert get(fake, f"{path}&after={ends[99]}&before={ends[110]}")["sessions"] == rows[100:110]
    name = rows[0]["participants"][0]["username"]
    assert rows[0] in get(fake, f"{path}&username={name.upper()}")["sessions"]
    assert get(fake, f"{path}&username=Nobody")["total"] == 0


def test_operation_sessions_have_absent_ids_and_float32_noise(fake: FakeApi) -> None:
    rows = get(fake, "/ru/operations/sessions?limit=100")["sessions"]
    players = [player for row in rows for player in row["participants"]]
    for field in ("armorItemId", "primaryWeaponItemId", "secondaryWeaponItemId"):
        assert {field in player for player in players} == {True, False}
    assert any(len(str(row["sessionDurationSeconds"])) > len("718.1") for row in rows)


# ── emissions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_emissions_come_about_once_an_hour_and_last_five_minutes() -> None:
    fake = FakeApi(limit=100_000, now=datetime(2026, 1, 1, tzinfo=UTC))
    starts: set[str] = set()
    minutes = 0
    for _ in range(24 * 60):
        state = get(fake, "/ru/emission")
        assert when(state["previousEnd"]) - when(state["previousStart"]) == timedelta(minutes=5)
        assert when(state["previousEnd"]) <= fake.now
        if "currentStart" in state:
            starts.add(state["currentStart"])
            minutes += 1
        fake.advance(60)
    assert 23 <= len(starts) <= 25
    assert minutes == pytest.approx(5 * len(starts), abs=5)


def test_an_emission_is_started_and_ended_by_hand(fake: FakeApi) -> None:
    fake.start_emission(region="eu")
    fake.advance(30)
    fake.start_emission(region="eu")
    assert get(fake, "/eu/emission")["currentStart"] == "2026-08-19T12:00:00Z"
    fake.advance(7200)
    assert get(fake, "/eu/emission")["currentStart"] == "2026-08-19T12:00:00Z"
    fake.end_emission(region="eu")
    fake.end_emission(region="eu")
    ended = {"previousStart": "2026-08-19T12:00:00Z", "previousEnd": "2026-08-19T14:00:30Z"}
    assert get(fake, "/eu/emission") == ended


# ── credentials ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("endpoint", sorted(set(PATHS) - {"regions"}))
def test_who_may_call_what(fake: FakeApi, endpoint: str) -> None:
    path = PATHS[endpoint]
    pair = {"client-id": fake.client_id, "CLIENT-SECRET": fake.client_secret}
    app = 401 if endpoint in USER_ONLY else 200
    assert ask(fake, path, bearer(fake.user_token))[0] == 200
    assert ask(fake, path, bearer(fake.app_token))[0] == app
    assert ask(fake, path, pair)[0] == app
    assert ask(fake, path, {}) == (401, UNAUTHORIZED)
    assert ask(fake, path, pair | {"client-id": "other"}) == (401, UNAUTHORIZED)
    assert ask(fake, path, {"client-id": fake.client_id}) == (401, UNAUTHORIZED)
    corrupted = UNAUTHORIZED | {"details": {"token": "Corrupted or illegal authorization token"}}
    assert ask(fake, path, bearer("nonsense")) == (401, corrupted)


def test_regions_need_no_credentials_and_tell_no_limits(fake: FakeApi) -> None:
    reply = fake.handle("GET", "/regions")
    assert reply.status == 200
    assert {region["id"] for region in json.loads(reply.body)} == {"RU", "EU", "NA", "SEA", "NEA"}
    assert not [name for name in reply.headers if name.startswith("x-ratelimit")]


def test_tokens_may_be_changed_and_added(fake: FakeApi) -> None:
    old, fake.app_token = fake.app_token, "new"
    fake.add_token("another user", kind="user", limit=7)
    assert ask(fake, "/ru/emission", bearer(old))[0] == 401
    assert ask(fake, "/ru/emission", bearer("new"))[0] == 200
    reply = fake.handle("GET", "/ru/characters", bearer("another user"))
    assert reply.headers["x-ratelimit-limit"] == "7"


def test_no_credential_is_kept_or_shown(fake: FakeApi) -> None:
    ask(fake, "/ru/emission", bearer(fake.app_token))
    ask(fake, "/ru/emission", {"client-id": fake.client_id, "client-secret": fake.client_secret})
    shown = repr(fake) + repr(fake.requests)
    for secret in (fake.app_token, fake.user_token, fake.client_id, fake.client_secret):
        assert secret not in shown


# ── limits ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def limits(fake: FakeApi, path: str, token: str | None = None) -> tuple[int, int, int]:
    headers = fake.handle("GET", path, bearer(token or fake.app_token)).headers
    limit, remaining, reset = (int(headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "reset"))
    return limit, remaining, reset


@pytest.mark.parametrize("endpoint", sorted(set(PATHS) - {"regions"}))
def test_every_endpoint_costs_its_points(fake: FakeApi, endpoint: str) -> None:
    assert limits(fake, PATHS[endpoint], fake.user_token)[1] == 50 - COSTS[endpoint]


def test_the_window_is_fixed_and_gives_everything_back_at_once(fake: FakeApi) -> None:
    assert limits(fake, PATHS["lots"]) == (400, 398, 1787140833216)
    fake.advance(33.2)
    assert limits(fake, PATHS["emission"]) == (400, 397, 1787140833216)
    fake.advance(0.1)
    assert limits(fake, PATHS["emission"]) == (400, 399, 1787140893216)


def test_a_window_may_be_short_and_costs_may_differ() -> None:
    fake = FakeApi(limit=9, window=2, costs={"clans": 5})
    assert limits(fake, PATHS["clans"])[:2] == (9, 4)
    fake.advance(2)
    assert limits(fake, PATHS["emission"])[:2] == (9, 8)


def test_too_many_points_are_a_429_that_costs_none(fake: FakeApi) -> None:
    assert fake.spend(399) == 1
    status, body = ask(fake, PATHS["lots"], bearer(fake.app_token))
    assert (status, body) == (429, {"title": "Rate limit exceeded", "status": 429, "details": {}})
    assert limits(fake, PATHS["emission"])[1] == 0
    assert limits(fake, PATHS["emission"])[1] == 0
    assert [seen.status for seen in fake.requests] == [429, 200, 429]
    assert fake.spend(5, token=fake.user_token) == 45


def test_pair_and_token_of_an_application_share_a_budget_and_users_have_their_own(fake: FakeApi) -> None:
    ask(fake, PATHS["emission"], {"client-id": fake.client_id, "client-secret": fake.client_secret})
    fake.add_token("other app")
    assert limits(fake, PATHS["emission"])[1] == 398
    assert limits(fake, PATHS["emission"], fake.user_token)[:2] == (50, 49)
    assert limits(fake, PATHS["emission"], "other app")[:2] == (400, 399)


def test_a_token_without_points_gets_nothing_but_429() -> None:
    fake = FakeApi(limit=0)
    assert ask(fake, PATHS["emission"], bearer(fake.app_token))[0] == 429


def test_the_reset_may_be_off_by_a_millisecond() -> None:
    fake = FakeApi(reset_jitter=True)
    resets = {limits(fake, PATHS["emission"])[2] - 1787140833216 for _ in range(60)}
    assert resets == {-1, 0, 1}


def test_some_emission_headers_may_come_from_a_cache() -> None:
    fake = FakeApi(stale_headers=0.5)
    fake.spend(100)
    seen = {limits(fake, PATHS["emission"])[1:] for _ in range(40)}
    # The same reset with more points left, or the headers of an older window.
    assert {(399, 1787140833216), (399, 1787140833216 - 60_000)} < seen
    assert {reset for _, reset in seen} == {1787140833216, 1787140833216 - 60_000}
    assert {limits(fake, PATHS["lots"])[2] for _ in range(20)} == {1787140833216}


def test_a_bad_request_costs_more_than_a_good_one(fake: FakeApi) -> None:
    bad = "/ru/auction/nope/lots"
    assert limits(fake, bad)[1] == 400 - COSTS["bad_request"] == 396
    assert limits(fake, PATHS["lots"])[1] == 396 - COSTS["lots"]
    cheap = FakeApi(limit=3, costs={"bad_request": 0})
    assert limits(cheap, bad)[1] == 1
    poor = FakeApi(limit=3)
    assert limits(poor, bad)[1] == 0


# ── the rest ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_date_is_that_of_the_fakes_clock(fake: FakeApi) -> None:
    fake.advance(60)
    assert fake.handle("GET", "/regions").headers["date"] == "Wed, 19 Aug 2026 12:01:00 GMT"


def test_a_clock_that_runs_by_itself_may_be_moved_too() -> None:
    time = START.timestamp()
    fake = FakeApi(clock=lambda: time)
    time += 5
    fake.advance(5)
    assert fake.now == START + timedelta(seconds=10)


def test_threads_spend_every_point_exactly_once(fake: FakeApi) -> None:
    def work() -> None:
        for _ in range(50):
            ask(fake, PATHS["emission"], bearer(fake.app_token))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(seen.status for seen in fake.requests) == {200: 400, 429: 400}


@pytest.mark.parametrize(
    "arguments",
    [
        {"limit": -1},
        {"window": 0},
        {"window": float("nan")},
        {"stale": float("inf")},
        {"stale_headers": 1.5},
        {"costs": {"lot": 1}},
        {"costs": {"lots": -1}},
        {"sales": {"kqgy": -1}},
        {"now": datetime(2026, 1, 1)},  # noqa: DTZ001  # naive is the point
    ],
)
def test_wrong_settings_are_refused_by_name(arguments: dict[str, Any]) -> None:
    (name,) = arguments
    with pytest.raises(ValueError, match=name):
        FakeApi(**arguments)


@pytest.mark.parametrize("name", ["items", "characters"])
def test_one_string_is_not_taken_for_its_letters(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        FakeApi(**{name: "ZIV"})  # type: ignore[arg-type]  # the wrong type is the point


def test_wrong_commands_are_refused_by_name(fake: FakeApi) -> None:
    with pytest.raises(ValueError, match="seconds must be 0 or more and finite, not -1"):
        fake.advance(-1)
    with pytest.raises(ValueError, match="n must be 1 or more"):
        fake.sell("kqgy", 0)
    with pytest.raises(ValueError, match="region must be one of RU, EU, NA, SEA, NEA, not 'mars'"):
        fake.sell("kqgy", region="mars")
    with pytest.raises(ValueError, match="item_id 'nope' is unknown"):
        fake.list_lot("nope")
    with pytest.raises(ValueError, match="token is unknown"):
        fake.spend(1, token="nobody's")
    with pytest.raises(ValueError, match="points"):
        fake.spend(-1)


# ── late sales, and orders ────────────────────────────────────────────────────────────────────────────────────────────


def history(fake: FakeApi, item: str, offset: int = 0, limit: int = 200) -> list[dict[str, Any]]:
    target = f"/ru/auction/{item}/history?limit={limit}&offset={offset}&additional=true"
    reply = fake.handle("GET", target, {"authorization": f"Bearer {fake.app_token}"}.items())
    return list(json.loads(reply.body)["prices"])


def test_a_late_sale_is_below_those_that_are_newer() -> None:
    fake = FakeApi(sales={"zyv9": 300}, limit=10**6)
    before = history(fake, "zyv9") + history(fake, "zyv9", 200)
    for place in (0, 1, 57, 199, 250, 299):
        fake.sell("zyv9", 2, price=place, time=before[place]["time"])
    fake.sell("zyv9", price=-1, time=datetime(2000, 1, 1, tzinfo=UTC))
    fake.sell("zyv9", price=-2)
    after = history(fake, "zyv9") + history(fake, "zyv9", 200)
    assert len(after) == 300 + 12 + 2
    assert [row["time"] for row in after] == sorted((row["time"] for row in after), reverse=True)
    assert (after[0]["price"], after[-1]["price"]) == (-2, -1)
    # Nothing that was there before has changed.
    added = {-2.0, -1.0, 0.0, 1.0, 57.0, 199.0, 250.0, 299.0}
    assert [row for row in after if row["price"] not in added] == before
    # Page by page it is the same history.
    assert [row for offset in range(0, 314, 9) for row in history(fake, "zyv9", offset, 9)] == after


@pytest.mark.parametrize("time", ["tomorrow", datetime(2100, 1, 1, tzinfo=UTC), 5])
def test_no_sale_is_made_at_a_time_that_is_still_to_come(time: Any) -> None:
    with pytest.raises(ValueError, match="time must be"):
        FakeApi().sell("zyv9", time=time)


def test_rows_come_in_another_order_where_they_are_told_to() -> None:
    for reorder in (False, True):
        fake = FakeApi(reorder=reorder)
        fake.sell("zyv9", additional={"bonus_properties": ["a", "b", "c"], "qlt": 1})
        first, second = (history(fake, "zyv9", limit=1)[0] for _ in range(2))
        assert (list(first) != list(second)) is reorder
        assert (list(first["additional"]) != list(second["additional"])) is reorder
        assert (first != second) is reorder  # the lists
        assert sorted(first["additional"]["bonus_properties"]) == ["a", "b", "c"]
        assert first | {"additional": 0} == second | {"additional": 0}
