"""Queries of a store: run the statements and turn their rows into records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import func, select

from scapi._store import statements
from scapi._store.conditions import Sales
from scapi._store.driver_sql import insert_new
from scapi._store.rows import BookLot, Candle, Deal, Gap, ItemHealth, Sale, Stats
from scapi._store.schema import received_deal, sale
from scapi._store.times import micros
from scapi._store.values import MONDAY, listing
from scapi.models import Listing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    import msgspec
    from sqlalchemy import Select

    from scapi._store.connection import Database
    from scapi._store.query_scope import QueryScope

R = TypeVar("R", bound="msgspec.Struct")


class Queries:
    """The queries of a store.

    Args:
        database: The database to query.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(self, scope: QueryScope, by: Sequence[str]) -> Listing[Sale]:
        """Return the newest sale of each group."""
        return self._ask(statements.latest(sales_of(scope), by), Sale)

    def sales(self, scope: QueryScope, limit: int | None) -> Listing[Sale]:
        """Return the sales, the newest first. The listing's `total` counts those beyond the limit too."""
        found = self._ask(statements.sales(sales_of(scope), limit), Sale)
        if limit is None or len(found) < limit:
            return found
        with self._database.reading() as connection:
            total = connection.execute(
                select(func.count()).select_from(sale).where(*sales_of(scope).where())
            ).scalar_one()
        return Listing(found, total=total, limit=limit, model=Sale)

    def stats(self, scope: QueryScope, by: Sequence[str], *, per_piece: bool) -> Listing[Stats]:
        """Return statistics of groups of sales."""
        postgres = self._database.is_postgres
        return self._ask(statements.stats(sales_of(scope), by, per_piece=per_piece, postgres=postgres), Stats)

    def candles(self, scope: QueryScope, width: timedelta, by: Sequence[str]) -> Listing[Candle]:
        """Return the candles of intervals with sales."""
        length = round(width.total_seconds() * 1_000_000)
        return self._ask(statements.candles(sales_of(scope), length, MONDAY, by), Candle)

    def book(self, scope: QueryScope, at: datetime | None) -> Listing[BookLot]:
        """Return the lots on offer, the cheapest first."""
        return self._ask(statements.book(scope.regions, scope.items, None if at is None else micros(at)), BookLot)

    def deals(
        self, scope: QueryScope, *, below: float, fee: float, min_sales: int, recipient: str | None
    ) -> Listing[Deal]:
        """Return lots below the usual price of their quality and level. Record them as received by the recipient."""
        statement = statements.deals(
            sales_of(scope),
            below=below,
            fee=fee,
            min_sales=min_sales,
            recipient=recipient,
            postgres=self._database.is_postgres,
        )
        if recipient is None:
            return self._ask(statement, Deal)
        with self._database.writing(f"deals/{recipient}") as connection:
            found = [dict(row) for row in connection.execute(statement).mappings()]
            if found:
                notes = {"recipient": recipient, "at": self._database.now()}
                names = received_deal.columns.keys()
                rows = [tuple(map((row | notes).__getitem__, names)) for row in found]
                insert_new(connection, received_deal, rows)
        return listing(found, Deal)

    def gaps(self, scope: QueryScope) -> Listing[Gap]:
        """Return the gaps between the spans of each item."""
        return self._ask(statements.gaps(scope.regions, scope.items), Gap)

    def health(self, scope: QueryScope) -> Listing[ItemHealth]:
        """Return the collection state of each item."""
        return self._ask(statements.health(scope.regions, scope.items, self._database.clock), ItemHealth)

    def _ask(self, statement: Select[Any], model: type[R]) -> Listing[R]:
        with self._database.reading() as connection:
            return listing(connection.execute(statement).mappings(), model)


def sales_of(scope: QueryScope) -> Sales:
    """Return the sales that a scope selects."""
    since, until = (None if time is None else micros(time) for time in (scope.since, scope.until))
    return Sales(scope.regions, scope.items, since, until)
