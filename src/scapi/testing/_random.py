"""Reproducible random numbers: the same key always gives the same numbers, in any order of calls."""

import struct
from functools import lru_cache
from hashlib import blake2b
from typing import TypeVar
from uuid import UUID

Numbers = tuple[int, ...]
"""Sixteen independent numbers below 2**32."""

SIXTEEN = struct.Struct("<16I")


@lru_cache(maxsize=4096)
def numbers_for(*key: str | int) -> Numbers:
    """Return the numbers of this key."""
    return SIXTEEN.unpack(blake2b(repr(key).encode()).digest())


T = TypeVar("T")


def pick(options: tuple[T, ...], number: int) -> T:
    """Choose one of the options."""
    return options[number % len(options)]


def between(low: int, high: int, number: int) -> int:
    """Return a whole number from low to high, both included."""
    return low + number % (high - low + 1)


def share(number: int) -> float:
    """Return a fraction from 0 to below 1."""
    return number / 2**32


def uuid(*key: str | int) -> str:
    """Return the UUID of this key."""
    return str(UUID(bytes=blake2b(repr(key).encode(), digest_size=16).digest(), version=4))


def float32(value: float) -> float:
    """Return a value as a server with 32-bit floats would send it, such as 718.10004 for 718.1."""
    (noisy,) = struct.unpack("f", struct.pack("f", value))
    return float(f"{noisy:.8g}")
