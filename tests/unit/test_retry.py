"""When a request is sent again, and after how long."""

from __future__ import annotations

import math
import pickle
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scapi._http.headers import parse_http_date, parse_retry_after
from scapi._retry import Failure, Retry, seconds_to_retry


def most() -> float:
    return 1.0


def least() -> float:
    return 0.0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"attempts": 0}, ValueError, "attempts must be 1 or more, not 0"),
        ({"attempts": 2.0}, TypeError, "attempts must be an integer, not 2.0"),
        ({"attempts": True}, TypeError, "attempts must be an integer, not True"),
        ({"max_wait": -1}, ValueError, "max_wait must be 0 or more seconds and finite, not -1"),
        ({"max_wait": math.inf}, ValueError, "max_wait must be 0 or more seconds and finite, not inf"),
        ({"max_wait": "75"}, TypeError, "max_wait must be a number of seconds, not '75'"),
        ({"backoff": math.nan}, ValueError, "backoff must be 0 or more seconds and finite, not nan"),
        ({"backoff": False}, TypeError, "backoff must be a number of seconds, not False"),
    ],
)
def test_a_wrong_argument_is_named_with_its_value(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        Retry(**arguments)
    assert str(caught.value) == message


def test_policies_are_values() -> None:
    policy = Retry(attempts=5, backoff=0)
    assert pickle.loads(pickle.dumps(policy)) == policy != Retry()
    assert hash(policy) == hash(Retry(attempts=5, max_wait=75, backoff=0))
    with pytest.raises(AttributeError):
        policy.attempts = 1  # type: ignore[misc]  # that it is refused is the point


@pytest.mark.parametrize(
    ("failure", "status", "method", "is_retried"),
    [
        ("status", 429, "GET", True),
        ("status", 502, "GET", True),
        ("status", 503, "get", True),
        ("status", 504, "GET", True),
        ("connection", None, "GET", True),
        ("status", 500, "GET", False),
        ("status", 404, "GET", False),
        ("timeout", None, "GET", False),
        ("other", None, "GET", False),
        ("status", 503, "POST", False),
        ("connection", None, "POST", False),
    ],
)
def test_only_passing_failures_of_a_get_are_retried(
    failure: Failure, status: int | None, method: str, is_retried: bool
) -> None:
    wait = seconds_to_retry(
        Retry(), failure, attempt=1, waited=0, method=method, status=status, until_reset=1.0, rng=least
    )
    assert (wait is not None) is is_retried


def test_attempts_count_the_first_one_too() -> None:
    waits = [seconds_to_retry(Retry(attempts=3), "connection", attempt=n, waited=0, rng=most) for n in (1, 2, 3)]
    assert waits == [0.5, 1.0, None]


def test_without_a_policy_nothing_is_retried() -> None:
    assert seconds_to_retry(None, "connection", attempt=1, waited=0, rng=least) is None


def test_the_backoff_is_drawn_from_zero_to_a_bound_that_doubles_to_thirty() -> None:
    retry = Retry(attempts=2000)
    bounds = [seconds_to_retry(retry, "connection", attempt=n, waited=0, rng=most) for n in (1, 4, 7, 1999)]
    assert bounds == [0.5, 4.0, 30.0, 30.0]
    assert seconds_to_retry(retry, "connection", attempt=7, waited=0, rng=least) == 0.0


def test_a_refusal_waits_for_the_reset_and_a_little_apart() -> None:
    waits = [
        seconds_to_retry(Retry(), "status", attempt=1, waited=0, status=429, until_reset=12.0, rng=rng)
        for rng in (least, most)
    ]
    assert waits == [12.0, 12.25]


def test_a_refusal_without_a_known_reset_waits_a_window() -> None:
    assert seconds_to_retry(Retry(), "status", attempt=1, waited=0, status=429, rng=least) == 60.0


def test_a_budget_that_is_never_whole_isnt_waited_for() -> None:
    assert seconds_to_retry(Retry(), "status", attempt=1, waited=0, status=429, until_reset=math.inf, rng=least) is None


@pytest.mark.parametrize(("status", "wait"), [(429, 7.0), (503, 7.0)])
def test_what_the_server_asks_for_is_honoured(status: int, wait: float) -> None:
    answer = seconds_to_retry(
        Retry(), "status", attempt=1, waited=0, status=status, retry_after=7.0, until_reset=3.0, rng=least
    )
    assert answer == wait


def test_a_wait_beyond_the_bound_of_the_call_is_not_begun() -> None:
    def wait(waited: float) -> float | None:
        return seconds_to_retry(
            Retry(max_wait=75), "status", attempt=2, waited=waited, status=429, until_reset=50.0, rng=least
        )

    assert wait(25.0) == 50.0
    assert wait(25.1) is None


@given(
    st.builds(Retry, attempts=st.integers(1, 9), max_wait=st.floats(0, 300), backoff=st.floats(0, 1e300)),
    st.lists(
        st.tuples(st.sampled_from([429, 503, None]), st.none() | st.floats(0, 1e9), st.floats(0, 1)),
        max_size=12,
    ),
)
def test_no_call_waits_longer_than_its_bound_or_is_sent_too_often(
    retry: Retry, failures: list[tuple[int | None, float | None, float]]
) -> None:
    waited, sent = 0.0, 1
    for status, retry_after, luck in failures:
        wait = seconds_to_retry(
            retry,
            "connection" if status is None else "status",
            attempt=sent,
            waited=waited,
            status=status,
            retry_after=retry_after,
            rng=lambda luck=luck: luck,  # type: ignore[misc]  # mypy can't infer a lambda's default
        )
        if wait is None:
            break
        assert wait >= 0
        waited, sent = waited + wait, sent + 1
    assert waited <= retry.max_wait
    assert sent <= retry.attempts


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12", 12.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("9" * 400, 86_400.0),
        ("9" * 5000, 86_400.0),
        ("86401", 86_400.0),
        (".5", 0.5),
        ("1.2.3", None),
        ("120, 60", None),
        ("1e3", None),
        ("nan", None),
        ("\x00 5", None),
        ("", None),
        ("-3", None),
        ("soon", None),
        ("inf", None),
        ("٣", None),
        (formatdate(1_000_030, usegmt=True), 30.0),
        (formatdate(999_000, usegmt=True), 0.0),
        ("Mon, 12 Jan 1970 13:47:10 -0000", 30.0),
        ("Mon, 99 Jan 9999 99:99:99 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
    ],
)
def test_retry_after_is_read_in_seconds_or_as_a_date(text: str, seconds: float | None) -> None:
    assert parse_retry_after({"retry-after": text}, wall=1_000_000) == seconds


def test_a_date_is_taken_by_the_senders_clock() -> None:
    headers = {"retry-after": formatdate(1_000_030, usegmt=True), "date": formatdate(1_000_020, usegmt=True)}
    assert parse_retry_after(headers, wall=5.0) == 10.0


def test_no_header_is_no_wish() -> None:
    assert parse_retry_after({}, wall=0) is None


@given(st.text())
def test_no_text_makes_a_parser_fail(text: str) -> None:
    assert parse_http_date(text) is None or isinstance(parse_http_date(text), float)
    seconds = parse_retry_after({"retry-after": text}, wall=0)
    assert seconds is None or 0 <= seconds <= 86_400
