"""All data of the fake, made from one seed."""

from collections.abc import Collection, Mapping
from typing import Any

from scapi.testing import _players as players
from scapi.testing._catalogue import EMPTY_PROFILES
from scapi.testing._emissions import Emissions
from scapi.testing._market import Market
from scapi.testing._players import People, RegionOrigin

Row = dict[str, Any]


class World:
    """The data of the fake: the market, the emissions and the players.

    Attributes:
        items: Categories by item id.
        market: Lots and sales.
        emissions: Emissions.
        empty_profiles: Names, in lower case, of characters with an empty profile response.
    """

    def __init__(
        self,
        *,
        seed: int,
        start: int,
        items: Mapping[str, str],
        characters: Collection[str],
        sales: Mapping[str, int],
        stale: int,
        float_lots: bool,
    ) -> None:
        """Make the data as of `start`. The arguments are those of `FakeApi` and `Market`."""
        self.items = items
        self.market = Market(seed=seed, start=start, items=items, sales=sales, stale=stale, float_lots=float_lots)
        self.emissions = Emissions(seed=seed)
        self.empty_profiles = frozenset(name.casefold() for name in EMPTY_PROFILES)
        self._seed = seed
        self._start = start
        self._further = tuple(characters)
        self._people: dict[str, People] = {}
        self._sessions: dict[str, list[Row]] = {}

    def people(self, region: str) -> People:
        """Return the players and clans of a region."""
        if region not in self._people:
            self._people[region] = players.populate(self._origin(region), self._further)
        return self._people[region]

    def profile(self, region: str, name: str) -> Row | None:
        """Return the profile of a character by name, ignoring case. None if there is no such character."""
        character = self.people(region).characters.get(name.casefold())
        return None if character is None else players.profile(self._origin(region), character)

    def friends(self, region: str, name: str) -> list[str]:
        """Return the names of a character's friends."""
        everybody = self.people(region).names
        numbers = self._origin(region).numbers_for("friends", name)
        found = {everybody[number % len(everybody)] for number in numbers[: 3 + numbers[15] % 9]}
        return sorted(friend for friend in found if friend.casefold() != name)

    def sessions(self, region: str) -> list[Row]:
        """Return the operation sessions of a region, oldest first."""
        if region not in self._sessions:
            self._sessions[region] = players.sessions(self._origin(region), self.people(region))
        return self._sessions[region]

    def _origin(self, region: str) -> RegionOrigin:
        return RegionOrigin(self._seed, region, self._start)
