"""The two ends of a command: data goes to stdout, all else to stderr."""

from __future__ import annotations

from rich.console import Console

__all__ = ["stderr", "stdout"]


class _Console(Console):
    """A console that leaves a closed pipe to `run`; rich would end the process there and then."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def stdout() -> Console:
    """Where data goes. It has colours only where it is a terminal and `NO_COLOR` isn't set."""
    return _Console(highlight=False)


def stderr() -> Console:
    """Where progress and messages go."""
    return _Console(stderr=True, highlight=False)
