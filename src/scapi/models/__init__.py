"""The results of the API as typed, frozen records, shared by both worlds."""

from __future__ import annotations

from scapi.models.auction import AuctionLot, AuctionPrice
from scapi.models.character import Character, CharacterInfo, CharacterProfile, Statistic
from scapi.models.clan import ClanAffiliation, ClanInfo, ClanMember
from scapi.models.emission import EmissionState
from scapi.models.listing import Listing, Rejected
from scapi.models.operations import OperationParticipant, OperationSession
from scapi.models.ratelimit import RateLimit
from scapi.models.region import RegionInfo
from scapi.models.tokens import AppToken, User, UserToken

__all__ = [
    "AppToken",
    "AuctionLot",
    "AuctionPrice",
    "Character",
    "CharacterInfo",
    "CharacterProfile",
    "ClanAffiliation",
    "ClanInfo",
    "ClanMember",
    "EmissionState",
    "Listing",
    "OperationParticipant",
    "OperationSession",
    "RateLimit",
    "RegionInfo",
    "Rejected",
    "Statistic",
    "User",
    "UserToken",
]
