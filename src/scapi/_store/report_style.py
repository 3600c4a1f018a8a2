"""The style of a report. Colours follow the reader's theme, and the layout the width of the screen."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from msgspec import structs

from scapi._views.palette import DARK, LIGHT

if TYPE_CHECKING:
    from scapi._views.palette import Palette

#: The colours of prices that rose and fell, in light and dark.
RISEN, FALLEN = (LIGHT.qualities[1], DARK.qualities[1]), (LIGHT.qualities[4], DARK.qualities[4])


def style() -> str:
    """Return the style sheet."""
    light, dark = (_colors(palette, number) for number, palette in enumerate((LIGHT, DARK)))
    lines = "".join(f".q{number}{{--line:var(--q{number})}}" for number in range(len(LIGHT.qualities)))
    rules = resources.files("scapi._store").joinpath("report.css").read_text(encoding="utf-8")
    return f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}{lines}\n{rules}"


def _colors(palette: Palette, number: int) -> str:
    found = {name: value for name, value in structs.asdict(palette).items() if isinstance(value, str)}
    found |= {f"q{quality}": color for quality, color in enumerate(palette.qualities)}
    found |= {"risen": RISEN[number], "fallen": FALLEN[number]}
    return "".join(f"--{name}:{value};" for name, value in found.items())
