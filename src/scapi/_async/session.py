"""The path of every call: build (pure), wait for a turn, send, decode or raise (pure)."""

from __future__ import annotations

import copy
import logging
import math
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from scapi._api.errors import explain
from scapi._api.errors import json as plain_json
from scapi._async import decoding
from scapi._async.response_cache import ResponseCache
from scapi._base.escaping import log
from scapi._base.logs import log_as_the_environment_says
from scapi._http import redirects
from scapi._http.guard import Guard
from scapi._http.messages import HttpRequest, HttpResponse
from scapi._primitives import aio, redis_budget
from scapi._primitives.held_objects import Held
from scapi._ratelimit.notices import LONG_WAIT, notice_of
from scapi._ratelimit.registry import budget_for
from scapi._retry import QueueTimeoutError, RetryState
from scapi.exceptions import (
    ClosedError,
    DecodeError,
    RateLimitError,
    RequestError,
    RequestTimeoutError,
    TransportError,
    UnauthorizedError,
)
from scapi.models import ResponseInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi._api.requests import Request
    from scapi._api.settings import Settings
    from scapi._async.clock import Clock
    from scapi._async.renewal import Renewal
    from scapi._http.credentials import Credentials
    from scapi._http.network import Network
    from scapi._ratelimit.priorities import Priority
    from scapi._ratelimit.protocol import Pacing, Ticket, Wait
    from scapi.models import RateLimit


T = TypeVar("T")

#: How often a call that waits for its turn polls the budget, in seconds. The call before it may have been interrupted,
#: and then doesn't wake it.
POLL_INTERVAL = 1.0
#: The most polls per second of all waiting calls together. If very many wait, each polls less often.
POLLS_PER_SECOND = 1000

logger = logging.getLogger("scapi")


class Session:
    """One host, one set of credentials, one set of connections: shared by a client and its endpoints."""

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        renewal: Renewal | None = None,
        *,
        network: Network,
        clock: Clock,
    ) -> None:
        log_as_the_environment_says()
        self.settings = settings
        self.renewal = renewal
        self._credentials = credentials
        self.network = network
        self.clock = clock
        # Imported with the first client: httpx takes longer to import than all of scapi.
        from scapi._async.transport import Transport

        self._transport = Transport(base_url=settings.base_url, network=network, clock=clock)
        given = redis_budget.of_environment() if settings.budget is None else settings.budget
        self._budget: Pacing = budget_for(settings.base_url, credentials.fingerprint(), given)
        # The reserve belongs to the transport: all views of a client share it, and it lives as long as any of them.
        self._budget.set_reserve(self._transport, settings.reserve)
        self._notice = notice_of(self._budget)
        self._waiting: Held[aio.Wakeup] = Held()
        self._cache = ResponseCache(clock)

    def view(self, settings: Settings) -> Session:
        """Return a session with other settings that shares the connections, the budget and the token."""
        view = copy.copy(self)
        view.settings = settings
        return view

    def with_priority(self, priority: Priority | None) -> Session:
        """Return a session with another priority, or this one if `priority` is `None`."""
        return self if priority is None else self.view(self.settings.changed(priority=priority))

    @property
    def credentials(self) -> Credentials:
        """The credentials in use. Renewal replaces them."""
        return self._credentials if self.renewal is None else self.renewal.credentials

    @property
    def ratelimit(self) -> RateLimit:
        """The points that are left, as of the last responses."""
        return self._budget.state(self.clock.now()).ratelimit

    @property
    def closed(self) -> bool:
        """Whether the client is closed."""
        return self._transport.closed

    async def call(self, request: Request[T], *, fresh: bool = False) -> T:
        """Return the result of a request, or raise the documented error of its last attempt.

        Args:
            request: The request.
            fresh: Send it even if the response to an equal request is cached or in flight.
        """
        if self.closed:
            raise ClosedError("the client is closed")
        retry_state = RetryState(self.settings.retry, self.settings.queue_timeout)
        decode: Callable[[bytes], T] = plain_json if self.settings.json else request.decode
        seconds = None if fresh else self.settings.cache.get(request.operation)
        try:
            if seconds is None:
                return await self._call(request, decode, retry_state)
            return await self._read_cached(request, decode, seconds, retry_state)
        except QueueTimeoutError as cause:
            raise self._no_turn(request, str(cause), POLL_INTERVAL) from None

    async def _read_cached(
        self, request: Request[T], decode: Callable[[bytes], T], seconds: float, retry_state: RetryState
    ) -> T:
        """Return the result of a request or of an equal one. Each caller decodes the response for itself."""

        async def fetch(retry_state: RetryState) -> bytes:
            return await self._call(request, bytes, retry_state)

        settings, target = self.settings, request.target
        options = settings.timeout, settings.retry, settings.pace, settings.queue_timeout, settings.priority
        body = await self._cache.get(target, seconds, fetch, retry_state, options)
        http_request = HttpRequest(settings.base_url + target, self.credentials)
        try:
            with Guard(http_request):
                return await decoding.read(HttpResponse(200, {}, body), decode, http_request)
        except DecodeError:
            self._cache.forget(target)
            raise

    async def _call(self, request: Request[Any], decode: Callable[[bytes], T], retry_state: RetryState) -> T:
        """Make a call with a valid token. Renew the token at most once after a 401."""
        if self.renewal is None:
            return await self._send_with_retries(request, decode, self._credentials, retry_state)
        credentials = await self.renewal.fresh(retry_state)
        try:
            return await self._send_with_retries(request, decode, credentials, retry_state)
        except UnauthorizedError:
            if request.operation in self.renewal.still_unauthorized and credentials is self.renewal.credentials:
                raise
        await self.renewal.replace(credentials, retry_state)
        try:
            return await self._send_with_retries(request, decode, self.renewal.credentials, retry_state)
        except UnauthorizedError:
            self.renewal.still_unauthorized.add(request.operation)
            raise

    async def _send_with_retries(
        self, request: Request[Any], decode: Callable[[bytes], T], credentials: Credentials, retry_state: RetryState
    ) -> T:
        """Send a request until it succeeds, or until its retries are used up."""
        http_request = HttpRequest(self.settings.base_url + request.target, credentials, extra=self.settings.headers())
        while True:
            wakeup = aio.Wakeup()
            # Marks everything that this attempt holds, see `scapi._primitives.held_objects`.
            with wakeup.hold:
                ticket = await self._acquire(request, wakeup, retry_state)
                try:
                    with Guard(http_request):
                        return await decoding.read(
                            await self._send_once(request, http_request, ticket, retry_state), decode, http_request
                        )
                except (TransportError, RequestError) as error:
                    explain(error, request.operation)
                    until_reset = self._budget.state(self.clock.now()).until_reset
                    wait = retry_state.wait_after(error, until_reset, wall=self.clock.wall(), rng=self.clock.random)
                    if wait is None or self._transport.closed:
                        raise
                    details = request.path, wait, retry_state.attempts, log(str(error))
                    self._log_wait(wait, "%s waits %.2f s after attempt %d: %s", *details)
            await self._pause(wait, retry_state)

    async def _acquire(self, request: Request[T], wakeup: aio.Wakeup, retry_state: RetryState) -> Ticket:
        """Wait until the points for a request are free, and reserve them."""
        settings = self.settings
        ticket = self._budget.enter(request.operation, wakeup, pace=settings.pace, priority=settings.priority)
        try:
            if (wait := self._budget.poll(ticket, self.clock.now())) is not None:
                await self._wait_for_turn(request, ticket, wakeup, wait, retry_state)
        except BaseException:
            self._budget.leave(ticket, self.clock.now(), sent=False)
            raise
        return ticket

    async def _wait_for_turn(
        self, request: Request[T], ticket: Ticket, wakeup: aio.Wakeup, first: Wait, retry_state: RetryState
    ) -> None:
        wait: Wait | None = first
        begun, logged = self.clock.now(), -1.0
        while wait is not None:
            if not retry_state.may_wait(wait, is_paced=bool(self.settings.pace)):
                raise self._refusal(request, wait)
            now = self.clock.now()
            expected = max(wait.soonest, now - begun)
            if not wait.is_asking and (logged < 0 or logged <= LONG_WAIT < expected):
                logged, longest = expected, max(wait.again, wait.soonest)
                reason = (
                    "because the server refused an earlier call"
                    if wait.blocked
                    else "for free points of the API's limit"
                )
                text = "%s waits up to %.2f s %s (attempt %d)"
                self._log_wait(expected, text, request.path, longest, reason, retry_state.attempts + 1)
            poll_interval = max(POLL_INTERVAL, self._waiting.most / POLLS_PER_SECOND)
            bound = math.inf if wait.is_asking else min(retry_state.left, poll_interval)
            await self.wait(wakeup, min(wait.again, bound))
            retry_state.spend(self.clock.now() - now, is_block=wait.is_foreign)
            wait = self._budget.poll(ticket, self.clock.now())

    def _refusal(self, request: Request[T], wait: Wait) -> RateLimitError:
        if self.ratelimit.limit == 0:
            return self._no_turn(request, "the limit of these credentials is 0", wait.soonest)
        if wait.blocked:
            return self._no_turn(request, "an earlier refusal is still in force; nothing was sent", wait.blocked)
        return self._no_turn(request, "no turn within queue_timeout; nothing was sent", wait.soonest)

    def _no_turn(self, request: Request[T], reason: str, seconds: float) -> RateLimitError:
        return RateLimitError(reason, url=self.settings.base_url + request.target, retry_after=seconds, sent=False)

    def _log_wait(self, seconds: float, text: str, *details: object) -> None:
        """Log a wait, once for all calls that wait for the same thing."""
        level = self._notice.level(seconds, self.clock.now())
        if logger.isEnabledFor(level):
            logger.log(level, text, *details)

    async def _send_once(
        self, request: Request[Any], http_request: HttpRequest, ticket: Ticket, retry_state: RetryState
    ) -> HttpResponse:
        """Send a request whose points are reserved, and pass its response to `on_response`."""
        begun, waited = self.clock.now(), retry_state.waited_in_all
        response = await self._exchange(http_request, ticket, retry_state)
        if self.settings.on_response is not None:
            seconds = self.clock.now() - begun - (retry_state.waited_in_all - waited)
            info = ResponseInfo(
                method=http_request.method,
                operation=request.operation.partition(":")[0],
                path=request.path,
                status=response.status,
                headers=http_request.redact_headers(response.headers),
                seconds=max(0.0, seconds),
                attempts=retry_state.attempts + 1,
                waited=retry_state.waited_in_all,
                remaining=self.ratelimit.remaining,
            )
            self.settings.on_response(info)
        return response

    async def _exchange(self, http_request: HttpRequest, ticket: Ticket, retry_state: RetryState) -> HttpResponse:
        """Send a request whose points are reserved, and report the outcome to the budget."""
        response: HttpResponse | None = None
        sent = True
        try:
            response = await self._follow(http_request, retry_state)
            return response
        except QueueTimeoutError:
            sent = False
            raise
        except RequestTimeoutError as error:
            sent = not error.connecting
            raise
        finally:
            status, headers = (response.status, response.headers) if response else (None, None)
            self._budget.leave(ticket, self.clock.now(), sent=sent, status=status, headers=headers)

    async def _follow(self, http_request: HttpRequest, retry_state: RetryState) -> HttpResponse:
        """Send a request and follow the redirects that stay on its host. Return the last response."""
        response = await self._send(http_request, retry_state)
        for _ in range(redirects.MOST):
            target = redirects.target(response, http_request.url)
            if target is None:
                break
            http_request = http_request.moved(target)
            response = await self._send(http_request, retry_state)
        return response

    async def _send(self, http_request: HttpRequest, retry_state: RetryState) -> HttpResponse:
        return await self._transport.send(http_request, retry_state=retry_state, timeout=self.settings.timeout)

    async def _pause(self, seconds: float, retry_state: RetryState) -> None:
        begun = self.clock.now()
        await self.wait(aio.Wakeup(), seconds)
        retry_state.spend(self.clock.now() - begun)

    async def wait(self, wakeup: aio.Wakeup, seconds: float) -> None:
        """Wait for some seconds, or until woken. Raise `ClosedError` if the client is or gets closed."""
        hold = threading.Lock()
        with hold:
            self._waiting.add(wakeup, hold)
            try:
                if not self._transport.closed:
                    await self.clock.wait(wakeup, seconds)
            finally:
                self._waiting.discard(wakeup)
        if self._transport.closed:
            raise ClosedError("the client was closed during the call")

    async def close(self) -> None:
        """End all calls, in flight or waiting, and close the connections."""
        self._transport.refuse()
        self._budget.set_reserve(self._transport, 0)
        for wakeup in self._waiting:
            wakeup.wake()
        await self._transport.close()
        if self.renewal is not None:
            await self.renewal.close()
