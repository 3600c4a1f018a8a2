"""The database connection: the engine, its transactions, and the differences between SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.util import immutabledict

from scapi._base import forks, validation
from scapi._base.extras import extra
from scapi._store import migrations, schema
from scapi._store.driver_sql import sqlite_of
from scapi.exceptions import ClosedError, StoreError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator

    from sqlalchemy import ColumnElement, Connection, Engine, Table

ALLOWED = "a file such as 'market.db', or a URL such as 'postgresql+psycopg://user@host/name'"

#: The driver for each URL scheme. Each database has exactly one supported driver.
DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}

#: How long a SQLite writer waits for another one, in seconds. A transaction takes a few milliseconds.
BUSY = 30.0

#: How long a connection to PostgreSQL may take, in seconds, unless the URL says otherwise. psycopg waits two minutes.
CONNECT_TIMEOUT = 10

INSTEAD = "fork while no call to it is in progress, or start the process with 'spawn'"

#: In the child of a fork: the SQLite files to which the parent had connections that were in use. See `about_to_fork`.
_stranded: set[Path] = set()


class Database:
    """The database of a store, opened on first use.

    Args:
        url: A file path for SQLite, or an SQLAlchemy URL.
        create: Whether to create the file and the tables if they are missing.
        clock: Returns the seconds since 1970.

    Raises:
        ValueError: The URL names an unsupported database.
        ImportError: The extra `postgres` is missing.
    """

    def __init__(self, url: str | os.PathLike[str], *, create: bool, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._create = create
        self._url = _url(url)
        self.is_postgres = self._url.get_backend_name() == "postgresql"
        if self.is_postgres:
            with extra("postgres"):
                import psycopg  # noqa: F401  # SQLAlchemy's own message doesn't say how to install it
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._closed = False
        #: The open connections to SQLite.
        self._connections: set[object] = set()
        #: The transactions that are open, or about to open a connection.
        self._transactions: set[object] = set()
        forks.reset_after_fork(self)

    def now(self) -> int:
        """Return the local time, in microseconds since 1970."""
        return round(self._clock() * 1_000_000)

    @property
    def clock(self) -> ColumnElement[int]:
        """The database's time, which all collectors share, in microseconds since 1970."""
        return schema.clock(postgres=self.is_postgres)

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Open a read transaction. Writers don't wait for it."""
        with self._transaction("BEGIN") as connection:
            if self.is_postgres:
                # PostgreSQL expects far more groups than there are, and compiles longer than a question then takes.
                connection.exec_driver_sql("SET LOCAL jit = off")
            yield connection

    @contextmanager
    def writing(self, lock: str | None = None) -> Generator[Connection]:
        """Open a write transaction. It is rolled back on an error.

        Args:
            lock: A lock name. Transactions with the same name run one after another. SQLite has only one writer at a
                time anyway.
        """
        with self._transaction("BEGIN IMMEDIATE", lock) as connection:
            yield connection

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT that supports ON CONFLICT."""
        return postgresql.insert(table) if self.is_postgres else sqlite.insert(table)

    def close(self) -> None:
        """Close all connections. Those in use are closed when their transactions end."""
        with self._lock:
            self._closed = True
            engine, self._engine = self._engine, None
        if engine is not None:
            _close_idle(engine)

    def about_to_fork(self) -> None:
        """Close the idle connections to SQLite.

        A child takes the locks of an inherited connection for its own, although only the parent holds them. Then the
        parent could remove a log that the child still writes to, and what the child writes would be lost.
        """
        engine = self._engine
        if engine is not None and not self.is_postgres:
            _close_idle(engine)

    def forked(self) -> None:
        """Start afresh in the child of a fork: the connections belong to the parent."""
        self._lock = threading.Lock()
        if not self.is_postgres and (self._connections or self._transactions):
            _stranded.add(Path(self._name).resolve())
        self._transactions.clear()
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose(close=False)

    @contextmanager
    def _transaction(self, begin: str, lock: str | None = None) -> Generator[Connection]:
        this = object()
        self._transactions.add(this)
        try:
            yield from self._begun(self._opened(), begin, lock)
        finally:
            self._transactions.discard(this)

    def _begun(self, engine: Engine, begin: str, lock: str | None) -> Generator[Connection]:
        try:
            with _as_store_errors(), engine.begin() as connection:
                if not self.is_postgres:
                    sqlite_of(connection).execute(begin)
                elif lock is not None:
                    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(lock, 0))))
                yield connection
        finally:
            if self._closed:
                _close_idle(engine)

    def _opened(self) -> Engine:
        with self._lock:
            if self._closed:
                raise ClosedError("the store is closed")
            if self._engine is None:
                with _as_store_errors(f"can't open the store {self._name}: "):
                    self._engine = self._connected()
            return self._engine

    @property
    def _name(self) -> str:
        """The file or URL for messages, without a password."""
        if self.is_postgres:
            return self._url._replace(password=None, query=immutabledict()).render_as_string()
        return self._url.database or ""

    def _connected(self) -> Engine:
        if self.is_postgres:
            url = self._url
            if "connect_timeout" not in url.query:
                url = url.update_query_dict({"connect_timeout": str(CONNECT_TIMEOUT)})
            engine = create_engine(url, hide_parameters=True, pool_pre_ping=True)
        else:
            if not self._create and not Path(self._name).exists():
                raise StoreError(f"there is no store at {self._name}")
            if Path(self._name).resolve() in _stranded:
                raise StoreError(f"the store {self._name} was in use when this process was forked: {INSTEAD}")
            engine = create_engine(self._url, hide_parameters=True, connect_args={"timeout": BUSY})
            event.listen(engine, "connect", self._set_up)
            event.listen(engine, "close", self._forget)
        try:
            self._prepare(engine)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _set_up(self, connection: Any, _record: object) -> None:
        """Set up an SQLite connection: only an explicit BEGIN opens a transaction, and readers never wait."""
        self._connections.add(connection)
        try:
            connection.isolation_level = None
            _switch_to_wal(connection)
            # If the machine crashes, the last transactions may be lost, but never only a part of one.
            connection.execute("PRAGMA synchronous = NORMAL")
            # The questions sort up to 100,000 sales, which go to a file if they don't fit in the cache of 2 MB.
            connection.execute("PRAGMA cache_size = -16384")
        except BaseException:
            connection.close()  # SQLAlchemy leaves it open
            self._connections.discard(connection)
            raise

    def _forget(self, connection: object, _record: object) -> None:
        self._connections.discard(connection)

    def _prepare(self, engine: Engine) -> None:
        with engine.begin() as connection:
            if migrations.is_ready(connection):
                return
        with engine.begin() as connection:
            if self.is_postgres:
                connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("scapi", 0))))
            else:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            migrations.migrate(connection, create=self._create)


def _url(value: str | os.PathLike[str]) -> URL:
    """Return the database URL. A `ValueError` doesn't show it, because it may contain a password."""
    if not isinstance(value, str) or "://" not in value:
        path = validation.path("url", value)
        if str(path) == ":memory:":
            raise ValueError("url must be a file: a store in memory would be another one for every connection")
        return URL.create(DRIVERS["sqlite"], database=str(path))
    try:
        url = make_url(value)
    except ArgumentError:
        raise ValueError(f"url must be {ALLOWED}") from None
    if url.drivername not in DRIVERS:
        raise ValueError(f"url must be {ALLOWED}, not one of {url.drivername!r}")
    if url.drivername.startswith("sqlite") and (url.database or ":memory:") == ":memory:":
        raise ValueError("url must be a file: a store in memory would be another one for every connection")
    return url.set(drivername=DRIVERS[url.drivername])


def _close_idle(engine: Engine) -> None:
    """Close the connections that are not in use.

    `Engine.dispose` also gives the engine another pool. The old one would keep the connections that are returned to it,
    until the garbage collector finds it.
    """
    engine.pool.dispose()


def _switch_to_wal(connection: Any) -> None:
    """Let readers and a writer work at the same time. The file keeps this mode.

    SQLite doesn't wait for another connection that switches at the same moment: it fails at once, whatever its timeout.
    """
    ends = time.monotonic() + BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise
            if time.monotonic() > ends:
                raise
        else:
            return
        time.sleep(0.01)


@contextmanager
def _as_store_errors(before: str = "") -> Generator[None]:
    """Raise errors of the database as `StoreError`, on one line and with a text before."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise StoreError(before + " ".join(str(cause).split())) from error
