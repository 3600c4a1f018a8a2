"""Show the dark picture where the site's theme is dark. mkdocs runs this when it builds a page.

The pages name only the light one, so that other viewers show one picture, not two.
"""

from __future__ import annotations

import re

LIGHT = re.compile(r"(!\[[^\]]*\]\([\w/-]+)-light\.png\)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return a page with two pictures in place of each light one. The theme shows one of them."""
    return LIGHT.sub(r"\1-light.png#only-light)\n\1-dark.png#only-dark)", markdown)
