"""Turn responses into findings. Pure.

`settles` is the number of the question in docs/api-quirks.md that a finding answers.
"""

from __future__ import annotations

import math
import platform
from collections import Counter, defaultdict
from email.utils import parsedate_to_datetime
from importlib.metadata import packages_distributions, version
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeGuard

import httpx
import msgspec

from scapi import __version__, models
from scapi._base.json_types import is_array, is_object
from scapi._conflict import REPAIR
from scapi.cli.doctor import strict
from scapi.cli.doctor.endpoint_calls import HOST
from scapi.cli.formatting import counted, number
from scapi.models import Listing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from scapi.cli.doctor.wire import Exchange

__all__ = ["Finding", "about_conflicts", "about_recording", "about_us", "findings", "software"]

#: How a finding is marked, see `Finding`.
Mark: TypeAlias = Literal["ok", "new", "failed", "info"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the report.

    Attributes:
        mark: `ok` if expected, `new` if unexpected, `failed` if something didn't work, otherwise `info`.
        subject: The subject, usually an endpoint.
        text: The finding.
        settles: The number of the question in docs/api-quirks.md that it answers, or `None`.
    """

    mark: Mark
    subject: str
    text: str
    settles: int | None = None


#: The model of each endpoint's records, and the key of the records in the body; `None` for the whole body.
RECORDS: dict[str, tuple[type[msgspec.Struct], str | None]] = {
    "regions": (models.RegionInfo, None),
    "emission": (models.EmissionState, None),
    "lots": (models.AuctionLot, "lots"),
    "history": (models.AuctionPrice, "prices"),
    "history again": (models.AuctionPrice, "prices"),
    "clans": (models.ClanInfo, "data"),
    "operations": (models.OperationSession, "sessions"),
    "clan": (models.ClanInfo, None),
    "profile": (models.CharacterProfile, None),
    "profile in other case": (models.CharacterProfile, None),
    "characters": (models.Character, None),
    "members": (models.ClanMember, None),
}

#: Calls that should be refused, and the expected status.
REFUSED = {"bad item": 400, "bad character": 404, "foreign members": 401}

#: Two resets that differ by less are the same, in milliseconds.
SAME_RESET = 1000

LIMITS = {"lots": 200, "history": 200, "clans": 200, "operations": 100}

#: Calls with a limit above the maximum, and the key of their rows.
ABOVE = {"too many lots": "lots", "too many clans": "data", "too many operations": "sessions"}


def software() -> str:
    """Return the versions of the installed software."""
    versions = f"scapi {__version__}, Python {platform.python_version()}, httpx {httpx.__version__}"
    return f"{versions}, msgspec {msgspec.__version__}, {platform.system()}"


def about_us() -> Iterator[Finding]:
    """Report the versions of the installed software."""
    yield Finding(mark="info", subject="versions", text=software())


def about_recording(versions: str) -> Iterator[Finding]:
    """Report the versions of the software that made a recording."""
    yield Finding(mark="info", subject="recording", text=f"made with {versions}")


def about_conflicts() -> Iterator[Finding]:
    """Report other installed packages that are imported as `scapi`.

    The import of `scapi` finds those in its own folder. Next to an editable installation they have another folder.
    """
    for name in sorted({*packages_distributions().get("scapi", ())} - {"scapi-client"}):
        text = f"{name} {version(name)} is imported as scapi, too, and either may hide the other: {REPAIR}"
        yield Finding(mark="failed", subject="packages", text=text)


def findings(exchanges: Collection[Exchange]) -> Iterator[Finding]:
    """Report all findings about a round of calls: first call by call, then across the calls."""
    yield from (_host(exchange) for exchange in exchanges if exchange.endpoint.startswith(HOST))
    calls = {exchange.endpoint: exchange for exchange in exchanges if not exchange.endpoint.startswith(HOST)}
    for exchange in calls.values():
        yield from _call(exchange)
    yield from _costs(calls.values())
    yield from _headers(calls.values())
    yield from _other_case(calls)
    yield from _equal_sales(calls)
    yield from _sets(calls.values())


# ── one call ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _host(exchange: Exchange) -> Finding:
    """Report whether a host of the API responds."""
    host = exchange.endpoint.removeprefix(HOST)
    if exchange.error is None:
        return Finding(mark="ok", subject=host, text=f"answers, with {len(exchange.result)} regions", settles=1)
    text = f"{exchange.status or 'no response'}: {type(exchange.error).__name__}"
    return Finding(mark="failed", subject=host, text=text, settles=1)


def _call(exchange: Exchange) -> Iterator[Finding]:
    if exchange.endpoint in ABOVE and exchange.status:
        yield _above_the_limit(exchange)
    elif exchange.endpoint in REFUSED and exchange.status:
        yield _refusal(exchange)
    elif exchange.endpoint == "profile in other case" and exchange.status == 404:
        pass  # `_other_case` reports it
    elif exchange.error is not None:
        yield _failure(exchange)
    else:
        yield from _answer(exchange)


def _above_the_limit(exchange: Exchange) -> Finding:
    """Report what the server does with a limit above the maximum."""
    raw = _decoded(exchange.body)
    rows = raw.get(ABOVE[exchange.endpoint]) if is_object(raw) else None
    text = f"gives {len(rows)} rows" if is_array(rows) else _shape(exchange.body)
    mark: Mark = "ok" if exchange.status == 400 else "new" if exchange.status >= 400 else "info"
    return Finding(mark=mark, subject=exchange.endpoint, text=f"{exchange.status}: {text}", settles=2)


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
    size = counted(len(records), "rows") if _is_page(exchange.result) else "one record"
    text = f"{size}, {counted(len(exchange.body), 'bytes')}, {number(exchange.seconds * 1000)} ms"
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
EXPECTED: dict[str, tuple[str, ...]] = dict.fromkeys(
    ("history", "history again"), ("price is a float, not an integer",)
)


def _page(exchange: Exchange, page: Listing[Any]) -> Iterator[Finding]:
    for rejected in page.rejected:
        # Only the reason, which names a field and a type. The row may contain a player's name.
        yield Finding(
            mark="failed", subject=exchange.endpoint, text=f"row {rejected.index} rejected: {rejected.reason}"
        )
    most = LIMITS.get(exchange.endpoint)
    if most is not None:
        got = len(page) + len(page.rejected)
        whole = got == min(most, page.total)
        text = f"limit={most} gives {got} rows of {number(page.total)}"
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


def _costs(exchanges: Iterable[Exchange]) -> Iterator[Finding]:
    """Report the cost of each call: how many points it used, if the window stayed the same."""
    least, reset = 0, -math.inf
    for exchange in exchanges:
        if (budget := _budget(exchange)) is None:
            continue
        remaining, resets_at = budget
        # The reset is sometimes off by a millisecond.
        if resets_at > reset + SAME_RESET:
            least, reset = remaining, resets_at
        elif resets_at < reset - SAME_RESET or remaining > least:
            text = f"from a cache: {remaining} points left, and not {least} as in an earlier response"
            yield Finding(mark="info", subject=exchange.endpoint, text=text, settles=21)
        else:
            text = f"cost {least - remaining}, if nobody else used the key"
            settles = 16 if exchange.status == 400 else 3
            yield Finding(mark="info", subject=exchange.endpoint, text=text, settles=settles)
            least = remaining


def _budget(exchange: Exchange) -> tuple[int, int] | None:
    """Return the remaining points and the time of the reset, or `None` without these headers."""
    try:
        return int(exchange.headers["x-ratelimit-remaining"]), int(exchange.headers["x-ratelimit-reset"])
    except (KeyError, ValueError):
        return None


def _headers(exchanges: Iterable[Exchange]) -> Iterator[Finding]:
    """Report the limit, the names of the `x-` headers, and the server's clock."""
    answered = [exchange for exchange in exchanges if exchange.headers]
    limits = {value for exchange in answered if (value := exchange.headers.get("x-ratelimit-limit"))}
    if limits:
        left = next((budget[0] for exchange in answered if (budget := _budget(exchange)) is not None), "unknown")
        text = f"x-ratelimit-limit is {', '.join(sorted(limits))}; left after the first call: {left}"
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


def _other_case(calls: dict[str, Exchange]) -> Iterator[Finding]:
    """Report whether a character is found if upper and lower case of its name are swapped."""
    usual, other = calls.get("profile"), calls.get("profile in other case")
    if usual is None or other is None or usual.result is None:
        return
    if other.result is not None:
        same = "the same" if other.result.uuid == usual.result.uuid else "another"
        text = f"swapped upper and lower case give {same} character"
    elif other.status == 404:
        text = "swapped upper and lower case give 404"
    else:
        return
    yield Finding(mark="info", subject="names", text=text, settles=17)


def _equal_sales(calls: dict[str, Exchange]) -> Iterator[Finding]:
    """Report how many sales equal another one, and whether a second response repeats them."""
    pages = [_sales(calls[name]) for name in ("history", "history again") if name in calls and calls[name].result]
    if not pages:
        return
    extra = sum(count - 1 for count in pages[0].values())
    text = f"{extra} of {pages[0].total()} equal another one in every field"
    if extra and len(pages) == 2:
        kept = sum(min(count, pages[1][sale]) - 1 for sale, count in pages[0].items() if count > 1 and pages[1][sale])
        text += f"; {kept} of these do so in a second response, too"
    yield Finding(mark="info", subject="sales", text=text, settles=15)


def _sales(exchange: Exchange) -> Counter[bytes]:
    """Count the sales of a page by their JSON, whatever the order of the keys."""
    return Counter(msgspec.json.encode(record, order="deterministic") for record in _records(exchange))


def _sets(exchanges: Iterable[Exchange]) -> Iterator[Finding]:
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
            shape = strict.array(value) if is_array(value) else strict.kind(value)
            yield Finding(mark="info", subject="profile", text=f"a match history is {shape}", settles=8)


def _additional(pieces: list[dict[str, Any]]) -> Iterator[Finding]:
    """Report the keys of `additional`, and the types of their values."""
    buyers = sum("buyer" in piece for piece in pieces)
    yield Finding(mark="info", subject="additional", text=f"buyer is in {buyers} of {len(pieces)} rows", settles=10)
    keys = sorted({key for piece in pieces for key in piece})
    for key in keys:
        kinds = Counter(strict.kind(piece[key]) for piece in pieces if key in piece)
        yield _said("additional", 11, f"{strict.name(key)} is", kinds)
    meant = {"ndmg", "md_k", "stats_random", "it_transf_count"}.intersection(keys)
    if meant:
        text = f"{', '.join(sorted(meant))} are there to compare with the game"
        yield Finding(mark="info", subject="additional", text=text, settles=19)
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
