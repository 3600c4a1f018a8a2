"""One way to decode in a process of its own: `python -m benchmarks.decoders NAME`.

Reads commands from its input, a JSON object a line, and answers each with a JSON object a line. What it decodes with
is imported when it is named, because the interpreter that runs it has only that.
"""

from __future__ import annotations

import gc
import hashlib
import json
import sys
import time
import zlib
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scapi._http.messages import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Callable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: What every way has to have read, by the server's names, and what an absent field means.
FIELDS: dict[str, dict[str, Any]] = {
    "lots": {
        **dict.fromkeys(("itemId", "amount", "startPrice", "currentPrice", "buyoutPrice", "startTime", "endTime")),
        "additional": {},
    },
    "prices": {"amount": None, "price": None, "time": None, "additional": {}},
    "sessions": dict.fromkeys(
        ("id", "map", "startTime", "endTime", "difficulty", "sessionDurationSeconds", "difficultyReward")
    ),
    "participants": {
        **dict.fromkeys(("username", "armorClass", "armorItemId", "primaryWeaponItemId", "secondaryWeaponItemId")),
        **dict.fromkeys(("death", "mobKills", "damageReceived", "damageDealt"), 0),
        **dict.fromkeys(("armorLevel", "primaryWeaponLevel", "secondaryWeaponLevel"), 0),
    },
}
TIMES = {"startTime", "endTime", "time"}
WHOLE = {"amount", "price", "startPrice", "currentPrice", "buyoutPrice"}
#: What our models call differently from the server.
OURS = {"sessionDurationSeconds": "duration_seconds", "difficultyReward": "reward"}


class Way(NamedTuple):
    """How bodies of one kind are decoded, and how a field is got out of a row that came of it."""

    decode: Callable[[bytes], list[Any]]
    get: Callable[[Any, str], Any]


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def attribute(row: Any, name: str) -> Any:
    return getattr(row, snake(name))


def our_attribute(row: Any, name: str) -> Any:
    return getattr(row, OURS.get(name) or snake(name))


# ── ways ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def scapi(kind: str) -> Way:
    from scapi._api import decoding

    decode = {"lots": decoding.LOTS, "prices": decoding.PRICES, "sessions": decoding.SESSIONS}[kind]
    page = decoding.Page(limit=200, offset=0)
    return Way(lambda body: decode(body, page=page), our_attribute)


def bare_msgspec(kind: str) -> Way:
    import msgspec

    from scapi import models

    model = {"lots": models.AuctionLot, "prices": models.AuctionPrice, "sessions": models.OperationSession}[kind]
    page = msgspec.defstruct("Page", [("total", int), (kind, list[model])])
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(page, strict=False)
    return Way(lambda body: getattr(decoder.decode(body), kind), our_attribute)


def dataclasses_of_orjson(kind: str) -> Way:
    """What one writes by hand: a class with slots for each record, and a function that makes one of a dict."""
    from dataclasses import make_dataclass

    import orjson

    loads, moment = orjson.loads, datetime.fromisoformat
    lot, sale, session, player = (
        make_dataclass(name, [*map(snake, FIELDS[name]), *more], slots=True)
        for name, more in {"lots": [], "prices": [], "sessions": ["participants"], "participants": []}.items()
    )

    def lots(row: Any) -> Any:
        get = row.get
        return lot(
            row["itemId"],
            row["amount"],
            row["startPrice"],
            get("currentPrice"),
            row["buyoutPrice"],
            moment(row["startTime"]),
            moment(row["endTime"]),
            get("additional") or {},
        )

    def prices(row: Any) -> Any:
        return sale(row["amount"], int(row["price"]), moment(row["time"]), row.get("additional") or {})

    def players(row: Any) -> Any:
        get = row.get
        return player(
            row["username"],
            get("armorClass"),
            get("armorItemId"),
            get("primaryWeaponItemId"),
            get("secondaryWeaponItemId"),
            get("death", 0),
            get("mobKills", 0),
            get("damageReceived", 0.0),
            get("damageDealt", 0.0),
            get("armorLevel", 0),
            get("primaryWeaponLevel", 0),
            get("secondaryWeaponLevel", 0),
        )

    def sessions(row: Any) -> Any:
        return session(
            row["id"],
            row["map"],
            moment(row["startTime"]),
            moment(row["endTime"]),
            row["difficulty"],
            row["sessionDurationSeconds"],
            row["difficultyReward"],
            [players(each) for each in row["participants"]],
        )

    make = {"lots": lots, "prices": prices, "sessions": sessions}[kind]
    return Way(lambda body: [make(row) for row in loads(body)[kind]], attribute)


def pydantic(kind: str) -> Way:
    from pydantic import AwareDatetime, BaseModel, ConfigDict, create_model
    from pydantic.alias_generators import to_camel

    class Base(BaseModel):
        model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    kinds = {
        **dict.fromkeys(("itemId", "map", "username"), (str, ...)),
        **dict.fromkeys(
            ("amount", "price", "startPrice", "buyoutPrice", "id", "difficulty", "difficultyReward"), (int, ...)
        ),
        **dict.fromkeys(TIMES, (AwareDatetime, ...)),
        **dict.fromkeys(
            ("armorClass", "armorItemId", "primaryWeaponItemId", "secondaryWeaponItemId"), (str | None, None)
        ),
        **dict.fromkeys(("death", "mobKills", "armorLevel", "primaryWeaponLevel", "secondaryWeaponLevel"), (int, 0)),
        **dict.fromkeys(("damageReceived", "damageDealt"), (float, 0.0)),
        "sessionDurationSeconds": (float, ...),
        "currentPrice": (int | None, None),
        "additional": (dict[str, Any], {}),
    }

    def model(name: str, **more: Any) -> Any:
        return create_model(name, __base__=Base, **{snake(field): kinds[field] for field in FIELDS[name]}, **more)

    more = {"participants": (list[model("participants")], [])} if kind == "sessions" else {}
    page: Any = create_model("Page", total=(int, ...), **{kind: (list[model(kind, **more)], ...)})
    return Way(lambda body: getattr(page.model_validate_json(body), kind), attribute)


def stalcraft_api(kind: str) -> Way:
    """The package of that name, which is imported as `scapi`, too; its interpreter has it alone."""
    from scapi.client import models  # type: ignore[attr-defined]  # of the other package
    from scapi.http import Listing  # type: ignore[import-not-found]  # of the other package

    model = {"lots": models.AuctionLot, "prices": models.AuctionPrice, "sessions": models.OperationSession}[kind]

    def get(row: Any, name: str) -> Any:
        return getattr(row, snake(name), None) if hasattr(row, snake(name)) else our_attribute(row, name)

    return Way(lambda body: Listing(json.loads(body), model, kind, "total"), get)


WAYS: dict[str, Callable[[str], Way]] = {
    "scapi": scapi,
    "msgspec": bare_msgspec,
    "orjson + dataclasses": dataclasses_of_orjson,
    "pydantic v2": pydantic,
    "stalcraft-api": stalcraft_api,
}


# ── what is measured ──────────────────────────────────────────────────────────────────────────────────────────────────


def digest(kind: str, way: Way, body: bytes) -> str:
    """A digest of all that was read, the same for all ways that read the same."""
    rows = [plain(kind, row, way) for row in way.decode(body)]
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def plain(kind: str, row: Any, way: Way) -> dict[str, Any]:
    found = {name: value(name, way.get(row, name), absent) for name, absent in FIELDS[kind].items()}
    if kind == "sessions":
        found["participants"] = [plain("participants", player, way) for player in row.participants]
    return found


def value(name: str, value: Any, absent: Any) -> Any:
    if value is None or name not in TIMES | WHOLE:
        # An enum's member is its value here.
        return absent if value is None else getattr(value, "value", value)
    return (value - EPOCH).total_seconds() if name in TIMES else float(value)


def taken(decode: Callable[[bytes], Any], body: bytes, seconds: float) -> float:
    """Microseconds of the processor to decode a body, over as many times as fit into so many seconds."""
    runs, start = 0, time.process_time()
    while (now := time.process_time()) < start + seconds:
        decode(body)
        runs += 1
    return 1e6 * (now - start) / runs


def held(way: Way, page: bytes, pages: int) -> dict[str, float]:
    """What it takes to hold many pages: memory, objects that the collector of garbage tracks, and its time."""
    import tracemalloc

    gc.collect()
    gc.freeze()
    tracemalloc.start()
    rows = [row for _ in range(pages) for row in way.decode(page)]
    memory = tracemalloc.get_traced_memory()[0] / 2**20
    tracemalloc.stop()
    tracked, start = len(gc.get_objects()), time.process_time()
    gc.collect()
    return {"rows": len(rows), "mib": memory, "tracked": tracked, "collect": 1e3 * (time.process_time() - start)}


def longest(kind: str, body: bytes) -> dict[str, float]:
    """Milliseconds of the processor between two yields while a large body is read, at the most, and in all."""
    from functools import partial

    from scapi._api import decoding
    from scapi._http.messages import HttpRequest

    decode: Any = {"lots": decoding.LOTS, "prices": decoding.PRICES, "sessions": decoding.SESSIONS}[kind]
    pieces = decoding.in_pieces(
        HttpResponse(200, {}, body),
        partial(decode, page=decoding.Page(limit=200, offset=0)),
        HttpRequest("https://localhost/"),
    )
    times = [time.process_time()]
    for _ in pieces:
        times.append(time.process_time())  # noqa: PERF401  # the moment counts
    times.append(time.process_time())
    gaps = [1e3 * (after - before) for before, after in pairwise(times)]
    return {"longest": max(gaps), "all": sum(gaps), "yields": len(gaps)}


def obey(name: str, command: dict[str, Any]) -> Any:
    kind, body = command["kind"], Path(command["path"]).read_bytes()
    if command["ask"] == "longest":
        return longest(kind, body)
    way = WAYS[name](kind)
    if command["ask"] == "digest":
        try:
            return digest(kind, way, body)
        except Exception as error:  # noqa: BLE001  # a way that refuses a body is a result
            return f"refused: {type(error).__name__}"
    if command["ask"] == "held":
        return held(way, body, command["pages"])
    decode = way.decode
    if command["gzip"]:
        body = zlib.compress(body, wbits=31)
        return taken(lambda packed: decode(zlib.decompress(packed, wbits=31)), body, command["seconds"])
    return taken(decode, body, command["seconds"])


def main(name: str) -> None:
    """Obey what comes in, a line at a time."""
    import logging

    # What is lost is told in a log, which is not what is measured.
    logging.disable()
    for line in sys.stdin:
        print(json.dumps(obey(name, json.loads(line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
