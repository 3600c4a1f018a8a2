"""The people of the fake's world: characters, clans and operations, made when a region is first asked for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scapi.testing import _catalogue as catalogue
from scapi.testing._market import moment
from scapi.testing._random import Dice, between, float32, pick, share, throw, uuid

Row = dict[str, Any]


DAY = 24 * 3600
FIRST_SESSION_ID = 1472603904834535425
"""An id larger than a float can hold, as the API's are."""


@dataclass(frozen=True, slots=True)
class Place:
    """A region of one fake.

    Attributes:
        seed: What everything is made from.
        region: The region's id.
        start: Seconds of the epoch before which everything was founded.
    """

    seed: int
    region: str
    start: int

    def throw(self, *key: str | int) -> Dice:
        """The dice that belong to this key here."""
        return throw(self.seed, self.region, *key)

    def before(self, least: int, most: int, number: int) -> datetime:
        """A time from `least` to `most` days before the start."""
        return moment(self.start - between(least * DAY, most * DAY, number))


@dataclass(frozen=True, slots=True)
class People:
    """Everybody in a region.

    Attributes:
        clans: `ClanInfo` rows in the order of the listing.
        members: `ClanMember` rows by clan id.
        characters: `FullCharacterInfo` rows by name in lower case.
    """

    clans: list[Row] = field(default_factory=list[Row])
    members: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])
    characters: dict[str, Row] = field(default_factory=dict[str, Row])


def settle(place: Place, further: Iterable[str]) -> People:
    """Fill a region with its clans and their members, and with those who have none, the `further` too."""
    people = People()
    for number in range(catalogue.CLANS):
        _found_clan(people, place, number)
    for name in (*catalogue.CLANLESS, *catalogue.EMPTY_PROFILES, *further):
        people.characters.setdefault(name.casefold(), _character(place, name))
    return people


def _found_clan(people: People, place: Place, number: int) -> None:
    dice = place.throw("clan", number)
    names = _clan_names(number, dice)
    founded = place.before(30, 1500, dice[0])
    info: Row = {
        "id": _clan_id(place, number),
        "name": f"{pick(catalogue.CALLSIGNS, dice[1])} {pick(catalogue.ANIMALS, dice[2])}s {number}",
        "tag": f"{names[0][0]}{number:03}",
        "level": between(0, 10, dice[3]),
        "levelPoints": dice[4] % 500_000,
        "registrationTime": founded,
        "description": "" if dice[5] % 4 == 0 else "We share what we find.",
        "leader": names[0],
        "memberCount": len(names),
    }
    if dice[6] % 5:
        info["alliance"] = pick(catalogue.ALLIANCES, dice[6])
    people.clans.append(info)
    people.members[info["id"]] = [_member(place, name, names[0], founded) for name in names]
    for member in people.members[info["id"]]:
        character = _character(place, member["name"])
        people.characters[member["name"].casefold()] = character | {"clan": {"info": info, "member": member}}


def _clan_id(place: Place, number: int) -> str:
    known = (catalogue.HOME_CLAN, catalogue.DEMO_CLAN)
    return known[number] if number < len(known) else uuid(place.seed, place.region, "clan", number)


def _clan_names(number: int, dice: Dice) -> list[str]:
    leading = {0: ["ZIV", catalogue.USER_CHARACTERS[0]], 1: ["Test-1"]}.get(number, [])
    return leading + [_nickname(number * 100 + n) for n in range(between(2, 28, dice[7]))]


def _nickname(number: int) -> str:
    # The number keeps it unique; the factors keep neighbours from being called alike.
    words = pick(catalogue.CALLSIGNS, number * 7), pick(catalogue.ANIMALS, number // 10 * 3)
    return pick(catalogue.SEPARATORS, number // 3).join(words) + str(number)


def _member(place: Place, name: str, leader: str, founded: datetime) -> Row:
    if name == leader:
        return {"name": name, "rank": "LEADER", "joinTime": founded}
    dice = place.throw("member", name)
    return {"name": name, "rank": pick(catalogue.RANKS, dice[0]), "joinTime": place.before(0, 30, dice[1])}


def _character(place: Place, name: str) -> Row:
    created = place.before(60, 2500, place.throw("character", name)[0])
    own = uuid(place.seed, place.region, "character", name)
    return {"information": {"id": own, "name": name, "creationTime": created}}


def profile(place: Place, character: Row) -> Row:
    """The `CharacterProfileData` of somebody: what is unknown is left out, as are stats of 0."""
    info = character["information"]
    dice = place.throw("profile", info["name"])
    row: Row = {
        "username": info["name"],
        "uuid": info["id"],
        "status": pick(catalogue.STATUSES, dice[0]),
        "displayedAchievements": list(catalogue.ACHIEVEMENTS[dice[1] % 4 : dice[1] % 4 + dice[2] % 5]),
        "stats": [stat for stat in _stats(place, info) if stat["value"] != 0],
    }
    if dice[3] % 6:
        row["alliance"] = pick(catalogue.ALLIANCES, dice[3])
    if dice[4] % 8:
        row["lastLogin"] = place.before(0, 30, dice[4])
    if "clan" in character:
        row["clan"] = character["clan"]
    return row


def _stats(place: Place, info: Row) -> Iterator[Row]:
    values = iter(place.throw("stats", info["name"]) + place.throw("more stats", info["name"]))
    for stat in catalogue.INTEGER_STATS:
        value = next(values)
        yield {"id": stat, "type": "INTEGER", "value": value % 20_000 if value % 7 else 0}
    for stat in catalogue.DECIMAL_STATS:
        yield {"id": stat, "type": "DECIMAL", "value": float32(share(next(values)) * 1e6)}
    for stat in catalogue.DURATION_STATS:
        yield {"id": stat, "type": "DURATION", "value": next(values) % (4000 * 3600) * 1000}
    for stat in catalogue.DATE_STATS:
        yield {"id": stat, "type": "DATE", "value": info["creationTime"]}
    # Nobody has published the shape of this one; a list stands for "something unknown".
    if next(values) % 5 == 0 or info["name"] == "ZIV":
        yield {
            "id": "arcade-match-hist",
            "type": "SLIDING_MATCH_HISTORY",
            "value": [{"won": True}, {"won": False}],
        }


def sessions(place: Place, people: People) -> list[Row]:
    """The operation sessions of a region, oldest first by the time they ended."""
    names = [character["information"]["name"] for character in people.characters.values()]
    return [_session(place, number, names) for number in reversed(range(catalogue.SESSIONS))]


def _session(place: Place, number: int, names: list[str]) -> Row:
    dice = place.throw("session", number)
    seconds = between(400, 800, dice[0])
    ended = place.start - number * 900 - dice[1] % 900
    return {
        "id": FIRST_SESSION_ID - number * 1_000_003,
        "map": pick(catalogue.MAPS, dice[2]),
        "startTime": moment(ended - seconds),
        "endTime": moment(ended),
        "difficulty": between(1, 20, dice[3]),
        "sessionDurationSeconds": float32(seconds + dice[4] % 10 / 10),
        "difficultyReward": between(0, 5, dice[5]) * 100,
        "participants": [
            _participant(place.throw("participant", number, seat), names) for seat in range(between(1, 5, dice[6]))
        ],
    }


def _participant(dice: Dice, names: list[str]) -> Row:
    row: Row = {
        "username": names[dice[0] % len(names)],
        "death": dice[1] % 6,
        "mobKills": dice[2] % 400,
        "damageReceived": float32(share(dice[3]) * 9000),
        "damageDealt": float32(share(dice[4]) * 900_000),
        "armorClass": pick(catalogue.ARMOR_CLASSES, dice[5]),
        "armorLevel": dice[6] % 16,
        "primaryWeaponLevel": dice[7] % 16,
        "secondaryWeaponLevel": dice[8] % 16,
    }
    if dice[9] % 10:
        row["armorItemId"] = pick(catalogue.ARMORS, dice[9])
    if dice[10] % 10:
        row["primaryWeaponItemId"] = pick(catalogue.WEAPONS, dice[10])
    if dice[11] % 3:
        row["secondaryWeaponItemId"] = pick(catalogue.WEAPONS, dice[11])
    return row
