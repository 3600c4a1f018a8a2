"""The built site in a browser, as a reader sees it on a screen of 1280 by 800 pixels and on a telephone."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from inspect import getattr_static
from operator import attrgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import scapi
import scapi.plot
import scapi.store
from tests.docs.pages import DOCS, ROOT
from tests.support.browser import Browser, running_browser

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.socket, pytest.mark.thorough]

SITE = ROOT / "site"
SCREEN = (1280, 800)
TELEPHONE = (400, 800)
SCREENS_OF_A_PAGE = 10
METHODS = (FunctionType, property, classmethod)

#: The text of each page by its address within the site.
PAGES = {
    f"/{page.relative_to(DOCS).with_suffix('').as_posix()}/".replace("index/", ""): page.read_text(encoding="utf-8")
    for page in sorted(DOCS.rglob("*.md"))
}
REFERENCE = [address for address in PAGES if address.startswith("/reference/")]

#: Words that lie beyond the edge of the page or of their box. Closed tabs are opened first, and nothing moves.
CUT = """
(() => {
    const still = document.createElement("style");
    still.textContent = "* { transition: none !important }";
    document.head.append(still);
    const article = document.querySelector("article");
    const right = element => element.getBoundingClientRect().right + 1;
    const page = right(article.closest(".md-content"));
    article.querySelectorAll(".tabbed-block").forEach(block => block.style.display = "block");
    article.querySelectorAll("details").forEach(details => details.open = true);
    const cut = document.documentElement.scrollWidth > innerWidth ? ["the page itself"] : [];
    const range = document.createRange();
    const texts = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    for (let text; text = texts.nextNode(); ) {
        const edge = Math.min(page, right(text.parentElement.closest("pre > code, table, .md-content")));
        const outside = () => [...range.getClientRects()].some(line => line.width && line.right > edge);
        range.selectNodeContents(text);
        if (!outside()) continue;
        for (const word of text.textContent.matchAll(/\\S+/g)) {
            range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            if (outside()) cut.push(word[0]);
        }
    }
    return cut;
})()
"""

#: The pictures that are shown, and those that couldn't be loaded.
PICTURES = """
(() => {
    const shown = [...document.querySelectorAll("article img")].filter(picture => picture.getClientRects().length);
    return shown.map(picture => picture.naturalWidth ? new URL(picture.src).pathname : `broken: ${picture.src}`);
})()
"""

#: Switches from the theme that is shown to the other one, and waits for it.
SWITCH_THEME = """
new Promise(done => {
    const options = { attributeFilter: ["data-md-color-scheme"] };
    new MutationObserver(() => done()).observe(document.body, options);
    [...document.querySelectorAll(".md-header label[for^=__palette]")].find(label => !label.hidden).click();
})
"""

#: What each button for copying puts into the clipboard, for blocks of a terminal.
COPIED = """
(async () => {
    const copied = [];
    document.addEventListener("copy", event => copied.push(event.target.value), true);
    for (const block of document.querySelectorAll("article .language-console"))
        block.querySelector("button[data-clipboard-target]").click();
    return copied;
})()
"""

#: The first links that the search shows for a text, without opening any "more on this page".
FOUND = """
(async text => {
    const input = document.querySelector("input.md-search__input");
    const results = document.querySelector(".md-search-result");
    const count = () => results.querySelector(".md-search-result__meta").textContent.trim();
    const type = text => {
        input.value = text;
        input.dispatchEvent(new Event("input", { bubbles: true }));
        input.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true }));
    };
    const until = async done => { while (!done()) await new Promise(next => setTimeout(next, 10)); };
    input.focus();
    type("");
    const links = () => [...results.querySelectorAll(".md-search-result__item a")];
    await until(() => count().startsWith("Type to") && !links().length);
    type(text);
    await until(() => /^No match/.test(count()) || /match/.test(count()) && links().length);
    const shown = links().filter(link => !link.closest("details"));
    return shown.slice(0, 3).map(link => new URL(link.href)).map(link => link.pathname + link.hash);
})
"""


class Layout(NamedTuple):
    """The height of a page in pixels, and the words that can't be seen."""

    height: int
    cut_on_screen: list[str]
    cut_on_telephone: list[str]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The site that `make docs` built."""
    built = SITE / "sitemap.xml"
    sources = [ROOT / "mkdocs.yml", *DOCS.rglob("*.*"), *ROOT.glob("tools/site.py"), *(ROOT / "src").rglob("*.py")]
    if not built.exists() or built.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        pytest.fail("the site isn't built, or is older than a page or a docstring: run `make docs`")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=SITE)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def layouts(browser: Browser, url: str) -> dict[str, Layout]:
    """How each page is laid out."""
    found = {}
    for address in PAGES:
        browser.resize(*SCREEN)
        browser.open(url + address)
        height, cut_on_screen = browser.run("document.documentElement.scrollHeight"), browser.run(CUT)
        browser.resize(*TELEPHONE)
        found[address] = Layout(height, cut_on_screen, browser.run(CUT))
    return found


def test_nothing_is_cut_off_on_a_screen(layouts: dict[str, Layout]) -> None:
    assert {address: page.cut_on_screen for address, page in layouts.items() if page.cut_on_screen} == {}


def test_nothing_is_cut_off_on_a_telephone(layouts: dict[str, Layout]) -> None:
    assert {address: page.cut_on_telephone for address, page in layouts.items() if page.cut_on_telephone} == {}


def test_no_page_of_the_reference_is_longer_than_ten_screens(layouts: dict[str, Layout]) -> None:
    screens = {address: layouts[address].height / SCREEN[1] for address in REFERENCE}
    assert {address: number for address, number in screens.items() if number > SCREENS_OF_A_PAGE} == {}


def test_the_first_program_is_on_the_first_screen(browser: Browser, url: str) -> None:
    browser.resize(*SCREEN)
    browser.open(url)
    box = browser.run("document.querySelector('article .language-python').getBoundingClientRect().toJSON()")
    assert box["height"] > 100
    assert box["bottom"] <= SCREEN[1]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_follow_the_theme_of_the_system_and_of_the_reader(browser: Browser, url: str, theme: str) -> None:
    other = {"light": "dark", "dark": "light"}[theme]
    names = re.findall(r'src="img/(.*)-light.png"', PAGES["/charts/"])
    assert names
    browser.resize(*SCREEN)
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    browser.open(url)
    browser.run("localStorage.clear()")  # which remembers the theme that a reader chose
    browser.open(f"{url}/charts/")
    assert browser.run(PICTURES) == [f"/img/{name}-{theme}.png" for name in names]
    browser.run(SWITCH_THEME)
    assert browser.run(PICTURES) == [f"/img/{name}-{other}.png" for name in names]


def test_every_picture_can_be_loaded(browser: Browser, url: str) -> None:
    browser.resize(*SCREEN)
    pictures = {}
    for address, text in PAGES.items():
        if "img/" in text:
            browser.open(url + address)
            pictures[address] = browser.run(PICTURES)
    assert [address for address, shown in pictures.items() if not shown] == []
    assert [picture for shown in pictures.values() for picture in shown if picture.startswith("broken")] == []


def test_buttons_copy_commands_without_prompt_and_output(browser: Browser, url: str) -> None:
    browser.resize(*SCREEN)
    for address, text in PAGES.items():
        blocks = re.findall(r"^( *)```console\n(.*?)^\1```", text, re.DOTALL | re.MULTILINE)
        if blocks:
            browser.open(url + address)
            commands = [re.findall(r"^ *\$ (.*)$", block, re.MULTILINE) for _, block in blocks]
            assert [copied.splitlines() for copied in browser.run(COPIED)] == commands, address


def test_the_search_finds_the_answer_to_each_question(browser: Browser, url: str) -> None:
    questions = re.findall(r"^## (How do I .*\?)$", PAGES["/how-do-i/"], re.MULTILINE)
    assert len(questions) >= 20
    browser.resize(*SCREEN)
    browser.open(url)
    missed = []
    for question in questions:
        anchor = re.sub(r"[^\w\- ]", "", question.lower()).replace(" ", "-")
        for text in (question, question.removeprefix("How do I ").rstrip("?")):
            links = browser.run(f"{FOUND}({json.dumps(text)})")
            if f"/how-do-i/#{anchor}" not in links:
                missed.append((text, links))
    assert missed == []


def test_the_reference_shows_public_names_only() -> None:
    private = re.compile(r"(?<!\w)_[A-Za-z]\w*|\bscapi\._\w+|\w+_co\b")
    named = {address: private.findall(unescape(re.sub(r"<[^>]+>", "", article))) for address, article in articles()}
    assert {address: names for address, names in named.items() if names} == {}


def test_the_reference_shows_each_thing_once_and_misses_no_method() -> None:
    shown = Counter(name for _, article in articles() for name in re.findall(r'<h\d id="scapi\.([\w.]+)"', article))
    assert len(shown) > 300
    assert [name for name, count in shown.items() if count > 1] == []
    methods = Counter(filter(None, map(method, shown)))
    assert [found for found, count in methods.items() if count > 1] == []
    of_classes = [f"{name}.{member}" for name in shown for member in dir(resolve(name)) if not member.startswith("_")]
    assert [name for name in of_classes if method(name) is not None and method(name) not in methods] == []


def articles() -> Iterator[tuple[str, str]]:
    """The address of each page of the reference, and what stands between its menus."""
    for address in REFERENCE:
        page = (SITE / address[1:] / "index.html").read_text(encoding="utf-8")
        yield address, page[page.index("<article") : page.index("</article")]


def resolve(name: str) -> Any:
    return attrgetter(name)(scapi)


def method(name: str) -> Any:
    """The method or property with this name, which is the same for all classes that inherit it."""
    holder, _, last = name.rpartition(".")
    found = getattr_static(resolve(holder), last, None) if holder else None
    return found if isinstance(found, METHODS) and isinstance(resolve(holder), type) else None
