"""Rows that the terminal shows and the library has no model for."""

from __future__ import annotations

import msgspec

from scapi.models._base import Time  # msgspec reads annotations at run time

__all__ = ["Account", "Match"]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Who is logged in.

    Attributes:
        login: The name of the account.
        expires_at: Until when the token is valid (aware, UTC).
        characters: The names of its characters in the region.
    """

    login: str
    expires_at: Time
    characters: list[str]


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """An item that a query may mean.

    Attributes:
        id: The id that the API takes.
        name: The name in the language asked for.
        category: The item's folder.
        color: The item's rank colour.
        status: How the item binds to its owner.
        score: How well it fits, 0 to 100.
        ambiguous: Whether another item fits just as well.
        names: The name by language.
    """

    id: str
    name: str
    category: str | None
    color: str | None
    status: str | None
    score: float
    ambiguous: bool
    names: dict[str, str]
