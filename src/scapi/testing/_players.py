"""The players of the fake: characters, clans and operations. They are made when a region is first requested."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, TypeVar

from scapi.testing import _catalogue as catalogue
from scapi.testing._market import moment
from scapi.testing._random import Numbers, between, float32, numbers_for, pick, share, uuid

Row = dict[str, Any]
T = TypeVar("T")

DAY = 24 * 3600
FIRST_SESSION_ID = 1472603904834535425
"""An id that a float can't represent exactly, as the API's ids."""


@dataclass(frozen=True, slots=True)
class RegionOrigin:
    """The data that a region is generated from.

    Attributes:
        seed: The seed of all data.
        id: The region's id.
        start: Everything is created before this time, in seconds since the epoch.
    """

    seed: int
    id: str
    start: int

    def numbers_for(self, *key: str | int) -> Numbers:
        """Return the numbers of a key in this region."""
        return numbers_for(self.seed, self.id, *key)

    def before(self, least: int, most: int, number: int) -> datetime:
        """Return a time from `least` to `most` days before the start."""
        return moment(self.start - between(least * DAY, most * DAY, number))


class Lazily(Mapping[str, T]):
    """Values by name, each made when it is first requested: most of the thousands of players never are."""

    def __init__(self, makers: Mapping[str, Callable[[], T]] = MappingProxyType({})) -> None:
        self._makers = dict(makers)
        self._made: dict[str, T] = {}

    def copy(self) -> "Lazily[T]":
        """Return values that are made anew."""
        return Lazily(self._makers)

    def add(self, key: str, make: Callable[[], T]) -> None:
        """Add a value by how to make it."""
        self._makers[key] = make

    def __getitem__(self, key: str) -> T:
        if key not in self._made:
            self._made[key] = self._makers[key]()
        return self._made[key]

    def __contains__(self, key: object) -> bool:
        # A mapping's own would make the value.
        return key in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


@dataclass(frozen=True, slots=True)
class People:
    """The players and clans of a region.

    Attributes:
        clans: `ClanInfo` rows in the order of the listing.
        members: `ClanMember` rows by clan id.
        characters: `FullCharacterInfo` rows by name in lower case.
        names: The names of all characters, in the same order.
    """

    clans: list[Row] = field(default_factory=list[Row])
    members: Lazily[list[Row]] = field(default_factory=Lazily[list[Row]])
    characters: Lazily[Row] = field(default_factory=Lazily[Row])
    names: list[str] = field(default_factory=list[str])

    def copy(self) -> "People":
        """Return the same people, whose rows may be changed."""
        clans = [dict(clan) for clan in self.clans]
        return People(clans, self.members.copy(), self.characters.copy(), list(self.names))

    def add(self, name: str, make: Callable[[], Row]) -> None:
        """Add a character, unless there is one of this name."""
        if name.casefold() not in self.characters:
            self.characters.add(name.casefold(), make)
            self.names.append(name)


def populate(region: RegionOrigin, further: tuple[str, ...]) -> People:
    """Make the clans of a region, their members, and characters without a clan, including the `further` ones."""
    return _populated(region, further).copy()


@lru_cache(maxsize=10)
def _populated(region: RegionOrigin, further: tuple[str, ...]) -> People:
    """Make people that are kept, because most tests of a program have a fake each, and the same people in all."""
    people = People()
    for number in range(catalogue.CLANS):
        _found_clan(people, region, number)
    for name in (*catalogue.CLANLESS, *catalogue.EMPTY_PROFILES, *further):
        people.add(name, partial(_character, region, name))
    return people


def _found_clan(people: People, region: RegionOrigin, number: int) -> None:
    numbers = region.numbers_for("clan", number)
    names = _clan_names(number, numbers)
    founded = region.before(30, 1500, numbers[0])
    info: Row = {
        "id": _clan_id(region, number),
        "name": f"{pick(catalogue.CALLSIGNS, numbers[1])} {pick(catalogue.PACKS, numbers[2])} {number}",
        "tag": f"{names[0][0]}{number:03}",
        "level": between(0, 10, numbers[3]),
        "levelPoints": numbers[4] % 500_000,
        "registrationTime": founded,
        "description": "" if numbers[5] % 4 == 0 else "We share what we find.",
        "leader": names[0],
        "memberCount": len(names),
    }
    if numbers[6] % 5:
        info["alliance"] = pick(catalogue.ALLIANCES, numbers[6])
    people.clans.append(info)
    people.members.add(info["id"], lambda: [_member(region, name, names[0], founded) for name in names])
    for name in names:
        people.add(name, partial(_character_of, region, info, name))


def _character_of(region: RegionOrigin, clan: Row, name: str) -> Row:
    member = _member(region, name, clan["leader"], clan["registrationTime"])
    return _character(region, name) | {"clan": {"info": clan, "member": member}}


def _clan_id(region: RegionOrigin, number: int) -> str:
    known = (catalogue.HOME_CLAN, catalogue.DEMO_CLAN)
    return known[number] if number < len(known) else uuid(region.seed, region.id, "clan", number)


def _clan_names(number: int, numbers: Numbers) -> list[str]:
    leading = {0: ["ZIV", catalogue.USER_CHARACTERS[0]], 1: ["Test-1"]}.get(number, [])
    return leading + [_nickname(number * 100 + n) for n in range(between(2, 28, numbers[7]))]


@lru_cache(maxsize=4096)
def _nickname(number: int) -> str:
    # The number makes it unique. The factors give neighbours different names.
    words = pick(catalogue.CALLSIGNS, number * 7), pick(catalogue.ANIMALS, number // 10 * 3)
    return pick(catalogue.SEPARATORS, number // 3).join(words) + str(number)


def _member(region: RegionOrigin, name: str, leader: str, founded: datetime) -> Row:
    if name == leader:
        return {"name": name, "rank": "LEADER", "joinTime": founded}
    numbers = region.numbers_for("member", name)
    return {"name": name, "rank": pick(catalogue.RANKS, numbers[0]), "joinTime": region.before(0, 30, numbers[1])}


def _character(region: RegionOrigin, name: str) -> Row:
    created = region.before(60, 2500, region.numbers_for("character", name)[0])
    own = uuid(region.seed, region.id, "character", name)
    return {"information": {"id": own, "name": name, "creationTime": created}}


def profile(region: RegionOrigin, character: Row) -> Row:
    """Return the `CharacterProfileData` of a character. Unknown fields and stats of 0 are left out."""
    info = character["information"]
    numbers = region.numbers_for("profile", info["name"])
    row: Row = {
        "username": info["name"],
        "uuid": info["id"],
        "status": pick(catalogue.STATUSES, numbers[0]),
        "displayedAchievements": list(catalogue.ACHIEVEMENTS[numbers[1] % 4 : numbers[1] % 4 + numbers[2] % 5]),
        "stats": [stat for stat in _stats(region, info) if stat["value"] != 0],
    }
    if numbers[3] % 6:
        row["alliance"] = pick(catalogue.ALLIANCES, numbers[3])
    if numbers[4] % 8:
        row["lastLogin"] = region.before(0, 30, numbers[4])
    if "clan" in character:
        row["clan"] = character["clan"]
    return row


def _stats(region: RegionOrigin, info: Row) -> Iterator[Row]:
    values = iter(region.numbers_for("stats", info["name"]) + region.numbers_for("more stats", info["name"]))
    for stat in catalogue.INTEGER_STATS:
        value = next(values)
        yield {"id": stat, "type": "INTEGER", "value": value % 20_000 if value % 7 else 0}
    for stat in catalogue.DECIMAL_STATS:
        yield {"id": stat, "type": "DECIMAL", "value": float32(share(next(values)) * 1e6)}
    for stat in catalogue.DURATION_STATS:
        yield {"id": stat, "type": "DURATION", "value": next(values) % (4000 * 3600) * 1000}
    for stat in catalogue.DATE_STATS:
        yield {"id": stat, "type": "DATE", "value": info["creationTime"]}
    # The format of this one is unknown. A list stands for "something unknown".
    if next(values) % 5 == 0 or info["name"] == "ZIV":
        yield {
            "id": "arcade-match-hist",
            "type": "SLIDING_MATCH_HISTORY",
            "value": [{"won": True}, {"won": False}],
        }


def sessions(region: RegionOrigin, people: People) -> list[Row]:
    """Return the operation sessions of a region, sorted by end time, oldest first."""
    return [_session(region, number, people.names) for number in reversed(range(catalogue.SESSIONS))]


def _session(region: RegionOrigin, number: int, names: list[str]) -> Row:
    numbers = region.numbers_for("session", number)
    seconds = between(400, 800, numbers[0])
    ended = region.start - number * 900 - numbers[1] % 900
    return {
        "id": FIRST_SESSION_ID - number * 1_000_003,
        "map": pick(catalogue.MAPS, numbers[2]),
        "startTime": moment(ended - seconds),
        "endTime": moment(ended),
        "difficulty": between(1, 20, numbers[3]),
        "sessionDurationSeconds": float32(seconds + numbers[4] % 10 / 10),
        "difficultyReward": between(0, 5, numbers[5]) * 100,
        "participants": [
            _participant(region.numbers_for("participant", number, seat), names)
            for seat in range(between(1, 5, numbers[6]))
        ],
    }


def _participant(numbers: Numbers, names: list[str]) -> Row:
    row: Row = {
        "username": names[numbers[0] % len(names)],
        "death": numbers[1] % 6,
        "mobKills": numbers[2] % 400,
        "damageReceived": float32(share(numbers[3]) * 9000),
        "damageDealt": float32(share(numbers[4]) * 900_000),
        "armorClass": pick(catalogue.ARMOR_CLASSES, numbers[5]),
        "armorLevel": numbers[6] % 16,
        "primaryWeaponLevel": numbers[7] % 16,
        "secondaryWeaponLevel": numbers[8] % 16,
    }
    if numbers[9] % 10:
        row["armorItemId"] = pick(catalogue.ARMORS, numbers[9])
    if numbers[10] % 10:
        row["primaryWeaponItemId"] = pick(catalogue.WEAPONS, numbers[10])
    if numbers[11] % 3:
        row["secondaryWeaponItemId"] = pick(catalogue.WEAPONS, numbers[11])
    return row
