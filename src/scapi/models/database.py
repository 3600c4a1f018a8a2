"""The state of the item database's copies on this machine."""

from __future__ import annotations

from datetime import datetime  # msgspec reads annotations at run time
from pathlib import Path

from scapi.models._base import Record

__all__ = ["DatabaseState", "FileState"]


class FileState(Record, frozen=True, kw_only=True):
    """One file of the item database, as it was last used.

    Attributes:
        url: Where it came from.
        etag: The server's name for this version.
        checked_at: When the server last confirmed it (aware, UTC).
        size: Bytes.
    """

    url: str
    etag: str | None
    checked_at: datetime
    size: int


class DatabaseState(Record, frozen=True, kw_only=True):
    """The files that a lookup has in memory.

    Attributes:
        repository: The repository that the files come from, e.g. `EXBO-Studio/stalzone-database`.
        branch: Its branch.
        folder: The folder with the copies.
        reachable: Whether the server answered when a file was last fetched or checked; `None` before that.
        files: The files by path, e.g. `ru/listing.json`; the last used ones, at most 64.
        missing: The files that the repository lacked at the last `sync()`.
    """

    repository: str
    branch: str
    folder: Path
    reachable: bool | None
    files: dict[str, FileState]
    missing: tuple[str, ...] = ()
