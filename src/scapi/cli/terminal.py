"""The consoles: data goes to stdout, everything else to stderr."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console

from scapi._base import escaping

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["PipeClosedError", "log_to_stderr", "stderr", "stdout"]


PIPE_WIDTH = 200


class PipeClosedError(Exception):
    """The reader of our output has gone. No `OSError`, because click would end the process for one."""


class _Console(Console):
    """A console that leaves a closed pipe to `run`: rich would end the process at once.

    A `str` is plain text and never markup, because it may be a stranger's. Styles come as `Text`.
    """

    def on_broken_pipe(self) -> None:
        raise PipeClosedError


def stdout() -> Console:
    """Make the console for data. It has colours if stdout is a terminal and `NO_COLOR` isn't set."""
    # A pipe has no width. rich would assume 80 columns and cut longer lines.
    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return _Console(width=None if known else PIPE_WIDTH, highlight=False, markup=False, emoji=False)


def stderr() -> Console:
    """Make the console for progress and messages."""
    return _Console(stderr=True, highlight=False, markup=False, emoji=False)


class _StderrHandler(logging.Handler):
    """Shows what the clients log, each message as a dim line."""

    def emit(self, record: logging.LogRecord) -> None:
        # Not through a console of rich: a progress bar makes room only for what is written to stderr itself.
        click.secho(escaping.terminal(record.getMessage()), err=True, dim=True)


@contextmanager
def log_to_stderr(least: int = logging.INFO) -> Generator[None]:
    """Show on stderr what the clients wait for and warn of, or only the latter, as long as the block lasts."""
    logger, teller = logging.getLogger("scapi"), _StderrHandler(least)
    level = logger.level
    logger.addHandler(teller)
    logger.setLevel(least)
    try:
        yield
    finally:
        logger.removeHandler(teller)
        logger.setLevel(level)
