"""`scapi lots` and `scapi history`: the auction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from scapi.cli import output, tables
from scapi.cli.command import api_command, every, first_page, limit, offset, order
from scapi.cli.output import Answer, fewer, listing, walk
from scapi.cli.words import back
from scapi.enums import Quality, SortAuction
from scapi.models import AuctionLot, AuctionPrice

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi.sync import AppClient

__all__ = ["history", "lots"]

item = click.argument("item_id", metavar="ITEM_ID")
qualities = click.option(
    "--quality",
    type=click.Choice([quality.name.lower() for quality in Quality], case_sensitive=False),
    multiple=True,
    help="Of the rows that are fetched, only those of this quality; several times for several.",
)


@api_command
@item
@limit
@offset
@every
@click.option("--sort", type=click.Choice([*SortAuction], case_sensitive=False), help="What to sort by.")
@order
@qualities
def lots(
    client: AppClient,
    *,
    item_id: str,
    limit: int | None,
    offset: int | None,
    every: bool,
    sort: str | None,
    order: str | None,
    quality: tuple[str, ...],
) -> Answer[AuctionLot]:
    """The lots of an item on the auction."""
    first_page(every=every, offset=offset)
    auction = client.auction(item_id)
    if every:
        rows = auction.iter_lots(limit=limit, sort=sort, order=order, additional=True)
        total = fewer(auction.lots(limit=1).total, limit)
        answer = walk(rows, AuctionLot, tables.lots, "lots", total)
    else:
        page = auction.lots(limit=limit, offset=offset, sort=sort, order=order, additional=True)
        answer = listing(page, AuctionLot, tables.lots, "lots")
    return replace(answer, keep=_of_quality(quality))


@api_command
@item
@limit
@offset
@every
@click.option("--since", metavar="TIME", help="All sales since then: 7d, 12h, 30min, or 2026-08-01T00:00:00Z.")
@qualities
def history(
    client: AppClient,
    *,
    item_id: str,
    limit: int | None,
    offset: int | None,
    every: bool,
    since: str | None,
    quality: tuple[str, ...],
) -> Answer[AuctionPrice]:
    """The sales made of an item, newest first."""
    first_page(every=every or since is not None, offset=offset)
    auction = client.auction(item_id)
    if since is not None:
        rows = auction.iter_price_history(back(since, output.now()), limit=limit, additional=True)
        answer = walk(rows, AuctionPrice, tables.sales, "sales", None)
    elif every:
        rows = auction.iter_price_history(limit=limit, additional=True)
        total = fewer(auction.price_history(limit=1).total, limit)
        answer = walk(rows, AuctionPrice, tables.sales, "sales", total)
    else:
        page = auction.price_history(limit=limit, offset=offset, additional=True)
        answer = listing(page, AuctionPrice, tables.sales, "sales")
    return replace(answer, keep=_of_quality(quality))


def _of_quality(names: tuple[str, ...]) -> Callable[[AuctionLot | AuctionPrice], bool] | None:
    """Whether a row is of one of these qualities; `None` where none is named."""
    if not names:
        return None
    # A common artefact is sent without its quality as often as with it.
    return lambda row: (row.quality or Quality.COMMON).name.lower() in names
