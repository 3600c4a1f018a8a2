"""The state of the local copies of the item database."""

from __future__ import annotations

from datetime import datetime  # msgspec reads annotations at run time
from pathlib import Path

from scapi.models._base import Record

__all__ = ["DatabaseState", "FileState"]


class FileState(Record, frozen=True, kw_only=True):
    """One file of the item database, as it was last used.

    Attributes:
        url: Where it came from.
        etag: The server's identifier of this version.
        checked_at: When the server last confirmed it (aware, UTC).
        size: The size in bytes.
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
        files: The files by path, e.g. `ru/listing.json`: at most 64, those used last.
        missing: The files that the repository lacked at the last `sync()`.
    """

    repository: str
    branch: str
    folder: Path
    reachable: bool | None
    files: dict[str, FileState]
    missing: tuple[str, ...] = ()
