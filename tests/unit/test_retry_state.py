"""How often a call is tried, and what it costs it in waiting."""

from __future__ import annotations

import pytest

from scapi import Retry
from scapi._retry import RetryState
from scapi.exceptions import NotFoundError, RateLimitError, RequestTimeoutError, ServerError, TransportError

UNAVAILABLE = ServerError("busy", status=503)


@pytest.mark.parametrize("error", [UNAVAILABLE, TransportError("reset"), RequestTimeoutError("x", connecting=True)])
def test_a_failure_that_may_pass_is_tried_until_the_attempts_are_used_up(error: TransportError) -> None:
    retry_state = RetryState(Retry(attempts=3, backoff=0.0))
    assert [retry_state.wait_after(error, None, wall=1_790_000_000.0, rng=lambda: 0.5) for _ in range(3)] == [
        0.0,
        0.0,
        None,
    ]
    assert retry_state.attempts == 3


@pytest.mark.parametrize(
    "error", [NotFoundError("no", status=404), ServerError("bug", status=500), RequestTimeoutError("x")]
)
def test_any_other_failure_is_final(error: TransportError) -> None:
    assert RetryState(Retry()).wait_after(error, None, wall=1_790_000_000.0, rng=lambda: 0.5) is None


def test_without_a_policy_every_failure_is_final() -> None:
    assert RetryState(None).wait_after(UNAVAILABLE, None, wall=1_790_000_000.0, rng=lambda: 0.5) is None


def test_what_was_waited_counts_against_the_most() -> None:
    retry_state = RetryState(Retry(attempts=9, max_wait=5.0, backoff=0.0))
    asked = ServerError("busy", status=503, headers={"retry-after": "2"})
    assert [retry_state.wait_after(asked, None, wall=1_790_000_000.0, rng=lambda: 0.5) for _ in range(3)] == [
        2.0,
        2.0,
        None,
    ]


@pytest.mark.parametrize(
    ("headers", "until_reset", "told"), [({}, None, 60.0), ({}, 7.5, 7.5), ({"retry-after": "3"}, None, 3.0)]
)
def test_a_rate_limit_error_tells_when_calls_are_possible_again(
    headers: dict[str, str], until_reset: float | None, told: float
) -> None:
    error = RateLimitError("slow down", headers=headers)
    wait = RetryState(Retry()).wait_after(error, until_reset, wall=1_790_000_000.0, rng=lambda: 0.5)
    assert error.retry_after == told
    assert wait is not None
    assert told <= wait <= told + 0.25
