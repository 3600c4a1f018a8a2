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
        uuid: The id, for `client.clan()`.
        name: The name.
        tag: The short name shown before members' names, if the server sent it.
        level: The level, if the server sent it.
        level_points: Points collected within all levels, if the server sent it.
        registration_time: When the clan was founded, if the server sent it.
        alliance: The alliance, if the clan has one.
        description: The clan's own words; may be empty.
        leader: The character name of the leader, if the server sent it.
        member_count: The number of members, if the server sent it.
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
        rank: The rank in the clan, if the server sent it.
        join_time: When the character joined, if the server sent it.
    """

    name: str
    rank: ClanRank | None = None
    join_time: Time | None = None


class ClanAffiliation(Model, frozen=True, kw_only=True, rename="camel", gc=False):
    """A character's place in a clan.

    Attributes:
        info: The clan.
        member: The character as a member of it, if the server sent it.
    """

    info: ClanInfo
    member: ClanMember | None = None
