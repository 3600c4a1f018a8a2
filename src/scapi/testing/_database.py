"""The files of the fake's item database, in the format of the official one."""

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import msgspec

from scapi.testing._items import ACHIEVEMENT_NAMES, LANGUAGES, NAMES, STAT_NAMES
from scapi.testing._random import between, numbers_for, pick

REALMS = ("ru", "global")

Row = dict[str, Any]

COLORS = ("DEFAULT", "RANK_NEWBIE", "RANK_STALKER", "RANK_VETERAN", "RANK_MASTER", "RANK_LEGEND")
UPGRADES = range(1, 16)

#: What upgrades improve, by the beginning of the category: its key and its names.
IMPROVED = {
    "weapon/": ("damage", {"ru": "Урон", "en": "Damage"}),
    "armor/": ("bullet_resistance", {"ru": "Пулестойкость", "en": "Bullet resistance"}),
    "artefact/": ("vitality", {"ru": "Живучесть", "en": "Vitality"}),
}


def files(seed: int, items: Mapping[str, str]) -> Mapping[str, bytes]:
    """Return all files by their path.

    Args:
        seed: The seed of colours and figures.
        items: Categories by item id. The id is the name of an item that has none in `NAMES`.
    """
    return _files(seed, tuple(items.items()))


@lru_cache(maxsize=2)
def _files(seed: int, items: tuple[tuple[str, str], ...]) -> Mapping[str, bytes]:
    """Return all files. They are kept, because most tests of a program have a fake each, with the same items."""
    made = {path: content for realm in REALMS for path, content in _realm(realm, seed, dict(items))}
    return MappingProxyType(made)


def translation(key: str, names: Mapping[str, str]) -> Row:
    """Return a text in some languages."""
    return {"type": "translation", "key": key, "args": {}, "lines": dict(names)}


def dump(value: object) -> bytes:
    """Return a value as the content of a JSON file."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2)


def _realm(realm: str, seed: int, items: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    yield f"{realm}/listing.json", dump([_entry(item, category, seed) for item, category in items.items()])
    yield f"{realm}/achievements.json", dump([_achievement(id_) for id_ in ACHIEVEMENT_NAMES])
    yield f"{realm}/stats.json", dump([_stat(id_) for id_ in STAT_NAMES])
    yield f"{realm}/barter_recipes.json", dump(_barter(tuple(items), seed))
    yield f"{realm}/hideout_recipes.json", dump(_hideout(tuple(items), seed))
    for item, category in items.items():
        yield f"{realm}/items/{category}/{item}.json", dump(_card(item, category, seed))
        yield f"{realm}/icons/{category}/{item}.png", _png(numbers_for(seed, "icon", item)[0])
        if category.startswith(tuple(IMPROVED)):
            for level in UPGRADES:
                card = _card(item, category, seed, level)
                yield f"{realm}/items/{category}/_variants/{item}/{level}.json", dump(card)


def _text(key: str, names: Sequence[str] | None) -> Row:
    return {"type": "text", "text": ""} if names is None else translation(key, dict(zip(LANGUAGES, names, strict=True)))


def _name(item: str) -> Row:
    return _text(f"item.{item}.name", NAMES.get(item, (item,) * len(LANGUAGES)))


def _look(item: str, seed: int) -> Row:
    state = "PERSONAL_ON_USE" if item == "qyvk" else "NONE"
    return {"color": pick(COLORS, numbers_for(seed, "color", item)[0]), "status": {"state": state}}


def _entry(item: str, category: str, seed: int) -> Row:
    place = f"{category}/{item}"
    return {"data": f"/items/{place}.json", "icon": f"/icons/{place}.png", "name": _name(item), **_look(item, seed)}


def _card(item: str, category: str, seed: int, level: int = 0) -> Row:
    """Return an item's card. What upgrades improve grows by 2 % per level, as the figures of artefacts do."""
    numbers = numbers_for(seed, "card", item)
    weight = between(1, 400, numbers[0]) / 100
    figures = [_figure("weight", {"ru": "Вес", "en": "Weight"}, weight, {"ru": " кг", "en": " kg"})]
    for beginning, (key, names) in IMPROVED.items():
        if category.startswith(beginning):
            value = round(between(20, 60, numbers[1]) * (1 + 0.02 * level), 2)
            figures.append(_figure(key, names, value, {"ru": "", "en": ""}))
    blocks: list[Row] = [{"type": "list", "title": {"type": "text", "text": ""}, "elements": figures}, {}]
    return {"id": item, "category": category, "name": _name(item), **_look(item, seed), "infoBlocks": blocks}


def _figure(key: str, names: Mapping[str, str], value: float, units: Mapping[str, str]) -> Row:
    shown = {language: f"{value:g}{unit}" for language, unit in units.items()}
    formatted = {"value": shown, "valueColor": "838383"}
    name = translation(f"core.tooltip.info.{key}", names)
    return {"type": "numeric", "name": name, "value": value, "formatted": formatted}


def _achievement(id_: str) -> Row:
    title = _text(f"achievement.{id_}.title", ACHIEVEMENT_NAMES[id_])
    return {"id": id_, "title": title, "description": {"type": "text", "text": ""}, "points": 10}


def _stat(id_: str) -> Row:
    kind = "DURATION" if id_.endswith("-tim") else "INTEGER"
    return {"id": id_, "category": "COMBAT", "type": kind, "name": _text(f"stat.{id_}", STAT_NAMES[id_])}


def _barter(items: Sequence[str], seed: int) -> list[Row]:
    titles = {"north": ("Северный лагерь", "North Camp"), "south": ("Южный лагерь", "South Camp")}
    return [
        {
            "settlementTitle": translation(f"settlement.{key}", dict(zip(("ru", "en"), names, strict=True))),
            "recipes": [_recipe(items, numbers_for(seed, "barter", key, number)) for number in range(6)],
        }
        for key, names in titles.items()
    ]


def _recipe(items: Sequence[str], numbers: Sequence[int]) -> Row:
    needed = [{"item": items[numbers[1] % len(items)], "amount": between(1, 20, numbers[2])}]
    offer = {"currency": "money", "cost": between(1, 90, numbers[3]) * 1000, "requiredItems": needed}
    return {"settlementRequiredLevel": numbers[4] % 4, "item": items[numbers[0] % len(items)], "offers": [offer]}


def _hideout(items: Sequence[str], seed: int) -> Row:
    tab = translation("hideout.tab", {"ru": "Разное", "en": "Various"})
    perk = translation("hideout.perk", {"ru": "Мастерство", "en": "Craft"})
    return {
        "perks": [{"id": "craft", "name": perk, "desc": {"type": "text", "text": ""}}],
        "recipes": [
            {
                "bench": "workbench",
                "category": tab,
                "subcategory": tab,
                "result": [{"item": items[numbers[0] % len(items)], "amount": 1}],
                "ingredients": [{"item": items[numbers[1] % len(items)], "amount": between(1, 20, numbers[2])}],
                "energy": float(between(1, 30, numbers[3]) * 100),
                "requirements": {"perks": {"craft": numbers[4] % 4}, "features": ["workbench"]},
            }
            for numbers in (numbers_for(seed, "hideout", number) for number in range(6))
        ],
    }


def _png(color: int) -> bytes:
    """Return a PNG of one pixel."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0" + color.to_bytes(4, "big")[:3])
    parts = ((b"IHDR", header), (b"IDAT", pixel), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
