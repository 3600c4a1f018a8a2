"""What all commands that ask the API have in common: whom they ask, and what becomes of the answer."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from scapi.cli import exports
from scapi.cli.connection import connect
from scapi.cli.output import deliver
from scapi.cli.terminal import telling_waits
from scapi.enums import Region

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scapi.cli.connection import Connection
    from scapi.cli.output import Answer, Form

__all__ = ["api_command", "command", "connected_command", "every", "first_page", "limit", "offset", "order"]


def _file(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """The file's name, refused before anything is sent where it can't be written at the end."""
    if value is not None and value.suffix not in exports.WRITERS:
        raise click.BadParameter(f"the name must end in {', '.join(exports.WRITERS)}, not {value.suffix or 'nothing'}")
    if value is not None and value.suffix == ".parquet":
        exports.require_pyarrow()
    if value is not None:
        exports.check(context, value)
    return value


ASKING = (
    click.option(
        "--region", type=click.Choice([*Region], case_sensitive=False), envvar="SCAPI_REGION", help="The region."
    ),
    click.option("--fake", is_flag=True, help="Ask a made-up API on this machine; needs no key."),
)

DELIVERING = (
    click.option("--json", "form", flag_value="json", help="Print JSON."),
    click.option("--csv", "form", flag_value="csv", help="Print CSV."),
    click.option("--table", "form", flag_value="table", default="table", help="Print a table, as it does by default."),
    click.option(
        "--out",
        type=exports.HomePath(dir_okay=False),
        callback=_file,
        metavar="FILE",
        help=f"Write a file: {', '.join(exports.WRITERS)}.",
    ),
    click.option(
        "--spreadsheet/--no-spreadsheet",
        default=None,
        help="In CSV, an apostrophe before what a spreadsheet would calculate: on for --out, off for --csv.",
    ),
)

limit = click.option(
    "--limit", type=int, metavar="N", help="How many rows; 20 by default, with --all no more than these."
)
offset = click.option("--offset", type=int, metavar="N", help="How many rows to skip.")
order = click.option("--order", metavar="asc|desc", help="In which direction to sort.")
every = click.option("--all", "every", is_flag=True, help="Fetch every page, not just one.")


def api_command(function: Callable[..., Answer[Any]]) -> click.Command:
    """A command out of a function from a client and arguments to an answer."""

    @wraps(function)
    def ask(connection: Connection, **arguments: Any) -> Answer[Any]:
        return function(connection.client, **arguments)

    return connected_command(ask)


def connected_command(function: Callable[..., Answer[Any]]) -> click.Command:
    """A command out of a function from a connection and arguments to an answer."""

    @wraps(function)
    def ask(
        *, region: str | None, fake: bool, form: Form, out: Path | None, spreadsheet: bool | None, **arguments: Any
    ) -> None:
        _check_forms(form, out, spreadsheet)
        # The rows may still be under way when the function is done with them, so the clients stay until they are out.
        with telling_waits(), connect(fake=fake, region=region) as connection:
            deliver(function(connection, **arguments), form, out, spreadsheet=spreadsheet)

    return _command(ask)


def command(function: Callable[..., Answer[Any]]) -> click.Command:
    """A command out of a function from a region, whether to ask the fake, and arguments to an answer."""

    @wraps(function)
    def answer(*, form: Form, out: Path | None, spreadsheet: bool | None, **arguments: Any) -> None:
        _check_forms(form, out, spreadsheet)
        deliver(function(**arguments), form, out, spreadsheet=spreadsheet)

    return _command(answer)


def _check_forms(form: Form, out: Path | None, spreadsheet: bool | None) -> None:
    if out is not None and form != "table":
        raise click.UsageError(f"--{form} prints and --out writes: choose one")
    if spreadsheet is not None and form != "csv" and (out is None or out.suffix != ".csv"):
        raise click.UsageError("--spreadsheet and --no-spreadsheet are about CSV: they go with --csv or --out FILE.csv")


def _command(function: Callable[..., None]) -> click.Command:
    for option in reversed((*ASKING, *DELIVERING)):
        function = option(function)
    return click.command(function)


def first_page(*, every: bool, offset: int | None) -> None:
    """Refuse an offset where all pages are read, or a part of the rows would be missing unsaid."""
    if every and offset is not None:
        raise click.UsageError("--offset skips rows, and all of them are asked for: choose one")
