"""Letters of every script that players use, as far as this machine has fonts for them."""

from __future__ import annotations

from functools import cache
from typing import Any

from matplotlib import font_manager

from scapi._base import escaping

__all__ = ["families", "legible"]

#: Half of it has no types.
fonts: Any = font_manager

#: matplotlib brings the first, which has Latin and Cyrillic. The others have Korean; machines have one or two of them.
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
    """The font families that are installed; asking for others would warn on every text."""
    installed = set(fonts.get_font_names())
    return [family for family in FAMILIES if family in installed]


def legible(text: str, room: int = 60) -> str:
    """The text as it can be drawn: on one line, no longer than `room`, and a box for what no font has.

    matplotlib draws that box, too, but warns whenever it does.
    """
    line = " ".join(escaping.picture(text).split())
    line = line if len(line) <= room else line[: room - 1].rstrip() + "…"
    return "".join(letter if ord(letter) in _drawable() else "□" for letter in line)


@cache
def _drawable() -> frozenset[int]:
    return frozenset(letter for family in families() for letter in fonts.get_font(fonts.findfont(family)).get_charmap())
