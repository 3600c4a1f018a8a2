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
from scapi.store import SalesReading
from scapi.sync import AppClient, Store
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi.plot._theme import ThemeName

FOLDER = Path(__file__).parents[1] / "docs" / "img"
THEMES: tuple[ThemeName, ...] = ("light", "dark")
COLUMNS = 84
#: Pictures that are larger make a README that loads slowly.
LARGEST = 150_000


def price_history(client: AppClient, folder: Path) -> None:
    sales = list(client.auction("kqgy").iter_price_history(limit=4000, additional=True))
    for theme in THEMES:
        path = folder / f"price-history-{theme}.png"
        plot.price_history(sales, item="Gravi", region="eu", by="quality", theme=theme, path=path)


def candles(client: AppClient, folder: Path) -> None:
    sales = list(client.auction("kqgy").iter_price_history(limit=7000, additional=True))
    now = max(sale.time for sale in sales)
    with TemporaryDirectory() as temporary, Store(Path(temporary, "market.db")) as store:
        store.write_sales("eu", "kqgy", SalesReading().piece(sales))
        rows = store.candles("kqgy", "1d", since=now - timedelta(days=30), by="quality")
    for theme in THEMES:
        path = folder / f"candles-{theme}.png"
        plot.candles(rows, item="Gravi", since=now - timedelta(days=30), until=now, theme=theme, path=path)


def order_book(client: AppClient, folder: Path) -> None:
    lots = list(client.auction("kqgy").iter_lots(additional=True))
    for theme in THEMES:
        path = folder / f"order-book-{theme}.png"
        plot.order_book(lots, item="Gravi", region="eu", by="quality", theme=theme, path=path)


def damage(client: AppClient, folder: Path) -> None:
    session = max(client.operations_sessions(limit=50), key=lambda session: len(session.participants))
    for theme in THEMES:
        plot.damage(session, region="eu", theme=theme, path=folder / f"damage-{theme}.png")


def terminal(client: AppClient, folder: Path) -> None:
    """What `scapi demo` prints, in its colours; it brings an API of its own."""
    command = [sys.executable, "-m", "scapi", "demo"]
    look = {"FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | look
    printed = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(printed.rstrip()))
    console.save_svg(str(folder / "terminal.svg"), title="scapi demo", theme=MONOKAI)


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
