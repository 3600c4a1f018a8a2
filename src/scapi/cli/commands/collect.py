"""`scapi collect`: collect sales and lots into a store."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

import click
from rich.live import Live
from rich.table import Table
from rich.text import Text

from scapi._base import escaping
from scapi.cli import terminal
from scapi.cli.connection import connect
from scapi.cli.exit_codes import SOME_FAILED
from scapi.cli.formatting import counted, number, span
from scapi.cli.terminal import log_to_stderr
from scapi.enums import Region

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

    from scapi.cli.connection import Connection
    from scapi.enums import RegionLike
    from scapi.pacing import BudgetSource
    from scapi.store import Collected, Progress
    from scapi.sync import Collector

__all__ = ["collect"]

#: Seconds between two progress lines if stderr isn't a terminal.
LINES = 10.0

#: The most failures that the live view shows.
MOST_FAILURES = 5


@click.command()
@click.argument("database", metavar="DB")
@click.argument("items", metavar="ITEM...", nargs=-1)
@click.option("--category", "categories", multiple=True, help="All items of a category, such as artefact.")
@click.option("--all", "every", is_flag=True, help="All items of the item database.")
@click.option(
    "--region",
    "regions",
    type=click.Choice([*Region], case_sensitive=False),
    multiple=True,
    envvar="SCAPI_REGION",
    help=f"The region, repeated for several; by default SCAPI_REGION, or else {Region.RU}.",
)
@click.option(
    "--sales", metavar="TIME", default="5m", show_default=True, help="Time between two checks of sales, or none."
)
@click.option("--lots", metavar="TIME", help="Time between two checks of lots; no lots by default.")
@click.option("--emissions", metavar="TIME", help="Time between two checks of emissions; no emissions by default.")
@click.option(
    "--clan",
    "clans",
    metavar="ID",
    multiple=True,
    help="Collect who joins and leaves a clan; needs the login of a member.",
)
@click.option("--members", metavar="TIME", default="1h", show_default=True, help="Time between two checks of a clan.")
@click.option("--since", metavar="TIME", help="How far back to collect past sales: 30d, 2026-08-01, or all.")
@click.option("--once", is_flag=True, help="Check everything once, collect the past, and end.")
@click.option("--fake", is_flag=True, help="Use a made-up API on this machine; needs no key.")
def collect(
    *,
    database: str,
    items: tuple[str, ...],
    categories: tuple[str, ...],
    every: bool,
    regions: tuple[RegionLike, ...],
    sales: str,
    lots: str | None,
    emissions: str | None,
    clans: tuple[str, ...],
    members: str,
    since: str | None,
    once: bool,
    fake: bool,
) -> int:
    """Collect sales and lots into DB, each sale exactly once.

    It collects emissions and clans too, if you ask for them. DB is a file, such as market.db, or a URL such as
    postgresql+psycopg://user@host/name. An ITEM is a name or an id. If it is killed, it continues where it stopped.
    Start it on as many machines as you like: they divide the items. They also share the points, in the Redis at
    SCAPI_REDIS_URL or in the PostgreSQL of DB. With --once the exit code is 11 if some items failed; stderr names them,
    and the rest was collected.
    """
    if not (items or categories or every or emissions or clans):
        raise click.UsageError("name items, or a --category, or --all, or --emissions, or a --clan")
    from scapi.sync import Collector, Store

    with (
        _terminating(),
        log_to_stderr(logging.WARNING),
        connect(fake=fake, region=regions[0] if regions else None, budget=_budget(database)) as connection,
        Store(database) as store,
        _view() as show,
    ):
        if not once:
            connection.liven()
        collector = Collector(
            connection.user if clans else connection.client,
            store,
            _ids(connection, items, categories, every=every),
            sales=None if sales == "none" else sales,
            lots=lots,
            emissions=emissions,
            clans=clans,
            members=members,
            since=since,
            region=regions or None,
            on_progress=show,
        )
        done, ended = _run(collector, once=once)
    if done is not None:
        _tell(done)
    if ended is not None:
        raise ended
    return SOME_FAILED if done is not None and done.failing else 0


def _run(collector: Collector, *, once: bool) -> tuple[Collected | None, BaseException | None]:
    """Run a collector. Return what it collected, and the signal that ended it."""
    try:
        return (collector.once() if once else collector.run()), None
    except (KeyboardInterrupt, SystemExit) as ended:
        return collector.collected, ended


def _budget(database: str) -> BudgetSource | None:
    """Return a budget in the PostgreSQL of the store, unless the environment names a Redis."""
    # Imported late, as all that only a run needs.
    from scapi._primitives.postgres_budget import SCHEMES, PostgresBudget

    if os.environ.get("SCAPI_REDIS_URL") or not database.startswith(SCHEMES):
        return None
    return PostgresBudget(database)


def _ids(connection: Connection, items: tuple[str, ...], categories: tuple[str, ...], *, every: bool) -> list[str]:
    """Return the ids of all selected items."""
    found = [connection.item_id(item) for item in items]
    if every or categories:
        known = connection.lookup.get_all()
        for category in categories:
            of_it = [each.id for each in known if f"{each.category}/".startswith(f"{category.strip('/')}/")]
            if not of_it:
                names = sorted({(each.category or "").split("/")[0] for each in known} - {""})
                raise click.BadParameter(f"no category {category!r}; there are {', '.join(names)}")
            found += of_it
        if every:
            found += [each.id for each in known]
    return list(dict.fromkeys(found))


@contextmanager
def _terminating() -> Generator[None]:
    """End on SIGTERM as on Ctrl-C: at once, after releasing the leases."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set signal handlers
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _view() -> Generator[Callable[[Progress], None]]:
    """Yield a function that shows progress: a live view on a terminal, otherwise an occasional line."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    with Live(console=terminal.stderr(), auto_refresh=False) as live:
        yield lambda progress: live.update(_table(progress), refresh=True)


def _lines() -> Callable[[Progress], None]:
    told_at = [0.0]

    def tell(progress: Progress) -> None:
        if monotonic() - told_at[0] >= LINES:
            told_at[0] = monotonic()
            facts = (
                f"{number(progress.looked)} of {counted(progress.items, 'items')} checked",
                *_rows(progress),
                counted(progress.points, "points"),
                counted(progress.failures, "failures"),
                f"lag {_seconds(progress.lag)}",
                f"past: {_past(progress)}",
            )
            click.echo(", ".join(facts), err=True)

    return tell


def _table(progress: Progress) -> Table:
    table = Table.grid(padding=(0, 2))
    rows = (
        ("items", f"{number(progress.looked)} of {number(progress.items)} checked" + _others(progress)),
        ("lag", f"{_seconds(progress.lag)}, at most {_seconds(progress.longest_lag)}"),
        ("rows", ", ".join(_rows(progress))),
        ("points", f"{number(progress.points)} in {counted(progress.pages, 'pages')}"),
        ("past", _past(progress)),
        ("failures", number(progress.failures)),
        *(("", f"{each.region} {each.item}: {each.error}") for each in progress.failing[:MOST_FAILURES]),
        *(("note", note) for note in progress.notes),
    )
    for name, value in rows:
        table.add_row(Text(name, style="dim"), Text(escaping.terminal(value)))
    return table


def _rows(progress: Progress) -> list[str]:
    """Count the new rows."""
    return [counted(progress.sales, "sales"), counted(progress.lots, "lots"), *_asked_for(progress)]


def _asked_for(found: Progress | Collected) -> list[str]:
    """Count emissions and members of clans, if there are any."""
    emissions = [counted(found.emissions, "emissions")] if found.emissions else []
    return emissions + ([f"{number(found.members)} who joined or left a clan"] if found.members else [])


def _past(progress: Progress) -> str:
    """Say how much of the past is still to be collected."""
    return f"{counted(progress.filling, 'items')} left, {_seconds(progress.eta)}" if progress.filling else "complete"


def _others(progress: Progress) -> str:
    aside = f", {number(progress.aside)} checked rarely" if progress.aside else ""
    return aside + (f", {number(progress.elsewhere)} with another collector" if progress.elsewhere else "")


def _seconds(seconds: float | None) -> str:
    return "unknown" if seconds is None else span(timedelta(seconds=seconds))


def _tell(done: Collected) -> None:
    for each in done.failing:
        click.echo(escaping.terminal(f"{each.region} {each.item}: {each.error}"), err=True)
    elsewhere = f", {counted(done.elsewhere, 'items')} with another collector" if done.elsewhere else ""
    new = f"{counted(done.sales, 'new sales')} and {counted(done.lots, 'new lots')}"
    others = "".join(f", {one}" for one in _asked_for(done))
    click.echo(f"{new}{others} ({counted(done.points, 'points')}{elsewhere}).", err=True)
