"""Both worlds by the same names, for tests that compare them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

import scapi
import scapi.sync

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["WORLDS", "World"]

Act = Callable[[Any], Any]


@dataclass(frozen=True)
class World:
    """One of the two worlds.

    Attributes:
        api: The module that a program imports.
        http_client: The kind of HTTP client that it takes.
        other_http_client: The kind that it refuses.
    """

    api: ModuleType
    http_client: type[Any]
    other_http_client: type[Any]

    def run(self, client: Any, act: Act) -> Any:
        """What a call gives, in the client's own block."""
        if isinstance(client, AbstractContextManager):
            with client:
                return act(client)
        return asyncio.run(_inside(client, act))

    def __str__(self) -> str:
        return self.api.__name__


async def _inside(client: Any, act: Act) -> Any:
    async with client:
        return await act(client)


WORLDS = (World(scapi, httpx.AsyncClient, httpx.Client), World(scapi.sync, httpx.Client, httpx.AsyncClient))
