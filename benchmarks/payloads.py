"""The bodies that all programs are given: made up here, in the shape and size of the real ones, always the same."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 9, 1, tzinfo=UTC)


def emission() -> bytes:
    return _dumps({"previousStart": _time(0), "previousEnd": _time(270)})


def lots(count: int = 200) -> bytes:
    dice = random.Random(1)
    return _dumps({"total": count, "lots": [_lot(dice, n) for n in range(count)]})


def sales(count: int) -> list[bytes]:
    """Single rows, newest first, for a server that cuts pages out of them."""
    dice = random.Random(2)
    return [_dumps(_sale(dice, count - n)) for n in range(count)]


def page_of_sales(rows: list[bytes], offset: int, limit: int) -> bytes:
    return b'{"total":%d,"prices":[%b]}' % (len(rows), b",".join(rows[offset : offset + limit]))


def sessions(count: int = 100, players: int = 5) -> bytes:
    dice = random.Random(3)
    return _dumps({"total": count, "sessions": [_session(dice, n, players) for n in range(count)]})


def _lot(dice: random.Random, number: int) -> dict[str, Any]:
    lot: dict[str, Any] = {
        "itemId": "zyv9",
        "amount": dice.randint(1, 100),
        "startPrice": dice.randint(0, 10**6),
        "buyoutPrice": dice.randint(0, 10**7),
        "startTime": _time(number),
        "endTime": _time(number + 48 * 3600),
        "additional": _additional(dice),
    }
    if number % 3 == 0:
        lot["currentPrice"] = dice.randint(1, 10**7)
    return lot


def _sale(dice: random.Random, second: int) -> dict[str, Any]:
    # The real server spells whole prices as floats here.
    price = float(dice.randint(1, 10**7))
    return {"amount": dice.randint(1, 9), "price": price, "time": _time(second * 7), "additional": _additional(dice)}


def _additional(dice: random.Random) -> dict[str, Any]:
    return {
        "qlt": dice.randint(0, 5),
        "ptn": dice.randint(0, 15),
        "spawn_time": 1_756_000_000_000 + dice.randrange(10**9),
        "stats_random": round(dice.random(), 6),
    }


def _session(dice: random.Random, number: int, players: int) -> dict[str, Any]:
    return {
        "id": 1_472_603_904_834_535_425 + number,
        "map": dice.choice(["big_cleanup", "shock_therapy", "sea_alienation"]),
        "startTime": _time(number),
        "endTime": _time(number + 700),
        "difficulty": dice.randint(1, 30),
        "sessionDurationSeconds": round(dice.uniform(300, 1800), 5),
        "difficultyReward": dice.randint(1, 100),
        "participants": [_player(dice) for _ in range(players)],
    }


def _player(dice: random.Random) -> dict[str, Any]:
    return {
        "username": f"Stalker_{dice.randrange(10**6)}",
        "death": dice.randint(0, 5),
        "mobKills": dice.randint(0, 300),
        "damageReceived": round(dice.uniform(0, 9999), 3),
        "damageDealt": round(dice.uniform(0, 99999), 3),
        "armorClass": dice.choice(["combined", "light", "heavy"]),
        "armorItemId": "zyv9",
        "armorLevel": dice.randint(0, 15),
        "primaryWeaponItemId": "dm6l2",
        "primaryWeaponLevel": dice.randint(0, 15),
        "secondaryWeaponItemId": "kqgy",
        "secondaryWeaponLevel": dice.randint(0, 15),
    }


def _time(second: int) -> str:
    return f"{START + timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ}"


def _dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def numbered_sale(number: int) -> bytes:
    """A sale whose price is its number, with the keys of `additional` about as often as they were recorded."""
    dice = random.Random(number)
    sale = {"amount": dice.choice([1, 1, 1, 2, 40]), "price": float(number + 1), "time": _time(number * 7)}
    return _dumps(sale | {"additional": recorded_details(dice)})


def recorded_details(dice: random.Random) -> dict[str, Any]:
    """What a page of 100 sales of an artefact had in `additional`: as many keys, in the same order."""
    often = {
        "bonus_properties": (0.17, lambda: dice.sample(["STAMINA_REGENERATION", "SPEED_MOD", "STAMINA_BONUS"], 3)),
        "ndmg": (0.07, dice.random),
        "it_transf_count": (0.35, lambda: dice.randint(1, 9)),
        "qlt": (0.99, lambda: dice.randint(0, 5)),
        "ptn": (0.19, lambda: dice.randint(1, 15)),
        "stats_random": (0.04, lambda: round(dice.uniform(-2, 2), 7)),
        "upgrade_bonus": (1.0, lambda: 0.0),
        "spawn_time": (0.97, lambda: 1_785_000_000_000 + dice.randrange(10**9)),
    }
    return {key: make() for key, (share, make) in often.items() if dice.random() < share}
