"""The store of sales and lots in a database."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Unpack

from scapi._async.store_queries import StoreQueries, place_of, region_of
from scapi._base import validation
from scapi._base.extras import extra
from scapi._base.formatting import shifted
from scapi._primitives import aio
from scapi._store import times

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime, timedelta

    from scapi._store.reading import LotsPiece, SalesPiece
    from scapi._store.rows import ItemChange, ItemState, Place, Run, Span
    from scapi._store.write_results import ClanChange, Written, WrittenLots
    from scapi.enums import Region, RegionLike
    from scapi.models import ClanMember, EmissionState


class Store(StoreQueries):
    """A store of sales and lots in SQLite or PostgreSQL. Needs the extra `store`.

    It opens on first use, and creates or migrates its tables automatically. Any number of tasks, threads and processes
    may use one store at once. Readers don't wait for writers.

    Args:
        url: A file such as `"market.db"` for SQLite, or a URL such as `"postgresql+psycopg://user@host/name"`, which
            needs the extra `postgres`.
        create: Whether to create the file and the tables if they are missing. Otherwise a missing store is an error.
        clock: Returns the seconds since 1970, for `seen_at` and for times such as `"7d"`.

    Raises:
        ImportError: The extra `store` or `postgres` is missing.
        ValueError: `url` is neither a file nor the URL of a supported database.
    """

    __module__ = aio.PUBLIC

    def __init__(
        self, url: str | os.PathLike[str], *, create: bool = True, clock: Callable[[], float] = time.time
    ) -> None:
        with extra("store"):
            from scapi._store.sql_store import SqlStore
        self._sql = SqlStore(url, create=validation.flag("create", create), clock=clock)

    async def close(self) -> None:
        """Close all connections to the database."""
        try:
            await aio.to_thread(self._sql.database.close)
        finally:
            self._sql.database.close()  # if the call was interrupted before it began

    # ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def write_sales(
        self,
        region: Region | str,
        item: str,
        piece: SalesPiece,
        *,
        owner: str | None = None,
        **change: Unpack[ItemChange],
    ) -> Written:
        """Write a page of sales, the span that it completes, and the item's state, in one transaction.

        Writing the same page again changes nothing. Spans that touch are merged.

        Args:
            region: The region.
            item: The id of the item.
            piece: The page, from `SalesReading.piece()`.
            owner: Write only if this owner still holds the lease.
            change: Changes to the item's state.

        Raises:
            LeaseLostError: The owner no longer holds the lease; nothing was written.
            StoreError: The database failed; nothing was written.
        """
        place = place_of(region, item)
        return await aio.to_thread(self._sql.writing.sales, place, piece, owner, change)

    async def write_lots(
        self,
        region: Region | str,
        item: str,
        piece: LotsPiece,
        *,
        owner: str | None = None,
        **change: Unpack[ItemChange],
    ) -> WrittenLots:
        """Write a page of lots and the item's state, in one transaction.

        The last page of a complete poll marks the lots that the poll didn't see as gone, and writes its price samples.

        Args:
            region: The region.
            item: The id of the item.
            piece: The page, from `LotsReading.piece()`.
            owner: Write only if this owner still holds the lease.
            change: Changes to the item's state.

        Raises:
            LeaseLostError: The owner no longer holds the lease; nothing was written.
            StoreError: The database failed; nothing was written.
        """
        place = place_of(region, item)
        return await aio.to_thread(self._sql.writing.lots, place, piece, owner, change)

    async def write_emission(self, region: Region | str, emission: EmissionState) -> int:
        """Write the start and end times of the emissions in a response. Return the number of new emissions.

        Args:
            region: The region.
            emission: The response.

        Raises:
            StoreError: The database failed; nothing was written.
        """
        return await aio.to_thread(self._sql.writing.emission, region_of(region), emission)

    async def write_clan_members(
        self,
        region: Region | str,
        clan_id: str,
        members: Iterable[ClanMember],
        *,
        at: datetime,
        complete: bool = True,
    ) -> ClanChange:
        """Write the members of a clan. Return who joined and who left since the last call.

        Args:
            region: The region.
            clan_id: The id of the clan.
            members: Its members.
            at: When they were fetched. Of two polls the later one counts, in whichever order they are written.
            complete: Whether these are all members. Otherwise nobody is taken to have left.

        Raises:
            StoreError: The database failed; nothing was written.
        """
        clan = validation.text("clan_id", clan_id)
        write, given = self._sql.writing.clan_members, list(members)
        return await aio.to_thread(
            write, region_of(region), clan, given, at, complete=validation.flag("complete", complete)
        )

    # ── shared state of collectors ────────────────────────────────────────────────────────────────────────────────────

    async def lease(self, owner: str, places: Iterable[Place], seconds: float) -> list[Place]:
        """Take the free leases of items, and renew those that the owner already holds.

        Leases expire by the database's clock, so other collectors can take over those of a dead owner.

        Args:
            owner: The unique name of the collector.
            places: The items, each with its region.
            seconds: The duration of the leases, above 0.

        Returns:
            The requested items that the owner holds now.

        Raises:
            StoreError: The database failed.
        """
        wanted = [place_of(region, item) for region, item in places]
        owner, seconds = validation.text("owner", owner), validation.positive("seconds", seconds)
        return await aio.to_thread(self._sql.leases.take, owner, wanted, seconds)

    async def renew(self, owner: str, seconds: float) -> list[Place]:
        """Renew all leases that an owner still holds. Expired leases are lost.

        Args:
            owner: The owner.
            seconds: The duration of the leases from now, above 0.

        Returns:
            The items that the owner holds now.

        Raises:
            StoreError: The database failed.
        """
        owner, seconds = validation.text("owner", owner), validation.positive("seconds", seconds)
        return await aio.to_thread(self._sql.leases.renew, owner, seconds)

    async def release(self, owner: str, places: Iterable[Place] | None = None) -> None:
        """Release leases.

        Args:
            owner: The owner.
            places: The items, each with its region; all of the owner's by default.

        Raises:
            StoreError: The database failed.
        """
        given = None if places is None else [place_of(region, item) for region, item in places]
        await aio.to_thread(self._sql.leases.release, validation.text("owner", owner), given)

    async def item_states(
        self,
        items: str | Iterable[str] | None = None,
        *,
        region: Region | str | Iterable[Region | str] | None = None,
    ) -> list[ItemState]:
        """Return the states of items: due times, failures and leases.

        Args:
            items: The id of an item, or several; all by default.
            region: A region, or several; all by default.

        Raises:
            StoreError: The database failed.
        """
        scope = self._scope(items, region)
        return await aio.to_thread(self._sql.leases.states, scope.regions, scope.items)

    async def update_item(
        self, region: Region | str, item: str, *, owner: str | None = None, **change: Unpack[ItemChange]
    ) -> None:
        """Change the state of an item.

        Args:
            region: The region.
            item: The id of the item.
            owner: Change it only if this owner still holds the lease.
            change: The changes. Everything else stays unchanged.

        Raises:
            LeaseLostError: The owner no longer holds the lease; nothing was changed.
            StoreError: The database failed.
        """
        await aio.to_thread(self._sql.leases.change, place_of(region, item), owner, change)

    async def spans(self, region: Region | str, item: str) -> list[Span]:
        """Return the intervals in which the store holds every sale of an item, the newest first.

        Args:
            region: The region.
            item: The id of the item.

        Raises:
            StoreError: The database failed.
        """
        return await aio.to_thread(self._sql.leases.spans, place_of(region, item))

    async def count_newer(self, region: Region | str, item: str, time: datetime) -> int:
        """Return the number of sales of an item that are newer than a time.

        Args:
            region: The region.
            item: The id of the item.
            time: The time, timezone-aware.

        Raises:
            StoreError: The database failed.
        """
        return await aio.to_thread(self._sql.leases.count_newer, place_of(region, item), time)

    async def write_run(self, owner: str, *, rows: int = 0, failures: int = 0, ended: bool = False) -> None:
        """Write the progress of a run of a collector. The first call begins the run.

        Args:
            owner: The unique name of the run.
            rows: The number of new sales and lots so far.
            failures: The number of failed polls so far.
            ended: Whether the run ends normally.

        Raises:
            StoreError: The database failed.
        """
        owner = validation.text("owner", owner)
        await aio.to_thread(self._sql.leases.write_run, owner, rows, failures, ended=ended)

    async def runs(self, *, limit: int = 20) -> list[Run]:
        """Return the last runs of collectors, the newest first.

        Args:
            limit: The greatest number of runs, 1 or more.

        Raises:
            StoreError: The database failed.
        """
        return await aio.to_thread(self._sql.leases.runs, validation.integer("limit", limit, 1))

    # ── export, import and prune ──────────────────────────────────────────────────────────────────────────────────────

    async def export(
        self,
        path: str | os.PathLike[str],
        items: str | Iterable[str] | None = None,
        since: datetime | timedelta | str | None = None,
        until: datetime | timedelta | str | None = None,
        *,
        region: Region | str | Iterable[Region | str] | None = None,
    ) -> int:
        """Write sales to a file: `.parquet` (needs the extra `arrow`), `.csv` or `.jsonl`. The write is atomic.

        Args:
            path: The file.
            items: The id of an item, or several; all by default.
            since: The start: a `datetime` (naive means UTC), ISO 8601 text, a `timedelta`, or `"7d"`.
            until: The end, exclusive.
            region: A region, or several; all by default.

        Returns:
            The number of sales in the file.

        Raises:
            ValueError: An argument is out of its range.
            OSError: The file can't be written.
            StoreError: The database failed.
        """
        scope, place = self._scope(items, region, since, until), validation.path("path", path)
        export = await aio.to_thread(self._sql.export, place, scope)
        try:
            while await aio.to_thread(export.more):
                pass
            await aio.to_thread(export.finish)
        finally:
            export.discard()
        return export.rows

    async def report(
        self,
        path: str | os.PathLike[str],
        items: str | Iterable[str] | None = None,
        since: datetime | timedelta | str = "30d",
        *,
        region: RegionLike | Iterable[RegionLike] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Write a page about the market: the busiest items, movers, deals, and the state of the collector.

        It is one HTML file without scripts, which fetches nothing and follows the reader's theme. The write is atomic.

        Args:
            path: The file.
            items: The id of an item, or several; all by default.
            since: The start of the sales: a `datetime` (naive means UTC), ISO 8601 text, a `timedelta`, or `"7d"`.
            region: A region, or several; all by default.
            names: The names of items by their ids, such as from `DatabaseLookup.names`. Other items go by their ids.

        Raises:
            ValueError: An argument is out of its range.
            OSError: The file can't be written.
            StoreError: The database failed.
        """
        now = self._now()
        scope, place = self._scope(items, region), validation.path("path", path)
        begin = validation.moment("since", since, now)
        await aio.to_thread(self._sql.write_report, place, scope, begin, now, dict(names or {}))

    async def import_(self, path: str | os.PathLike[str]) -> int:
        """Read a file that `export` wrote. Skip sales that are already in the store.

        A file may be incomplete, so no span is added, and a collector fetches that time again.

        Args:
            path: The file.

        Returns:
            The number of new sales.

        Raises:
            ValueError: The file wasn't written by `export`. The portions before the invalid row were written.
            OSError: The file can't be read.
            StoreError: The database failed.
        """
        work = await aio.to_thread(self._sql.import_, validation.path("path", path))
        while await aio.to_thread(work.more):
            pass
        return work.new

    async def prune(self, keep: timedelta | str) -> int:
        """Remove old sales, gone lots, samples, runs and records of deals that recipients received.

        It removes a few thousand rows at a time, so that others can write meanwhile. Spans are cut accordingly.

        Args:
            keep: The age up to which rows are kept: a `timedelta`, or `"120d"`.

        Returns:
            The number of removed rows.

        Raises:
            ValueError: `keep` isn't a duration above 0.
            StoreError: The database failed.
        """
        before = times.micros(shifted(self._now(), -validation.duration("keep", keep)))
        work = await aio.to_thread(self._sql.prune, before)
        while await aio.to_thread(work.more):
            pass
        return work.rows
