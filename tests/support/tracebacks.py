"""Tracebacks as tools for people print them, with local variables."""

from __future__ import annotations

import io

from rich.console import Console
from rich.traceback import Traceback

__all__ = ["rich_text"]

#: The characters in a line, many, for half a secret in each of two lines would not be found.
WIDTH = 1000


class _Uncoloured(Traceback):
    """Shows the same text. To colour it, rich reads each file up to the frame's line, longer than all else."""

    @classmethod
    def _guess_lexer(cls, filename: str, code: str) -> str:
        return ""


def rich_text(error: BaseException) -> str:
    """What rich prints for an error, its chain included, with all local variables in full."""
    page = io.StringIO()
    trace = _Uncoloured.from_exception(
        type(error), error, error.__traceback__, show_locals=True, locals_max_string=None, extra_lines=0, width=WIDTH
    )
    Console(file=page, width=WIDTH, no_color=True).print(trace)
    return page.getvalue()
