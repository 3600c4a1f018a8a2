"""Small files that must not be torn: tokens, and what watchers go on from.

    from scapi import files

    files.write_text("sales.json", watcher.state.to_json())

A program may be ended at any time, a machine may lose its power. `Path.write_text` leaves half a file then, which stops
the next start; this leaves the old one or the new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scapi._base import atomic, validation

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["write_text"]


def write_text(path: str | PathLike[str], text: str, *, private: bool = False) -> None:
    """Write a file in whole or not at all, in place of the one that was there.

    The file is on the disk when this returns. A new one has the rights that files usually have, another those that it
    had. A link stays a link.

    Args:
        path: The file; a `~` in front is the home folder. Its folder must be there.
        text: What it is to hold, written as UTF-8.
        private: Let nobody else read it at any time, as a token needs.

    Raises:
        TypeError: `path` is no path, or `text` is no string.
        ValueError: `path` is empty, or `text` can't be written as UTF-8.
        OSError: The file can't be written. What was there before is still there.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
        raise TypeError(f"text must be a string, not {type(text).__name__}")
    try:
        content = text.encode()
    except UnicodeEncodeError:
        # The text isn't shown: it may be a token.
        content = None
    if content is None:
        raise ValueError("text must be text that can be written as UTF-8")
    place = atomic.place(validation.path("path", path))
    atomic.write(place, content, private=validation.flag("private", private))
