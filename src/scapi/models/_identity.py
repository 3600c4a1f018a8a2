"""What a row is known by, since the API gives most rows no id: all that it holds, in one order.

The server gives the keys and the lists of one and the same row in changing orders, as those of `bonus_properties`.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TypeAlias

import msgspec

__all__ = ["number", "settled"]

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def settled(raw: Json) -> bytes:
    """Decoded JSON as bytes that are the same in whatever order its keys and lists come."""
    return msgspec.json.encode(_in_order(raw))


def number(identity: bytes) -> int:
    """An identity as a signed 64-bit integer, the same in every process and version."""
    return int.from_bytes(blake2b(identity, digest_size=8).digest(), signed=True)


def _in_order(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return sorted(map(_in_order, value), key=repr)
    return value
