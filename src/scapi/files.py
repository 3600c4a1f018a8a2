"""Write small files that must never be incomplete: tokens, and the states of watchers.

    from scapi import files

    files.write_text("sales.json", watcher.state.to_json())

A program may be killed at any time, and a machine may lose power. `Path.write_text` may then leave an incomplete file
that breaks the next start. `files.write_text` leaves the old file or the new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scapi._base import atomic, validation
from scapi._base.secrets import Secret

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["write_text"]


def write_text(path: str | PathLike[str], text: str | Secret, *, private: bool = False) -> None:
    """Write or replace a file atomically: completely or not at all.

    The file is on disk when this returns. A new file gets the default permissions, an existing one keeps its own. A
    link stays a link.

    Args:
        path: The file. A leading `~` is the home folder. Its folder must exist.
        text: The content, written as UTF-8.
        private: Make the file readable only by its owner at all times, as a token requires.

    Raises:
        TypeError: `path` is not a path, or `text` is not a string.
        ValueError: `path` is empty, or `text` can't be written as UTF-8.
        OSError: The file can't be written. An existing file is unchanged.
    """
    text = Secret.of(text)  # it may be a token
    if not validation.is_encodable(text.check("text").reveal()):
        raise ValueError("text must be text that can be written as UTF-8")
    place = atomic.place(validation.path("path", path))
    atomic.write(place, text, private=validation.flag("private", private))
