"""`scapi regions`, `emission` and `operations`: what goes on in the Zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scapi.cli import tables
from scapi.cli.command import api_command, every, first_page, limit, offset, order
from scapi.cli.output import Answer, fewer, listing, single, walk
from scapi.enums import SortOperations
from scapi.models import EmissionState, OperationSession, RegionInfo

if TYPE_CHECKING:
    from scapi.sync import AppClient

__all__ = ["emission", "operations", "regions"]


@api_command
def regions(client: AppClient) -> Answer[RegionInfo]:
    """The regions of the game."""
    return listing(client.regions(), RegionInfo, tables.regions, "regions")


@api_command
def emission(client: AppClient) -> Answer[EmissionState]:
    """The emission that runs, or the last one."""
    return single(client.emission(), tables.emission)


@api_command
@limit
@offset
@every
@click.option("--sort", type=click.Choice([*SortOperations], case_sensitive=False), help="What to sort by.")
@order
@click.option("--map", metavar="NAME", help="Only on this map, such as shock_therapy.")
@click.option("--username", metavar="NAME", help="Only those that this character took part in.")
@click.option("--before", metavar="TIME", help="Only those that ended before this time, such as 2025-12-01T00:00:00Z.")
@click.option("--after", metavar="TIME", help="Only those that ended after this time.")
def operations(
    client: AppClient,
    *,
    limit: int | None,
    offset: int | None,
    every: bool,
    sort: str | None,
    order: str | None,
    map: str | None,
    username: str | None,
    before: str | None,
    after: str | None,
) -> Answer[OperationSession]:
    """The finished sessions of operations, newest first."""
    first_page(every=every, offset=offset)
    filters: dict[str, Any] = {"map": map, "username": username, "before": before, "after": after}
    if every:
        rows = client.iter_operations_sessions(limit=limit, sort=sort, order=order, **filters)
        total = fewer(client.operations_sessions(limit=1, **filters).total, limit)
        return walk(rows, OperationSession, tables.sessions, "sessions", total)
    page = client.operations_sessions(limit=limit, offset=offset, sort=sort, order=order, **filters)
    return listing(page, OperationSession, tables.sessions, "sessions")
