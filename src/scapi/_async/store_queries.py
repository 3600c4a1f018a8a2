"""Queries of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from scapi._async.closable import Closable
from scapi._base import validation
from scapi._primitives import aio
from scapi._store import times
from scapi._store.query_scope import QueryScope
from scapi._store.rows import Place
from scapi.enums import Region

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from scapi._store.rows import BookLot, Candle, Deal, Gap, ItemHealth, Sale, Stats
    from scapi._store.sql_store import SqlStore
    from scapi.models import Listing

T = TypeVar("T")


class StoreQueries(Closable):
    """The queries of a store."""

    _sql: SqlStore

    async def latest(
        self,
        items: str | Iterable[str] | None = None,
        *,
        by: Iterable[str] = ("quality", "level"),
        region: Region | str | Iterable[Region | str] | None = None,
    ) -> Listing[Sale]:
        """Return the newest sale of each item, region, quality and level.

        Args:
            items: The id of an item, or several; all by default.
            by: How to group the sales of an item: `"quality"`, `"level"`, both, or nothing. A missing quality counts as
                common.
            region: A region, or several; all by default.

        Raises:
            ValueError: An argument is out of its range.
            StoreError: The database failed.
        """
        scope = self._scope(items, region)
        return await aio.to_thread(self._sql.queries.latest, scope, _by(by))

    async def sales(
        self,
        items: str | Iterable[str] | None = None,
        since: datetime | timedelta | str | None = None,
        until: datetime | timedelta | str | None = None,
        *,
        limit: int | None = None,
        region: Region | str | Iterable[Region | str] | None = None,
    ) -> Listing[Sale]:
        """Return the sales, the newest first. Use `export` for more than fits into memory.

        Args:
            items: The id of an item, or several; all by default.
            since: The start: a `datetime` (naive means UTC), ISO 8601 text, a `timedelta`, or `"7d"`.
            until: The end, exclusive.
            limit: The greatest number of sales. The listing's `total` counts those beyond the limit too.
            region: A region, or several; all by default.

        Raises:
            ValueError: An argument is out of its range.
            StoreError: The database failed.
        """
        scope = self._scope(items, region, since, until)
        most = None if limit is None else validation.integer("limit", limit, 1)
        return await aio.to_thread(self._sql.queries.sales, scope, most)

    async def stats(
        self,
        items: str | Iterable[str] | None = None,
        since: datetime | timedelta | str | None = "30d",
        until: datetime | timedelta | str | None = None,
        *,
        by: Iterable[str] = ("quality", "level"),
        per: str = "sale",
        region: Region | str | Iterable[Region | str] | None = None,
    ) -> Listing[Stats]:
        """Return statistics: count, pieces, median, mean, 10th and 90th percentile, VWAP, lowest and highest price.

        All prices are per piece, and all figures are exact. Bait and glitches affect medians and percentiles least.

        Args:
            items: The id of an item, or several; all by default.
            since: The start: a `datetime` (naive means UTC), ISO 8601 text, a `timedelta`, or `"7d"`.
                `None` for all.
            until: The end, exclusive.
            by: How to group the sales of an item: `"quality"`, `"level"`, both, or nothing. A missing quality counts as
                common.
            per: What median, mean and percentiles count: each `"sale"` once, or each `"piece"`, so that a sale of 100
                pieces counts 100 times.
            region: A region, or several; all by default.

        Raises:
            ValueError: An argument is out of its range.
            StoreError: The database failed.
        """
        if per not in {"sale", "piece"}:
            raise validation.refuse("per", per, "'sale' or 'piece'")
        scope = self._scope(items, region, since, until)
        return await aio.to_thread(self._sql.queries.stats, scope, _by(by), per_piece=per == "piece")

    async def candles(
        self,
        items: str | Iterable[str],
        width: timedelta | str = "1d",
        since: datetime | timedelta | str | None = None,
        until: datetime | timedelta | str | None = None,
        *,
        by: Iterable[str] = (),
        region: Region | str | Iterable[Region | str] | None = None,
    ) -> Listing[Candle]:
        """Return candles: first, highest, lowest and last price, VWAP and volume of each time interval.

        An interval without sales has no candle. Days begin at midnight UTC, weeks on Monday.

        Args:
            items: The id of an item, or several.
            width: The length of an interval: a `timedelta`, or `"1h"`, `"1d"`, `"1w"`.
            since: The start: a `datetime` (naive means UTC), ISO 8601 text, a `timedelta`, or `"7d"`.
            until: The end, exclusive.
            by: How to group the sales of an item: `"quality"`, `"level"`, both, or nothing.
            region: A region, or several; all by default.

        Raises:
            ValueError: An argument is out of its range.
            StoreError: The database failed.
        """
        scope = self._scope(items, region, since, until)
        length = validation.duration("width", width)
        return await aio.to_thread(self._sql.queries.candles, scope, length, _by(by))

    async def book(
        self,
        items: str | Iterable[str] | None = None,
        at: datetime | timedelta | str | None = None,
        *,
        region: Region | str | Iterable[Region | str] | None = None,
    ) -> Listing[BookLot]:
        """Return the lots on offer: the lowest price per piece first, those without a buyout last.

        Lots that had ended when they were last seen are left out: the server still lists them for a while.

        Args:
            items: The id of an item, or several; all by default.
            at: The time: a `datetime` (naive means UTC), ISO 8601 text, a `timedelta`, or `"1h"`; the last poll by
                default.
            region: A region, or several; all by default.

        Raises:
            ValueError: An argument is out of its range.
            StoreError: The database failed.
        """
        moment = None if at is None else validation.moment("at", at, self._now())
        return await aio.to_thread(self._sql.queries.book, self._scope(items, region), moment)

    async def deals(
        self,
        items: str | Iterable[str] | None = None,
        since: datetime | timedelta | str | None = "7d",
        *,
        below: float = 0.8,
        fee: float = 0.05,
        min_sales: int = 5,
        recipient: str | None = None,
        region: Region | str | Iterable[Region | str] | None = None,
    ) -> Listing[Deal]:
        """Return lots that cost less than the usual price of their quality and level after the fee, the best first.

        A lot is a deal if its buyout per piece is at most `below * median * (1 - fee)`. The median is that of the sales
        of its item, region, quality and level.

        Args:
            items: The id of an item, or several; all by default.
            since: The start of the sales that count: a `datetime`, ISO 8601 text, a `timedelta`, or `"7d"`.
                `None` for all.
            below: The highest price of a deal, as a share of the median after the fee, above 0.
            fee: The share of a price that the auction keeps, from 0 to less than 1.
            min_sales: The least number of sales to compare with, 1 or more.
            recipient: Return each deal only once to this recipient, across all processes. A deal counts as received
                when this returns it.
            region: A region, or several; all by default.

        Raises:
            ValueError: An argument is out of its range.
            StoreError: The database failed.
        """
        share = validation.positive("below", below)
        kept = validation.seconds("fee", fee)
        if kept >= 1:
            raise validation.refuse("fee", fee, "a share from 0 to less than 1")
        return await aio.to_thread(
            self._sql.queries.deals,
            self._scope(items, region, since),
            below=share,
            fee=kept,
            min_sales=validation.integer("min_sales", min_sales, 1),
            recipient=None if recipient is None else validation.text("recipient", recipient),
        )

    async def gaps(
        self,
        items: str | Iterable[str] | None = None,
        *,
        region: Region | str | Iterable[Region | str] | None = None,
    ) -> Listing[Gap]:
        """Return the intervals between complete ones. Sales may be missing in them.

        Args:
            items: The id of an item, or several; all by default.
            region: A region, or several; all by default.

        Raises:
            ValueError: An argument is out of its range.
            StoreError: The database failed.
        """
        return await aio.to_thread(self._sql.queries.gaps, self._scope(items, region))

    async def health(
        self,
        items: str | Iterable[str] | None = None,
        *,
        region: Region | str | Iterable[Region | str] | None = None,
    ) -> Listing[ItemHealth]:
        """Return the collection state of each item, with its last error.

        Args:
            items: The id of an item, or several; all by default.
            region: A region, or several; all by default.

        Raises:
            ValueError: An argument is out of its range.
            StoreError: The database failed.
        """
        return await aio.to_thread(self._sql.queries.health, self._scope(items, region))

    # ── arguments ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _now(self) -> datetime:
        return times.moment(self._sql.database.now())

    def _scope(
        self,
        items: str | Iterable[str] | None,
        region: Region | str | Iterable[Region | str] | None,
        since: datetime | timedelta | str | None = None,
        until: datetime | timedelta | str | None = None,
    ) -> QueryScope:
        now = self._now()
        return QueryScope(
            None if region is None else [region_of(one) for one in _several(region)],
            None if items is None else [validation.text("items", one) for one in _several(items)],
            None if since is None else validation.moment("since", since, now),
            None if until is None else validation.moment("until", until, now),
        )


def region_of(region: Region | str) -> str:
    """Return the name of a region."""
    return str(validation.choice("region", region, Region))


def place_of(region: Region | str, item: str) -> Place:
    """Return an item in a region, validated."""
    return Place(region_of(region), validation.text("item", item))


def _several(values: str | Iterable[T]) -> list[Any]:
    return [values] if isinstance(values, str) else list(values)


def _by(names: Iterable[str]) -> tuple[str, ...]:
    """Return the columns to group by, in a fixed order."""
    wanted = set(_several(names))
    if not wanted <= {"quality", "level"}:
        raise validation.refuse("by", names, "'quality', 'level', both or nothing")
    return tuple(name for name in ("quality", "level") if name in wanted)
