"""Write files atomically: completely or not at all, even if the program is killed."""

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

#: Age in seconds after which a part file counts as left behind by a killed program. No write takes an hour.
ABANDONED = 3600.0

#: Without this flag, Windows converts line endings.
BINARY = getattr(os, "O_BINARY", 0)


def place(path: Path) -> Path:
    """Return the path to write a file to. Follows links.

    Raises:
        OSError: The path is a pipe, a device or a folder, which a file can't replace.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(EINVAL, "it exists and is not a regular file, so it can't be replaced", str(path))
    return target


def check(path: Path) -> None:
    """Raise an `OSError` if a file can't be created at this path. A later write may still fail."""
    Draft(place(path)).discard()


def write(path: Path, content: bytes | Secret, *, private: bool = False) -> None:
    """Write a file.

    Args:
        path: The file. Its folder must exist.
        content: The content.
        private: Make the file readable only by its owner, even if it replaces a public one.

    Raises:
        OSError: The file can't be written. An existing file is unchanged.
    """
    draft = Draft(path, private=private)
    try:
        draft.write(content.encode() if isinstance(content, Secret) else content)
        draft.publish()
    finally:
        draft.discard()


class Draft:
    """A temporary file that replaces the target once it is complete.

    It gets the permissions of the file that it replaces.

    Args:
        path: The target. Its folder must exist.
        private: Make the file readable only by its owner at all times, even if it replaces a public one.

    Raises:
        OSError: The file can't be written. An existing file is unchanged.
    """

    def __init__(self, path: Path, *, private: bool = False) -> None:
        self._path = path
        # `tempfile` won't do: its files stay private after they are moved.
        self._part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
        permissions = 0o600 if private else _permissions(path)
        try:
            # `O_EXCL`: never write to or remove a file of another program.
            handle = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, permissions or 0o666)
        except OSError as cause:
            # The caller doesn't know the name of the part file.
            raise OSError(cause.errno, cause.strerror, str(path.parent)) from None
        self.file = os.fdopen(handle, "wb")
        self.write = self.file.write
        if permissions:
            with suppress(OSError):  # some file systems have no permissions
                self._part.chmod(permissions)

    def publish(self) -> None:
        """Flush the file to disk and replace the target."""
        with self.file:
            self.file.flush()
            os.fsync(self.file.fileno())
        self._part.replace(self._path)

    def discard(self) -> None:
        """Remove the part file, unless it was published."""
        with suppress(OSError):  # closing flushes the buffer, which fails on a full disk
            self.file.close()
        with suppress(OSError):
            self._part.unlink()


def _permissions(path: Path) -> int | None:
    """Return the permissions of an existing file, otherwise `None`."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None


def abandoned(folder: Path, name: str = "*") -> Iterator[Path]:
    """Yield the part files of one file, or of all files in a folder. Includes those still being written."""
    # The name isn't part of the pattern: it may contain wildcards.
    return (part for part in folder.glob(".*.part") if name == "*" or part.name.startswith(f".{name}."))


def sweep(folder: Path, *, now: float) -> None:
    """Remove the part files that killed programs left in a folder.

    Args:
        folder: The folder.
        now: The current time, in seconds since the epoch.
    """
    for path in abandoned(folder):
        with suppress(OSError):
            if now - path.stat().st_mtime > ABANDONED:
                path.unlink()
