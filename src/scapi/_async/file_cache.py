"""The files of a repository on this machine: in memory, else on disk, else from the server."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from msgspec.structs import replace

from scapi._async.github import guard
from scapi._async.single_flight import SingleFlight
from scapi._base import escaping
from scapi._items.cache import Copy, Store, is_fresh
from scapi._primitives import aio
from scapi.exceptions import DecodeError, ScApiException, TransportError
from scapi.models import DatabaseState, FileState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scapi._async.github import GitHubClient
    from scapi.models import RawFile


T = TypeVar("T")

logger = logging.getLogger("scapi")

wall = time.time

#: Seconds for which nothing is asked after a failure, so that a program without network isn't slowed by every call.
PAUSE = 60.0

#: How many files stay in memory: both realms' indexes and recipes, and the items that were looked at last.
MOST_HELD = 64


class Held(NamedTuple):
    """A file in memory: as it came, and what it says."""

    copy: Copy
    value: Any


class FileCache:
    """What the files of a repository say, as of now or of some seconds ago; for any number of callers at once."""

    def __init__(self, github: GitHubClient, folder: Path, *, stale_time: float, offline: bool) -> None:
        self.github = github
        self.offline = offline
        self._stale_time = stale_time
        self._store = Store(folder, f"{github.repository}/{github.branch}")
        self._held: dict[str, Held] = {}
        self._flights: dict[str, SingleFlight] = {}
        self._reachable: bool | None = None
        self._paused_until = 0.0

    async def get(self, name: str, read: Callable[[bytes], T], *, force: bool = False) -> T:
        """What a file says.

        Args:
            name: Its path in the repository.
            read: Makes of its content what it says, or raises `DecodeError`. Always the same one for a file.
            force: Ask the server whatever the copy's age.
        """
        before = self._held.get(name)
        if before and not force and self._will_do(before):
            return before.value  # type: ignore[no-any-return]  # it is what `read` made
        flight = self._flights.setdefault(name, SingleFlight(aio.begin))
        # Once will do, unless what was under way ended with the caller that it belonged to.
        while (held := self._held.get(name)) is None or held is before:
            await flight.run(partial(self._update, name, read, force=force))
        return held.value  # type: ignore[no-any-return]  # it is what `read` made

    async def _update(self, name: str, read: Callable[[bytes], Any], *, force: bool) -> None:
        held = await aio.to_thread(self._newest, name, read)
        if held is None and self.offline:
            raise TransportError(f"offline, and there is no copy of {name} in {self._store.folder}")
        if held is None or (not self.offline and (force or not self._will_do(held))):
            held = await self._confirmed(name, read, held)
        self._keep(name, held)

    def _newest(self, name: str, read: Callable[[bytes], Any]) -> Held | None:
        """The copy on disk, which another process may have renewed, or else that in memory."""
        held, copy = self._held.get(name), self._store.get(name)
        if copy is None or copy.source != self.github.file_url(name):
            return held and held._replace()
        if held and held.copy.content == copy.content:
            return Held(copy, held.value)
        try:
            return Held(copy, read(copy.content))
        except DecodeError:  # whoever wrote it could read it; this version of the library can't
            return None

    async def _confirmed(self, name: str, read: Callable[[bytes], Any], held: Held | None) -> Held:
        """What the server has now, or the copy there is while the server has nothing better."""
        try:
            etag = held.copy.etag if held else None
            with guard(self.github, self.github.file_url(name)):
                fresh = await aio.to_thread(_renewed, held, await self.github.rawfile(name, etag=etag), read)
        except ScApiException as error:
            if held is None:
                raise
            self._failed(name, error, held)
            return held
        self._reachable = True
        await aio.to_thread(self._store.put, name, fresh.copy)
        return fresh

    def _failed(self, name: str, error: ScApiException, held: Held) -> None:
        if self._reachable is not False:
            since = _moment(held.copy).isoformat(" ", "seconds")
            text = "%s can't be renewed (%s): its last good copy, of %s, is used"
            logger.warning(text, escaping.log(name), escaping.log(str(error)), since)
        self._reachable = False
        self._paused_until = aio.now() + min(PAUSE, self._stale_time)

    def _will_do(self, held: Held) -> bool:
        """Whether a copy is used without asking the server."""
        fresh = is_fresh(held.copy, now=wall(), stale_time=self._stale_time)
        return fresh or self.offline or (self._reachable is False and aio.now() < self._paused_until)

    def _keep(self, name: str, held: Held) -> None:
        self._held.pop(name, None)
        self._held[name] = held
        for oldest in list(self._held)[:-MOST_HELD]:
            self._held.pop(oldest, None)

    @property
    def state(self) -> DatabaseState:
        """Which files are in memory, and how far they are up to date."""
        return DatabaseState(
            repository=self.github.repository,
            branch=self.github.branch,
            folder=self._store.folder,
            reachable=self._reachable,
            files={name: _state(held.copy) for name, held in list(self._held.items())},
        )


def _renewed(held: Held | None, file: RawFile | None, read: Callable[[bytes], Any]) -> Held:
    """The copy that the server confirmed, or the file that it sent: read first, so that no good copy is lost to it."""
    if file is None:
        assert held is not None  # only who has a copy can be told that it is the latest
        return Held(replace(held.copy, fetched_at=wall()), held.value)
    copy = Copy(content=file.content, source=file.url, etag=file.etag, fetched_at=wall())
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
