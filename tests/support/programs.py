"""Programs as a reader runs them: pasted alone into a file, in a process of their own."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from scapi.testing import FakeApi
from scapi.testing import __main__ as runner

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: A program may reach its own machine only, but no Redis there. One that hangs is ended.
ALONE = """
import faulthandler, sys

def refuse(event, arguments):
    if event == "socket.connect" and arguments[1][0] not in ("127.0.0.1", "::1"):
        raise RuntimeError(f"connects to {arguments[1]}")
    if event == "socket.connect" and arguments[1][1] == 6379:
        raise ConnectionRefusedError
    if event == "socket.getaddrinfo" and arguments[0] not in ("127.0.0.1", "localhost"):
        raise RuntimeError(f"looks up {arguments[0]}")

sys.addaudithook(refuse)
faulthandler.dump_traceback_later(300, exit=True)
"""

#: A watcher polls again at once, not after a minute.
NO_PAUSES = """
from scapi._lists.polling import Backoff

Backoff.after_success = lambda *_: 0.05
"""

#: Somebody presses Ctrl-C after the first line that the program prints.
INTERRUPT = """
import builtins

def print_once(*arguments, print=print, **options):
    print(*arguments, **options)
    raise KeyboardInterrupt

builtins.print = print_once
"""

#: Two tests may wait for a login at the same time, so each needs a port of its own.
OWN_PORT = """
import scapi, scapi.sync, socket

with socket.create_server(("127.0.0.1", 0)) as listener:
    port = listener.getsockname()[1]
for client in (scapi.OAuthClient, scapi.sync.OAuthClient):
    client.login = lambda self, login=client.login: login(self, port=port, login_timeout=60)
"""

BROWSER = "import httpx, sys; httpx.get(sys.argv[1], follow_redirects=True, trust_env=False)"


class Finished(NamedTuple):
    """How a program ended, and what it printed."""

    code: int
    out: str
    err: str


class WarmPython:
    """The process that forks the programs, see `warm_python.py`. It runs one program at a time."""

    def __init__(self) -> None:
        # Coverage is not measured in programs, because that would take longer than they do.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTHON"))}
        variables = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "error", "PYTHONIOENCODING": "utf-8"}
        # A process with one thread can be forked.
        variables |= {"OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, str(Path(__file__).with_name("warm_python.py"))]
        self._process = subprocess.Popen(  # noqa: S603  # our own script
            command, env={**kept, **variables}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def start(self, **job: Any) -> Self:
        """Start a program. The result is for `attend`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        return self

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the program, as `subprocess.Popen.wait` does."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("the program", timeout or 0)
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()


class Reader:
    """Somebody with an empty folder, without a key and without a network.

    Attributes:
        folder: The folder, in which the programs run.
        fake: What `python -m scapi.testing` serves.
    """

    def __init__(self, folder: Path, python: WarmPython) -> None:
        self.folder, self._python = folder / "work", python
        self.folder.mkdir()
        self.fake = FakeApi(clock=time.time)
        self._out, self._err, browser = (folder / name for name in ("out", "err", "browser.py"))
        browser.write_text(BROWSER, encoding="utf-8")
        self._browser = f"{sys.executable} {browser} %s"

    def run(self, source: str, *customs: str) -> Finished:
        """Paste a program into a file and run it, after these changes of Python.

        A program that makes its own fake is run as it is, and any other one as index.md says.
        """
        (self.folder / "program.py").write_text(source, encoding="utf-8")
        if "FakeApi(" in source:
            return self._finish(self._start(os.environ, "program.py", customs=customs).wait())
        return self.python("program.py", customs=customs)

    def python(self, *arguments: str, customs: Iterable[str] = ()) -> Finished:
        """Do what `python -m scapi.testing` does with these arguments."""
        with runner.environment(self.fake) as variables:
            process = cast("subprocess.Popen[bytes]", self._start(variables, *arguments, customs=customs))
            return self._finish(runner.attend(process, self.fake))

    def _start(self, variables: Mapping[str, str], *arguments: str, customs: Iterable[str]) -> WarmPython:
        return self._python.start(
            arguments=arguments,
            customs="\n".join((ALONE, *customs)),
            environment={**variables, "BROWSER": self._browser},
            folder=str(self.folder),
            out=str(self._out),
            err=str(self._err),
        )

    def _finish(self, code: int) -> Finished:
        return Finished(code, self._out.read_text(encoding="utf-8"), self._err.read_text(encoding="utf-8"))
