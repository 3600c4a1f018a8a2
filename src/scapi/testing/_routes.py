"""The endpoints of the API: a table of routes, and the handlers.

A new endpoint is a handler and a line in `ROUTES`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypeVar
from urllib.parse import parse_qsl, unquote

from scapi._base.validation import iso
from scapi.testing._catalogue import MAPS, REGIONS, USER_CHARACTERS
from scapi.testing._http import RefusedError, Reply
from scapi.testing._world import World

T = TypeVar("T")

Row = dict[str, Any]
Value: TypeAlias = dict[str, "Value"] | list["Value"] | str | float | datetime | None
Access = Literal["open", "app", "user"]


@dataclass(frozen=True, slots=True)
class Call:
    """A request to an endpoint.

    Attributes:
        world: The data of the fake.
        now: The time of the fake's clock in seconds since the epoch.
        path: The variable parts of the path, decoded, by their name in the route.
        query: Decoded query parameters.
        clamp: Whether a limit above the maximum becomes the maximum.
        turn: How far keys and lists are rotated; 0 keeps the usual order.
    """

    world: World
    now: int
    path: Mapping[str, str]
    query: Mapping[str, str]
    clamp: bool
    turn: int

    @property
    def region(self) -> str:
        """The region's id. An unknown region is refused with 404."""
        region = self.path["region"].upper()
        if region not in REGIONS:
            raise RefusedError(404, "Unknown region", allowed=", ".join(REGIONS))
        return region

    @property
    def item(self) -> str:
        """The item's id. An unknown item is refused with 400."""
        item = self.path["item"]
        if item not in self.world.items:
            raise RefusedError(400, "Invalid item id", item=item)
        return item


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table.

    Attributes:
        method: HTTP method.
        pattern: Path; a part in braces matches anything.
        endpoint: Name in the table of costs.
        access: The token that it needs; a user's token works wherever an application's does.
        handler: Returns the JSON value of the response, or a whole `Reply`.
    """

    method: str
    pattern: str
    endpoint: str
    access: Access
    handler: Callable[[Call], object]

    def match(self, parts: Sequence[str]) -> dict[str, str] | None:
        """Return the variable parts of a path, None if the path doesn't match."""
        own = self.pattern.split("/")
        if len(own) != len(parts) or any(a != b for a, b in zip(own, parts, strict=True) if a[:1] != "{"):
            return None
        return {a[1:-1]: b for a, b in zip(own, parts, strict=True) if a[:1] == "{"}


def split_target(target: str) -> tuple[list[str], dict[str, str]]:
    """Return the decoded parts of a request target's path, and its query.

    A slash within a name is sent as `%2F`, so the path is split before it is decoded.
    """
    path, _, query = target.partition("?")
    return [unquote(part) for part in path.split("/")], dict(parse_qsl(query, keep_blank_values=True))


def find(method: str, parts: Sequence[str]) -> tuple[Route, dict[str, str]]:
    """Return the route of a request and its variable parts. Refuse the request with 404 or 405 if there is none."""
    found = [(route, path) for route in ROUTES if (path := route.match(parts)) is not None]
    if not found:
        raise RefusedError(404)
    for route, path in found:
        if route.method == method:
            return route, path
    raise RefusedError(405, allowed=", ".join(route.method for route, _ in found))


# ── parameters ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _integer(call: Call, name: str, default: int, high: int | None = None) -> int:
    text = call.query.get(name, str(default))
    allowed = "a whole number, 0 or more" if high is None else f"a whole number from 0 to {high}"
    if not (text.isascii() and text.isdigit()):
        raise RefusedError(400, "Bad Request", **{name: f"must be {allowed}"})
    value = int(text)
    if high is None or value <= high:
        return value
    if not call.clamp:
        raise RefusedError(400, "Bad Request", **{name: f"must be {allowed}"})
    return high


def _choice(call: Call, name: str, allowed: Sequence[str]) -> str:
    """Return a parameter that must be one of the allowed values. The first is the default."""
    value = call.query.get(name, allowed[0])
    if value not in allowed:
        raise RefusedError(400, "Bad Request", **{name: f"must be one of: {', '.join(allowed)}"})
    return value


def _time(call: Call, name: str) -> datetime | None:
    if name not in call.query:
        return None
    try:
        value = iso(call.query[name])
    except ValueError:
        value = None
    if value is None or value.tzinfo is None:
        raise RefusedError(400, "Bad Request", **{name: "must be a time such as 2026-01-31T12:00:00Z"})
    return value


def _page(call: Call, most: int) -> tuple[int, int]:
    """Return the offset and the limit of the page."""
    return _integer(call, "offset", 0), _integer(call, "limit", 20, most)


def _ordered(call: Call, rows: Sequence[Row], key: Callable[[Row], Any]) -> list[Row]:
    return sorted(rows, key=key, reverse=_choice(call, "order", ORDERS) == "desc")


def _detailed(call: Call, rows: Sequence[Row]) -> Sequence[Value]:
    if call.query.get("additional", "").lower() != "true":
        rows = [row | {"additional": {}} for row in rows]
    return [_turned(row, call.turn) for row in rows] if call.turn else rows


def _turned(value: Value, turn: int) -> Value:
    """Return a row with its keys, and the lists within it, in another order."""
    if isinstance(value, dict):
        return {key: _turned(inner, turn) for key, inner in _rotated(list(value.items()), turn)}
    return _rotated(value, turn) if isinstance(value, list) else value


def _rotated(values: list[T], turn: int) -> list[T]:
    place = turn % (len(values) or 1)
    return values[place:] + values[:place]


# ── handlers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _regions(_: Call) -> object:
    return [{"id": region, "name": name} for region, name in REGIONS.items()]


def _emission(call: Call) -> object:
    return call.world.emissions.state(call.region, call.now)


def _lots(call: Call) -> object:
    offset, limit = _page(call, 200)
    key = LOT_SORTS[_choice(call, "sort", tuple(LOT_SORTS))]
    rows = _ordered(call, call.world.market.lots(call.region, call.item, call.now), key)
    return {"total": len(rows), "lots": _detailed(call, rows[offset : offset + limit])}


def _history(call: Call) -> object:
    offset, limit = _page(call, 200)
    market, region, item = call.world.market, call.region, call.item
    rows = list(market.sales(region, item, offset, limit))
    return {"total": market.total_sales(region, item), "prices": _detailed(call, rows)}


def _profile(call: Call) -> object:
    region, name = call.region, call.path["character"]
    if name.casefold() in call.world.empty_profiles:
        return Reply(200, {"content-type": "text/plain; charset=utf-8"})
    if (profile := call.world.profile(region, name)) is None:
        raise RefusedError(404)
    return profile


def _clans(call: Call) -> object:
    offset, limit = _page(call, 200)
    clans = call.world.people(call.region).clans
    return {"totalClans": len(clans), "data": clans[offset : offset + limit]}


def _clan(call: Call) -> object:
    wanted = call.path["clan"].lower()
    for clan in call.world.people(call.region).clans:
        if clan["id"] == wanted:
            return clan
    raise RefusedError(404)


def _members(call: Call) -> object:
    clan = call.path["clan"].lower()
    members = call.world.people(call.region).members.get(clan)
    if members is None:
        raise RefusedError(404)
    if not any(member["name"] in USER_CHARACTERS for member in members):
        raise RefusedError(401)
    return members


def _characters(call: Call) -> object:
    characters = call.world.people(call.region).characters
    return [characters[name.casefold()] for name in USER_CHARACTERS]


def _friends(call: Call) -> object:
    name = call.path["character"].casefold()
    if name not in map(str.casefold, USER_CHARACTERS):
        raise RefusedError(404)
    return call.world.friends(call.region, name)


def _sessions(call: Call) -> object:
    offset, limit = _page(call, 100)
    key = SESSION_SORTS[_choice(call, "sort", tuple(SESSION_SORTS))]
    filters = _session_filters(call)
    rows = [row for row in call.world.sessions(call.region) if all(wanted(row) for wanted in filters)]
    return {"total": len(rows), "sessions": _ordered(call, rows, key)[offset : offset + limit]}


def _session_filters(call: Call) -> list[Callable[[Row], bool]]:
    filters: list[Callable[[Row], bool]] = []
    if "map" in call.query:
        played = _choice(call, "map", MAPS)
        filters.append(lambda row: row["map"] == played)
    if username := call.query.get("username", "").casefold():
        filters.append(lambda row: username in {player["username"].casefold() for player in row["participants"]})
    if (before := _time(call, "before")) is not None:
        filters.append(lambda row: row["endTime"] < before)
    if (after := _time(call, "after")) is not None:
        filters.append(lambda row: row["endTime"] > after)
    return filters


ORDERS = ("asc", "desc")

LOT_SORTS: dict[str, Callable[[Row], Any]] = {
    "time_created": lambda lot: lot["startTime"],
    "time_left": lambda lot: lot["endTime"],
    "current_price": lambda lot: lot.get("currentPrice", lot["startPrice"]),
    "buyout_price": lambda lot: lot["buyoutPrice"],
}

SESSION_SORTS: dict[str, Callable[[Row], Any]] = {
    "date_finish": lambda session: session["endTime"],
    "difficulty": lambda session: session["difficulty"],
}

ROUTES = (
    Route("GET", "/regions", "regions", "open", _regions),
    Route("GET", "/{region}/emission", "emission", "app", _emission),
    Route("GET", "/{region}/auction/{item}/lots", "lots", "app", _lots),
    Route("GET", "/{region}/auction/{item}/history", "history", "app", _history),
    Route("GET", "/{region}/character/by-name/{character}/profile", "profile", "app", _profile),
    Route("GET", "/{region}/clans", "clans", "app", _clans),
    Route("GET", "/{region}/clan/{clan}/info", "clan", "app", _clan),
    Route("GET", "/{region}/clan/{clan}/members", "members", "user", _members),
    Route("GET", "/{region}/characters", "characters", "user", _characters),
    Route("GET", "/{region}/friends/{character}", "friends", "user", _friends),
    Route("GET", "/{region}/operations/sessions", "sessions", "app", _sessions),
)
