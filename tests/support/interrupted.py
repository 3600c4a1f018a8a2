"""Interrupts calls at random moments by SIGALRM, and prints what is still held then: a program of its own.

    python tests/support/interrupted.py INTERRUPTS SECONDS [--latency] [--keep] [--threads]

It ends after so many interrupts, or after so many seconds. `--latency`: the server takes its time. `--keep`: the
exceptions are kept with their tracebacks, as Jupyter, pytest and error trackers do. `--threads`: three more threads
call with the same credentials.

The wire is a stub, so that what is tested is what is ours above it: the budget, waits, sessions.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from scapi import pacing, sync
from scapi._core.response import Reply

if TYPE_CHECKING:
    from types import FrameType

LIMIT = 60
WINDOW = 0.1


class Alarm(Exception):
    """What the handler raises, as the job limits of task queues do."""


class Wire:
    """Answers in place of a transport, with the headers of a server that enforces short windows."""

    closed = False
    reset, left = 0.0, LIMIT
    lock = threading.Lock()

    def __init__(self, latency: float) -> None:
        self._latency = latency

    def send(self, _outgoing: object, _sink: object = None, *, effort: object = None) -> Reply:
        time.sleep(random.random() * self._latency)
        with Wire.lock:
            now = time.time()
            if now >= Wire.reset:
                Wire.reset, Wire.left = now + WINDOW - now % WINDOW, LIMIT
            is_granted = Wire.left > 0
            Wire.left = max(0, Wire.left - 1)
            headers = {
                "x-ratelimit-limit": str(LIMIT),
                "x-ratelimit-remaining": str(Wire.left),
                "x-ratelimit-reset": str(round(Wire.reset * 1000)),
            }
        return Reply(200 if is_granted else 429, headers, b"{}")

    def refuse(self) -> None:
        """There is nothing to close."""

    close = refuse


def connect(latency: float) -> Any:
    client = sync.AppClient(token="t", base_url="https://interrupted.test")
    client._session._transport.refuse()
    client._session._transport = Wire(latency)
    return client


def interrupt(call: Any, most: float) -> Exception | None:
    """Make a call, and raise in the middle of it; the exception if that came in time."""
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, most))
            call()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except Alarm as alarm:
        return alarm
    return None


def call_on(client: Any, stop: threading.Event, done: list[int]) -> None:
    while not stop.is_set():
        client.emission()
        done.append(1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("interrupts", type=int)
    parser.add_argument("seconds", type=float)
    for flag in ("--latency", "--keep", "--threads"):
        parser.add_argument(flag, action="store_true")
    options = parser.parse_args()

    def raise_alarm(_signal: int, _frame: FrameType | None) -> None:
        raise Alarm

    signal.signal(signal.SIGALRM, raise_alarm)
    lost: list[str] = []
    sys.unraisablehook = lambda unraisable: lost.append(repr(unraisable.exc_value))
    pacing.set_factory(lambda _host, _credentials: pacing.Budget(window=WINDOW))
    latency = 0.004 if options.latency else 0.0
    client, other = connect(latency), connect(latency)
    stop, done = threading.Event(), list[int]()
    threads = [threading.Thread(target=call_on, args=(other, stop, done)) for _ in range(3 if options.threads else 0)]
    for thread in threads:
        thread.start()

    kept, interrupts, end = list[Exception](), 0, time.monotonic() + options.seconds
    while interrupts < options.interrupts and time.monotonic() < end:
        alarm = interrupt(client.emission, latency + 0.0006)
        if alarm is not None:
            interrupts += 1
            if options.keep:
                kept.append(alarm)

    before = len(done)
    began = time.monotonic()
    client.emission()
    took = time.monotonic() - began
    while threads and len(done) < before + 3 and time.monotonic() < began + 30:
        time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join(30)
    budget = client._session._budget
    state = budget.state(time.monotonic())
    # All points of a whole window are given out: the calls of one window are as many as it grants.
    time.sleep(2 * WINDOW)
    other.emission()
    state_then = budget.state(time.monotonic())
    found = {
        "interrupts": interrupts,
        "took": took,
        "stuck": sum(thread.is_alive() for thread in threads) + bool(threads and len(done) < before + 3),
        "waiting": state.waiting,
        "in_flight": state.in_flight,
        "waits": len(client._session._waiting) + len(other._session._waiting),
        "lost points": Wire.left - (state_then.ratelimit.remaining or 0),
        "lost exceptions": lost,
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
