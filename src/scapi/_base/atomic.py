"""Write files whole or not at all, whatever ends the program meanwhile."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from errno import EINVAL, EISDIR
from pathlib import Path
from typing import TYPE_CHECKING

from scapi._base.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Age from which a part is left over from a program that was killed, in seconds. No write takes an hour.
ABANDONED = 3600.0

#: Without this flag Windows changes line ends.
BINARY = getattr(os, "O_BINARY", 0)


def place(path: Path) -> Path:
    """Return where a file is to be written. Links are followed.

    Raises:
        OSError: A pipe, a device or a folder is there, which no file can replace.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(EINVAL, "it is neither a file nor free, so no file can take its place", str(path))
    return target


def check(path: Path) -> None:
    """Raise an `OSError` if a file can't be written there, as far as that is known beforehand."""
    Draft(place(path)).discard()


def write(path: Path, content: bytes | Secret, *, private: bool = False) -> None:
    """Write a file.

    Args:
        path: The file. Its folder exists.
        content: The content.
        private: Keep it unreadable for others, whatever was there before.

    Raises:
        OSError: It can't be written. What was there before is still there.
    """
    draft = Draft(path, private=private)
    try:
        draft.write(content.encode() if isinstance(content, Secret) else content)
        draft.publish()
    finally:
        draft.discard()


class Draft:
    """A file under another name, which replaces the one at its place once it is whole.

    It gets the rights of the file that it replaces.

    Args:
        path: The place of the file. Its folder exists.
        private: Keep it unreadable for others at all times, whatever was there before.

    Raises:
        OSError: It can't be written. What was there before is still there.
    """

    def __init__(self, path: Path, *, private: bool = False) -> None:
        self._path = path
        # Not by `tempfile`: its files stay private when they move to their place.
        self._part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
        rights = 0o600 if private else _rights(path)
        try:
            # Exclusively: nobody else's file is written to or removed.
            handle = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, rights or 0o666)
        except OSError as cause:
            # The caller doesn't know the name of the part.
            raise OSError(cause.errno, cause.strerror, str(path.parent)) from None
        self.file = os.fdopen(handle, "wb")
        self.write = self.file.write
        if rights:
            with suppress(OSError):  # some file systems have no rights
                self._part.chmod(rights)

    def publish(self) -> None:
        """Flush the file to the disk and put it in its place."""
        with self.file:
            self.file.flush()
            os.fsync(self.file.fileno())
        self._part.replace(self._path)

    def discard(self) -> None:
        """Remove the part, unless it was published."""
        with suppress(OSError):  # closing writes what is buffered, which a full disk refuses
            self.file.close()
        with suppress(OSError):
            self._part.unlink()


def _rights(path: Path) -> int | None:
    """Return the rights of the file that is there, or `None`."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None


def abandoned(folder: Path, name: str = "*") -> Iterator[Path]:
    """Yield the parts in a folder, of one file or of all; those that are being written are among them."""
    # Not by a pattern with the name in it, which may hold characters that mean something there.
    return (part for part in folder.glob(".*.part") if name == "*" or part.name.startswith(f".{name}."))


def sweep(folder: Path, *, now: float) -> None:
    """Remove the parts that killed programs left in a folder.

    Args:
        folder: The folder.
        now: The time, in seconds since the epoch.
    """
    for path in abandoned(folder):
        with suppress(OSError):
            if now - path.stat().st_mtime > ABANDONED:
                path.unlink()
