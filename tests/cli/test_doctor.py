from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from scapi import models
from scapi.cli.app import run
from scapi.cli.doctor import command, endpoint_calls, strict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scapi.testing import FakeApi

Report = list[dict[str, Any]]

LOT = {
    "itemId": "zyv9",
    "amount": 1,
    "startPrice": 100,
    "buyoutPrice": 0,
    "startTime": "2026-08-05T00:10:04Z",
    "endTime": "2026-08-05T00:10:04Z",
}
PROFILE = {"username": "Somebody", "uuid": "1", "alliance": "duty"}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"additional": {"anything": [1]}}, []),
        ({"currentPrice": None}, ["currentPrice is null, not absent"]),
        ({"buyoutPrice": 109000.0}, ["buyoutPrice is a float, not an integer"]),
        ({"amount": "1"}, ["amount is text, not an integer"]),
        ({"sellerRating": 5}, ["sellerRating is unknown; it is an integer"]),
        ({"Some Player": 5}, ["(a name that isn't shown) is unknown; it is an integer"]),
        ({"endTime": "2026-08-05T00:10:04.123Z"}, ["endTime is spelled like 0000-00-00T00:00:00.000Z"]),
        ({"endTime": "tomorrow"}, ["endTime is not a time"]),
        ({"endTime": 5}, ["endTime is an integer, not a time"]),
    ],
)
def test_a_row_is_compared_to_the_letter(change: dict[str, Any], found: list[str]) -> None:
    assert list(strict.odd(LOT | change, models.AuctionLot)) == found


def test_a_missing_field_is_told() -> None:
    assert list(strict.odd({key: LOT[key] for key in LOT if key != "amount"}, models.AuctionLot)) == [
        "amount is missing"
    ]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"alliance": "stalker"}, ["alliance has the unknown value stalker"]),
        ({"clan": []}, ["clan is an array, not an object"]),
        ({"displayedAchievements": [1]}, ["displayedAchievements[] is an integer, not text"]),
        ({"displayedAchievements": {}}, ["displayedAchievements is an object, not an array"]),
        ({"stats": [{"id": "kil", "type": "COMPLEX", "value": {}}]}, ["stats[].type has the unknown value COMPLEX"]),
    ],
)
def test_what_is_nested_is_compared_too(change: dict[str, Any], found: list[str]) -> None:
    assert list(strict.odd(PROFILE | change, models.CharacterProfile)) == found


def test_a_value_that_a_client_has_met_before_is_still_unknown() -> None:
    from scapi import Alliance

    Alliance("ecologists")  # grows a member
    assert strict.odd(PROFILE | {"alliance": "ecologists"}, models.CharacterProfile)


@pytest.fixture
def examine(
    fake: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Report]:
    """Run the doctor on the fake as if it were the API, with a user's token."""
    monkeypatch.setattr(
        endpoint_calls, "hosts", lambda: [("https://old.example", "no answer"), ("https://new.example", "answers")]
    )
    monkeypatch.setenv("SCAPI_TOKEN", fake.user_token)

    def report(*arguments: str) -> Report:
        assert run(["doctor", "--json", *arguments]) == 0
        lines: Report = json.loads(capsys.readouterr().out)
        return lines

    return report


def texts(report: Report, subject: str) -> list[str]:
    return [line["text"] for line in report if line["subject"] == subject]


def test_every_endpoint_is_called(fake: FakeApi, examine: Callable[..., Report]) -> None:
    report = examine()
    unexpected = {line["subject"] for line in report if line["mark"] in {"new", "failed"}}
    assert unexpected == {"https://old.example", "clock"}
    endpoints = {
        "regions",
        "emission",
        "lots",
        "history",
        "clans",
        "operations",
        "clan",
        "profile",
        "characters",
        "friends",
    }
    assert endpoints | {"members", "bad item", "bad character"} <= {line["subject"] for line in report}
    assert all(seen.status in {200, 400, 404} for seen in fake.requests)


def test_every_question_that_an_answer_can_settle_is_settled(examine: Callable[..., Report]) -> None:
    assert {line["settles"] for line in examine()} == {None, *range(1, 15)}


def test_costs_are_learned(examine: Callable[..., Report]) -> None:
    report = examine()
    assert "cost 2, if nobody else used the key in the meantime" in texts(report, "lots")
    assert "cost 1, if nobody else used the key in the meantime" in texts(report, "clan")


def test_a_report_names_nobody_and_holds_no_secret(fake: FakeApi, examine: Callable[..., Report]) -> None:
    fake.fail("*/clan/*/info", status=403, body='{"title": "Silent-Wolf200 is private", "status": 403}')
    shown = json.dumps(examine())
    from scapi.testing._catalogue import CLANLESS, HOME_CLAN, USER_CHARACTERS

    for secret in (fake.user_token, "ZIV", HOME_CLAN, "Silent", "Cold Hounds", *CLANLESS[1:], *USER_CHARACTERS):
        assert secret not in shown
    assert "403, ForbiddenError: an object of status (an integer), title (text)" in shown


def test_what_is_new_is_told(fake: FakeApi, examine: Callable[..., Report]) -> None:
    sale = {"amount": 1, "price": 5, "time": "2026-08-05T00:10:04Z", "mood": "good"}
    fake.fail("*/history", body=json.dumps({"total": 3, "prices": [sale, {"amount": 1}, sale]}), status=200)
    fake.fail("*/emission", "html")
    fake.fail("*/nobody*", status=200, body="{}")
    report = examine()
    history = texts(report, "history")
    assert "mood is unknown; it is text, in 2 of 3 rows" in history
    assert any(text.startswith("row 1 rejected: ") for text in history)
    assert any(
        text.startswith("502, ServerError: ") and text.endswith("that are not JSON")
        for text in texts(report, "emission")
    )


def test_a_call_that_should_be_refused_and_is_not(fake: FakeApi, examine: Callable[..., Report]) -> None:
    fake.fail("*scapi-doctor-404/lots", body='{"total": 0, "lots": []}')
    assert texts(examine(), "bad item") == ["200 and a result, not 400"]


def test_a_wrong_clock_is_told(fake: FakeApi, examine: Callable[..., Report]) -> None:
    report = examine()
    (clock,) = [line for line in report if line["subject"] == "clock"]
    # The fake stands still in August 2026, so its clock is off by months.
    assert clock["mark"] == "new"


def test_an_application_is_asked_for_nothing_of_a_user(
    fake: FakeApi, examine: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SCAPI_TOKEN")
    monkeypatch.setenv("SCAPI_CLIENT_ID", fake.client_id)
    monkeypatch.setenv("SCAPI_CLIENT_SECRET", fake.client_secret)
    examine()
    assert not [seen for seen in fake.requests if "characters" in seen.path]


def test_without_any_answer_there_is_a_report_all_the_same(
    examine: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCAPI_BASE_URL", "http://127.0.0.1:9")
    assert texts(examine(), "lots") == ["no response: TransportError"]


def test_saved_answers_need_no_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lots_eu.json").write_text(json.dumps({"total": 1, "lots": [LOT | {"buyoutPrice": 5.0}]}))
    (tmp_path / "members.json").write_text('[{"name": "X Y", "rank": "SOLIDER", "joinTime": "2026-08-05T00:10:04Z"}]')
    (tmp_path / "clan.json").write_text("<html>")
    (tmp_path / "notes.json").write_text("{}")
    assert run(["doctor", "--from", str(tmp_path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert "buyoutPrice is a float, not an integer, in 1 of 1 rows" in texts(report, "lots")
    assert texts(report, "ranks") == ["are SOLIDER ×1"]
    assert texts(report, "clan") == ["200, DecodeError: 6 bytes that are not JSON"]
    assert "notes" not in json.dumps(report)


def test_the_fake_is_examined_without_a_key_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--fake"]) == 0
    shown, said = capsys.readouterr()
    assert "Settles" in shown
    assert said == "0 unexpected, 0 failed\n"
    assert set(command.STYLES) == {"ok", "new", "failed", "info"}


HOSTS = ("PRODUCTION", "DEMO", "STALCRAFT", "STALCRAFT_DEMO")


@pytest.mark.parametrize("status", [200, 503])
def test_a_host_answers_or_not(fake: FakeApi, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    from scapi import Config

    if status != 200:
        fake.fail("*", status=status)
    with monkeypatch.context() as changed:
        changed.setattr(endpoint_calls, "BaseUrl", type("Hosts", (), dict.fromkeys(HOSTS, Config.BASE_URL)))
        answers = list(endpoint_calls.hosts())
    assert len(answers) == 4
    assert all(text == "answers, with 5 regions" if status == 200 else text.startswith("503") for _, text in answers)
