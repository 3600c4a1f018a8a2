"""Build a `Request` for each endpoint of the API.

Paths, parameters and ranges: https://eapi.stalzone.com/reference
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote_plus

from scapi._api import decoding
from scapi._base import validation
from scapi.config import Config
from scapi.enums import OperationsMap, Order, Region, SortAuction, SortOperations
from scapi.models import Listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi.models import (
        AuctionLot,
        AuctionPrice,
        Character,
        CharacterProfile,
        ClanInfo,
        ClanMember,
        EmissionState,
        OperationSession,
        RegionInfo,
    )


T = TypeVar("T")

#: A query parameter. `None` is left out.
Param: TypeAlias = "str | float | bool | datetime | None"

MAX_LIMIT = 200
MAX_LIMIT_OPERATIONS = 100


class Request(Generic[T]):
    """One GET request of the API.

    Args:
        operation: The endpoint's name. The point budget keeps costs by it.
        path: The path below the base URL, percent-encoded.
        decode: Turns a body into the result.
        params: The query parameters by name, not yet encoded.
    """

    __slots__ = ("decode", "operation", "params", "path")

    def __init__(
        self,
        operation: str,
        path: str,
        decode: Callable[[bytes], T],
        params: Mapping[str, str | int] = MappingProxyType({}),
    ) -> None:
        self.operation = operation
        self.path = path
        self.decode = decode
        self.params = params

    @property
    def target(self) -> str:
        """The path with the encoded query, as it is sent."""
        query = "&".join([f"{name}={_quoted(value)}" for name, value in self.params.items()])
        return f"{self.path}?{query}" if query else self.path

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.operation}, {self.target})"


class ListRequest(Request[Listing[T]]):
    """One GET request for a page of a list.

    Args:
        operation: The endpoint's name.
        path: The path below the base URL, percent-encoded.
        decoder: Reads the endpoint's pages.
        page: The rows to request.
        sort: The sort key, if the endpoint has a choice.
        order: The sort direction, if the endpoint has a choice.
        filters: All other parameters.
    """

    __slots__ = ("_decoder", "_filters", "order", "page", "sort")

    def __init__(
        self,
        operation: str,
        path: str,
        decoder: decoding.Pages[T],
        page: decoding.Page,
        *,
        sort: SortAuction | SortOperations | None = None,
        order: Order | None = None,
        filters: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.page = page
        self.sort = sort
        self.order = order
        self._decoder = decoder
        self._filters = filters
        sorting = {name: value.value for name, value in (("sort", sort), ("order", order)) if value is not None}
        super().__init__(operation, path, partial(decoder, page=page), {**page._asdict(), **sorting, **filters})

    def with_page(self, *, limit: int, offset: int) -> ListRequest[T]:
        """Return a request for another page of the same list."""
        page = decoding.Page(limit=limit, offset=offset)
        return ListRequest(
            self.operation, self.path, self._decoder, page, sort=self.sort, order=self.order, filters=self._filters
        )


def regions() -> Request[list[RegionInfo]]:
    return Request("regions", "/regions", decoding.REGIONS)


def emission(region: Region | str) -> Request[EmissionState]:
    return Request("emission", _in(region, "emission"), decoding.EMISSION)


def profile(region: Region | str, username: str) -> Request[CharacterProfile]:
    return Request("profile", _in(region, f"character/by-name/{name_part(username)}/profile"), decoding.PROFILE)


def clans(region: Region | str, *, limit: int | None, offset: int | None) -> ListRequest[ClanInfo]:
    page = _page(limit, offset, MAX_LIMIT)
    return ListRequest("clans", _in(region, "clans"), decoding.CLANS, page)


def clan_info(region: Region | str, clan_id: str) -> Request[ClanInfo]:
    return Request("clan_info", _in(region, f"clan/{clan_part(clan_id)}/info"), decoding.CLAN)


def clan_members(region: Region | str, clan_id: str) -> Request[list[ClanMember]]:
    return Request("clan_members", _in(region, f"clan/{clan_part(clan_id)}/members"), decoding.MEMBERS)


def characters(region: Region | str) -> Request[list[Character]]:
    return Request("characters", _in(region, "characters"), decoding.CHARACTERS)


def friends(region: Region | str, character: str) -> Request[list[str]]:
    return Request("friends", _in(region, f"friends/{validation.path_part('character', character)}"), decoding.FRIENDS)


def lots(
    region: Region | str,
    item_id: str,
    *,
    limit: int | None,
    offset: int | None,
    sort: SortAuction | str | None,
    order: Order | str | None,
    additional: bool | None,
) -> ListRequest[AuctionLot]:
    return ListRequest(
        "lots",
        _in(region, f"auction/{item_part(item_id)}/lots"),
        decoding.LOTS,
        _page(limit, offset, MAX_LIMIT),
        sort=validation.choice("sort", Config.SORT_AUCTION if sort is None else sort, SortAuction),
        order=validation.choice("order", Config.ORDER_AUCTION if order is None else order, Order),
        filters=_additional(additional),
    )


def price_history(
    region: Region | str, item_id: str, *, limit: int | None, offset: int | None, additional: bool | None
) -> ListRequest[AuctionPrice]:
    return ListRequest(
        "price_history",
        _in(region, f"auction/{item_part(item_id)}/history"),
        decoding.PRICES,
        _page(limit, offset, MAX_LIMIT),
        filters=_additional(additional),
    )


def operations_sessions(
    region: Region | str,
    *,
    limit: int | None,
    offset: int | None,
    sort: SortOperations | str | None,
    order: Order | str | None,
    map: OperationsMap | str | None,
    username: str | None,
    before: datetime | str | None,
    after: datetime | str | None,
) -> ListRequest[OperationSession]:
    filters: dict[str, str] = {}
    if map is not None:
        # The enum is open, so maps newer than this library can be requested by name.
        filters["map"] = OperationsMap(validation.text("map", map)).value
    if username is not None:
        filters["username"] = validation.text("username", username)
    if before is not None:
        filters["before"] = validation.timestamp("before", before)
    if after is not None:
        filters["after"] = validation.timestamp("after", after)
    return ListRequest(
        "operations_sessions",
        _in(region, "operations/sessions"),
        decoding.SESSIONS,
        _page(limit, offset, MAX_LIMIT_OPERATIONS),
        sort=validation.choice("sort", Config.SORT_OPERATIONS if sort is None else sort, SortOperations),
        order=validation.choice("order", Config.ORDER_OPERATIONS if order is None else order, Order),
        filters=filters,
    )


def get(path: str, *, params: Mapping[str, Param] | None, cost: int | None, model: Any) -> Request[Any]:
    """Return the request for any other GET endpoint. Its cost is measured if `cost` is not given."""
    operation = "get" if cost is None else f"get:{validation.integer('cost', cost, 0)}"
    if not (params is None or isinstance(params, Mapping)):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
        raise TypeError(f"params must be a mapping of names to values, not {type(params).__name__}")
    query = {
        quote_plus(validation.text("params", name)): _param(name, value)
        for name, value in (params or {}).items()
        if value is not None
    }
    return Request(operation, validation.relative_path("path", path), decoding.decoder_for(model), query)


def _param(name: str, value: object) -> str | int:
    label = f"params[{name!r}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return validation.timestamp(label, value)
    if isinstance(value, str):
        return value
    number = validation.real(value)
    if number is None or not math.isfinite(number):
        raise validation.refuse(label, value, "text, a number, a bool, a datetime or None")
    return str(value)


def item_part(item_id: str) -> str:
    """Return an item id as part of a path."""
    return validation.path_part("item_id", item_id)


def name_part(username: str) -> str:
    """Return a character's name as part of a path."""
    return validation.path_part("username", username)


def clan_part(clan_id: str) -> str:
    """Return a clan id as part of a path."""
    return validation.path_part("clan_id", clan_id)


def _in(region: Region | str, path: str) -> str:
    return f"/{validation.choice('region', region, Region)}/{path}"


@lru_cache(maxsize=512)
def _quoted(value: str | int) -> str:
    """Encode a query value. Cached: values repeat, and encoding takes as long as the rest of building a request."""
    return quote_plus(str(value))


def _page(limit: int | None, offset: int | None, most: int) -> decoding.Page:
    return decoding.Page(
        limit=validation.integer("Config.LIMIT" if limit is None else "limit", _or(limit, Config.LIMIT), 0, most),
        offset=validation.integer("Config.OFFSET" if offset is None else "offset", _or(offset, Config.OFFSET), 0),
    )


def _additional(additional: bool | None) -> dict[str, str]:
    return {"additional": "true"} if validation.flag("additional", _or(additional, Config.ADDITIONAL)) else {}


def _or(value: T | None, default: T) -> T:
    return default if value is None else value
