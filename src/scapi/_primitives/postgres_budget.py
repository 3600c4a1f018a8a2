"""A budget in a table of PostgreSQL for all processes and machines that use a key."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from scapi._base import forks
from scapi._base.extras import extra
from scapi._base.secrets import Secret
from scapi._primitives.shared_budgets import SharedBudgets
from scapi._ratelimit import shared_state
from scapi._ratelimit.shared_step import step

if TYPE_CHECKING:
    from typing import LiteralString

    import psycopg

    from scapi._primitives.shared_budgets import Steps
    from scapi._ratelimit.shared_messages import Grant, Reply

#: The schemes of URLs, with what SQLAlchemy calls the same driver.
SCHEMES = ("postgresql://", "postgres://", "postgresql+psycopg://")

#: The state is worth nothing after a crash: each process tells what it holds with its next step. So nothing is logged.
CREATE = """
BEGIN;
SELECT pg_advisory_xact_lock(hashtextextended('scapi_budget', 0));
CREATE UNLOGGED TABLE IF NOT EXISTS scapi_budget
  (name text PRIMARY KEY, state bytea NOT NULL, used_at timestamptz NOT NULL);
COMMIT
"""

#: One round trip. The lock needs no row, and the clock is read after it was taken. A process that stops before the end
#: is disconnected, so that the others don't wait for it.
BEGIN = """
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL lock_timeout = %(timeout)s;
SET LOCAL idle_in_transaction_session_timeout = %(timeout)s;
SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0));
SELECT state FROM scapi_budget WHERE name = %(name)s;
SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)
"""

WRITE = """
INSERT INTO scapi_budget (name, state, used_at) VALUES (%(name)s, %(state)s, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET state = excluded.state, used_at = excluded.used_at;
COMMIT
"""

#: A process that leaves removes the budgets of keys that nobody has used for a day.
FORGET = "DELETE FROM scapi_budget WHERE used_at < clock_timestamp() - interval '1 day'"

#: The connections of a parent process: the child of a fork must neither use nor close them.
_of_parents: list[object] = []


class PostgresBudget(SharedBudgets):
    """A budget that all processes and machines on a key share, in a table of PostgreSQL (extra `postgres`).

    It does the same as `RedisBudget` where there is a PostgreSQL and no Redis. A step takes two round trips in place of
    one, and steps of the same key run one after another. The table is called `scapi_budget` and is created if it is
    missing.

    Args:
        url: `postgresql://user@host/name`, as libpq takes it, or the URL of a store in PostgreSQL.
        prefix: The prefix of the names in the table. Budgets with different prefixes are independent.
        share: The part of the points that each process spends while PostgreSQL is unavailable, above 0 to 1. `None`:
            an equal part among the processes that were last seen, or an eighth if there were none.
        timeout: Seconds without a reply after which PostgreSQL counts as unavailable, above 0.

    Raises:
        ImportError: psycopg isn't installed.
        ValueError: An argument is invalid. The URL isn't shown, because it may contain a password.
    """

    _database = "PostgreSQL"

    def __init__(
        self, url: str | Secret, *, prefix: str = "scapi", share: float | None = None, timeout: float = 1.0
    ) -> None:
        super().__init__(prefix=prefix, share=share, timeout=timeout)
        self._url = Secret.of(url)
        self._target = _checked(self._url)

    def _steps(self, name: str) -> Steps:
        return _PostgresSteps(self._target, f"{self._prefix}:{name}", self._timeout)

    def __reduce__(self) -> tuple[Any, ...]:
        # Worker processes need working clients, so the pickle contains the URL, but never in clear text.
        return _unpickle, (self._url, self._prefix, self._share, self._timeout)


class _PostgresSteps:
    """The steps of one budget: each reads the state of its row, changes it, and writes it back under one lock."""

    def __init__(self, url: Secret, name: str, timeout: float) -> None:
        self._url = url
        self._name = name
        self._timeout = timeout
        self._connection: psycopg.Connection | None = None
        forks.reset_after_fork(self)

    def forked(self) -> None:
        """Start afresh in the child of a fork: the connection belongs to the parent."""
        if self._connection is not None:
            _of_parents.append(self._connection)
            self._connection = None

    def take(self, request: dict[str, Any]) -> tuple[Reply, list[Grant]]:
        try:
            state, now = self._begin()
            reply = step(state, request, now)
            self._execute(WRITE, name=self._name, state=shared_state.write(state))
            if request["bye"]:
                self._execute(FORGET)
        except BaseException:
            self.close()  # which also releases the lock
            raise
        return reply

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _begin(self) -> tuple[shared_state.State, int]:
        """Lock the budget, and return its state and the database's time in milliseconds."""
        from psycopg.errors import UndefinedTable

        told = {"name": self._name, "timeout": math.ceil(self._timeout * 1000)}
        try:
            results = self._execute(BEGIN, **told)
        except UndefinedTable:
            self._execute("ROLLBACK")
            self._execute(CREATE)
            results = self._execute(BEGIN, **told)
        *_, states, times = results
        return shared_state.read(states[0][0] if states else None), times[0][0]

    def _execute(self, text: LiteralString, **values: object) -> list[list[Any]]:
        """Send some statements at once. Return the rows of those that return any."""
        if self._connection is None:
            self._connection = _connect(self._url, self._timeout)
        cursor = self._connection.execute(text, values or None)
        found: list[list[Any]] = []
        while True:
            if cursor.description is not None:
                found.append(cursor.fetchall())
            if not cursor.nextset():
                return found


def _connect(url: Secret, timeout: float) -> psycopg.Connection:
    import psycopg

    # Its own cursors send several statements in one message, and prepare none: a pooler may stand in between.
    return psycopg.connect(
        url.reveal(),
        autocommit=True,
        cursor_factory=psycopg.ClientCursor,
        connect_timeout=math.ceil(timeout),
        fallback_application_name="scapi",
        # An answer that never comes must not hold the thread for the hours that a system waits by default.
        tcp_user_timeout=math.ceil(timeout * 4000),
    )


def _checked(url: Secret) -> Secret:
    """Return a URL for libpq. A `ValueError` doesn't show it, because it may contain a password."""
    with extra("postgres"):
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    allowed = ValueError("url must be postgresql://user@host/name, as libpq takes it")
    if not url.reveal().startswith(SCHEMES):
        raise allowed
    target = Secret(f"postgresql://{url.reveal().partition('://')[2]}")
    try:
        conninfo_to_dict(target.reveal())
    except ProgrammingError:
        raise allowed from None
    return target


def _unpickle(url: Secret, prefix: str, share: float | None, timeout: float) -> PostgresBudget:
    return PostgresBudget(url, prefix=prefix, share=share, timeout=timeout)
