"""Text of strangers in each of the places where it may end up."""

from __future__ import annotations

import csv
import io
import json
import logging
import pickle
import traceback
import unicodedata
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scapi import exceptions, models
from scapi._api import errors
from scapi._auth import oauth
from scapi._base import escaping
from scapi._http.messages import HttpRequest, HttpResponse
from scapi._items import database, names
from scapi._views import html

#: A window title, a clear screen, the clipboard, a link, the short CSI, a line of a log, a turned direction.
HOSTILE = (
    "\x1b]0;t\x07\x1b[2J\x1b]52;c;cHduZWQ=\x07\x1b]8;;http://x\x1b\\\x9b2J\r\nCRITICAL root\u202eevil\u2028\U000e0041"
)
OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def obeyed(text: str) -> set[str]:
    """What of a text a terminal might obey."""
    return {char for char in text if unicodedata.category(char) in OBEYED}


@given(st.text())
@example(HOSTILE)
def test_one_line_for_a_terminal_a_log_a_page_and_a_picture_has_nothing_to_obey(text: str) -> None:
    for line in (escaping.terminal(text), escaping.log(text), escaping.page(text), escaping.picture(text)):
        assert not obeyed(line)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("§4Red §fZone", "Red Zone"),
        ("Шустрый", "Шустрый"),
        ("a\u202eb\x07c", "abc"),
        ("two\nlines\tand\u2028more", "two lines and more"),
        ("1\u00a0000", "1\u00a0000"),
        ("[red]", "[red]"),
    ],
)
def test_a_terminal_shows_what_is_to_be_read(text: str, shown: str) -> None:
    assert escaping.terminal(text) == shown


def test_a_log_line_spells_out_what_it_does_not_pass_on() -> None:
    assert escaping.log("a\nb\x1b[2J\u202e\U000e0041") == "a\\nb\\u001b[2J\\u202e\\udb40\\udc41"


def test_a_log_line_repeats_no_more_than_500_characters() -> None:
    assert escaping.log("x" * 501) == "x" * 500 + "…"
    assert escaping.log("x" * 501, None) == "x" * 501


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
@example({HOSTILE: [HOSTILE]})
def test_json_on_a_screen_is_the_same_json(value: Any) -> None:
    shown = escaping.screen(json.dumps(value, ensure_ascii=False, indent=1))
    assert json.loads(shown) == value
    assert obeyed(shown) <= {"\n"}


@pytest.mark.parametrize(
    "formula",
    [
        "=1+1",
        "+1",
        "-2+3|cmd",
        "@SUM(A1)",
        "＝1",
        "  =1",
        "\t=1",
        "\r\n=1",
        "name;=1+1",
        "a\t-1",
        '=HYPERLINK("http://x")',
    ],
)
def test_no_cell_begins_with_a_formula(formula: str) -> None:
    shown = escaping.cell(formula)
    assert shown.replace("'", "") == formula
    for delimiter in ",;\t":
        line = io.StringIO()
        csv.writer(line).writerow(["id", shown])
        for row in csv.reader(io.StringIO(line.getvalue(), newline=""), delimiter=delimiter):
            for cell in row:
                assert not cell.strip().startswith(("=", "+", "-", "@", "＝"))


@pytest.mark.parametrize("text", ["", "Gun Oil", "AK-105", "a=b", "1-2", "7", "it's", '{"a": -1}'])
def test_a_cell_without_a_formula_stays_as_it_is(text: str) -> None:
    assert escaping.cell(text) == text


# ── what is said of an error ──────────────────────────────────────────────────────────────────────────────────────────

OUTGOING = HttpRequest("https://x.test/ru/emission")


def refusal(status: int, body: object, headers: dict[str, str] | None = None) -> exceptions.RequestError:
    return errors.from_response(HttpResponse(status, headers or {}, json.dumps(body).encode()), OUTGOING)


@pytest.mark.parametrize(
    "error",
    [
        refusal(404, {"title": HOSTILE}),
        refusal(503, {"title": "x", "details": {HOSTILE: HOSTILE}}),
        refusal(500, f"<title>{HOSTILE}</title>"),
        refusal(302, {}, {"location": f"http://evil.test/{HOSTILE}"}),
        oauth.refused(refusal(401, {"error_description": HOSTILE})),
        exceptions.TransportError(HOSTILE),
        exceptions.LoginError(HOSTILE, error=HOSTILE),
        exceptions.DecodeError(HOSTILE),
        exceptions.ItemNameError(HOSTILE, query="x"),
        exceptions.RateLimitError(HOSTILE, url=f"https://x.test/{HOSTILE}"),
    ],
)
def test_no_error_says_what_a_terminal_or_a_log_would_obey(error: exceptions.ScApiException) -> None:
    for one in (error, pickle.loads(pickle.dumps(error))):
        assert not obeyed(str(one))
        assert not obeyed("".join(traceback.format_exception_only(one)).strip())


def test_a_message_is_bounded_and_the_body_is_still_there() -> None:
    error = refusal(503, {"title": "down\n" + "x" * 3_000_000})
    assert error.message == "down\\n" + "x" * 495 + "…"
    assert len(str(error)) < 600
    assert len(error.data["title"]) == 3_000_005


def test_a_refused_login_says_no_more_than_it_needs() -> None:
    url = "http://localhost/?state=s&error=" + "x" * 1000 + "%1b[2J&error_description=%0aCRITICAL"
    with pytest.raises(exceptions.LoginError) as refused:
        oauth.Redirect(url).code("s")
    assert not obeyed(str(refused.value))
    assert len(str(refused.value)) < 600


def test_what_is_logged_of_rows_that_can_not_be_read_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "scapi")
    body = json.dumps([{"data": f"/items/{HOSTILE}.json", "name": {}}, {"data": f"/items/{HOSTILE}.json", "name": {}}])
    database.read_index("listing", body.encode())
    (record,) = caplog.records
    assert not obeyed(record.getMessage())
    assert len(record.getMessage()) < 600


def test_the_candidates_of_a_name_are_told_as_text() -> None:
    name = models.Translation(lines={"en": f"Oil{HOSTILE}"})
    entries = [models.Lookup(id=id_, translation=name, data={}) for id_ in "ab"]
    with pytest.raises(exceptions.ItemNameError) as unknown:
        names.resolve(names.build_index(entries), "oil")
    assert not obeyed(str(unknown.value))


# ── pages ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Tags(HTMLParser):
    """Which tags a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)


def test_a_table_of_a_notebook_shows_a_strangers_text_as_text() -> None:
    text = f"<script>alert(1)</script>{HOSTILE}"
    sale = models.AuctionPrice(amount=1, price=1, time=datetime(2026, 1, 1, tzinfo=UTC), additional={text: text})
    for shown in (html.record(sale), html.listing(models.Listing([sale], total=1, limit=1))):
        tags = Tags()
        tags.feed(shown)
        assert tags.seen <= {"table", "thead", "tbody", "tr", "th", "td", "p"}
        assert not obeyed(shown)
