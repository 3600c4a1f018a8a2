from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scapi import models
from scapi.cli.app import run
from scapi.cli.doctor import command, endpoint_calls, findings, plan, recording, strict
from scapi.cli.doctor.pseudonyms import Pseudonyms
from scapi.cli.doctor.wire import Exchange
from scapi.exceptions import TransportError
from tests.recorded import SETS, Answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], "an empty array"),
        ([{}, {"a": 1}], "an array of objects"),
        ([1, True, None], "an array of booleans and integers and nulls"),
        (["a", [], 0.5], "an array of arrays and floats and texts"),
    ],
)
def test_an_array_is_described_by_what_is_in_it(values: list[Any], text: str) -> None:
    assert strict.array(values) == text


def test_a_value_that_a_client_has_met_before_is_still_unknown() -> None:
    from scapi import Alliance

    Alliance("ecologists")  # grows a member
    assert strict.odd(PROFILE | {"alliance": "ecologists"}, models.CharacterProfile)


@pytest.fixture
def clock_runs() -> bool:
    """Costs show within one window only, and a slow machine takes its time."""
    return False


@pytest.fixture
def examine(
    fake: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Report]:
    """Run the doctor on the fake as if it were the API, with a user's token."""
    regions = [models.RegionInfo(id="RU", name="RUSSIA")]
    hosts = [
        Exchange(endpoint="host https://old.example", error=TransportError("no such host")),
        Exchange(
            endpoint="host https://new.example", result=regions, status=200, body=b'[{"id":"RU","name":"RUSSIA"}]'
        ),
    ]
    monkeypatch.setattr(endpoint_calls, "hosts", lambda: hosts)
    # This reads the metadata of all packages for seconds, and is tested with the import of two of them.
    monkeypatch.setattr(findings, "packages_distributions", dict)
    # With a user's usual 50 points the calls would have to wait for the next window.
    fake.user_token = "user-token-with-many-points"
    fake.add_token(fake.user_token, kind="user", limit=400)
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
    assert all(seen.status in {200, 400, 401, 404} for seen in fake.requests)
    assert [line["text"] for line in report if line["settles"] == 1] == [
        "no response: TransportError",
        "answers, with 1 regions",
    ]


def test_every_question_that_an_answer_can_settle_is_settled(examine: Callable[..., Report]) -> None:
    # 18 and 20 are for people. 21 takes a response out of a cache, which the fake doesn't send by default.
    assert {line["settles"] for line in examine()} == {None, *range(1, 18), 19}


def test_costs_are_learned(examine: Callable[..., Report]) -> None:
    report = examine()
    assert "cost 2, if nobody else used the key" in texts(report, "lots")
    assert "cost 1, if nobody else used the key" in texts(report, "clan")
    assert "cost 4, if nobody else used the key" in texts(report, "bad item")


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


def test_the_fake_is_examined_without_a_key_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--fake"]) == 0
    shown, said = capsys.readouterr()
    assert "Settles" in shown
    assert re.search("[0-9]\xa0[0-9]{3} bytes", shown)
    assert "a match history is an array of objects" in shown
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
    assert {answer.status for answer in answers} == {status}
    assert {found.text for found in findings.findings(answers)} == {
        "answers, with 5 regions" if status == 200 else "503: ServerError"
    }


# ── what it would do ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_dry_run_sends_nothing_and_names_a_call_and_its_points_for_each_question(
    fake: FakeApi, examine: Callable[..., Report]
) -> None:
    steps = examine("--dry-run")
    assert [step["number"] for step in steps] == list(range(1, len(steps) + 1))
    assert all(step["calls"] or step["by_hand"] for step in steps)
    assert all((step["points"] is None) is (not step["calls"]) for step in steps)
    assert not fake.requests


def test_a_dry_run_needs_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--dry-run"]) == 0
    shown, said = capsys.readouterr()
    assert "by hand: look in the game" in shown
    for call in plan.calls():
        assert re.search(rf"^{call.name} +{re.escape(call.target[:40])}", shown, re.MULTILINE)
    assert said == (
        "All 20 calls together cost about 44 points. An application has 400 a minute, a user 50. Nothing was sent.\n"
    )


def test_the_points_of_a_dry_run_are_those_that_are_known(examine: Callable[..., Report]) -> None:
    report = examine()
    known = {"lots", "history", "profile", "bad item", "too many lots", "emission again"}
    planned = {call.name: call.points for call in plan.calls() if call.name in known}
    for name, points in planned.items():
        costs = [text for text in texts(report, name) if text.startswith("cost ")]
        assert {text.split(",")[0] for text in costs} <= {f"cost {points}"}


PAGE = Path(__file__).parents[2] / "docs" / "api-quirks.md"


def table(*headings: str) -> list[list[str]]:
    """The cells of the rows of a table of the page, by its first two headings."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"| {' | '.join(headings)} |")
    lines = rest.split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_page_has_the_same_questions() -> None:
    questions = [(int(number), question.replace("`", "")) for number, question, _ in table("#", "question")]
    assert questions == [(step.number, step.question) for step in plan.steps()]


def test_the_page_has_the_same_calls_and_points() -> None:
    found = {int(number): (how.replace("`", ""), points) for number, how, points in table("#", "settled by")}
    for step in plan.steps():
        by_hand = f"by hand: {step.by_hand}" if step.by_hand else ""
        how = "; ".join(filter(None, (", ".join(step.calls), by_hand)))
        assert found[step.number] == (how, "–" if step.points is None else str(step.points))
    calls = [(name, target.strip("`"), points) for name, target, points in table("call", "request")]
    assert calls[1:] == [(call.name, call.target, str(call.points)) for call in plan.calls()]
    text = PAGE.read_text(encoding="utf-8")
    assert f"makes {len(plan.calls())} calls, which cost about {plan.points()} points" in text


# ── recordings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def without_sizes(report: Report) -> list[tuple[str, str, str, int | None]]:
    """The lines of a report without what differs: lengths of bodies, times, and the software of a recording."""
    return [
        (line["mark"], line["subject"], re.sub("[0-9\xa0]+ bytes, [0-9]+ ms", "", line["text"]), line["settles"])
        for line in report
        if line["subject"] not in {"recording", "packages"}
    ]


@pytest.fixture
def saved(examine: Callable[..., Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Report]:
    """A recording of a round of calls to the fake, and its report."""
    file = tmp_path / "answers.json"
    return file, examine("--save", str(file))


def test_a_recording_gives_the_same_report_without_a_key(
    saved: tuple[Path, Report], monkeypatch: pytest.MonkeyPatch, examine: Callable[..., Report], fake: FakeApi
) -> None:
    file, report = saved
    monkeypatch.delenv("SCAPI_TOKEN")
    sent = len(fake.requests)
    assert without_sizes(examine("--replay", str(file))) == without_sizes(report)
    assert len(fake.requests) == sent


def everybody(fake: FakeApi) -> Iterator[str]:
    """The names and ids of all players and clans of the fake."""
    people = fake._world.people("RU")
    for clan in people.clans:
        yield from (clan["id"], clan["name"], clan["leader"], clan["tag"])
    for character in people.characters.values():
        yield from character["information"].values() if isinstance(character, str) else ()
        yield character["information"]["id"]
        yield character["information"]["name"]


def test_nobody_can_be_recognized_in_a_recording(fake: FakeApi, saved: tuple[Path, Report]) -> None:
    text = saved[0].read_text(encoding="utf-8")
    written = set(re.findall(r'"((?:[^"\\]|\\.)*)"', text))
    secrets = {fake.user_token, fake.app_token, fake.client_id, fake.client_secret}
    assert not written & {*everybody(fake), *secrets}
    assert "We share what we find." not in text
    # Times of players have only a year.
    times = {row["registrationTime"] for row in body(saved[0], "clans")["data"]}
    assert {time[4:] for time in times} == {"-01-01T00:00:00Z"}


def body(file: Path, call: str) -> Any:
    exchanges = json.loads(file.read_text(encoding="utf-8"))["exchanges"]
    return next(exchange["body"] for exchange in exchanges if exchange["call"] == call)


def test_what_was_equal_stays_equal_and_what_differed_still_differs(saved: tuple[Path, Report]) -> None:
    clans, profile = body(saved[0], "clans")["data"], body(saved[0], "profile")
    assert len({clan["id"] for clan in clans}) == len({clan["name"] for clan in clans}) == len(clans)
    assert clans[0]["leader"] == profile["username"] == profile["clan"]["member"]["name"]
    assert clans[0]["id"] == body(saved[0], "clan")["id"] == profile["clan"]["info"]["id"]
    sessions = body(saved[0], "operations")["sessions"]
    assert len({session["id"] for session in sessions}) == len(sessions)
    assert all(session["id"] > 2**53 for session in sessions)


def test_the_market_and_the_words_of_the_api_stay_as_they_were(fake: FakeApi, saved: tuple[Path, Report]) -> None:
    target = "/ru/auction/kqgy/history?limit=200&additional=true"
    sent = json.loads(fake.handle("GET", target, {"authorization": f"Bearer {fake.app_token}"}).body)
    kept = body(saved[0], "history")
    for rows in (sent["prices"], kept["prices"]):
        for row in rows:
            row["additional"].pop("buyer", None)
    assert kept == sent
    assert {stat["id"] for stat in body(saved[0], "profile")["stats"]} >= {"kil", "dea", "pla-tim"}
    refusal = body(saved[0], "bad item")
    assert refusal == {"title": "Invalid item id", "status": 400, "details": {"item": "scapi-doctor-404"}}


UUID = "f3a1c2d4-0000-4111-8222-123456789abc"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"seller": "ZIV"}, {"seller": "text-1"}),
        ({"sellerId": 123456789}, {"sellerId": 1}),
        ({"owner_id": UUID}, {"owner_id": "00000000-0000-4000-8000-000000000001"}),
        ({"phone": 491701234567}, {"phone": 500000000000}),
        ({"mail": "ziv@example.com"}, {"mail": "text-1"}),
        ({"bidders": {"ziv": 3, "zov": 5}}, {"bidders": {"key-1": 3, "key-2": 5}}),
        ({"Silent Wolf": 3}, {"key-1": 3}),
        ({"seenAt": "2026-08-05T17:10:04.123+03:00"}, {"seenAt": "2026-01-01T00:00:00.000+00:00"}),
        ({"alliance": "stalkers", "rank": "SOLIDER"}, {"alliance": "stalkers", "rank": "SOLIDER"}),
        ({"alliance": "§4ZIV"}, {"alliance": "text-1"}),
        ({"itemId": "zyv9", "amount": 7}, {"itemId": "zyv9", "amount": 7}),
        ({"itemId": "A Player"}, {"itemId": "text-1"}),
        ({"description": "", "leader": None, "online": True}, {"description": "", "leader": None, "online": True}),
        (["ZIV", "zov", "ZIV"], ["text-1", "text-2", "text-1"]),
    ],
)
def test_everything_is_replaced_that_no_rule_keeps(sent: Any, kept: Any) -> None:
    assert Pseudonyms().body("lots", 200, sent) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("must be a whole number from 0 to 200", "must be a whole number from 0 to 200"),
        ("Invalid item id: scapi-doctor-404", "Invalid item id: scapi-doctor-404"),
        ("sort must be one of: [time_created, buyout_price]", "sort must be one of: [time_created, buyout_price]"),
        ("Request from 203.0.113.9", "Request from …"),
        ("Request 8f3a2b1c failed", "Request … failed"),
        ("Corrupted token (sesame)", "Corrupted token …"),
        ("ZIV may not, user 123456", "… may not, user …"),
        ("ziv@example.com", "…"),
    ],
)
def test_of_the_text_of_a_refusal_only_common_words_are_kept(text: str, kept: str) -> None:
    body = {"title": text, "status": 400, "details": {"item": text}}
    assert Pseudonyms().body("bad item", 400, body) == {"title": kept, "status": 400, "details": {"item": kept}}
    # Other calls have the names of people as arguments.
    assert Pseudonyms().body("clan", 400, body) == {"title": "text-1", "status": 400, "details": {"item": "text-1"}}


def planted(value: Any, word: str) -> Any:
    """A body with a name in place of every text, times and ids too."""
    if isinstance(value, dict):
        return {key: planted(inner, word) for key, inner in value.items()}
    if isinstance(value, list):
        return [planted(inner, word) for inner in value]
    return word if isinstance(value, str) else value


def test_a_name_survives_in_no_place_of_any_response() -> None:
    from scapi.testing import FakeApi
    from scapi.testing._catalogue import HOME_CLAN

    fake = FakeApi(user_limit=400)
    known = endpoint_calls.Known(
        region="ru",
        clan=HOME_CLAN,
        foreign_clan=HOME_CLAN,
        leader="ZIV",
        other_case="ziv",
        character="YourCharacterName",
        own_clan=HOME_CLAN,
    )
    for call in endpoint_calls.CALLS:
        reply = fake.handle("GET", call.target.format_map(vars(known)), {"authorization": f"Bearer {fake.user_token}"})
        body = json.loads(reply.body)
        for word in ("Zaphod B", "zaphod.b-42", "Зафод_Б", "zaphod@example.com", "203.0.113.9"):
            for status in (200, 400):
                kept = Pseudonyms().body(call.name, status, planted(body, word))
                assert word not in json.dumps(kept, ensure_ascii=False), call.name


def test_of_headers_only_those_about_points_type_and_time_are_kept() -> None:
    sent = {
        "x-ratelimit-limit": "50",
        "x-ratelimit-remaining": "sesame",
        "x-request-id": UUID,
        "content-type": "application/json; charset=utf-8",
        "date": "Wed, 19 Aug 2026 12:01:00 GMT",
        "set-cookie": "sesame",
        "cf-ray": "8f3a2b1c-FRA",
        "server": "cloudflare",
    }
    kept = {name: sent[name] for name in ("x-ratelimit-limit", "content-type", "date")}
    assert Pseudonyms().headers(sent) == kept | {"x-ratelimit-remaining": "", "x-request-id": ""}


def test_a_page_of_a_proxy_is_not_recorded(fake: FakeApi, examine: Callable[..., Report], tmp_path: Path) -> None:
    fake.fail("*/emission", status=403, body="<html>Your address is 203.0.113.9</html>")
    file = tmp_path / "answers.json"
    report = examine("--save", str(file))
    assert "203.0.113.9" not in file.read_text(encoding="utf-8")
    expected = ["403, ForbiddenError: 40 bytes that are not JSON"]
    assert texts(report, "emission") == texts(examine("--replay", str(file)), "emission") == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not a file that scapi doctor --save wrote"),
        ("[]", "not a file that scapi doctor --save wrote"),
        ('{"software": "", "exchanges": [{"call": "tea", "status": 200}]}', "this version of scapi has no call 'tea'"),
    ],
)
def test_a_file_that_is_no_recording_is_refused(
    content: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.json").write_text(content)
    assert run(["doctor", "--replay", str(tmp_path / "x.json")]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [["--dry-run", "--fake"], ["--dry-run", "--save", "x.json"], ["--replay", __file__, "--fake"]],
)
def test_options_that_contradict_each_other_are_refused(
    options: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    empty = tmp_path / "empty.json"
    empty.write_text('{"software": "", "exchanges": []}')
    assert run(["doctor", *(str(empty) if option == __file__ else option for option in options)]) == 2
    assert "send nothing" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [empty]


def test_a_place_that_can_not_be_written_is_known_before_anything_is_sent(
    fake: FakeApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", "--save", str(tmp_path / "no" / "x.json")]) == 10
    assert "No such file" in capsys.readouterr().err
    assert not fake.requests


# ── recorded answers ──────────────────────────────────────────────────────────────────────────────────────────────────


def recorded(sent: Answers) -> recording.Recording:
    """The answers that people recorded, as a recording of the doctor."""
    demo, errors = sent.read("demo.json"), sent.read("errors.json")
    bodies: list[tuple[str, int, Any]] = [
        ("regions", 200, [demo["region"]]),
        ("emission", 200, sent.read("emission_without_start.json")),
        ("lots", 200, {"total": 3, "lots": [sent.read("lot_alone.json"), *sent.read("lots_demo.json")]}),
        ("history", 200, sent.read("history.json")),
        ("history again", 200, sent.read("history.json")),
        ("clans", 200, {"totalClans": 1, "data": [demo["character"]["clan"]["info"]]}),
        ("characters", 200, [demo["character"]]),
        ("members", 200, [demo["clan_member"]]),
        ("foreign members", errors[1]["http"], errors[1]["body"]),
        ("operations", errors[2]["http"], errors[2]["body"]),
    ]
    exchanges = [recording.Recorded(call=call, status=status, body=body) for call, status, body in bodies]
    empty = recording.Recorded(call="profile", status=200, headers={"x-ratelimit-limit": "50"})
    return recording.Recording(software="a test", exchanges=[*exchanges, empty])


@pytest.mark.parametrize("sent", SETS, ids=str)
def test_recorded_answers_are_replayed(sent: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "answers.json").write_bytes(recording.encode(recorded(sent)))
    assert run(["doctor", "--replay", str(tmp_path / "answers.json"), "--json"]) == 0
    report: Report = json.loads(capsys.readouterr().out)
    sales = len(sent.read("history.json")["prices"])
    assert f"price is a float, not an integer, in {sales} of {sales} rows" in texts(report, "history")
    assert "endTime is spelled like 0000-00-00T00:00:00.000000Z, in 2 of 3 rows" in texts(report, "lots")
    assert [line["text"] for line in report if line["settles"] == 5] == ["prices are an integer ×6"]
    assert texts(report, "regions")[-1] == f"are {sent.read('demo.json')['region']['id']} ×1"
    assert texts(report, "profile") == ["200, DecodeError: an empty body"]
    assert texts(report, "operations")[0].startswith("429, RateLimitError: an object of details")
    assert texts(report, "foreign members")[0].startswith("401: an object of details")
    assert re.fullmatch(r"0 of \d+ equal another one in every field", texts(report, "sales")[0])


@pytest.mark.parametrize("sent", SETS, ids=str)
def test_recorded_answers_lose_their_names_and_keep_their_report(sent: Answers) -> None:
    first = list(recording.replay(recorded(sent)))
    again = recording.record(first, "a test", [])
    text = recording.encode(again).decode()
    demo = sent.read("demo.json")
    clan, info = demo["character"]["clan"]["info"], demo["character"]["information"]
    for name in (info["name"], info["id"], clan["name"], clan["id"], demo["clan_member"]["name"]):
        assert name not in text
    reports = [
        [(found.subject, re.sub("[0-9\xa0]+ bytes", "", found.text)) for found in findings.findings(exchanges)]
        for exchanges in (first, list(recording.replay(recording.decode(text.encode()))))
    ]
    assert reports[0] == reports[1]


def test_responses_out_of_a_cache_are_told_apart() -> None:
    told = [(371, 40_000), (370, 40_001), (399, 40_000), (368, 39_999), (390, -20_000), (400, 100_000)]
    epoch = 1_787_140_800_000
    calls = [
        Exchange(
            endpoint=f"call {number}",
            status=200,
            headers={"x-ratelimit-remaining": str(remaining), "x-ratelimit-reset": str(epoch + reset)},
        )
        for number, (remaining, reset) in enumerate(told)
    ]
    assert [(found.subject, found.text, found.settles) for found in findings._costs(calls)] == [
        ("call 1", "cost 1, if nobody else used the key", 3),
        ("call 2", "from a cache: 399 points left, and not 370 as in an earlier response", 21),
        ("call 3", "cost 2, if nobody else used the key", 3),
        ("call 4", "from a cache: 390 points left, and not 368 as in an earlier response", 21),
    ]


def test_equal_sales_are_counted_and_looked_for_again() -> None:
    sale = {"amount": 1, "price": 5.0, "time": "2026-08-05T00:10:04Z", "additional": {}}
    turned = dict(reversed(sale.items()))
    other = sale | {"amount": 2}
    page = {"total": 4, "prices": [sale, turned, sale, other]}
    calls = [
        recording.Recorded(call="history", status=200, body=page),
        recording.Recorded(call="history again", status=200, body=page | {"prices": [sale, other, turned]}),
    ]
    report = findings.findings(list(recording.replay(recording.Recording(software="", exchanges=calls))))
    assert [found.text for found in report if found.settles == 15] == [
        "2 of 4 equal another one in every field; 1 of these do so in a second response, too"
    ]


def test_a_call_that_got_no_response_gets_none_in_a_replay() -> None:
    lost = recording.Recorded(call="emission", status=0, error="RequestTimeoutError")
    (exchange,) = recording.replay(recording.Recording(software="", exchanges=[lost]))
    assert type(exchange.error).__name__ == "RequestTimeoutError"
    refused = recording.Recorded(call="emission", status=0, error="TransportError")
    (exchange,) = recording.replay(recording.Recording(software="", exchanges=[refused]))
    assert type(exchange.error).__name__ == "TransportError"
    assert replace(exchange, seconds=1.0).seconds == 1.0
