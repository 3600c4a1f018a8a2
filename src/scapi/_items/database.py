"""The files of the item database: their paths and their decoders."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from scapi._api import decoding, errors
from scapi._api.lenient import Unreadable
from scapi._base import validation
from scapi._base.escaping import log
from scapi._http.messages import KEPT
from scapi._items import names
from scapi.enums import IndexFile, Realm
from scapi.exceptions import DecodeError
from scapi.models._base import Model
from scapi.models.items import (
    BarterRecipe,
    BarterSettlement,
    Hideout,
    HideoutPerk,
    HideoutRecipe,
    ItemInfo,
    Lookup,
    Translation,
)
from scapi.models.listing import Listing, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable


T = TypeVar("T")

logger = logging.getLogger("scapi")

PNG = b"\x89PNG\r\n\x1a\n"

REPOSITORY = "EXBO-Studio/stalzone-database"
MAX_UPGRADE_LEVEL = 15


# ── paths ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def index_file(realm: Realm, kind: IndexFile) -> str:
    """Return the path of an index file inside the repository."""
    return f"{realm}/{kind}.json"


def barter_file(realm: Realm) -> str:
    """Return the path of the barter recipes."""
    return f"{realm}/barter_recipes.json"


def hideout_file(realm: Realm) -> str:
    """Return the path of the hideout recipes."""
    return f"{realm}/hideout_recipes.json"


def item_file(realm: Realm, path: str, upgrade_level: int = 0) -> str:
    """Return the path of an item's own file.

    Args:
        realm: The branch of the database.
        path: `Lookup.path`.
        upgrade_level: 0 to 15; only weapons, armour and artefacts have files for levels above 0.

    Raises:
        ValueError: The path is not the path of an item, or the level is out of range.
    """
    level = validation.integer("upgrade_level", upgrade_level, 0, MAX_UPGRADE_LEVEL)
    file = _below("items", path, ".json")
    return f"{realm}/{file.parent / '_variants' / file.stem / f'{level}.json' if level else file}"


def icon_file(realm: Realm, path: str) -> str:
    """Return the path of an item's icon.

    Raises:
        ValueError: The path is not the path of an icon.
    """
    return f"{realm}/{_below('icons', path, '.png')}"


def path_of(entry: Lookup, what: Literal["path", "icon"]) -> str:
    """Return the path of an entry's card or icon. Raises `ValueError` if it has none."""
    if path := getattr(entry, what):
        return str(path)
    raise missing_file_error(entry, what)


def missing_file_error(entry: Lookup, what: Literal["path", "icon"]) -> ValueError:
    """Return the error for an entry without a card or icon."""
    return validation.refuse("item", entry.id, f"one that has {'an icon' if what == 'icon' else 'a card'}")


def _below(folder: str, path: str, suffix: str) -> PurePosixPath:
    """Return the path, checked, because it becomes part of a URL and of a path on disk."""
    file = PurePosixPath(validation.text("path", path).strip().lstrip("/"))
    if len(file.parts) < 2 or file.parts[0] != folder or ".." in file.parts or file.suffix != suffix:
        raise validation.refuse("path", path, f"like '/{folder}/…{suffix}', as `Lookup` has it")
    return file


# ── decoders ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Status(Model, frozen=True, kw_only=True, rename="camel"):
    """How an item binds to its owner."""

    state: str | None = None


class _Item(Model, frozen=True, kw_only=True, rename="camel"):
    """An entry of `listing.json`. Its id is only in the path."""

    data: str
    name: Translation
    icon: str | None = None
    color: str | None = None
    status: _Status = _Status()

    def lookup(self, raw: dict[str, Any]) -> Lookup:
        folder, _, file = self.data.removeprefix("/items/").rpartition("/")
        return Lookup(
            id=file.removesuffix(".json"),
            translation=self.name,
            category=folder,
            path=self.data,
            icon=self.icon,
            color=self.color,
            status=self.status.state,
            data=raw,
        )


class _Achievement(Model, frozen=True, kw_only=True, rename="camel"):
    """An entry of `achievements.json`."""

    id: str
    title: Translation

    def lookup(self, raw: dict[str, Any]) -> Lookup:
        return Lookup(id=self.id, translation=self.title, data=raw)


class _Stat(Model, frozen=True, kw_only=True, rename="camel"):
    """An entry of `stats.json`. Entries without a name are found by id only."""

    id: str
    name: Translation
    category: str | None = None

    def lookup(self, raw: dict[str, Any]) -> Lookup:
        return Lookup(id=self.id, translation=self.name, category=self.category, data=raw)


ROWS: dict[IndexFile, type[_Item | _Achievement | _Stat]] = {
    IndexFile.LISTING: _Item,
    IndexFile.ACHIEVEMENTS: _Achievement,
    IndexFile.STATS: _Stat,
}


class _ItemFile(Model, frozen=True, kw_only=True, rename="camel"):
    """The file of one item."""

    id: str
    name: Translation
    category: str | None = None
    color: str | None = None
    status: _Status = _Status()
    info_blocks: list[dict[str, Any]] = []


class _Settlement(Model, frozen=True, kw_only=True, rename="camel"):
    """A settlement of `barter_recipes.json` with raw recipes."""

    settlement_title: Translation
    recipes: list[Any] = []


class _Hideout(Model, frozen=True, kw_only=True, rename="camel"):
    """The file `hideout_recipes.json` with raw entries."""

    perks: list[Any] = []
    recipes: list[Any] = []


def read_index(kind: IndexFile | str, body: bytes) -> names.Index:
    """Read an index file and make it searchable. Unreadable entries are in the index's `rejected`.

    Raises:
        ValueError: `kind` is not an index file.
        DecodeError: The body is not a JSON list.
    """
    model = ROWS[validation.choice("kind", kind, IndexFile)]
    entries: dict[str, Lookup] = {}
    rejected: list[Rejected] = []
    rows = decoding.record(body, errors.json(body), list[Any])
    for index, (raw, row) in enumerate(zip(rows, decoding.read_each(rows, model), strict=True)):
        if isinstance(row, Unreadable):
            rejected.append(Rejected(index, raw, str(row)))
            continue
        entry = row.lookup(raw)
        if entries.setdefault(entry.id, entry) is not entry:
            rejected.append(Rejected(index, raw, f"duplicate id {entry.id!r}"))
    if rejected:
        first = log(rejected[0].reason)
        logger.warning("%d of %d entries of %s rejected; first: %s", len(rejected), len(rows), kind, first)
    return names.build_index(entries.values(), rejected)


#: Made once, because `FileCache.get` expects the same decoder for a file each time.
READERS: dict[IndexFile, Callable[[bytes], names.Index]] = {kind: partial(read_index, kind) for kind in IndexFile}


def files(realm: Realm) -> list[tuple[str, Callable[[bytes], Any]]]:
    """Return the paths and decoders of a realm's files that cover all items."""
    return [
        *((index_file(realm, kind), read) for kind, read in READERS.items()),
        (barter_file(realm), read_barter),
        (hideout_file(realm), read_hideout),
    ]


def read_icon(body: bytes) -> bytes:
    """Return the bytes of an icon.

    Raises:
        DecodeError: The body is not a PNG.
    """
    if not body.startswith(PNG):
        raise DecodeError("not an icon: not a PNG file", body=body[:KEPT], model="icon")
    return body


def read_item(body: bytes) -> ItemInfo:
    """Read the file of one item.

    Raises:
        DecodeError: The body is not an item file.
    """
    raw = errors.json(body)
    file = decoding.record(body, raw, _ItemFile)
    return ItemInfo(
        id=file.id,
        translation=file.name,
        category=file.category,
        color=file.color,
        status=file.status.state,
        info_blocks=file.info_blocks,
        data=raw,
    )


def read_barter(body: bytes) -> Listing[BarterSettlement]:
    """Read the settlements and their recipes. Unreadable ones are in `rejected` of the list or of the settlement.

    Raises:
        DecodeError: The body is not a JSON list.
    """
    settlements = _listing(decoding.record(body, errors.json(body), list[Any]), _Settlement)
    return Listing(
        (
            BarterSettlement(settlement_title=raw.settlement_title, recipes=_listing(raw.recipes, BarterRecipe))
            for raw in settlements
        ),
        total=settlements.total,
        limit=settlements.limit,
        rejected=settlements.rejected,
    )


def read_hideout(body: bytes) -> Hideout:
    """Read the hideout's perks and recipes. Unreadable ones are in `rejected` of each list.

    Raises:
        DecodeError: The body is not an object with these lists.
    """
    raw = decoding.record(body, errors.json(body), _Hideout)
    return Hideout(perks=_listing(raw.perks, HideoutPerk), recipes=_listing(raw.recipes, HideoutRecipe))


def _listing(raw: list[Any], model: type[T]) -> Listing[T]:
    rows, rejected = decoding.split_rejected(raw, model)
    return Listing(rows, total=len(raw), limit=len(raw), rejected=rejected)
