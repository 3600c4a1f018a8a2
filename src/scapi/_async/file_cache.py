"""Caches the files of a repository, in memory and on disk."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from msgspec.structs import replace

from scapi._async.github import guard
from scapi._async.single_flight import SingleFlight
from scapi._base import escaping
from scapi._items.disk_cache import Copy, DiskCache, is_fresh
from scapi._primitives import aio
from scapi.exceptions import DecodeError, ScApiException, TransportError
from scapi.models import DatabaseState, FileState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scapi._async.clock import Clock
    from scapi._async.github import GitHubClient
    from scapi.models import RawFile


T = TypeVar("T")

logger = logging.getLogger("scapi")

#: Seconds without requests after a failure, so that calls stay fast in a program without network.
PAUSE = 60.0

#: How many files stay in memory: enough for the indexes and recipes of both realms, and the last items.
MOST_CACHED = 64


class CachedFile(NamedTuple):
    """A file in memory: its copy, and the decoded value."""

    copy: Copy
    value: Any


class FileCache:
    """Returns decoded files of a repository from memory, disk or the server. Safe to use from many callers at once.

    Args:
        github: The repository.
        folder: The folder for copies on disk.
        stale_time: Seconds for which a copy is used without a request.
        offline: Send no requests.
        clock: The time.
    """

    def __init__(self, github: GitHubClient, folder: Path, *, stale_time: float, offline: bool, clock: Clock) -> None:
        self.github = github
        self.offline = offline
        self._stale_time = stale_time
        self._clock = clock
        self._disk = DiskCache(folder, f"{github.repository}/{github.branch}")
        self._files: dict[str, CachedFile] = {}
        self._flights: dict[str, SingleFlight] = {}
        self._reachable: bool | None = None
        self._paused_until = 0.0

    async def get(self, name: str, read: Callable[[bytes], T], *, force: bool = False) -> T:
        """Return the decoded value of a file.

        Args:
            name: The path of the file in the repository.
            read: Decodes the content or raises `DecodeError`. Must be the same function for each call with this name.
            force: Send a request whatever the age of the copy.
        """
        before = self._files.get(name)
        if before and not force and self._is_usable(before):
            return before.value  # type: ignore[no-any-return]  # returned by `read`
        flight = self._flights.setdefault(name, SingleFlight(aio.begin, self._clock))
        # One run is enough, unless it belonged to another caller that was interrupted.
        while (cached := self._files.get(name)) is None or cached is before:
            await flight.run(partial(self._update, name, read, force=force))
        return cached.value  # type: ignore[no-any-return]  # returned by `read`

    async def _update(self, name: str, read: Callable[[bytes], Any], *, force: bool) -> None:
        cached = await aio.to_thread(self._load, name, read)
        if cached is None and self.offline:
            raise TransportError(f"offline, and there is no copy of {name} in {self._disk.folder}")
        if cached is None or (not self.offline and (force or not self._is_usable(cached))):
            cached = await self._refresh(name, read, cached)
        self._keep(name, cached)

    def _load(self, name: str, read: Callable[[bytes], Any]) -> CachedFile | None:
        """Return the copy on disk, which another process may have updated, or else the one in memory."""
        cached, copy = self._files.get(name), self._disk.get(name)
        if copy is None or copy.source != self.github.file_url(name):
            return cached and cached._replace()
        if cached and cached.copy.content == copy.content:
            return CachedFile(copy, cached.value)
        try:
            return CachedFile(copy, read(copy.content))
        except DecodeError:  # written by another version of the library, which could decode it
            return None

    async def _refresh(self, name: str, read: Callable[[bytes], Any], cached: CachedFile | None) -> CachedFile:
        """Return the current file from the server, or the existing copy if the request fails."""
        try:
            etag = cached.copy.etag if cached else None
            with guard(self.github, self.github.file_url(name)):
                file = await self.github.rawfile(name, etag=etag)
                fresh = await aio.to_thread(_refreshed, cached, file, read, self._clock.wall())
        except ScApiException as error:
            if cached is None:
                raise
            self._note_failure(name, error, cached)
            return cached
        self._reachable = True
        await aio.to_thread(self._disk.put, name, fresh.copy)
        return fresh

    def _note_failure(self, name: str, error: ScApiException, cached: CachedFile) -> None:
        if self._reachable is not False:
            since = _moment(cached.copy).isoformat(" ", "seconds")
            text = "%s can't be updated (%s): using the last good copy from %s"
            logger.warning(text, escaping.log(name), escaping.log(str(error)), since)
        self._reachable = False
        self._paused_until = self._clock.now() + min(PAUSE, self._stale_time)

    def _is_usable(self, cached: CachedFile) -> bool:
        """Return whether to use a copy without a request."""
        fresh = is_fresh(cached.copy, now=self._clock.wall(), stale_time=self._stale_time)
        return fresh or self.offline or (self._reachable is False and self._clock.now() < self._paused_until)

    def _keep(self, name: str, cached: CachedFile) -> None:
        self._files.pop(name, None)
        self._files[name] = cached
        for oldest in list(self._files)[:-MOST_CACHED]:
            self._files.pop(oldest, None)

    @property
    def state(self) -> DatabaseState:
        """The files in memory and how recent they are."""
        return DatabaseState(
            repository=self.github.repository,
            branch=self.github.branch,
            folder=self._disk.folder,
            reachable=self._reachable,
            files={name: _state(cached.copy) for name, cached in list(self._files.items())},
        )


def _refreshed(cached: CachedFile | None, file: RawFile | None, read: Callable[[bytes], Any], now: float) -> CachedFile:
    """Return the copy that the server confirmed, or the decoded new file.

    A new file is decoded before it is stored, so that an invalid file can't replace a good copy.
    """
    if file is None:
        assert cached is not None  # without a copy there was no ETag, so the server can't respond with 304
        return CachedFile(replace(cached.copy, fetched_at=now), cached.value)
    copy = Copy(content=file.content, source=file.url, etag=file.etag, fetched_at=now)
    if cached and cached.copy.content == file.content:
        return CachedFile(copy, cached.value)
    try:
        return CachedFile(copy, read(file.content))
    except DecodeError as error:
        error.url = file.url
        raise


def _state(copy: Copy) -> FileState:
    return FileState(url=copy.source, etag=copy.etag, checked_at=_moment(copy), size=len(copy.content))


def _moment(copy: Copy) -> datetime:
    return datetime.fromtimestamp(copy.fetched_at, UTC)
