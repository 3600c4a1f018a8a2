"""A budget in a table of a real PostgreSQL, and everything that may happen to that."""

from __future__ import annotations

import logging
import pickle
import sys
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from scapi import sync
from scapi._primitives.postgres_budget import BEGIN
from scapi.pacing import PostgresBudget
from tests.support.shared_budgets import SOON, connect, start, until, warnings_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.socket


class Victim:
    """A database that a test may harm, and a connection to another one of the same server."""

    def __init__(self, url: str, admin: psycopg.Connection) -> None:
        self.admin = admin
        # The URL of a store, which names a driver of SQLAlchemy's.
        self.url = url.replace("/postgres?", "/victim?")
        self.target = self.url.replace("+psycopg", "")

    def budget(self, timeout: float = SOON) -> PostgresBudget:
        return PostgresBudget(self.url, timeout=timeout)

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.target, autocommit=True)

    def disconnect_all(self) -> None:
        self.admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'victim'")


@pytest.fixture(scope="module")
def postgres_url(postgres_server: Callable[[], str]) -> str:
    return postgres_server().partition("&options=")[0]


@pytest.fixture
def victim(postgres_url: str) -> Iterator[Victim]:
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute("CREATE DATABASE victim")
        try:
            yield Victim(postgres_url, admin)
        finally:
            admin.execute("DROP DATABASE victim WITH (FORCE)")


def test_a_table_is_made_that_holds_no_secret_and_forgets_old_keys(victim: Victim) -> None:
    fake = start()
    with victim.connect() as admin:
        with connect(fake, victim.budget()) as client:
            client.emission()
        rows = admin.execute("SELECT name, state FROM scapi_budget").fetchall()
        assert len(rows) == 1
        assert rows[0][0].startswith("scapi:")
        assert fake.app_token.encode() not in rows[0][0].encode() + rows[0][1]
        admin.execute("INSERT INTO scapi_budget VALUES ('scapi:old', '', now() - interval '2 days')")
        # A process that leaves cleans up.
        steps = victim.budget()._steps("another")
        steps.take({"me": "a", "lease": 1, "length": 1, "costs": 0, "reports": [], "bye": True})
        steps.close()
        names = {row[0] for row in admin.execute("SELECT name FROM scapi_budget")}
        assert names == {rows[0][0], "scapi:another"}


def test_a_user_who_may_not_create_a_table_uses_one_that_is_there(victim: Victim) -> None:
    fake = start()
    with victim.connect() as admin, connect(fake, victim.budget()) as client:
        client.emission()
        admin.execute("CREATE ROLE modest LOGIN")
        try:
            admin.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON scapi_budget TO modest")
            admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            modest = PostgresBudget(victim.url.replace("scapi@", "modest@"), timeout=SOON)
            with connect(fake, modest) as other:
                other.emission()
                assert other.ratelimit.remaining == 398
        finally:
            admin.execute("DROP OWNED BY modest")
            admin.execute("DROP ROLE modest")


def test_clients_with_such_a_budget_are_pickled_without_showing_the_url(victim: Victim) -> None:
    budget = PostgresBudget(victim.url.replace("scapi@", "scapi:sesame@"), timeout=SOON)
    fake = start()
    packed = pickle.dumps(sync.AppClient(token=fake.app_token, budget=budget))
    assert b"sesame" not in packed
    assert "sesame" not in repr(budget)
    with connect(fake, pickle.loads(packed)._session.settings.budget) as copy, connect(fake, budget) as client:
        copy.emission()
        client.emission()
        assert client.ratelimit.remaining == 398


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("http://user:sesame@host", {}, "url must be"),
        ("sqlite:///sesame", {}, "url must be"),
        ("postgresql://user:sesame@host/name?nothing=1", {}, "url must be"),
        ("postgresql://host", {"share": 0}, "share must be"),
        ("postgresql://host", {"timeout": 0}, "timeout must be"),
        ("postgresql://host", {"prefix": ""}, "prefix must be"),
    ],
)
def test_wrong_arguments_are_refused_without_showing_a_password(url: str, options: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        PostgresBudget(url, **options)
    assert "sesame" not in str(error.value)


def test_without_psycopg_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ImportError, match=r"\[postgres\]"):
        PostgresBudget("postgresql://host")


# ── in bad health ─────────────────────────────────────────────────────────────────────────────────────────────────────


def harm_by_disconnecting(victim: Victim, stack: ExitStack) -> None:
    victim.admin.execute("ALTER DATABASE victim ALLOW_CONNECTIONS false")
    victim.disconnect_all()
    stack.callback(victim.admin.execute, "ALTER DATABASE victim ALLOW_CONNECTIONS true")


def harm_by_reading_only(victim: Victim, stack: ExitStack) -> None:
    victim.admin.execute("ALTER DATABASE victim SET default_transaction_read_only = on")
    victim.disconnect_all()

    def mend() -> None:
        victim.admin.execute("ALTER DATABASE victim RESET default_transaction_read_only")
        victim.disconnect_all()

    stack.callback(mend)


def harm_by_locking(victim: Victim, stack: ExitStack) -> None:
    other = stack.enter_context(victim.connect())
    stack.enter_context(other.transaction())
    other.execute("LOCK TABLE scapi_budget IN ACCESS EXCLUSIVE MODE")


def harm_by_another_table(victim: Victim, stack: ExitStack) -> None:
    with victim.connect() as other:
        other.execute("ALTER TABLE scapi_budget RENAME COLUMN state TO something_else")

    def mend() -> None:
        with victim.connect() as other:
            other.execute("DROP TABLE scapi_budget")

    stack.callback(mend)


@pytest.mark.parametrize("harm", [harm_by_disconnecting, harm_by_reading_only, harm_by_locking, harm_by_another_table])
def test_calls_go_on_without_postgresql_and_share_again_when_it_is_back(
    victim: Victim, harm: Callable[[Victim, ExitStack], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "scapi")
    fake = start(limit=4000)
    with connect(fake, victim.budget(0.5)) as client, connect(fake, victim.budget(0.5)) as other:
        client.emission()
        other.emission()
        with ExitStack() as stack:
            harm(victim, stack)
            for _ in range(10):
                client.emission()
        assert len(fake.requests) == 12
        until(lambda: client.emission() and warnings_in(caplog))

        def is_back() -> bool:
            client.emission()
            return any("PostgreSQL is back" in record.getMessage() for record in caplog.records)

        until(is_back)
        other.emission()
        until(
            lambda: (other.emission(), client.ratelimit.remaining == 4000 - len(fake.requests))[1] or client.emission()
        )
    assert not [record for record in caplog.records if record.exc_info]


def test_a_table_that_was_dropped_is_made_again(victim: Victim, caplog: pytest.LogCaptureFixture) -> None:
    fake = start()
    with victim.connect() as admin, connect(fake, victim.budget()) as client:
        for _ in range(3):
            client.emission()
            admin.execute("DROP TABLE scapi_budget")
        client.emission()
        # A new table knows no points until the report of a call arrives, which is a step of its own.
        until(lambda: client.ratelimit.remaining == 396)
    assert warnings_in(caplog) == []


def test_a_process_that_stops_in_the_middle_of_a_step_holds_the_others_for_its_timeout(victim: Victim) -> None:
    fake = start()
    with victim.connect() as admin, connect(fake, victim.budget()) as client:
        client.emission()
        name = admin.execute("SELECT name FROM scapi_budget").fetchall()[0][0]
        with closing(psycopg.connect(victim.target, autocommit=True, cursor_factory=psycopg.ClientCursor)) as stopped:
            stopped.execute(BEGIN, {"name": name, "timeout": 300})
            began = time.monotonic()
            client.emission()
            assert time.monotonic() - began < SOON / 2
        # It wasn't its share of the points that let the call go.
        assert client.ratelimit.remaining == 398


def test_a_postgresql_that_isnt_there_costs_nothing_but_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    fake = start()
    with connect(fake, PostgresBudget("postgresql:///name?host=/nowhere/to/be/found")) as client:
        for _ in range(10):
            client.emission()
    assert len(fake.requests) == 10
    assert len(warnings_in(caplog)) == 1
