"""The commands `items` and `item`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scapi.cli import tables
from scapi.cli.command import connected_command
from scapi.cli.models import Match
from scapi.cli.output import Answer, listing, single
from scapi.enums import Language

if TYPE_CHECKING:
    from scapi.cli.connection import Connection
    from scapi.enums import LanguageLike
    from scapi.models import ItemInfo

__all__ = ["Match", "item", "items"]

MOST = 20

language = click.option(
    "--language",
    type=click.Choice([*Language], case_sensitive=False),
    default=Language.EN,
    show_default=True,
    help="The language of names and texts.",
)


@connected_command
@click.argument("query")
@click.option(
    "--limit", type=click.IntRange(min=1), default=MOST, metavar="N", show_default=True, help="The most items to show."
)
@language
def items(connection: Connection, *, query: str, limit: int, language: LanguageLike) -> Answer[Match]:
    """Find items by a name, a part of a name, or an id."""
    found = connection.lookup.search(query, limit=limit)
    rows = [
        Match(
            id=entry.id,
            name=entry.name(language),
            category=entry.category,
            color=entry.color,
            status=entry.status,
            score=entry.score,
            ambiguous=entry.ambiguous,
            names=entry.translation.lines,
        )
        for entry in found
    ]
    return listing(rows, Match, tables.matches, "items")


@connected_command
@click.argument("item", metavar="NAME_OR_ID")
@click.option(
    "--level", type=click.IntRange(0, 15), default=0, metavar="N", help="At this upgrade level, 0 to 15; 0 by default."
)
@language
def item(connection: Connection, *, item: str, level: int, language: LanguageLike) -> Answer[ItemInfo]:
    """Show the card of an item."""
    card = connection.lookup.item_info(item, level)
    return single(card, lambda row, now: tables.card(row, language))
