"""The sync world under gevent, with the real package, in a process of its own: its patches change the whole process."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.socket]

PROGRAM = """
from gevent import monkey

monkey.patch_all()

import time

import gevent

from scapi.exceptions import ScApiException
from scapi.sync import AppClient
from tests.support import wire
from tests.support.wire import wire_server

ticks = []


def tick():
    while True:
        ticks.append(time.monotonic())
        gevent.sleep(0.05)


with wire_server() as server:
    mount = server.mount()
    mount.fake.fail("*", "delay", delay=0.5)
    ticking = gevent.spawn(tick)
    with AppClient(token=mount.fake.app_token, base_url=mount.url, timeout=60) as client:
        began = time.monotonic()
        calls = [gevent.spawn(client.regions) for _ in range(20)]
        gevent.joinall(calls)
        took = time.monotonic() - began
        assert all(len(call.get()) for call in calls)
        # One after the other they would take ten seconds.
        assert took < 5, took
        print("together", took)

        mount.heal()
        mount.wire = wire.never
        waiting = gevent.spawn(client.emission)
        gevent.sleep(0.3)
        client.close()
        try:
            waiting.get(timeout=10)
        except ScApiException as error:
            assert "closed" in str(error), error
        else:
            raise AssertionError("a closed client has answered")
    ticking.kill()
    pauses = [later - earlier for earlier, later in zip(ticks, ticks[1:])]
    assert max(pauses) < 3, max(pauses)
    print("longest pause", max(pauses))
"""


def test_greenlets_wait_beside_each_other_and_closing_ends_them() -> None:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603  # ours
    assert done.returncode == 0, done.stderr
    assert "longest pause" in done.stdout
