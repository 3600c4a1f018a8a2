"""The STALCRAFT / STALZONE API, typed, for asyncio. For scripts and notebooks the same is in `scapi.sync`.

```python
from scapi import AppClient

async with AppClient(token="...") as client:
    emission = await client.emission()
```

Everything here is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scapi._version import __version__

# The version comes first: the check compares it.
# isort: split
from scapi import _conflict  # noqa: F401  # raises where another package overwrote this one
from scapi._lazy import SHARED, lazily

if TYPE_CHECKING:
    from scapi import enums, exceptions, files, frames, models, pacing, testing
    from scapi import plot as plot
    from scapi import sync as sync
    from scapi._async import AppClient, UserClient
    from scapi._async.auctions import AuctionsEndpoint
    from scapi._async.clan import ClanEndpoint, UserClanEndpoint
    from scapi._async.collector import Collector
    from scapi._async.database import DatabaseLookup
    from scapi._async.endpoints import AuctionEndpoint
    from scapi._async.github import GitHubClient
    from scapi._async.oauth import OAuthClient
    from scapi._async.pages import Rows, SaleRows
    from scapi._async.results import Results, SaleResults
    from scapi._async.store import Store
    from scapi._async.watch import Watcher
    from scapi._auth.oauth import AuthorizeUrl
    from scapi._base.secrets import Secret
    from scapi._retry import Retry
    from scapi.config import BaseUrl, Config
    from scapi.enums import (
        Alliance,
        ClanRank,
        IndexFile,
        Language,
        OperationsMap,
        Order,
        Quality,
        Realm,
        Region,
        SortAuction,
        SortOperations,
        StatType,
    )
    from scapi.exceptions import (
        BadRequestError,
        ClientError,
        ClosedError,
        CredentialsError,
        DecodeError,
        ForbiddenError,
        ItemNameError,
        LeaseLostError,
        LoginError,
        NotFoundError,
        RateLimitError,
        RequestError,
        RequestTimeoutError,
        ScApiException,
        ServerError,
        StoreError,
        StoreVersionError,
        TokenNotSavedError,
        TransportError,
        UnauthorizedError,
    )
    from scapi.models import Listing, RateLimit, numbered

__getattr__, __dir__ = lazily(
    __name__,
    {
        "scapi._async": ("AppClient", "UserClient"),
        "scapi._async.collector": ("Collector",),
        "scapi._async.auctions": ("AuctionsEndpoint",),
        "scapi._async.clan": ("ClanEndpoint", "UserClanEndpoint"),
        "scapi._async.endpoints": ("AuctionEndpoint",),
        "scapi._async.pages": ("Rows", "SaleRows"),
        "scapi._async.results": ("Results", "SaleResults"),
        "scapi._async.watch": ("Watcher",),
        "scapi._async.database": ("DatabaseLookup",),
        "scapi._async.github": ("GitHubClient",),
        "scapi._async.oauth": ("OAuthClient",),
        "scapi._async.store": ("Store",),
        **SHARED,
        "scapi": (*SHARED["scapi"], "sync"),
    },
)

__all__ = [
    "Alliance",
    "AppClient",
    "AuctionEndpoint",
    "AuctionsEndpoint",
    "AuthorizeUrl",
    "BadRequestError",
    "BaseUrl",
    "ClanEndpoint",
    "ClanRank",
    "ClientError",
    "ClosedError",
    "Collector",
    "Config",
    "CredentialsError",
    "DatabaseLookup",
    "DecodeError",
    "ForbiddenError",
    "GitHubClient",
    "IndexFile",
    "ItemNameError",
    "Language",
    "LeaseLostError",
    "Listing",
    "LoginError",
    "NotFoundError",
    "OAuthClient",
    "OperationsMap",
    "Order",
    "Quality",
    "RateLimit",
    "RateLimitError",
    "Realm",
    "Region",
    "RequestError",
    "RequestTimeoutError",
    "Results",
    "Retry",
    "Rows",
    "SaleResults",
    "SaleRows",
    "ScApiException",
    "Secret",
    "ServerError",
    "SortAuction",
    "SortOperations",
    "StatType",
    "Store",
    "StoreError",
    "StoreVersionError",
    "TokenNotSavedError",
    "TransportError",
    "UnauthorizedError",
    "UserClanEndpoint",
    "UserClient",
    "Watcher",
    "__version__",
    "enums",
    "exceptions",
    "files",
    "frames",
    "models",
    "numbered",
    "pacing",
    "testing",
]
