"""The identity of a row: all its fields, in a fixed order. The API gives most rows no id.

The server sends the keys and lists of one row in changing orders, `bonus_properties` for example.
"""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct
from typing import Any, TypeAlias

import msgspec

__all__ = ["canonical", "hash_64"]

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


#: Encodes fields and keys in their alphabetical order.
_in_key_order = msgspec.json.Encoder(order="sorted").encode

_decode = msgspec.json.Decoder().decode

#: Reads a signed 64-bit integer from its bytes, the most significant one first.
_signed_64 = Struct(">q").unpack


def canonical(row: Any) -> bytes:
    """Encode a model or decoded JSON as bytes that don't depend on the order of its keys and lists."""
    identity = _in_key_order(row)
    # Most rows have no list, and a search for a bracket is quick.
    if b"[" not in identity:
        return identity
    copy: Json = _decode(identity)
    _sort_lists(copy)
    return _in_key_order(copy)


def hash_64(identity: bytes) -> int:
    """Hash an identity to a signed 64-bit integer, the same in every process and version."""
    number: int = _signed_64(blake2b(identity, digest_size=8).digest())[0]
    return number


def _sort_lists(value: Json) -> None:
    """Sort the lists in decoded JSON, in place. The keys of its objects are in order already."""
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(each, (dict, list)):  # a call for each number and text would take most of the time
            _sort_lists(each)
    if isinstance(value, list):
        value.sort(key=repr)
