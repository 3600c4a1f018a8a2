"""The page that `scapi market report` writes: what it says, and how a browser shows it."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from scapi._views.palette import DARK, LIGHT, Palette
from scapi.cli.app import run
from scapi.models import AuctionLot, AuctionPrice
from scapi.store import BEGINNING, LotsReading, SalesReading
from scapi.sync import Store
from tests.support.browser import Browser, running_browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: What a stranger may call things, at its worst.
STRANGER = '<img src="http://127.0.0.1:{port}/x.png" onerror="document.title=1">' + "long" * 40 + "\x1b[31m"

NARROW = 400

#: The elements that reach beyond the screen.
BEYOND = """
[...document.querySelectorAll("body *:not(svg *)")]
    .filter(element => element.getBoundingClientRect().right > innerWidth + 0.5).map(element => element.outerHTML)
"""


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    """A server that nobody must call."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, listener: socket.socket) -> Path:
    """A report on a store of three items, of which one costs more than last week."""
    now = datetime.now(UTC).replace(microsecond=0)
    folder = tmp_path_factory.mktemp("report")
    stranger = STRANGER.format(port=listener.getsockname()[1])
    with Store(folder / "market.db") as store:
        for item, qualities in (("kqgy", (0, 3, 5)), ("zyv9", (0,)), (stranger, (2,))):
            sales = [
                AuctionPrice(
                    amount=1 + hour % 3,
                    price=1000 * (1 + hour % 3) * (quality + 1) * (2 if hour < 150 else 1),
                    time=now - timedelta(hours=hour),
                    additional={"qlt": quality} if quality else {},
                )
                for hour in range(0, 24 * 29, 5)
                for quality in qualities
            ]
            store.write_sales("eu", item, SalesReading().piece(sales, end=BEGINNING))
            lots = [AuctionLot(item_id=item, amount=3, buyout_price=900, additional={"qlt": qualities[-1]})]
            store.write_lots("eu", item, LotsReading(now).piece(lots, complete=True))
        store.update_item("ru", "kqgy", failures=4, error=stranger)
        store.report(folder / "report.html", names={"kqgy": stranger, "zyv9": "Tear & Zone"})
    return folder / "report.html"


class Page(HTMLParser):
    """The texts of a page, and what it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str | None] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name in {"src", "href", "srcset", "action", "data"}]

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def test_the_page_says_what_the_store_knows_and_fetches_nothing(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = Page(text)
    assert found.addresses == ["data:,"]
    assert found.tags.isdisjoint({"script", "img", "iframe", "object", "embed"})
    assert "url(" not in text
    assert "@import" not in text
    assert "\x1b" not in text
    said = " ".join(found.texts)
    assert all(
        word in said
        for word in ("Busiest items", "Tear & Zone", "Legendary", "+100%", "Last runs")
        if word != "Last runs"
    )
    # Sales twice as dear as a week ago, lots for a third of that, and what failed.
    assert re.search(r"Movers.*\+100%.*Deals.*Profit.*The collector.*onerror", said, re.DOTALL)
    assert text.count("<svg") == 2 * 3


def test_an_empty_store_makes_a_page_too(tmp_path: Path) -> None:
    with Store(tmp_path / "market.db") as store:
        store.report(tmp_path / "report.html", since="1d")
    said = " ".join(Page((tmp_path / "report.html").read_text(encoding="utf-8")).texts)
    assert "There are no sales." in said
    assert "Nothing was collected." in said


@pytest.mark.usefixtures("key")
def test_the_command_writes_the_page_with_names(page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, store = tmp_path / "report.html", str(page.with_name("market.db"))
    assert run(["market", "report", store, "Stone Blossom", "--out", str(out), "--region", "eu", "--since", "20d"]) == 0
    assert capsys.readouterr().err == f"wrote {out}\n"
    said = Page(out.read_text(encoding="utf-8")).texts
    assert "Stone Blossom" in said
    assert not any("onerror" in text for text in said)
    assert run(["market", "report", str(tmp_path / "none.db"), "--out", str(out)]) == 10
    assert run(["market", "report", store, "--out", str(tmp_path / "none" / "report.html")]) == 10


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.mark.parametrize(("scheme", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_a_browser_shows_it_in_the_readers_theme_and_on_a_phone(
    page: Path, browser: Browser, listener: socket.socket, scheme: str, palette: Palette
) -> None:
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.open(page.as_uri())
    for width in (1280, NARROW):
        browser.resize(width)
        assert browser.run("document.documentElement.scrollWidth") == width
        assert browser.run(BEYOND) == []
        charts = browser.run("[...document.querySelectorAll('svg')].map(svg => svg.getBoundingClientRect().width)")
        assert min(charts) > width / 4
    colors = browser.run(
        "[document.body, document.querySelector('h1')].map(e => getComputedStyle(e))"
        ".map((style, n) => n ? style.color : style.backgroundColor)"
    )
    assert [hexadecimal(color) for color in colors] == [palette.paper, palette.ink]
    lines = browser.run("[...document.querySelectorAll('path')].map(line => getComputedStyle(line).stroke)")
    assert {hexadecimal(line) for line in lines} >= {palette.accent, palette.qualities[0], palette.qualities[5]}
    # Neither a request nor an effect of a stranger's text.
    assert browser.run("performance.getEntriesByType('resource').length") == 0
    assert browser.run("document.title").startswith("The market")
    with pytest.raises(BlockingIOError):
        listener.accept()


def hexadecimal(color: str) -> str:
    """Return `#0d1117` for `rgb(13, 17, 23)`."""
    return "#" + "".join(f"{int(number):02x}" for number in re.findall(r"\d+", color)[:3])
