"""The figure of every chart, for notebooks and files."""

# matplotlib leaves its **kwargs without types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from scapi._base import atomic, validation
from scapi._base.validation import refuse
from scapi.plot._theme import THEMES, Theme, theme_named

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from typing import TypeAlias

    from scapi.plot._theme import ThemeName

    FilePath: TypeAlias = "str | PathLike[str]"

#: The width in inches, and the dots per inch of a PNG.
WIDTH, DPI = 9.0, 144

SUFFIXES = (".png", ".svg")


class Chart(Figure):
    """A `matplotlib.figure.Figure` that a notebook shows as a picture.

    A chart that was drawn without a theme follows the theme of the notebook, as long as nothing in it was changed.

    Args:
        theme: The colours.
        height: The height in inches.
    """

    def __init__(self, theme: Theme, height: float) -> None:
        super().__init__(figsize=(WIDTH, height), dpi=DPI, facecolor=theme.paper)
        self._draw_dark: Callable[[], Chart] | None = None

    def follow_the_reader(self, draw_dark: Callable[[], Chart]) -> None:
        """Let notebooks with a dark theme show another chart, drawn when it is needed.

        Args:
            draw_dark: Draws the same chart in dark colours.
        """
        self._draw_dark = draw_dark
        # matplotlib sets this when anything is changed. The dark chart would lack the change.
        self.stale = False

    def _repr_png_(self) -> bytes:
        return self.picture("png")

    def _repr_html_(self) -> str:
        image = f'<img src="{self._address()}" style="width:100%;max-width:{WIDTH * 96:.0f}px" alt="">'
        if self._draw_dark is None or self.stale:
            return image
        dark = self._draw_dark()
        source = f'<source media="(prefers-color-scheme: dark)" srcset="{dark._address()}">'
        return f"<picture>{source}{image}</picture>"

    def _address(self) -> str:
        return f"data:image/png;base64,{b64encode(self.picture('png')).decode()}"

    def picture(self, kind: str) -> bytes:
        """Return the chart as the content of a file.

        Args:
            kind: `"png"` or `"svg"`.
        """
        was_stale, content = self.stale, BytesIO()
        # Without a date, equal charts are equal files.
        self.savefig(content, format=kind, dpi=DPI, metadata={"Date": None} if kind == "svg" else None)
        self.stale = was_stale
        return content.getvalue()


def check_suffix(path: FilePath | None) -> str | None:
    """Return the file type of a path, or raise a `ValueError`."""
    if path is None:
        return None
    found = validation.path("path", path).suffix.lower()
    if found not in SUFFIXES:
        raise refuse("path", str(path), f"a file name that ends in {' or '.join(SUFFIXES)}")
    return found[1:]


def finished(draw: Callable[[Theme], Chart], theme: ThemeName | None, path: FilePath | None) -> Chart:
    """Draw a chart, and write it to a file if there is a path.

    Args:
        draw: Draws it in the colours of a theme.
        theme: The theme; `None` for light, and in notebooks for the theme of the reader.
        path: A file that ends in `.png` or `.svg`.

    Raises:
        ValueError: The theme or the path isn't allowed.
        OSError: The file can't be written.
    """
    colors, kind = theme_named("light" if theme is None else theme), check_suffix(path)
    chart = draw(colors)
    if path is not None and kind is not None:
        atomic.write(atomic.place(validation.path("path", path)), chart.picture(kind))
    if theme is None:
        chart.follow_the_reader(lambda: draw(THEMES["dark"]))
    return chart
