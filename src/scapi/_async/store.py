"""The market on disk."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Unpack

from scapi._async.questions import Questions, place_of, region_of
from scapi._base import validation
from scapi._base.extras import extra
from scapi._base.formatting import shifted
from scapi._primitives import aio
from scapi._store import times

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta

    from scapi._store.reading import LotsPiece, SalesPiece
    from scapi._store.rows import ItemChange, ItemState, Place, Run, Span
    from scapi._store.times import When
    from scapi._store.written import ClanChange, Written, WrittenLots
    from scapi.enums import Region
    from scapi.models import ClanMember, EmissionState


class Store(Questions):
    """Sales, lots and what is known of them, in SQLite or PostgreSQL; needs the extra `store`.

    It opens when it is first used, and makes or migrates its tables by itself. Any number of tasks, threads and
    processes may use one store at once, readers while others write.

    Args:
        url: A file, such as `"market.db"`, for SQLite; or `"postgresql+psycopg://user@host/name"`, which needs the
            extra `postgres`.
        create: Make the file and the tables where there are none. Without it, a missing store is an error.
        clock: Tells the seconds since 1970: for `seen_at`, and for times such as `"7d"`.

    Raises:
        ImportError: The extra `store` or `postgres` is missing.
        ValueError: `url` is neither a file nor a URL of a database that is known here.
    """

    __module__ = aio.PUBLIC

    def __init__(
        self, url: str | os.PathLike[str], *, create: bool = True, clock: Callable[[], float] = time.time
    ) -> None:
        with extra("store"):
            from scapi._store.room import Room
        self._room = Room(url, create=validation.flag("create", create), clock=clock)

    async def close(self) -> None:
        """Close all connections to the database."""
        await aio.to_thread(self._room.database.close)

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def write_sales(
        self,
        region: Region | str,
        item: str,
        piece: SalesPiece,
        *,
        owner: str | None = None,
        **change: Unpack[ItemChange],
    ) -> Written:
        """Write a page of sales, the span that it completes, and the state of the item, in one transaction.

        Writing the same page again changes nothing. Spans that touch become one.

        Args:
            region: The region.
            item: The id of the item.
            piece: The page, from `SalesReading.piece()`.
            owner: Write only if this owner still has the lease.
            change: What to change of the item's state with it.

        Raises:
            LeaseLostError: The owner has no lease any more; nothing was written.
            StoreError: The database failed; nothing was written.
        """
        place = place_of(region, item)
        return await aio.to_thread(self._room.writing.sales, place, piece, owner, change)

    async def write_lots(
        self,
        region: Region | str,
        item: str,
        piece: LotsPiece,
        *,
        owner: str | None = None,
        **change: Unpack[ItemChange],
    ) -> WrittenLots:
        """Write a page of lots and the state of the item, in one transaction.

        With the last page of a complete look, the lots that it didn't see are gone, and the samples of the look are
        written.

        Args:
            region: The region.
            item: The id of the item.
            piece: The page, from `LotsReading.piece()`.
            owner: Write only if this owner still has the lease.
            change: What to change of the item's state with it.

        Raises:
            LeaseLostError: The owner has no lease any more; nothing was written.
            StoreError: The database failed; nothing was written.
        """
        place = place_of(region, item)
        return await aio.to_thread(self._room.writing.lots, place, piece, owner, change)

    async def write_emission(self, region: Region | str, state: EmissionState) -> None:
        """Write the emissions that an answer tells of: when they began, and when they ended.

        Args:
            region: The region.
            state: The answer.

        Raises:
            StoreError: The database failed; nothing was written.
        """
        await aio.to_thread(self._room.writing.emission, region_of(region), state)

    async def write_clan_members(
        self, region: Region | str, clan_id: str, members: Iterable[ClanMember], *, at: datetime
    ) -> ClanChange:
        """Write who is in a clan, and say who joined and who left since it was last written.

        Args:
            region: The region.
            clan_id: The id of the clan.
            members: All its members.
            at: When they were asked for.

        Raises:
            StoreError: The database failed; nothing was written.
        """
        clan = validation.text("clan_id", clan_id)
        return await aio.to_thread(self._room.writing.clan_members, region_of(region), clan, list(members), at)

    # ── what collectors share ────────────────────────────────────────────────────────────────────────────────────────

    async def lease(self, owner: str, places: Iterable[Place], seconds: float) -> list[Place]:
        """Take the leases of items that nobody has, and renew those that the owner has already.

        Leases end by the clock of the database, so that those of a dead owner can be taken over by others.

        Args:
            owner: A name that no other collector has.
            places: The items, each with its region.
            seconds: How long the leases last, above 0.

        Returns:
            Those that the owner has now.

        Raises:
            StoreError: The database failed.
        """
        wanted = [place_of(region, item) for region, item in places]
        owner, seconds = validation.text("owner", owner), validation.positive("seconds", seconds)
        return await aio.to_thread(self._room.leases.take, owner, wanted, seconds)

    async def renew(self, owner: str, seconds: float) -> list[Place]:
        """Renew all leases that an owner still has; those that have ended are lost.

        Args:
            owner: The owner.
            seconds: How long the leases last from now, above 0.

        Returns:
            Those that the owner has now.

        Raises:
            StoreError: The database failed.
        """
        owner, seconds = validation.text("owner", owner), validation.positive("seconds", seconds)
        return await aio.to_thread(self._room.leases.renew, owner, seconds)

    async def release(self, owner: str, places: Iterable[Place] | None = None) -> None:
        """Give leases back.

        Args:
            owner: The owner.
            places: Which; all of the owner's by default.

        Raises:
            StoreError: The database failed.
        """
        given = None if places is None else [place_of(region, item) for region, item in places]
        await aio.to_thread(self._room.leases.release, validation.text("owner", owner), given)

    async def item_states(
        self, *, regions: Iterable[Region | str] | None = None, items: Iterable[str] | None = None
    ) -> list[ItemState]:
        """What collectors know of items: when they are due, what failed, who has them.

        Args:
            regions: Only those of these regions.
            items: Only these items.

        Raises:
            StoreError: The database failed.
        """
        of = None if regions is None else [region_of(region) for region in regions]
        ids = None if items is None else [validation.text("items", item) for item in items]
        return await aio.to_thread(self._room.leases.states, of, ids)

    async def update_item(
        self, region: Region | str, item: str, *, owner: str | None = None, **change: Unpack[ItemChange]
    ) -> None:
        """Change the state of an item.

        Args:
            region: The region.
            item: The id of the item.
            owner: Change it only if this owner still has the lease.
            change: What to change; what isn't named stays.

        Raises:
            LeaseLostError: The owner has no lease any more; nothing was changed.
            StoreError: The database failed.
        """
        await aio.to_thread(self._room.leases.change, place_of(region, item), owner, change)

    async def spans(self, region: Region | str, item: str) -> list[Span]:
        """The intervals in which the store holds every sale of an item, the newest first.

        Args:
            region: The region.
            item: The id of the item.

        Raises:
            StoreError: The database failed.
        """
        return await aio.to_thread(self._room.leases.spans, place_of(region, item))

    async def count_newer(self, region: Region | str, item: str, time: datetime) -> int:
        """How many sales of an item are newer than a time.

        Args:
            region: The region.
            item: The id of the item.
            time: The time, aware.

        Raises:
            StoreError: The database failed.
        """
        return await aio.to_thread(self._room.leases.count_newer, place_of(region, item), time)

    async def write_run(self, owner: str, *, rows: int = 0, failures: int = 0, ended: bool = False) -> None:
        """Write how far a run of a collector is. The first call begins it.

        Args:
            owner: A name that no other run has.
            rows: How many sales and lots were new so far.
            failures: How many looks failed so far.
            ended: Whether the run ends in good order.

        Raises:
            StoreError: The database failed.
        """
        owner = validation.text("owner", owner)
        await aio.to_thread(self._room.leases.write_run, owner, rows, failures, ended=ended)

    async def runs(self, limit: int = 20) -> list[Run]:
        """The last runs of collectors, the newest first.

        Args:
            limit: How many, 1 or more.

        Raises:
            StoreError: The database failed.
        """
        return await aio.to_thread(self._room.leases.runs, validation.integer("limit", limit, 1))

    # ── in and out ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def export(
        self,
        path: str | os.PathLike[str],
        items: str | Iterable[str] | None = None,
        since: When | None = None,
        until: When | None = None,
        *,
        region: Region | str | Iterable[Region | str] | None = None,
    ) -> int:
        """Write sales to a file: `.parquet` (needs the extra `arrow`), `.csv` or `.jsonl`. It is there in whole or not.

        Args:
            path: The file.
            items: The id of an item, or several; all by default.
            since: From when on: a `datetime` (naive means UTC), ISO 8601 text, a `timedelta`, or `"7d"`.
            until: Until when; a sale of that very time isn't part of it.
            region: A region, or several; all by default.

        Returns:
            How many sales there are in the file.

        Raises:
            ValueError: An argument is out of its range.
            OSError: The file can't be written.
            StoreError: The database failed.
        """
        scope, place = self._scope(items, region, since, until), validation.path("path", path)
        export = await aio.to_thread(self._room.export, place, scope)
        try:
            while await aio.to_thread(export.more):
                pass
            await aio.to_thread(export.finish)
        finally:
            export.discard()
        return export.rows

    async def import_(self, path: str | os.PathLike[str]) -> int:
        """Read a file that `export` wrote. Sales that are in the store already change nothing.

        What a file holds says nothing of what it lacks: no span is added, and a collector reads that time again.

        Args:
            path: The file.

        Returns:
            How many sales were new.

        Raises:
            ValueError: It isn't a file of an export. The portions before the row that is wrong were written.
            OSError: The file can't be read.
            StoreError: The database failed.
        """
        work = await aio.to_thread(self._room.import_, validation.path("path", path))
        while await aio.to_thread(work.more):
            pass
        return work.new

    async def prune(self, keep: timedelta | str) -> int:
        """Remove what is older: sales, lots that are gone, samples, runs and what recipients were told.

        It removes some thousand rows at a time, so that others can write meanwhile. The spans end where sales do then.

        Args:
            keep: How much to keep: a `timedelta`, or `"120d"`.

        Returns:
            How many rows were removed.

        Raises:
            ValueError: `keep` is no length.
            StoreError: The database failed.
        """
        before = times.micros(shifted(self._now(), -times.length("keep", keep)))
        work = await aio.to_thread(self._room.prune, before)
        while await aio.to_thread(work.more):
            pass
        return work.rows
