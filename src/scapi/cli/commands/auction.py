"""The commands `lots` and `history`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from scapi._base import validation
from scapi.cli import exports, output, tables
from scapi.cli.command import (
    connected_command,
    every,
    limit,
    offset,
    order,
    picture,
    reject_large_page,
    reject_offset_with_all,
    theme,
)
from scapi.cli.errors import sentence
from scapi.cli.formatting import counted, number
from scapi.cli.output import Answer, capped, listing, walk
from scapi.config import Config
from scapi.enums import Quality, SortAuction
from scapi.models import AuctionLot, AuctionPrice, LotEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from scapi.cli.connection import Connection
    from scapi.enums import OrderLike, SortAuctionLike
    from scapi.models import WatchError
    from scapi.plot._theme import ThemeName
    from scapi.sync import AuctionEndpoint

__all__ = ["history", "lots"]

T = TypeVar("T", AuctionLot, AuctionPrice)

item = click.argument("item", metavar="NAME_OR_ID")
qualities = click.option(
    "--quality",
    type=click.Choice([quality.name.lower() for quality in Quality], case_sensitive=False),
    multiple=True,
    help="Only rows of this quality; repeat it for several. --limit counts the rows that are left.",
)


@connected_command
@item
@limit
@offset
@every
@click.option("--sort", type=click.Choice([*SortAuction], case_sensitive=False), help="What to sort by.")
@order
@qualities
@click.option("--buyout", is_flag=True, help="Only lots that can be bought at once.")
@click.option("--cheapest", is_flag=True, help="Of all lots with a buyout, those that cost least per piece.")
@click.option("--watch", is_flag=True, help="Keep running and report lots that appear or disappear.")
@click.option("--interval", type=float, metavar="SECONDS", help="With --watch, the time between checks; 60 by default.")
def lots(
    connection: Connection,
    *,
    item: str,
    limit: int | None,
    offset: int | None,
    every: bool,
    sort: SortAuctionLike | None,
    order: OrderLike | None,
    quality: tuple[str, ...],
    buyout: bool,
    cheapest: bool,
    watch: bool,
    interval: float | None,
) -> Answer[AuctionLot] | Answer[LotEvent]:
    """List the lots of an item."""
    reject_offset_with_all(every=every, offset=offset)
    has_order = offset is not None or sort is not None or order is not None
    if cheapest and (has_order or watch):
        raise click.UsageError("--cheapest sorts all lots: it goes without --offset, --sort, --order and --watch")
    if watch and (has_order or every):
        raise click.UsageError("--watch waits for changes: it goes without --offset, --sort, --order and --all")
    if interval is not None and not watch:
        raise click.UsageError("--interval is the time between two checks: it goes with --watch")
    auction = connection.client.auction(connection.item_id(item))
    keep = _of_quality(quality) if not buyout else _both(_of_quality(quality), _has_buyout)
    if watch:
        connection.liven()
        return _watched(auction, keep, limit=limit, interval=60.0 if interval is None else interval)
    if cheapest:
        return _cheapest(auction, keep, limit=limit, every=every)
    if every or keep is not None:
        rows = auction.iter_lots(limit=limit if keep is None else None, sort=sort, order=order, additional=True)
        total = auction.lots(limit=1).total
        answer = walk(rows, AuctionLot, tables.lots, "lots", capped(total, None if keep else limit))
        named = _named("lots", quality, " with a buyout" if buyout else "")
        return _selected(answer, keep, named, limit=limit, offset=offset, every=every)
    reject_large_page(limit)
    page = auction.lots(limit=limit, offset=offset, sort=sort, order=order, additional=True)
    return listing(page, AuctionLot, tables.lots, "lots")


def _cheapest(
    auction: AuctionEndpoint[Literal[False]], keep: Callable[[Any], bool] | None, *, limit: int | None, every: bool
) -> Answer[AuctionLot]:
    """Read all lots and list the cheapest ones per piece."""
    most = sys.maxsize if every and limit is None else Config.LIMIT if limit is None else limit
    page = auction.cheapest(validation.integer("limit", most, 1), where=keep)
    note = f"the {number(len(page))} cheapest of {counted(page.total, 'lots')} with a buyout"
    return Answer(model=AuctionLot, rows=page, view=tables.lots, kind="lots", note=note)


def _watched(
    auction: AuctionEndpoint[Literal[False]],
    keep: Callable[[Any], bool] | None,
    *,
    limit: int | None,
    interval: float,
) -> Answer[LotEvent]:
    """Report lots that appear or disappear, until Ctrl-C or the limit."""
    watcher = auction.watch_lots(where=keep, interval=interval)
    end = "Ctrl-C" if limit is None else f"{counted(limit, 'events')} or Ctrl-C"
    click.secho(f"Checking for new and gone lots every {interval:g} s, until {end}.", err=True, dim=True)
    return Answer(model=LotEvent, rows=_events(watcher), view=tables.lot_event, kind="events", most=limit, live=True)


def _events(watcher: Iterable[LotEvent | WatchError]) -> Iterator[LotEvent]:
    """Yield events. Print errors to stderr, and raise one that ends the watching."""
    for event in watcher:
        if event.kind != "error":
            yield event
        elif event.permanent:
            raise event.error
        else:
            click.secho(f"scapi: {sentence(event.error)}", err=True)


@connected_command
@item
@limit
@offset
@every
@click.option("--since", metavar="TIME", help="All sales since then: 7d, 12h, 30min, or 2026-08-01T00:00:00Z.")
@qualities
@picture("the prices of these sales")
@click.option(
    "--by",
    type=click.Choice(["quality", "level"]),
    help="With --plot, a line for each quality or upgrade level; by default for each quality, if there are several.",
)
@theme
def history(
    connection: Connection,
    *,
    item: str,
    limit: int | None,
    offset: int | None,
    every: bool,
    since: str | None,
    quality: tuple[str, ...],
    plot: Path | None,
    by: Literal["quality", "level"] | None,
    theme: ThemeName | None,
) -> Answer[AuctionPrice]:
    """List the sales of an item, newest first."""
    reject_offset_with_all(every=every or since is not None, offset=offset)
    if plot is None and (by is not None or theme is not None):
        raise click.UsageError("--by and --theme are about the picture: they go with --plot FILE")
    item_id = connection.item_id(item)
    auction = connection.client.auction(item_id)
    keep, named = _of_quality(quality), _named("sales", quality)
    if since is not None:
        begin = validation.moment("--since", since, output.now())
        rows = auction.iter_price_history(begin, limit=None if keep else limit, additional=True)
        answer = walk(rows, AuctionPrice, tables.sales, "sales", None)
        answer = _selected(answer, keep, named, limit=limit, offset=offset, every=True)
    elif every or keep is not None:
        rows = auction.iter_price_history(limit=None if keep else limit, additional=True)
        total = capped(auction.price_history(limit=1).total, None if keep else limit)
        answer = walk(rows, AuctionPrice, tables.sales, "sales", total)
        answer = _selected(answer, keep, named, limit=limit, offset=offset, every=every)
    else:
        reject_large_page(limit)
        page = auction.price_history(limit=limit, offset=offset, additional=True)
        answer = listing(page, AuctionPrice, tables.sales, "sales")
    if plot is None:
        return answer
    options = {
        "item": connection.item_names.get(item_id, item_id),
        "region": connection.region,
        "by": by or "auto",
        "theme": theme,
    }
    return replace(answer, rows=_drawn(answer, plot, options), picture=plot)


def _named(kind: str, qualities: tuple[str, ...], more: str = "") -> Callable[[int], str]:
    """Return what describes a number of selected rows, such as `8 rare sales`."""
    name = " ".join(filter(None, [" or ".join(qualities), kind]))
    return lambda count: counted(count, name) + more


def _selected(
    answer: Answer[T],
    keep: Callable[[Any], bool] | None,
    named: Callable[[int], str],
    *,
    limit: int | None,
    offset: int | None,
    every: bool,
) -> Answer[T]:
    """Apply a filter. Limit and offset count the rows after it, so `--quality rare --limit 5` gives five."""
    if keep is None:
        return answer
    most = limit if every or limit is not None else Config.LIMIT
    leading: Literal["first", "newest"] = "newest" if answer.kind == "sales" else "first"
    return replace(answer, keep=keep, selected=named, leading=leading, skip=offset or 0, most=most)


def _drawn(answer: Answer[AuctionPrice], path: Path, options: dict[str, Any]) -> Iterator[AuctionPrice]:
    """Yield the rows of an answer, then draw the selected ones."""
    from scapi import plot

    sales: list[AuctionPrice] = []
    for sale in answer.rows:
        if answer.keep is None or answer.keep(sale):
            sales.append(sale)
        yield sale
    with exports.whole_file(path) as file:
        figure: Any = plot.price_history(sales, **options)  # matplotlib doesn't type savefig completely
        figure.savefig(file, format=path.suffix[1:])


def _has_buyout(lot: Any) -> bool:
    return lot.unit_price is not None


def _both(one: Callable[[Any], bool] | None, other: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return other if one is None else lambda row: one(row) and other(row)


def _of_quality(names: tuple[str, ...]) -> Callable[[Any], bool] | None:
    """Make a filter for these qualities; `None` if there are none."""
    if not names:
        return None
    # The server often sends common artefacts without their quality.
    return lambda row: (row.quality or Quality.COMMON).name.lower() in names
