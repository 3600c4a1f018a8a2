"""Looking again and again, and reporting what has happened."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from scapi._lists.polling import Schedule
from scapi._primitives import aio
from scapi.exceptions import ScApiException

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from scapi._async.session import Session
    from scapi._lists.differs import Differ
    from scapi._lists.polling import Watched
    from scapi.models import WatchError


E = TypeVar("E")
S = TypeVar("S")


class Watcher(Generic[E, S]):
    """An iterator over what happens from now on. A failure of the API doesn't end it.

    It looks only while the next event is asked for, by one task or thread at a time. A wait for an event may be broken
    off, by a timeout for example, and the next event be asked for later. It ends when it is closed or its client is,
    and when the server refuses for good all items that are watched. A look that is under way ends at once with the
    client, and by itself otherwise.

    Events come in order, and each comes once. What happened while nobody asked comes with the next look, as far as the
    API still tells of it. Errors of the functions it was given are raised as they are; those of the API are reported.
    """

    __module__ = aio.PUBLIC

    def __init__(
        self,
        session: Session,
        differs: Sequence[Differ[E, Any]],
        state: Callable[[], S],
        *,
        interval: float,
        where: Callable[[E], object] | None,
        on_error: Callable[[WatchError], object] | None,
    ) -> None:
        if session.settings.json:
            raise ValueError("json=True gives plain objects, and watchers compare models: use another client for them")
        self._session = session
        self._state = state
        self._schedule: Schedule[E] = Schedule(differs, interval, random.random, aio.now())
        self._where = where
        self._on_error = None if on_error is None else aio.callback("on_error", on_error)
        #: What was looked at last: only its events can be pending.
        self._current: Differ[E, Any] | None = None
        self._closed = False
        self._wakeup: aio.Wakeup | None = None

    @property
    def state(self) -> S:
        """What to go on from after a restart: it covers exactly the events that were handed over, at any time.

        Save it after you have dealt with an event. Then no event is lost, and one that you dealt with but could not
        save comes again.
        """
        return self._state()

    def close(self) -> None:
        """End the iteration, from any task or thread."""
        self._closed = True
        if self._wakeup is not None:
            self._wakeup.wake()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E | WatchError:
        while not self._ended:
            event = self._next()
            if event is not None:
                return event
            watched = self._schedule.next()
            if watched is None:
                break
            error = await self._look(watched)
            if error is not None:
                return error
        raise StopAsyncIteration

    @property
    def _ended(self) -> bool:
        return self._closed or self._session.closed

    def _next(self) -> E | None:
        """Return the next event of the last look that matters."""
        while self._current is not None and self._current.pending:
            event = self._current.pending[0]
            # Asked first: where that raises, the event must not count as handed over.
            matters = self._where is None or self._where(event)
            self._current.pending.popleft()
            self._current.commit(event)
            if matters:
                return event
        return None

    async def _look(self, watched: Watched[E]) -> WatchError | None:
        """Wait until it is time and look. Returns why that failed, if it did and no function gets it."""
        try:
            await self._wait_for(watched)
            if not self._ended:
                await self._poll(watched)
        except ScApiException as error:
            # A client that was closed is the end of its watchers, and no failure.
            return None if self._ended else await self._report(watched, error)
        return None

    async def _wait_for(self, watched: Watched[E]) -> None:
        while (wait := self._schedule.wait(watched, aio.now())) > 0 and not self._closed:
            self._wakeup = aio.Wakeup()
            # `close` may have looked for it just before it was there.
            if not self._closed:
                await self._session.wait(self._wakeup, wait)

    async def _poll(self, watched: Watched[E]) -> None:
        began, pages = aio.now(), 0
        self._current = watched.differ
        poll = watched.differ.poll()
        try:
            request = next(poll)
            while True:
                pages += 1
                request = poll.send(await self._session.call(request, fresh=True))
        except StopIteration:
            self._schedule.succeeded(watched, began, aio.now())
        finally:
            self._schedule.spent(pages, self._session.ratelimit.limit, began)

    async def _report(self, watched: Watched[E], error: ScApiException) -> WatchError | None:
        event = self._schedule.failed(watched, error, aio.now())
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
