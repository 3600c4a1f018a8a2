"""The commands `profile`, `clans` and `clan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scapi.cli import tables
from scapi.cli.command import (
    api_command,
    connected_command,
    every,
    limit,
    offset,
    reject_large_page,
    reject_offset_with_all,
)
from scapi.cli.output import Answer, capped, listing, single, walk
from scapi.models import CharacterProfile, ClanInfo

if TYPE_CHECKING:
    from scapi.cli.connection import Connection
    from scapi.sync import AppClient

__all__ = ["clan", "clans", "profile"]


@connected_command
@click.argument("name")
def profile(connection: Connection, *, name: str) -> Answer[CharacterProfile]:
    """Show the public profile of a character."""
    player = connection.client.profile(name)
    # Only tables show names, so the database is read only for a table.
    return single(player, lambda player, now: tables.profile(player, now, connection.stat_names))


@api_command
@limit
@offset
@every
def clans(client: AppClient, *, limit: int | None, offset: int | None, every: bool) -> Answer[ClanInfo]:
    """List the clans of a region."""
    reject_offset_with_all(every=every, offset=offset)
    if every:
        total = capped(client.clans(limit=1).total, limit)
        return walk(client.iter_clans(limit=limit), ClanInfo, tables.clans, "clans", total)
    reject_large_page(limit)
    return listing(client.clans(limit=limit, offset=offset), ClanInfo, tables.clans, "clans")


@api_command
@click.argument("clan_id", metavar="ID")
def clan(client: AppClient, *, clan_id: str) -> Answer[ClanInfo]:
    """Show a clan by its id."""
    return single(client.clan(clan_id).info(), tables.clan)
