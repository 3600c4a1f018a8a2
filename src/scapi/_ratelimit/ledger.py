"""The points of the present window: those left, those in flight, and what the server's responses say about them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from scapi._http.headers import parse_retry_after
from scapi._ratelimit.costs import SAFE_COST, Costs
from scapi._ratelimit.window import WindowClock
from scapi.models.ratelimit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scapi._ratelimit.priorities import Priority
    from scapi._ratelimit.protocol import Ticket
    from scapi._ratelimit.window import Outcome, RateLimitHeaders


class SentRequest(NamedTuple):
    """A request in flight.

    Attributes:
        cost: The reserved points.
        started: When it was sent.
        is_measured: Whether it was sent alone, so that its cost shows.
        alone_from: The points before it was sent, if nothing else was in flight.
    """

    cost: int
    started: float
    is_measured: bool
    alone_from: int | None


class PresentWindow(NamedTuple):
    """What is known of the present window. It is replaced as a whole.

    Attributes:
        opened: When it began, by the local clock.
        remaining: The points that are left; `None` until the server has sent them.
        ends: When it is over; `None` until the server has sent it.
        least: The lowest `remaining` that the server has sent for this reset. A cache or a block doesn't change it.
        first: The points that were left before the request that got the first response.
        is_whole: Whether nothing can have been charged before it was opened.
    """

    opened: float = -math.inf
    remaining: int | None = None
    ends: float | None = None
    least: int | None = None
    first: int | None = None
    is_whole: bool = False


class Block(NamedTuple):
    """A refusal that is in force. `is_foreign`: it came from something in front of the API."""

    until: float = -math.inf
    is_foreign: bool = False


class Ledger:
    """The accounts of a budget. It takes no lock: `Budget` has one. Each change of the state is a single store.

    Args:
        window: Length of the server's window in seconds; a shorter one is learned from the resets.
        share: Part of the points that may be spent, above 0 to 1.
    """

    def __init__(self, window: float, share: float) -> None:
        self.share = share
        self.clock = WindowClock(window)
        self.costs = Costs()
        self.limit: int | None = None
        self.is_paced = True
        self.block = Block()
        self.forget_requests()

    def forget_requests(self) -> None:
        """Drop all requests in flight and the present window."""
        self.in_flight: dict[Ticket, SentRequest] = {}
        self.window = PresentWindow()
        self.last_start = -math.inf
        # The points that we spent, without those in flight; and the points by priority, with them. Each comes with the
        # time when its window opened.
        self._spent = -math.inf, 0
        self._served: dict[Priority, tuple[float, int]] = {}
        # Points that may have been charged, with the time when their request ended. No response includes them yet.
        self._uncounted: list[tuple[float, int]] = []
        self._alone: Ticket | None = None
        self.costs.forget_attempts()

    # ── points ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def quota(self) -> int | None:
        """The points of a whole window that may be spent, or `None` as long as the limit is unknown."""
        if self.limit and self.share == 1:  # the usual case, and quick
            return self.limit
        return None if self.limit is None else max(1, math.floor(self.limit * self.share))

    def points_left(self) -> int:
        """Return the points of this window that we may still spend, including those in flight."""
        left, quota = self.window.remaining or 0, self.quota
        return left if self.share == 1 or quota is None else min(left, quota - self._points_spent())

    def points_free(self) -> int:
        """Return the points that can be spent now."""
        remaining, first, in_flight = self.window.remaining or 0, self.window.first, self.points_in_flight()
        uncounted = sum(cost for _, cost in self._uncounted)
        if uncounted and first is not None:
            # If nobody else spends, the uncounted points are the excess of `remaining` over `expected`.
            expected = first - self._points_spent() - in_flight
            uncounted = min(uncounted, max(0, remaining - expected))
        return min(remaining - uncounted, self.points_left()) - in_flight

    def points_in_flight(self) -> int:
        """Return the points that are reserved for requests in flight."""
        return sum(request.cost for request in list(self.in_flight.values()))

    def points_served(self, priority: Priority) -> int:
        """Return the points of this window that went to calls of a priority."""
        opened, points = self._served.get(priority, (-math.inf, 0))
        return points if opened == self.window.opened else 0

    def price(self, operation: str) -> int:
        """Return the points to reserve. An unknown cost is rounded up; the response gives the difference back."""
        cost, quota = self.costs.get(operation, SAFE_COST), self.quota
        # A call that costs more than a whole window would wait forever.
        return quota if quota is not None and quota < cost else cost

    # ── as time passes ────────────────────────────────────────────────────────────────────────────────────────────────

    def catch_up(self, now: float) -> bool:
        """Drop requests whose call has ended, and blocks and windows that are over.

        Returns:
            Whether a request was dropped.
        """
        has_dropped = False
        for ticket, request in list(self.in_flight.items()):
            if not ticket.waiter.alive():
                has_dropped = True
                # It counts as charged until a response shows otherwise.
                if self.is_paced:
                    self._uncounted.append((now, request.cost))
                self._spend(request.cost)
                self.in_flight.pop(ticket, None)
        if self.block.until <= now and self.block.is_foreign:
            # One request goes first and shows whether the block is really over.
            self.window = PresentWindow(now, least=self.window.least)
            self.block = Block()
        ends = self.window.ends
        if ends is not None and now >= ends:
            # All points are back, but the first response of the next window has to confirm it.
            self._uncounted = []
            self.window = PresentWindow(now, is_whole=self.limit is not None)
        return has_dropped

    def seconds_blocked(self, operation: str, now: float) -> float:
        """Return how many more seconds a refusal is in force for an operation."""
        left = self.block.until - now
        if left <= 0 or not (self.block.is_foreign or self.costs.get(operation)):
            return 0.0
        return math.inf if self.limit == 0 and not self.block.is_foreign else left

    def until_reset(self, now: float) -> float | None:
        """Return the seconds until calls are possible again, see `BudgetState`."""
        if self.limit == 0:
            return math.inf
        if self.block.until > now:
            return self.block.until - now
        return None if self.window.ends is None else self.window.ends - now

    def ratelimit(self, now: float) -> RateLimit:
        """Return limit, remaining and reset as the client shows them."""
        window, reset = self.window, self.clock.next_reset(now)
        known = window.least if window.remaining is None else window.remaining
        left = self.limit if known is None else known
        return RateLimit(
            limit=self.limit,
            remaining=None if left is None else max(0, left - self.points_in_flight()),
            reset=None if reset is None else datetime.fromtimestamp(reset, UTC),
        )

    # ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, ticket: Ticket, now: float) -> None:
        """Reserve the points of a request that is sent."""
        operation, window = ticket.operation, self.window
        if not self.costs.get(operation):
            return
        cost = self.price(operation)
        is_alone = not self.in_flight and not self._uncounted
        self._alone = ticket if is_alone else None
        whole = self.limit if window.is_whole else None
        is_measured = window.remaining is not None and self.costs.is_to_measure(operation)
        if is_measured:
            self.costs.count_attempt(operation)
        self.last_start = now
        self._served[ticket.priority] = window.opened, self.points_served(ticket.priority) + cost
        self.in_flight[ticket] = SentRequest(
            cost=cost,
            started=now,
            is_measured=is_measured,
            alone_from=(whole if window.remaining is None else window.remaining) if is_alone else None,
        )

    def end(self, ticket: Ticket, now: float, outcome: Outcome) -> None:
        """Release the points of a request, and learn from its response."""
        request = self.in_flight.get(ticket)
        if request is not None and outcome.sent:
            self._learn(ticket, request, now, outcome)
        elif outcome.status == 429 and outcome.is_bare():
            # A free call has no reservation, but a proxy in front of the API may still refuse it.
            self._take_foreign_refusal(now, outcome.headers)
        self.in_flight.pop(ticket, None)
        if self.window.remaining is None and self._uncounted:
            self._drop_old_uncounted()

    def _points_spent(self) -> int:
        opened, points = self._spent
        return points if opened == self.window.opened else 0

    def _spend(self, points: int) -> None:
        self._spent = self.window.opened, self._points_spent() + points

    # ── responses ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _learn(self, ticket: Ticket, request: SentRequest, now: float, outcome: Outcome) -> None:
        """Learn from a response, or from a missing one."""
        _, status, headers, seen = outcome
        is_counted = seen is not None and self._observe(ticket, request, now, seen, status)
        if status is not None and 200 <= status < 300 and outcome.is_bare():
            self.is_paced = False
        if not is_counted and self.is_paced:
            self._uncounted.append((now, request.cost))
        if status == 429 and not is_counted:
            self._take_refusal(now, seen, headers)
        self._spend(self.price(ticket.operation))

    def _observe(
        self, ticket: Ticket, request: SentRequest, now: float, seen: RateLimitHeaders, status: int | None
    ) -> bool:
        """Learn from the headers of a response. Return whether they include the cost of its own request."""
        self.is_paced = True
        remaining = 0 if status == 429 else seen.remaining
        if remaining is None:
            return False
        relation, window = self.clock.observe(seen, now), self.window
        was_open = window.remaining is not None
        is_over = relation == "same" and not was_open and self.clock.ends() <= request.started
        if relation == "old" or is_over:
            # A request that began in the previous window was charged to that one. If it began in this one, its headers
            # come from a cache; if it was refused, the reset that we assumed was wrong.
            return request.started < window.opened
        if seen.limit is not None:
            self.limit = seen.limit
        is_of_one_window = relation == ("same" if was_open else "new") and request.started >= window.opened
        # A 400 costs more than the endpoint's other responses, by what one source measured.
        if is_of_one_window and status not in {400, 429}:
            self._measure(ticket, request, remaining)
        if relation == "new":
            opened = now if was_open else window.opened
            first = None if status == 429 else remaining + self.price(ticket.operation)
            self.window = PresentWindow(opened, remaining, self.clock.ends(), seen.remaining, first)
            self._spent = opened, 0
            if not self.block.is_foreign:
                self.block = Block()
        else:
            # The lowest value of a window counts: a cached response may have a higher one with the same reset.
            least = min([value for value in (seen.remaining, window.least, self.limit) if value is not None])
            ends = self.clock.ends() if relation == "same" else window.ends or now + self.clock.length
            known = least if window.remaining is None else window.remaining
            known = min(known, remaining)
            self.window = PresentWindow(window.opened, known, ends, least, window.first, window.is_whole)
        if self._uncounted:
            self._uncounted = [entry for entry in self._uncounted if entry[0] > request.started]
        if status == 429 and self.window.ends is not None:
            self._extend_block(self.window.ends)
        # The counters of a past window may come from a cache. Then they don't include this request.
        return relation != "past"

    def _drop_old_uncounted(self) -> None:
        """Drop entries that ended before the oldest request in flight began: a broken server mustn't fill memory."""
        began = min((request.started for request in list(self.in_flight.values())), default=math.inf)
        self._uncounted = [entry for entry in self._uncounted if entry[0] > began]
        # They may have been charged, so the cost of the next request can't be derived from the limit.
        self.window = self.window._replace(is_whole=False)

    def _measure(self, ticket: Ticket, request: SentRequest, remaining: int) -> None:
        """Learn a cost, if none of our other requests can have been charged meanwhile."""
        if ticket is not self._alone or request.alone_from is None:
            return
        # With a share below 1 other processes spend too, so a higher cost isn't believed.
        cost = request.alone_from - remaining
        most = math.inf if self.share == 1 else self.price(ticket.operation)
        if 1 <= cost <= most:
            self.costs.add_sample(ticket.operation, cost)

    # ── refusals ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_refusal(self, now: float, seen: RateLimitHeaders | None, headers: Mapping[str, str]) -> None:
        """Stop after a refusal that doesn't say when the present window ends."""
        if seen is None:
            self._take_foreign_refusal(now, headers)
            return
        if self.window.ends is None:
            # The reset that we assumed was wrong.
            self.clock.distrust(now)
            self.window = self.window._replace(ends=now + self.clock.length)
        # Otherwise its headers come from a cache, and newer ones have given the reset.
        self.window = self.window._replace(remaining=0)
        self._extend_block(self.window.ends or now)

    def _take_foreign_refusal(self, now: float, headers: Mapping[str, str]) -> None:
        """Stop after a refusal by something in front of the API, for its `Retry-After` or one window."""
        asked = parse_retry_after(headers)
        self._extend_block(now + (self.clock.length if asked is None else asked), is_foreign=True)

    def _extend_block(self, until: float, *, is_foreign: bool = False) -> None:
        if until > self.block.until:
            self.block = Block(until, is_foreign)
