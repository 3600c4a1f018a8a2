"""Errors say what to do about them."""

from __future__ import annotations

import copy
import math
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from scapi import exceptions
from scapi._async import AppClient, UserClient

if TYPE_CHECKING:
    from scapi.testing import FakeApi


async def test_who_asks_by_a_name_is_told_how_to_get_the_id(app: AppClient) -> None:
    for ask in (app.auction("AK-105").lots, app.auction("AK-105").price_history):
        with pytest.raises(exceptions.BadRequestError) as caught:
            await ask()
        assert caught.value.message == "Invalid item id: item: AK-105"
        assert 'give the id of an item, not its name; DatabaseLookup().id("AK-105") or' in str(caught.value)


async def test_a_missing_character_or_clan_is_said_to_be_missing(app: AppClient, user: UserClient) -> None:
    with pytest.raises(exceptions.NotFoundError, match="there is no character with this name in this region"):
        await app.profile("Nobody Of That Name")
    with pytest.raises(exceptions.NotFoundError, match="there is no clan with this id in this region"):
        await app.clan("00000000-0000-0000-0000-000000000000").info()
    with pytest.raises(exceptions.NotFoundError, match="there is no character with this name in this region"):
        await user.friends("Nobody Of That Name")


async def test_another_error_has_no_hint(app: AppClient, fake: FakeApi) -> None:
    fake.fail("*", status=400, times=1)
    with pytest.raises(exceptions.BadRequestError) as caught:
        await app.emission()
    assert caught.value.hint == ""


def test_what_belongs_to_a_user_is_said_to_be_found_at_the_client_for_users(app: AppClient) -> None:
    for name in ("friends", "characters"):
        with pytest.raises(AttributeError, match=rf"'AppClient' object has no attribute '{name}': only a UserClient"):
            getattr(app, name)
    with pytest.raises(AttributeError, match=r"'ClanEndpoint' .*'members': only that of a UserClient has it"):
        getattr(app.clan("c"), "members")  # noqa: B009  # type checkers know that it isn't there
    with pytest.raises(AttributeError, match=r"^'AppClient' object has no attribute 'lots'$"):
        getattr(app, "lots")  # noqa: B009  # type checkers know that it isn't there
    assert not hasattr(app, "__deepcopy__")


async def test_a_refusal_says_the_seconds_and_a_status_only_where_the_server_gave_one(
    reach: dict[str, Any], fake: FakeApi
) -> None:
    client = AppClient(token=fake.app_token, retry=None, queue_timeout=1, **reach)
    await client.emission()
    fake.fail("*", status=429, times=1)
    with pytest.raises(exceptions.RateLimitError) as refused:
        await client.emission()
    assert refused.value.sent
    assert str(refused.value).startswith("429 ")
    with pytest.raises(exceptions.RateLimitError) as kept:
        await client.emission()
    assert not kept.value.sent
    assert "429" not in str(kept.value).partition(" (GET ")[0]
    for error in (refused.value, kept.value):
        assert f"; possible again in {error.retry_after:.1f} s (GET " in str(error)
        for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # our own pickle
            assert (str(twin), twin.sent) == (str(error), error.sent)
    await client.close()


def test_a_limit_of_zero_has_no_seconds() -> None:
    never: Any = exceptions.RateLimitError("the limit of these credentials is 0", retry_after=math.inf, sent=False)
    assert str(never) == "the limit of these credentials is 0 (GET )"
