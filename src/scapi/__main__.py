"""`scapi` and `python -m scapi`: the terminal, or the one sentence that says how to get it."""

from __future__ import annotations

import io
import sys

from scapi._base.extras import install
from scapi.cli.exit_codes import MISSING_EXTRA

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from scapi import _conflict  # noqa: F401  # raises where another package overwrote this one
        from scapi.cli.app import run
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in {"click", "rich"}:
            raise
        print(f"scapi: the terminal needs {missing}: {install('cli')}", file=sys.stderr)  # noqa: T201  # nothing to print with is installed
        sys.exit(MISSING_EXTRA)
    except ImportError as error:
        if error.name != "scapi":
            raise
        print(f"scapi: {error}", file=sys.stderr)  # noqa: T201  # the terminal's own modules can't be imported
        sys.exit(MISSING_EXTRA)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that can't show a character gets a question mark, not an error.
            stream.reconfigure(errors="replace")
    sys.exit(run())


if __name__ == "__main__":
    main()
