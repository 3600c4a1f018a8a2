"""Imports names when they are first used, so that a program loads only the world that it uses."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SHARED", "lazily"]

#: What both worlds export, by the module that it comes from.
SHARED = {
    "scapi": ("enums", "exceptions", "files", "frames", "models", "pacing", "plot", "store", "testing"),
    "scapi._auth.oauth": ("AuthorizeUrl",),
    "scapi._base.secrets": ("Secret",),
    "scapi._retry": ("Retry",),
    "scapi.config": ("BaseUrl", "Config"),
    "scapi.enums": (
        "Alliance",
        "ClanRank",
        "IndexFile",
        "Language",
        "OperationsMap",
        "Order",
        "Quality",
        "Realm",
        "Region",
        "SortAuction",
        "SortOperations",
        "StatType",
    ),
    "scapi.exceptions": (
        "BadRequestError",
        "ClientError",
        "ClosedError",
        "CredentialsError",
        "DecodeError",
        "ForbiddenError",
        "ItemNameError",
        "LeaseLostError",
        "LoginError",
        "NotFoundError",
        "RateLimitError",
        "RequestError",
        "RequestTimeoutError",
        "ScApiException",
        "ServerError",
        "StoreError",
        "StoreVersionError",
        "TokenNotSavedError",
        "TransportError",
        "UnauthorizedError",
    ),
    "scapi.models": ("Listing", "RateLimit", "numbered"),
}


def lazily(package: str, homes: Mapping[str, tuple[str, ...]]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the `__getattr__` and `__dir__` of a module (PEP 562) whose names live in other modules.

    `dir()` shows these names and no helper. `__all__` lacks the modules that need an extra, or `import *` would, too.

    Args:
        package: The module that is asked for the names.
        homes: The names, by the module that each comes from; those of `"scapi"` are modules themselves.
    """
    found = {name: home for home, names in homes.items() for name in names}

    def getattr_(name: str) -> Any:
        if name not in found:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = found[name]
        value = import_module(f"scapi.{name}") if home == "scapi" else getattr(import_module(home), name)
        # From now on the module has the name, and this function isn't called for it again.
        setattr(sys.modules[package], name, value)
        return value

    return getattr_, lambda: sorted({"__version__", *found})
