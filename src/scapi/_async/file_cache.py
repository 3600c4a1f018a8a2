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
MOST_HELD = 64


class Held(NamedTuple):
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
        self._held: dict[str, Held] = {}
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
        before = self._held.get(name)
        if before and not force and self._is_usable(before):
            return before.value  # type: ignore[no-any-return]  # returned by `read`
        flight = self._flights.setdefault(name, SingleFlight(aio.begin, self._clock))
        # One run is enough, unless it belonged to another caller that was interrupted.
        while (held := self._held.get(name)) is None or held is before:
            await flight.run(partial(self._update, name, read, force=force))
        return held.value  # type: ignore[no-any-return]  # returned by `read`

    async def _update(self, name: str, read: Callable[[bytes], Any], *, force: bool) -> None:
        held = await aio.to_thread(self._load, name, read)
        if held is None and self.offline:
            raise TransportError(f"offline, and there is no copy of {name} in {self._disk.folder}")
        if held is None or (not self.offline and (force or not self._is_usable(held))):
            held = await self._refresh(name, read, held)
        self._keep(name, held)

    def _load(self, name: str, read: Callable[[bytes], Any]) -> Held | None:
        """Return the copy on disk, which another process may have updated, or else the one in memory."""
        held, copy = self._held.get(name), self._disk.get(name)
        if copy is None or copy.source != self.github.file_url(name):
            return held and held._replace()
        if held and held.copy.content == copy.content:
            return Held(copy, held.value)
        try:
            return Held(copy, read(copy.content))
        except DecodeError:  # written by another version of the library, which could decode it
            return None

    async def _refresh(self, name: str, read: Callable[[bytes], Any], held: Held | None) -> Held:
        """Return the current file from the server, or the existing copy if the request fails."""
        try:
            etag = held.copy.etag if held else None
            with guard(self.github, self.github.file_url(name)):
                file = await self.github.rawfile(name, etag=etag)
                fresh = await aio.to_thread(_refreshed, held, file, read, self._clock.wall())
        except ScApiException as error:
            if held is None:
                raise
            self._note_failure(name, error, held)
            return held
        self._reachable = True
        await aio.to_thread(self._disk.put, name, fresh.copy)
        return fresh

    def _note_failure(self, name: str, error: ScApiException, held: Held) -> None:
        if self._reachable is not False:
            since = _moment(held.copy).isoformat(" ", "seconds")
            text = "%s can't be updated (%s): using the last good copy from %s"
            logger.warning(text, escaping.log(name), escaping.log(str(error)), since)
        self._reachable = False
        self._paused_until = self._clock.now() + min(PAUSE, self._stale_time)

    def _is_usable(self, held: Held) -> bool:
        """Return whether to use a copy without a request."""
        fresh = is_fresh(held.copy, now=self._clock.wall(), stale_time=self._stale_time)
        return fresh or self.offline or (self._reachable is False and self._clock.now() < self._paused_until)

    def _keep(self, name: str, held: Held) -> None:
        self._held.pop(name, None)
        self._held[name] = held
        for oldest in list(self._held)[:-MOST_HELD]:
            self._held.pop(oldest, None)

    @property
    def state(self) -> DatabaseState:
        """The files in memory and how recent they are."""
        return DatabaseState(
            repository=self.github.repository,
            branch=self.github.branch,
            folder=self._disk.folder,
            reachable=self._reachable,
            files={name: _state(held.copy) for name, held in list(self._held.items())},
        )


def _refreshed(held: Held | None, file: RawFile | None, read: Callable[[bytes], Any], now: float) -> Held:
    """Return the copy that the server confirmed, or the decoded new file.

    A new file is decoded before it is stored, so that an invalid file can't replace a good copy.
    """
    if file is None:
        assert held is not None  # without a copy there was no ETag, so the server can't respond with 304
        return Held(replace(held.copy, fetched_at=now), held.value)
    copy = Copy(content=file.content, source=file.url, etag=file.etag, fetched_at=now)
    if held and held.copy.content == file.content:
        return Held(copy, held.value)
    try:
        return Held(copy, read(file.content))
    except DecodeError as error:
        error.url = file.url
        raise


def _state(copy: Copy) -> FileState:
    return FileState(url=copy.source, etag=copy.etag, checked_at=_moment(copy), size=len(copy.content))


def _moment(copy: Copy) -> datetime:
    return datetime.fromtimestamp(copy.fetched_at, UTC)
