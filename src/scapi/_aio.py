"""The primitives of the async world. `_threads` is its twin: same names, same parameters."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
import time
import warnings
from concurrent.futures import Future
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar

from scapi import _http
from scapi._aio_network import Link
from scapi._core import forks, http1
from scapi.exceptions import TransportError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Coroutine, Iterable

    import httpx

    from scapi._core.outgoing import Outgoing
    from scapi._core.response import Reply

    Work: TypeAlias = Callable[[], Awaitable[None]]
    Sink: TypeAlias = Callable[[bytes, int | None], Awaitable[None]]

__all__ = ["Ahead", "FanOut", "SingleFlight", "Transport", "Wakeup", "call", "callback", "now", "outcome", "to_thread"]

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")

if TYPE_CHECKING:
    #: What is called with one thing and gives another.
    Call: TypeAlias = Callable[[A], Coroutine[Any, Any, R]]

now = time.monotonic

#: Run a function that keeps a disk or the processor busy, while everything else goes on.
to_thread = asyncio.to_thread


def callback(name: str, function: Callable[[T], object]) -> Callable[[T], object]:
    """A function, or a coroutine function of the user's that `call` can call, or a `TypeError`."""
    if not callable(function):
        raise TypeError(f"{name} must be a function, or a coroutine function, not {type(function).__name__}")
    return function


async def call(function: Callable[[T], object], argument: T) -> None:
    """Call a function of the user's, which may be a coroutine function."""
    result = function(argument)
    if inspect.isawaitable(result):
        await result


async def outcome(future: Future[T], seconds: float) -> T:
    """The result of what goes on in a thread, or a `TimeoutError` after so many seconds."""
    async with asyncio.timeout(seconds):
        return await asyncio.wrap_future(future)


class Wakeup:
    """A wait that others can end early, from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def wake(self) -> None:
        """End the wait, or the next one if there is none now."""
        # The loop may be gone together with the task that waited in it.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float) -> None:
        """Wait for so many seconds, or until woken."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        self._event.clear()


class SingleFlight:
    """Does something once for all who want it at the same time, in whichever event loop they are.

    What has begun is finished, even if those who wait for it are cancelled.
    """

    def __init__(self) -> None:
        self.forked()
        forks.begins_anew(self)

    def forked(self) -> None:
        """Begin anew: in the child of a fork, what was under way is somebody else's."""
        self._lock = threading.Lock()
        self._under_way: Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, work: Work) -> None:
        """Do it, or wait for it if it is under way; whoever waits shares its error too."""
        mine, loop = _uncancellable(), asyncio.get_running_loop()
        with self._lock:
            # What began in an event loop that has stopped since may never go on.
            if self._under_way is None or not (self._loop and self._loop.is_running()):
                self._under_way, self._loop = mine, loop
            future = self._under_way
        if future is mine:
            # Not under the lock: a task of an eager factory runs at once, and may be through when this returns.
            asyncio.create_task(self._fly(work, mine))  # noqa: RUF006  # once it runs, `_task` refers to it
        elif asyncio.current_task() is self._task:
            raise RuntimeError("this would wait for itself: on_token must not call the client")
        await asyncio.wrap_future(future)

    async def settle(self) -> None:
        """Wait until nothing is under way any more, whatever came of it."""
        with suppress(Exception):
            if future := self._under_way:
                await asyncio.wrap_future(future)

    async def _fly(self, work: Work, future: Future[None]) -> None:
        self._task = asyncio.current_task()
        try:
            await work()
        except Exception as error:  # noqa: BLE001  # it goes to all who wait
            self._land(future, error)
        except BaseException:
            # Only this event loop ends. Those who wait in another one look again, and do it themselves.
            self._land(future)
            raise
        else:
            self._land(future)

    def _land(self, future: Future[None], error: Exception | None = None) -> None:
        with self._lock:
            if self._under_way is future:
                self._under_way = self._task = None
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


def _uncancellable() -> Future[None]:
    """A future that doesn't end when one of those who wait for it does."""
    future = Future[None]()
    future.set_running_or_notify_cancel()
    return future


class Transport:
    """Sends requests and returns whole answers, from any number of tasks, in any number of event loops.

    Args:
        base_url: The host that all requests go to.
        timeout: Seconds that one request may take in all, as soon as a connection is free for it; `None` for 30, or
            for what `http_client` says.
        http_client: A client of the caller's to send with, instead of connections of our own.
    """

    #: Until the constructor is through there is nothing to close.
    _refuses = True

    def __init__(self, *, base_url: str, timeout: float | None, http_client: httpx.AsyncClient | None) -> None:
        _http.check_client(http_client, "AsyncClient")
        self._refuses = False
        self._pools: dict[asyncio.AbstractEventLoop, tuple[_Pool, AsyncGenerator[None]]] = {}
        self._lock = threading.Lock()
        self._base_url = base_url
        self._timeout = timeout
        self._http_client = http_client

    async def send(self, outgoing: Outgoing, sink: Sink | None = None) -> Reply:
        """Send a request and read its answer whole, or raise the documented error.

        Args:
            outgoing: The request.
            sink: Takes the body of a 2xx in place of the result: chunk by chunk, each with the length of the whole if
                that is known. Such an answer may be of any size, and take its time as long as something arrives.
        """
        if self.closed:
            raise TransportError("the client is closed")
        # What the caller is handling just now is none of ours.
        outer = sys.exception()
        try:
            return _http.log(outgoing, await self._reply(outgoing, sink))
        except BaseException as cause:  # noqa: BLE001  # it is raised again, without what its traceback would show
            raise _http.failure(cause, outgoing.url, outer=outer, closed=self.closed)  # noqa: B904  # chained there

    async def _reply(self, outgoing: Outgoing, sink: Sink | None) -> Reply:
        if self._http_client is not None:
            return await self._borrow(self._http_client, outgoing, self._timeout, sink)
        if _http.is_intercepted():
            async with _stand_in() as client:
                return await self._borrow(client, outgoing, self._timeout or _http.TIMEOUT, sink)
        pool = await self._pool()
        return await pool.exchange(outgoing, self._timeout or _http.TIMEOUT, sink)

    async def _borrow(
        self, client: httpx.AsyncClient, outgoing: Outgoing, timeout: float | None, sink: Sink | None
    ) -> Reply:
        request = _http.request_by(client, outgoing, timeout)
        async with asyncio.timeout(None if sink else timeout):
            response = await client.send(request, stream=True, follow_redirects=False)
            try:
                body, parts = _http.body_of(response, outgoing)
                async for part in parts:
                    if sink and response.is_success:
                        for piece in body.unpack(part):
                            await sink(piece, body.length)
                    else:
                        body.add(part)
            finally:
                await response.aclose()
            return body.reply()

    async def _pool(self) -> _Pool:
        loop = asyncio.get_running_loop()
        entry = self._pools.get(loop)
        if entry is None:
            pool = _Pool()
            entry = pool, _closed_with_the_loop(pool)
            await anext(entry[1])
            with self._lock:
                # Whoever closed the client just now, in another thread, hasn't seen this one.
                if self._refuses:
                    raise TransportError("the client was closed during the call")
                # Those of loops that are over, whose guards have closed them.
                for over in [other for other in self._pools if other.is_closed()]:
                    del self._pools[over]
                self._pools[loop] = entry
        return entry[0]

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._refuses or (self._http_client is not None and self._http_client.is_closed)

    def refuse(self) -> None:
        """Send nothing from now on."""
        self._refuses = True

    async def close(self) -> None:
        """End the requests under way and close all connections. A client of the caller's is left alone."""
        self.refuse()
        with self._lock:
            pools = list(self._pools.items())
            self._pools.clear()
        for loop, (_, guard) in pools:
            if loop is asyncio.get_running_loop():
                await guard.aclose()
            else:
                # It may end at this very moment, and closes its pool itself then.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(_close_soon, guard)

    def __del__(self) -> None:
        # The pools themselves are closed by their guards, which the collector hands to their event loops.
        if not self._refuses and any(pool.open for pool, _ in self._pools.values()):
            warnings.warn(f"unclosed client of {self._base_url}", ResourceWarning, source=self, stacklevel=2)


def _close_soon(guard: AsyncGenerator[None]) -> None:
    """Close a pool in its own event loop, in a task that is kept until it is done."""
    task = asyncio.ensure_future(guard.aclose())
    _closing.add(task)
    task.add_done_callback(_closing.discard)


_closing: set[asyncio.Future[None]] = set()


def _stand_in() -> httpx.AsyncClient:
    """A client for who mocks what httpx sends."""
    import httpx

    return httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(verify=_http.tls()))


class _Pool:
    """The connections of one event loop, the one used last first."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_http.MAX_CONNECTIONS)
        self._links: set[Link] = set()
        self._idle: list[Link] = []
        self._under_way: set[asyncio.Timeout] = set()
        self._closed = False

    @property
    def open(self) -> bool:
        return bool(self._links)

    async def exchange(self, outgoing: Outgoing, timeout: float, sink: Sink | None) -> Reply:
        async with self._turns:
            self._check()
            link = self._rested(http1.locate(outgoing).origin)
            begun = asyncio.get_running_loop().time()
            deadline = asyncio.timeout(timeout if link.is_open else min(timeout, _http.CONNECT_TIMEOUT))
            self._under_way.add(deadline)
            try:
                async with deadline:
                    if not link.is_open:
                        await link.open()
                        deadline.reschedule(begun + timeout)
                    return await link.exchange(outgoing, sink and self._patient(sink, deadline, timeout))
            except TimeoutError as cause:
                if not link.is_open:
                    raise _http.ConnectTimeout from cause
                raise
            finally:
                self._under_way.discard(deadline)
                self._rest(link)

    def _rested(self, origin: http1.Origin) -> Link:
        """A connection that is ready, or a new one that is still to be opened."""
        while self._idle:
            link = self._idle.pop()
            if link.origin == origin and link.is_ready:
                return link
            self._drop(link)
        link = Link(origin)
        self._links.add(link)
        return link

    def _rest(self, link: Link) -> None:
        if link.rests and not self._closed:
            self._idle.append(link)
        else:
            self._drop(link)

    def _drop(self, link: Link) -> None:
        link.close()
        self._links.discard(link)

    def _check(self) -> None:
        if self._closed:
            raise TransportError("the client was closed during the call")

    def _patient(self, sink: Sink, deadline: asyncio.Timeout, timeout: float) -> Sink:
        """A sink that may take its time, after which the next part of the body has the whole timeout again."""

        async def take(part: bytes, length: int | None) -> None:
            deadline.reschedule(None)
            await sink(part, length)
            self._check()
            deadline.reschedule(asyncio.get_running_loop().time() + timeout)

        return take

    def close(self) -> None:
        self._closed = True
        for deadline in self._under_way:
            if not deadline.expired():
                deadline.reschedule(0)
        for link in list(self._links):
            self._drop(link)


async def _closed_with_the_loop(pool: _Pool) -> AsyncGenerator[None]:
    """Close the pool when the event loop ends, or when nobody refers to the pool any more.

    A started async generator is what an event loop closes by itself in both cases, while it still runs.
    """
    try:
        yield
    finally:
        pool.close()


class Ahead(Generic[A, R]):
    """Makes a call before its result is asked for, one call at a time.

    Args:
        call: What is called. Leaving the context ends the call under way.
    """

    def __init__(self, call: Call[A, R]) -> None:
        self._call = call
        self._task: asyncio.Task[R] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await _ended([self._task] if self._task else [])

    def start(self, argument: A) -> None:
        """Begin the call whose result is asked for next."""
        self._task = asyncio.get_running_loop().create_task(self._call(argument))

    async def get(self, argument: A) -> R:
        """The result of the call that was begun, or of one that is made now."""
        if self._task is None:
            return await self._call(argument)
        result = await self._task
        self._task = None
        return result


class FanOut(Generic[A, R]):
    """The results of many calls, as they complete. Leaving the context ends the calls under way.

    No generator, which a loop that ends, or the collector, would close at the same time as the one that iterates.

    Args:
        fn: What is called with each item.
        items: Taken one by one, each when a call completes; asked again even after there was nothing left, as long as
            calls are under way. Its error is raised after the result that is there already.
        limit: How many calls may be under way at once, 1 or more.
    """

    def __init__(self, fn: Call[A, R], items: Iterable[A], limit: int) -> None:
        self._fn = fn
        self._source = iter(items)
        self._limit = limit
        self._done: asyncio.Queue[asyncio.Task[R]] = asyncio.Queue()
        self._begun: set[asyncio.Task[R]] = set()
        self._error: Exception | None = None
        self._begin()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await _ended(self._begun)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        if self._error:
            raise self._error
        if not self._begun:
            raise StopAsyncIteration
        task = await self._done.get()
        self._begun.discard(task)
        result = task.result()
        self._begin()
        return result

    def _begin(self) -> None:
        try:
            for item in islice(self._source, self._limit - len(self._begun)):
                task = asyncio.get_running_loop().create_task(self._fn(item))
                self._begun.add(task)
                task.add_done_callback(self._done.put_nowait)
        except Exception as error:  # noqa: BLE001  # it is the source's, and raised when its turn comes
            self._error = error


async def _ended(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks and see them end."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        # An error that nobody looks at would be reported by the event loop.
        if not task.cancelled():
            task.exception()
