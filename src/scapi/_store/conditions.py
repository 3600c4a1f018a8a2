"""Conditions of the queries: which regions, items and times they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, select

from scapi._store.schema import sale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Select, Table


class Sales(NamedTuple):
    """A selection of sales.

    Attributes:
        regions: Only these regions; `None` for all.
        items: Only these items; `None` for all.
        since: From this time on, in microseconds since 1970 or as an expression; `None` for all.
        until: Before this time; `None` for all.
    """

    regions: Sequence[str] | None = None
    items: Sequence[str] | None = None
    since: Any = None
    until: Any = None

    def where(self) -> list[ColumnElement[bool]]:
        """Return the conditions of the WHERE clause."""
        found = by_key(sale, self.regions, self.items)
        if self.since is not None:
            found.append(sale.c.time >= self.since)
        if self.until is not None:
            found.append(sale.c.time < self.until)
        return found


def within(columns: Any, regions: Sequence[str] | None, items: Sequence[str] | None) -> list[ColumnElement[bool]]:
    """Return the conditions for the rows of some regions and items; `None` for all."""
    found: list[ColumnElement[bool]] = []
    if regions is not None:
        found.append(columns.region.in_(regions))
    if items is not None:
        found.append(columns.item.in_(items))
    return found


def by_key(table: Table, regions: Sequence[str] | None, items: Sequence[str] | None) -> list[ColumnElement[bool]]:
    """Return the same conditions for a large table whose primary key begins with the region and the item.

    Without a region, SQLite would look for the items in the whole table.
    """
    found = within(table.c, regions, items)
    if regions is None and items is not None:
        found.append(table.c.region.in_(_every_region(table)))
    return found


def _every_region(table: Table) -> Select[Any]:
    """Return the regions of a table. Each is looked up as the next one in the key, so no other rows are read."""
    region = table.alias().c.region
    known = select(func.min(region).label("region")).cte(f"{table.name}_regions", recursive=True)
    following = select(func.min(region)).where(region > known.c.region).scalar_subquery()
    known = known.union_all(select(following).where(known.c.region.is_not(None)))
    return select(known.c.region).where(known.c.region.is_not(None))
