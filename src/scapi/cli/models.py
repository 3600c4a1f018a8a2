"""Rows that only the command line shows; the library has no models for them."""

from __future__ import annotations

import msgspec

from scapi.models._base import Time  # msgspec reads annotations at run time

__all__ = ["Account", "Match"]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The account that is logged in.

    Attributes:
        login: The name of the account.
        expires_at: When the token expires (aware, UTC).
        characters: The names of the account's characters in the region.
    """

    login: str
    expires_at: Time
    characters: list[str]


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """An item that matches a query.

    Attributes:
        id: The item's id in the API.
        name: The name in the requested language.
        category: The item's folder.
        color: The item's rank colour.
        status: How the item binds to its owner.
        score: How well the item matches, 0 to 100.
        ambiguous: Whether another item matches equally well.
        names: The names by language.
    """

    id: str
    name: str
    category: str | None
    color: str | None
    status: str | None
    score: float
    ambiguous: bool
    names: dict[str, str]
