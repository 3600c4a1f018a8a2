"""The command line, and how a run of it ends."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import click

from scapi import __version__
from scapi.cli import errors, exit_codes
from scapi.cli.commands.account import login, logout, whoami
from scapi.cli.commands.auction import history, lots
from scapi.cli.commands.characters import clan, clans, profile
from scapi.cli.commands.collect import collect
from scapi.cli.commands.demo import demo
from scapi.cli.commands.game import emission, operations, regions
from scapi.cli.commands.items import item, items
from scapi.cli.commands.market import market
from scapi.cli.doctor.command import doctor
from scapi.cli.terminal import PipeClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["app", "run"]

EPILOG = (
    "Exit codes: 2 wrong arguments, 3 credentials, 4 refused or not found, 5 limit, 6 server, 7 network, 8 answer, "
    "9 extra, 10 file or store, 11 some items, 130 Ctrl-C. More in docs/terminal.md."
)


class _App(click.Group):
    """The group of all commands. It says where an option goes that stands before the command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            known = {name for command in self.commands.values() for option in command.params for name in option.opts}
            if error.option_name not in known:
                raise
            example = f"scapi lots kqgy {error.option_name}"
            raise click.UsageError(f"{error.option_name} goes behind the command, as in: {example}", ctx) from None


@click.group(cls=_App, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(__version__, prog_name="scapi")
def app() -> None:
    """The STALCRAFT / STALZONE API in the terminal.

    Credentials come from SCAPI_TOKEN, from SCAPI_CLIENT_ID and SCAPI_CLIENT_SECRET, or from the login that `scapi
    login` keeps. Without any, try --fake.
    """


COMMANDS = (
    demo,
    regions,
    emission,
    lots,
    history,
    collect,
    profile,
    clans,
    clan,
    operations,
    items,
    item,
    login,
    whoami,
    logout,
    doctor,
    market,
)
for command in COMMANDS:
    app.add_command(command)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def run(arguments: Sequence[str] | None = None, *, now: Callable[[], datetime] = _utc_now) -> int:
    """Run a command line. Print one sentence to stderr if it fails.

    Args:
        arguments: The arguments; those of the process by default.
        now: Returns the present time, from which ages and durations are counted.

    Returns:
        The exit code: 0, or one of `errors.EXIT_CODES` and `exit_codes`.
    """
    try:
        # Left to itself, click has one exit code for nearly every error.
        code = app.main(arguments, prog_name="scapi", standalone_mode=False, obj=now)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return exit_codes.INTERRUPTED
    except (PipeClosedError, BrokenPipeError):
        return _pipe_closed()
    except Exception as error:  # noqa: BLE001  # the last frame of the program: it raises again what it doesn't know
        return _failed(error)
    return code if isinstance(code, int) else 0


def _failed(error: Exception) -> int:
    cause = _first(error)
    code = errors.exit_code(cause)
    if code is None:
        raise error
    click.echo(f"scapi: {errors.sentence(cause)}", err=True)
    return code


def _first(error: Exception) -> Exception:
    """Return the error itself, or the first one of a group that tasks failed with."""
    while isinstance(error, ExceptionGroup):
        error = cast("ExceptionGroup[Exception]", error).exceptions[0]
    return error


def _pipe_closed() -> int:
    """Leave quietly. Python flushes stdout once more at exit and would complain about the pipe again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return exit_codes.PIPE_CLOSED
