"""Turn responses into findings. Pure.

`settles` is the number of the question in docs/api-quirks.md that a finding answers.
"""

from __future__ import annotations

import platform
from collections import Counter, defaultdict
from email.utils import parsedate_to_datetime
from importlib.metadata import packages_distributions, version
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

import httpx
import msgspec

from scapi import __version__, models
from scapi._base.json_types import is_array, is_object
from scapi._conflict import REPAIR
from scapi.cli.doctor import strict
from scapi.models import Listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scapi.cli.doctor.wire import Exchange

__all__ = ["Finding", "about_conflicts", "about_hosts", "about_us", "findings"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the report.

    Attributes:
        mark: `ok` if expected, `new` if unexpected, `failed` if something didn't work, otherwise `info`.
        subject: The subject, usually an endpoint.
        text: The finding.
        settles: The number of the question in docs/api-quirks.md that it answers, or `None`.
    """

    mark: Literal["ok", "new", "failed", "info"]
    subject: str
    text: str
    settles: int | None = None


#: The model of each endpoint's records, and the key of the records in the body; `None` for the whole body.
RECORDS: dict[str, tuple[type[msgspec.Struct], str | None]] = {
    "regions": (models.RegionInfo, None),
    "emission": (models.EmissionState, None),
    "lots": (models.AuctionLot, "lots"),
    "history": (models.AuctionPrice, "prices"),
    "clans": (models.ClanInfo, "data"),
    "operations": (models.OperationSession, "sessions"),
    "clan": (models.ClanInfo, None),
    "profile": (models.CharacterProfile, None),
    "characters": (models.Character, None),
    "members": (models.ClanMember, None),
}

#: Calls that should be refused, and the expected status.
REFUSED = {"bad item": 400, "bad character": 404}

LIMITS = {"lots": 200, "history": 200, "clans": 200, "operations": 100}


def about_us() -> Iterator[Finding]:
    """Report the versions of the installed software."""
    versions = f"scapi {__version__}, Python {platform.python_version()}, httpx {httpx.__version__}"
    yield Finding(
        mark="info", subject="versions", text=f"{versions}, msgspec {msgspec.__version__}, {platform.system()}"
    )


def about_conflicts() -> Iterator[Finding]:
    """Report other installed packages that are imported as `scapi`.

    The import of `scapi` finds those in its own folder. Next to an editable installation they have another folder.
    """
    for name in sorted({*packages_distributions().get("scapi", ())} - {"scapi-client"}):
        text = f"{name} {version(name)} is imported as scapi, too, and either may hide the other: {REPAIR}"
        yield Finding(mark="failed", subject="packages", text=text)


def about_hosts(answers: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Report which hosts respond."""
    for host, text in answers:
        yield Finding(mark="ok" if text.startswith("answers") else "failed", subject=host, text=text, settles=1)


def findings(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Report all findings about a round of calls: first call by call, then across the calls."""
    for exchange in exchanges:
        if exchange.endpoint in REFUSED and exchange.status:
            yield _refusal(exchange)
        elif exchange.error is not None:
            yield _failure(exchange)
        else:
            yield from _answer(exchange)
    yield from _costs(exchanges)
    yield from _headers(exchanges)
    yield from _sets(exchanges)


# ── one call ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _refusal(exchange: Exchange) -> Finding:
    """Report how the server refuses a call."""
    expected = REFUSED[exchange.endpoint]
    if exchange.error is None:
        return Finding(
            mark="new", subject=exchange.endpoint, text=f"{exchange.status} and a result, not {expected}", settles=4
        )
    text = f"{exchange.status}: {_shape(exchange.body)}"
    return Finding(mark="ok" if exchange.status == expected else "new", subject=exchange.endpoint, text=text, settles=4)


def _failure(exchange: Exchange) -> Finding:
    # Without the error's message, which may contain a player's name.
    if not exchange.status:
        return Finding(mark="failed", subject=exchange.endpoint, text=f"no response: {type(exchange.error).__name__}")
    text = f"{exchange.status}, {type(exchange.error).__name__}: {_shape(exchange.body)}"
    return Finding(mark="failed", subject=exchange.endpoint, text=text, settles=4 if exchange.status >= 400 else None)


def _shape(body: bytes) -> str:
    """Describe a body without its values: `an object of details (an object), status (an integer)`."""
    raw = _decoded(body)
    if is_object(raw):
        return "an object of " + ", ".join(f"{strict.name(key)} ({strict.kind(raw[key])})" for key in sorted(raw))
    return strict.kind(raw) if raw is not None else f"{len(body)} bytes that are not JSON" if body else "an empty body"


def _answer(exchange: Exchange) -> Iterator[Finding]:
    """Report a response: its size and time, its rejected rows, and how it differs from its model."""
    records = _records(exchange)
    settles = 14 if exchange.endpoint == "operations" else None
    oddities: Counter[str] = Counter()
    if exchange.endpoint in RECORDS:
        for record in records:
            oddities.update(strict.odd(record, RECORDS[exchange.endpoint][0]))
    size = f"{len(records)} rows" if _is_page(exchange.result) else "one record"
    text = f"{size}, {len(exchange.body):,} bytes" + ("" if exchange.saved else f", {exchange.seconds * 1000:.0f} ms")
    yield Finding(mark="ok", subject=exchange.endpoint, text=text, settles=None if oddities else settles)
    for oddity, count in sorted(oddities.items()):
        known = oddity in EXPECTED.get(exchange.endpoint, ())
        text = f"{oddity}, in {count} of {len(records)} rows"
        yield Finding(mark="ok" if known else "new", subject=exchange.endpoint, text=text, settles=settles)
    if _is_page(exchange.result):
        yield from _page(exchange, exchange.result)


def _is_page(result: object) -> TypeGuard[Listing[Any]]:
    return isinstance(result, Listing)


#: Known differences between responses and their models.
EXPECTED = {"history": ("price is a float, not an integer",)}


def _page(exchange: Exchange, page: Listing[Any]) -> Iterator[Finding]:
    for rejected in page.rejected:
        # Only the reason, which names a field and a type. The row may contain a player's name.
        yield Finding(
            mark="failed", subject=exchange.endpoint, text=f"row {rejected.index} rejected: {rejected.reason}"
        )
    most = LIMITS.get(exchange.endpoint)
    if most is not None and not exchange.saved:
        got = len(page) + len(page.rejected)
        whole = got == min(most, page.total)
        text = f"limit={most} gives {got} rows of {page.total}"
        yield Finding(mark="ok" if whole else "new", subject=exchange.endpoint, text=text, settles=2)


def _records(exchange: Exchange) -> list[Any]:
    """Return the records of a body as they were sent."""
    raw = _decoded(exchange.body)
    key = RECORDS.get(exchange.endpoint, (None, None))[1]
    rows = raw.get(key) if key is not None and is_object(raw) else raw
    return rows if is_array(rows) else [rows]


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


# ── across the calls ──────────────────────────────────────────────────────────────────────────────────────────────────


def _costs(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Report the cost of each call: how many points it used, if the window stayed the same."""
    counted = [(exchange, budget) for exchange in exchanges if (budget := _budget(exchange)) is not None]
    for (_, before), (exchange, after) in pairwise(counted):
        # The reset is sometimes off by a millisecond.
        if abs(after[1] - before[1]) < 1000:
            text = f"cost {before[0] - after[0]}, if nobody else used the key in the meantime"
            yield Finding(mark="info", subject=exchange.endpoint, text=text, settles=3)


def _budget(exchange: Exchange) -> tuple[int, int] | None:
    """Return the remaining points and the time of the reset, or `None` without these headers."""
    try:
        return int(exchange.headers["x-ratelimit-remaining"]), int(exchange.headers["x-ratelimit-reset"])
    except (KeyError, ValueError):
        return None


def _headers(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Report the limit, the names of the `x-` headers, and the server's clock."""
    answered = [exchange for exchange in exchanges if exchange.status and not exchange.saved]
    limits = {value for exchange in answered if (value := exchange.headers.get("x-ratelimit-limit"))}
    if limits:
        text = f"x-ratelimit-limit is {', '.join(sorted(limits))}"
        yield Finding(mark="info", subject="limit", text=text, settles=13)
    without = sorted({exchange.endpoint for exchange in answered if _budget(exchange) is None})
    if without:
        yield Finding(mark="info", subject="limit", text=f"no rate-limit headers from: {', '.join(without)}")
    names = sorted({name for exchange in answered for name in exchange.headers if name.startswith("x-")})
    if names:
        yield Finding(mark="info", subject="headers", text=", ".join(map(strict.name, names)))
    skews = [skew for exchange in answered if (skew := _skew(exchange)) is not None]
    if skews:
        skew = sorted(skews)[len(skews) // 2]
        text = f"the server's clock is {round(skew):+d} s from ours, to a second"
        yield Finding(mark="ok" if abs(skew) < 5 else "new", subject="clock", text=text)


def _skew(exchange: Exchange) -> float | None:
    try:
        return parsedate_to_datetime(exchange.headers["date"]).timestamp() - exchange.received
    except (KeyError, ValueError):
        return None


def _sets(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Report the values of open sets in these responses."""
    raw: defaultdict[str, list[Any]] = defaultdict(list)
    for exchange in exchanges:
        raw[exchange.endpoint] += [_decoded(exchange.body)] if exchange.error is None else []
    everything, lots, sales = [*raw.values()], raw["lots"], raw["history"]
    prices = [price for key in ("startPrice", "buyoutPrice", "currentPrice") for price in strict.values(lots, key)]
    if prices:
        yield _said("lots", 5, "prices are", Counter(map(strict.kind, prices)))
    if alliances := Counter(map(str, strict.values(everything, "alliance"))):
        yield _said("alliances", 6, "are", _names(alliances))
    if ranks := Counter(map(str, strict.values(everything, "rank"))):
        yield _said("ranks", 7, "are", _names(ranks))
    for stat in strict.values(raw["profile"], "stats"):
        yield from _match_history(stat)
    if regions := [str(region) for region in strict.values(raw["regions"], "id")]:
        yield _said("regions", 9, "are", _names(Counter(regions)))
    pieces = [piece for piece in strict.values([lots, sales], "additional") if is_object(piece)]
    if pieces:
        yield from _additional(pieces)


def _match_history(stats: Any) -> Iterator[Finding]:
    for stat in stats if is_array(stats) else ():
        if is_object(stat) and stat.get("type") == "SLIDING_MATCH_HISTORY":
            value = stat.get("value")
            inner = f" of {', '.join(sorted(set(map(strict.kind, value))))}" if is_array(value) else ""
            yield Finding(
                mark="info", subject="profile", text=f"a match history is {strict.kind(value)}{inner}", settles=8
            )


def _additional(pieces: list[dict[str, Any]]) -> Iterator[Finding]:
    """Report the keys of `additional`, and the types of their values."""
    buyers = sum("buyer" in piece for piece in pieces)
    yield Finding(mark="info", subject="additional", text=f"buyer is in {buyers} of {len(pieces)} rows", settles=10)
    keys = sorted({key for piece in pieces for key in piece})
    for key in keys:
        kinds = Counter(strict.kind(piece[key]) for piece in pieces if key in piece)
        yield _said("additional", 11, f"{strict.name(key)} is", kinds)
    qualities = Counter(str(piece["qlt"]) for piece in pieces if isinstance(piece.get("qlt"), int | float))
    if qualities:
        yield _said("qualities", 12, "are", qualities)


def _said(subject: str, settles: int, verb: str, counts: Counter[str]) -> Finding:
    parts = ", ".join(f"{text} ×{count}" for text, count in sorted(counts.items()))
    return Finding(mark="info", subject=subject, text=f"{verb} {parts}", settles=settles)


def _names(counts: Counter[str]) -> Counter[str]:
    """Return counts of enum members by name. Unexpected text is hidden, because it could be anything."""
    shown: Counter[str] = Counter()
    for text, count in counts.items():
        shown[strict.name(text)] += count
    return shown
