"""The two ends of a command: data goes to stdout, all else to stderr."""

from __future__ import annotations

import os
import sys

from rich.console import Console

__all__ = ["PipeClosedError", "stderr", "stdout"]


PIPE_WIDTH = 200


class PipeClosedError(Exception):
    """Nobody reads any more what we print. No `OSError`: click would end the process for one of these by itself."""


class _Console(Console):
    """A console that leaves a closed pipe to `run`; rich would end the process there and then."""

    def on_broken_pipe(self) -> None:
        raise PipeClosedError


def stdout() -> Console:
    """Where data goes. It has colours only where it is a terminal and `NO_COLOR` isn't set."""
    # A pipe has no width. rich would take it for 80 columns wide and cut what is longer.
    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return _Console(width=None if known else PIPE_WIDTH, highlight=False)


def stderr() -> Console:
    """Where progress and messages go."""
    return _Console(stderr=True, highlight=False)
