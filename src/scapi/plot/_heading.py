"""The title and the subtitle of every chart, in as many lines as its width needs."""

# matplotlib leaves its **kwargs without types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.layout_engine import ConstrainedLayoutEngine

from scapi.plot._paper import text_style

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    from scapi.plot._theme import Theme

#: What is between the facts of a subtitle.
DOT = "  ·  "
#: The space beside and above everything, in inches.
BESIDE, ABOVE = 0.16, 0.14
#: How far the title and the subtitle are above the axes, in points, if the subtitle has one line.
TITLE, SUBTITLE = 27, 11


def headed(chart: Figure, axes: Axes, theme: Theme, title: str, subtitle: str) -> None:
    """Put a title and a subtitle above the axes, and let the chart arrange its parts below them."""
    above = axes.set_title(title, loc="left", pad=TITLE, fontsize=14, fontweight="bold", **text_style(theme.ink))
    below = axes.annotate(
        subtitle,
        (0, 1),
        xytext=(0, SUBTITLE),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=9.5,
        **text_style(theme.muted),
    )
    # Else the axes would become narrower to make room for a long subtitle.
    below.set_in_layout(False)
    chart.set_layout_engine(_Layout(axes, above, below))


class _Layout(ConstrainedLayoutEngine):
    """A layout that breaks a heading into lines. Only a layout knows the width, which a reader can change."""

    def __init__(self, axes: Axes, title: Text, subtitle: Text) -> None:
        super().__init__(w_pad=BESIDE, h_pad=ABOVE, hspace=0.04, wspace=0.04)
        self._axes, self._title, self._subtitle = axes, _Lines(title), _Lines(subtitle)

    def execute(self, fig: Figure) -> None:
        super().execute(fig)
        room = fig.bbox.x1 - self._axes.bbox.x0 - BESIDE * fig.dpi
        # `or` would leave the subtitle as it is if the title changed.
        if any([self._title.broken(room, fig.dpi), self._subtitle.broken(room, fig.dpi)]):
            self._lift_title(fig.dpi)
            super().execute(fig)

    def _lift_title(self, dpi: float) -> None:
        """Leave room for the lines of the subtitle below the title."""
        title, pad = self._title.text, TITLE + self._subtitle.growth(dpi) * 72 / dpi
        font, color = title.get_fontproperties().copy(), title.get_color()
        self._axes.set_title(title.get_text(), loc="left", pad=pad, fontproperties=font, color=color)


class _Lines:
    """A text that gets line breaks where it would be too wide."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self._whole = self._shown = text.get_text()

    def broken(self, room: float, dpi: float) -> bool:
        """Break the text into lines that fit into the room, in pixels, and say whether that changed it."""
        before = self.text.get_text()
        if before != self._shown:
            # Somebody gave it other words.
            self._whole = before
        self._shown = "\n".join(_broken(self._whole, lambda line: self._size(line, dpi)[0] <= room))
        self.text.set_text(self._shown)
        return self._shown != before

    def growth(self, dpi: float) -> float:
        """Return by how many pixels the lines are higher than one line."""
        first = self._shown.partition("\n")[0]
        one = self._size(first, dpi)[1]
        # This comes last, because measuring leaves its text behind.
        return self._size(self._shown, dpi)[1] - one

    def _size(self, text: str, dpi: float) -> tuple[float, float]:
        self.text.set_text(text)
        if self.text.axes is None:
            # Somebody removed it.
            return 0.0, 0.0
        # The renderer of the last drawing may have had other dots per inch.
        extent = self.text.get_window_extent(RendererAgg(1, 1, dpi))  # type: ignore[no-untyped-call]  # it has no types
        return extent.width, extent.height


def _broken(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Break a text between its facts, and between words only where a fact alone is too wide."""
    lines: list[str] = []
    for line in _filled(text.split(DOT), DOT, fits):
        lines += [line] if fits(line) else _filled(line.split(" "), " ", fits)
    return lines


def _filled(parts: list[str], between: str, fits: Callable[[str], bool]) -> list[str]:
    """Put as many of the parts into each line as fit."""
    lines = parts[:1]
    for part in parts[1:]:
        longer = lines[-1] + between + part
        if fits(longer):
            lines[-1] = longer
        else:
            lines.append(part)
    return lines
