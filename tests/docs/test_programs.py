"""Each Python block, pasted alone into a file, runs without a key and without a network, as index.md tells readers to.

The test does what a reader does: it saves the block and runs `python -m scapi.testing` on it. So each block gets a
process and a fake of its own.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from scapi.testing import __main__ as runner
from tests.docs.pages import Example, examples

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.socket

# Python runs a `sitecustomize` before the program. This one lets it reach its own machine only.
NO_NETWORK = """
import sys

def refuse(event, arguments):
    if event == "socket.connect" and arguments[1][0] not in ("127.0.0.1", "::1"):
        raise RuntimeError(f"connects to {arguments[1]}")
    if event == "socket.getaddrinfo" and arguments[0] not in ("127.0.0.1", "localhost"):
        raise RuntimeError(f"looks up {arguments[0]}")

sys.addaudithook(refuse)
"""

# A watcher looks again at once, not after a minute.
NO_PAUSES = """
from scapi._lists.polling import Backoff

Backoff.after_success = lambda *_: 0.05
"""

# Whoever runs the program presses Ctrl-C after the first line that it prints.
INTERRUPT = """
import builtins

def print_once(*arguments, print=print, **options):
    print(*arguments, **options)
    raise KeyboardInterrupt

builtins.print = print_once
"""

# Two tests may wait for a login at the same time, so each needs a port of its own. The browser needs no window.
LOGIN = """
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
    """Somebody with an empty folder, without a key and without a network."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capfd = folder, capfd
        (folder / "site").mkdir()
        (folder / "work").mkdir()
        (folder / "browser.py").write_text(BROWSER)
        monkeypatch.chdir(folder / "work")
        monkeypatch.setenv("PYTHONPATH", ":".join((str(folder / "site"), *sys.path)))
        monkeypatch.setenv("PYTHONWARNINGS", "error")
        monkeypatch.setenv("BROWSER", f"{sys.executable} {folder / 'browser.py'} %s")

    def run(self, source: str, *customs: str) -> Finished:
        """Save a program in the folder and run it, after these changes of Python."""
        (self._folder / "work" / "program.py").write_text(source, encoding="utf-8")
        (self._folder / "site" / "sitecustomize.py").write_text("\n".join((NO_NETWORK, *customs)), encoding="utf-8")
        code = runner.main(["program.py"])
        return Finished(code, *self._capfd.readouterr())


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Reader:
    return Reader(tmp_path, monkeypatch, capfd)


@pytest.mark.parametrize("example", examples("how-do-i.md"), ids=str)
def test_a_block_runs_alone(example: Example, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in re.findall(r"^(?:from|import) (prometheus_client|structlog)\b", example.source, re.MULTILINE):
        pytest.importorskip(module)
    customs = [LOGIN] if ".login()" in example.source else []
    endless = "watch_" in example.source and "break" not in example.source
    if endless:
        monkeypatch.setattr(runner, "PERIOD", 0.2)
        customs = [NO_PAUSES, INTERRUPT]
    done = reader.run(example.source, *customs)
    if endless:
        assert (done.code, done.err.splitlines()[-1], done.out.count("\n")) == (130, "KeyboardInterrupt", 1)
        return
    assert (done.code, done.err) == (0, "")
    if example.announced:
        assert done.out.splitlines() == example.announced
    assert done.out or "print(" not in example.source


def test_the_runner_keeps_real_credentials_and_the_real_cache_out_of_it(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SCAPI_TOKEN", "SCAPI_REFRESH_TOKEN", "SCAPI_REDIS_URL", "SCAPI_CACHE_DIR", "SCAPI_BASE_URL"):
        monkeypatch.setenv(name, "real")
    done = reader.run("import os; print([os.environ[name] for name in os.environ if name.startswith('SCAPI_')])")
    assert done.code == 0
    assert "real" not in done.out


def test_the_runner_ends_as_the_program_does(reader: Reader) -> None:
    assert reader.run("import sys; sys.exit('wrong usage')") == (1, "", "wrong usage\n")
    assert reader.run("import os, signal; os.kill(os.getpid(), signal.SIGTERM)").code == 143
