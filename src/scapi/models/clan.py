"""Clans and their members."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from scapi.enums import Alliance, ClanRank
from scapi.models._base import Model, Time

__all__ = ["ClanAffiliation", "ClanInfo", "ClanMember"]


class ClanInfo(Model, frozen=True, kw_only=True, rename="camel", gc=False):
    """A clan.

    Attributes:
        uuid: The id that `client.clan()` takes.
        name: The name.
        tag: The short name shown before members' names, where the server told.
        level: The level, where the server told.
        level_points: Points collected within all levels, where the server told.
        registration_time: When the clan was founded, where the server told.
        alliance: The alliance, where the clan has one.
        description: The clan's own words; may be empty.
        leader: The character name of the leader, where the server told.
        member_count: How many members the clan has, where the server told.
    """

    _page: ClassVar[tuple[str, str]] = ("data", "totalClans")

    uuid: str = msgspec.field(name="id")
    name: str
    tag: str | None = None
    level: int | None = None
    level_points: int | None = None
    registration_time: Time | None = None
    alliance: Alliance | None = None
    description: str = ""
    leader: str | None = None
    member_count: int | None = None


class ClanMember(Model, frozen=True, kw_only=True, rename="camel", gc=False):
    """A member of a clan.

    Attributes:
        name: The character's name.
        rank: The rank in the clan, where the server told.
        join_time: When the character joined, where the server told.
    """

    name: str
    rank: ClanRank | None = None
    join_time: Time | None = None


class ClanAffiliation(Model, frozen=True, kw_only=True, rename="camel", gc=False):
    """A character's place in a clan.

    Attributes:
        info: The clan.
        member: The character as its member, where the server told.
    """

    info: ClanInfo
    member: ClanMember | None = None
