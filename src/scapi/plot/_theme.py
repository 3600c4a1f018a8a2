"""The themes of charts."""

from __future__ import annotations

from typing import Literal, TypeAlias

from matplotlib import colormaps
from msgspec import structs

from scapi._base.validation import refuse
from scapi._views.palette import DARK, LIGHT, Palette

ThemeName: TypeAlias = Literal["light", "dark"]

HIGHEST_LEVEL = 15


class Theme(Palette, frozen=True, kw_only=True):
    """The colours of a chart.

    Attributes:
        levels: The positions of the lowest and the highest upgrade level on the colour map, 0 to 1.
    """

    levels: tuple[float, float]

    def quality(self, quality: int) -> str:
        """Return the colour of a quality; unknown ones share one."""
        return self.qualities[quality] if 0 <= quality < len(self.qualities) else self.muted

    def level(self, level: int) -> tuple[float, ...]:
        """Return the colour of an upgrade level, 0 to 15."""
        low, high = self.levels
        return colormaps["viridis"](low + (high - low) * level / HIGHEST_LEVEL)


THEMES = {
    "light": Theme(**structs.asdict(LIGHT), levels=(0.88, 0.0)),
    "dark": Theme(**structs.asdict(DARK), levels=(0.3, 1.0)),
}


def check_theme(name: object) -> None:
    """Raise a `ValueError` unless the name is `None` or the name of a theme."""
    if name is not None:
        theme_named(name)


def theme_named(name: object) -> Theme:
    """Return the theme of this name, or raise a `ValueError`."""
    if not isinstance(name, str) or name not in THEMES:
        raise refuse("theme", name, " or ".join(map(repr, THEMES)))
    return THEMES[name]
