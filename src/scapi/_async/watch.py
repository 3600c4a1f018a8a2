"""Looking again and again, and telling what has happened."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from scapi._lists.watching import Pulse
from scapi._primitives import aio
from scapi.exceptions import ScApiException
from scapi.models import WatchError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from scapi._async.session import Session
    from scapi._lists.watching import Book


E = TypeVar("E")
S = TypeVar("S")


class Watcher(Generic[E, S]):
    """An iterator over what happens from now on. No failure of the API ends it.

    It looks only while the next event is asked for, by one task or thread at a time. A wait for an event may be called
    off, by a timeout for one, and the next event be asked for later. It ends when it is closed, or its client is; a
    look that is under way then ends at once with the client, and by itself otherwise.

    Events come in order, and each comes once. What happened while nobody asked comes with the next look, as far as the
    API still tells of it. Errors of the functions it was given are raised as they are; those of the API are reported.
    """

    def __init__(
        self,
        session: Session,
        book: Book[E, S],
        *,
        interval: float,
        where: Callable[[E], object] | None,
        on_error: Callable[[WatchError], object] | None,
    ) -> None:
        if session.settings.json:
            raise ValueError("json=True gives plain objects, and watchers compare models: use another client for them")
        self._session = session
        self._book = book
        self._pulse = Pulse(interval, random.random)
        self._where = where
        self._on_error = None if on_error is None else aio.callback("on_error", on_error)
        self._due = aio.now()
        self._closed = False
        self._wakeup: aio.Wakeup | None = None

    @property
    def state(self) -> S | None:
        """What to go on from after a restart, as of the last event that was handed over; `None` before the first look.

        Saved after an event was dealt with, it makes sure that none is lost. One that was dealt with and not saved
        comes again.
        """
        return self._book.state

    def close(self) -> None:
        """End the iteration, from any task or thread."""
        self._closed = True
        if self._wakeup is not None:
            self._wakeup.wake()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E | WatchError:
        while not self._ended:
            event = self._next() or await self._look()
            if event is not None:
                return event
        raise StopAsyncIteration

    @property
    def _ended(self) -> bool:
        return self._closed or self._session.closed

    def _next(self) -> E | None:
        """The next event of the last look that is wanted."""
        pending = self._book.pending
        while pending:
            # Asked first: where that raises, the event must not count as told.
            wanted = self._where is None or self._where(pending[0])
            event = pending.popleft()
            self._book.record(event)
            if wanted:
                return event
        return None

    async def _look(self) -> WatchError | None:
        """Wait until it is time and look, or say why that failed."""
        try:
            await self._rest()
            if not self._ended:
                await self._ask()
        except ScApiException as error:
            # A client that was closed is the end of its watchers, and no failure.
            return None if self._ended else await self._failed(error)
        return None

    async def _rest(self) -> None:
        while (wait := self._due - aio.now()) > 0 and not self._closed:
            self._wakeup = aio.Wakeup()
            # `close` may have looked for it just before it was there.
            if not self._closed:
                await self._session.wait(self._wakeup, wait)

    async def _ask(self) -> None:
        began = aio.now()
        questions = self._book.look()
        with suppress(StopIteration):
            question = next(questions)
            while True:
                question = questions.send(await self._session.call(question))
        now = aio.now()
        self._due = now + self._pulse.after_success(now - began)

    async def _failed(self, error: ScApiException) -> WatchError | None:
        wait = self._pulse.after_failure(error)
        self._due = aio.now() + wait
        event = WatchError(error=error, failures=self._pulse.failures, wait=wait)
        if self._on_error is None:
            return event
        await aio.call(self._on_error, event)
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
