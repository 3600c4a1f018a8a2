"""What a client asks of a budget, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scapi._ratelimit.priorities import Priority
    from scapi.models.ratelimit import RateLimit


class Waiter(Protocol):
    """The call that a ticket belongs to."""

    def wake(self) -> None:
        """Let the call poll again. Called from any thread, so it must be quick and never raise."""
        ...

    def alive(self) -> bool:
        """Tell whether the call still goes on: True from before `Pacing.enter` until after `Pacing.leave`.

        It must turn False whatever ends the call, an exception of a signal handler included. A locked
        `threading.Lock` that the call holds in a `with` block does that: `alive` is its `locked`.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """One request's place in the queue, and later its reservation.

    Attributes:
        operation: Name of the endpoint, as in `KNOWN_COSTS`.
        waiter: The call that waits.
        pace: `True`: the request waits for its points. `"even"`: it also goes no faster than evenly over what is left
            of the window. `False`: it waits for nothing, and only a block stops it.
        priority: `"high"` goes before `"normal"`, and that before `"low"`, within a window.
    """

    operation: str
    waiter: Waiter
    pace: bool | Literal["even"] = True
    priority: Priority = "normal"


class Wait(NamedTuple):
    """Why a request can't go now.

    Attributes:
        again: Seconds after which to poll again at the latest; `math.inf`: never.
        soonest: A lower bound of the seconds until the request can go, 0 or more.
        blocked: Seconds for which a refusal of the server's is still in force, or 0.0. Nothing is sent meanwhile.
        is_foreign: Whether that block isn't the API's own, but a proxy's, for example.
        is_asking: Whether the budget waits for word from elsewhere, for less than a second. The call has no place in
            the queue yet, so nothing is known of its turn.
    """

    again: float
    soonest: float
    blocked: float = 0.0
    is_foreign: bool = False
    is_asking: bool = False


class BudgetState(NamedTuple):
    """What is known of a budget.

    Attributes:
        ratelimit: Limit, remaining (less what is in flight) and reset.
        until_reset: Seconds until calls are possible again: until a block is over, or else until all points are back.
            `math.inf`: never; `None`: unknown.
        costs: Points per call by operation, known beforehand or measured.
        waiting: How many tickets stand in the queue.
        in_flight: How many tickets were sent and have points reserved.
    """

    ratelimit: RateLimit
    until_reset: float | None
    costs: Mapping[str, int]
    waiting: int
    in_flight: int


class Pacing(Protocol):
    """What a client asks of a budget; one that is shared between machines can take the place of `Budget`.

    Every attempt of a call makes `enter`, then `poll` until it says go, then `leave`, at whatever point it ends.
    The methods are called from tasks and threads at once and none of them may block, so a budget that lives
    elsewhere keeps a stock of points it was granted. A thread of its own refills the stock and wakes the next ticket.
    An attempt may end without `leave`: then its waiter isn't alive any more, and the ticket is dropped. A waiter polls
    once a second at least. `now` is the local monotonic clock; such a budget may use another one.
    """

    def enter(
        self,
        operation: str,
        waiter: Waiter,
        *,
        pace: bool | Literal["even"] = True,
        priority: Priority = "normal",
    ) -> Ticket:
        """Join the queue."""
        ...

    def poll(self, ticket: Ticket, now: float) -> Wait | None:
        """Ask to be sent: `None` is yes, and the points are reserved until `leave`."""
        ...

    def leave(
        self,
        ticket: Ticket,
        now: float,
        *,
        sent: bool = True,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """End an attempt: with its answer, without one, or before anything was sent."""
        ...

    def state(self, now: float) -> BudgetState:
        """Tell what is known."""
        ...

    def set_reserve(self, client: object, share: float) -> None:
        """Keep a share of each window, 0 to 1, for calls that aren't low, as long as `client` lives.

        The greatest share of all living clients counts. 0 withdraws it.
        """
        ...


@runtime_checkable
class BudgetSource(Protocol):
    """What has a budget for each key, so that clients of several keys can be given the same object."""

    def budget_for(self, base_url: str, credentials: str) -> Pacing:
        """Find the budget of a host and credentials.

        Args:
            base_url: The host, lower case.
            credentials: A fingerprint of the credentials: 32 hex digits, the same in every process, and no secret.
        """
        ...
