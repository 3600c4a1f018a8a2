"""A cache of remote files on disk. Many processes may read and write it at once.

A stored file is one line with a digest, one line of JSON with the metadata, and the content. It is written to a
temporary file and then moved, so it is never incomplete. A file that doesn't match its digest counts as absent and
is fetched again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from contextlib import suppress
from pathlib import Path, PurePosixPath

import msgspec

from scapi._base import atomic, validation
from scapi._base.extras import extra

logger = logging.getLogger("scapi")

MAGIC = b"scapi-copy-1 "


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """A remote file as it was when it was fetched.

    Attributes:
        content: The file.
        source: The URL that it came from.
        etag: The server's ETag, for a later conditional request.
        fetched_at: When the server last confirmed it, in seconds since the epoch.
    """

    content: bytes
    source: str
    etag: str | None = None
    fetched_at: float

    def __repr__(self) -> str:
        size = len(self.content)
        return f"Copy({self.source!r}, {size} bytes, etag={self.etag!r}, fetched_at={self.fetched_at})"


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    length: int
    source: str
    etag: str | None
    fetched_at: float


_headers = msgspec.json.Decoder(_Header)


def is_fresh(copy: Copy, *, now: float, stale_time: float) -> bool:
    """Return whether a copy can be used without a request. A copy from the future can't: the clock was set back.

    Args:
        copy: The copy.
        now: Seconds since the epoch.
        stale_time: How long a copy is fresh, in seconds; 0 for never.
    """
    return 0 <= now - copy.fetched_at < stale_time


def read(path: Path) -> Copy | None:
    """Return the copy in a file, or `None` if there is none or it is broken."""
    try:
        stored = path.read_bytes()
    except OSError:
        return None
    first, _, rest = stored.partition(b"\n")
    if first != MAGIC + _digest(rest):
        return None
    line, _, content = rest.partition(b"\n")
    with suppress(msgspec.MsgspecError, UnicodeDecodeError):
        header = _headers.decode(line)
        if header.length == len(content):
            return Copy(content=content, source=header.source, etag=header.etag, fetched_at=header.fetched_at)
    return None


def write(path: Path, copy: Copy) -> None:
    """Write a copy to a file, atomically.

    Raises:
        OSError: The file can't be written. Its previous content is unchanged.
    """
    length = len(copy.content)
    header = _Header(length=length, source=copy.source, etag=copy.etag, fetched_at=copy.fetched_at)
    rest = msgspec.json.encode(header) + b"\n" + copy.content
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(path, MAGIC + _digest(rest) + b"\n" + rest)


def _digest(rest: bytes) -> bytes:
    return hashlib.sha256(rest).hexdigest().encode()


def default_folder() -> Path:
    """Return the folder in `SCAPI_CACHE_DIR`, otherwise the platform's cache folder, e.g. `~/.cache/scapi`.

    Raises:
        ImportError: platformdirs is not installed.
    """
    if folder := os.environ.get("SCAPI_CACHE_DIR"):
        return validation.path("SCAPI_CACHE_DIR", folder)
    with extra("names", "the item database"):
        import platformdirs
    return Path(platformdirs.user_cache_dir("scapi", appauthor=False))


class DiskCache:
    """The cached files of one repository; safe for many threads and processes.

    A copy that can't be written to disk is kept in memory instead. The first one logs a warning.
    """

    def __init__(self, folder: Path, repository: str) -> None:
        """Create a cache. Doesn't access the disk.

        Args:
            folder: The cache folder, see `default_folder`.
            repository: The repository, e.g. `EXBO-Studio/stalzone-database`.
        """
        self.folder = _inside(folder, repository)
        self._memory: dict[str, Copy] = {}
        self._lock = threading.Lock()
        self._warned = False

    def get(self, name: str) -> Copy | None:
        """Return the copy of a file of the repository, or `None`.

        Raises:
            ValueError: `name` leads out of the repository.
        """
        path = self._path(name)
        return self._memory.get(name) or read(path)

    def put(self, name: str, copy: Copy) -> None:
        """Keep a copy of a file of the repository, on disk if possible.

        Raises:
            ValueError: `name` leads out of the repository.
        """
        path = self._path(name)
        try:
            write(path, copy)
        except OSError as cause:
            self._memory[name] = copy
            self._warn(cause)
            return
        self._memory.pop(name, None)
        atomic.sweep(path.parent, now=copy.fetched_at)

    def _path(self, name: str) -> Path:
        path = _inside(self.folder, name)
        return path.with_name(path.name + ".copy")

    def _warn(self, cause: OSError) -> None:
        with self._lock:
            first, self._warned = not self._warned, True
        if first:
            logger.warning("%s can't be written (%s): copies are kept in memory only", self.folder, cause)


def _inside(folder: Path, name: str) -> Path:
    """Return the path below the folder. Names come from remote files, so they are checked for ways out of it."""
    parts = PurePosixPath(name.lstrip("/")).parts
    if not parts or any(part == ".." or part.strip(" .") == "" or set(part) & set('\\:*?"<>|\0') for part in parts):
        raise ValueError(f"name must be the path of a file inside the repository, not {name!r}")
    return folder.joinpath(*parts)
