"""An exception out of a signal handler, at any moment, leaves nothing behind: what is held goes with its call."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no such timer")

PROGRAM = Path(__file__).parents[1] / "support" / "interrupted.py"
NOTHING = {"stuck": 0, "workers": 0, "waiting": 0, "in_flight": 0, "waits": 0, "lost points": 0, "lost exceptions": []}
#: Over real connections there is more that could be held.
NO_CONNECTIONS = {"leases": 0, "in line": 0, "not closed": 0, "places": 0, "descriptors": 0}

WAYS = ["", "--keep", "--latency --keep --threads", "--latency", "--threads"]
WIRED = [f"--wire {way}" for way in WAYS]
BULK = ["--bulk --keep", "--bulk --wire"]


def name(way: str) -> str:
    return way.replace("--", "") or "alone"


def interrupted(count: int, seconds: int, way: str) -> dict[str, Any]:
    command = [sys.executable, str(PROGRAM), str(count), str(seconds), *way.split()]
    result = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 60)  # noqa: S603  # ours
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def check(found: dict[str, Any], way: str) -> None:
    nothing: dict[str, Any] = NOTHING | (NO_CONNECTIONS if "--wire" in way else {})
    if "--bulk" in way:
        # CPython loses what is raised while the collector closes an iterator that was left in the middle.
        nothing.pop("lost exceptions")
    assert {key: found[key] for key in nothing} == nothing
    # The next call: a turn of the stub's window, and all the time that a busy machine may take.
    assert found["took"] < 30


@pytest.mark.parametrize("way", WAYS[:3] + WIRED[:3] + BULK, ids=name)
def test_interrupted_calls_hold_nothing(way: str) -> None:
    found = interrupted(400, 20, way)
    assert found["interrupts"] > 50
    check(found, way)


@pytest.mark.thorough
@pytest.mark.parametrize("way", WAYS + WIRED + BULK, ids=name)
def test_ten_thousand_interrupted_calls_hold_nothing(way: str) -> None:
    found = interrupted(10_000, 600, way)
    assert found["interrupts"] == 10_000
    check(found, way)
