"""The commands `regions`, `emission` and `operations`."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from scapi._api.requests import MAX_LIMIT_OPERATIONS
from scapi.cli import tables
from scapi.cli.command import (
    api_command,
    connected_command,
    every,
    limit,
    offset,
    order,
    reject_large_page,
    reject_offset_with_all,
)
from scapi.cli.errors import sentence
from scapi.cli.output import Answer, capped, listing, single, walk
from scapi.enums import OperationsMap, SortOperations
from scapi.models import EmissionState, OperationSession, RegionInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapi.cli.connection import Connection
    from scapi.enums import OrderLike, SortOperationsLike
    from scapi.sync import AppClient, UserClient

__all__ = ["emission", "operations", "regions"]


@api_command
def regions(client: AppClient) -> Answer[RegionInfo]:
    """List the regions of the game."""
    return listing(client.regions(), RegionInfo, tables.regions, "regions")


@connected_command
@click.option("--watch", is_flag=True, help="Keep running and report when emissions start and end.")
def emission(connection: Connection, *, watch: bool) -> Answer[EmissionState]:
    """Show the running emission, or the last one."""
    state = connection.client.emission()
    if not watch:
        return single(state, tables.emission)
    connection.liven()
    rows = chain([state], _changes(connection.client))
    return Answer(model=EmissionState, rows=rows, view=lambda rows, now: tables.emission(rows[0], now), live=True)


def _changes(client: AppClient | UserClient) -> Iterator[EmissionState]:
    """Yield the state whenever an emission starts or ends. Print errors to stderr."""
    for event in client.watch_emission(
        on_failure=lambda failed: click.echo(f"scapi: {sentence(failed.error)}", err=True)
    ):
        if event.kind != "error":
            yield event.state


def _maps(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the known maps. The server may have others, so the option accepts any name."""
    return [known.value for known in OperationsMap if known.value.startswith(incomplete)]


@api_command
@limit
@offset
@every
@click.option("--sort", type=click.Choice([*SortOperations], case_sensitive=False), help="What to sort by.")
@order
@click.option("--map", metavar="NAME", shell_complete=_maps, help="Only on this map, such as shock_therapy.")
@click.option("--username", metavar="NAME", help="Only sessions of this character.")
@click.option("--before", metavar="TIME", help="Only sessions that ended before this, such as 2025-12-01T00:00:00Z.")
@click.option("--after", metavar="TIME", help="Only sessions that ended after this.")
def operations(
    client: AppClient,
    *,
    limit: int | None,
    offset: int | None,
    every: bool,
    sort: SortOperationsLike | None,
    order: OrderLike | None,
    map: str | None,
    username: str | None,
    before: str | None,
    after: str | None,
) -> Answer[OperationSession]:
    """List the finished sessions of operations, newest first."""
    reject_offset_with_all(every=every, offset=offset)
    filters: dict[str, Any] = {"map": map, "username": username, "before": before, "after": after}
    if every:
        rows = client.iter_operations_sessions(limit=limit, sort=sort, order=order, **filters)
        total = capped(client.operations_sessions(limit=1, **filters).total, limit)
        return walk(rows, OperationSession, tables.sessions, "sessions", total)
    reject_large_page(limit, MAX_LIMIT_OPERATIONS)
    page = client.operations_sessions(limit=limit, offset=offset, sort=sort, order=order, **filters)
    return listing(page, OperationSession, tables.sessions, "sessions")
