"""Lists read to their end, the next page on its way while one is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Self, TypeVar

from scapi import _aio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from scapi._async.session import Session
    from scapi._core.paging import Walk
    from scapi._core.request import Request
    from scapi.models import Listing

__all__ = ["rows"]

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")


async def rows(session: Session, walk: Walk[T]) -> AsyncGenerator[T]:
    """The rows of a walk. The next page is asked for once it is known to be needed."""

    async def fetch(request: Request[Listing[T]]) -> Listing[T]:
        return await session.call(request)

    async with Ahead(fetch) as ahead:
        while not walk.done:
            listing = walk.take(await ahead.get(walk.request))
            if not walk.done:
                ahead.start(walk.request)
            for row in listing:
                yield row


class Ahead(Generic[A, R]):
    """Makes a call before its result is asked for, one call at a time. Leaving the context ends the call under way.

    Args:
        call: What is called.
    """

    def __init__(self, call: _aio.Call[A, R]) -> None:
        self._call = call
        self._workers: _aio.Workers[A, R] = _aio.Workers(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._workers.end()

    def start(self, argument: A) -> None:
        """Begin the call whose result is asked for next."""
        self._workers.start(self._call, argument)

    async def get(self, argument: A) -> R:
        """Return the result of the call that was begun, or of one that is made now."""
        return await (self._workers.result() if self._workers else self._call(argument))
