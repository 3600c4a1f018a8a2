"""Regions."""

from __future__ import annotations

from scapi.models._base import Model

__all__ = ["RegionInfo"]


class RegionInfo(Model, frozen=True, kw_only=True, gc=False):
    """A region of the game.

    Attributes:
        id: The short name that paths use, such as `RU`.
        name: The long name, such as `RUSSIA`, if the server sent it.
    """

    id: str
    name: str | None = None
