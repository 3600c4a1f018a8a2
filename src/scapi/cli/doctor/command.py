"""The command `scapi doctor`."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group
from rich.table import Column
from rich.text import Text

from scapi._base.escaping import terminal
from scapi.cli import exports, fitted_tables
from scapi.cli.command import command
from scapi.cli.connection import VARIABLES, connect, has_env_credentials
from scapi.cli.formatting import NOTHING, counted
from scapi.cli.output import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from rich.table import Table

    from scapi.cli.doctor.findings import Finding
    from scapi.cli.doctor.plan import Step
    from scapi.cli.doctor.recording import Recording
    from scapi.cli.doctor.wire import Exchange

__all__ = ["doctor"]

STYLES = {"ok": "green", "new": "yellow", "failed": "red", "info": "dim"}


def _file(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """Check, before anything is sent, that the file can be written."""
    if value is not None:
        exports.check(context, value)
    return value


def _recording(context: click.Context, parameter: click.Parameter, value: Path | None) -> Recording | None:
    """Read a recording."""
    if value is None or context.resilient_parsing:
        return None
    from scapi.cli.doctor import recording

    try:
        return recording.decode(value.read_bytes())
    except ValueError as error:
        raise click.BadParameter(f"{value}: {error}") from None


@command
@click.option("--dry-run", is_flag=True, help="Only list the open questions, the calls for them, and their points.")
@click.option(
    "--save",
    type=exports.HomePath(dir_okay=False),
    callback=_file,
    metavar="FILE",
    help="Also write the responses, with names and ids replaced, to attach them to an issue.",
)
@click.option(
    "--replay",
    type=exports.HomePath(exists=True, dir_okay=False),
    callback=_recording,
    metavar="FILE",
    help="Read the responses from a file that --save wrote. Nothing is sent.",
)
def doctor(
    *, region: str | None, fake: bool, dry_run: bool, save: Path | None, replay: Recording | None
) -> Answer[Any]:
    """Compare the API with what scapi expects.

    It calls every endpoint and compares the responses exactly. The report contains no credentials and no names
    of players, so you can paste it into an issue. The numbers are those of the open questions in docs/api-quirks.md.
    """
    if (dry_run or replay is not None) and (fake or save is not None or (dry_run and replay is not None)):
        raise click.UsageError("--dry-run and --replay send nothing: each goes without --fake and --save")
    if dry_run:
        return _plan()
    # Imported late: this needs an HTTP library, which help and completion don't need.
    from scapi.cli.doctor.findings import Finding

    found = list(_replayed(replay) if replay is not None else _report(region, fake=fake, save=save))
    counts = {mark: sum(finding.mark == mark for finding in found) for mark in STYLES}
    note = f"{counts['new']} unexpected, {counts['failed']} failed"
    return Answer(model=Finding, rows=found, view=_table, note=note if save is None else f"{note}; saved in {save}")


def _plan() -> Answer[Step]:
    from scapi.cli.doctor import plan

    note = (
        f"All {counted(len(plan.calls()), 'calls')} together cost about {plan.points()} points. "
        "An application has 400 a minute, a user 50. Nothing was sent."
    )
    return Answer(model=plan.Step, rows=plan.steps(), view=_plan_tables, note=note)


def _replayed(recorded: Recording) -> Iterator[Finding]:
    from scapi.cli.doctor import findings, recording

    yield from findings.about_us()
    yield from findings.about_recording(recorded.software)
    yield from findings.findings(list(recording.replay(recorded)))


def _report(region: str | None, *, fake: bool, save: Path | None) -> Iterator[Finding]:
    from scapi.cli.doctor import findings

    yield from findings.about_us()
    yield from findings.about_conflicts()
    exchanges, secrets = _fake_calls(region) if fake else _calls(region)
    yield from findings.findings(exchanges)
    if save is not None:
        _save(save, exchanges, findings.software(), secrets)


def _fake_calls(region: str | None) -> tuple[list[Exchange], list[str]]:
    from scapi.cli.doctor import endpoint_calls
    from scapi.testing import FakeApi

    # A user's usual 50 points a minute would do, but only with a wait.
    api = FakeApi(clock=time.time, user_limit=400)
    with api.serve() as url:
        return list(endpoint_calls.live(api.user_token, base_url=url, region=region)), [api.user_token]


def _calls(region: str | None) -> tuple[list[Exchange], list[str]]:
    """Make all calls. Return them, and the credentials."""
    from scapi.cli.doctor import endpoint_calls

    token = _token()
    secrets = [value for name in VARIABLES if (value := os.environ.get(name))]
    calls = list(endpoint_calls.live(token, region=region))
    return [*endpoint_calls.hosts(), *calls], [*secrets, *([token] if token else [])]


def _token() -> str | None:
    """Return the token of the environment or of the login, or `None` for an id and a secret in the environment."""
    if has_env_credentials():
        return os.environ.get("SCAPI_TOKEN")
    with connect(fake=False, region=None) as connection:
        return connection.login.token.access_token


def _save(path: Path, exchanges: Sequence[Exchange], software: str, secrets: Sequence[str]) -> None:
    from scapi.cli.doctor import recording

    with exports.whole_file(path) as file:
        file.write(recording.encode(recording.record(exchanges, software, secrets)))


def _table(rows: Sequence[Finding], now: datetime) -> Table:
    result = fitted_tables.table("", "About", Column("Found", overflow="fold"), fitted_tables.figure("Settles"))
    for row in rows:
        mark = Text(row.mark, style=STYLES[row.mark])
        subject, text = Text(terminal(row.subject)), Text(terminal(row.text))
        result.add_row(mark, subject, text, f"#{row.settles}" if row.settles else "")
    return result


def _plan_tables(rows: Iterable[Step], now: datetime) -> Group:
    """Render the questions with the names of the calls, and then the calls."""
    from scapi.cli.doctor import plan

    questions = fitted_tables.table(fitted_tables.figure("#"), "Question", "Settled by", fitted_tables.figure("Points"))
    for row in rows:
        how = Text(", ".join(row.calls))
        if row.by_hand:
            how.append(("; " if row.calls else "") + f"by hand: {row.by_hand}", style="dim")
        questions.add_row(f"{row.number}", row.question, how, NOTHING if row.points is None else f"{row.points}")
    calls = fitted_tables.table("Call", Column("Request", overflow="fold"), fitted_tables.figure("Points"))
    calls.add_row("hosts", plan.HOSTS, "0")
    for call in plan.calls():
        calls.add_row(call.name, call.target, f"{call.points}")
    return Group(questions, Text(), calls)
