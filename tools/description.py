"""Make the description that a package index shows out of README.md. hatchling runs this when it builds.

An index resolves no relative link, so links and pictures lead to the `Repository` of [project.urls] in pyproject.toml.
As long as that isn't set, they would all be dead: links become their text, and the picture is left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"\[([^\[\]]+)\]\((?!https?:|#)([^()\s]+)\)")
PICTURE = re.compile(r"<picture>.*?</picture>\n\n", re.DOTALL)
SOURCE = re.compile(r'\b(src|srcset)="(?!https?:)([^"]+)"')


class Description(MetadataHookInterface):
    """Fills in the field `readme`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the description to the table [project]."""
        readme = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        text = description(readme, metadata.get("urls", {}).get("Repository"))
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def description(readme: str, repository: str | None) -> str:
    """Return a README without relative links.

    Args:
        readme: The text, in Markdown. Links are relative to the root of the repository.
        repository: The address of the repository, on a host with GitHub's paths, or `None` if there is none yet.
    """
    if repository is None:
        return LINK.sub(r"\1", PICTURE.sub("", readme))
    repository = repository.rstrip("/")
    linked = LINK.sub(rf"[\1]({repository}/blob/HEAD/\2)", readme)
    return SOURCE.sub(rf'\1="{repository}/raw/HEAD/\2"', linked).replace("<this repository>", repository)
