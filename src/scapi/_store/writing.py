"""Write rows to the store. Related rows share a transaction, and writing rows again changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import bindparam, case, delete, func, insert, literal, null, select, update

from scapi._store.column_values import place_of_lot, place_of_sale, storable_lots, storable_sales
from scapi._store.driver_sql import insert_new, run
from scapi._store.leases import change_item, fence
from scapi._store.schema import clan_member, emission, lot, lot_sample, sale, span
from scapi._store.times import micros, moment
from scapi._store.write_results import ClanChange, Written, WrittenLots
from scapi.models import AuctionLot

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from scapi._store.connection import Database
    from scapi._store.driver_sql import Values
    from scapi._store.reading import LotsPiece, SalesPiece
    from scapi._store.rows import ItemChange, Place
    from scapi.models import AuctionPrice, ClanMember, EmissionState

#: Two start times this close together belong to the same emission: an emission lasts for minutes.
SAME_EMISSION = timedelta(seconds=10)

decode = msgspec.json.Decoder().decode


class Writing:
    """Writes responses of the API to the database.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def sales(self, place: Place, piece: SalesPiece, owner: str | None, change: ItemChange) -> Written:
        """Write a page of sales, the span that it completes, and the state of the item."""
        seen_at = self._database.now()
        rows, unstored = storable_sales(place, piece.rows, seen_at)
        with self._database.writing(f"{place.region}/{place.item}") as connection:
            fence(self._database, connection, place, owner)
            known = _known_sales(connection, place, rows)
            new = [row for row in rows if place_of_sale(row) not in known] if known else rows
            if new:
                insert_new(connection, sale, [values for _, values in new])
            if piece.newest is not None:
                _complete(connection, place, micros(piece.newest), micros(piece.oldest))
            change_item(self._database, connection, place, change)
        return Written(new=[row for row, _ in new], known=len(rows) - len(new), unstored=unstored)

    def lots(self, place: Place, piece: LotsPiece, owner: str | None, change: ItemChange) -> WrittenLots:
        """Write a page of lots. The last page of a complete poll also marks lots as gone and writes samples."""
        at = micros(piece.at)
        rows, unstored = storable_lots(place, piece.rows, at)
        here = (lot.c.region == place.region, lot.c.item == place.item, lot.c.gone_at.is_(None))
        with self._database.writing(f"{place.region}/{place.item}") as connection:
            fence(self._database, connection, place, owner)
            on_offer = set(map(tuple, connection.execute(select(lot.c.key, lot.c.n).where(*here))))
            if rows:
                names = lot.columns.keys()
                connection.execute(self._seen_again(), [dict(zip(names, values, strict=True)) for _, values in rows])
            gone: list[AuctionLot] = []
            if piece.complete:
                missing = update(lot).where(*here, lot.c.last_seen < at).values(gone_at=at).returning(lot)
                gone = [_lot(row) for row in connection.execute(missing)]
                self._sample(connection, place, at)
            change_item(self._database, connection, place, change)
        new = [row[0] for row in rows if place_of_lot(row) not in on_offer]
        return WrittenLots(new=new, known=len(rows) - len(new), gone=gone, unstored=unstored)

    def emission(self, region: str, state: EmissionState) -> int:
        """Write the emissions of a response. Return the number of new ones."""
        starts = ((state.previous_start, state.previous_end), (state.current_start, None))
        with self._database.writing(f"{region}/emission") as connection:
            return sum(
                _write_emission(connection, region, started, ended) for started, ended in starts if started is not None
            )

    def clan_members(
        self, region: str, clan: str, members: Iterable[ClanMember], at: datetime, *, complete: bool
    ) -> ClanChange:
        """Write the members of a clan. Return who joined and who left."""
        here = (clan_member.c.region == region, clan_member.c.clan == clan, clan_member.c.left_at.is_(None))
        joined: list[ClanMember] = []
        with self._database.writing(f"{region}/{clan}") as connection:
            left = {row.name: row for row in connection.execute(select(clan_member).where(*here))}
            for member in members:
                known = left.get(member.name)
                if known is not None and member.join_time in {None, moment(known.joined)}:
                    del left[member.name]
                    same = (*here, clan_member.c.name == member.name)
                    connection.execute(update(clan_member).where(*same).values(rank=member.rank))
                else:
                    # This includes members who left and came back between two polls.
                    joined.append(member)
            # An incomplete poll can't say who left. Nor can one that is older than the poll that found the member.
            left = {name: row for name, row in left.items() if complete and row.first_seen <= micros(at)}
            for name in left:
                connection.execute(
                    update(clan_member).where(*here, clan_member.c.name == name).values(left_at=micros(at))
                )
            for member in joined:
                self._join(connection, region, clan, member, micros(at))
        return ClanChange(joined=joined, left=sorted(left))

    def _seen_again(self) -> Any:
        """Return the statement that inserts or updates lots. The result doesn't depend on the order of polls."""
        seen = self._database.insert(lot)
        is_newer = seen.excluded.last_seen >= lot.c.last_seen
        return seen.on_conflict_do_update(
            index_elements=["region", "item", "key", "n"],
            set_={
                "first_seen": case(
                    (seen.excluded.first_seen < lot.c.first_seen, seen.excluded.first_seen), else_=lot.c.first_seen
                ),
                "last_seen": case((is_newer, seen.excluded.last_seen), else_=lot.c.last_seen),
                "bid": case((is_newer, seen.excluded.bid), else_=lot.c.bid),
                "gone_at": case((lot.c.gone_at > seen.excluded.last_seen, lot.c.gone_at), else_=null()),
            },
        )

    def _sample(self, connection: Connection, place: Place, at: int) -> None:
        """Write price statistics of the lots of a complete poll, by quality and level."""
        quality = func.coalesce(lot.c.quality, 0).label("quality")
        price = case((lot.c.buyout_price > 0, lot.c.buyout_price * 1.0 / func.nullif(lot.c.amount, 0))).label("price")
        group = [func.coalesce(lot.c.quality, 0), lot.c.level]
        priced = (
            select(
                quality,
                lot.c.level,
                lot.c.amount,
                price,
                func.row_number().over(partition_by=group, order_by=[price.is_(None), price]).label("place"),
                func.count(price).over(partition_by=group).label("count"),
            )
            .where(lot.c.region == place.region, lot.c.item == place.item)
            .where(lot.c.gone_at.is_(None), lot.c.last_seen >= at)
            .subquery()
        )
        # The middle row of an odd count, the two middle rows of an even count.
        is_middle = (priced.c.place * 2).between(priced.c.count, priced.c.count + 2)
        sample = select(
            literal(place.region),
            literal(place.item),
            priced.c.quality,
            priced.c.level,
            literal(at),
            func.min(priced.c.price),
            func.avg(case((is_middle, priced.c.price))),
            func.count(),
            func.sum(priced.c.amount),
        ).group_by(priced.c.quality, priced.c.level)
        names = ["region", "item", "quality", "level", "at", "min", "median", "lots", "pieces"]
        connection.execute(self._database.insert(lot_sample).from_select(names, sample).on_conflict_do_nothing())

    def _join(self, connection: Connection, region: str, clan: str, member: ClanMember, at: int) -> None:
        joined = at if member.join_time is None else micros(member.join_time)
        values = {"region": region, "clan": clan, "name": member.name, "joined": joined, "rank": member.rank}
        statement = self._database.insert(clan_member).values(**values, first_seen=at, left_at=None)
        # A poll may miss a member that the next one finds again. The later poll counts, in whichever order they come.
        left_at = case((clan_member.c.left_at > at, clan_member.c.left_at), else_=null())
        again = statement.on_conflict_do_update(
            index_elements=["region", "clan", "name", "joined"], set_={"rank": member.rank, "left_at": left_at}
        )
        connection.execute(again)


def _lot(row: Row[Any]) -> AuctionLot:
    return AuctionLot(
        item_id=row.item,
        amount=row.amount,
        start_price=row.start_price,
        current_price=row.bid,
        buyout_price=row.buyout_price,
        start_time=None if row.start_time is None else moment(row.start_time),
        end_time=None if row.end_time is None else moment(row.end_time),
        additional=decode(row.additional) if row.additional else {},
    )


# These run for every page, see `run`.

KNOWN_SALES = select(sale.c.time, sale.c.key, sale.c.n).where(
    sale.c.region == bindparam("region"),
    sale.c.item == bindparam("item"),
    sale.c.time.between(bindparam("first"), bindparam("last")),
)

TOUCHING = (
    span.c.region == bindparam("region"),
    span.c.item == bindparam("item"),
    span.c.newest >= bindparam("from_oldest"),
    span.c.oldest <= bindparam("to_newest"),
)
TOUCHED_SPANS = select(span.c.newest, span.c.oldest).where(*TOUCHING)
REMOVE_TOUCHED = delete(span).where(*TOUCHING)
ADD_SPAN = insert(span)


def _known_sales(connection: Connection, place: Place, rows: list[tuple[AuctionPrice, Values]]) -> set[Values]:
    """Return the places of stored sales in the time range of sorted rows."""
    if not rows:
        return set()
    times = {"first": place_of_sale(rows[0])[0], "last": place_of_sale(rows[-1])[0]}
    return set(map(tuple, run(connection, KNOWN_SALES, {**place._asdict(), **times})))


def _complete(connection: Connection, place: Place, newest: int, oldest: int) -> None:
    """Add an interval to the spans of an item. Spans that it touches are merged with it."""
    if oldest >= newest:
        return
    here = place._asdict()
    touching = {**here, "from_oldest": oldest, "to_newest": newest}
    known = [(row[0], row[1]) for row in run(connection, TOUCHED_SPANS, touching)]
    merged = max([newest, *(row[0] for row in known)]), min([oldest, *(row[1] for row in known)])
    if known == [merged]:
        return
    if known:
        run(connection, REMOVE_TOUCHED, touching)
    run(connection, ADD_SPAN, {**here, "newest": merged[0], "oldest": merged[1]})


def _write_emission(connection: Connection, region: str, started: datetime, ended: datetime | None) -> bool:
    """Write an emission, or the end of a known one. Return whether it is new."""
    here, end = emission.c.region == region, None if ended is None else micros(ended)
    near = emission.c.started.between(micros(started - SAME_EMISSION), micros(started + SAME_EMISSION))
    known = connection.execute(select(emission).where(here, near)).first()
    if known is None:
        connection.execute(insert(emission).values(region=region, started=micros(started), ended=end))
    elif known.ended is None and end is not None:
        connection.execute(update(emission).where(here, emission.c.started == known.started).values(ended=end))
    return known is None
