"""Change pages for the site. mkdocs runs these functions when it builds a page.

The files in docs/ stay as GitHub and editors show them best.
"""

from __future__ import annotations

import re
from typing import Any

LIGHT = re.compile(r"(!\[[^\]]*\]\([\w/-]+)-light\.png\)")

#: How type checkers tell clients that return JSON from others. No program names it.
TYPE_PARAMETER = re.compile(
    r'(<span class="p">)?\[(</span>)?<(\w+)[^>]*>JsonT_co</\3>(?(1)<span class="p">)\](?(2)</span>)'
)


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return a page with two pictures in place of each light one. The theme shows one of them.

    The pages name only the light one, so that other viewers show one picture, not two.
    """
    return LIGHT.sub(r"\1-light.png#only-light)\n\1-dark.png#only-dark)", markdown)


def on_page_content(html: str, page: Any, **_: object) -> str:
    """Leave out `[JsonT_co]`, and let the search show guides before the reference."""
    if page.file.src_uri.startswith("reference/"):
        page.meta.setdefault("search", {"boost": 0.5})
    return TYPE_PARAMETER.sub("", html)
