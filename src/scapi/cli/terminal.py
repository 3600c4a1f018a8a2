"""The two ends of a command: data goes to stdout, all else to stderr."""

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

__all__ = ["PipeClosedError", "stderr", "stdout", "telling_waits"]


PIPE_WIDTH = 200


class PipeClosedError(Exception):
    """Nobody reads any more what we print. No `OSError`: click would end the process for one of these by itself."""


class _Console(Console):
    """A console that leaves a closed pipe to `run`; rich would end the process there and then.

    A `str` is text and never markup: it may be a stranger's. Styles come as `Text`.
    """

    def on_broken_pipe(self) -> None:
        raise PipeClosedError


def stdout() -> Console:
    """Where data goes. It has colours only where it is a terminal and `NO_COLOR` isn't set."""
    # A pipe has no width. rich would take it for 80 columns wide and cut what is longer.
    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return _Console(width=None if known else PIPE_WIDTH, highlight=False, markup=False, emoji=False)


def stderr() -> Console:
    """Where progress and messages go."""
    return _Console(stderr=True, highlight=False, markup=False, emoji=False)


class _Teller(logging.Handler):
    """Shows what the clients have to say, a dim line each."""

    def emit(self, record: logging.LogRecord) -> None:
        # Not through a console of rich: a bar that is on the screen makes room only for what goes to stderr itself.
        click.secho(escaping.terminal(record.getMessage()), err=True, dim=True)


@contextmanager
def telling_waits() -> Generator[None]:
    """Say on stderr, while the block lasts, what the clients wait for and what they warn of."""
    logger, teller = logging.getLogger("scapi"), _Teller(logging.INFO)
    level = logger.level
    logger.addHandler(teller)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(teller)
        logger.setLevel(level)
