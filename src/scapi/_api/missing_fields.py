"""Find fields that a response lacks although the API has always sent them. They are `None`, with a warning."""

from __future__ import annotations

from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from scapi import models
from scapi._api.lenient import Loss, Losses
from scapi._base.json_types import is_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


EXPECTED: Mapping[type, tuple[str, ...]] = {
    models.AuctionLot: ("start_price", "buyout_price", "start_time", "end_time"),
    models.CharacterInfo: ("creation_time",),
    models.ClanAffiliation: ("member",),
    models.ClanInfo: ("tag", "level", "level_points", "registration_time", "leader", "member_count"),
    models.ClanMember: ("rank", "join_time"),
    models.OperationParticipant: ("username",),
    models.OperationSession: ("end_time", "difficulty", "duration_seconds", "reward"),
    models.RegionInfo: ("name",),
    models.Statistic: ("type",),
}

#: The nested records of a model, by field.
INNER: Mapping[type, Mapping[str, type]] = {
    models.Character: {"info": models.CharacterInfo, "clan": models.ClanAffiliation},
    models.CharacterProfile: {"clan": models.ClanAffiliation, "stats": models.Statistic},
    models.ClanAffiliation: {"info": models.ClanInfo, "member": models.ClanMember},
    models.OperationSession: {"participants": models.OperationParticipant},
}


def note(rows: Sequence[Any], model: type, losses: Losses) -> None:
    """Add the expected fields that rows lack to `losses`."""
    if model in HAVE_GAPS and not HAVE_GAPS[model](rows):
        return
    for name in EXPECTED.get(model, ()):
        if missing := list(map(attrgetter(name), rows)).count(None):
            where = f"{model.__name__}.{name}"
            # An unreadable value already has its reason in `losses`.
            losses[where] = Loss(missing, losses[where].reason if where in losses else "absent or null")
    for name, inner in INNER.get(model, {}).items():
        note(_records_of(rows, name), inner, losses)


def _records_of(rows: Iterable[Any], name: str) -> list[Any]:
    values = [value for value in map(attrgetter(name), rows) if value is not None]
    return list(chain.from_iterable(values)) if values and is_array(values[0]) else values


def _lots_have_gaps(lots: Iterable[models.AuctionLot]) -> bool:
    return bool(
        [
            lot
            for lot in lots
            if lot.start_price is None or lot.buyout_price is None or lot.start_time is None or lot.end_time is None
        ]
    )


def _sessions_have_gaps(sessions: Sequence[models.OperationSession]) -> bool:
    return bool(
        [
            session
            for session in sessions
            if session.end_time is None
            or session.difficulty is None
            or session.duration_seconds is None
            or session.reward is None
        ]
        or [player for session in sessions for player in session.participants if player.username is None]
    )


#: Quick checks for models with large pages. Plain comprehensions are several times as fast as `note`.
HAVE_GAPS: Mapping[type, Callable[[Any], bool]] = {
    models.AuctionLot: _lots_have_gaps,
    models.OperationSession: _sessions_have_gaps,
}
