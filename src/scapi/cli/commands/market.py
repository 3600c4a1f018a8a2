"""`scapi market`: query a store of sales and lots."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

import click
from msgspec import structs
from rich.console import Group

from scapi._base import validation
from scapi.cli import exports, output
from scapi.cli.command import picture, stored_command, theme
from scapi.cli.connection import connect
from scapi.cli.formatting import counted, minute
from scapi.cli.output import Answer
from scapi.cli.records_table import records
from scapi.cli.terminal import log_to_stderr
from scapi.enums import Region

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from rich.console import RenderableType

    from scapi.cli.connection import Connection
    from scapi.enums import RegionLike
    from scapi.models import Listing
    from scapi.plot._theme import ThemeName
    from scapi.store import Candle, ItemHealth
    from scapi.sync import Store

__all__ = ["market"]


@click.group()
def market() -> None:
    """Query what scapi collect has stored.

    A STORE is a file such as market.db, or the URL of a PostgreSQL database. An ITEM is a name or an id; all items by
    default. Tables show names where the item database can be read.
    """


items = click.argument("items", metavar="[ITEM]...", nargs=-1)
regions = click.option(
    "--region",
    "regions",
    type=click.Choice([*Region], case_sensitive=False),
    multiple=True,
    help="Only this region; several times for several.",
)
since = click.option("--since", metavar="TIME", help="From when on: 7d, 12h, 30min, or 2026-08-01T00:00:00Z.")
until = click.option("--until", metavar="TIME", help="Until when, not included.")
by = click.option(
    "--by", type=click.Choice(["quality", "level"]), multiple=True, help="Tell sales apart by this; twice for both."
)
fake = click.option("--fake", is_flag=True, help="Take names from the made-up API on this machine.")
#: How long a chart and a report reach back.
month = click.option(
    "--since", metavar="TIME", default="30d", show_default=True, help="From when on: 7d, 12h, or 2026-08-01T00:00:00Z."
)


NO_SALES = "no sales in this time: reach further back with --since, or collect past ones with --since 30d"
#: What stands in place of a table without rows, if something was collected.
NOTHING = {
    "book": "no lots on offer",
    "candles": NO_SALES,
    "deals": "no deals: for more, raise --below or lower --min-sales",
    "gaps": "no gaps",
    "history": NO_SALES,
    "latest": "no sales here: collect past ones with --since 30d",
    "sales": NO_SALES,
    "stats": NO_SALES,
}


def question(function: Callable[..., Listing[Any]]) -> click.Command:
    """Turn a function that queries a store into a command."""

    @wraps(function)
    def ask(
        store: Store, *, items: tuple[str, ...], regions: tuple[RegionLike, ...], fake: bool, **arguments: Any
    ) -> Answer[Any]:
        given = {name: value for name, value in arguments.items() if value is not None and value != ()}
        connected = cache(lambda: _connected(store, regions, fake=fake))
        ids = [connected().item_id(item) for item in items]
        scope: dict[str, Any] = {"items": ids or None, "region": list(regions) or None}
        rows = function(store, **scope, **given)
        note = None if rows else _nothing(function.__name__, store.health(**scope))
        return _answer(rows, connected, note)

    command = stored_command(items(regions(fake(ask))))
    market.add_command(command)
    return command


def _connected(store: Store, regions: Sequence[RegionLike], *, fake: bool) -> Connection:
    """Return a connection for the names of items, which is closed when the command ends.

    Their language is that of the region: of the first one that is given, or else of the store's only one.
    """
    known = regions or sorted({Region(row.region) for row in store.health()})
    context = click.get_current_context()
    context.with_resource(log_to_stderr())
    only = known[0] if regions or len(known) == 1 else None
    return context.with_resource(connect(fake=fake, region=only))


def _answer(rows: Listing[Any], connected: Callable[[], Connection], note: str | None) -> Answer[Any]:
    """Make an answer of rows. Tables show the names of items, files and JSON their ids."""
    assert rows.model is not None  # a store always sets the model

    def view(shown: Sequence[Any], now: datetime) -> RenderableType:
        if not shown:
            return Group()
        names = connected().item_names
        return records([structs.replace(row, item=names.get(row.item, row.item)) for row in shown], now)

    return Answer(model=rows.model, rows=rows, view=view, kind="rows", note=note)


def _nothing(name: str, states: Sequence[ItemHealth]) -> str:
    """Say what to do if a question has no answer, given the states of what was asked for."""
    if not states:
        return "nothing here: collect it with scapi collect"
    if name in {"book", "deals"} and not any(state.lots or state.lots_at for state in states):
        return "no lots here: collect with --lots 1m"
    return NOTHING[name]


@question
@by
def latest(store: Store, items: Any, **options: Any) -> Listing[Any]:
    """Show the newest sale of each quality and level."""
    return store.latest(items, **options)


@question
@since
@until
@click.option("--limit", type=int, metavar="N", default=20, show_default=True, help="How many rows.")
def sales(store: Store, items: Any, **options: Any) -> Listing[Any]:
    """Show sales, the newest first."""
    return store.sales(items, **options)


@question
@since
@until
@by
@click.option("--per", type=click.Choice(["sale", "piece"]), help="What counts once: a sale, or each of its pieces.")
def stats(store: Store, items: Any, **options: Any) -> Listing[Any]:
    """Show counts, medians, percentiles and VWAP per piece.

    By default they are those of the last 30 days.
    """
    return store.stats(items, **options)


@question
@since
@until
@by
@click.option("--width", metavar="LENGTH", default="1d", show_default=True, help="How long a candle is: 1h, 1d, 1w.")
def candles(store: Store, items: Any, **options: Any) -> Listing[Any]:
    """Show the first, highest, lowest and last price over time."""
    return store.candles(items, **options)


@question
@click.option("--at", metavar="TIME", help="As of when; as of the last poll by default.")
def book(store: Store, items: Any, **options: Any) -> Listing[Any]:
    """Show the lots on offer, the lowest price per piece first."""
    return store.book(items, **options)


@question
@since
@click.option("--below", type=float, metavar="SHARE", help="The share of the median after the fee; 0.8 by default.")
@click.option("--fee", type=float, metavar="SHARE", help="What the auction keeps; 0.05 by default.")
@click.option("--min-sales", type=int, metavar="N", help="How many sales to compare with; 5 by default.")
@click.option("--recipient", metavar="NAME", help="Show each deal only once to this recipient.")
def deals(store: Store, items: Any, **options: Any) -> Listing[Any]:
    """Show lots below the usual price of their quality and level."""
    return store.deals(items, **options)


@question
def gaps(store: Store, items: Any, **options: Any) -> Listing[Any]:
    """Show the intervals in which sales may be missing."""
    return store.gaps(items, **options)


@question
def health(store: Store, items: Any, **options: Any) -> Listing[Any]:
    """Show the collection state and last error of each item."""
    return store.health(items, **options)


@stored_command
@click.argument("item", metavar="ITEM")
@click.option(
    "--region", type=click.Choice([*Region], case_sensitive=False), help="The region, if the store has several."
)
@month
@by
@click.option("--width", metavar="LENGTH", default="1d", show_default=True, help="How long a candle is: 1h, 1d, 1w.")
@picture("these candles")
@theme
@fake
def history(
    store: Store,
    *,
    item: str,
    region: RegionLike | None,
    since: str,
    by: tuple[str, ...],
    width: str,
    plot: Path | None,
    theme: ThemeName | None,
    fake: bool,
) -> Answer[Candle]:
    """Show the price of an item over time, or draw it.

    By default each quality has prices of its own.
    """
    if plot is None and theme is not None:
        raise click.UsageError("--theme is about the picture: it goes with --plot FILE")
    connection = _connected(store, [region] if region else [], fake=fake)
    item_id, begin = connection.item_id(item), validation.moment("--since", since, output.now())
    candles = store.candles(item_id, width, since=begin, by=by or ["quality"], region=region)
    if plot is not None:
        _draw(
            store, candles, begin, connection.item_names.get(item_id, item_id), by, path=plot, theme=theme, width=width
        )
        return replace(_answer(candles, lambda: connection, _summary(candles)), picture=plot)
    note = None if candles else _nothing("history", store.health(item_id, region=region))
    return _answer(candles, lambda: connection, note)


def _summary(candles: Sequence[Candle]) -> str:
    """Sum up candles in a line."""
    sales = counted(sum(candle.count for candle in candles), "sales")
    times = [candle.time for candle in candles]
    return f"{counted(len(candles), 'candles')} of {sales}, {minute(min(times))} to {minute(max(times))} (UTC)"


market.add_command(history)


def _draw(
    store: Store, candles: Sequence[Candle], since: datetime, name: str, by: Sequence[str], **options: Any
) -> None:
    """Draw the candles of an item in one region."""
    from scapi import plot

    regions = sorted({Region(candle.region) for candle in candles})
    if not regions:
        raise click.UsageError(
            f"there is nothing to draw: the store has no sales of {name} since {since:%Y-%m-%d %H:%M}"
        )
    if len(regions) > 1:
        raise click.UsageError(f"the store has sales of {name} in {', '.join(regions)}: choose one with --region")
    # What the collector hasn't seen isn't there: a candle is unfinished until the sales go beyond its end.
    states = store.health(candles[0].item, region=regions)
    oldest = max([since, *(state.oldest for state in states if state.oldest is not None)])
    newest = min([output.now(), *(state.newest for state in states if state.newest is not None)])
    if not by and len({candle.quality for candle in candles}) == 1:
        # There is nothing to tell apart.
        candles = [structs.replace(candle, quality=None) for candle in candles]
    plot.candles(candles, item=name, since=oldest, until=newest, **options)


def _opened(url: str, *, create: bool) -> Store:
    from scapi.sync import Store

    return Store(url, create=create)


store_url = click.argument("store", metavar="STORE")


@market.command("report")
@store_url
@items
@click.option(
    "--out", type=exports.HomePath(dir_okay=False), required=True, metavar="FILE", help="The page: FILE.html."
)
@month
@regions
@fake
def report(
    *, store: str, items: tuple[str, ...], out: Path, since: str, regions: tuple[RegionLike, ...], fake: bool
) -> None:
    """Write the market as a page for the browser.

    It has the busiest items, movers, deals and the state of the collector. It is one file without scripts, which
    fetches nothing.
    """
    with _opened(store, create=False) as opened:
        connection = _connected(opened, regions, fake=fake)
        ids = [connection.item_id(item) for item in items]
        opened.report(out, ids or None, since, region=list(regions) or None, names=connection.item_names)
    click.echo(f"wrote {out}", err=True)


@market.command("export")
@store_url
@click.argument("file", type=exports.HomePath(dir_okay=False))
@since
@until
@regions
def export(*, store: str, file: Path, since: str | None, until: str | None, regions: tuple[RegionLike, ...]) -> None:
    """Write sales to FILE: .parquet, .csv or .jsonl."""
    with _opened(store, create=False) as opened:
        rows = opened.export(file, None, since, until, region=list(regions) or None)
    click.echo(counted(rows, "sales"), err=True)


@market.command("import")
@store_url
@click.argument("file", type=exports.HomePath(dir_okay=False))
def import_(*, store: str, file: Path) -> None:
    """Read a FILE that export wrote. Skip sales that the store has already."""
    with _opened(store, create=True) as opened:
        new = opened.import_(file)
    click.echo(counted(new, "new sales"), err=True)


@market.command("prune")
@store_url
@click.option("--keep", metavar="LENGTH", required=True, help="How much to keep, such as 120d.")
def prune(*, store: str, keep: str) -> None:
    """Remove rows older than --keep."""
    with _opened(store, create=False) as opened:
        rows = opened.prune(keep)
    click.echo(f"{counted(rows, 'rows')} removed", err=True)
