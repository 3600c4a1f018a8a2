"""SQL statements of the queries. Each is a single statement, so all work happens in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Float, and_, case, cast, exists, func, null, or_, select, union

from scapi._store.conditions import by_key, within
from scapi._store.schema import item_state, lot, received_deal, sale, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Select, Subquery

    from scapi._store.conditions import Sales

#: The columns that sales and lots can be grouped by. A missing quality counts as common.
GROUPS: dict[str, ColumnElement[int]] = {"quality": func.coalesce(sale.c.quality, 0), "level": sale.c.level}

#: The percentiles of `stats`.
PERCENTILES = {"p10": 10, "median": 50, "p90": 90}


def _real(column: ColumnElement[Any]) -> ColumnElement[float]:
    return cast(column, Float(53))


#: The price per piece, like `AuctionPrice.unit_price`.
UNIT_PRICE = case((sale.c.amount != 0, _real(sale.c.price) / sale.c.amount), else_=_real(sale.c.price))

#: The buyout per piece, like `AuctionLot.unit_price`.
BUYOUT = case((and_(lot.c.buyout_price != 0, lot.c.amount != 0), _real(lot.c.buyout_price) / lot.c.amount))

#: Sums are floats, so that absurd values in single rows can't overflow them.
TURNOVER, PIECES = func.sum(_real(sale.c.price)), func.sum(_real(sale.c.amount))


def _groups(by: Sequence[str]) -> list[ColumnElement[int]]:
    """Return the labelled columns of a group."""
    return [sale.c.region, sale.c.item, *(GROUPS[name].label(name) for name in by)]


def _group_by(by: Sequence[str]) -> list[ColumnElement[Any]]:
    return [sale.c.region, sale.c.item, *(GROUPS[name] for name in by)]


def _group_columns(table: Subquery, by: Sequence[str]) -> list[ColumnElement[Any]]:
    """Return the quality and level of a group, each NULL if sales aren't grouped by it."""
    return [table.c[name] if name in by else cast(null(), BigInteger).label(name) for name in GROUPS]


def sales(which: Sales, limit: int | None) -> Select[Any]:
    """Return the sales themselves, the newest first."""
    statement = select(*sale.c, UNIT_PRICE.label("unit_price")).where(*which.where())
    ordered = statement.order_by(sale.c.time.desc(), sale.c.region, sale.c.item, sale.c.key, sale.c.n)
    return ordered if limit is None else ordered.limit(limit)


def latest(which: Sales, by: Sequence[str]) -> Select[Any]:
    """Return the newest sale of each group."""
    newest = (
        select(*_groups(by), func.max(sale.c.time).label("newest"))
        .where(*which.where())
        .group_by(*_group_by(by))
        .subquery()
    )
    same = and_(
        sale.c.region == newest.c.region,
        sale.c.item == newest.c.item,
        sale.c.time == newest.c.newest,
        *(GROUPS[name] == newest.c[name] for name in by),
    )
    # Of several sales at that time, always choose the same one.
    place = func.row_number().over(partition_by=_group_by(by), order_by=[sale.c.key, sale.c.n])
    ranked = (
        select(*sale.c, UNIT_PRICE.label("unit_price"), place.label("place"))
        .select_from(newest.join(sale, same))
        .subquery()
    )
    columns = [column for column in ranked.c if column.name != "place"]
    order = (ranked.c.region, ranked.c.item, ranked.c.quality, ranked.c.level)
    return select(*columns).where(ranked.c.place == 1).order_by(*order)


def stats(which: Sales, by: Sequence[str], *, per_piece: bool, postgres: bool) -> Select[Any]:
    """Return statistics of groups of sales.

    Args:
        which: The sales.
        by: The columns to group by.
        per_piece: Whether to weight sales by their pieces.
        postgres: Whether the database is PostgreSQL, which has built-in percentiles.
    """
    grouped = _percentiles_of_postgres if postgres and not per_piece else _percentiles_by_place
    found = grouped(which, by, per_piece=per_piece).subquery()
    names = ("count", "pieces", "median", "mean", "p10", "p90", "vwap", "min", "max")
    order = [found.c[name] for name in ("region", "item", *by)]
    columns = (found.c[name] for name in names)
    return select(found.c.region, found.c.item, *_group_columns(found, by), *columns).order_by(*order)


def _percentiles_of_postgres(which: Sales, by: Sequence[str], *, per_piece: bool) -> Select[Any]:
    priced = (
        select(*_groups(by), sale.c.amount, sale.c.price, UNIT_PRICE.label("unit")).where(*which.where()).subquery()
    )
    quantiles = [
        func.percentile_cont(percent / 100).within_group(priced.c.unit).label(name)
        for name, percent in PERCENTILES.items()
    ]
    return _summed(priced, by, func.avg(priced.c.unit), quantiles)


def _percentiles_by_place(which: Sales, by: Sequence[str], *, per_piece: bool) -> Select[Any]:
    """Compute percentiles from the places of sales in their group, ordered by price.

    A sale has one place, or one for each piece. A percentile between two places is interpolated. Places are integers,
    so nothing is rounded.
    """
    weight: ColumnElement[Any] = case((sale.c.amount > 0, sale.c.amount), else_=1) if per_piece else cast(1, BigInteger)
    group, order = _group_by(by), [UNIT_PRICE]
    if per_piece:
        end = func.sum(weight).over(partition_by=group, order_by=order, rows=(None, 0))
        total = func.sum(weight).over(partition_by=group)
    else:
        end = func.row_number().over(partition_by=group, order_by=order)
        total = func.count().over(partition_by=group)
    placed = (
        select(
            *_groups(by),
            sale.c.amount,
            sale.c.price,
            UNIT_PRICE.label("unit"),
            weight.label("weight"),
            cast(end, BigInteger).label("end"),
            cast(total, BigInteger).label("total"),
        )
        .where(*which.where())
        .subquery()
    )
    quantiles = [_quantile(placed, percent).label(name) for name, percent in PERCENTILES.items()]
    unit, heft = placed.c.unit, _real(placed.c.weight)
    mean: Any = func.sum(unit * heft) / func.sum(heft) if per_piece else func.avg(unit)
    return _summed(placed, by, mean, quantiles)


def _quantile(placed: Subquery, percent: int) -> ColumnElement[float]:
    # In hundredths of a place, counted from 0.
    position = (placed.c.total - 1) * percent
    below, share = position // 100, _real(position % 100) / 100.0
    start = placed.c.end - placed.c.weight

    def value(place: ColumnElement[int]) -> ColumnElement[float]:
        return func.max(case((and_(start <= place, place < placed.c.end), placed.c.unit)))

    low, share = value(below), func.max(share)
    # There is nothing to interpolate with after the last place, and the share there is 0.
    return low + share * (func.coalesce(value(below + 1), low) - low)


def _summed(
    priced: Subquery, by: Sequence[str], mean: ColumnElement[Any], quantiles: Sequence[ColumnElement[Any]]
) -> Select[Any]:
    pieces, turnover = func.sum(_real(priced.c.amount)), func.sum(_real(priced.c.price))
    group = [priced.c[name] for name in ("region", "item", *by)]
    return select(
        *group,
        func.count().label("count"),
        pieces.label("pieces"),
        mean.label("mean"),
        *quantiles,
        func.coalesce(turnover / func.nullif(pieces, 0.0), func.avg(priced.c.unit)).label("vwap"),
        func.min(priced.c.unit).label("min"),
        func.max(priced.c.unit).label("max"),
    ).group_by(*group)


def candles(which: Sales, width: int, start: int, by: Sequence[str]) -> Select[Any]:
    """Return the candles of intervals with sales.

    Args:
        which: The sales.
        width: The length of an interval, in microseconds.
        start: The start of any one interval, in microseconds since 1970.
        by: The columns to group by.
    """
    # Adding `width` avoids a negative remainder for times before `start`.
    begin = sale.c.time - (sale.c.time - start % width + width) % width
    stretch = (
        select(
            *_groups(by),
            begin.label("begin"),
            func.min(sale.c.time).label("first"),
            func.max(sale.c.time).label("last"),
            func.max(UNIT_PRICE).label("high"),
            func.min(UNIT_PRICE).label("low"),
            func.count().label("count"),
            PIECES.label("pieces"),
            TURNOVER.label("turnover"),
        )
        .where(*which.where())
        .group_by(*_group_by(by), begin)
        .subquery()
    )

    # Two lookups per interval take a quarter of the time of window functions.
    def price(time: ColumnElement[int], *, last: bool) -> ColumnElement[float]:
        order = [column.desc() if last else column for column in (sale.c.key, sale.c.n)]
        same = (sale.c.region == stretch.c.region, sale.c.item == stretch.c.item, sale.c.time == time)
        group = (GROUPS[name] == stretch.c[name] for name in by)
        return select(UNIT_PRICE).where(*same, *group).order_by(*order).limit(1).scalar_subquery()

    return select(
        stretch.c.region,
        stretch.c.item,
        *_group_columns(stretch, by),
        stretch.c.begin.label("time"),
        price(stretch.c.first, last=False).label("open"),
        stretch.c.high,
        stretch.c.low,
        price(stretch.c.last, last=True).label("close"),
        # Sales with an amount of 0 have no price per piece.
        func.coalesce(stretch.c.turnover / func.nullif(stretch.c.pieces, 0.0), stretch.c.low).label("vwap"),
        stretch.c.count,
        stretch.c.pieces,
        stretch.c.turnover,
    ).order_by(stretch.c.region, stretch.c.item, stretch.c.begin, *(stretch.c[name] for name in by))


#: The server still lists lots after their end, but they can't be bought.
IS_OPEN = or_(lot.c.end_time.is_(None), lot.c.end_time > lot.c.last_seen)


def book(regions: Sequence[str] | None, items: Sequence[str] | None, at: int | None) -> Select[Any]:
    """Return the lots on offer: the cheapest first, those without a buyout last."""
    if at is None:
        present = and_(lot.c.gone_at.is_(None), IS_OPEN)
    else:
        present = and_(
            lot.c.first_seen <= at,
            or_(lot.c.gone_at.is_(None), lot.c.gone_at > at),
            or_(lot.c.end_time.is_(None), lot.c.end_time > at),
        )
    statement = select(*lot.c, BUYOUT.label("unit_price")).where(present, *by_key(lot, regions, items))
    return statement.order_by(lot.c.region, lot.c.item, BUYOUT.is_(None), BUYOUT, lot.c.key, lot.c.n)


def deals(
    which: Sales, *, below: float, fee: float, min_sales: int, recipient: str | None, postgres: bool
) -> Select[Any]:
    """Return lots that cost less than the usual price of their quality and level.

    Args:
        which: The sales to compare with. Its regions and items also select the lots.
        below: The highest price of a deal, as a share of the median after the fee.
        fee: The share of a price that the auction keeps.
        min_sales: The least number of sales to compare with.
        recipient: Leave out deals that this recipient has received.
        postgres: Whether the database is PostgreSQL.
    """
    grouped = _percentiles_of_postgres if postgres else _percentiles_by_place
    usual = grouped(which, tuple(GROUPS), per_piece=False).subquery()
    after_fee = usual.c.median * (1.0 - fee)
    statement = (
        select(
            lot.c.region,
            lot.c.item,
            usual.c.quality,
            lot.c.level,
            lot.c.amount,
            lot.c.buyout_price,
            BUYOUT.label("unit_price"),
            usual.c.median,
            usual.c.count.label("sales"),
            (BUYOUT / after_fee).label("share"),
            ((after_fee - BUYOUT) * lot.c.amount).label("profit"),
            lot.c.end_time,
            lot.c.key,
            lot.c.n,
            lot.c.first_seen,
            lot.c.last_seen,
        )
        .join(
            usual,
            and_(
                usual.c.region == lot.c.region,
                usual.c.item == lot.c.item,
                usual.c.quality == func.coalesce(lot.c.quality, 0),
                usual.c.level == lot.c.level,
            ),
        )
        .where(lot.c.gone_at.is_(None), IS_OPEN, *by_key(lot, which.regions, which.items))
        .where(usual.c.count >= min_sales, lot.c.buyout_price > 0, lot.c.amount > 0, after_fee * below >= BUYOUT)
    )
    if recipient is not None:
        known_to = (received_deal.c[name] == lot.c[name] for name in ("region", "item", "key", "n"))
        statement = statement.where(~exists(select(1).where(received_deal.c.recipient == recipient, *known_to)))
    return statement.order_by("share", lot.c.region, lot.c.item, lot.c.key, lot.c.n)


def gaps(regions: Sequence[str] | None, items: Sequence[str] | None) -> Select[Any]:
    """Return the gaps between the spans of each item, the newest first."""
    below = func.lead(span.c.newest).over(partition_by=[span.c.region, span.c.item], order_by=span.c.newest.desc())
    edges = (
        select(span.c.region, span.c.item, span.c.oldest.label("newest"), below.label("oldest"))
        .where(*within(span.c, regions, items))
        .subquery()
    )
    return (
        select(edges).where(edges.c.oldest.is_not(None)).order_by(edges.c.region, edges.c.item, edges.c.newest.desc())
    )


def health(regions: Sequence[str] | None, items: Sequence[str] | None, now: ColumnElement[int]) -> Select[Any]:
    """Return the collection state of each item. Leases that ended before `now` are left out."""
    places = union(select(item_state.c.region, item_state.c.item), select(span.c.region, span.c.item)).subquery()
    edges = (
        select(
            span.c.region,
            span.c.item,
            func.max(span.c.newest).label("newest"),
            func.min(span.c.oldest).label("oldest"),
            (func.count() - 1).label("gaps"),
        )
        .group_by(span.c.region, span.c.item)
        .subquery()
    )
    offered = (
        select(lot.c.region, lot.c.item, func.count().label("lots"))
        .where(lot.c.gone_at.is_(None))
        .group_by(lot.c.region, lot.c.item)
        .subquery()
    )

    def of_place(table: Any) -> ColumnElement[bool]:
        return and_(table.c.region == places.c.region, table.c.item == places.c.item)

    state = item_state.c
    joined = (
        places.outerjoin(edges, of_place(edges))
        .outerjoin(offered, of_place(offered))
        .outerjoin(item_state, of_place(item_state))
    )
    return (
        select(
            places.c.region,
            places.c.item,
            edges.c.newest,
            edges.c.oldest,
            func.coalesce(edges.c.gaps, 0).label("gaps"),
            func.coalesce(offered.c.lots, 0).label("lots"),
            state.total,
            state.sales_at,
            state.lots_at,
            state.looked_at,
            func.coalesce(state.failures, 0).label("failures"),
            state.error,
            state.error_at,
            state.aside,
            case((state.leased_until >= now, state.owner)).label("owner"),
        )
        .select_from(joined)
        .where(*within(places.c, regions, items))
        .order_by(places.c.region, places.c.item)
    )
