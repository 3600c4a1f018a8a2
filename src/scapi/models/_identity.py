"""The identity of a row: all its fields, in a fixed order. The API gives most rows no id.

The server sends the keys and lists of one row in changing orders, `bonus_properties` for example.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TypeAlias

import msgspec

__all__ = ["canonical", "hash_64"]

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def canonical(raw: Json) -> bytes:
    """Encode decoded JSON as bytes that don't depend on the order of its keys and lists."""
    return msgspec.json.encode(_in_order(raw))


def hash_64(identity: bytes) -> int:
    """Hash an identity to a signed 64-bit integer, the same in every process and version."""
    return int.from_bytes(blake2b(identity, digest_size=8).digest(), signed=True)


def _in_order(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return sorted(map(_in_order, value), key=repr)
    return value
