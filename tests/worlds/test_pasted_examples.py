"""The examples that people paste run as they stand, in both worlds, against the fake."""

from __future__ import annotations

import asyncio
import contextlib
import io
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from scapi.testing import FakeApi

EXAMPLES = """
from scapi import AppClient, UserClient, Region, Config, exceptions, SortAuction, Order, OperationsMap

client = AppClient(client_id=os.getenv("CLIENT_ID"), client_secret=os.getenv("CLIENT_SECRET"))
client = AppClient(token=os.getenv("APP_TOKEN"))
client = AppClient(token=os.getenv("APP_TOKEN"), region=Region.EU, json=True)
-
client = AppClient(client_id=os.getenv("CLIENT_ID"), client_secret=os.getenv("CLIENT_SECRET"))

regions = await client.regions()
for region in regions: print(f"{region.id}: {region.name}")
emission = await client.emission()
print(emission.current_start, emission.previous_start, emission.previous_end)
profile = await client.profile("ZIV")
print(profile.alliance, profile.clan.info.name if profile.clan else "No clan")

emission = await client.emission(region=Region.SEA)
Config.REGION = Region.NA

lots = await client.auction("zyv9").lots(limit=3)
cheapest = await client.auction("zyv9").lots(limit=3, sort=SortAuction.BUYOUT_PRICE, order=Order.ASCENDING)
history = await client.auction("zyv9").price_history(limit=3)

clan = await client.clan("a552092f-e7c9-4cc3-a256-1e3f525770bf").info()
print(clan.name, clan.level, clan.member_count, clan.registration_time)

sessions = await client.operations_sessions(limit=3)
for session in sessions: print(session.map, session.duration_seconds // 60)
sessions = await client.operations_sessions(map=OperationsMap.SHOCK_THERAPY, after="2025-12-01T00:00:00Z", limit=3)
users = [user.username for session in sessions for user in session.participants]
-
client = UserClient(token=os.getenv("USER_TOKEN"))
characters = await client.characters()
print([char.info.name for char in characters])
friends = await client.friends("YourCharacterName")
members = await client.clan("a552092f-e7c9-4cc3-a256-1e3f525770bf").members()
for member in members: print(member.name, member.rank)

try: clans = await client.clans()
except exceptions.RateLimitError: print(client.ratelimit)
except exceptions.UnauthorizedError: print("Invalid or expired token.")
"""

IMPORT, CONSTRUCTORS, APP, USER = (
    EXAMPLES.partition("\n\n")[0].strip(),
    *EXAMPLES.partition("\n\n")[2].split("\n-\n"),
)


def in_the_world(text: str, world: str) -> str:
    """The example, by one import line and its `await`s."""
    if world == "scapi.sync":
        text = text.replace("from scapi import", "from scapi.sync import").replace("await ", "")
    return text


def run(example: str, world: str) -> tuple[dict[str, Any], list[str]]:
    """The names that the example leaves behind, and the lines that it prints."""
    body = textwrap.indent(f"{example}\nreturn locals()", "    ")
    source = f"import os\n{IMPORT}\nasync def main():\n{body}\n"
    if world == "scapi.sync":
        source = source.replace("async def", "def")
    space: dict[str, Any] = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(in_the_world(source, world), "example", "exec"), space)  # noqa: S102  # our own text
        names = asyncio.run(_closed(space["main"])) if world == "scapi" else space["main"]()
    if world == "scapi.sync":
        names["client"].close()
    return names, printed.getvalue().splitlines()


async def _closed(main: Any) -> dict[str, Any]:
    names: dict[str, Any] = await main()
    await names["client"].close()
    return names


@pytest.fixture(autouse=True)
def _environment(fake: FakeApi, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCAPI_BASE_URL", url)
    monkeypatch.setenv("CLIENT_ID", fake.client_id)
    monkeypatch.setenv("CLIENT_SECRET", fake.client_secret)
    monkeypatch.setenv("APP_TOKEN", fake.app_token)
    monkeypatch.setenv("USER_TOKEN", fake.user_token)


each_world = pytest.mark.parametrize("world", ["scapi", "scapi.sync"])


@each_world
def test_the_constructors(world: str, fake: FakeApi) -> None:
    names, printed = run(CONSTRUCTORS, world)
    assert (type(names["client"]).__name__, printed) == ("AppClient", [])
    assert type(names["client"]).__module__ == world


@each_world
def test_what_an_application_does(world: str, fake: FakeApi) -> None:
    names, printed = run(APP, world)
    assert printed[:3] == ["RU: RUSSIA", "EU: EUROPE", "NA: NORTH AMERICA"]
    assert len(printed) == 5 + 1 + 1 + 1 + 3
    assert [len(names[name]) for name in ("lots", "cheapest", "history", "sessions")] == [3, 3, 3, 3]
    assert names["cheapest"][0].buyout_price <= names["lots"][0].buyout_price
    assert {session.map for session in names["sessions"]} == {"shock_therapy"}
    assert names["users"]
    assert [seen.path.split("/")[1] for seen in fake.requests] == ["regions", "ru", "ru", "sea", *["na"] * 6]


@each_world
def test_what_a_user_does(world: str, fake: FakeApi) -> None:
    names, printed = run(USER, world)
    assert printed[0] == "['YourCharacterName', 'YourSecondCharacter']"
    assert "ZIV LEADER" in printed
    assert len(names["clans"]) == 20


@each_world
def test_what_a_user_sees_when_it_goes_wrong(world: str, fake: FakeApi) -> None:
    fake.fail("*/clans", status=401)
    assert run(USER, world)[1][-1] == "Invalid or expired token."
