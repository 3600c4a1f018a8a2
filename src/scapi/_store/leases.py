"""State that collectors share: leases of items, due times, and runs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select, update

from scapi._store.rows import ItemState, Place, Run, Span
from scapi._store.schema import item_state, run, sale, span
from scapi._store.times import micros, moment
from scapi.exceptions import LeaseLostError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, RowMapping

    from scapi._store.connection import Database
    from scapi._store.rows import ItemChange

#: One lock for all leases: transactions that take the same leases in a different order would deadlock.
LOCK = "leases"


class Leases:
    """The leases and states of items, and the runs of collectors.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, owner: str, places: Iterable[Place], seconds: float) -> list[Place]:
        """Take the free leases and renew the owner's own. Return what the owner holds now."""
        until = self._database.clock + round(seconds * 1_000_000)
        taken = self._database.insert(item_state)
        statement = taken.on_conflict_do_update(
            index_elements=["region", "item"],
            set_={"owner": taken.excluded.owner, "leased_until": until},
            where=or_(
                item_state.c.owner.is_(None),
                item_state.c.owner == taken.excluded.owner,
                item_state.c.leased_until < self._database.clock,
            ),
        )
        got: list[Place] = []
        with self._database.writing(LOCK) as connection:
            for place in sorted(set(places)):
                values = {**place._asdict(), "owner": owner, "leased_until": until, "failures": 0}
                if connection.execute(statement.values(values).returning(item_state.c.item)).first():
                    got.append(place)
        return got

    def renew(self, owner: str, seconds: float) -> list[Place]:
        """Renew all leases that the owner still holds, and return them."""
        statement = (
            update(item_state)
            .where(item_state.c.owner == owner, item_state.c.leased_until >= self._database.clock)
            .values(leased_until=self._database.clock + round(seconds * 1_000_000))
            .returning(item_state.c.region, item_state.c.item)
        )
        with self._database.writing(LOCK) as connection:
            return sorted(Place(*row) for row in connection.execute(statement))

    def release(self, owner: str, places: Iterable[Place] | None) -> None:
        """Release leases: the given ones, or all of the owner's."""
        statement = update(item_state).where(item_state.c.owner == owner).values(owner=None, leased_until=None)
        with self._database.writing(LOCK) as connection:
            if places is None:
                connection.execute(statement)
            for region, item in places or ():
                connection.execute(statement.where(item_state.c.region == region, item_state.c.item == item))

    def states(self, regions: Iterable[str] | None, items: Iterable[str] | None) -> list[ItemState]:
        """Return the states of items."""
        statement = select(item_state).order_by(item_state.c.region, item_state.c.item)
        if regions is not None:
            statement = statement.where(item_state.c.region.in_(list(regions)))
        if items is not None:
            statement = statement.where(item_state.c.item.in_(list(items)))
        with self._database.reading() as connection:
            return [ItemState(**_times(row, STATE_TIMES)) for row in connection.execute(statement).mappings()]

    def change(self, place: Place, owner: str | None, change: ItemChange) -> None:
        """Change the state of an item."""
        with self._database.writing(f"{place.region}/{place.item}") as connection:
            fence(self._database, connection, place, owner)
            change_item(self._database, connection, place, change)

    def spans(self, place: Place) -> list[Span]:
        """Return the spans of an item, the newest first."""
        statement = (
            select(span).where(span.c.region == place.region, span.c.item == place.item).order_by(span.c.newest.desc())
        )
        with self._database.reading() as connection:
            return [Span(**_times(row, {"newest", "oldest"})) for row in connection.execute(statement).mappings()]

    def count_newer(self, place: Place, time: datetime) -> int:
        """Return the number of sales of an item that are newer than a time."""
        newer = (sale.c.region == place.region, sale.c.item == place.item, sale.c.time > micros(time))
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(sale).where(*newer)).scalar_one()

    def write_run(self, owner: str, rows: int, failures: int, *, ended: bool) -> None:
        """Write the progress of a run."""
        now = self._database.now()
        values = {"seen_at": now, "rows": rows, "failures": failures, "ended": now if ended else None}
        statement = self._database.insert(run).values(owner=owner, began=now, **values)
        with self._database.writing() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["owner"], set_=values))

    def runs(self, limit: int) -> list[Run]:
        """Return the last runs, the newest first."""
        statement = select(run).order_by(run.c.began.desc(), run.c.owner).limit(limit)
        with self._database.reading() as connection:
            return [Run(**_times(row, RUN_TIMES)) for row in connection.execute(statement).mappings()]


def fence(database: Database, connection: Connection, place: Place, owner: str | None) -> None:
    """Raise `LeaseLostError` if an owner is given and no longer holds the lease of the item."""
    if owner is None:
        return
    held = select(item_state.c.owner).where(
        item_state.c.region == place.region,
        item_state.c.item == place.item,
        item_state.c.owner == owner,
        item_state.c.leased_until >= database.clock,
    )
    if connection.execute(held).first() is None:
        raise LeaseLostError(f"{owner} has no lease of {place.item} in {place.region} any more")


def change_item(database: Database, connection: Connection, place: Place, change: ItemChange) -> None:
    """Change the state of an item within an open transaction."""
    if not change:
        return
    values = {name: micros(value) if isinstance(value, datetime) else value for name, value in change.items()}
    statement = database.insert(item_state).values({**place._asdict(), "failures": 0, **values})
    connection.execute(statement.on_conflict_do_update(index_elements=["region", "item"], set_=values))


STATE_TIMES = {
    *("sales_at", "lots_at", "looked_at"),
    *("next_sales", "next_lots", "next_look"),
    *("error_at", "leased_until"),
}
RUN_TIMES = {"began", "ended", "seen_at"}


def _times(row: RowMapping, names: set[str]) -> dict[str, Any]:
    """Return the values of a row, with the named columns as `datetime`."""
    return {name: moment(value) if name in names and value is not None else value for name, value in row.items()}
