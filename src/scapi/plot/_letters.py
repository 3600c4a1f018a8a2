"""Fonts for the scripts that players use, as far as this machine has them."""

from __future__ import annotations

from functools import cache
from typing import Any

from matplotlib import font_manager

from scapi._base import escaping

__all__ = ["families", "legible"]

#: `Any`, because half of the module has no types.
fonts: Any = font_manager

#: matplotlib includes the first, which has Latin and Cyrillic. The others have Korean; most machines have one or two.
FAMILIES = (
    "DejaVu Sans",
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "NanumGothic",
    "Noto Sans CJK JP",
    "Arial Unicode MS",
)


@cache
def families() -> list[str]:
    """Return the font families that are installed. matplotlib warns on every text about missing ones."""
    installed = set(fonts.get_font_names())
    return [family for family in FAMILIES if family in installed]


def legible(text: str, room: int = 60) -> str:
    """Return the text on one line of at most `room` characters, with a box for each character that no font has.

    matplotlib draws such a box too, but with a warning each time.
    """
    line = " ".join(escaping.picture(text).split())
    line = line if len(line) <= room else line[: room - 1].rstrip() + "…"
    return "".join(letter if ord(letter) in _drawable() else "□" for letter in line)


@cache
def _drawable() -> frozenset[int]:
    return frozenset(letter for family in families() for letter in fonts.get_font(fonts.findfont(family)).get_charmap())
