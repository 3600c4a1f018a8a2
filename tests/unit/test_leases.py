"""Connections that are leased to one call at a time."""

from __future__ import annotations

import random
import threading
from typing import Any

from scapi._http.leases import Leases


class Connection:
    """Something to lease."""

    def __init__(self, origin: str = "here") -> None:
        self.origin, self.idle_since, self.ready = origin, 0.0, True

    def leads_to(self, origin: object) -> bool:
        return origin == self.origin

    def is_ready(self) -> bool:
        return self.ready


def held() -> threading.Lock:
    """The lock of a call that goes on."""
    lock = threading.Lock()
    lock.acquire()
    return lock


def leased(leases: Leases[Connection], hold: threading.Lock, origin: str = "here", **options: Any) -> Connection:
    connection = leases.take(hold, origin, lambda: Connection(origin), **options)
    assert connection is not None
    return connection


def test_the_connection_that_was_used_last_is_leased_first() -> None:
    leases = Leases[Connection](3)
    first, second = held(), held()
    older, newer = leased(leases, first), leased(leases, second)
    for moment, connection in enumerate((older, newer)):
        connection.idle_since = moment
        leases.give_back(connection, keep=True)
    assert leased(leases, held()) is newer
    assert leased(leases, held()) is older
    assert leased(leases, held()) not in {older, newer}


def test_no_more_are_leased_than_there_may_be() -> None:
    leases = Leases[Connection](2)
    assert [leases.take(held(), "here", Connection) is None for _ in range(3)] == [False, False, True]


def test_whoever_waits_is_served_in_order() -> None:
    leases, woken = Leases[Connection](1), list[str]()
    busy = leased(leases, held())
    calls = {name: held() for name in ("first", "second")}
    for name, hold in calls.items():
        leases.join_queue(hold, lambda name=name: woken.append(name))  # type: ignore[misc]
    leases.give_back(busy, keep=True)
    assert woken == ["first"]
    assert leases.take(held(), "here", Connection) is None
    assert leases.take(calls["second"], "here", Connection) is None
    assert leased(leases, calls["first"]) is busy
    leases.give_back(busy, keep=False)
    assert leased(leases, calls["second"]) is not busy


def test_a_call_that_has_died_gives_back_its_connection_and_its_place() -> None:
    leases = Leases[Connection](1)
    dead, waiting = held(), held()
    lost = leased(leases, dead)
    leases.join_queue(waiting, lambda: None)
    dead.release()
    waiting.release()
    alive = held()
    assert leased(leases, alive) is not lost
    assert list(leases.dropped) == [lost]


def test_a_connection_that_is_not_ready_or_not_wanted_is_dropped() -> None:
    leases = Leases[Connection](2)
    stale = leased(leases, held())
    leases.give_back(stale, keep=True)
    stale.ready = False
    fresh = leased(leases, held())
    assert fresh is not stale
    leases.give_back(fresh, keep=False)
    assert list(leases.dropped) == [stale, fresh]
    assert len(leases) == 0


def test_a_new_connection_can_be_asked_for() -> None:
    leases = Leases[Connection](2)
    idle = leased(leases, held())
    leases.give_back(idle, keep=True)
    assert leased(leases, held(), fresh=True) is not idle


def test_an_idle_connection_to_another_origin_makes_room() -> None:
    leases = Leases[Connection](1)
    elsewhere = leased(leases, held(), "elsewhere")
    assert leases.take(held(), "here", Connection) is None
    leases.give_back(elsewhere, keep=True)
    assert leased(leases, held()).origin == "here"
    assert list(leases.dropped) == [elsewhere]


def test_clearing_drops_what_is_idle_and_wakes_all() -> None:
    leases, woken = Leases[Connection](2), list[int]()
    busy, idle = leased(leases, held()), leased(leases, held())
    leases.give_back(idle, keep=True)
    for number in range(2):
        leases.join_queue(held(), lambda number=number: woken.append(number))  # type: ignore[misc]
    woken.clear()
    leases.clear()
    assert woken == [0, 1]
    assert list(leases) == [busy]
    assert list(leases.dropped) == [idle]


def test_many_threads_never_share_a_connection() -> None:
    leases, in_use, failures = Leases[Connection](4), set[Connection](), list[str]()

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(300):
            hold = threading.Lock()
            with hold:
                if (connection := leases.take(hold, "here", Connection)) is None:
                    continue
                if connection in in_use:
                    failures.append("two calls share a connection")
                in_use.add(connection)
                in_use.discard(connection)
                if chance.random() < 0.8:  # the rest is as if it had been interrupted
                    leases.give_back(connection, keep=chance.random() < 0.7)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert leased(leases, held())
