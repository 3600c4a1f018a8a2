"""Format the blocks of an item's card as lines of text. Pure. Unknown kinds of blocks are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from scapi.cli.formatting import number
from scapi.models import Translation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scapi.enums import LanguageLike

    Block = Mapping[str, Any]

__all__ = ["lines"]


def lines(blocks: Sequence[Block], language: LanguageLike) -> Iterator[str]:
    """Yield the lines of a card in a language. Lines below a title are indented.

    Args:
        blocks: The blocks as the database has them; some are empty.
        language: A language of the database.
    """
    for block in blocks:
        title = _text(block.get("title"), language)
        if title:
            yield title
        yield from (f"{'  ' if title else ''}{line}" for line in _body(block, language) if line.strip())


def _body(block: Block, language: LanguageLike) -> Iterator[str]:
    match block:
        case {"type": "list", "elements": [*elements]}:
            for element in elements:
                yield _line(element, language)
        case {"type": "text", "text": text}:
            yield from _text(text, language).splitlines()
        case {"type": "damage", "startDamage": start, "endDamage": end, **rest}:
            yield _damage(start, end, rest)
        case _:
            pass


def _damage(start: float, end: float, block: Block) -> str:
    """Describe how the damage falls with the distance."""
    near, far, most = (block.get(name) for name in ("damageDecreaseStart", "damageDecreaseEnd", "maxDistance"))
    return (
        f"Damage: {_figure(start)} up to {_figure(near)} m, {_figure(end)} from {_figure(far)} m, "
        f"range {_figure(most)} m"
    )


def _line(element: Any, language: LanguageLike) -> str:
    match element:
        case {"type": "key-value", "key": key, "value": value}:
            return f"{_text(key, language)}: {_text(value, language)}"
        case {"type": "numeric", "name": name, "value": value}:
            return f"{_text(name, language)}: {_formatted(element, language) or _figure(value)}"
        case {"type": "range", "name": name, "min": low, "max": high}:
            return f"{_text(name, language)}: {_formatted(element, language) or f'{_figure(low)} – {_figure(high)}'}"
        case {"type": "item" | "usage", "name": name}:
            return _text(name, language)
        case {"type": "text", "text": text}:
            return _text(text, language)
        case _:
            return _text(element, language)


def _formatted(element: Block, language: LanguageLike) -> str:
    """Return the value as the game itself writes it, or an empty text."""
    match element.get("formatted"):
        case {"value": {**texts}}:
            return _text({"lines": texts}, language)
        case _:
            return ""


def _text(value: Any, language: LanguageLike) -> str:
    """Return a text of the database in a language, or in the nearest one that it has."""
    if isinstance(value, str):
        return value
    try:
        return msgspec.convert(value, Translation).get(language)
    except msgspec.ValidationError:
        return ""


def _figure(value: Any) -> str:
    """Format a number with as many digits as it needs; anything else is a dash."""
    return number(value, 2).rstrip("0").rstrip(".") if isinstance(value, int | float) else number(None)
