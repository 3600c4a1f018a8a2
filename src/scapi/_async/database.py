"""`DatabaseLookup`: finds the id that the API needs by the name that players know."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal, TypeGuard

from msgspec.structs import replace

from scapi._async.clock import Clock
from scapi._async.closable import Closable
from scapi._async.file_cache import FileCache
from scapi._async.github import GitHubClient
from scapi._base import validation
from scapi._items import database, names
from scapi._items.disk_cache import default_folder
from scapi._primitives import aio
from scapi.config import Config
from scapi.enums import IndexFile, Realm
from scapi.exceptions import NotFoundError

if TYPE_CHECKING:
    import os

    from scapi._items.names import Index
    from scapi.enums import IndexFileLike, LanguageLike, RealmLike
    from scapi.models import BarterSettlement, DatabaseState, Hideout, ItemInfo, Listing, Lookup


logger = logging.getLogger("scapi")

STALE_TIME = 900.0


class DatabaseLookup(Closable):
    """The official item database by name: items, achievements, stats and recipes, in all its languages.

    Files are cached in a folder on this machine. A cached file is used for `stale_time` seconds. Then the server is
    asked for a newer version, which costs no quota, and almost no traffic if there is none. While the server can't be
    reached, the last good copy is used, with one warning in the log, and the next attempt is made a minute later at
    the earliest.

    Args:
        github: The repository to read from; the official one by default. Your own client is never closed.
        realm: The branch of the database that calls use by default; otherwise `Config.REALM` at the time of the call.
        threshold: The lowest score of search results, 0 to 100.
        stale_time: Seconds for which a cached file is used without a request, 0 or more.
        cache_dir: The folder of the cache; a leading `~` is the home folder. By default `SCAPI_CACHE_DIR` from
            the environment, otherwise the platform's, e.g. `~/.cache/scapi`.
        offline: Use only what is already in that folder, whatever its age.

    Raises:
        ImportError: rapidfuzz or platformdirs is missing; the message says how to install them.
        ValueError: An argument is out of range.

    Examples:
        ```python
        from scapi import AppClient, DatabaseLookup

        async with DatabaseLookup() as lookup, AppClient(token="...") as client:
            lots = await client.auction(await lookup.id("AK-105")).lots()
        ```
    """

    __module__ = aio.PUBLIC
    _clock = Clock()

    def __init__(
        self,
        github: GitHubClient | None = None,
        *,
        realm: RealmLike | None = None,
        threshold: float = names.DEFAULT_THRESHOLD,
        stale_time: float = STALE_TIME,
        cache_dir: str | os.PathLike[str] | None = None,
        offline: bool = False,
    ) -> None:
        names.require_rapidfuzz()
        self._realm = None if realm is None else validation.choice("realm", realm, Realm)
        self._threshold = names.check_threshold(threshold)
        stale_time = validation.seconds("stale_time", stale_time)
        offline = validation.flag("offline", offline)
        folder = default_folder() if cache_dir is None else validation.path("cache_dir", cache_dir)
        self._missing: tuple[str, ...] = ()
        self._owns_github = github is None
        self._cache = FileCache(
            github or GitHubClient(), folder, stale_time=stale_time, offline=offline, clock=self._clock
        )

    # ── names ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def id(
        self, name: str, *, filename: IndexFileLike = IndexFile.LISTING, realm: RealmLike | None = None
    ) -> str:
        """Return the one id that a name stands for, for `client.auction(...)` and all other calls that take an id.

        Case, quotes, hyphens, spaces, word order, look-alike letters and the keyboard layout don't matter. A name that
        is only similar doesn't match: it may be another item. If several names differ only in these respects, the one
        that is spelled exactly like `name` matches.

        Args:
            name: The name in any language, or an id in the database.
            filename: The index file to search.
            realm: The branch of the database; that of the lookup or `Config` by default.

        Raises:
            ItemNameError: The name is unknown or ambiguous; `candidates` and the message list the alternatives.
            ValueError: The name is blank.
            ScApiException: The database is not cached and can't be downloaded.
        """
        return (await self._resolved(name, filename, realm)).id

    async def search(
        self,
        query: str,
        *,
        filename: IndexFileLike = IndexFile.LISTING,
        realm: RealmLike | None = None,
        threshold: float | None = None,
        limit: int | None = names.DEFAULT_LIMIT,
    ) -> list[Lookup]:
        """Search names and ids. The best results come first.

        A name or id that equals the query scores 100. Then come names that look the same (99), names with the same
        words in another order (98), names typed on the wrong keyboard layout (97), and names that are similar to the
        query or contain it (95 or less). Entries with the same score are marked `ambiguous`, except for a single one
        that is spelled exactly like the query.

        Args:
            query: A name in any language, a part of one, or an id.
            filename: The index file to search.
            realm: The branch of the database; that of the lookup or `Config` by default.
            threshold: The lowest score of a result, 0 to 100; that of the lookup by default.
            limit: The maximum number of results, 1 or more; `None` for all.

        Returns:
            The entries; empty if nothing matches or the query is blank.

        Raises:
            ValueError: An argument is out of range.
            ScApiException: The database is not cached and can't be downloaded.
        """
        lowest = self._threshold if threshold is None else threshold
        index = await self._index(filename, realm)
        return await aio.to_thread(names.search, index, query, threshold=lowest, limit=limit)

    async def find_one(
        self,
        query: str,
        *,
        filename: IndexFileLike = IndexFile.LISTING,
        realm: RealmLike | None = None,
        threshold: float | None = None,
    ) -> Lookup | None:
        """Return the best result of a search, or `None`. Its `score` and `ambiguous` show how certain it is.

        Args:
            query: A name in any language, a part of one, or an id.
            filename: The index file to search.
            realm: The branch of the database; that of the lookup or `Config` by default.
            threshold: The lowest score, 0 to 100; that of the lookup by default.

        Raises:
            ValueError: An argument is out of range.
            ScApiException: The database is not cached and can't be downloaded.
        """
        found = await self.search(query, filename=filename, realm=realm, threshold=threshold, limit=1)
        return found[0] if found else None

    async def get_entity(
        self, id: str, *, filename: IndexFileLike = IndexFile.LISTING, realm: RealmLike | None = None
    ) -> Lookup | None:
        """Return the entry with an id, or `None`. The API knows some items that the database lacks.

        Args:
            id: The id, exactly as in the API.
            filename: The index file to search.
            realm: The branch of the database; that of the lookup or `Config` by default.

        Raises:
            ScApiException: The database is not cached and can't be downloaded.
        """
        return (await self._index(filename, realm)).entries.get(id)

    async def get_all(
        self, *, filename: IndexFileLike = IndexFile.LISTING, realm: RealmLike | None = None
    ) -> list[Lookup]:
        """Return all entries in the order of the database. The order may differ between its versions.

        Args:
            filename: The index file to read.
            realm: The branch of the database; that of the lookup or `Config` by default.

        Raises:
            ScApiException: The database is not cached and can't be downloaded.
        """
        return list((await self._index(filename, realm)).entries.values())

    async def names(
        self,
        language: LanguageLike | None = None,
        *,
        filename: IndexFileLike = IndexFile.LISTING,
        realm: RealmLike | None = None,
    ) -> dict[str, str]:
        """Return all names by id: of items by default, of the statistics of a profile with `filename="stats"`.

        Args:
            language: A language of the database; `Config.LANGUAGE` by default. An entry without a name in this language
                has its name in another one, or its id if it has no name at all.
            filename: The index file to read.
            realm: The branch of the database; that of the lookup or `Config` by default.

        Raises:
            ScApiException: The database is not cached and can't be downloaded.
        """
        return {entry.id: entry.name(language) for entry in await self.get_all(filename=filename, realm=realm)}

    # ── cards, icons and recipes ──────────────────────────────────────────────────────────────────────────────────────

    async def item_info(
        self, item: Lookup | str, upgrade_level: int = 0, *, realm: RealmLike | None = None
    ) -> ItemInfo:
        """Return the card of an item at an upgrade level.

        Args:
            item: A search result, an id or name, or the path of the item's file.
            upgrade_level: 0 to 15; only weapons, armour and artefacts have cards for levels above 0.
            realm: The branch of the database; that of the lookup or `Config` by default.

        Raises:
            ItemNameError: The item is unknown or ambiguous.
            NotFoundError: The item has no card for this level.
            ValueError: An argument is out of range, or the entry is not an item.
            ScApiException: The file is not cached and can't be downloaded.
        """
        path = item if _is_path(item) else database.path_of(await self._item(item, realm), "path")
        name = database.item_file(self._realm_for(realm), path, upgrade_level)
        return await self._cache.get(name, database.read_item)

    async def item_icon(self, item: Lookup | str, *, realm: RealmLike | None = None) -> bytes:
        """Return the icon of an item as a PNG.

        Args:
            item: A search result, an id or name, or the path of the icon.
            realm: The branch of the database; that of the lookup or `Config` by default.

        Raises:
            ItemNameError: The item is unknown or ambiguous.
            ValueError: An argument is out of range, or the item has no icon.
            NotFoundError: There is no icon at this path.
            ScApiException: The file is not cached and can't be downloaded.
        """
        if _is_path(item):
            return await self._cache.get(database.icon_file(self._realm_for(realm), item), database.read_icon)
        entry = await self._item(item, realm)
        name = database.icon_file(self._realm_for(realm), database.path_of(entry, "icon"))
        try:
            return await self._cache.get(name, database.read_icon)
        except NotFoundError as cause:
            # The listing names icons for some items that have none.
            raise database.missing_file_error(entry, "icon") from cause

    async def barter(self, *, realm: RealmLike | None = None) -> Listing[BarterSettlement]:
        """Return the barter recipes of all settlements.

        Args:
            realm: The branch of the database; that of the lookup or `Config` by default.

        Returns:
            The settlements. Invalid settlements are in `rejected` of the list, invalid recipes in `rejected` of a
            settlement's recipes.

        Raises:
            ScApiException: The file is not cached and can't be downloaded.
        """
        return await self._cache.get(database.barter_file(self._realm_for(realm)), database.read_barter)

    async def hideout(self, *, realm: RealmLike | None = None) -> Hideout:
        """Return the perks and recipes of the hideout.

        Args:
            realm: The branch of the database; that of the lookup or `Config` by default.

        Raises:
            ScApiException: The file is not cached and can't be downloaded.
        """
        return await self._cache.get(database.hideout_file(self._realm_for(realm)), database.read_hideout)

    # ── the cache ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def sync(self, *, force: bool = False, realm: RealmLike | Literal["all"] | None = None) -> DatabaseState:
        """Update the cached index files and recipes, e.g. before going offline.

        Args:
            force: Check for newer versions even of files younger than `stale_time`.
            realm: The branch of the database, or `"all"`; that of the lookup or `Config` by default.

        Returns:
            The new state. A file with a changed `etag` is a newer version. Files that the repository lacks, for example
            on an older branch, are in `missing`, with one warning in the log.

        Raises:
            NotFoundError: The repository has none of these files.
            ScApiException: A file is not cached and can't be downloaded.
        """
        force = validation.flag("force", force)
        realms = list(Realm) if realm == "all" else [self._realm_for(realm)]
        files = [file for where in realms for file in database.files(where)]
        missing: dict[str, NotFoundError] = {}
        for name, read in files:
            try:
                await self._cache.get(name, read, force=force)
            except NotFoundError as error:
                missing[name] = error
        if len(missing) == len(files):
            raise missing[files[0][0]]
        if missing:
            logger.warning("%s lacks %s", self._cache.github.repository, ", ".join(missing))
        self._missing = tuple(missing)
        return self.state

    @property
    def state(self) -> DatabaseState:
        """The files in memory and how recent they are."""
        return replace(self._cache.state, missing=self._missing)

    async def close(self) -> None:
        """Close the connections. Your own `github` client stays open."""
        if self._owns_github:
            await self._cache.github.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_cache"):
            # The constructor rejected an argument, and a traceback shows local variables.
            return "DatabaseLookup(...)"
        folder, offline = str(self.state.folder), self._cache.offline
        return f"DatabaseLookup({self._cache.github!r}, folder={folder!r}, offline={offline})"

    async def _index(self, filename: IndexFileLike, realm: RealmLike | None) -> Index:
        kind = validation.choice("filename", filename, IndexFile)
        name = database.index_file(self._realm_for(realm), kind)
        return await self._cache.get(name, database.READERS[kind])

    async def _item(self, item: Lookup | str, realm: RealmLike | None) -> Lookup:
        return await self._resolved(item, IndexFile.LISTING, realm) if isinstance(item, str) else item

    async def _resolved(self, name: str, filename: IndexFileLike, realm: RealmLike | None) -> Lookup:
        return await aio.to_thread(names.resolve, await self._index(filename, realm), name)

    def _realm_for(self, realm: RealmLike | None) -> Realm:
        """Return the realm of a call: its argument, else the lookup's, else the current `Config.REALM`."""
        return validation.choice("realm", next(filter(None, (realm, self._realm)), Config.REALM), Realm)


def _is_path(item: Lookup | str) -> TypeGuard[str]:
    """Return whether an item is given as the path of a file."""
    return isinstance(item, str) and item.lstrip("/").startswith(("items/", "icons/"))
