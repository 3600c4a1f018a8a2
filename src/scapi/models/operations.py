"""Operations: finished sessions and their participants."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from scapi.enums import OperationsMap
from scapi.models._base import Model, Time

__all__ = ["OperationParticipant", "OperationSession"]


class OperationParticipant(Model, frozen=True, kw_only=True, rename="camel", gc=False):
    """A player in a session.

    Attributes:
        username: The character's name; `None` if the server didn't send it.
        death: How often the character died.
        mob_kills: The number of mobs it killed.
        damage_received: The damage it received.
        damage_dealt: The damage it dealt.
        armor_class: The kind of armor, such as `combined`.
        armor_item_id: The armor, if it wore one.
        armor_level: The armor's upgrade level.
        primary_weapon_item_id: The primary weapon, if it had one.
        primary_weapon_level: Its upgrade level.
        secondary_weapon_item_id: The secondary weapon, if it had one.
        secondary_weapon_level: Its upgrade level.
    """

    username: str | None = None
    death: int = 0
    mob_kills: int = 0
    damage_received: float = 0.0
    damage_dealt: float = 0.0
    armor_class: str | None = None
    armor_item_id: str | None = None
    armor_level: int = 0
    primary_weapon_item_id: str | None = None
    primary_weapon_level: int = 0
    secondary_weapon_item_id: str | None = None
    secondary_weapon_level: int = 0


class OperationSession(Model, frozen=True, kw_only=True, rename="camel"):
    """A finished session.

    Attributes:
        id: The id; larger than a float can hold.
        map: The map.
        start_time: When it began.
        end_time: When it ended, if the server sent it.
        difficulty: The difficulty, if the server sent it.
        duration_seconds: How long it took, in seconds, if the server sent it.
        reward: The reward for the difficulty, if the server sent it.
        participants: The participants.
    """

    _page: ClassVar[tuple[str, str]] = ("sessions", "total")

    id: int
    map: OperationsMap
    start_time: Time
    end_time: Time | None = None
    difficulty: int | None = None
    duration_seconds: float | None = msgspec.field(name="sessionDurationSeconds", default=None)
    reward: int | None = msgspec.field(name="difficultyReward", default=None)
    participants: list[OperationParticipant] = []
