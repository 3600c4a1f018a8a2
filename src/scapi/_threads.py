"""The primitives of the sync world. `_aio` is its twin: same names, same parameters."""

from __future__ import annotations

import inspect
import math
import sys
import threading
import time
import warnings
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext, suppress
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Generic, ParamSpec, Self, TypeAlias, TypeVar

from scapi import _http
from scapi._core import forks, http1
from scapi._threads_network import Link
from scapi.exceptions import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import AbstractContextManager

    import httpx

    from scapi._core.outgoing import Outgoing
    from scapi._core.response import Reply

    Work: TypeAlias = Callable[[], None]
    Sink: TypeAlias = Callable[[bytes, int | None], None]

__all__ = ["Ahead", "FanOut", "SingleFlight", "Transport", "Wakeup", "call", "callback", "now", "outcome", "to_thread"]

A = TypeVar("A")
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

if TYPE_CHECKING:
    #: What is called with one thing and gives another.
    Call: TypeAlias = Callable[[A], R]

now = time.monotonic

#: Seconds after which who waits for a connection looks whether it is still to wait.
PATIENCE = 1


def callback(name: str, function: Callable[[T], object]) -> Callable[[T], object]:
    """A function of the user's that `call` can call, or a `TypeError`."""
    if not callable(function):
        raise TypeError(f"{name} must be a function, not {type(function).__name__}")
    if inspect.iscoroutinefunction(function):
        raise TypeError(f"{name} must be a plain function, not a coroutine function: this is the sync world")
    return function


def call(function: Callable[[T], object], argument: T) -> None:
    """Call a function of the user's, which must not be a coroutine function: nothing here could await it."""
    result = function(argument)
    if inspect.iscoroutine(result):
        result.close()
        raise TypeError(f"{function!r} must be a plain function, not a coroutine function: this is the sync world")


def outcome(future: Future[T], seconds: float) -> T:
    """The result of what goes on in a thread, or a `TimeoutError` after so many seconds."""
    return future.result(seconds)


def to_thread(function: Callable[P, T], /, *args: P.args, **options: P.kwargs) -> T:
    """Run a function that keeps a disk or the processor busy; here the caller's own thread will do."""
    return function(*args, **options)


class Wakeup:
    """A wait that others can end early, from any thread."""

    def __init__(self) -> None:
        # Every call makes one and few wait with it: a queue is made in a tenth of the time that an event takes.
        self._wakes: SimpleQueue[None] = SimpleQueue()

    def wake(self) -> None:
        """End the wait, or the next one if there is none now."""
        self._wakes.put(None)

    def wait(self, seconds: float) -> None:
        """Wait for so many seconds, or until woken."""
        with suppress(Empty), _waiting(self.wake):
            self._wakes.get(timeout=seconds)
            while True:
                self._wakes.get_nowait()


class SingleFlight:
    """Does something once for all who want it at the same time, in whichever thread they are."""

    def __init__(self) -> None:
        self.forked()
        forks.begins_anew(self)

    def forked(self) -> None:
        """Begin anew: in the child of a fork, what was under way is somebody else's."""
        self._lock = threading.Lock()
        self._under_way: Future[None] | None = None
        self._thread: int | None = None

    def run(self, work: Work) -> None:
        """Do it, or wait for it if it is under way; whoever waits shares its error too."""
        mine = Future[None]()
        try:
            with self._lock:
                if self._under_way is None:
                    self._under_way, self._thread = mine, threading.get_ident()
                future = self._under_way
            if future is mine:
                work()
        except Exception as error:
            self._land(mine, error)
            raise
        except BaseException:
            # Only this thread is interrupted. Those who wait in another one look again, and do it themselves.
            self._land(mine)
            raise
        if future is mine:
            self._land(mine)
        elif threading.get_ident() == self._thread:
            raise RuntimeError("this would wait for itself: on_token must not call the client")
        else:
            future.result()

    def settle(self) -> None:
        """Wait until nothing is under way any more, whatever came of it."""
        with suppress(Exception):
            if future := self._under_way:
                future.result()

    def _land(self, future: Future[None], error: Exception | None = None) -> None:
        with self._lock:
            if self._under_way is future:
                self._under_way = self._thread = None
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


class Transport:
    """Sends requests and returns whole answers, from any number of threads, and after a fork.

    Args:
        base_url: The host that all requests go to.
        timeout: Seconds that one request may take in all, as soon as a connection is free for it; `None` for 30, or
            for what `http_client` says.
        http_client: A client of the caller's to send with, instead of connections of our own.
    """

    #: Until the constructor is through there is nothing to close.
    _refuses = True

    def __init__(self, *, base_url: str, timeout: float | None, http_client: httpx.Client | None) -> None:
        _http.check_client(http_client, "Client")
        self._refuses = False
        self._pool = _Pool()
        self._base_url = base_url
        self._timeout = timeout
        self._http_client = http_client
        forks.begins_anew(self)

    def send(self, outgoing: Outgoing, sink: Sink | None = None) -> Reply:
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
            return _http.log(outgoing, self._reply(outgoing, sink))
        except BaseException as cause:  # noqa: BLE001  # it is raised again, without what its traceback would show
            raise _http.failure(cause, outgoing.url, outer=outer, closed=self.closed)  # noqa: B904  # chained there

    def _reply(self, outgoing: Outgoing, sink: Sink | None) -> Reply:
        if self._http_client is not None:
            return self._borrow(self._http_client, outgoing, self._timeout, sink)
        if _http.is_intercepted():
            with _stand_in() as client:
                return self._borrow(client, outgoing, self._timeout or _http.TIMEOUT, sink)
        return self._pool.exchange(outgoing, self._timeout or _http.TIMEOUT, sink)

    def _borrow(self, client: httpx.Client, outgoing: Outgoing, timeout: float | None, sink: Sink | None) -> Reply:
        request = _http.request_by(client, outgoing, timeout)
        deadline = math.inf if sink or timeout is None else time.monotonic() + timeout
        response = client.send(request, stream=True, follow_redirects=False)
        try:
            body, parts = _http.body_of(response, outgoing)
            for part in parts:
                if sink and response.is_success:
                    for piece in body.unpack(part):
                        sink(piece, body.length)
                else:
                    body.add(part)
                # In a client of the caller's, no wait ends at our deadline; at least none is begun after it.
                if time.monotonic() > deadline:
                    raise TimeoutError
        finally:
            response.close()
        return body.reply()

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._refuses or (self._http_client is not None and self._http_client.is_closed)

    def refuse(self) -> None:
        """Send nothing from now on."""
        self._refuses = True

    def close(self) -> None:
        """End the requests under way and close all connections. A client of the caller's is left alone."""
        self.refuse()
        self._pool.close()

    def forked(self) -> None:
        """Leave the connections to the parent process, which goes on using them."""
        abandoned, self._pool = self._pool, _Pool()
        abandoned.abandon()

    def __del__(self) -> None:
        if not self._refuses and self._pool.open:
            warnings.warn(f"unclosed client of {self._base_url}", ResourceWarning, source=self, stacklevel=2)
            self._pool.close()


def _stand_in() -> httpx.Client:
    """A client for who mocks what httpx sends."""
    import httpx

    return httpx.Client(transport=httpx.HTTPTransport(verify=_http.tls()))


class _Pool:
    """The connections of one process, the one used last first."""

    def __init__(self) -> None:
        # A semaphore would do as well, in Python, and take many times as long where threads stand in each other's way.
        self._turns: SimpleQueue[None] = SimpleQueue()
        for _ in range(_http.MAX_CONNECTIONS):
            self._turns.put(None)
        self._links: set[Link] = set()
        self._idle: list[Link] = []
        self._closed = threading.Event()

    @property
    def open(self) -> bool:
        return bool(self._links)

    def exchange(self, outgoing: Outgoing, timeout: float, sink: Sink | None) -> Reply:
        self._take_turn()
        try:
            self._check()
            link = self._rested(http1.locate(outgoing).origin)
            try:
                with _waiting(link.shut_down):
                    return self._exchange(link, outgoing, timeout, sink)
            finally:
                self._rest(link)
        finally:
            self._turns.put(None)

    def _take_turn(self) -> None:
        while True:
            with suppress(Empty):
                self._turns.get(timeout=PATIENCE)
                return
            _check_crew()

    def _exchange(self, link: Link, outgoing: Outgoing, timeout: float, sink: Sink | None) -> Reply:
        begun = time.monotonic()
        try:
            if not link.is_open:
                link.deadline = begun + min(timeout, _http.CONNECT_TIMEOUT)
                link.open()
            link.deadline = begun + timeout
            return link.exchange(outgoing, sink and self._patient(sink, link, timeout))
        except TimeoutError as cause:
            if not link.is_open:
                raise _http.ConnectTimeout from cause
            raise

    def _rested(self, origin: http1.Origin) -> Link:
        """A connection that is ready, or a new one that is still to be opened."""
        with suppress(IndexError):
            while True:
                # `pop` and `append` of a list are atomic, and what was popped is nobody else's.
                link = self._idle.pop()
                if link.origin == origin and link.is_ready:
                    return link
                self._drop(link)
        link = Link(origin)
        self._links.add(link)
        if self._closed.is_set():
            link.shut_down()
        return link

    def _rest(self, link: Link) -> None:
        if link.rests:
            self._idle.append(link)
        else:
            self._drop(link)
        if self._closed.is_set():
            self._close_idle()

    def _drop(self, link: Link) -> None:
        link.close()
        self._links.discard(link)

    def _check(self) -> None:
        if self._closed.is_set():
            raise TransportError("the client was closed during the call")

    def _patient(self, sink: Sink, link: Link, timeout: float) -> Sink:
        """A sink that may take its time, after which the next part of the body has the whole timeout again."""

        def take(part: bytes, length: int | None) -> None:
            sink(part, length)
            self._check()
            link.deadline = time.monotonic() + timeout

        return take

    def close(self) -> None:
        # A socket is closed by the thread that uses it, or its number might be another socket's before that thread is
        # done with it. Shutting it down wakes the thread.
        self._closed.set()
        for link in list(self._links):
            link.shut_down()
        self._close_idle()

    def _close_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._drop(self._idle.pop())

    def abandon(self) -> None:
        for link in self._links:
            link.close()


class Ahead(Generic[A, R]):
    """Makes a call before its result is asked for, one call at a time, on one thread.

    Args:
        call: What is called. Leaving the context ends the call under way.
    """

    def __init__(self, call: Call[A, R]) -> None:
        self._call = call
        self._crew = _Crew(1)
        self._future: Future[R] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._crew.dismiss()

    def start(self, argument: A) -> None:
        """Begin the call whose result is asked for next."""
        self._future = self._crew.submit(self._call, argument)

    def get(self, argument: A) -> R:
        """The result of the call that was begun, or of one that is made now."""
        if self._future is None:
            return self._call(argument)
        result = self._future.result()
        self._future = None
        return result


class FanOut(Generic[A, R]):
    """The results of many calls, as they complete. Leaving the context ends the calls under way.

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
        self._crew = _Crew(limit)
        self._done: SimpleQueue[Future[R]] = SimpleQueue()
        self._begun: set[Future[R]] = set()
        self._error: Exception | None = None
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._crew.dismiss()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> R:
        if self._error:
            raise self._error
        if not self._begun:
            raise StopIteration
        future = self._done.get()
        self._begun.discard(future)
        result = future.result()
        self._begin()
        return result

    def _begin(self) -> None:
        try:
            for item in islice(self._source, self._limit - len(self._begun)):
                future = self._crew.submit(self._fn, item)
                self._begun.add(future)
                future.add_done_callback(self._done.put)
        except Exception as error:  # noqa: BLE001  # it is the source's, and raised when its turn comes
            self._error = error


class _Crew:
    """Some threads, made when there is something to do, which can be called off in the middle of a wait."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._interrupts: set[Callable[[], None]] = set()
        self._dismissed = False

    def submit(self, fn: Callable[[A], R], argument: A) -> Future[R]:
        """Call a function on one of the threads."""
        if self._pool is None:
            # Only who pages or fans out needs threads.
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(self._limit, thread_name_prefix="scapi")
        return self._pool.submit(self._run, fn, argument)

    def _run(self, fn: Callable[[A], R], argument: A) -> R:
        _local.crew = self
        try:
            return fn(argument)
        finally:
            _local.crew = None

    @contextmanager
    def waiting(self, interrupt: Callable[[], None]) -> Generator[None]:
        """A wait that ends when `interrupt` is called."""
        with self._lock:
            self.check()
            self._interrupts.add(interrupt)
        try:
            yield
        finally:
            with self._lock:
                self._interrupts.discard(interrupt)
                self.check()

    def check(self) -> None:
        """End the call on the thread at hand if the crew was dismissed."""
        if self._dismissed:
            raise _DismissedError

    def dismiss(self) -> None:
        """End what is under way, and see the threads end."""
        with self._lock:
            self._dismissed = True
            interrupts = list(self._interrupts)
        for interrupt in interrupts:
            interrupt()
        if self._pool:
            # The collector may drop an iterator on a thread of the iterator's own, which can't wait for itself.
            is_own = getattr(_local, "crew", None) is self
            self._pool.shutdown(wait=not is_own, cancel_futures=True)


class _DismissedError(BaseException):
    """Ends a call on a thread whose crew was dismissed. No `Exception`, so that nothing takes it for a failure."""


_local = threading.local()


def _waiting(interrupt: Callable[[], None]) -> AbstractContextManager[None]:
    """A wait that ends early if the thread that it blocks is called off."""
    crew: _Crew | None = getattr(_local, "crew", None)
    return crew.waiting(interrupt) if crew else nullcontext()


def _check_crew() -> None:
    crew: _Crew | None = getattr(_local, "crew", None)
    if crew:
        crew.check()
