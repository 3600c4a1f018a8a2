"""Defaults of all clients, and the hosts of the API."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from scapi._base import validation
from scapi.enums import Language, Order, Realm, Region, SortAuction, SortOperations

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BaseUrl", "Config"]

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


class BaseUrl(StrEnum):
    """The hosts of the API. The game was renamed in June 2026; the old hosts still worked then."""

    PRODUCTION = "https://eapi.stalzone.com"
    DEMO = "https://dapi.stalzone.com"
    STALCRAFT = "https://eapi.stalcraft.net"
    STALCRAFT_DEMO = "https://dapi.stalcraft.net"
    OAUTH = "https://exbo.net/oauth"


class _Setting(Generic[T]):
    """A default that is checked when it is set, and reset when it is deleted."""

    def __init__(self, start: Callable[[], T], check: Callable[[str, Any], T]) -> None:
        self._start = start
        self._check = check

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> _Setting[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> _Setting[T] | T:
        if instance is None:
            return self
        value: T = instance.__dict__[self._name] if self._name in instance.__dict__ else self._start()
        return value

    def __set__(self, instance: object, value: Any) -> None:
        instance.__dict__[self._name] = self._check(f"Config.{self._name}", value)

    def __delete__(self, instance: object) -> None:
        instance.__dict__.pop(self._name, None)


def _one_of(start: E) -> _Setting[E]:
    return _Setting(lambda: start, lambda name, value: validation.choice(name, value, type(start)))


def environment_url(variable: str, default: str) -> str:
    """Return a URL from the environment. It is read on use, not at import, so that a program can still set it."""
    url = os.environ.get(variable)
    return validation.base_url(variable, url) if url else default


def start_oauth_url() -> str:
    """Return the OAuth server of clients that don't name one."""
    return environment_url("SCAPI_OAUTH_URL", BaseUrl.OAUTH.value)


def _start_url() -> str:
    return environment_url("SCAPI_BASE_URL", BaseUrl.PRODUCTION.value)


class _Config:
    """Defaults of all clients. They are checked when they are set, and read at every call unless stated otherwise.

    Attributes:
        BASE_URL: The host of clients created from then on. Initially `SCAPI_BASE_URL` from the environment, otherwise
            `BaseUrl.PRODUCTION`.
        REGION: The region of calls and clients that don't name one.
        REALM: The branch of the item database.
        LANGUAGE: The language of displayed names.
        LIMIT: The number of rows that a list call requests, 0 to 200 (0 to 100 for operations sessions).
        OFFSET: The number of rows that a list call skips.
        ADDITIONAL: Whether lots and sales include details of the item.
        SORT_AUCTION: The sort key of lots.
        ORDER_AUCTION: The sort order of lots.
        SORT_OPERATIONS: The sort key of operations sessions.
        ORDER_OPERATIONS: The sort order of operations sessions.
        MAX_BODY: The maximum size of a response body in bytes, decompressed. Initially 64 MiB.

    `del Config.REGION` restores the initial value.
    """

    BASE_URL = _Setting(_start_url, validation.base_url)
    REGION = _one_of(Region.RU)
    REALM = _one_of(Realm.RU)
    LANGUAGE = _one_of(Language.EN)
    LIMIT = _Setting(lambda: 20, lambda name, value: validation.integer(name, value, 0, 200))
    OFFSET = _Setting(lambda: 0, lambda name, value: validation.integer(name, value, 0))
    ADDITIONAL = _Setting(lambda: False, validation.flag)
    SORT_AUCTION = _one_of(SortAuction.TIME_CREATED)
    ORDER_AUCTION = _one_of(Order.ASCENDING)
    SORT_OPERATIONS = _one_of(SortOperations.DATE_FINISH)
    ORDER_OPERATIONS = _one_of(Order.DESCENDING)
    MAX_BODY = _Setting(lambda: 64 * 2**20, lambda name, value: validation.integer(name, value, 1))

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _SETTINGS:
            raise AttributeError(f"Config has no {name!r}; it has {', '.join(_SETTINGS)}")
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        return f"Config({', '.join(f'{name}={getattr(self, name)!s}' for name in _SETTINGS)})"


_SETTINGS = tuple(name for name, value in vars(_Config).items() if isinstance(value, _Setting))

Config = _Config()
