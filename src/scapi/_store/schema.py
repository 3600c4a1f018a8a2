"""The tables of a store: one schema for SQLite and PostgreSQL.

Times are integers: microseconds since 1970 in UTC. Both databases sort, compare and group them alike, and readers need
no time zone. The views show them as SQL times, see `views`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, Table, Text, literal_column

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

#: The schema version that this release writes. See `migrations`.
VERSION = 1

metadata = MetaData()

#: A single row with the version of the schema.
version = Table("scapi_version", metadata, Column("version", Integer, nullable=False))


def clock(*, postgres: bool) -> ColumnElement[int]:
    """Return the database's own time, in microseconds since 1970."""
    if postgres:
        return literal_column("cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)", BigInteger)
    return literal_column("cast((julianday('now') - 2440587.5) * 86400000 as integer) * 1000", BigInteger)


def _table(name: str, *columns: Column[Any]) -> Table:
    # Without rowids SQLite stores the rows in the primary key: one B-tree instead of two.
    return Table(name, metadata, *columns, sqlite_with_rowid=False)


def _text(name: str, *, key: bool = False, nullable: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=nullable)


def _big(name: str, *, key: bool = False, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, nullable=nullable, autoincrement=False)


def _small(name: str, *, key: bool = False, nullable: bool = False) -> Column[int]:
    return Column(name, Integer, primary_key=key, nullable=nullable, autoincrement=False)


#: Every sale once. `key` identifies its content, `n` is its number among equal sales of its time.
sale = _table(
    "sale",
    _text("region", key=True),
    _text("item", key=True),
    _big("time", key=True),
    _big("key", key=True),
    _small("n", key=True),
    _big("amount"),
    _big("price"),
    _small("quality", nullable=True),
    _small("level"),
    _text("additional", nullable=True),
    _big("seen_at"),
)

#: Every sale with `oldest < time <= newest` is in the store.
span = _table(
    "span",
    _text("region", key=True),
    _text("item", key=True),
    _big("newest", key=True),
    _big("oldest"),
)

lot = _table(
    "lot",
    _text("region", key=True),
    _text("item", key=True),
    _big("key", key=True),
    _small("n", key=True),
    _big("amount"),
    _big("start_price", nullable=True),
    _big("buyout_price", nullable=True),
    _big("bid", nullable=True),
    _big("start_time", nullable=True),
    _big("end_time", nullable=True),
    _small("quality", nullable=True),
    _small("level"),
    _text("additional", nullable=True),
    _big("first_seen"),
    _big("last_seen"),
    _big("gone_at", nullable=True),
)
# Every poll queries the lots on offer. After a month there are far more lots that are gone.
Index(
    "lot_on_offer",
    lot.c.region,
    lot.c.item,
    sqlite_where=lot.c.gone_at.is_(None),
    postgresql_where=lot.c.gone_at.is_(None),
)

#: Statistics of the buyouts per piece that a complete poll found.
lot_sample = _table(
    "lot_sample",
    _text("region", key=True),
    _text("item", key=True),
    _small("quality", key=True),
    _small("level", key=True),
    _big("at", key=True),
    Column("min", Float(53), nullable=True),
    Column("median", Float(53), nullable=True),
    _big("lots"),
    _big("pieces"),
)

emission = _table(
    "emission",
    _text("region", key=True),
    _big("started", key=True),
    _big("ended", nullable=True),
)

clan_member = _table(
    "clan_member",
    _text("region", key=True),
    _text("clan", key=True),
    _text("name", key=True),
    _big("joined", key=True),
    _text("rank", nullable=True),
    _big("first_seen"),
    _big("left_at", nullable=True),
)

item_state = _table(
    "item_state",
    _text("region", key=True),
    _text("item", key=True),
    _big("total", nullable=True),
    _big("sales_at", nullable=True),
    _big("lots_at", nullable=True),
    _big("looked_at", nullable=True),
    _big("next_sales", nullable=True),
    _big("next_lots", nullable=True),
    _big("next_look", nullable=True),
    _small("failures"),
    _text("error", nullable=True),
    _big("error_at", nullable=True),
    _text("aside", nullable=True),
    _text("owner", nullable=True),
    _big("leased_until", nullable=True),
)

run = _table(
    "run",
    _text("owner", key=True),
    _big("began"),
    _big("ended", nullable=True),
    _big("seen_at"),
    _big("rows"),
    _big("failures"),
)

#: Deals that a recipient has already received.
received_deal = _table(
    "received_deal",
    _text("recipient", key=True),
    _text("region", key=True),
    _text("item", key=True),
    _big("key", key=True),
    _small("n", key=True),
    _big("at"),
)
