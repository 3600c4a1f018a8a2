"""The STALCRAFT / STALZONE API, typed, for scripts, notebooks and threads: all of `scapi`, without `await`.

```python
from scapi.sync import AppClient

with AppClient(token="...") as client:
    emission = client.emission()
```

Everything here is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scapi import _conflict  # noqa: F401  # raises where another package overwrote this one
from scapi._lazy import SHARED, lazily
from scapi._version import __version__

if TYPE_CHECKING:
    from scapi import enums, exceptions, files, frames, models, pacing, testing
    from scapi import plot as plot  # noqa: PLC0414  # re-exported, but not in `__all__`: it needs an extra
    from scapi._auth.oauth import AuthorizeUrl
    from scapi._base.secrets import Secret
    from scapi._retry import Retry
    from scapi._sync import AppClient, UserClient
    from scapi._sync.auctions import AuctionsEndpoint
    from scapi._sync.clan import ClanEndpoint, UserClanEndpoint
    from scapi._sync.collector import Collector
    from scapi._sync.database import DatabaseLookup
    from scapi._sync.endpoints import AuctionEndpoint
    from scapi._sync.github import GitHubClient
    from scapi._sync.oauth import OAuthClient
    from scapi._sync.pages import Rows, SaleRows
    from scapi._sync.results import Results, SaleResults
    from scapi._sync.store import Store
    from scapi._sync.watch import Watcher
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
        "scapi._sync": ("AppClient", "UserClient"),
        "scapi._sync.collector": ("Collector",),
        "scapi._sync.auctions": ("AuctionsEndpoint",),
        "scapi._sync.clan": ("ClanEndpoint", "UserClanEndpoint"),
        "scapi._sync.endpoints": ("AuctionEndpoint",),
        "scapi._sync.pages": ("Rows", "SaleRows"),
        "scapi._sync.results": ("Results", "SaleResults"),
        "scapi._sync.watch": ("Watcher",),
        "scapi._sync.database": ("DatabaseLookup",),
        "scapi._sync.github": ("GitHubClient",),
        "scapi._sync.oauth": ("OAuthClient",),
        "scapi._sync.store": ("Store",),
        **SHARED,
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
