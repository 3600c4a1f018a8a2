"""Decodes responses without blocking other work."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from scapi._api import decoding
from scapi._primitives import aio

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi._http.messages import HttpRequest, HttpResponse


T = TypeVar("T")


async def read(response: HttpResponse, decode: Callable[[bytes], T], http_request: HttpRequest) -> T:
    """Decode a response like `scapi._api.decoding.read`, but yield to other work between pieces of a large body."""
    if len(response.body) < decoding.LARGE:
        return decoding.read(response, decode, http_request)
    pieces = decoding.in_pieces(response, decode, http_request)
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            result: T = end.value
            return result
        await aio.give_way()
