"""How far the copies of the item database on this machine are up to date."""

from __future__ import annotations

from datetime import datetime  # msgspec reads annotations at run time
from pathlib import Path

from scapi.models._base import Record

__all__ = ["DatabaseState", "FileState"]


class FileState(Record, frozen=True, kw_only=True):
    """One file of the item database as it was used last.

    Attributes:
        url: Where it came from.
        etag: What the server calls this version.
        checked_at: When the server last confirmed it (aware, UTC).
        size: Bytes.
    """

    url: str
    etag: str | None
    checked_at: datetime
    size: int


class DatabaseState(Record, frozen=True, kw_only=True):
    """What a lookup has in memory.

    Attributes:
        repository: Whose files these are, e.g. `EXBO-Studio/stalzone-database`.
        branch: Of which branch.
        folder: Where their copies lie.
        reachable: Whether the server had a usable answer when a copy was to be renewed last, or the file was fetched
            for the first time; `None` before that.
        files: The files by their path, e.g. `ru/listing.json`; those used last, at most 64.
        missing: The files that the repository lacked when `sync()` was called last.
    """

    repository: str
    branch: str
    folder: Path
    reachable: bool | None
    files: dict[str, FileState]
    missing: tuple[str, ...] = ()
