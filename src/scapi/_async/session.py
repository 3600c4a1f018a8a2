"""The way of every call: build (pure), wait for its turn, send, decode or raise (pure)."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, TypeVar

from scapi import _aio
from scapi._async import decoding
from scapi._core import redirect, response
from scapi._core.budgets import budget_for
from scapi._core.effort import Effort, OutOfPatienceError
from scapi._core.escaping import log
from scapi._core.holds import Held
from scapi._core.notices import LONG_WAIT, notice_of
from scapi._core.outgoing import Outgoing
from scapi._core.redaction import Guard
from scapi.exceptions import (
    ClosedError,
    RateLimitError,
    RequestError,
    RequestTimeoutError,
    TransportError,
    UnauthorizedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi._async.renewal import Renewal
    from scapi._core.credentials import Credentials
    from scapi._core.network import Network
    from scapi._core.pacing import Pacing, Ticket, Wait
    from scapi._core.request import Request
    from scapi._core.response import Reply
    from scapi._core.settings import Settings
    from scapi.models import RateLimit

__all__ = ["Session"]

T = TypeVar("T")

#: How often a call that waits for its turn asks again, in seconds. The one before it may have been interrupted, and
#: then wakes nobody. Of very many that wait each asks less often, but a thousand ask in every second.
ASK_AGAIN = 1.0
ENOUGH_ASK = 1000

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
        self._notice = notice_of(self._budget)
        self._waiting: Held[_aio.Wakeup] = Held()

    @property
    def credentials(self) -> Credentials:
        """Who we are at present."""
        return self._credentials if self.renewal is None else self.renewal.credentials

    @property
    def ratelimit(self) -> RateLimit:
        """The points that are left, as the last answers told."""
        return self._budget.state(_aio.now()).ratelimit

    @property
    def closed(self) -> bool:
        """Whether nothing can be called any more."""
        return self._transport.closed

    async def call(self, request: Request[T]) -> T:
        """The result of a request, or the documented error of its last attempt."""
        if self.closed:
            raise ClosedError("the client is closed")
        effort = Effort(self.settings.retry, self.settings.queue_timeout)
        try:
            return await self._call(request, effort)
        except OutOfPatienceError as cause:
            raise self._no_turn(request, str(cause), ASK_AGAIN) from None

    async def _call(self, request: Request[T], effort: Effort) -> T:
        """Make a call with a token that is valid, renewing it at most once."""
        if self.renewal is None:
            return await self._persevere(request, self._credentials, effort)
        credentials = await self.renewal.fresh(effort)
        try:
            return await self._persevere(request, credentials, effort)
        except UnauthorizedError:
            if request.operation in self.renewal.in_vain and credentials is self.renewal.credentials:
                raise
        await self.renewal.replace(credentials, effort)
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
            wakeup = _aio.Wakeup()
            # The mark of all that this attempt holds, see `scapi._core.holds`.
            with wakeup.hold:
                ticket = await self._turn(request, wakeup, effort)
                try:
                    with Guard(outgoing):
                        return await decoding.read(await self._exchange(outgoing, ticket, effort), decode, outgoing)
                except (TransportError, RequestError) as error:
                    wait = effort.wait_after(error, self._budget.state(_aio.now()).until_reset)
                    if wait is None or self._transport.closed:
                        raise
                    told = request.path, wait, effort.attempts, log(str(error))
                    self._tell(wait, "%s waits %.2f s after attempt %d: %s", *told)
            await self._pause(wait, effort)

    async def _turn(self, request: Request[T], wakeup: _aio.Wakeup, effort: Effort) -> Ticket:
        """Wait until the points for a request are there, and take them."""
        ticket = self._budget.enter(request.operation, wakeup, pace=self.settings.pace)
        try:
            if (wait := self._budget.poll(ticket, _aio.now())) is not None:
                await self._stand_in_queue(request, ticket, wakeup, wait, effort)
        except BaseException:
            self._budget.leave(ticket, _aio.now(), sent=False)
            raise
        return ticket

    async def _stand_in_queue(
        self, request: Request[T], ticket: Ticket, wakeup: _aio.Wakeup, first: Wait, effort: Effort
    ) -> None:
        wait: Wait | None = first
        begun, told = _aio.now(), -1.0
        while wait is not None:
            if not effort.may_wait(wait, is_paced=bool(self.settings.pace)):
                raise self._refusal(request, wait)
            now = _aio.now()
            expected = max(wait.soonest, now - begun)
            if told < 0 or told <= LONG_WAIT < expected:
                told, longest = expected, max(wait.again, wait.soonest)
                reason = "a refusal is in force" if wait.blocked else "its turn"
                text = "%s waits up to %.2f s before attempt %d: %s"
                self._tell(expected, text, request.path, longest, effort.attempts + 1, reason)
            ask_again = max(ASK_AGAIN, self._waiting.most / ENOUGH_ASK)
            await self.wait(wakeup, min(wait.again, effort.left, ask_again))
            effort.spend(_aio.now() - now, is_block=wait.is_foreign)
            wait = self._budget.poll(ticket, _aio.now())

    def _refusal(self, request: Request[T], wait: Wait) -> RateLimitError:
        if self.ratelimit.limit == 0:
            return self._no_turn(request, "the limit of these credentials is 0", wait.soonest)
        if wait.blocked:
            return self._no_turn(request, "an earlier refusal is still in force; nothing was sent", wait.blocked)
        return self._no_turn(request, "no turn within queue_timeout; nothing was sent", wait.soonest)

    def _no_turn(self, request: Request[T], reason: str, seconds: float) -> RateLimitError:
        return RateLimitError(reason, url=self.settings.base_url + request.target, retry_after=seconds)

    def _tell(self, seconds: float, text: str, *details: object) -> None:
        """Log a wait, once for all calls that wait for the same thing."""
        level = self._notice.level(seconds, _aio.now())
        if logger.isEnabledFor(level):
            logger.log(level, text, *details)

    async def _exchange(self, outgoing: Outgoing, ticket: Ticket, effort: Effort) -> Reply:
        """Send a request whose turn it is, and tell the budget what came of it."""
        reply: Reply | None = None
        sent = True
        try:
            reply = await self._follow(outgoing, effort)
            return reply
        except OutOfPatienceError:
            sent = False
            raise
        except RequestTimeoutError as error:
            sent = not error.connecting
            raise
        finally:
            status, headers = (reply.status, reply.headers) if reply else (None, None)
            self._budget.leave(ticket, _aio.now(), sent=sent, status=status, headers=headers)

    async def _follow(self, outgoing: Outgoing, effort: Effort) -> Reply:
        """The answer to a request, after the redirects that stay on its host."""
        reply = await self._transport.send(outgoing, effort=effort)
        for _ in range(redirect.MOST):
            target = redirect.target(reply, outgoing.url)
            if target is None:
                break
            outgoing = outgoing.moved(target)
            reply = await self._transport.send(outgoing, effort=effort)
        return reply

    async def _pause(self, seconds: float, effort: Effort) -> None:
        begun = _aio.now()
        await self.wait(_aio.Wakeup(), seconds)
        effort.spend(_aio.now() - begun)

    async def wait(self, wakeup: _aio.Wakeup, seconds: float) -> None:
        """Wait, or less if woken, or less and with an error if the client is closed."""
        hold = threading.Lock()
        with hold:
            self._waiting.add(wakeup, hold)
            try:
                if not self._transport.closed:
                    await wakeup.wait(seconds)
            finally:
                self._waiting.discard(wakeup)
        if self._transport.closed:
            raise ClosedError("the client was closed during the call")

    async def close(self) -> None:
        """End what is under way and what waits, and close the connections."""
        self._transport.refuse()
        for wakeup in self._waiting:
            wakeup.wake()
        await self._transport.close()
        if self.renewal is not None:
            await self.renewal.close()
