"""The interface between a client and a budget."""

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
        """Make the call poll again. Called from any thread, so it must be quick and never raise."""
        ...

    def alive(self) -> bool:
        """Return whether the call is still running: True from before `Pacing.enter` until after `Pacing.leave`.

        It must become False whatever ends the call, even an exception raised by a signal handler. A `threading.Lock`
        that the call holds in a `with` block does that: `alive` is its `locked`.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """One request's place in the queue, and later its reservation.

    Attributes:
        operation: Name of the endpoint, as in `KNOWN_COSTS`; `get:3` is a call of `client.get` that costs 3 points.
        waiter: The call that waits.
        pace: `True`: the request waits for its points. `"even"`: requests are also spread evenly over the rest of the
            window. `False`: it doesn't wait, and only a block stops it.
        priority: Within a window, `"high"` goes before `"normal"`, and `"normal"` before `"low"`.
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
        blocked: Seconds that a refusal by the server stays in force, or 0.0. Nothing is sent meanwhile.
        is_foreign: Whether that block comes from something other than the API, such as a proxy.
        is_asking: Whether the budget waits for a response from elsewhere, for less than a second. The call isn't in the
            queue yet, so its turn is unknown.
    """

    again: float
    soonest: float
    blocked: float = 0.0
    is_foreign: bool = False
    is_asking: bool = False


class BudgetState(NamedTuple):
    """What is known of a budget.

    Attributes:
        ratelimit: Limit, remaining (less the points in flight) and reset.
        until_reset: Seconds until calls are possible again: until a block ends, otherwise until all points are back.
            `math.inf`: never; `None`: unknown.
        costs: Points per call by operation, known beforehand or measured.
        waiting: Number of tickets in the queue.
        in_flight: Number of requests in flight, with points reserved.
    """

    ratelimit: RateLimit
    until_reset: float | None
    costs: Mapping[str, int]
    waiting: int
    in_flight: int


class Pacing(Protocol):
    """What a client needs of a budget. A budget that is shared between machines can replace `Budget`.

    Every attempt calls `enter`, then `poll` until it returns `None`, then `leave`, wherever it ends. Tasks and threads
    call the methods concurrently, and none of them may block. So a remote budget keeps a stock of granted points, and
    a thread of its own refills it and wakes the next ticket. An attempt may end without `leave`: then its waiter is no
    longer alive, and the ticket is dropped. A waiter polls at least once a second. `now` is the local monotonic clock;
    a remote budget may use another one.
    """

    def enter(
        self,
        operation: str,
        waiter: Waiter,
        *,
        pace: bool | Literal["even"] = True,
        priority: Priority = "normal",
    ) -> Ticket:
        """Join the queue.

        Args:
            operation: Name of the endpoint, as in `KNOWN_COSTS`.
            waiter: The call. Its ticket may be dropped as soon as it is no longer alive.
            pace: `True`, `"even"` or `False`, see `Ticket`.
            priority: `"high"`, `"normal"` or `"low"`, see `Ticket`.
        """
        ...

    def poll(self, ticket: Ticket, now: float) -> Wait | None:
        """Return `None` if the request may be sent; its points are then reserved until `leave`.

        Args:
            ticket: From `enter`.
            now: Local monotonic seconds.

        Returns:
            `None`, or how long to wait before the next poll.
        """
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
        """End an attempt: with its response, without one, or before anything was sent.

        Args:
            ticket: From `enter`.
            now: Local monotonic seconds.
            sent: False: nothing can have reached the server, so the points are free again.
            status: Status of the response; `None`: there was no response, so the request may have been charged.
            headers: Headers of the response, by lower-case name.
        """
        ...

    def state(self, now: float) -> BudgetState:
        """Return what is known of the budget.

        Args:
            now: Local monotonic seconds.
        """
        ...

    def set_reserve(self, client: object, share: float) -> None:
        """Keep a share of each window for calls that aren't low, as long as a client lives.

        The greatest share of all living clients counts.

        Args:
            client: The client that sets the share. Hold it weakly.
            share: 0 to 1; 0 withdraws the client's share.
        """
        ...


@runtime_checkable
class BudgetSource(Protocol):
    """A source of one budget per key, so that clients of several keys can share one object."""

    def budget_for(self, base_url: str, credentials: str) -> Pacing:
        """Return the budget of a host and credentials.

        Args:
            base_url: The host, lower case.
            credentials: A fingerprint of the credentials: 32 hex digits, the same in every process, and no secret.
        """
        ...
