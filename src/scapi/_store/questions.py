"""What people ask of a store: runs the statements, and makes records of their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from sqlalchemy import func, select

from scapi._store import statements
from scapi._store.inserting import insert_new
from scapi._store.rows import BookLot, Candle, Deal, Gap, ItemHealth, Sale, Stats
from scapi._store.schema import sale, told
from scapi._store.times import micros, moment
from scapi.enums import Quality
from scapi.models import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import RowMapping, Select

    from scapi._store.connection import Database
    from scapi._store.scope import Scope

R = TypeVar("R", bound=msgspec.Struct)

#: A Monday, at which weeks begin. Days and hours begin with it, too.
MONDAY = 4 * 86_400_000_000

decode = msgspec.json.Decoder().decode


class Questions:
    """The questions.

    Args:
        database: Whom to ask.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(self, scope: Scope, by: Sequence[str]) -> Listing[Sale]:
        """Return the newest sale of each group."""
        return self._ask(statements.latest(sales_of(scope), by), Sale)

    def sales(self, scope: Scope, limit: int | None) -> Listing[Sale]:
        """Return the sales, the newest first; with a limit, the listing knows how many there are in all."""
        found = self._ask(statements.sales(sales_of(scope), limit), Sale)
        if limit is None or len(found) < limit:
            return found
        with self._database.reading() as connection:
            total = connection.execute(
                select(func.count()).select_from(sale).where(*sales_of(scope).where())
            ).scalar_one()
        return Listing(found, total=total, limit=limit, model=Sale)

    def stats(self, scope: Scope, by: Sequence[str], *, per_piece: bool) -> Listing[Stats]:
        """Return what groups of sales come to."""
        postgres = self._database.is_postgres
        return self._ask(statements.stats(sales_of(scope), by, per_piece=per_piece, postgres=postgres), Stats)

    def candles(self, scope: Scope, width: timedelta, by: Sequence[str]) -> Listing[Candle]:
        """Return stretches of time that have sales."""
        length = round(width.total_seconds() * 1_000_000)
        return self._ask(statements.candles(sales_of(scope), length, MONDAY, by), Candle)

    def book(self, scope: Scope, at: datetime | None) -> Listing[BookLot]:
        """Return the lots on offer, the cheapest first."""
        return self._ask(statements.book(scope.regions, scope.items, None if at is None else micros(at)), BookLot)

    def deals(self, scope: Scope, *, below: float, fee: float, min_sales: int, recipient: str | None) -> Listing[Deal]:
        """Return lots that cost less than their own quality and level sells for, and note whom they are told."""
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
                named = ("region", "item", "key", "n")
                rows = [{**notes, **{name: row[name] for name in named}} for row in found]
                insert_new(connection, told, rows)
        return _listing(found, Deal)

    def gaps(self, scope: Scope) -> Listing[Gap]:
        """Return what lies between the spans of an item."""
        return self._ask(statements.gaps(scope.regions, scope.items), Gap)

    def health(self, scope: Scope) -> Listing[ItemHealth]:
        """Return how far each item is collected."""
        return self._ask(statements.health(scope.regions, scope.items, self._database.clock), ItemHealth)

    def _ask(self, statement: Select[Any], model: type[R]) -> Listing[R]:
        with self._database.reading() as connection:
            return _listing(connection.execute(statement).mappings(), model)


def sales_of(scope: Scope) -> statements.Sales:
    """Return the sales that a question is about."""
    since, until = (None if time is None else micros(time) for time in (scope.since, scope.until))
    return statements.Sales(scope.regions, scope.items, since, until)


def _listing(rows: Iterable[RowMapping | dict[str, Any]], model: type[R]) -> Listing[R]:
    # A value is made by what its column is, looked up once.
    makers = [(name, MAKERS.get(name)) for name in model.__struct_fields__]
    found = [model(**{name: _made(row[name], make) for name, make in makers}) for row in rows]
    return Listing(found, total=len(found), limit=len(found), model=model)


def _made(value: Any, make: Callable[[Any], Any] | None) -> Any:
    if make is None:
        return value
    if make is _details:
        return _details(value)
    return None if value is None else make(value)


def _details(text: str | None) -> dict[str, Any]:
    return decode(text) if text else {}


#: How the values of columns become those of records.
MAKERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("time", "newest", "oldest", "start_time", "end_time"), moment),
    **dict.fromkeys(("seen_at", "first_seen", "last_seen", "gone_at", "sales_at", "lots_at", "error_at"), moment),
    "quality": Quality,
    "additional": _details,
    "pieces": int,
}
