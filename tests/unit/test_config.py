"""The defaults of all clients: checked when they are set, read when they are used."""

from __future__ import annotations

from typing import Any

import pytest

from scapi import BaseUrl, Config, Language, Order, Realm, Region, SortAuction, SortOperations
from scapi.sync import GitHubClient, OAuthClient

APPLICATION = {"client_id": "id", "client_secret": "secret"}

STARTS: dict[str, Any] = {
    "BASE_URL": "https://eapi.stalzone.com",
    "REGION": Region.RU,
    "REALM": Realm.RU,
    "LANGUAGE": Language.EN,
    "LIMIT": 20,
    "OFFSET": 0,
    "ADDITIONAL": False,
    "SORT_AUCTION": SortAuction.TIME_CREATED,
    "ORDER_AUCTION": Order.ASCENDING,
    "SORT_OPERATIONS": SortOperations.DATE_FINISH,
    "ORDER_OPERATIONS": Order.DESCENDING,
    "MAX_BODY": 64 * 1024 * 1024,
}

SETTABLE = [
    ("BASE_URL", "https://h.test:8443/x/", "https://h.test:8443/x"),
    ("BASE_URL", BaseUrl.DEMO, "https://dapi.stalzone.com"),
    ("BASE_URL", "http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ("REGION", "Sea", Region.SEA),
    ("REALM", "GLOBAL", Realm.GLOBAL),
    ("LANGUAGE", "ko", Language.KO),
    ("LIMIT", 200, 200),
    ("OFFSET", 10**9, 10**9),
    ("ADDITIONAL", True, True),
    ("SORT_AUCTION", "buyout_price", SortAuction.BUYOUT_PRICE),
    ("ORDER_AUCTION", "descending", Order.DESCENDING),
    ("SORT_OPERATIONS", "difficulty", SortOperations.DIFFICULTY),
    ("ORDER_OPERATIONS", Order.ASCENDING, Order.ASCENDING),
    ("MAX_BODY", 1, 1),
]

WRONG = [
    ("BASE_URL", "h.test", "an https URL"),
    ("BASE_URL", None, "an https URL"),
    ("BASE_URL", " https://h.test", "an https URL"),
    ("BASE_URL", "https://[::1", "an https URL"),
    ("REGION", "mars", "one of ru, eu, na, sea, nea"),
    ("REALM", "eu", "one of ru, global"),
    ("LANGUAGE", "de", "one of ru, en, es, fr, ko"),
    ("LIMIT", 201, "an integer from 0 to 200"),
    ("LIMIT", True, "an integer from 0 to 200"),
    ("OFFSET", -1, "an integer >= 0"),
    ("ADDITIONAL", "false", "True or False"),
    ("SORT_AUCTION", "price", "one of time_created"),
    ("ORDER_AUCTION", "up", "one of asc, desc"),
    ("SORT_OPERATIONS", "time_left", "one of date_finish, difficulty"),
    ("ORDER_OPERATIONS", 1, "one of asc, desc"),
    ("MAX_BODY", 0, "an integer >= 1"),
]


def test_where_it_starts() -> None:
    assert {name: getattr(Config, name) for name in STARTS} == STARTS


@pytest.mark.parametrize(("name", "value", "kept"), SETTABLE)
def test_what_is_set_is_kept_until_it_is_deleted(name: str, value: Any, kept: Any) -> None:
    setattr(Config, name, value)
    assert getattr(Config, name) == kept
    assert type(getattr(Config, name)) is type(kept)
    delattr(Config, name)
    delattr(Config, name)
    assert getattr(Config, name) == STARTS[name]


@pytest.mark.parametrize(("name", "value", "allowed"), WRONG)
def test_what_is_wrong_is_refused_when_it_is_set(name: str, value: Any, allowed: str) -> None:
    with pytest.raises(ValueError, match=rf"Config\.{name} must be {allowed}"):
        setattr(Config, name, value)
    assert getattr(Config, name) == STARTS[name]


def test_a_name_that_config_does_not_have_is_refused() -> None:
    with pytest.raises(AttributeError, match="Config has no 'REGOIN'; it has BASE_URL, REGION"):
        Config.REGOIN = "eu"  # type: ignore[attr-defined]  # that is what is tested


def test_the_host_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCAPI_BASE_URL", "http://localhost:8000/")
    assert Config.BASE_URL == "http://localhost:8000"
    Config.BASE_URL = BaseUrl.STALCRAFT
    assert Config.BASE_URL == BaseUrl.STALCRAFT
    del Config.BASE_URL
    assert Config.BASE_URL == "http://localhost:8000"
    monkeypatch.setenv("SCAPI_BASE_URL", "nonsense")
    with pytest.raises(ValueError, match="SCAPI_BASE_URL must be an https URL"):
        _ = Config.BASE_URL


def test_the_servers_of_logins_and_of_the_item_database_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert OAuthClient(**APPLICATION).get_authorize_url().startswith("https://exbo.net/oauth/")
    monkeypatch.setenv("SCAPI_OAUTH_URL", "http://localhost:8000/oauth/")
    monkeypatch.setenv("SCAPI_GITHUB_URL", "http://localhost:8000")
    assert OAuthClient(**APPLICATION).get_authorize_url().startswith("http://localhost:8000/oauth/authorize")
    elsewhere = OAuthClient(**APPLICATION, base_url="https://h.test")
    assert elsewhere.get_authorize_url().startswith("https://h.test/authorize")
    assert GitHubClient().file_url("a").startswith("http://localhost:8000/")
    assert GitHubClient(raw_url="https://h.test").file_url("a").startswith("https://h.test/")
    monkeypatch.setenv("SCAPI_GITHUB_URL", "nonsense")
    with pytest.raises(ValueError, match="SCAPI_GITHUB_URL must be an https URL"):
        GitHubClient()


def test_plain_http_to_another_machine_warns() -> None:
    with pytest.warns(UserWarning, match=r"plain http: credentials will travel unencrypted to h\.test"):
        Config.BASE_URL = "http://h.test"


def test_a_host_with_a_password_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError, match="without user") as caught:
        Config.BASE_URL = "https://me:hunter2@h.test"
    assert "hunter2" not in str(caught.value)


def test_repr_shows_all_settings() -> None:
    Config.REGION = "eu"
    assert repr(Config).startswith(
        "Config(BASE_URL=https://eapi.stalzone.com, REGION=eu, REALM=ru, LANGUAGE=en, LIMIT=20"
    )


def test_every_host_is_https() -> None:
    assert {url.value.partition("://")[0] for url in BaseUrl} == {"https"}
