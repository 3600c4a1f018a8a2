"""The STALCRAFT / STALZONE API, typed, for asyncio. For scripts and notebooks the same is in `scapi.sync`.

from scapi import AppClient

async with AppClient(client_id="...", client_secret="...") as client:
emission = await client.emission()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scapi._version import __version__

# The version comes first: the check compares it.
# isort: split
from scapi import _conflict  # noqa: F401  # raises where another package overwrote this one
from scapi._lazy import SHARED, lazily

if TYPE_CHECKING:
    from scapi import enums, exceptions, models
    from scapi._async import AppClient, UserClient
    from scapi._async.database import DatabaseLookup
    from scapi._async.github import GitHubClient
    from scapi._async.oauth import OAuthClient
    from scapi._retry import Retry
    from scapi.config import BaseUrl, Config
    from scapi.enums import (
        Alliance,
        ClanRank,
        IndexFile,
        Language,
        OperationsMap,
        Order,
        Realm,
        Region,
        SortAuction,
        SortOperations,
        StatType,
    )
    from scapi.models import Listing, RateLimit

__getattr__, __dir__ = lazily(
    __name__,
    {
        "scapi._async": ("AppClient", "UserClient"),
        "scapi._async.database": ("DatabaseLookup",),
        "scapi._async.github": ("GitHubClient",),
        "scapi._async.oauth": ("OAuthClient",),
        **SHARED,
    },
)

__all__ = [
    "Alliance",
    "AppClient",
    "BaseUrl",
    "ClanRank",
    "Config",
    "DatabaseLookup",
    "GitHubClient",
    "IndexFile",
    "Language",
    "Listing",
    "OAuthClient",
    "OperationsMap",
    "Order",
    "RateLimit",
    "Realm",
    "Region",
    "Retry",
    "SortAuction",
    "SortOperations",
    "StatType",
    "UserClient",
    "__version__",
    "enums",
    "exceptions",
    "models",
]
