"""One style of section rules, code in prose, and constants: CONTRIBUTING.md names it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
FILES = [
    path.relative_to(ROOT)
    for folder in ("benchmarks", "examples", "src", "tests", "tools")
    for path in sorted((ROOT / folder).rglob("*.py"))
    # The generated trees look like their sources.
    if "_sync" not in path.parts and "data" not in path.parts
]

#: How the title of a section begins: in small letters, but for an abbreviation or a name.
TITLE = re.compile(r"# ── (?![A-Z][a-z ])\S")
#: Anything else that looks like a rule.
OTHER_RULE = re.compile(r"#[:!]? *[-=~*─—_]{2,}")
#: Code in the backticks of reStructuredText. Three begin a block of Markdown.
DOUBLE = re.compile("(?<!`)`{2}(?!`)")
#: Comments for tools.
FOR_TOOLS = ("# noqa", "# type:", "# pyright:", "# fmt:", "# ruff:", "#!")


def faults(text: str, *, private: bool) -> Iterator[str]:
    """What is written in another style, each with the number of its line."""
    tree, lines = ast.parse(text), text.split("\n")
    in_strings = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno != node.lineno
        for line in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    comments = {
        number: line.strip()
        for number, line in enumerate(lines, 1)
        if line.lstrip().startswith("#") and number not in in_strings
    }
    yield from rules(lines, comments)
    yield from (f"{number}: double backticks" for number, line in enumerate(lines, 1) if DOUBLE.search(line))
    yield from constants(tree, comments, private=private)


def rules(lines: Sequence[str], comments: Mapping[int, str]) -> Iterator[str]:
    around = ["", *lines, ""]
    for number, comment in comments.items():
        if TITLE.match(comment):
            if len(around[number]) != 120 or not around[number].rstrip("─").endswith(" "):
                yield f"{number}: a rule ends in column 120"
        elif OTHER_RULE.match(comment):
            yield f"{number}: a rule looks different"
        # A sentence may stand alone, if it is about more than the next lines.
        elif not around[number - 1].strip() and not around[number + 1].strip() and not comment.endswith("."):
            yield f"{number}: a title without a rule"


def constants(tree: ast.Module, comments: Mapping[int, str], *, private: bool) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
            if private and any(name.isupper() and name.startswith("_") for name in names):
                yield f"{node.lineno}: an underscore before a constant of a private module"
            above = comments.get(node.lineno - 1, "#:")
            if not above.startswith(("#:", "# ──", *FOR_TOOLS)) and names != ["__all__"]:
                yield f"{node.lineno}: a comment on {names[0]} that doesn't begin with #:"


def is_private(path: Path) -> bool:
    """Whether no user imports a module: all outside of the package, all of the terminal, and what is named so."""
    inner = path.parts[2:]
    return path.parts[0] != "src" or inner[0] == "cli" or any(part.startswith("_") for part in inner)


def test_there_is_one_style() -> None:
    found = [
        f"{path}:{fault}"
        for path in FILES
        for fault in faults((ROOT / path).read_text(encoding="utf-8"), private=is_private(path))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("# -- title -----\n", "1: a rule looks different"),
        ("# --- title ---\n", "1: a rule looks different"),
        ("# ── title ──\n", "1: a rule ends in column 120"),
        ("# ── Title ──\n", "1: a rule looks different"),
        ("a = 1\n\n# Title\n\nb = 2\n", "3: a title without a rule"),
        ('"""Read {}Date{}."""\n'.replace("{}", 2 * "`"), "1: double backticks"),
        ("# Why.\nLIMIT = 5\n", "2: a comment on LIMIT that doesn't begin with #:"),
        ("_LIMIT = 5\n", "1: an underscore before a constant of a private module"),
    ],
)
def test_another_style_is_found(text: str, fault: str) -> None:
    assert list(faults(text, private=True)) == [fault]


def test_this_style_is_not() -> None:
    title = "# ── title "
    rule = title + "─" * (120 - len(title))
    text = f'{rule}\n\n#: Why.\nLIMIT = 5\n# Nothing from here on is tested.\n\n__all__ = ["LIMIT"]\n'
    assert list(faults(text, private=True)) == []
