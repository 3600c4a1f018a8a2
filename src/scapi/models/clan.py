"""Clans and their members."""

from __future__ import annotations

import msgspec

from scapi.enums import Alliance, ClanRank
from scapi.models._base import Model, Time

__all__ = ["ClanAffiliation", "ClanInfo", "ClanMember"]


class ClanInfo(Model, frozen=True, kw_only=True, rename="camel"):
    """A clan.

    Attributes:
        uuid: The id that `client.clan()` takes.
        name: The name.
        tag: The short name shown before members' names.
        level: The level.
        level_points: Points collected within all levels.
        registration_time: When the clan was founded.
        alliance: The alliance, where the clan has one.
        description: The clan's own words; may be empty.
        leader: The character name of the leader.
        member_count: How many members the clan has.
    """

    uuid: str = msgspec.field(name="id")
    name: str
    tag: str
    level: int
    level_points: int
    registration_time: Time
    alliance: Alliance | None = None
    description: str = ""
    leader: str
    member_count: int


class ClanMember(Model, frozen=True, kw_only=True, rename="camel"):
    """A member of a clan.

    Attributes:
        name: The character's name.
        rank: The rank in the clan.
        join_time: When the character joined.
    """

    name: str
    rank: ClanRank
    join_time: Time


class ClanAffiliation(Model, frozen=True, kw_only=True, rename="camel"):
    """A character's place in a clan.

    Attributes:
        info: The clan.
        member: The character as its member.
    """

    info: ClanInfo
    member: ClanMember
