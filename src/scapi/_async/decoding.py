"""Read answers without blocking what else goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from scapi import _aio
from scapi._core import response

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi._core.outgoing import Outgoing
    from scapi._core.response import Reply

__all__ = ["read"]

T = TypeVar("T")


async def read(reply: Reply, decode: Callable[[bytes], T], outgoing: Outgoing) -> T:
    """Do what `response.read` does, but let others go on between the pieces of a large body."""
    if len(reply.body) < response.LARGE:
        return response.read(reply, decode, outgoing)
    pieces = response.in_pieces(reply, decode, outgoing)
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            result: T = end.value
            return result
        await _aio.give_way()
