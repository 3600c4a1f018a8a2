"""FileCache of remote files on this machine, which many processes may read and write at once.

A stored file is one line of digest, one line of JSON with what is known of the copy, and the copy itself. It
appears whole or not at all, since it is written beside its place and then moved there; and it is believed only
while the digest of all the rest fits. Whatever is broken counts as absent: it will be fetched again.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from contextlib import suppress
from pathlib import Path, PurePosixPath

import msgspec

from scapi._base import atomic
from scapi._base.extras import extra

logger = logging.getLogger("scapi")

_MAGIC = b"scapi-copy-1 "


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """A remote file as it was when it was fetched.

    Attributes:
        content: The file.
        source: The URL that it came from.
        etag: What the server called this version, to ask later whether there is a newer one.
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
    """Whether a copy need not be asked after yet. One from the future must be: the clock was set back.

    Args:
        copy: The copy.
        now: Seconds since the epoch.
        stale_time: For how many seconds a copy is fresh; 0 for never.
    """
    return 0 <= now - copy.fetched_at < stale_time


def read(path: Path) -> Copy | None:
    """The copy in a file, or `None` where there is none, or none that can be trusted."""
    try:
        stored = path.read_bytes()
    except OSError:
        return None
    first, _, rest = stored.partition(b"\n")
    if first != _MAGIC + _digest(rest):
        return None
    line, _, content = rest.partition(b"\n")
    with suppress(msgspec.MsgspecError, UnicodeDecodeError):
        header = _headers.decode(line)
        if header.length == len(content):
            return Copy(content=content, source=header.source, etag=header.etag, fetched_at=header.fetched_at)
    return None


def write(path: Path, copy: Copy) -> None:
    """Put a copy into a file, atomically.

    Raises:
        OSError: It can't be written. What was there before is still there.
    """
    length = len(copy.content)
    header = _Header(length=length, source=copy.source, etag=copy.etag, fetched_at=copy.fetched_at)
    rest = msgspec.json.encode(header) + b"\n" + copy.content
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(path, _MAGIC + _digest(rest) + b"\n" + rest)


def _digest(rest: bytes) -> bytes:
    return hashlib.sha256(rest).hexdigest().encode()


def default_folder() -> Path:
    """The platform's folder for files that can be fetched again, e.g. `~/.cache/scapi`.

    Raises:
        ImportError: platformdirs is not installed.
    """
    with extra("names", "the item database"):
        import platformdirs
    return Path(platformdirs.user_cache_dir("scapi", appauthor=False))


class Store:
    """The copies of one repository's files; safe for many threads and processes.

    Where the disk refuses to take a copy, it is kept in memory instead, with one warning in the log.
    """

    def __init__(self, folder: Path, repository: str) -> None:
        """Create a store; touches no disk.

        Args:
            folder: The cache folder, see `default_folder`.
            repository: Whose files it holds, e.g. `EXBO-Studio/stalzone-database`.
        """
        self.folder = _inside(folder, repository)
        self._memory: dict[str, Copy] = {}
        self._lock = threading.Lock()
        self._warned = False

    def get(self, name: str) -> Copy | None:
        """The copy of a file of the repository, or `None`.

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
    """The path below the folder. Names come from remote files, so they aren't trusted to stay there."""
    parts = PurePosixPath(name.lstrip("/")).parts
    if not parts or any(part == ".." or part.strip(" .") == "" or set(part) & set('\\:*?"<>|\0') for part in parts):
        raise ValueError(f"name must be the path of a file inside the repository, not {name!r}")
    return folder.joinpath(*parts)
