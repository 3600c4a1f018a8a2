"""The queries as SQL views, for other programs. Their times are SQL times, not integers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from scapi._store import statements
from scapi._store.conditions import Sales
from scapi._store.driver_sql import text_of
from scapi._store.schema import clan_member, clock, emission
from scapi._store.statements import GROUPS
from scapi._store.times import moment
from scapi._store.values import MAKERS, MONDAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection, Select

DAY = 86_400_000_000


def create(connection: Connection) -> None:
    """Create the views, which must not exist."""
    for definition in _definitions(connection.dialect.name):
        connection.exec_driver_sql(definition)


@cache
def _definitions(database: str) -> list[str]:
    """Return the statements that create the views. Compiling them takes longer than the rest of a new store."""
    postgres = database == "postgresql"
    return [
        f"CREATE VIEW market_{name} AS {text_of(_with_times(view, postgres=postgres), database, literals=True)}"
        for name, view in _views(postgres=postgres)
    ]


def _views(*, postgres: bool) -> Iterator[tuple[str, Select[Any]]]:
    by, now = tuple(GROUPS), clock(postgres=postgres)
    month, week = Sales(since=now - 30 * DAY), Sales(since=now - 7 * DAY)
    yield "sales", statements.sales(Sales(), None)
    yield "latest", statements.latest(Sales(), by)
    yield "stats", statements.stats(month, by, per_piece=False, postgres=postgres)
    yield "candles", statements.candles(Sales(), DAY, MONDAY, by)
    yield "book", statements.book(None, None, None)
    yield "deals", statements.deals(week, below=0.8, fee=0.05, min_sales=5, recipient=None, postgres=postgres)
    yield "gaps", statements.gaps(None, None)
    yield "health", statements.health(None, None, now)
    yield "emissions", select(emission)
    yield "clan_members", select(clan_member)


def _with_times(statement: Select[Any], *, postgres: bool) -> Select[Any]:
    """Return the same columns, with times in place of microseconds."""
    rows = statement.order_by(None).subquery()

    def time(column: ColumnElement[int]) -> ColumnElement[Any]:
        if postgres:
            return func.to_timestamp(column / 1_000_000.0)
        return func.strftime("%Y-%m-%dT%H:%M:%SZ", column // 1_000_000, "unixepoch")

    return select(*(time(c).label(c.name) if MAKERS.get(c.name) is moment else c for c in rows.c))
