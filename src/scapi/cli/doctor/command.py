"""The command `scapi doctor`."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click
from rich.table import Column
from rich.text import Text

from scapi._base.escaping import terminal
from scapi.cli import fitted_tables
from scapi.cli.command import command
from scapi.cli.connection import connect, has_env_credentials
from scapi.cli.exports import HomePath
from scapi.cli.output import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from rich.table import Table

    from scapi.cli.doctor.findings import Finding

__all__ = ["doctor"]

STYLES = {"ok": "green", "new": "yellow", "failed": "red", "info": "dim"}


@command
@click.option(
    "--from",
    "folder",
    type=HomePath(exists=True, file_okay=False),
    metavar="FOLDER",
    help="Read saved responses instead: files such as lots.json and history_eu.json, named by their endpoint.",
)
def doctor(*, region: str | None, fake: bool, folder: Path | None) -> Answer[Finding]:
    """Compare the API with what scapi expects.

    It calls every endpoint once and compares the responses exactly. The report contains no credentials and no names
    of players, so you can paste it into an issue. The numbers are those of the open questions in docs/api-quirks.md.
    """
    # Imported late: this needs an HTTP library, which help and completion don't need.
    from scapi.cli.doctor.findings import Finding

    found = list(_report(region, fake=fake, folder=folder))
    counts = {mark: sum(finding.mark == mark for finding in found) for mark in STYLES}
    return Answer(model=Finding, rows=found, view=_table, note=f"{counts['new']} unexpected, {counts['failed']} failed")


def _report(region: str | None, *, fake: bool, folder: Path | None) -> Iterator[Finding]:
    from scapi.cli.doctor import endpoint_calls, findings

    yield from findings.about_us()
    yield from findings.about_conflicts()
    if folder is not None:
        yield from findings.findings(list(endpoint_calls.saved(folder)))
    elif fake:
        from scapi.testing import FakeApi

        api = FakeApi(clock=time.time)
        with api.serve() as url:
            yield from findings.findings(list(endpoint_calls.live(api.user_token, base_url=url, region=region)))
    else:
        calls = list(endpoint_calls.live(_token(), region=region))
        yield from findings.about_hosts(endpoint_calls.hosts())
        yield from findings.findings(calls)


def _token() -> str | None:
    """Return the token of the environment or of the login, or `None` for an id and a secret in the environment."""
    if has_env_credentials():
        return os.environ.get("SCAPI_TOKEN")
    with connect(fake=False, region=None) as connection:
        return connection.login.token.access_token


def _table(rows: Sequence[Finding], now: datetime) -> Table:
    result = fitted_tables.table("", "About", Column("Found", overflow="fold"), fitted_tables.figure("Settles"))
    for row in rows:
        mark = Text(row.mark, style=STYLES[row.mark])
        subject, text = Text(terminal(row.subject)), Text(terminal(row.text))
        result.add_row(mark, subject, text, f"#{row.settles}" if row.settles else "")
    return result
