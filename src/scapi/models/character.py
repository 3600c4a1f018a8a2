"""Characters and their profiles."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from scapi.enums import Alliance, StatType
from scapi.models._base import Model, Time
from scapi.models.clan import ClanAffiliation

__all__ = ["Character", "CharacterInfo", "CharacterProfile", "Statistic"]


class CharacterInfo(Model, frozen=True, kw_only=True, rename="camel", gc=False):
    """A character of the user.

    Attributes:
        uuid: The id.
        name: The name.
        creation_time: When it was created, if the server sent it.
    """

    uuid: str = msgspec.field(name="id")
    name: str
    creation_time: Time | None = None


class Character(Model, frozen=True, kw_only=True, rename="camel"):
    """A character of the user, with its clan.

    Attributes:
        info: The character.
        clan: Its clan, or `None`.
    """

    info: CharacterInfo = msgspec.field(name="information")
    clan: ClanAffiliation | None = None


class Statistic(Model, frozen=True, kw_only=True, rename="camel", gc=False):
    """One statistic of a profile.

    Attributes:
        id: The id, as in the database's `stats.json`.
        type: How to read the value, if the server sent it.
        value: The value as the server sent it: an `int` for INTEGER, a `float` for DECIMAL, an ISO time for DATE,
            milliseconds for DURATION, and anything for unknown types. See `parsed`. Distances (`dis-*` and
            `tpacks-distance*`) are centimetres.
    """

    id: str
    type: StatType | None = None
    value: Any = None

    @property
    def parsed(self) -> Any:
        """The value as a `timedelta` for DURATION, as an aware `datetime` for DATE, and otherwise as it was sent.

        A value that doesn't fit its type also stays as it was sent.
        """
        try:
            if self.type is StatType.DURATION:
                return timedelta(milliseconds=self.value)
            if self.type is StatType.DATE:
                return msgspec.convert(self.value, Time)
        except (TypeError, ValueError, OverflowError):  # `ValueError` is what msgspec raises, too
            pass
        return self.value


class CharacterProfile(Model, frozen=True, kw_only=True, rename="camel"):
    """The public profile of a character.

    Attributes:
        uuid: The id.
        name: The name, in the spelling of the game.
        status: The player's own words, if the server sent them; they may contain colour codes such as `§4`.
        alliance: The alliance, if the character has one.
        last_login: When the player was last seen, if the server sends it.
        displayed_achievements: Ids as in the database's `achievements.json`.
        clan: The clan, or `None`.
        stats: The statistics; the server leaves out those that are zero.
    """

    uuid: str
    name: str = msgspec.field(name="username")
    status: str | None = None
    alliance: Alliance | None = None
    last_login: Time | None = None
    displayed_achievements: list[str] = []
    clan: ClanAffiliation | None = None
    stats: list[Statistic] = []

    def stat(self, stat_id: str, default: Any = None) -> Any:
        """Return the value of one statistic, as `Statistic.parsed` reads it.

        Args:
            stat_id: The id, as in the database's `stats.json`: `kil` are kills, `dea` deaths, `pla-tim` is the time
                in the game.
            default: The result if the profile lacks it. The server leaves out statistics that are zero.
        """
        return next((found.parsed for found in self.stats if found.id == stat_id), default)
