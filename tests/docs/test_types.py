"""The blocks of the guides on lists and watchers, as type checkers see them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.docs.pages import ROOT, Example, examples

if TYPE_CHECKING:
    from pathlib import Path

GUIDES = ("paging.md", "watchers.md", "auction.md")


def program(example: Example) -> str:
    """A block as strict checkers want it: its functions have annotations."""
    return example.source.replace("def main():", "def main() -> None:")


def test_the_blocks_of_the_guides_are_typed(tmp_path: Path) -> None:
    found = [example for example in examples(*GUIDES) if example.tab]
    for example in found:
        name = f"{example}".replace(".", "_").replace("-", "_")
        (tmp_path / f"{name}.py").write_text(program(example), encoding="utf-8")
    assert len(found) > 20
    cache = ROOT / ".mypy_cache" / "docs"
    checked = subprocess.run(  # noqa: S603  # our own checker
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}", str(tmp_path)],
        cwd=ROOT / "src",
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
