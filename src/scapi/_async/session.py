"""The way of every call: build (pure), wait for its turn, send, decode or raise (pure)."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, TypeVar

from scapi import _aio
from scapi._async import decoding
from scapi._core import redirect, response
from scapi._core.budgets import budget_for
from scapi._core.effort import Effort
from scapi._core.escaping import log
from scapi._core.outgoing import Outgoing
from scapi._core.redaction import Guard
from scapi.exceptions import RateLimitError, RequestError, TransportError, UnauthorizedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi._async.renewal import Renewal
    from scapi._core.credentials import Credentials
    from scapi._core.network import Network
    from scapi._core.pacing import Pacing, Ticket
    from scapi._core.request import Request
    from scapi._core.response import Reply
    from scapi._core.settings import Settings
    from scapi.models import RateLimit

__all__ = ["Session"]

T = TypeVar("T")

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
    ) -> None:
        self.settings = settings
        self.renewal = renewal
        self._credentials = credentials
        self.network = network
        # httpx is imported with the first client: it takes longer than all of ours.
        from scapi._async.transport import Transport

        self._transport = Transport(base_url=settings.base_url, timeout=settings.timeout, network=network)
        self._budget: Pacing = budget_for(settings.base_url, credentials.fingerprint())
        self._waiting: set[_aio.Wakeup] = set()

    @property
    def credentials(self) -> Credentials:
        """Who we are at present."""
        return self._credentials if self.renewal is None else self.renewal.credentials

    @property
    def ratelimit(self) -> RateLimit:
        """The points that are left, as the last answers told."""
        return self._budget.snapshot(_aio.now())

    @property
    def closed(self) -> bool:
        """Whether nothing can be called any more."""
        return self._transport.closed

    async def call(self, request: Request[T]) -> T:
        """The result of a request, or the documented error of its last attempt."""
        if self.closed:
            raise TransportError("the client is closed")
        effort = Effort(self.settings.retry)
        if self.renewal is None:
            return await self._persevere(request, self._credentials, effort)
        credentials = await self.renewal.fresh()
        try:
            return await self._persevere(request, credentials, effort)
        except UnauthorizedError:
            if request.operation in self.renewal.in_vain and credentials is self.renewal.credentials:
                raise
        await self.renewal.replace(credentials)
        try:
            return await self._persevere(request, self.renewal.credentials, effort)
        except UnauthorizedError:
            self.renewal.in_vain.add(request.operation)
            raise

    async def _persevere(self, request: Request[T], credentials: Credentials, effort: Effort) -> T:
        """Send a request until it succeeds, or until its retries are used up."""
        outgoing = Outgoing(self.settings.base_url + request.target, credentials)
        decode: Callable[[bytes], T] = response.json if self.settings.json else request.decode
        while True:
            ticket = await self._turn(request, effort.attempts + 1)
            try:
                with Guard(outgoing):
                    return await decoding.read(await self._exchange(outgoing, ticket), decode, outgoing)
            except (TransportError, RequestError) as error:
                until_reset = self._budget.until_reset(_aio.now())
                wait = effort.wait_after(error, until_reset)
                if wait is None or self._transport.closed:
                    raise
                reason = log(str(error))
                logger.info("%s waits %.2f s after attempt %d: %s", request.path, wait, effort.attempts, reason)
            await self._pause(wait)

    async def _turn(self, request: Request[T], attempt: int) -> Ticket:
        """Wait until the points for a request are there, and take them."""
        wakeup = _aio.Wakeup()
        ticket = self._budget.enter(request.operation, wakeup.wake, spread=self.settings.pace == "even")
        if not self.settings.pace:
            self._budget.start(ticket, _aio.now())
            return ticket
        try:
            wait = self._budget.poll(ticket, _aio.now())
            if wait:
                logger.info("%s waits up to %.2f s before attempt %d: its turn", request.path, wait, attempt)
                await self._stand_in_queue(request, ticket, wakeup, wait)
        except BaseException:
            self._budget.cancel(ticket, _aio.now())
            raise
        return ticket

    async def _stand_in_queue(self, request: Request[T], ticket: Ticket, wakeup: _aio.Wakeup, wait: float) -> None:
        timeout = self.settings.queue_timeout
        deadline = math.inf if timeout is None else _aio.now() + timeout
        while wait:
            left = deadline - _aio.now()
            soonest = self._budget.eta(ticket, _aio.now())
            if left <= 0 or soonest > left or math.isinf(wait):
                raise self._no_turn(request, max(soonest, 0.0))
            await self.wait(wakeup, min(wait, left))
            wait = self._budget.poll(ticket, _aio.now())

    def _no_turn(self, request: Request[T], soonest: float) -> RateLimitError:
        limit = self.ratelimit.limit
        return RateLimitError(
            "the limit of these credentials is 0" if limit == 0 else "no turn within queue_timeout; nothing was sent",
            url=self.settings.base_url + request.target,
            retry_after=soonest,
        )

    async def _exchange(self, outgoing: Outgoing, ticket: Ticket) -> Reply:
        """Send a request whose turn it is, and tell the budget what came of it."""
        reply: Reply | None = None
        try:
            reply = await self._follow(outgoing)
            return reply
        finally:
            status, headers = (reply.status, reply.headers) if reply else (None, None)
            self._budget.leave(ticket, _aio.now(), status=status, headers=headers)

    async def _follow(self, outgoing: Outgoing) -> Reply:
        """The answer to a request, after the redirects that stay on its host."""
        reply = await self._transport.send(outgoing)
        for _ in range(redirect.MOST):
            target = redirect.target(reply, outgoing.url)
            if target is None:
                break
            outgoing = outgoing.moved(target)
            reply = await self._transport.send(outgoing)
        return reply

    async def _pause(self, seconds: float) -> None:
        await self.wait(_aio.Wakeup(), seconds)

    async def wait(self, wakeup: _aio.Wakeup, seconds: float) -> None:
        """Wait, or less if woken, or less and with an error if the client is closed."""
        self._waiting.add(wakeup)
        try:
            if not self._transport.closed:
                await wakeup.wait(seconds)
        finally:
            self._waiting.discard(wakeup)
        if self._transport.closed:
            raise TransportError("the client was closed during the call")

    async def close(self) -> None:
        """End what is under way and what waits, and close the connections."""
        self._transport.refuse()
        for wakeup in list(self._waiting):
            wakeup.wake()
        await self._transport.close()
        if self.renewal is not None:
            await self.renewal.close()
