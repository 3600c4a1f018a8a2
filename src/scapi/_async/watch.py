"""Polls the API and reports changes as events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from scapi._lists.polling import Schedule
from scapi._primitives import aio
from scapi.exceptions import ScApiException

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from scapi._async.session import Session
    from scapi._lists.polling import Watched
    from scapi._lists.watch_differs import Differ
    from scapi.models import WatchError


E = TypeVar("E")
S = TypeVar("S")


class Watcher(Generic[E, S]):
    """An iterator over new events. A failure of the API doesn't end it.

    It polls only while you wait for the next event. Use it from one task or thread at a time. You can interrupt a wait,
    for example with a timeout, and continue later. The iteration ends when the watcher or its client is closed, or when
    the server permanently refuses all watched items. Closing the client cancels a poll in progress; closing only the
    watcher lets it finish.

    Events come in order, and each comes once. Events that happened between two waits come with the next poll, as far as
    the API still lists them. Errors of your own functions are raised unchanged; errors of the API are reported.
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
        on_failure: Callable[[WatchError], object] | None,
    ) -> None:
        if session.settings.json:
            raise ValueError("json=True gives plain objects, and watchers compare models: use another client for them")
        self._session = session
        self._state = state
        self._schedule: Schedule[E] = Schedule(differs, interval, session.clock.random, session.clock.now())
        self._where = where
        self._on_failure = None if on_failure is None else aio.callback("on_failure", on_failure)
        #: The item that was polled last. Only its events can be pending.
        self._current: Differ[E, Any] | None = None
        self._closed = False
        self._wakeup: aio.Wakeup | None = None

    @property
    def state(self) -> S:
        """The state to resume from after a restart. It covers exactly the events that were returned so far.

        Save it after you have processed an event. Then no event is lost. If you can't save it, the event comes again
        after the restart.
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
        """Return the next event of the last poll that passes the filter."""
        while self._current is not None and self._current.pending:
            event = self._current.pending[0]
            # Filter first: if the filter raises, the event must not count as returned.
            matters = self._where is None or self._where(event)
            self._current.pending.popleft()
            self._current.commit(event)
            if matters:
                return event
        return None

    async def _look(self, watched: Watched[E]) -> WatchError | None:
        """Wait until the next poll is due, then poll. Return an error of the API if there is no `on_failure`."""
        try:
            await self._wait_for(watched)
            if not self._ended:
                await self._poll(watched)
        except ScApiException as error:
            # Closing the client ends its watchers; that is not a failure.
            return None if self._ended else await self._report(watched, error)
        return None

    async def _wait_for(self, watched: Watched[E]) -> None:
        while (wait := self._schedule.wait(watched, self._session.clock.now())) > 0 and not self._closed:
            self._wakeup = aio.Wakeup()
            # `close` may have run just before the wakeup existed.
            if not self._closed:
                await self._session.wait(self._wakeup, wait)

    async def _poll(self, watched: Watched[E]) -> None:
        began, pages = self._session.clock.now(), 0
        self._current = watched.differ
        poll = watched.differ.poll()
        try:
            request = next(poll)
            while True:
                pages += 1
                request = poll.send(await self._session.call(request, fresh=True))
        except StopIteration:
            self._schedule.succeeded(watched, began, self._session.clock.now())
        finally:
            self._schedule.spent(pages, self._session.ratelimit.limit, began)

    async def _report(self, watched: Watched[E], error: ScApiException) -> WatchError | None:
        event = self._schedule.failed(watched, error, self._session.clock.now())
        if self._on_failure is None:
            return event
        await aio.call(self._on_failure, event)
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
