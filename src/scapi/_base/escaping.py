"""Make untrusted text safe for its destination: a terminal, a log, a page, a picture, a spreadsheet.

Untrusted is all text from outside the program: from a server, a proxy, the item database, players' names, the
environment. Each destination has one function here. Nothing else in the library decides what is safe.
"""

from __future__ import annotations

import html
import re
import unicodedata

#: How much untrusted text a log line or a message quotes, in characters.
QUOTED = 500

#: The game's own colour codes, such as `§4`.
COLOUR_CODE = re.compile(r"§[0-9a-fk-or]", re.IGNORECASE)

#: Where a spreadsheet would read a formula: at the start of a cell, and after every character that some spreadsheet
#: takes for a cell separator. The signs also have full-width forms.
FORMULA = re.compile(r"(?:^|(?<=[;\t\r\n]))(?=[^\S;\t\r\n]*[=+\-@＝＋－＠])")

#: Categories of unsafe characters: controls (C0, C1, DEL), invisible format characters (such as changes of the writing
#: direction), surrogates, and the line and paragraph separators.
UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def terminal(text: str) -> str:
    """Return the text on one line, without colour codes and control characters."""
    return _without(COLOUR_CODE.sub("", text))


def picture(text: str) -> str:
    """Return the text on one line, without control and invisible characters."""
    return _without(text)


def page(text: str) -> str:
    """Return the text escaped for HTML, on one line."""
    return html.escape(_without(text))


def log(text: str, most: int | None = QUOTED) -> str:
    r"""Return the text on one line, with control characters escaped (`\n`, `\u001b`).

    Args:
        text: The text.
        most: The maximum length in characters. `None` for no limit.
    """
    shown = text if most is None or len(text) <= most else f"{text[:most]}…"
    return shown if shown.isprintable() else "".join(map(_escaped, shown))


def screen(text: str) -> str:
    r"""Return lines of JSON or CSV with control characters escaped as in JSON (`\u001b`)."""
    return "\n".join(line if line.isprintable() else "".join(map(_escaped, line)) for line in text.split("\n"))


def cell(text: str) -> str:
    """Return the text with an apostrophe wherever a spreadsheet would read a formula."""
    return FORMULA.sub("'", text)


def _is_unsafe(char: str) -> bool:
    return unicodedata.category(char) in UNSAFE


def _without(text: str) -> str:
    if text.isprintable():
        return text.strip()
    # Unsafe white space still separates words, so it becomes a space. A no-break space is safe and stays.
    spaced = (" " if char.isspace() and _is_unsafe(char) else char for char in text)
    return "".join(char for char in spaced if not _is_unsafe(char)).strip()


def _escaped(char: str) -> str:
    if not _is_unsafe(char):
        return char
    if char in SHORT_ESCAPES:
        return SHORT_ESCAPES[char]
    # JSON escapes a character beyond 16 bits as a surrogate pair.
    code = ord(char)
    units = [code] if code < 0x10000 else [0xD800 + ((code - 0x10000) >> 10), 0xDC00 + (code & 0x3FF)]
    return "".join(f"\\u{unit:04x}" for unit in units)
