"""The STALCRAFT / STALZONE API, typed, for scripts, notebooks and threads: all of `scapi`, without `await`.

from scapi.sync import AppClient

with AppClient(client_id="...", client_secret="...") as client:
emission = client.emission()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scapi import _conflict  # noqa: F401  # raises where another package overwrote this one
from scapi._lazy import SHARED, lazily
from scapi._version import __version__

if TYPE_CHECKING:
    from scapi import enums, exceptions, models
    from scapi._retry import Retry
    from scapi._sync import AppClient, UserClient
    from scapi._sync.database import DatabaseLookup
    from scapi._sync.github import GitHubClient
    from scapi._sync.oauth import OAuthClient
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
        "scapi._sync": ("AppClient", "UserClient"),
        "scapi._sync.database": ("DatabaseLookup",),
        "scapi._sync.github": ("GitHubClient",),
        "scapi._sync.oauth": ("OAuthClient",),
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
