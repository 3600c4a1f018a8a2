"""The results of the API as typed, frozen records, shared by both worlds."""

from __future__ import annotations

from scapi import _conflict  # noqa: F401  # raises where another package overwrote this one
from scapi.models.auction import SALES_OVERLAP, AuctionLot, AuctionPrice
from scapi.models.bulk import BulkError, BulkResult, BulkValue
from scapi.models.character import Character, CharacterInfo, CharacterProfile, Statistic
from scapi.models.clan import ClanAffiliation, ClanInfo, ClanMember
from scapi.models.database import DatabaseState, FileState
from scapi.models.details import PieceDetails
from scapi.models.emission import EmissionState
from scapi.models.github import ChangedFile, Commit, ContentEntry, Diff, RawFile
from scapi.models.items import (
    BarterOffer,
    BarterRecipe,
    BarterSettlement,
    Hideout,
    HideoutPerk,
    HideoutRecipe,
    HideoutRequirements,
    ItemAmount,
    ItemInfo,
    Lookup,
    Translation,
)
from scapi.models.listing import Listing, Rejected
from scapi.models.numbering import NumberedRow, RowCounts, numbered
from scapi.models.operations import OperationParticipant, OperationSession
from scapi.models.ratelimit import RateLimit
from scapi.models.region import RegionInfo
from scapi.models.response import ResponseInfo
from scapi.models.tokens import AppToken, User, UserToken
from scapi.models.walk import BulkWalkState, SalesWalkState
from scapi.models.watch import (
    BulkLotsWatchState,
    BulkSalesWatchState,
    EmissionEvent,
    EmissionWatchState,
    LotEvent,
    LotsWatchState,
    SaleEvent,
    SalesWatchState,
    WatchError,
)

__all__ = [
    "SALES_OVERLAP",
    "AppToken",
    "AuctionLot",
    "AuctionPrice",
    "BarterOffer",
    "BarterRecipe",
    "BarterSettlement",
    "BulkError",
    "BulkLotsWatchState",
    "BulkResult",
    "BulkSalesWatchState",
    "BulkValue",
    "BulkWalkState",
    "ChangedFile",
    "Character",
    "CharacterInfo",
    "CharacterProfile",
    "ClanAffiliation",
    "ClanInfo",
    "ClanMember",
    "Commit",
    "ContentEntry",
    "DatabaseState",
    "Diff",
    "EmissionEvent",
    "EmissionState",
    "EmissionWatchState",
    "FileState",
    "Hideout",
    "HideoutPerk",
    "HideoutRecipe",
    "HideoutRequirements",
    "ItemAmount",
    "ItemInfo",
    "Listing",
    "Lookup",
    "LotEvent",
    "LotsWatchState",
    "NumberedRow",
    "OperationParticipant",
    "OperationSession",
    "PieceDetails",
    "RateLimit",
    "RawFile",
    "RegionInfo",
    "Rejected",
    "ResponseInfo",
    "RowCounts",
    "SaleEvent",
    "SalesWalkState",
    "SalesWatchState",
    "Statistic",
    "Translation",
    "User",
    "UserToken",
    "WatchError",
    "numbered",
]
