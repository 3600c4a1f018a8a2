"""What a store takes and gives, as records. Nothing here needs SQLAlchemy."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypedDict

import msgspec

from scapi.enums import Quality


class Place(NamedTuple):
    """Where something is traded.

    Attributes:
        region: The region, such as `"eu"`.
        item: The id of the item.
    """

    region: str
    item: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A row that a store answers with."""

    def _repr_html_(self) -> str:
        """What notebooks show."""
        from scapi._views import html

        return html.record(self)


class Sale(Record, frozen=True, kw_only=True):
    """A sale in the store.

    Attributes:
        region: The region.
        item: The id of the item.
        time: When it was made.
        amount: How many pieces were sold.
        price: What was paid for all of them.
        unit_price: The price per piece; the whole price where the amount is 0.
        quality: The quality; `None` where the server sent none.
        level: The upgrade level.
        additional: What is known of the piece.
        key: What tells it from others, see `AuctionPrice.key()`.
        n: Its number among equal sales, from 1.
        seen_at: When the store got it.
    """

    region: str
    item: str
    time: datetime
    amount: int
    price: int
    unit_price: float
    quality: Quality | None
    level: int
    additional: dict[str, Any]
    key: int
    n: int
    seen_at: datetime


class Stats(Record, frozen=True, kw_only=True):
    """What a group of sales comes to. All prices are per piece.

    Attributes:
        region: The region.
        item: The id of the item.
        quality: The quality; `None` where sales aren't told apart by it.
        level: The upgrade level; `None` where sales aren't told apart by it.
        count: How many sales.
        pieces: How many pieces were sold.
        median: The median: half of the sales, or of the pieces, were cheaper.
        mean: The mean.
        p10: The 10th percentile, interpolated linearly.
        p90: The 90th percentile.
        vwap: The turnover divided by the pieces.
        min: The least price.
        max: The greatest price.
    """

    region: str
    item: str
    quality: Quality | None
    level: int | None
    count: int
    pieces: int
    median: float
    mean: float
    p10: float
    p90: float
    vwap: float
    min: float
    max: float


class Candle(Record, frozen=True, kw_only=True):
    """The sales of one stretch of time. All prices are per piece.

    Attributes:
        region: The region.
        item: The id of the item.
        quality: The quality; `None` where sales aren't told apart by it.
        level: The upgrade level; `None` where sales aren't told apart by it.
        time: When the stretch begins.
        open: The price of the first sale.
        high: The greatest price.
        low: The least price.
        close: The price of the last sale.
        vwap: The turnover divided by the pieces.
        count: How many sales.
        pieces: How many pieces were sold.
        turnover: What was paid in all.
    """

    region: str
    item: str
    quality: Quality | None
    level: int | None
    time: datetime
    open: float
    high: float
    low: float
    close: float
    vwap: float
    count: int
    pieces: int
    turnover: float


class BookLot(Record, frozen=True, kw_only=True):
    """A lot in the store. Prices are for the whole lot.

    Attributes:
        region: The region.
        item: The id of the item.
        quality: The quality; `None` where the server sent none.
        level: The upgrade level.
        amount: How many pieces the lot holds.
        unit_price: The buyout per piece; `None` where there is no buyout.
        start_price: The price that bidding starts at; 0 where there is no bidding, `None` where it is unknown.
        buyout_price: The price to buy at once; 0 where that isn't possible, `None` where it is unknown.
        bid: The highest bid, as it was seen last; `None` while there is none.
        start_time: When it was put up.
        end_time: When it ends.
        additional: What is known of the piece.
        key: What tells it from others, see `AuctionLot.key()`.
        n: Its number among equal lots, from 1.
        first_seen: When it was seen first.
        last_seen: When it was seen last.
        gone_at: When a complete look didn't find it any more; `None` while it is on offer.
    """

    region: str
    item: str
    quality: Quality | None
    level: int
    amount: int
    unit_price: float | None
    start_price: int | None
    buyout_price: int | None
    bid: int | None
    start_time: datetime | None
    end_time: datetime | None
    additional: dict[str, Any]
    key: int
    n: int
    first_seen: datetime
    last_seen: datetime
    gone_at: datetime | None


class Deal(Record, frozen=True, kw_only=True):
    """A lot that costs less than its own quality and level sells for.

    Attributes:
        region: The region.
        item: The id of the item.
        quality: The quality; common too where the server sent none.
        level: The upgrade level.
        amount: How many pieces the lot holds.
        buyout_price: What the lot costs.
        unit_price: What a piece of it costs.
        median: The median price per piece of the sales that it is compared with.
        sales: How many sales these are.
        share: `unit_price` as a share of what the median leaves after the fee; 0.8 is 20 % below.
        profit: What selling the whole lot at the median leaves after the fee.
        end_time: When the lot ends.
        key: What tells the lot from others.
        n: Its number among equal lots, from 1.
        first_seen: When it was seen first.
        last_seen: When it was seen last.
    """

    region: str
    item: str
    quality: Quality
    level: int
    amount: int
    buyout_price: int
    unit_price: float
    median: float
    sales: int
    share: float
    profit: float
    end_time: datetime | None
    key: int
    n: int
    first_seen: datetime
    last_seen: datetime


class Span(Record, frozen=True, kw_only=True):
    """An interval in which the store holds every sale: all with `oldest < time <= newest`.

    Attributes:
        region: The region.
        item: The id of the item.
        newest: Its newer end, which is part of it.
        oldest: Its older end, which isn't; `BEGINNING` where the whole history is there.
    """

    region: str
    item: str
    newest: datetime
    oldest: datetime


class Gap(Record, frozen=True, kw_only=True):
    """An interval between two spans, in which sales may be missing: `oldest < time <= newest`.

    Attributes:
        region: The region.
        item: The id of the item.
        newest: Its newer end.
        oldest: Its older end.
    """

    region: str
    item: str
    newest: datetime
    oldest: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.newest - self.oldest


class ItemState(Record, frozen=True, kw_only=True):
    """What a collector has to know of an item of a region to go on.

    Attributes:
        region: The region.
        item: The id of the item.
        total: How many sales the server last said that there are.
        sales_at: When the sales were last looked at with success.
        lots_at: When the lots were last looked at with success.
        next_sales: When the sales are due.
        next_lots: When the lots are due.
        failures: How many looks have failed in a row.
        error: What the last failure was, on one line.
        error_at: When that was.
        aside: Why the item is asked rarely; `None` where it isn't.
        owner: Who has the lease.
        leased_until: When the lease ends, by the clock of the database.
    """

    region: str
    item: str
    total: int | None
    sales_at: datetime | None
    lots_at: datetime | None
    next_sales: datetime | None
    next_lots: datetime | None
    failures: int
    error: str | None
    error_at: datetime | None
    aside: str | None
    owner: str | None
    leased_until: datetime | None


class ItemChange(TypedDict, total=False):
    """What to change of an `ItemState`; what isn't named stays."""

    total: int | None
    sales_at: datetime | None
    lots_at: datetime | None
    next_sales: datetime | None
    next_lots: datetime | None
    failures: int
    error: str | None
    error_at: datetime | None
    aside: str | None


class ItemHealth(Record, frozen=True, kw_only=True):
    """How far an item of a region is collected, and what went wrong.

    Attributes:
        region: The region.
        item: The id of the item.
        newest: The newer end of its newest span; `None` while there is none.
        oldest: The older end of its oldest span.
        gaps: How many gaps lie between its spans.
        lots: How many lots are on offer.
        total: How many sales the server last said that there are.
        sales_at: When the sales were last looked at with success.
        lots_at: When the lots were last looked at with success.
        failures: How many looks have failed in a row.
        error: What the last failure was.
        error_at: When that was.
        aside: Why the item is asked rarely; `None` where it isn't.
        owner: Who has the lease, while it lasts.
    """

    region: str
    item: str
    newest: datetime | None
    oldest: datetime | None
    gaps: int
    lots: int
    total: int | None
    sales_at: datetime | None
    lots_at: datetime | None
    failures: int
    error: str | None
    error_at: datetime | None
    aside: str | None
    owner: str | None


class Run(Record, frozen=True, kw_only=True):
    """One run of a collector.

    Attributes:
        owner: The collector, by a name that no other run has.
        began: When it began.
        ended: When it ended in good order; `None` while it runs, and where it was killed.
        seen_at: When it last wrote something.
        rows: How many sales and lots were new.
        failures: How many looks failed.
    """

    owner: str
    began: datetime
    ended: datetime | None
    seen_at: datetime
    rows: int
    failures: int
