"""Stores across forks and cancelled calls: no row is lost, and no connection stays open."""

from __future__ import annotations

import asyncio
import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import scapi
from scapi import sync
from scapi.exceptions import StoreError
from scapi.models import AuctionPrice
from scapi.store import BEGINNING, SalesReading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 8, 1, tzinfo=UTC)
LIMIT = 60

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system doesn't fork")


def write(store: sync.Store, item: str) -> None:
    """Write a hundred sales."""
    page = [AuctionPrice(amount=1, price=1, time=NOW - timedelta(seconds=n)) for n in range(100)]
    store.write_sales("eu", item, SalesReading().piece(page, end=BEGINNING))


def forked(work: Callable[[], None]) -> int:
    """Begin some work in a child, and return its process id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside other threads
        child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001  # a child never returns into the tests
            os._exit(1)
    return child


def has_succeeded(child: int) -> bool:
    """Wait for a child."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@needs_fork
def test_after_a_fork_no_sale_of_parent_or_child_is_lost(tmp_path: Path) -> None:
    """SQLite moves its log into the database when the last connection closes: the child's must count."""
    store = sync.Store(tmp_path / "market.db")
    write(store, "parent")
    (written, tell_written), (closed, tell_closed) = os.pipe(), os.pipe()

    def work() -> None:
        os.close(tell_closed)  # so that the read ends, too, if the parent fails
        write(store, "first")
        os.write(tell_written, b".")
        os.read(closed, 1)
        write(store, "second")

    child = forked(work)
    os.close(tell_written)
    os.read(written, 1)
    store.close()
    os.write(tell_closed, b".")
    assert has_succeeded(child)
    for end in (written, closed, tell_closed):
        os.close(end)
    with sync.Store(tmp_path / "market.db") as again:
        assert len(again.sales()) == 300


@needs_fork
def test_after_a_fork_the_parent_goes_on(tmp_path: Path) -> None:
    with sync.Store(tmp_path / "market.db") as store:
        write(store, "before")
        assert has_succeeded(forked(lambda: write(store, "child")))
        write(store, "after")
        assert len(store.sales()) == 300


@needs_fork
def test_a_child_that_was_forked_during_a_transaction_is_refused(tmp_path: Path) -> None:
    begun, ended = threading.Event(), threading.Event()

    def work() -> None:
        with pytest.raises(StoreError, match="was in use when this process was forked"):
            store.sales()
        with sync.Store(tmp_path / "market.db") as same, pytest.raises(StoreError, match="was in use"):
            same.sales()
        with sync.Store(tmp_path / "other.db") as other:
            write(other, "child")

    def read() -> None:
        with store._sql.database.reading():
            begun.set()
            ended.wait(LIMIT)

    with sync.Store(tmp_path / "market.db") as store, ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        assert begun.wait(LIMIT)
        child = forked(work)
        ended.set()
        assert has_succeeded(child)
        reading.result()
        write(store, "parent")
        assert len(store.sales()) == 100


@needs_fork
def test_a_child_that_was_forked_while_a_store_opened_is_refused(tmp_path: Path) -> None:
    """SQLite may hold locks of its own just then, for which the child would wait forever."""
    begun, ended = threading.Event(), threading.Event()

    def open_slowly(engine: object) -> None:
        begun.set()
        ended.wait(LIMIT)

    def work() -> None:
        with pytest.raises(StoreError, match="was in use when this process was forked"):
            store.sales()

    with sync.Store(tmp_path / "market.db") as store, ThreadPoolExecutor(1) as pool:
        store._sql.database._prepare = open_slowly
        opening = pool.submit(store.runs)
        assert begun.wait(LIMIT)
        child = forked(work)
        ended.set()
        assert has_succeeded(child)
        with pytest.raises(StoreError, match="no such table"):
            opening.result()


async def test_a_close_that_is_cancelled_before_it_has_a_thread_closes(tmp_path: Path) -> None:
    ended = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        asyncio.get_running_loop().set_default_executor(pool)
        store = scapi.Store(tmp_path / "market.db")
        await store.runs()
        with store._sql.database.reading() as connection:
            used = connection.connection.dbapi_connection
        pool.submit(ended.wait, LIMIT)
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        ended.set()
        assert used is not None
        with pytest.raises(Exception, match="closed"):
            used.cursor()
