"""Real processes that share a budget in a real Redis; `python -m benchmarks.workers` tries more, and longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.workers import Scenario, kill_two, restart, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.workers import Run

pytestmark = [pytest.mark.socket, pytest.mark.thorough]


@pytest.mark.parametrize("world", ["sync", "async"])
def test_processes_use_the_points_of_each_window_and_lose_no_call(redis_server: object, world: str) -> None:
    outcome = run(Scenario(name="four", world=world, pauses=(0.0,) * 4, limit=100, window=2.0, windows=3))
    assert outcome.failed == []
    assert outcome.refused < 0.05
    # Where the machine stands still, a window isn't used up.
    assert outcome.used[-1] > 0.5
    assert outcome.fairness > 0.3


@pytest.mark.parametrize("then", [kill_two, restart])
def test_whoever_dies_the_others_go_on(redis_server: object, then: Callable[[Run], None]) -> None:
    outcome = run(Scenario(name="four", pauses=(0.0,) * 4, limit=100, window=2.0, windows=4, then=then))
    assert outcome.failed == []
    assert outcome.used[-1] > 0.5
