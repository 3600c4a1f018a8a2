"""The README: its first screen."""

from __future__ import annotations

import re

from tests.docs.pages import DOCS, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_SCREEN = "\n".join(README.splitlines()[:25]) + "\n"


def test_the_first_screen_has_a_program_of_eight_lines_the_installation_and_one_picture() -> None:
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", FIRST_SCREEN, re.DOTALL | re.MULTILINE)
    assert [language for language, _ in blocks] == ["console", "python"]
    assert "git clone" in blocks[0][1]
    assert 'pip install ".[cli]"' in blocks[0][1]
    assert len(blocks[1][1].splitlines()) == 8
    assert FIRST_SCREEN.count("<img ") == 1


def test_the_first_screen_names_both_ways_to_go_on_without_a_key() -> None:
    assert "--fake" in FIRST_SCREEN
    assert "python -m scapi.testing " in FIRST_SCREEN


def test_nothing_says_that_it_is_on_an_index() -> None:
    texts = [ROOT / "README.md", *DOCS.rglob("*.md"), *ROOT.glob("examples/*"), *(ROOT / "src").rglob("*.py")]
    found = [path for path in texts if path.is_file() and re.search(r"pip install \W*scapi", path.read_text("utf-8"))]
    assert found == []
