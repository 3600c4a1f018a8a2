"""Pacing over a real socket with windows of a second; `python -m benchmarks.pacing_socket` tries more, and longer.

How few requests are refused is shown by the virtual clock of tests/unit/test_pacing.py; here it is that real ones work.
"""

from __future__ import annotations

import pytest

from benchmarks.pacing_socket import KNOWN, UNKNOWN, Scenario, run

pytestmark = pytest.mark.socket


@pytest.mark.parametrize(("world", "callers"), [("async", 100), ("sync", 32)])
def test_alone_hardly_a_request_is_refused(world: str, callers: int) -> None:
    outcome = run(Scenario(world=world, callers=callers, limit=50, calls=UNKNOWN, window=1, windows=3))
    assert outcome.failed == 0
    # None is, as the virtual clock shows. Where the machine stands still for a second, somebody asks too early.
    assert outcome.share_refused < 0.05
    # More than the points of one window: the calls have waited for the next ones and gone on.
    assert outcome.used > 1 / 3


@pytest.mark.parametrize(("world", "callers"), [("async", 100), ("sync", 32)])
def test_with_a_stranger_every_call_completes_and_few_requests_are_refused(world: str, callers: int) -> None:
    outcome = run(Scenario(world=world, callers=callers, limit=200, calls=KNOWN, stranger=True, window=1, windows=3))
    assert outcome.failed == 0
    assert outcome.completed > 0
    # Under 2 % on a quiet machine; the busier it is, the more a stranger spends between an answer and the next call.
    assert outcome.share_refused < 0.2
