"""Create a store, or migrate an older one to the current schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, inspect, select, update

from scapi._store import schema, views
from scapi.exceptions import StoreError, StoreVersionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection

#: The step from each older version to the next one.
STEPS: Mapping[int, Callable[[Connection], None]] = {}


def is_ready(connection: Connection) -> bool:
    """Return whether a store has the current schema.

    Raises:
        StoreVersionError: A newer release of the library created it.
    """
    version = _version(connection)
    if version is not None and version > schema.VERSION:
        raise StoreVersionError(
            f"the store has version {version} of the schema, and this release of scapi knows {schema.VERSION}: "
            "update scapi to use it"
        )
    return version == schema.VERSION


def migrate(connection: Connection, *, create: bool) -> None:
    """Create the schema, or migrate an older one, within an open transaction.

    Args:
        connection: The connection. The caller holds the migration lock.
        create: Whether to create a store if there is none.

    Raises:
        StoreError: There is no store, or the database has foreign tables with the same names.
    """
    version = _version(connection)
    if version is None:
        if not create:
            raise StoreError("the database holds no store")
        taken = sorted(set(inspect(connection).get_table_names()) & schema.metadata.tables.keys())
        if taken:
            raise StoreError(f"the database has tables of others by the name of {', '.join(taken)}: use another one")
        schema.metadata.create_all(connection, checkfirst=False)
        views.create(connection)
        connection.execute(insert(schema.version).values(version=schema.VERSION))
        return
    for step in range(version, schema.VERSION):
        STEPS[step](connection)
    connection.execute(update(schema.version).values(version=schema.VERSION))


def _version(connection: Connection) -> int | None:
    if not inspect(connection).has_table(schema.version.name):
        return None
    found: int = connection.execute(select(schema.version.c.version)).scalar_one()
    return found
