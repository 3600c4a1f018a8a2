"""Run the statements that each page needs: they are compiled once, and the driver takes their values as they are.

SQLAlchemy takes longer to prepare a statement and its result than SQLite takes to run it. So those of SQLite go to its
driver directly. PostgreSQL takes longer anyway, and there SQLAlchemy has to know when a connection is lost.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import bindparam, column, func, select
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from typing import TypeAlias

    from sqlalchemy import Connection, Delete, Insert, Select, Table

    Statement: TypeAlias = Select[Any] | Insert | Delete
    #: The values of a row, in the order of its table's columns.
    Values: TypeAlias = tuple[Any, ...]


def sqlite_of(connection: Connection) -> sqlite3.Connection:
    """Return the driver's connection of a transaction in SQLite."""
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def run(connection: Connection, statement: Statement, parameters: dict[str, Any]) -> Iterable[Any]:
    """Run a statement that a module keeps as a constant. Return the rows that it finds.

    Args:
        connection: The transaction.
        statement: The statement. Its parameters need no conversion.
        parameters: Their values.
    """
    text = _kept_text(statement, connection.dialect.name)
    if connection.dialect.name == "postgresql":
        return connection.exec_driver_sql(text, parameters)
    return sqlite_of(connection).execute(text, parameters)


def text_of(statement: Statement, database: str, *, literals: bool = False) -> str:
    """Return a statement as the driver of a database takes it.

    Args:
        statement: The statement.
        database: The name of the database, `sqlite` or `postgresql`.
        literals: Whether to write values into the text, not parameters.
    """
    options = {"literal_binds": literals}
    if database == "postgresql":
        dialect = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]  # SQLAlchemy's own
        return str(statement.compile(dialect=dialect, compile_kwargs=options))
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="named"), compile_kwargs=options))


_kept_text = cache(text_of)


def insert_new(connection: Connection, table: Table, rows: list[Values]) -> int:
    """Insert the rows that don't exist yet. Return their number.

    Args:
        connection: The transaction.
        table: The table.
        rows: One or more rows.
    """
    if connection.dialect.name == "postgresql":
        columns = map(list, zip(*rows, strict=True))
        values = {_parameter(each.name): column for each, column in zip(table.columns, columns, strict=True)}
        return connection.execute(_of_arrays(table), values).rowcount
    return sqlite_of(connection).executemany(_of_rows(table), rows).rowcount


@cache
def _of_rows(table: Table) -> str:
    """Return the statement that SQLite runs for each row."""
    dialect = sqlite.dialect(paramstyle="qmark")
    return str(sqlite.insert(table).on_conflict_do_nothing().compile(dialect=dialect))


@cache
def _of_arrays(table: Table) -> postgresql.Insert:
    """Return the statement that PostgreSQL runs once for all rows. Each column is an array parameter."""
    arrays = [bindparam(_parameter(each.name), type_=postgresql.ARRAY(each.type)) for each in table.columns]
    rows = func.unnest(*arrays).table_valued(*(column(each.name, each.type) for each in table.columns)).render_derived()
    names = [each.name for each in table.columns]
    chosen = select(*(rows.c[name] for name in names))
    return postgresql.insert(table).from_select(names, chosen).on_conflict_do_nothing()


def _parameter(name: str) -> str:
    return f"{name}_values"
