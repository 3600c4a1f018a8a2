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
BREAKABLE = re.compile(r"(?<=[/._(,=])(?=[\w{])|(?<=[a-z])(?=[A-Z])")

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
    """Let the code in tables break between words, so that tables fit on a telephone, and leave out `[JsonT_co]`.

    The search shows guides before the reference.
    GitHub wants `|` escaped within code, where Python-Markdown shows the backslash.
    """
    if page.file.src_uri.startswith("reference/"):
        page.meta.setdefault("search", {"boost": 0.5})
    html = TYPE_PARAMETER.sub("", html)
    return CELL.sub(lambda cell: CODE.sub(_breakable, cell[0]), html)


def _breakable(code: re.Match[str]) -> str:
    return BREAKABLE.sub("<wbr>", code[0].replace(r"\|", "|"))
