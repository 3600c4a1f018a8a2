"""Wrong arguments are refused by name, with the value and with what is allowed, and nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scapi import Config
from scapi._async import UserClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scapi.testing import FakeApi


@pytest.fixture
async def client(fake: FakeApi) -> AsyncIterator[UserClient]:
    async with httpx.AsyncClient(transport=fake.transport()) as http_client:
        yield UserClient(token=fake.user_token, http_client=http_client)


ENDPOINTS: dict[str, Any] = {
    "emission": lambda client: client.emission,
    "profile": lambda client: client.profile,
    "clans": lambda client: client.clans,
    "sessions": lambda client: client.operations_sessions,
    "lots": lambda client: client.auction("zyv9").lots,
    "history": lambda client: client.auction("zyv9").price_history,
    "info": lambda client: client.clan("c").info,
    "members": lambda client: client.clan("c").members,
    "characters": lambda client: client.characters,
    "friends": lambda client: client.friends,
}

REGIONS = "one of ru, eu, na, sea, nea"
TIME = "a datetime or an ISO 8601 string such as '2025-12-01T00:00:00Z'"
TO_200, TO_100 = "an integer from 0 to 200", "an integer from 0 to 100"
FROM_0, TEXT, ORDERS = "an integer >= 0", "a non-empty string", "one of asc, desc"
SORTS = "one of time_created, time_left, current_price, buyout_price"

WRONG = [
    *[(name, "region", "xx", REGIONS) for name in ENDPOINTS if name not in {"profile", "friends"}],
    ("emission", "region", "", REGIONS),
    ("emission", "region", 5, REGIONS),
    *[(name, "limit", value, TO_200) for name in ("clans", "lots", "history") for value in (-1, 201, 5.0, "5", True)],
    *[("sessions", "limit", value, TO_100) for value in (-1, 101, 2.5, "x")],
    *[(name, "offset", -1, FROM_0) for name in ("clans", "lots", "history", "sessions")],
    ("lots", "offset", 1.5, FROM_0),
    ("lots", "sort", "price", SORTS),
    ("lots", "sort", "date_finish", SORTS),
    ("lots", "order", "up", ORDERS),
    ("lots", "additional", "false", "True or False"),
    ("history", "additional", 1, "True or False"),
    ("sessions", "sort", "time_left", "one of date_finish, difficulty"),
    ("sessions", "order", "", ORDERS),
    ("sessions", "map", "", TEXT),
    ("sessions", "map", 3, TEXT),
    ("sessions", "username", "  ", TEXT),
    ("sessions", "before", "yesterday", TIME),
    ("sessions", "before", 1764547200, TIME),
    ("sessions", "after", "2025-13-01", TIME),
    ("sessions", "after", "0001-01-01T00:00+14:00", TIME),
    *[("profile", "username", value, TEXT) for value in ("", " \t", None, 7)],
    *[("profile", "username", value, "a name, not a relative path") for value in (".", "..")],
    ("profile", "username", "\ud800", "text that can be written as UTF-8"),
    ("friends", "character", "", TEXT),
    ("friends", "character", "..", "a name, not a relative path"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong[0]}-{wrong[1]}-{wrong[2]!a}")
async def test_a_wrong_argument_is_refused(client: UserClient, fake: FakeApi, wrong: tuple[str, str, Any, str]) -> None:
    endpoint, name, value, allowed = wrong
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the whole message is compared
        await ENDPOINTS[endpoint](client)(**{name: value})
    assert str(caught.value) == f"{name} must be {allowed}, not {value!r}"
    assert fake.requests == []


@pytest.mark.parametrize(
    ("make", "name", "value"), [("auction", "item_id", ""), ("auction", "item_id", ".."), ("clan", "clan_id", None)]
)
async def test_a_wrong_id_is_refused_before_there_is_an_endpoint(
    client: UserClient, make: str, name: str, value: Any
) -> None:
    with pytest.raises(ValueError, match=f"{name} must be .*, not {value!r}"):
        getattr(client, make)(value)


@pytest.mark.parametrize("make", ["auction", "clan"])
async def test_a_wrong_region_is_refused_before_there_is_an_endpoint(client: UserClient, make: str) -> None:
    with pytest.raises(ValueError, match=f"region must be {REGIONS}, not 'xx'"):
        getattr(client, make)("zyv9", region="xx")


async def test_a_limit_of_config_that_is_too_high_for_an_endpoint_is_named(client: UserClient, fake: FakeApi) -> None:
    Config.LIMIT = 200
    with pytest.raises(ValueError, match=r"Config\.LIMIT must be an integer from 0 to 100, not 200"):
        await client.operations_sessions()
    assert fake.requests == []


async def test_the_ends_of_the_ranges_are_inside(client: UserClient, fake: FakeApi) -> None:
    for limit in (0, 200):
        await client.clans(limit=limit)
        await client.auction("zyv9").lots(limit=limit)
        await client.auction("zyv9").price_history(limit=limit)
    for limit in (0, 100):
        await client.operations_sessions(limit=limit)
    assert len(fake.requests) == 8


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("region", "mars", REGIONS),
        ("json", 1, "True or False"),
        ("timeout", 0, "a number of seconds above 0"),
        ("timeout", -1, "a number of seconds, 0 or more"),
        ("timeout", float("inf"), "a number of seconds, 0 or more"),
        ("timeout", float("nan"), "a number of seconds, 0 or more"),
        ("timeout", "3", "a number of seconds, 0 or more"),
        ("queue_timeout", -0.1, "a number of seconds, 0 or more"),
        ("pace", "fast", "True, False or 'even'"),
        ("pace", 1, "True, False or 'even'"),
        ("priority", "urgent", "'high', 'normal' or 'low'"),
        ("priority", 1, "'high', 'normal' or 'low'"),
        ("reserve", -0.1, "a number from 0 to 1"),
        ("reserve", 1.1, "a number from 0 to 1"),
        ("reserve", float("nan"), "a number from 0 to 1"),
        ("reserve", "0.1", "a number from 0 to 1"),
    ],
)
def test_a_wrong_option_is_refused(name: str, value: Any, allowed: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the whole message is compared
        UserClient(token="t", **{name: value})
    assert str(caught.value) == f"{name} must be {allowed}, not {value!r}"


@pytest.mark.parametrize(
    "value",
    ["eapi.stalzone.com", "ftp://host", "https://", "https://u:p@host", "https://host?x=1", "https://host:x", 7],
)
def test_a_wrong_base_url_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"base_url must be an https URL such as 'https://eapi\.stalzone\.com'"):
        UserClient(token="t", base_url=value)


@pytest.mark.parametrize("value", ["3", 2.5, True])
def test_a_wrong_retry_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=f"retry must be a Retry, a number of attempts or None, not {value!r}"):
        UserClient(token="t", retry=value)


def test_a_retry_of_no_attempts_is_refused() -> None:
    with pytest.raises(ValueError, match="retry must be 1 attempt or more, or None to try once, not 0"):
        UserClient(token="t", retry=0)
