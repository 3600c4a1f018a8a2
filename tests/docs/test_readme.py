"""The README: its first screen, and each of its programs alone, as somebody pastes it into a file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import DOCS, ROOT, Example, examples

if TYPE_CHECKING:
    from pathlib import Path

README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_SCREEN = "\n".join(README.splitlines()[:25]) + "\n"

#: Python runs a `sitecustomize` before the program. This one lets it reach its own machine only.
NO_NETWORK = """
import sys

def refuse(event, arguments):
    if event == "socket.connect" and arguments[1][0] not in ("127.0.0.1", "::1"):
        raise RuntimeError(f"connects to {arguments[1]}")
    if event == "socket.getaddrinfo" and arguments[0] not in ("127.0.0.1", "localhost"):
        raise RuntimeError(f"looks up {arguments[0]}")

sys.addaudithook(refuse)
"""


@pytest.mark.socket
@pytest.mark.parametrize("example", examples("README.md"), ids=str)
def test_a_program_runs_alone_without_a_key_and_without_a_network(example: Example, tmp_path: Path) -> None:
    (program := tmp_path / "program.py").write_text(example.source, encoding="utf-8")
    (tmp_path / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SCAPI_", "COV", "PYTHON"))}
    env = {**kept, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT / "src"))), "PYTHONWARNINGS": "error"}
    command = [sys.executable, str(program)]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) >= 5


def test_the_first_screen_has_a_program_of_eight_lines_the_installation_and_one_picture() -> None:
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", FIRST_SCREEN, re.DOTALL | re.MULTILINE)
    assert [language for language, _ in blocks] == ["console", "python"]
    assert "git clone" in blocks[0][1]
    assert 'pip install ".[cli]"' in blocks[0][1]
    assert len(blocks[1][1].splitlines()) == 8
    assert FIRST_SCREEN.count("<img ") == 1


def test_nothing_says_that_it_is_on_an_index() -> None:
    texts = [ROOT / "README.md", *DOCS.rglob("*.md"), *ROOT.glob("examples/*"), *(ROOT / "src").rglob("*.py")]
    found = [path for path in texts if path.is_file() and re.search(r"pip install \W*scapi", path.read_text("utf-8"))]
    assert found == []
