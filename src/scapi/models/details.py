"""The contents of `additional` as fields.

Its keys are undocumented. Players and authors of tools have found out their meaning; each attribute says how certain it
is.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from scapi._base.formatting import EPOCH, MILLISECONDS
from scapi._base.json_types import is_array
from scapi.enums import BonusProperty, Quality
from scapi.models._base import Record, Time

__all__ = ["PieceDetails", "details_of", "whole"]


#: The difference between two qualities, and the value of the worst common artefact, in percent.
STEP, LEAST = 15.0, 85.0


class PieceDetails(Record, frozen=True, kw_only=True, gc=False):
    """The details of a traded piece. A value that the server didn't send is `None`, 0 or empty.

    Attributes:
        bonus_properties: The properties that upgrades have unlocked, sorted by name. Certain; an open set.
        spawn_time: When the piece was created (aware, UTC). Certain.
        studied: Whether an artefact has been studied. Likely.
        percent: The value of a studied artefact of known quality, in percent of the base value: 85 to 190. One source.
        charge: The remaining charge, in percent. Likely.
        max_charge: The maximum charge that it can still reach, in percent. Likely.
        transfers: How often it changed its owner. Likely.
        upgrade_bonus: A number that upgrades change; its meaning is unknown.
        buyer: The name of the buyer. Rarely sent, if ever.
    """

    bonus_properties: list[BonusProperty] = []
    spawn_time: Time | None = None
    studied: bool = False
    percent: float | None = None
    charge: float | None = None
    max_charge: float | None = None
    transfers: int = 0
    upgrade_bonus: float | None = None
    buyer: str | None = None


def details_of(additional: dict[str, Any], quality: Quality | None) -> PieceDetails:
    """Read `additional`. A value of an unexpected type counts as absent."""
    opened = additional.get("bonus_properties")
    names = {name for name in opened if isinstance(name, str)} if is_array(opened) else set[str]()
    spawned = whole(additional.get("spawn_time"))
    roll = _number(additional.get("stats_random"))
    lost, lost_for_good = _number(additional.get("ndmg")), _number(additional.get("md_k"))
    buyer = additional.get("buyer")
    return PieceDetails(
        bonus_properties=[BonusProperty(name) for name in sorted(names)],
        spawn_time=None if spawned is None else _time(spawned),
        studied=roll is not None,
        percent=_percent(roll, quality),
        charge=None if lost is None else (1 - lost) * 100,
        max_charge=None if lost_for_good is None else (1 - lost_for_good) * 100,
        transfers=whole(additional.get("it_transf_count")) or 0,
        upgrade_bonus=_number(additional.get("upgrade_bonus")),
        buyer=buyer if isinstance(buyer, str) else None,
    )


def whole(value: Any) -> int | None:
    """Return a whole number as an `int`, also one such as `7.0`; `None` for anything else, and for `bool`."""
    if type(value) is not int:
        is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if not is_whole or isinstance(value, bool):
            return None
        value = int(value)
    # A number beyond 64 bits is neither a quality nor a level.
    return value if -(2**63) <= value < 2**63 else None


def _number(value: Any) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _time(milliseconds: int) -> datetime | None:
    return EPOCH + timedelta(milliseconds=milliseconds) if milliseconds in MILLISECONDS else None


def _percent(roll: float | None, quality: Quality | None) -> float | None:
    """Convert the roll, -2 to 2, to a value in the range of the quality."""
    if roll is None or quality is None or quality.name not in Quality.__members__:
        return None
    return LEAST + STEP * quality + STEP * min(max((roll + 2) / 4, 0.0), 1.0)
