"""Files that appear at their place in whole or not at all, whatever ends the program that writes them."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from errno import EINVAL, EISDIR
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


# Nobody needs an hour for one write: whoever left such a file behind was killed.
ABANDONED = 3600.0

#: Windows would change line ends otherwise.
BINARY = getattr(os, "O_BINARY", 0)


def place(path: Path) -> Path:
    """Return where a file is to be written: where the path is a link, at its end.

    Raises:
        OSError: Something is there that isn't a file, such as a pipe, a device or a folder: it can't be replaced.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(EINVAL, "neither a file nor free, so that no file can take its place", str(path))
    return target


def check(path: Path) -> None:
    """Raise an `OSError` if no file can be written there, as far as can be told beforehand."""
    Draft(place(path)).discard()


def write(path: Path, content: bytes, *, private: bool = False) -> None:
    """Put a file into its place.

    Args:
        path: Its place; its folder is there.
        content: What it holds.
        private: Let nobody else read it, whatever was there before.

    Raises:
        OSError: It can't be written. What was there before is still there.
    """
    draft = Draft(path, private=private)
    try:
        draft.write(content)
        draft.publish()
    finally:
        draft.discard()


class Draft:
    """A file that takes the place of another once it is whole.

    It has the rights of the one that it replaces.

    Args:
        path: Its place; its folder is there.
        private: Let nobody else read it at any time, whatever was there before.

    Raises:
        OSError: It can't be written. What was there before is still there.
    """

    def __init__(self, path: Path, *, private: bool = False) -> None:
        self._path = path
        # Not of `tempfile`, whose files stay readable for nobody else when they have moved.
        self._part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
        rights = 0o600 if private else _rights(path)
        try:
            # Exclusively, so that the part is our own: nobody else's is written to, and none is removed.
            handle = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, rights or 0o666)
        except OSError as cause:
            # Nobody asked for a file of the part's name.
            raise OSError(cause.errno, cause.strerror, str(path.parent)) from None
        self.file = os.fdopen(handle, "wb")
        self.write = self.file.write
        if rights:
            with suppress(OSError):  # some file systems have no rights
                self._part.chmod(rights)

    def publish(self) -> None:
        """Put the file in its place; it is on the disk by then."""
        with self.file:
            self.file.flush()
            os.fsync(self.file.fileno())
        self._part.replace(self._path)

    def discard(self) -> None:
        """Leave nothing behind but what was published."""
        with suppress(OSError):  # a full disk refuses what is still to be written when a file is closed
            self.file.close()
        with suppress(OSError):
            self._part.unlink()


def _rights(path: Path) -> int | None:
    """Who may read and write the file that is there; `None` where none is."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None


def abandoned(folder: Path, name: str = "*") -> Iterator[Path]:
    """Yield what drafts of a file, or of any, have left in a folder; the drafts that are being written too."""
    # Names may hold what means something in a pattern.
    return (part for part in folder.glob(".*.part") if name == "*" or part.name.startswith(f".{name}."))


def sweep(folder: Path, *, now: float) -> None:
    """Remove what writers that were killed left in a folder.

    Args:
        folder: The folder.
        now: Seconds since the epoch.
    """
    for path in abandoned(folder):
        with suppress(OSError):
            if now - path.stat().st_mtime > ABANDONED:
                path.unlink()
