"""Lists read to their end, the next page on its way while one is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from scapi import _aio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from scapi._async.session import Session
    from scapi._core.paging import Walk
    from scapi._core.request import Request
    from scapi.models import Listing

__all__ = ["rows"]

T = TypeVar("T")


async def rows(session: Session, walk: Walk[T]) -> AsyncGenerator[T]:
    """The rows of a walk. The next page is asked for once it is known to be needed."""

    async def fetch(request: Request[Listing[T]]) -> Listing[T]:
        return await session.call(request)

    async with _aio.Ahead(fetch) as ahead:
        while not walk.done:
            listing = walk.take(await ahead.get(walk.request))
            if not walk.done:
                ahead.start(walk.request)
            for row in listing:
                yield row
