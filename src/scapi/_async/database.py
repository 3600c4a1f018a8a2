"""`DatabaseLookup`: from the names that people know to the ids that the API takes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeGuard

from msgspec.structs import replace

from scapi._async.context import Closable
from scapi._async.file_cache import FileCache
from scapi._async.github import GitHubClient
from scapi._base import validation
from scapi._items import database, names
from scapi._items.cache import default_folder
from scapi._primitives import aio
from scapi.config import Config
from scapi.enums import IndexFile, Language, Realm
from scapi.exceptions import NotFoundError

if TYPE_CHECKING:
    import os

    from scapi._items.names import Index
    from scapi.models import BarterSettlement, DatabaseState, Hideout, ItemInfo, Listing, Lookup


logger = logging.getLogger("scapi")

STALE_TIME = 900.0


class DatabaseLookup(Closable):
    """The official item database by name: items, achievements, stats and recipes, in all its languages.

    Its files are kept in a folder of this machine. A copy is used as it is for `stale_time` seconds; then the server is
    asked whether there is a newer one, which costs no quota and, where there is none, next to no traffic. While the
    server can't be reached the last good copy is used, with one warning in the log, and it is asked again after a
    minute at the earliest.

    Args:
        github: Where the files come from; by default the official repository. It is used as it is and never closed.
        realm: The branch of the database of calls that name none; `Config.REALM` by default, as it is at the call.
        threshold: The lowest score of what a search finds, 0 to 100.
        stale_time: Seconds for which a copy is used without asking for a newer one, 0 or more.
        cache_dir: The folder for the copies; a `~` in front is the home folder. By default the platform's, e.g.
            `~/.cache/scapi`.
        offline: Use only what is in that folder already, whatever its age.

    Raises:
        ImportError: rapidfuzz or platformdirs is missing; the message says how to install them.
        ValueError: An argument is out of its range.

    Example:
        from scapi import AppClient, DatabaseLookup

        async with DatabaseLookup() as lookup, AppClient(token="...") as client:
            lots = await client.auction(await lookup.id("AK-105")).lots()
    """

    __module__ = aio.PUBLIC

    def __init__(
        self,
        github: GitHubClient | None = None,
        *,
        realm: Realm | str | None = None,
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
        self._cache = FileCache(github or GitHubClient(), folder, stale_time=stale_time, offline=offline)

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def id(
        self, name: str, *, filename: IndexFile | str = IndexFile.LISTING, realm: Realm | str | None = None
    ) -> str:
        """The one id that a name means, for `client.auction(...)` and wherever else the API takes one.

        Case, quotes, hyphens, spaces, word order, look-alike letters and the keyboard layout don't matter. A name that
        is only similar is not taken for it: it may be another item. Where names of several items differ in nothing but
        these, the one that is written exactly so is meant.

        Args:
            name: The name in any language, or an id that the database has.
            filename: Where to look.
            realm: The branch of the database; that of the lookup or `Config` by default.

        Raises:
            ItemNameError: The name is unknown or means several; `candidates` and the message list them.
            ValueError: The name is blank.
            ScApiException: There is no copy of the database, and none can be fetched.
        """
        return (await self._resolved(name, filename, realm)).id

    async def search(
        self,
        query: str,
        *,
        filename: IndexFile | str = IndexFile.LISTING,
        realm: Realm | str | None = None,
        threshold: float | None = None,
        limit: int | None = names.DEFAULT_LIMIT,
    ) -> list[Lookup]:
        """What a query may mean, the best first.

        A name or id that is exactly the query has the score 100. Then come names that look the same (99), the same
        words in another order (98), names typed on the wrong keyboard layout (97), and at last names that are similar
        or contain it (95 and less). Entries with the same score are marked `ambiguous`, but for one that alone is
        written exactly like the query.

        Args:
            query: A name in any language, a part of one, or an id.
            filename: Where to search.
            realm: The branch of the database; that of the lookup or `Config` by default.
            threshold: The lowest score of a result, 0 to 100; that of the lookup by default.
            limit: How many results at most, from 1; `None` for all.

        Returns:
            The entries; none where nothing fits, or where the query is blank.

        Raises:
            ValueError: An argument is out of its range.
            ScApiException: There is no copy of the database, and none can be fetched.
        """
        lowest = self._threshold if threshold is None else threshold
        index = await self._index(filename, realm)
        return await aio.to_thread(names.search, index, query, threshold=lowest, limit=limit)

    async def find_one(
        self,
        query: str,
        *,
        filename: IndexFile | str = IndexFile.LISTING,
        realm: Realm | str | None = None,
        threshold: float | None = None,
    ) -> Lookup | None:
        """The best result of a search, or `None`. Its `score` and `ambiguous` tell how sure it is.

        Args:
            query: A name in any language, a part of one, or an id.
            filename: Where to search.
            realm: The branch of the database; that of the lookup or `Config` by default.
            threshold: The lowest score, 0 to 100; that of the lookup by default.

        Raises:
            ValueError: An argument is out of its range.
            ScApiException: There is no copy of the database, and none can be fetched.
        """
        found = await self.search(query, filename=filename, realm=realm, threshold=threshold, limit=1)
        return found[0] if found else None

    async def get_entity(
        self, id: str, *, filename: IndexFile | str = IndexFile.LISTING, realm: Realm | str | None = None
    ) -> Lookup | None:
        """The entry with an id, or `None`: the API knows items that the database lacks.

        Args:
            id: The id, as the API writes it.
            filename: Where to look.
            realm: The branch of the database; that of the lookup or `Config` by default.

        Raises:
            ScApiException: There is no copy of the database, and none can be fetched.
        """
        return (await self._index(filename, realm)).entries.get(id)

    async def get_all(
        self, *, filename: IndexFile | str = IndexFile.LISTING, realm: Realm | str | None = None
    ) -> list[Lookup]:
        """All entries, in the order of the database, which changes between its versions.

        Args:
            filename: Of which index file.
            realm: The branch of the database; that of the lookup or `Config` by default.

        Raises:
            ScApiException: There is no copy of the database, and none can be fetched.
        """
        return list((await self._index(filename, realm)).entries.values())

    async def names(
        self,
        language: Language | str | None = None,
        *,
        filename: IndexFile | str = IndexFile.LISTING,
        realm: Realm | str | None = None,
    ) -> dict[str, str]:
        """What everything is called, by its id: the statistics of a profile with `filename="stats"`, items by default.

        Args:
            language: A language of the database; `Config.LANGUAGE` by default. Where it has no name, another one
                stands in, and the id where there is none at all.
            filename: Of which index file.
            realm: The branch of the database; that of the lookup or `Config` by default.

        Raises:
            ScApiException: There is no copy of the database, and none can be fetched.
        """
        return {entry.id: entry.name(language) for entry in await self.get_all(filename=filename, realm=realm)}

    # ── what else the database has ───────────────────────────────────────────────────────────────────────────────────

    async def item_info(
        self, item: Lookup | str, upgrade_level: int = 0, *, realm: Realm | str | None = None
    ) -> ItemInfo:
        """The card of an item, at an upgrade level.

        Args:
            item: The item as it was found, its id or name, or the path of its file.
            upgrade_level: 0 to 15; only weapons, armour and artefacts have cards for levels above 0.
            realm: The branch of the database; that of the lookup or `Config` by default.

        Raises:
            ItemNameError: There is no such item, or several.
            NotFoundError: The item has no such level.
            ValueError: An argument is out of its range, or the entry is no item.
            ScApiException: There is no copy of the file, and none can be fetched.
        """
        path = item if _is_path(item) else database.own(await self._item(item, realm), "path")
        name = database.item_file(self._realm_for(realm), path, upgrade_level)
        return await self._cache.get(name, database.read_item)

    async def item_icon(self, item: Lookup | str, *, realm: Realm | str | None = None) -> bytes:
        """The icon of an item, as a PNG.

        Args:
            item: The item as it was found, its id or name, or the path of its icon.
            realm: The branch of the database; that of the lookup or `Config` by default.

        Raises:
            ItemNameError: There is no such item, or several.
            ValueError: An argument is out of its range, or the item has no icon.
            NotFoundError: There is no icon at this path.
            ScApiException: There is no copy of the file, and none can be fetched.
        """
        if _is_path(item):
            return await self._cache.get(database.icon_file(self._realm_for(realm), item), database.read_icon)
        entry = await self._item(item, realm)
        name = database.icon_file(self._realm_for(realm), database.own(entry, "icon"))
        try:
            return await self._cache.get(name, database.read_icon)
        except NotFoundError as cause:
            # Of some items the listing names an icon that was never drawn.
            raise database.without(entry, "icon") from cause

    async def barter(self, *, realm: Realm | str | None = None) -> Listing[BarterSettlement]:
        """What the settlements barter.

        Args:
            realm: The branch of the database; that of the lookup or `Config` by default.

        Returns:
            The settlements; what can't be read is in `rejected`, of the whole or of a settlement's recipes.

        Raises:
            ScApiException: There is no copy of the file, and none can be fetched.
        """
        return await self._cache.get(database.barter_file(self._realm_for(realm)), database.read_barter)

    async def hideout(self, *, realm: Realm | str | None = None) -> Hideout:
        """The hideout's perks and recipes.

        Args:
            realm: The branch of the database; that of the lookup or `Config` by default.

        Raises:
            ScApiException: There is no copy of the file, and none can be fetched.
        """
        return await self._cache.get(database.hideout_file(self._realm_for(realm)), database.read_hideout)

    # ── the copies ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def sync(self, force: bool = False, realm: Realm | str | None = None) -> DatabaseState:
        """Bring the copies of all index files and recipes up to date, e.g. before going offline.

        Args:
            force: Ask for newer versions also of copies younger than `stale_time`.
            realm: The branch of the database, or `"all"`; that of the lookup or `Config` by default.

        Returns:
            The state after it. A file whose `etag` is another one than before is a newer version. Files that the
            repository lacks, as an older branch or one of your own may, are its `missing`, with one warning in the log.

        Raises:
            NotFoundError: The repository has none of these files.
            ScApiException: There is no copy of a file, and none can be fetched.
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
        """Which files are in memory, and how far they are up to date."""
        return replace(self._cache.state, missing=self._missing)

    async def close(self) -> None:
        """Close the connections; a `github` of your own stays open."""
        if self._owns_github:
            await self._cache.github.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_cache"):
            # Tracebacks that show local variables meet this one where the constructor refuses an argument.
            return "DatabaseLookup(...)"
        folder, offline = str(self.state.folder), self._cache.offline
        return f"DatabaseLookup({self._cache.github!r}, folder={folder!r}, offline={offline})"

    async def _index(self, filename: IndexFile | str, realm: Realm | str | None) -> Index:
        kind = validation.choice("filename", filename, IndexFile)
        name = database.index_file(self._realm_for(realm), kind)
        return await self._cache.get(name, database.READERS[kind])

    async def _item(self, item: Lookup | str, realm: Realm | str | None) -> Lookup:
        return await self._resolved(item, IndexFile.LISTING, realm) if isinstance(item, str) else item

    async def _resolved(self, name: str, filename: IndexFile | str, realm: Realm | str | None) -> Lookup:
        return await aio.to_thread(names.resolve, await self._index(filename, realm), name)

    def _realm_for(self, realm: Realm | str | None) -> Realm:
        """The realm of a call: the one asked for, else the lookup's, else that of `Config` by now."""
        return validation.choice("realm", next(filter(None, (realm, self._realm)), Config.REALM), Realm)


def _is_path(item: Lookup | str) -> TypeGuard[str]:
    """Whether an item is given as the path of a file."""
    return isinstance(item, str) and item.lstrip("/").startswith(("items/", "icons/"))
