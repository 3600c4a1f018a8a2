"""Records that a store takes and returns. Nothing here needs SQLAlchemy."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypedDict

from scapi.enums import Quality
from scapi.models import _base


class Place(NamedTuple):
    """An item in a region.

    Attributes:
        region: The region, such as `"eu"`.
        item: The id of the item.
    """

    region: str
    item: str


class Record(_base.Record, frozen=True, kw_only=True):
    """A row that a store returns."""

    def _repr_html_(self) -> str:
        """Return the HTML that notebooks show."""
        from scapi._views import html

        return html.record(self)


class Sale(Record, frozen=True, kw_only=True):
    """A sale in the store.

    Attributes:
        region: The region.
        item: The id of the item.
        time: When the item was sold.
        amount: The number of pieces.
        price: The price of all pieces together.
        unit_price: The price per piece; the whole price if the amount is 0.
        quality: The quality; `None` if the server sent none.
        level: The upgrade level.
        additional: The additional properties that the server sent.
        key: The identifying key, see `AuctionPrice.key()`.
        n: Its number among equal sales, from 1.
        seen_at: When it was written to the store.
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
    """Statistics of a group of sales. All prices are per piece.

    Attributes:
        region: The region.
        item: The id of the item.
        quality: The quality; `None` if sales aren't grouped by it.
        level: The upgrade level; `None` if sales aren't grouped by it.
        count: The number of sales.
        pieces: The number of pieces sold.
        median: The median, interpolated linearly.
        mean: The mean.
        p10: The 10th percentile, interpolated linearly.
        p90: The 90th percentile.
        vwap: The turnover divided by the pieces.
        min: The lowest price.
        max: The highest price.
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
    """The sales of one time interval. All prices are per piece.

    Attributes:
        region: The region.
        item: The id of the item.
        quality: The quality; `None` if sales aren't grouped by it.
        level: The upgrade level; `None` if sales aren't grouped by it.
        time: The start of the interval.
        open: The price of the first sale.
        high: The highest price.
        low: The lowest price.
        close: The price of the last sale.
        vwap: The turnover divided by the pieces.
        count: The number of sales.
        pieces: The number of pieces sold.
        turnover: The sum of the prices of all sales.
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
        quality: The quality; `None` if the server sent none.
        level: The upgrade level.
        amount: The number of pieces.
        unit_price: The buyout per piece; `None` if there is no buyout.
        start_price: The price that bidding starts at; 0 if there is no bidding, `None` if it is unknown.
        buyout_price: The price to buy at once; 0 if that isn't possible, `None` if it is unknown.
        bid: The highest bid when the lot was last seen; `None` if there was none.
        start_time: When it was put up.
        end_time: When it ends.
        additional: The additional properties that the server sent.
        key: The identifying key, see `AuctionLot.key()`.
        n: Its number among equal lots, from 1.
        first_seen: When it was first seen.
        last_seen: When it was last seen.
        gone_at: When a complete poll no longer found it; `None` while it is on offer.
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
    """A lot that costs less than the usual price of its quality and level.

    Attributes:
        region: The region.
        item: The id of the item.
        quality: The quality; common if the server sent none.
        level: The upgrade level.
        amount: The number of pieces.
        buyout_price: The price of the lot.
        unit_price: The price per piece.
        median: The median price per piece of the sales that it is compared with.
        sales: The number of these sales.
        share: `unit_price` divided by the median after the fee; 0.8 is 20 % below.
        profit: The profit after the fee if the whole lot is sold at the median.
        end_time: When the lot ends.
        key: The identifying key, see `AuctionLot.key()`.
        n: Its number among equal lots, from 1.
        first_seen: When it was first seen.
        last_seen: When it was last seen.
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
        newest: The newer end, inclusive.
        oldest: The older end, exclusive; `BEGINNING` if the span reaches back to the first sale.
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
        newest: The newer end, inclusive.
        oldest: The older end, exclusive.
    """

    region: str
    item: str
    newest: datetime
    oldest: datetime

    @property
    def length(self) -> timedelta:
        """The length of the gap."""
        return self.newest - self.oldest


class ItemState(Record, frozen=True, kw_only=True):
    """The state that a collector needs to continue with an item, with the emission of a region, or with a clan.

    Attributes:
        region: The region.
        item: The id of the item, `"region:emission"`, or `"clan:"` and the id of a clan.
        total: The number of sales that the server last reported.
        sales_at: When the sales were last fetched successfully.
        lots_at: When the lots were last fetched successfully.
        looked_at: When the emission, or the members of the clan, were last fetched successfully.
        next_sales: When the sales are due.
        next_lots: When the lots are due.
        next_look: When the emission, or the members of the clan, are due.
        failures: The number of polls that failed in a row.
        error: The last error, on one line.
        error_at: The time of the last error.
        aside: Why the item is fetched rarely; `None` if it isn't.
        owner: The collector that holds the lease.
        leased_until: When the lease ends, by the database's clock.
    """

    region: str
    item: str
    total: int | None
    sales_at: datetime | None
    lots_at: datetime | None
    looked_at: datetime | None
    next_sales: datetime | None
    next_lots: datetime | None
    next_look: datetime | None
    failures: int
    error: str | None
    error_at: datetime | None
    aside: str | None
    owner: str | None
    leased_until: datetime | None


class ItemChange(TypedDict, total=False):
    """Changes to an `ItemState`. Missing keys stay unchanged."""

    total: int | None
    sales_at: datetime | None
    lots_at: datetime | None
    looked_at: datetime | None
    next_sales: datetime | None
    next_lots: datetime | None
    next_look: datetime | None
    failures: int
    error: str | None
    error_at: datetime | None
    aside: str | None


class ItemHealth(Record, frozen=True, kw_only=True):
    """The collection state of an item in a region, of an emission, or of a clan, with its last error.

    Attributes:
        region: The region.
        item: The id of the item, `"region:emission"`, or `"clan:"` and the id of a clan.
        newest: The newer end of its newest span; `None` if there is none.
        oldest: The older end of its oldest span; `None` if there is none.
        gaps: The number of gaps between its spans.
        lots: The number of lots on offer.
        total: The number of sales that the server last reported.
        sales_at: When the sales were last fetched successfully.
        lots_at: When the lots were last fetched successfully.
        looked_at: When the emission, or the members of the clan, were last fetched successfully.
        failures: The number of polls that failed in a row.
        error: The last error.
        error_at: The time of the last error.
        aside: Why the item is fetched rarely; `None` if it isn't.
        owner: The collector that holds the lease, while the lease lasts.
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
    looked_at: datetime | None
    failures: int
    error: str | None
    error_at: datetime | None
    aside: str | None
    owner: str | None


class Run(Record, frozen=True, kw_only=True):
    """One run of a collector.

    Attributes:
        owner: The unique name of the run.
        began: When it began.
        ended: When it ended normally; `None` while it runs, or if it was killed.
        seen_at: When it last reported its progress.
        rows: The number of new rows: sales, lots, emissions, and clan members who joined or left.
        failures: The number of failed polls.
    """

    owner: str
    began: datetime
    ended: datetime | None
    seen_at: datetime
    rows: int
    failures: int
