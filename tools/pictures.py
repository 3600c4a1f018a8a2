"""Draw the pictures of the README and the documentation: charts of made-up data, and the terminal.

`python -m tools.pictures` draws all of them into docs/img, `python -m tools.pictures damage` only those that are named.
The data comes from `FakeApi`, so the same code draws the same pictures.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import httpx
from PIL import Image
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from scapi import plot
from scapi.plot import _theme
from scapi.store import SalesReading
from scapi.sync import AppClient, Store
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from scapi.plot._theme import ThemeName

FOLDER = Path(__file__).parents[1] / "docs" / "img"
THEMES: tuple[ThemeName, ...] = ("light", "dark")
COLUMNS = 84
#: Inches and pixels of a chart. On the 9 inches of a chart of its own, text is too small for the column of a page.
INCHES, PIXELS = 6.4, 1296
#: Pictures that are larger make a README that loads slowly.
LARGEST = 150_000


def save(chart: Figure, path: Path) -> None:
    """Write a chart with larger type than it has by itself."""
    width, height = chart.get_size_inches()
    # Text needs more of the height, so that isn't reduced as much.
    chart.set_size_inches(INCHES, height * (1 + INCHES / width) / 2)
    chart.savefig(path, dpi=PIXELS / INCHES)  # pyright: ignore[reportUnknownMemberType]  # matplotlib leaves its **kwargs without types


def price_history(client: AppClient, folder: Path) -> None:
    sales = list(client.auction("kqgy").iter_price_history(limit=4000, additional=True))
    for theme in THEMES:
        chart = plot.price_history(sales, item="Stone Blossom", region="eu", by="quality", theme=theme)
        save(chart, folder / f"price-history-{theme}.png")


def candles(client: AppClient, folder: Path) -> None:
    sales = list(client.auction("kqgy").iter_price_history(limit=7000, additional=True))
    now = max(sale.time for sale in sales)
    with TemporaryDirectory() as temporary, Store(Path(temporary, "market.db")) as store:
        store.write_sales("eu", "kqgy", SalesReading().piece(sales))
        rows = store.candles("kqgy", "1d", since=now - timedelta(days=30), by="quality")
    for theme in THEMES:
        chart = plot.candles(rows, "1d", item="Stone Blossom", since=now - timedelta(days=30), until=now, theme=theme)
        save(chart, folder / f"candles-{theme}.png")


def order_book(client: AppClient, folder: Path) -> None:
    lots = list(client.auction("kqgy").iter_lots(additional=True))
    for theme in THEMES:
        chart = plot.order_book(lots, item="Stone Blossom", region="eu", by="quality", theme=theme)
        save(chart, folder / f"order-book-{theme}.png")


def damage(client: AppClient, folder: Path) -> None:
    session = max(client.operations_sessions(limit=50), key=lambda session: len(session.participants))
    for theme in THEMES:
        save(plot.damage(session, region="eu", theme=theme), folder / f"damage-{theme}.png")


def terminal(client: AppClient, folder: Path) -> None:
    """What `scapi demo` prints, in its colours; it brings an API of its own."""
    command = [sys.executable, "-m", "scapi", "demo"]
    look = {"FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | look
    printed = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(printed.rstrip()))
    console.save_svg(str(folder / "terminal.svg"), title="scapi demo", theme=MONOKAI)


#: Boxes of the picture of workers: left, top, width, height, title and text.
BOXES = (
    (20, 20, 720, 56, "The API", "each response says how many points are left, and when the minute ends"),
    (20, 150, 220, 64, "A bot or a web worker", "tasks and threads"),
    (270, 150, 220, 64, "A collector", "scapi collect, or a task"),
    (520, 150, 220, 64, "A collector", "on another machine"),
    (20, 290, 345, 74, "One budget", "in Redis or PostgreSQL: points, turns, costs, refusals"),
    (395, 290, 345, 74, "The store", "in PostgreSQL: sales, lots, leases of items"),
)
#: Its lines: what goes along them, and their ends.
LINES = (
    ("call", 130, 150, 130, 78),
    ("call", 380, 150, 380, 78),
    ("call", 630, 150, 630, 78),
    ("step", 130, 214, 130, 288),
    ("step", 320, 214, 240, 288),
    ("step", 560, 214, 340, 288),
    ("row", 440, 214, 500, 288),
    ("row", 630, 214, 630, 288),
)
LABELS = ((140, 118, "calls"), (390, 118, "calls"), (640, 118, "calls"), (140, 254, "steps"), (640, 254, "rows"))

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 384" font-family="sans-serif" font-size="12.5">
<style>
.box {{ fill: {theme.grid} }}
.title {{ font-size: 15px; font-weight: 600; fill: {theme.ink}; text-anchor: middle }}
.text {{ fill: {theme.muted}; text-anchor: middle }}
.label {{ fill: {theme.muted} }}
line {{ stroke: {theme.muted}; stroke-width: 1.5; marker-end: url(#head) }}
.step {{ stroke: {theme.accent}; stroke-dasharray: 5 4 }}
</style>
<marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="6" markerHeight="6" orient="auto">
<path d="M0 0 8 4 0 8z" fill="{theme.muted}"/>
</marker>
<rect width="760" height="384" fill="{theme.paper}"/>
{parts}
</svg>
"""


def workers(_: AppClient, folder: Path) -> None:
    """Which processes talk to which servers when several share a key."""
    parts = [f'<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>' for kind, x1, y1, x2, y2 in LINES]
    for x, y, width, height, title, text in BOXES:
        middle, line = x + width // 2, y + height // 2
        parts += [
            f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>',
            f'<text class="title" x="{middle}" y="{line - 5}">{title}</text>',
            f'<text class="text" x="{middle}" y="{line + 15}">{text}</text>',
        ]
    parts += [f'<text class="label" x="{x}" y="{y}">{text}</text>' for x, y, text in LABELS]
    for name in THEMES:
        drawn = SVG.format(theme=_theme.THEMES[name], parts="\n".join(parts))
        (folder / f"workers-{name}.svg").write_text(drawn, encoding="utf-8")


def shrunk(path: Path) -> int:
    """The size of a picture in bytes, after its colours were put into a palette, which nobody sees."""
    if path.suffix == ".png":
        with Image.open(path) as picture:
            small = picture.convert("RGB").quantize(256)
        small.save(path, optimize=True)
    return path.stat().st_size


PICTURES: dict[str, Callable[[AppClient, Path], None]] = {
    "price-history": price_history,
    "candles": candles,
    "order-book": order_book,
    "damage": damage,
    "terminal": terminal,
    "workers": workers,
}


def main() -> None:
    """Draw what is named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PICTURES)} (default: all)")
    parser.add_argument("--out", type=Path, default=FOLDER, help="where to (default: docs/img)")
    options = parser.parse_args()
    if unknown := set(options.names) - set(PICTURES):
        parser.error(f"no picture is called {', '.join(sorted(unknown))}; there are {', '.join(PICTURES)}")
    options.out.mkdir(parents=True, exist_ok=True)
    fake = FakeApi()
    http_client = httpx.Client(transport=fake.transport())
    with http_client, AppClient(token=fake.app_token, region="eu", http_client=http_client) as client:
        for name in options.names or PICTURES:
            PICTURES[name](client, options.out)
    sizes = {path.name: shrunk(path) for path in sorted(options.out.iterdir())}
    print("\n".join(f"{name}: {size / 1000:.0f} kB" for name, size in sizes.items()))
    if any(size > LARGEST for size in sizes.values()):
        sys.exit(f"larger than {LARGEST / 1000:.0f} kB")


if __name__ == "__main__":
    main()
