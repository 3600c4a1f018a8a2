"""The files of the item database: where each lies, and how it is read."""

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

_PNG = b"\x89PNG\r\n\x1a\n"

REPOSITORY = "EXBO-Studio/stalzone-database"
MAX_UPGRADE_LEVEL = 15


# ── where ─────────────────────────────────────────────────────────────────────────────────────────────────


def index_file(realm: Realm, kind: IndexFile) -> str:
    """The path of an index file inside the repository."""
    return f"{realm}/{kind}.json"


def barter_file(realm: Realm) -> str:
    """The path of the barter recipes."""
    return f"{realm}/barter_recipes.json"


def hideout_file(realm: Realm) -> str:
    """The path of the hideout recipes."""
    return f"{realm}/hideout_recipes.json"


def item_file(realm: Realm, path: str, upgrade_level: int = 0) -> str:
    """The path of an item's own file.

    Args:
        realm: The branch of the database.
        path: `Lookup.path`.
        upgrade_level: 0 to 15; only weapons, armour and artefacts have files for levels above 0.

    Raises:
        ValueError: The path is not that of an item, or the level is out of range.
    """
    level = validation.integer("upgrade_level", upgrade_level, 0, MAX_UPGRADE_LEVEL)
    file = _below("items", path, ".json")
    return f"{realm}/{file.parent / '_variants' / file.stem / f'{level}.json' if level else file}"


def icon_file(realm: Realm, path: str) -> str:
    """The path of an item's icon.

    Raises:
        ValueError: The path is not that of an icon.
    """
    return f"{realm}/{_below('icons', path, '.png')}"


def own(entry: Lookup, what: Literal["path", "icon"]) -> str:
    """Where the card or the icon of an entry lies, or a `ValueError` if it has none."""
    if path := getattr(entry, what):
        return str(path)
    raise without(entry, what)


def without(entry: Lookup, what: Literal["path", "icon"]) -> ValueError:
    """The error for an entry that has no card or no icon."""
    return validation.refuse("item", entry.id, f"one that has {'an icon' if what == 'icon' else 'a card'}")


def _below(folder: str, path: str, suffix: str) -> PurePosixPath:
    """The path, if it leads to such a file: it becomes part of a URL and of a place on disk."""
    file = PurePosixPath(validation.text("path", path).strip().lstrip("/"))
    if len(file.parts) < 2 or file.parts[0] != folder or ".." in file.parts or file.suffix != suffix:
        raise validation.refuse("path", path, f"like '/{folder}/…{suffix}', as `Lookup` has it")
    return file


# ── how ───────────────────────────────────────────────────────────────────────────────────────────────────


class _Status(Model, frozen=True, kw_only=True, rename="camel"):
    """How an item binds to its owner."""

    state: str | None = None


class _Item(Model, frozen=True, kw_only=True, rename="camel"):
    """An entry of `listing.json`, which has its id only in the path."""

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
    """An entry of `stats.json`. Some have no name, so that only their id finds them."""

    id: str
    name: Translation
    category: str | None = None

    def lookup(self, raw: dict[str, Any]) -> Lookup:
        return Lookup(id=self.id, translation=self.name, category=self.category, data=raw)


_ROWS: dict[IndexFile, type[_Item | _Achievement | _Stat]] = {
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
    """A settlement of `barter_recipes.json`, its recipes not yet read."""

    settlement_title: Translation
    recipes: list[Any] = []


class _Hideout(Model, frozen=True, kw_only=True, rename="camel"):
    """`hideout_recipes.json`, its entries not yet read."""

    perks: list[Any] = []
    recipes: list[Any] = []


def read_index(kind: IndexFile | str, body: bytes) -> names.Index:
    """An index file, ready to be searched. Entries that can't be read are in the index's `rejected`.

    Raises:
        ValueError: `kind` is no index file.
        DecodeError: The body is not a list in JSON.
    """
    model = _ROWS[validation.choice("kind", kind, IndexFile)]
    entries: dict[str, Lookup] = {}
    rejected: list[Rejected] = []
    rows = decoding.record(body, errors.json(body), list[Any])
    for index, (raw, row) in enumerate(zip(rows, decoding.column(rows, model), strict=True)):
        if isinstance(row, Unreadable):
            rejected.append(Rejected(index, raw, str(row)))
            continue
        entry = row.lookup(raw)
        if entries.setdefault(entry.id, entry) is not entry:
            rejected.append(Rejected(index, raw, f"the id {entry.id!r} came before"))
    if rejected:
        first = log(rejected[0].reason)
        logger.warning("%d of %d entries of %s rejected; first: %s", len(rejected), len(rows), kind, first)
    return names.build_index(entries.values(), rejected)


#: Always the same function for the same index file.
READERS: dict[IndexFile, Callable[[bytes], names.Index]] = {kind: partial(read_index, kind) for kind in IndexFile}


def files(realm: Realm) -> list[tuple[str, Callable[[bytes], Any]]]:
    """The files of a realm that are about all items together, each with what reads it."""
    return [
        *((index_file(realm, kind), read) for kind, read in READERS.items()),
        (barter_file(realm), read_barter),
        (hideout_file(realm), read_hideout),
    ]


def read_icon(body: bytes) -> bytes:
    """An icon, which is a PNG.

    Raises:
        DecodeError: It is something else.
    """
    if not body.startswith(_PNG):
        raise DecodeError("not an icon: it doesn't begin like a PNG", body=body[:KEPT], model="icon")
    return body


def read_item(body: bytes) -> ItemInfo:
    """The file of one item.

    Raises:
        DecodeError: The body is not what the file of an item looks like.
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
    """What the settlements barter. What can't be read is in `rejected`, of the whole or of the settlement.

    Raises:
        DecodeError: The body is not a list in JSON.
    """
    settlements = _sifted(decoding.record(body, errors.json(body), list[Any]), _Settlement)
    return Listing(
        (
            BarterSettlement(settlement_title=raw.settlement_title, recipes=_sifted(raw.recipes, BarterRecipe))
            for raw in settlements
        ),
        total=settlements.total,
        limit=settlements.limit,
        rejected=settlements.rejected,
    )


def read_hideout(body: bytes) -> Hideout:
    """The hideout's perks and recipes. What can't be read is in the `rejected` of each.

    Raises:
        DecodeError: The body is not an object with such lists.
    """
    raw = decoding.record(body, errors.json(body), _Hideout)
    return Hideout(perks=_sifted(raw.perks, HideoutPerk), recipes=_sifted(raw.recipes, HideoutRecipe))


def _sifted(raw: list[Any], model: type[T]) -> Listing[T]:
    rows, rejected = decoding.sift(raw, model)
    return Listing(rows, total=len(raw), limit=len(raw), rejected=rejected)
