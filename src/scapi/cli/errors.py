"""How errors end a command: one sentence for the person, one exit code for the script."""

from __future__ import annotations

import click

from scapi import exceptions
from scapi._base import escaping
from scapi.cli.exit_codes import MISSING_EXTRA

__all__ = ["EXIT_CODES", "exit_code", "sentence"]

#: The exit code of each family of errors. The first that fits counts, so the narrower ones come first.
EXIT_CODES: dict[type[BaseException], int] = {
    click.ClickException: 2,
    exceptions.CredentialsError: 3,
    exceptions.UnauthorizedError: 3,
    exceptions.ForbiddenError: 3,
    exceptions.RateLimitError: 5,
    exceptions.ClientError: 4,
    exceptions.ServerError: 6,
    exceptions.RequestError: 6,
    exceptions.TransportError: 7,
    exceptions.DecodeError: 8,
    ImportError: MISSING_EXTRA,
    OSError: 10,
    exceptions.StoreError: 10,
    # What the clients refuse before anything is sent is a wrong argument of the command line too.
    ValueError: 2,
}


def exit_code(error: BaseException) -> int | None:
    """Return the exit code of an error, or `None` for a bug of ours, which deserves its traceback."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), None)


def sentence(error: BaseException) -> str:
    """Describe an error in one line."""
    text = error.format_message() if isinstance(error, click.ClickException) else str(error)
    # Its text may come from arguments, the environment, the database or the server.
    return " ".join(escaping.terminal(text).split()) or type(error).__name__
