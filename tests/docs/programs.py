"""Programs as a reader runs them: pasted alone into a file, in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from scapi.testing import FakeApi
from scapi.testing import __main__ as runner

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest

#: Python runs a `sitecustomize` before the program. This one lets it reach its own machine only, but no Redis there,
#: and ends a program that hangs.
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


class Reader:
    """Somebody with an empty folder, without a key and without a network.

    Attributes:
        folder: The folder, in which the programs run.
        fake: What `python -m scapi.testing` serves.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder, self._site = folder / "work", folder / "site"
        self.folder.mkdir()
        self._site.mkdir()
        self.fake = FakeApi(clock=time.time)
        self._monkeypatch, self._capfd = monkeypatch, capfd
        (browser := folder / "browser.py").write_text(BROWSER, encoding="utf-8")
        monkeypatch.setenv("BROWSER", f"{sys.executable} {browser} %s")
        monkeypatch.chdir(self.folder)
        for name in [name for name in os.environ if name.startswith(("SCAPI_", "COV", "PYTHON"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(self._site), *sys.path)))
        monkeypatch.setenv("PYTHONWARNINGS", "error")

    def run(self, source: str, *customs: str) -> Finished:
        """Paste a program into a file and run it, after these changes of Python.

        A program that makes its own fake is run as it is, and any other one as index.md says.
        """
        (self.folder / "program.py").write_text(source, encoding="utf-8")
        if "FakeApi(" not in source:
            return self.python("program.py", customs=customs)
        self._customize(customs)
        code = subprocess.call([sys.executable, "program.py"])  # a block of our own pages
        return Finished(code, *self._capfd.readouterr())

    def python(self, *arguments: str, customs: Iterable[str] = ()) -> Finished:
        """Run `python -m scapi.testing` with these arguments."""
        self._customize(customs)
        code = runner.main(arguments, self.fake)
        return Finished(code, *self._capfd.readouterr())

    def _customize(self, customs: Iterable[str]) -> None:
        (self._site / "sitecustomize.py").write_text("\n".join((ALONE, *customs)), encoding="utf-8")
