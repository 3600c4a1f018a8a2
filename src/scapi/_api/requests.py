"""What to send: every endpoint of the API as a pure function from arguments to a `Request`.

Paths, parameters and ranges: https://eapi.stalzone.com/reference
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast
from urllib.parse import quote_plus

from scapi._api import decoding
from scapi._base import validation
from scapi.config import Config
from scapi.enums import OperationsMap, Order, Region, SortAuction, SortOperations

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from scapi.models import (
        AuctionLot,
        AuctionPrice,
        Character,
        CharacterProfile,
        ClanInfo,
        ClanMember,
        EmissionState,
        Listing,
        OperationSession,
        RegionInfo,
    )


T = TypeVar("T")

MAX_LIMIT = 200
MAX_LIMIT_OPERATIONS = 100


class Request(NamedTuple, Generic[T]):
    """One GET request of the API.

    Attributes:
        operation: The endpoint's name, which is what the point budget knows costs by.
        target: The path with its query, percent-encoded, below the base URL.
        decode: Turns a body into the result.
    """

    operation: str
    target: str
    decode: Callable[[bytes], T]

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


def regions() -> Request[list[RegionInfo]]:
    return Request("regions", "/regions", decoding.REGIONS)


def emission(region: Region | str) -> Request[EmissionState]:
    return Request("emission", _in(region, "emission"), decoding.EMISSION)


def profile(region: Region | str, username: str) -> Request[CharacterProfile]:
    return Request("profile", _in(region, f"character/by-name/{name_part(username)}/profile"), decoding.PROFILE)


def clans(region: Region | str, *, limit: int | None, offset: int | None) -> Request[Listing[ClanInfo]]:
    page = _page(limit, offset, MAX_LIMIT)
    return Request("clans", _in(region, "clans", page._asdict()), partial(decoding.CLANS, page=page))


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
) -> Request[Listing[AuctionLot]]:
    page = _page(limit, offset, MAX_LIMIT)
    query: dict[str, Any] = page._asdict() | {
        "sort": validation.choice("sort", Config.SORT_AUCTION if sort is None else sort, SortAuction),
        "order": validation.choice("order", Config.ORDER_AUCTION if order is None else order, Order),
    }
    target = _in(region, f"auction/{item_part(item_id)}/lots", query | _additional(additional))
    return Request("lots", target, partial(decoding.LOTS, page=page))


def price_history(
    region: Region | str, item_id: str, *, limit: int | None, offset: int | None, additional: bool | None
) -> Request[Listing[AuctionPrice]]:
    page = _page(limit, offset, MAX_LIMIT)
    target = _in(region, f"auction/{item_part(item_id)}/history", page._asdict() | _additional(additional))
    return Request("price_history", target, partial(decoding.PRICES, page=page))


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
) -> Request[Listing[OperationSession]]:
    page = _page(limit, offset, MAX_LIMIT_OPERATIONS)
    query: dict[str, Any] = page._asdict() | {
        "sort": validation.choice("sort", Config.SORT_OPERATIONS if sort is None else sort, SortOperations),
        "order": validation.choice("order", Config.ORDER_OPERATIONS if order is None else order, Order),
    }
    if map is not None:
        # The set of maps is open: a map that came after this library must be reachable by its name.
        query["map"] = OperationsMap(validation.text("map", map)).value
    if username is not None:
        query["username"] = validation.text("username", username)
    if before is not None:
        query["before"] = validation.timestamp("before", before)
    if after is not None:
        query["after"] = validation.timestamp("after", after)
    target = _in(region, "operations/sessions", query)
    return Request("operations_sessions", target, partial(decoding.SESSIONS, page=page))


def turned(first: Request[Listing[T]], *, limit: int, offset: int) -> Request[Listing[T]]:
    """Another page of the list that a request is for."""
    path, _, query = first.target.partition("?")
    others = [part for part in query.split("&") if not part.startswith(("limit=", "offset="))]
    decode = cast("partial[Listing[T]]", first.decode)
    return Request(
        first.operation,
        "&".join([f"{path}?limit={limit}&offset={offset}", *others]),
        partial(decode.func, page=decoding.Page(limit=limit, offset=offset)),
    )


def item_part(item_id: str) -> str:
    """The item's id as a part of a path."""
    return validation.path_part("item_id", item_id)


def name_part(username: str) -> str:
    """The character's name as a part of a path."""
    return validation.path_part("username", username)


def clan_part(clan_id: str) -> str:
    """The clan's id as a part of a path."""
    return validation.path_part("clan_id", clan_id)


def _in(region: Region | str, path: str, query: dict[str, Any] | None = None) -> str:
    target = f"/{validation.choice('region', region, Region)}/{path}"
    return f"{target}?{'&'.join([f'{name}={_quoted(query[name])}' for name in query])}" if query else target


@lru_cache(maxsize=512)
def _quoted(value: str | int) -> str:
    """A value of a query. Most are the same ones in every call, and quoting them takes as long as all the rest."""
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
