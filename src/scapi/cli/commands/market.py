"""`scapi market`: query a store of sales and lots."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from scapi.cli import exports
from scapi.cli.command import stored_command
from scapi.cli.output import Answer
from scapi.cli.records_table import records
from scapi.enums import Region

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scapi.models import Listing
    from scapi.sync import Store

__all__ = ["market"]


@click.group()
def market() -> None:
    """Query a store: a file such as market.db, or the URL of a PostgreSQL database.

    Items are given by their ids; all items by default.
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


def question(function: Callable[..., Listing[Any]]) -> click.Command:
    """Turn a function that queries a store into a command."""

    @wraps(function)
    def ask(store: Store, *, items: tuple[str, ...], regions: tuple[str, ...], **arguments: Any) -> Answer[Any]:
        given = {name: value for name, value in arguments.items() if value is not None and value != ()}
        rows = function(store, list(items) or None, region=list(regions) or None, **given)
        assert rows.model is not None  # a store always sets the model
        return Answer(model=rows.model, rows=rows, view=records, kind="rows")

    command = stored_command(items(regions(ask)))
    market.add_command(command)
    return command


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
    """Show count, median, percentiles and VWAP per piece, by default of the last 30 days."""
    return store.stats(items, **options)


@question
@since
@until
@by
@click.option("--width", metavar="LENGTH", default="1d", show_default=True, help="How long a candle is: 1h, 1d, 1w.")
def candles(store: Store, items: Any, **options: Any) -> Listing[Any]:
    """Show the first, highest, lowest and last price of each time interval."""
    return store.candles(items, **options)


@question
@click.option("--at", metavar="TIME", help="As of when; as of the last look by default.")
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


def _opened(url: str, *, create: bool) -> Store:
    from scapi.sync import Store

    return Store(url, create=create)


store_url = click.argument("store", metavar="STORE")


@market.command("export")
@store_url
@click.argument("file", type=exports.HomePath(dir_okay=False))
@since
@until
@regions
def export(*, store: str, file: Path, since: str | None, until: str | None, regions: tuple[str, ...]) -> None:
    """Write sales to FILE: .parquet, .csv or .jsonl."""
    with _opened(store, create=False) as opened:
        rows = opened.export(file, None, since, until, region=list(regions) or None)
    click.echo(f"{rows:,} sales", err=True)


@market.command("import")
@store_url
@click.argument("file", type=exports.HomePath(dir_okay=False))
def import_(*, store: str, file: Path) -> None:
    """Read a FILE that export wrote. Skip sales that the store has already."""
    with _opened(store, create=True) as opened:
        new = opened.import_(file)
    click.echo(f"{new:,} new sales", err=True)


@market.command("prune")
@store_url
@click.option("--keep", metavar="LENGTH", required=True, help="How much to keep, such as 120d.")
def prune(*, store: str, keep: str) -> None:
    """Remove rows older than --keep."""
    with _opened(store, create=False) as opened:
        rows = opened.prune(keep)
    click.echo(f"{rows:,} rows removed", err=True)
