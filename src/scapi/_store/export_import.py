"""Export and import sales, and prune old rows, in portions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, or_, select, tuple_, update

from scapi._store import formats
from scapi._store.driver_sql import insert_new
from scapi._store.rows import Place
from scapi._store.schema import lot, lot_sample, received_deal, run, sale, span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import ColumnElement, Connection, Table

    from scapi._store.conditions import Sales
    from scapi._store.connection import Database

#: Rows in a portion. Its transaction takes some tens of milliseconds, so a collector hardly waits.
PORTION = 5_000

KEY = [sale.c[name] for name in ("region", "item", "time", "key", "n")]


class Export:
    """An export in progress. Sales that are written to the store meanwhile may or may not be in the file.

    Args:
        database: The database to read.
        path: The file to write. Its suffix selects the format.
        which: The sales to export.

    Raises:
        ValueError: The file has an unknown suffix.
        ImportError: The extra `arrow` is missing.
        OSError: The file can't be written.
    """

    def __init__(self, database: Database, path: Path, which: Sales) -> None:
        self._database = database
        self._which = which
        self._after: tuple[Any, ...] | None = None
        self._writer = formats.writer(path)
        self.rows = 0

    def more(self) -> bool:
        """Write the next portion. Return whether more may follow."""
        statement = select(*sale.c).where(*self._which.where()).order_by(*KEY).limit(PORTION)
        if self._after is not None:
            statement = statement.where(tuple_(*KEY) > self._after)
        with self._database.reading() as connection:
            rows = [dict(row) for row in connection.execute(statement).mappings()]
        if rows:
            self._writer.write(rows)
            self._after = tuple(rows[-1][column.name] for column in KEY)
        self.rows += len(rows)
        return len(rows) == PORTION

    def finish(self) -> None:
        """Move the finished file to its place."""
        self._writer.finish()

    def discard(self) -> None:
        """Remove the file unless it is finished."""
        self._writer.discard()


class Import:
    """An import in progress.

    Args:
        database: The database to write.
        path: A file that an export wrote.

    Raises:
        ValueError: The file has an unknown suffix.
        ImportError: The extra `arrow` is missing.
        OSError: The file can't be read.
    """

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._portions: Iterator[list[dict[str, Any]]] = formats.portions(path, PORTION)
        self.new = 0

    def more(self) -> bool:
        """Write the next portion. Return whether more may follow.

        Raises:
            ValueError: A row isn't from an export. Nothing of its portion was written.
        """
        rows = next(self._portions, None)
        if rows is None:
            return False
        # All writers use this order, so they can't deadlock.
        rows.sort(key=lambda row: tuple(row[column.name] for column in KEY))
        with self._database.writing() as connection:
            self.new += insert_new(connection, sale, [tuple(row[each.name] for each in sale.columns) for row in rows])
        return True


class Prune:
    """A removal of old rows in progress.

    Args:
        database: The database to prune.
        before: Remove rows older than this, in microseconds since 1970.
    """

    def __init__(self, database: Database, before: int) -> None:
        self._database = database
        self._before = before
        self._places: list[Place] | None = None
        self.rows = 0

    def more(self) -> bool:
        """Remove the next portion. Return whether more may follow."""
        if self._places is None:
            with self._database.reading() as connection:
                old = select(sale.c.region, sale.c.item).where(sale.c.time < self._before).distinct()
                self._places = [Place(*row) for row in connection.execute(old)]
        if self._places:
            self._prune_sales(self._places[-1])
            return True
        return self._prune_others()

    def _prune_sales(self, place: Place) -> None:
        assert self._places is not None  # set by `more`
        here = and_(sale.c.region == place.region, sale.c.item == place.item, sale.c.time < self._before)
        times = select(sale.c.time).where(here).order_by(sale.c.time)
        with self._database.writing(f"{place.region}/{place.item}") as connection:
            first = connection.scalar(times.limit(1))
            if first is None:
                self._places.pop()
                return
            bound = connection.scalar(times.offset(PORTION).limit(1))
            # Sales with the same time are removed together, however many there are.
            end = self._before if bound is None else max(bound, first + 1)
            self.rows += connection.execute(delete(sale).where(here, sale.c.time < end)).rowcount
            _shorten(connection, place, end)

    def _prune_others(self) -> bool:
        old: list[tuple[Table, ColumnElement[bool]]] = [
            (lot, lot.c.gone_at < self._before),
            (lot_sample, lot_sample.c.at < self._before),
            (received_deal, received_deal.c.at < self._before),
            (run, or_(run.c.ended < self._before, run.c.seen_at < self._before)),
        ]
        removed = 0
        for table, condition in old:
            key = list(table.primary_key.columns)
            some = select(*key).where(condition).limit(PORTION)
            with self._database.writing() as connection:
                removed += connection.execute(delete(table).where(tuple_(*key).in_(some))).rowcount
        self.rows += removed
        return removed > 0


def _shorten(connection: Connection, place: Place, end: int) -> None:
    """Cut the time before `end` out of an item's spans."""
    here = and_(span.c.region == place.region, span.c.item == place.item)
    connection.execute(delete(span).where(here, span.c.newest < end))
    connection.execute(update(span).where(here, span.c.oldest < end - 1).values(oldest=end - 1))
