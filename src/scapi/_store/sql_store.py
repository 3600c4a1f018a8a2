"""The synchronous implementation of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scapi._base import atomic
from scapi._store.connection import Database
from scapi._store.export_import import Export, Import, Prune
from scapi._store.leases import Leases
from scapi._store.queries import Queries, sales_of
from scapi._store.report import read
from scapi._store.report_page import render
from scapi._store.writing import Writing

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from scapi._store.query_scope import QueryScope


class SqlStore:
    """The synchronous implementation of a store on one database.

    Args:
        url: See `Database`.
        create: See `Database`.
        clock: See `Database`.
    """

    def __init__(self, url: str | os.PathLike[str], *, create: bool, clock: Callable[[], float]) -> None:
        self.database = Database(url, create=create, clock=clock)
        self.writing = Writing(self.database)
        self.leases = Leases(self.database)
        self.queries = Queries(self.database)

    def export(self, path: Path, scope: QueryScope) -> Export:
        """Begin an export of sales to a file."""
        return Export(self.database, path, sales_of(scope))

    def import_(self, path: Path) -> Import:
        """Begin an import of a file."""
        return Import(self.database, path)

    def write_report(
        self, path: Path, scope: QueryScope, since: datetime, until: datetime, names: Mapping[str, str]
    ) -> None:
        """Write a report to a file, atomically."""
        place = atomic.place(path)
        report = read(self.queries, self.leases, scope, since, until)
        atomic.write(place, render(report, names).encode())

    def prune(self, before: int) -> Prune:
        """Begin to remove rows older than a time."""
        return Prune(self.database, before)
