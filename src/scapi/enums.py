"""The values that the API accepts and returns.

Enums of *arguments* are closed: an unknown value is an error of the caller. Enums of *responses* are open: the game
grows between two releases of this library, so a new value becomes a member with the server's own spelling.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from operator import index
from typing import Any, Literal, Self, SupportsIndex, TypeAlias

from scapi._base import labels

__all__ = [
    "Alliance",
    "BonusProperty",
    "ClanRank",
    "IndexFile",
    "IndexFileLike",
    "ItemRank",
    "Language",
    "LanguageLike",
    "OperationsMap",
    "OperationsMapLike",
    "Order",
    "OrderLike",
    "Quality",
    "Realm",
    "RealmLike",
    "Region",
    "RegionLike",
    "SortAuction",
    "SortAuctionLike",
    "SortOperations",
    "SortOperationsLike",
    "StatType",
]


#: The members that were added to open sets, by set and value.
_gained: dict[tuple[type, Any], Any] = {}


class _AnyCase(StrEnum):
    """A closed set. Case doesn't matter."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        return next((member for member in cls if member.value == value.strip().lower()), None)


class _Open(StrEnum):
    """An open set: a new value becomes a member with the server's spelling."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        known = next((member for member in cls if member.value.lower() == value.lower()), None)
        if known is not None:
            return known
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        # `setdefault`: two threads that read a new value must get the same member.
        gained: Self = _gained.setdefault((cls, value), member)
        return gained

    def __reduce_ex__(self, protocol: object) -> tuple[type[Self], tuple[str]]:
        # By its value: Python 3.11.2 pickles and copies by name, which doesn't find an added member.
        return type(self), (self.value,)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> dict[str, Any]:
        return _open_schema(cls, "str")


def _open_schema(kind: type[StrEnum | IntEnum], of: str) -> dict[str, Any]:
    """Build pydantic's core schema of an open set: a plain value, with the members as examples."""

    def take(value: Any, _: Any) -> StrEnum | IntEnum:
        return kind(value)

    def write(member: StrEnum | IntEnum) -> str | int:
        return member.value

    return {
        "type": "function-wrap",
        "function": {"type": "no-info", "function": take},
        "schema": {"type": of},
        "serialization": {"type": "function-plain", "function": write},
        "metadata": {"pydantic_js_updates": {"examples": [member.value for member in kind]}},
    }


class _Named(_Open):
    """An open set whose members have words and colours."""

    def label(self, language: LanguageLike = "en") -> str:
        """Return the game's word for it.

        Args:
            language: A language of the item database (`ru en es fr ko`), as enum or string, any case.

        Returns:
            The word in that language, otherwise in English. For a new value the server's own spelling.
        """
        return labels.word(type(self).__name__, self.name, language, unknown=self.value)

    @property
    def color(self) -> str:
        """A colour for it, such as `#2bb07f`. A new value is grey, and so is every bonus property."""
        return labels.color(type(self).__name__, self.name)


class Region(_AnyCase):
    """A game region. `NEA` is known from one source only."""

    RU = "ru"
    EU = "eu"
    NA = "na"
    SEA = "sea"
    NEA = "nea"
    # Their names in stalcraft-api.
    RUSSIA = "ru"
    EUROPE = "eu"
    NORTH_AMERICA = "na"
    SOUTH_EAST_ASIA = "sea"
    NORTH_EAST_ASIA = "nea"


class Realm(_AnyCase):
    """A branch of the item database: `ru` for the Russian servers, `global` for the others."""

    RU = "ru"
    GLOBAL = "global"
    RUSSIA = "ru"  # its name in stalcraft-api


class Language(_AnyCase):
    """A language of the item database."""

    RU = "ru"
    EN = "en"
    ES = "es"
    FR = "fr"
    KO = "ko"
    # Their names in stalcraft-api.
    RUSSIAN = "ru"
    ENGLISH = "en"
    SPANISH = "es"
    FRENCH = "fr"
    KOREAN = "ko"


class Order(_AnyCase):
    """A sort direction. `"ascending"` and `"descending"` work too."""

    ASCENDING = "asc"
    DESCENDING = "desc"
    # Their names in stalcraft-api.
    ASC = "asc"
    DESC = "desc"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if isinstance(value, str) and value.strip().upper() in cls.__members__:
            return cls[value.strip().upper()]
        return super()._missing_(value)


class SortAuction(_AnyCase):
    """The sort key of lots."""

    TIME_CREATED = "time_created"
    TIME_LEFT = "time_left"
    CURRENT_PRICE = "current_price"
    BUYOUT_PRICE = "buyout_price"


class SortOperations(_AnyCase):
    """The sort key of operations sessions."""

    DATE_FINISH = "date_finish"
    DIFFICULTY = "difficulty"


class IndexFile(_AnyCase):
    """A file of the item database that can be searched by name."""

    LISTING = "listing"
    ACHIEVEMENTS = "achievements"
    STATS = "stats"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        # The values of stalcraft-api end with it.
        return super()._missing_(value.strip().lower().removesuffix(".json") if isinstance(value, str) else value)


class OperationsMap(_Named):
    """A map of operations; an open set."""

    BIG_CLEANUP = "big_cleanup"
    SHOCK_THERAPY = "shock_therapy"
    SEA_ALIENATION = "sea_alienation"


class Alliance(_Named):
    """The alliance of a character or clan; an open set."""

    STALKERS = "stalkers"
    BANDITS = "bandits"
    DUTY = "duty"
    FREEDOM = "freedom"
    MERC = "merc"
    COVENANT = "covenant"


class StatType(_Open):
    """The type of a statistic's value; an open set."""

    INTEGER = "INTEGER"
    DECIMAL = "DECIMAL"
    DATE = "DATE"
    DURATION = "DURATION"
    SLIDING_MATCH_HISTORY = "SLIDING_MATCH_HISTORY"


class ClanRank(_Named):
    """A rank in a clan, from the lowest to the highest; an open set."""

    RECRUIT = "RECRUIT"
    COMMONER = "COMMONER"
    SOLDIER = "SOLDIER"
    SERGEANT = "SERGEANT"
    OFFICER = "OFFICER"
    COLONEL = "COLONEL"
    LEADER = "LEADER"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        # One client reports these two spellings from the API. They are misspelt ranks, not new ones.
        if isinstance(value, str) and value.upper() in {"SOLIDER", "SERGANT"}:
            return cls["SOLDIER" if value.upper() == "SOLIDER" else "SERGEANT"]
        return super()._missing_(value)


class ItemRank(_Named):
    """The rank that a character needs for an item, as in the `color` of the item database; an open set."""

    NEWBIE = "RANK_NEWBIE"
    STALKER = "RANK_STALKER"
    VETERAN = "RANK_VETERAN"
    MASTER = "RANK_MASTER"
    LEGEND = "RANK_LEGEND"


class BonusProperty(_Named):
    """A property that upgrades have unlocked, as in `additional["bonus_properties"]`; an open set."""

    SPEED_MOD = "SPEED_MOD"
    STAMINA_BONUS = "STAMINA_BONUS"
    STAMINA_REGENERATION = "STAMINA_REGENERATION"
    BULLET_DMG = "BULLET_DMG"
    HEALTH_BONUS = "HEALTH_BONUS"
    MAX_WEIGHT_BONUS = "MAX_WEIGHT_BONUS"
    BLEEDING_ACC = "BLEEDING_ACC"
    HEAL_EFFICIENCY = "HEAL_EFFICIENCY"


class Quality(IntEnum):
    """The quality of an artefact, by its number in `additional["qlt"]`; an open set.

    A member prints as its name in lower case, such as `rare`, and is the number everywhere else.
    """

    COMMON = 0
    UNCOMMON = 1
    SPECIAL = 2
    RARE = 3
    EXCEPTIONAL = 4
    LEGENDARY = 5
    UNIQUE = 6

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        number = index(value) if isinstance(value, SupportsIndex) else None
        # No column of integers holds more than 64 bits.
        if number is None or not -(2**63) <= number < 2**63:
            return None
        member = int.__new__(cls, number)
        member._name_, member._value_ = f"QUALITY_{number}", number
        gained: Self = _gained.setdefault((cls, number), member)
        return gained

    def label(self, language: LanguageLike = "en") -> str:
        """Return the game's word for it.

        Args:
            language: A language of the item database (`ru en es fr ko`), as enum or string, any case.

        Returns:
            The word in that language, otherwise in English. For a new number a text such as `Quality 9`.
        """
        return labels.word("Quality", self.name, language, unknown=f"Quality {self.value}")

    @property
    def color(self) -> str:
        """Its colour, similar to that of the game, such as `#d05cc0`. A new number is grey."""
        return labels.color("Quality", self.name)

    def __reduce_ex__(self, protocol: object) -> tuple[type[Self], tuple[int]]:
        # As in the other open sets.
        return type(self), (self.value,)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> dict[str, Any]:
        return _open_schema(cls, "int")

    def __str__(self) -> str:
        return self.name.lower()

    def __format__(self, spec: str) -> str:
        # A format spec for numbers, such as `d` or `02x`, gets the number.
        return int.__format__(self, spec) if spec[-1:] in _NUMERIC else format(str(self), spec)


#: The format types for numbers.
_NUMERIC = tuple("bcdeEfFgGnoxX%")

#: The types of arguments: a member, or its value. At run time the case of a value doesn't matter; type checkers know
#: and editors complete these spellings. A map that is newer than this version is `OperationsMap("its_name")`.
RegionLike: TypeAlias = Region | Literal["ru", "eu", "na", "sea", "nea"]
RealmLike: TypeAlias = Realm | Literal["ru", "global"]
LanguageLike: TypeAlias = Language | Literal["ru", "en", "es", "fr", "ko"]
IndexFileLike: TypeAlias = IndexFile | Literal["listing", "achievements", "stats"]
OrderLike: TypeAlias = Order | Literal["asc", "desc", "ascending", "descending"]
SortAuctionLike: TypeAlias = SortAuction | Literal["time_created", "time_left", "current_price", "buyout_price"]
SortOperationsLike: TypeAlias = SortOperations | Literal["date_finish", "difficulty"]
OperationsMapLike: TypeAlias = OperationsMap | Literal["big_cleanup", "shock_therapy", "sea_alienation"]
