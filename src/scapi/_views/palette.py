"""The colours of pictures and pages. Those of qualities are the game's, adjusted for colour-blind readers."""

from __future__ import annotations

import msgspec


class Palette(msgspec.Struct, frozen=True, kw_only=True):
    """Colours that go together.

    Attributes:
        paper: The background.
        ink: Titles and names.
        muted: All other text.
        grid: Lines behind the data.
        accent: Data that isn't grouped.
        qualities: Data of a quality, from common up.
    """

    paper: str
    ink: str
    muted: str
    grid: str
    accent: str
    qualities: tuple[str, ...]


LIGHT = Palette(
    paper="#ffffff",
    ink="#1f2328",
    muted="#656d76",
    grid="#e4e7eb",
    accent="#1668c7",
    qualities=("#8c959f", "#0b8f63", "#1a5fd6", "#d05cc0", "#cf222e", "#e3a008", "#5a3a1c"),
)
DARK = Palette(
    paper="#0d1117",
    ink="#e6edf3",
    muted="#8d96a0",
    grid="#21262d",
    accent="#58a6ff",
    qualities=("#9aa4af", "#2bb07f", "#3f86f5", "#f5a3e6", "#f8514a", "#f5d04a", "#8a5f3a"),
)
