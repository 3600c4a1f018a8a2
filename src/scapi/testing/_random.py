"""Repeatable chance: the same key always throws the same dice, whatever was thrown before."""

import struct
from functools import lru_cache
from hashlib import blake2b
from typing import TypeVar
from uuid import UUID

Dice = tuple[int, ...]
"""Sixteen independent numbers below 2**32."""

_SIXTEEN = struct.Struct("<16I")


@lru_cache(maxsize=4096)
def throw(*key: str | int) -> Dice:
    """The dice that belong to this key."""
    return _SIXTEEN.unpack(blake2b(repr(key).encode()).digest())


T = TypeVar("T")


def pick(options: tuple[T, ...], number: int) -> T:
    """One of the options."""
    return options[number % len(options)]


def between(low: int, high: int, number: int) -> int:
    """A whole number from low to high, both included."""
    return low + number % (high - low + 1)


def share(number: int) -> float:
    """A fraction from 0 to below 1."""
    return number / 2**32


def uuid(*key: str | int) -> str:
    """The uuid that belongs to this key."""
    return str(UUID(bytes=blake2b(repr(key).encode(), digest_size=16).digest(), version=4))


def float32(value: float) -> float:
    """The value as a server spells it that keeps 32-bit floats: 718.1 comes out as 718.10004 or so."""
    (noisy,) = struct.unpack("f", struct.pack("f", value))
    return float(f"{noisy:.8g}")
