"""Run the statements that each page needs: they are compiled once, and the driver takes their values as they are.

SQLAlchemy takes longer to look up a compiled statement and to process values than SQLite takes to run it.
"""

from __future__ import annotations

from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, column, func, select
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from typing import TypeAlias

    from sqlalchemy import Connection, CursorResult, Delete, Insert, Select, Table

    Statement: TypeAlias = Select[Any] | Insert | Delete

COUNTED = {"preserve_rowcount": True}


def run(connection: Connection, statement: Statement, parameters: dict[str, Any]) -> CursorResult[Any]:
    """Run a statement that a module keeps as a constant.

    Args:
        connection: The transaction.
        statement: The statement. Its parameters need no conversion.
        parameters: Their values.
    """
    return connection.exec_driver_sql(_text(statement, connection.dialect.name), parameters)


@cache
def _text(statement: Statement, database: str) -> str:
    if database == "postgresql":
        dialect = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]  # SQLAlchemy's own
        return str(statement.compile(dialect=dialect))
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="named")))


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> int:
    """Insert the rows that don't exist yet. Return their number.

    Args:
        connection: The transaction.
        table: The table.
        rows: One or more rows with a value for each column.
    """
    if connection.dialect.name == "postgresql":
        values = {_parameter(each.name): [row[each.name] for row in rows] for each in table.columns}
        return connection.execute(_of_arrays(table), values).rowcount
    # SQLAlchemy would process each value, but the driver takes them as they are.
    pick = itemgetter(*(each.name for each in table.columns))
    return connection.exec_driver_sql(_of_rows(table), list(map(pick, rows)), execution_options=COUNTED).rowcount


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
