"""The identity of a row: all its fields, in a fixed order. The API gives most rows no id.

The server sends the keys and lists of one row in changing orders, `bonus_properties` for example.
"""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct
from typing import TypeAlias

import msgspec

__all__ = ["canonical", "has_list", "hash_64", "in_key_order"]

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


#: Encodes fields and keys in their alphabetical order.
in_key_order = msgspec.json.Encoder(order="sorted").encode

#: Reads a signed 64-bit integer from its bytes, the most significant one first.
_signed_64 = Struct(">q").unpack


def canonical(raw: Json) -> bytes:
    """Encode decoded JSON as bytes that don't depend on the order of its keys and lists."""
    return in_key_order(_in_order(raw) if has_list(raw) else raw)


def has_list(value: Json) -> bool:
    """Return whether there is a list in decoded JSON. Sorting lists takes ten times as long as sorting keys."""
    if isinstance(value, dict):
        return any(map(has_list, value.values()))
    return isinstance(value, list)


def hash_64(identity: bytes) -> int:
    """Hash an identity to a signed 64-bit integer, the same in every process and version."""
    number: int = _signed_64(blake2b(identity, digest_size=8).digest())[0]
    return number


def _in_order(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _in_order(each) if isinstance(each, dict | list) else each for key, each in sorted(value.items())}
    if isinstance(value, list):
        return sorted(map(_in_order, value), key=repr)
    return value
