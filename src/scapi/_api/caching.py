"""Keep response bodies for a time that depends on the endpoint. Callers pass the current time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeGuard

from scapi._base import validation

#: How long responses are kept with `cache=True`, in seconds by endpoint. The server updates most of them less often.
SANE = {"emission": 10.0, "lots": 60.0, "price_history": 60.0, "profile": 60.0, "regions": 86_400.0}

#: The endpoints that can be cached, by method name.
ENDPOINTS = (
    "characters",
    "clan_info",
    "clan_members",
    "clans",
    "emission",
    "friends",
    "lots",
    "operations_sessions",
    "price_history",
    "profile",
    "regions",
)

#: The maximum number of responses that one client keeps, and their maximum total size in bytes.
MOST_BODIES, MOST_BYTES = 1000, 64 * 2**20


def lifetimes(value: object) -> Mapping[str, float]:
    """Return how long the responses of each endpoint are kept, in seconds.

    Args:
        value: `None` or `False` for no cache, `True` for `SANE`, or seconds by endpoint, 0 or more.

    Raises:
        TypeError: `value` is of another type.
        ValueError: An endpoint is unknown, or its seconds are out of range.
    """
    if value is None or value is False:
        return {}
    if value is True:
        return SANE
    if not _is_mapping(value):
        raise TypeError(f"cache must be True, False, None or seconds by endpoint, not {value!r}")
    for name in value:
        if name not in ENDPOINTS:
            raise validation.refuse("cache", name, "seconds by endpoint, of " + ", ".join(ENDPOINTS))
    return {name: validation.seconds(f"cache[{name!r}]", seconds) for name, seconds in value.items()}


def _is_mapping(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)


class _Body(NamedTuple):
    """A response body and when it was received."""

    body: bytes
    received_at: float


class StoredBodies:
    """The latest response bodies of one client, limited in number and size.

    Safe for many threads: each step is one operation on a dict.
    """

    def __init__(self) -> None:
        self._kept: dict[str, _Body] = {}

    def get(self, target: str, now: float, seconds: float) -> bytes | None:
        """Return the body that is kept for a target, if it is younger than `seconds`."""
        stored = self._kept.get(target)
        return None if stored is None or now - stored.received_at >= seconds else stored.body

    def put(self, target: str, body: bytes, now: float) -> None:
        """Keep a body. If there is no room, the oldest ones are dropped."""
        self._kept.pop(target, None)
        self._kept[target] = _Body(body, now)
        kept = list(self._kept.items())
        excess, size = len(kept) - MOST_BODIES, sum(len(stored.body) for _, stored in kept)
        for oldest, stored in kept:
            if excess <= 0 and size <= MOST_BYTES:
                break
            self._kept.pop(oldest, None)
            excess, size = excess - 1, size - len(stored.body)

    def forget(self, target: str) -> None:
        """Drop the body that is kept for a target."""
        self._kept.pop(target, None)
