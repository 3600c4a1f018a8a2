"""The Python blocks of the pages and of the docstrings."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import scapi
import scapi.sync
from scapi import frames, pacing, plot, store, testing

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.glob("*.md")))

BLOCK = re.compile(r'^(?:=== "(async|sync)"\n\n)?( *)```python\n(.*?)^\2```', re.DOTALL | re.MULTILINE)
PRINT = re.compile(r"^ *print\(.*?\)(?:  # (.*))?$")


@dataclass(frozen=True)
class Example:
    """One Python block of a page."""

    page: str
    number: int
    tab: str
    source: str

    def __str__(self) -> str:
        return f"{self.page}-{self.number}"

    @property
    def announced(self) -> list[str]:
        """What the page says that is printed: comments beside a `print`, and those right below it."""
        said: list[str] = []
        printing = False
        for line in self.source.splitlines():
            if found := PRINT.match(line):
                said += [found[1]] if found[1] else []
            elif printing and line.lstrip().startswith("# "):
                said.append(line.lstrip()[2:])
                continue
            printing = found is not None
        return said

    def run(self) -> dict[str, Any]:
        """Run an example of a docstring as it stands, and return its names.

        Top-level `await` is what a notebook takes. An example that uses `client` without making one gets one.
        """
        names: dict[str, Any] = {"__name__": "__main__"}
        code = compile(self.source, str(self), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        given = "client" in code.co_names and not re.search(r"\bas client\b|^client =", self.source, re.MULTILINE)
        if not code.co_flags & inspect.CO_COROUTINE:
            if not given:
                eval(code, names)  # noqa: S307  # this is what examples are for
            else:
                with scapi.sync.AppClient.from_env() as names["client"]:
                    eval(code, names)  # noqa: S307
            return names

        async def whole() -> None:
            if not given:
                await eval(code, names)  # noqa: S307
                return
            async with scapi.AppClient.from_env() as names["client"]:
                await eval(code, names)  # noqa: S307

        asyncio.run(whole())
        return names


def docstring_examples() -> list[Example]:
    """The blocks in the docstrings of what users import."""
    modules = [scapi, scapi.sync, frames, pacing, plot, store, testing]
    found: dict[int, tuple[str, object]] = {}
    for module in modules:
        found[id(module)] = (module.__name__, module)
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                found.setdefault(id(thing), (f"{module.__name__}.{name}", thing))
    return [
        Example(name, number, tab, textwrap.dedent(source))
        for name, thing in found.values()
        for number, (tab, _, source) in enumerate(BLOCK.findall(inspect.getdoc(thing) or ""), start=1)
    ]


def examples(*pages: str) -> list[Example]:
    """The blocks of some pages, of all of them by default."""
    return [
        Example(page.name, number, tab, textwrap.dedent(source))
        for page in PAGES
        if not pages or page.name in pages
        for number, (tab, _, source) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), start=1)
    ]
