"""One step of a budget that processes share where no script can run. `shared.lua` is the same step in Redis.

A process sends what it holds, wants and has learned, and receives its grants. Each request replaces the previous one of
its process, so the next step repairs a lost reply or a lost state. A test compares both implementations step by step.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from scapi._ratelimit.shared_granting import Granting
from scapi._ratelimit.shared_learning import SAME_RESET, settle
from scapi._ratelimit.shared_messages import Grant, Reply
from scapi._ratelimit.shared_state import Process, Want

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scapi._ratelimit.shared_state import State


def step(state: State, request: Mapping[str, Any], now: float) -> tuple[Reply, list[Grant]]:
    """Apply a request to a state. Return the reply and the grants of its process.

    Args:
        state: The state, which is changed. Nothing else may change it meanwhile.
        request: The request, see `SharedBudget.request`.
        now: The database's time in milliseconds.
    """
    me: str = request["me"]
    state.follow_clock(now, request["lease"])
    if not state.id:
        state.begin(me, now, is_known_elsewhere="id" in request)
    state.catch_up(me, request["length"], now)
    for report in request["reports"]:
        settle(state, report, request["length"], now)
    _correct_the_end(state, request, now)
    again, grants = -1.0, list[Grant]()
    if request["bye"]:
        state.bury(me, now)
    else:
        process = _register(state, request, now)
        again = Granting(state, request["length"], now).dispatch()
        grants, process.granted = process.granted, []
    return _reply(state, request, again, now), grants


def _correct_the_end(state: State, request: Mapping[str, Any], now: float) -> None:
    """Take the earliest end of the window. Each process is certain of its own by its own clock.

    This also corrects steps of the database's clock.
    """
    if "reset" not in request or state.remaining is None or state.reset is None:
        return
    if abs(request["reset"] - state.reset) <= SAME_RESET:
        ends = max(now, now + request["left"])
        state.ends = ends if state.ends is None else min(state.ends, ends)


def _register(state: State, request: Mapping[str, Any], now: float) -> Process:
    """Take over what a process holds and wants. It keeps the grants that it hasn't fetched."""
    process = state.processes.setdefault(request["me"], Process())
    process.lease = now + request["lease"]
    process.held = request["held"] + sum(grant.points for grant in process.granted)
    process.wants = list(_wants(state, request, process.granted))
    process.reserve = request.get("reserve", process.reserve)
    process.asked |= {want[0]: now for want in request["wants"]}
    return process


def _wants(state: State, request: Mapping[str, Any], granted: list[Grant]) -> Iterator[Want]:
    """Return the tickets of a request, without those that were granted since its process last asked."""
    taken = Counter(grant.operation for grant in granted)
    for rank, operation, is_even, waited, published in request["wants"]:
        if taken[operation] > 0:
            taken[operation] -= 1
            continue
        if published > 0 and operation not in state.costs:
            state.costs[operation] = [published]
            state.version += 1
        yield Want(rank, operation, is_even, state.price(operation), waited)


def _reply(state: State, request: Mapping[str, Any], again: float, now: float) -> Reply:
    mine = state.processes.get(request["me"])
    is_new = state.version != request["costs"] or state.id != request.get("id")
    return Reply(
        id=state.id,
        now=now,
        window=state.window,
        limit=state.limit,
        remaining=state.remaining,
        reset=state.reset,
        left=None if state.ends is None else state.ends - now,
        blocked=0.0 if state.blocked is None else state.blocked - now,
        foreign=state.is_foreign,
        paced=not state.is_unpaced,
        others=state.reserved() - (0 if mine is None else mine.held),
        again=math.ceil(again),
        processes=len(state.processes),
        version=state.version,
        costs={operation: min(samples) for operation, samples in state.costs.items()} if is_new else None,
    )
