"""Text of strangers, made safe for the place where it ends up: a terminal, a log, a page, a picture, a spreadsheet.

A stranger is whoever isn't the program: a server, a proxy, the item database, a player with a name, the environment.
Each place has one function here, and nothing else in the library decides what is safe.
"""

from __future__ import annotations

import html
import re
import unicodedata

#: How much of a stranger's text a log line or a message repeats, in characters.
SAID = 500

#: The game's own colour codes, such as `§4`.
COLOUR_CODE = re.compile(r"§[0-9a-fk-or]", re.IGNORECASE)

#: Where a spreadsheet would begin to calculate: at the start of a cell, and behind everything that some spreadsheet
#: takes for the end of one. Two of the signs have a wide twin in Asian fonts.
FORMULA = re.compile(r"(?:^|(?<=[;\t\r\n]))(?=[^\S;\t\r\n]*[=+\-@＝＋－＠])")

#: Control characters (C0, C1, DEL), invisible ones (those that turn the direction of writing among them), halves of
#: characters, and the two separators of lines and paragraphs.
OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def terminal(text: str) -> str:
    """The text on one line, without colour codes and without what a terminal would obey."""
    return _without(COLOUR_CODE.sub("", text))


def picture(text: str) -> str:
    """The text on one line, without what the makers of letters would obey or have no letter for."""
    return _without(text)


def page(text: str) -> str:
    """The text as HTML that shows it and does nothing else."""
    return html.escape(_without(text))


def log(text: str, most: int | None = SAID) -> str:
    r"""The text on one line, with what a terminal would obey spelled out (`\n`, `\u001b`).

    Args:
        text: The text.
        most: How many characters of it are told; `None` for all.
    """
    told = text if most is None or len(text) <= most else f"{text[:most]}…"
    return told if told.isprintable() else "".join(map(_spelled, told))


def screen(text: str) -> str:
    r"""Lines of JSON or CSV as a terminal may show them: what it would obey is spelled as JSON spells it (`\u001b`)."""
    return "\n".join(line if line.isprintable() else "".join(map(_spelled, line)) for line in text.split("\n"))


def cell(text: str) -> str:
    """The text with an apostrophe wherever a spreadsheet would take what follows for a formula."""
    return FORMULA.sub("'", text)


def _obeyed(char: str) -> bool:
    return unicodedata.category(char) in OBEYED


def _without(text: str) -> str:
    if text.isprintable():
        return text.strip()
    # White space parts words, whichever it is; a no-break space stays one.
    spaced = (" " if char.isspace() and _obeyed(char) else char for char in text)
    return "".join(char for char in spaced if not _obeyed(char)).strip()


def _spelled(char: str) -> str:
    if not _obeyed(char):
        return char
    if char in SHORT:
        return SHORT[char]
    # Beyond 16 bits JSON spells a character as its two halves.
    code = ord(char)
    units = [code] if code < 0x10000 else [0xD800 + ((code - 0x10000) >> 10), 0xDC00 + (code & 0x3FF)]
    return "".join(f"\\u{unit:04x}" for unit in units)
