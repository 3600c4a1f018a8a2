"""The command `demo`: show the library at work, in a few seconds and without a key.

It uses the public clients, as your program would: first the async world, then the sync one.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import click
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.text import Text

import scapi
import scapi.sync
from scapi._base import escaping
from scapi.cli import fitted_tables, tables, terminal
from scapi.cli.formatting import clock, number, sparkline
from scapi.cli.progress import CountColumn
from scapi.exceptions import NotFoundError, ScApiException

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from rich.console import Console, RenderableType

    from scapi.models import (
        AuctionLot,
        AuctionPrice,
        CharacterProfile,
        EmissionState,
        Listing,
        OperationSession,
        RateLimit,
    )

__all__ = ["demo"]

ARTEFACT = "zyv9"
CHARACTER = "ZIV"
#: Items that are traded on every server: artefacts, food, ammunition, weapons, armor.
ITEMS = (
    "zyv9", "ljpq", "gyjg", "5r04", "kqgy", "1kv2", "9n1w", "1k4q", "gypg", "9nd0", "1k96", "gyn0", "zy32", "gy10",
    "zyw2", "5rog", "rnkl", "gy7p", "009n9", "y3nmw", "1jog", "wooz", "400j", "kllj", "dm6l2", "2dq0", "9mmq", "jm94",
    "319k", "9g6z", "1nr1", "9yyq", "l332", "5ldwg", "2ody0", "1rdg6", "1r7rg", "969mq", "96w9q", "rwnrv", "4ql2r",
    "0r439",
)  # fmt: skip

Sales = dict[str, "Listing[AuctionPrice]"]


class Look(NamedTuple):
    """The results of the five calls that both worlds make."""

    emission: EmissionState
    profile: CharacterProfile | None
    lots: Listing[AuctionLot]
    history: Listing[AuctionPrice]
    sessions: Listing[OperationSession]


class Host(NamedTuple):
    """The API that the demo calls.

    Attributes:
        url: Its base URL.
        now: The present time of that host.
        token: Its token; `None` for the public demo host, whose token `AppClient.demo()` knows.
    """

    url: str
    now: datetime
    token: str | None = None


class Names(NamedTuple):
    """The names of items and statistics by their ids; empty without the item database."""

    items: Mapping[str, str]
    stats: Mapping[str, str]


@click.command()
@click.option("--live", is_flag=True, help="Use the public demo host instead of the fake API on this machine.")
def demo(*, live: bool) -> None:
    """Show what the library does: without a key, in a few seconds."""
    console = terminal.stdout()
    with _host(live=live) as host:
        console.print(Text.assemble((f"scapi {scapi.__version__}", "bold"), ", asking ", (host.url, "cyan"), "\n"))
        names = _names(host)
        asyncio.run(_async_world(console, host, names))
        _sync_world(console, host)
        asyncio.run(_bulk(console, host, names))
    console.print(
        Text.assemble("Next: ", ("scapi --help", "bold"), ", and scapi.testing.FakeApi to test your own program with.")
    )


@contextmanager
def _host(*, live: bool) -> Generator[Host]:
    now = datetime.now(UTC)
    if live:
        yield Host(scapi.BaseUrl.DEMO, now)
        return
    from scapi.testing import FakeApi

    fake = FakeApi(now=now)
    # The clock stands still, so that both worlds see the same.
    with fake.serve(run_clock=False) as url:
        yield Host(url, now, fake.app_token)


def _names(host: Host) -> Names:
    """Read the item database, which the fake serves too. Without the extra `names` there are only ids."""
    source = None if host.token is None else host.url
    try:
        with (
            tempfile.TemporaryDirectory(prefix="scapi-") as folder,
            scapi.sync.GitHubClient(raw_url=source) as github,
            scapi.sync.DatabaseLookup(github, realm="global", cache_dir=None if source is None else folder) as lookup,
        ):
            return Names(lookup.names("en"), lookup.names("en", filename="stats"))
    except (ImportError, ScApiException):
        return Names({}, {})


# ── the async world ───────────────────────────────────────────────────────────────────────────────────────────────────


async def _async_world(console: Console, host: Host, names: Names) -> None:
    _headline(console, "from scapi import AppClient")
    client = scapi.AppClient.demo() if host.token is None else scapi.AppClient(token=host.token, base_url=host.url)
    async with client:
        look = Look(
            emission=await client.emission(),
            profile=await _profile(client),
            lots=await client.auction(ARTEFACT).lots(limit=5, additional=True),
            history=await client.auction(ARTEFACT).price_history(limit=5, additional=True),
            sessions=await client.operations_sessions(limit=1),
        )
    for call, part in _parts(look, host.now, names):
        console.print(Text.assemble(("await", "dim"), " ", (f"client.{call}", "cyan")))
        console.print(Padding(part, (1, 0, 1, 2), expand=False))


async def _profile(client: scapi.AppClient) -> CharacterProfile | None:
    try:
        return await client.profile(CHARACTER)
    except NotFoundError:
        return None


def _parts(look: Look, now: datetime, names: Names) -> Iterator[tuple[str, RenderableType]]:
    """Yield every call as it is written, with its rendered result."""
    absent = Text("404, as expected: the demo host has no characters.", style="yellow")
    yield "emission()", tables.emission(look.emission, now)
    yield f'profile("{CHARACTER}")', tables.profile(look.profile, now, names.stats) if look.profile else absent
    yield f'auction("{ARTEFACT}").lots(limit=5, additional=True)', tables.lots(look.lots, now)
    yield f'auction("{ARTEFACT}").price_history(limit=5, additional=True)', tables.sales(look.history, now)
    for session in look.sessions:
        yield "operations_sessions(limit=1)", tables.session(session, names.items)


# ── the sync world ────────────────────────────────────────────────────────────────────────────────────────────────────


def _sync_world(console: Console, host: Host) -> None:
    """Make the same five calls again and show each in one line."""
    _headline(console, "from scapi.sync import AppClient")
    cls = scapi.sync.AppClient
    with cls.demo() if host.token is None else cls(token=host.token, base_url=host.url) as client:
        look = Look(
            emission=client.emission(),
            profile=_profile_sync(client),
            lots=client.auction(ARTEFACT).lots(limit=5, additional=True),
            history=client.auction(ARTEFACT).price_history(limit=5, additional=True),
            sessions=client.operations_sessions(limit=1),
        )
    result = fitted_tables.table("Call", "Result")
    for call, text in _summaries(look):
        result.add_row(Text(f"client.{call}", style="cyan"), text)
    console.print(Padding(result, (0, 0, 1, 2), expand=False))


def _profile_sync(client: scapi.sync.AppClient) -> CharacterProfile | None:
    try:
        return client.profile(CHARACTER)
    except NotFoundError:
        return None


def _summaries(look: Look) -> Iterator[tuple[str, str]]:
    profile = look.profile
    yield "emission()", "running" if look.emission.active else f"ended {clock(look.emission.previous_end)}"
    yield (
        f'profile("{CHARACTER}")',
        f"{escaping.terminal(profile.name)}, {len(profile.stats)} statistics" if profile else "404, as expected",
    )
    for call, page in (
        (f'auction("{ARTEFACT}").lots(...)', look.lots),
        (f'auction("{ARTEFACT}").price_history(...)', look.history),
        ("operations_sessions(...)", look.sessions),
    ):
        yield call, f"{len(page)} of {number(page.total)}"


# ── many items ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _bulk(console: Console, host: Host, names: Names) -> None:
    """Fetch the newest sales of many items, eight at a time."""
    _headline(console, f"The last 200 sales of {len(ITEMS)} items, eight at a time")
    client = scapi.AppClient.demo() if host.token is None else scapi.AppClient(token=host.token, base_url=host.url)
    async with client:
        began = time.perf_counter()
        sales = await _fetch_many(client)
        took = time.perf_counter() - began
        console.print(Padding(_market(sales, names.items), (1, 0, 1, 2), expand=False))
        left = client.ratelimit
    count = sum(map(len, sales.values()))
    console.print(Text.assemble("  ", (f"{number(count)} sales", "bold"), f" in {took:.1f} s; {_points(left)}\n"))


async def _fetch_many(client: scapi.AppClient) -> Sales:
    """Fetch the newest sales of all items. The first failure ends the rest."""
    columns = (TextColumn("  items"), BarColumn(bar_width=48), CountColumn(), TimeElapsedColumn())
    with Progress(*columns, console=terminal.stderr()) as progress:
        bar = progress.add_task("", total=len(ITEMS))
        results = client.auctions(ITEMS).price_history(
            limit=200, concurrency=8, progress=lambda done, total: progress.update(bar, completed=done)
        )
        return {result.key: result.value async for result in results if result.value is not None}


def _market(sales: Sales, names: Mapping[str, str]) -> RenderableType:
    """Render the eight items with the largest turnover."""
    turnover = {item_id: sum(sale.price for sale in page) for item_id, page in sales.items()}
    result = fitted_tables.table(
        "Item",
        fitted_tables.figure("Sales in all"),
        fitted_tables.figure("Turnover"),
        fitted_tables.figure("Median/piece"),
        "Price, old to new",
    )
    for item_id in sorted(ITEMS, key=lambda item_id: -turnover[item_id])[:8]:
        page = sales[item_id]
        prices = [sale.unit_price for sale in reversed(page)]
        middle = number(median(prices)) if prices else "–"
        name = escaping.terminal(names.get(item_id, item_id))
        result.add_row(name, number(page.total), number(turnover[item_id]), middle, sparkline(prices))
    return result


def _points(left: RateLimit) -> str:
    if left.remaining is None:
        return "the server named no limit."
    return f"{left.remaining} of {left.limit} points of this minute are left."


def _headline(console: Console, text: str) -> None:
    console.print(Rule(Text(text, style="bold"), align="left", style="cyan"), width=min(console.width, 80))
    console.print()
