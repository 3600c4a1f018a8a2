"""`scapi` as a real process."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"

#: A program: the command, with something happening in the fake all the time.
BUSY = ("-c", "from scapi import __main__; from scapi.testing import _activity as a; a.PERIOD = 0.2; __main__.main()")


def environment(**changes: str) -> dict[str, str]:
    """Our environment without anything that changes what `scapi` does, and with these changes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SCAPI_", "NO_COLOR"))}
    return {**kept, "PYTHONPATH": str(SOURCE), **changes}


def start(*arguments: str, program: tuple[str, ...] = ("-m", "scapi"), **env: str) -> subprocess.Popen[str]:
    """Start it, its output in pipes."""
    pipe = subprocess.PIPE
    command = [sys.executable, *program, *arguments]
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment(**env), encoding="utf-8")  # noqa: S603  # our own command


def finish(*arguments: str, program: tuple[str, ...] = ("-m", "scapi"), **env: str) -> tuple[int, str, str]:
    """Run it to its end: the exit code, what it printed, what it complained about."""
    process = start(*arguments, program=program, **env)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def on_a_terminal(*arguments: str, **env: str) -> tuple[int, str]:
    """Run `scapi` on a pseudo-terminal: the exit code, and all that it showed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "scapi", *arguments]
    variables = environment(TERM="xterm-256color", COLUMNS="80", **env)
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=variables)  # noqa: S603  # ours
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:
        pass  # how Linux says that the other end is closed
    os.close(ours)
    return process.wait(60), shown.decode()
