"""Change pages for the site. mkdocs runs these functions when it builds a page.

The files in docs/ stay as GitHub and editors show them best.
"""

from __future__ import annotations

import re
from typing import Any

PICTURE = re.compile(
    r'<picture><source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">'
    r'<img src="([^"]+)"(?: width="[^"]+")? alt="([^"]+)"></picture>'
)
CELL = re.compile(r"<td.*?</td>", re.DOTALL)
CODE = re.compile(r"(?<=<code>)[^<]+")
BREAKABLE = re.compile(r"(?<=[/.(,=])(?=[\w{])|(?<=[a-z]_)(?=[a-z])|(?<=[a-z])(?=[A-Z])")
LINE = re.compile(r'<span id="__span-[^"]+">(?:<a [^>]*></a>)?(?:<span class="w">)?( *)')
ANY_CODE = re.compile(r"<code[^>]*>.*?</code>", re.DOTALL)
OPTION = re.compile(r"(?<=[ >])--[a-z-]+")
STEP = re.compile(r'<span class="o">\.</span>|(?<=<span class="p">\(</span>)')

#: How type checkers tell clients that return JSON from others. No program names it.
TYPE_PARAMETER = re.compile(
    r'(<span class="p">)?\[(</span>)?<(\w+)[^>]*>JsonT_co</\3>(?(1)<span class="p">)\](?(2)</span>)'
)


def on_page_markdown(markdown: str, **_: object) -> str:
    """Show the picture of the site's theme, which a reader may choose, and link each picture to its file.

    A `<picture>` follows the system's theme instead.
    """
    shown = r"[![\3](\2#only-light)](\2)[![\3](\1#only-dark)](\1)"
    return PICTURE.sub(shown, markdown)


def on_page_content(html: str, page: Any, **_: object) -> str:
    """Let code break between words, so that it fits on a telephone, and leave out `[JsonT_co]`.

    The search shows guides before the reference.
    """
    if page.file.src_uri.startswith("reference/"):
        page.meta.setdefault("search", {"boost": 0.5})
    html = TYPE_PARAMETER.sub("", html)
    html = LINE.sub(_indented, html)
    html = STEP.sub(r"<wbr>\g<0>", html)
    html = CELL.sub(lambda cell: CODE.sub(_breakable, cell[0]), html)
    return ANY_CODE.sub(lambda code: OPTION.sub(r'<span class="option">\g<0></span>', code[0]), html)


def _indented(line: re.Match[str]) -> str:
    """Say how far a line of code is indented. site.css indents what wraps a little more."""
    return line[0].replace("<span ", f'<span style="--indent: {len(line[1])}" ', 1)


def _breakable(code: re.Match[str]) -> str:
    """Mark the places in the code of a table where it may break.

    GitHub wants `|` escaped there, where Python-Markdown shows the backslash.
    """
    return BREAKABLE.sub("<wbr>", code[0].replace(r"\|", "|"))
