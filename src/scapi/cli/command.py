"""The options that commands share, and the decorators that make commands of functions."""

from __future__ import annotations

from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import click

from scapi._api.requests import MAX_LIMIT
from scapi.cli import exports
from scapi.cli.connection import connect
from scapi.cli.formatting import number
from scapi.cli.output import deliver
from scapi.cli.terminal import log_to_stderr
from scapi.enums import Region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from scapi.cli.connection import Connection
    from scapi.cli.output import Answer, Form
    from scapi.enums import RegionLike

__all__ = [
    "api_command",
    "command",
    "connected_command",
    "every",
    "limit",
    "offset",
    "order",
    "picture",
    "reject_large_page",
    "reject_offset_with_all",
    "stored_command",
    "theme",
]


T = TypeVar("T", bound="Callable[..., Any]")

#: The suffixes of pictures.
PICTURES = (".png", ".svg")


def _file(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """Check, before anything is sent, that the file can be written."""
    if value is not None:
        _check_suffix(value, exports.WRITERS)
        if value.suffix == ".parquet":
            exports.require_pyarrow()
        exports.check(context, value)
    return value


def _picture(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """Check, before anything is sent, that the picture can be drawn and written."""
    if value is not None:
        _check_suffix(value, PICTURES)
        # It raises if the extra is missing.
        import_module("scapi.plot")
        exports.check(context, value)
    return value


def _check_suffix(path: Path, allowed: Iterable[str]) -> None:
    if path.suffix not in allowed:
        raise click.BadParameter(f"the name must end in {', '.join(allowed)}, not {path.suffix or 'nothing'}")


ASKING = (
    click.option(
        "--region",
        type=click.Choice([*Region], case_sensitive=False),
        envvar="SCAPI_REGION",
        help=f"The region; by default SCAPI_REGION, or else {Region.RU}.",
    ),
    click.option("--fake", is_flag=True, help="Use a made-up API on this machine; needs no key."),
)

DELIVERING = (
    click.option("--json", "form", flag_value="json", help="Print JSON."),
    click.option("--csv", "form", flag_value="csv", help="Print CSV."),
    click.option("--table", "form", flag_value="table", default="table", help="Print a table, the default."),
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
        help="In CSV, put an apostrophe before text that a spreadsheet would calculate: on for --out, off for --csv.",
    ),
)

#: The names of the parameters above. Help lists them last.
SHARED = {"region", "fake", "form", "out", "spreadsheet"}


class _Command(click.Command):
    """A command whose help lists its own options before those that all commands share."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return sorted(super().get_params(ctx), key=lambda option: option.name in SHARED or "--help" in option.opts)


limit = click.option(
    "--limit", type=int, metavar="N", help="The number of rows, 20 by default; with --all, the most rows."
)
offset = click.option("--offset", type=int, metavar="N", help="The number of rows to skip.")
order = click.option("--order", metavar="asc|desc", help="The direction of the sort.")
theme = click.option(
    "--theme", type=click.Choice(["light", "dark"]), help="With --plot, the colours; light by default."
)
every = click.option("--all", "every", is_flag=True, help="Fetch every page, not just one.")


def picture(what: str) -> Callable[[T], T]:
    """Make the option for a picture of what a command finds."""
    return click.option(
        "--plot",
        type=exports.HomePath(dir_okay=False),
        callback=_picture,
        metavar="FILE",
        help=f"Draw {what}, in place of the table: .png or .svg.",
    )


def api_command(function: Callable[..., Answer[Any]]) -> click.Command:
    """Make a command of a function that takes a client and options and returns an answer."""

    @wraps(function)
    def ask(connection: Connection, **arguments: Any) -> Answer[Any]:
        return function(connection.client, **arguments)

    return connected_command(ask)


def connected_command(function: Callable[..., Answer[Any]]) -> click.Command:
    """Make a command of a function that takes a connection and options and returns an answer."""

    @wraps(function)
    def ask(
        *,
        region: RegionLike | None,
        fake: bool,
        form: Form,
        out: Path | None,
        spreadsheet: bool | None,
        **arguments: Any,
    ) -> None:
        _check_forms(form, out, spreadsheet)
        # The function may return before its rows are fetched, so the clients stay open until they are delivered.
        with log_to_stderr(), connect(fake=fake, region=region) as connection:
            answer = function(connection, **arguments)
            deliver(answer, form, out, spreadsheet=spreadsheet, ratelimit=lambda: connection.client.ratelimit)

    return _command(ask)


def command(function: Callable[..., Answer[Any]]) -> click.Command:
    """Make a command of a function that takes `region`, `fake` and options and returns an answer."""

    @wraps(function)
    def answer(*, form: Form, out: Path | None, spreadsheet: bool | None, **arguments: Any) -> None:
        _check_forms(form, out, spreadsheet)
        deliver(function(**arguments), form, out, spreadsheet=spreadsheet)

    return _command(answer)


def stored_command(function: Callable[..., Answer[Any]]) -> click.Command:
    """Make a command of a function that takes a store and options and returns an answer."""

    @wraps(function)
    def ask(*, store: str, form: Form, out: Path | None, spreadsheet: bool | None, **arguments: Any) -> None:
        from scapi.sync import Store

        _check_forms(form, out, spreadsheet)
        with Store(store, create=False) as opened:
            deliver(function(opened, **arguments), form, out, spreadsheet=spreadsheet)

    for option in reversed(DELIVERING):
        ask = option(ask)
    return click.command(cls=_Command)(click.argument("store", metavar="STORE")(ask))


def _check_forms(form: Form, out: Path | None, spreadsheet: bool | None) -> None:
    if out is not None and form != "table":
        raise click.UsageError(f"--{form} prints and --out writes: choose one")
    if spreadsheet is not None and form != "csv" and (out is None or out.suffix != ".csv"):
        raise click.UsageError("--spreadsheet and --no-spreadsheet are about CSV: they go with --csv or --out FILE.csv")


def _command(function: Callable[..., None]) -> click.Command:
    for option in reversed((*ASKING, *DELIVERING)):
        function = option(function)
    return click.command(cls=_Command)(function)


def reject_offset_with_all(*, every: bool, offset: int | None) -> None:
    """Reject `--offset` together with `--all`: rows would be missing without notice."""
    if every and offset is not None:
        raise click.UsageError("--offset skips rows and --all fetches all of them: choose one")


def reject_large_page(limit: int | None, most: int = MAX_LIMIT) -> None:
    """Reject a `--limit` above that of a page, and name the option that reads several pages."""
    if limit is not None and limit > most:
        raise click.UsageError(f"a page has at most {most} rows: add --all to read {number(limit)}")
