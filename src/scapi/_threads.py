"""The primitives of the sync world. `_aio` is its twin: same names, same parameters."""

from __future__ import annotations

import inspect
import math
import os
import socket
import sys
import threading
import time
import warnings
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext, suppress
from itertools import islice
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Self, TypeAlias, TypeVar, cast
from weakref import WeakSet

import httpcore
import httpx

from scapi import _http
from scapi.exceptions import TransportError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Generator, Iterable
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import AbstractContextManager

    from scapi._core.outgoing import Outgoing
    from scapi._core.response import Reply

    Work: TypeAlias = Callable[[], None]
    Sink: TypeAlias = Callable[[bytes, int | None], None]

__all__ = ["Ahead", "SingleFlight", "Transport", "Wakeup", "call", "callback", "fan_out", "now", "outcome", "to_thread"]

A = TypeVar("A")
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

if TYPE_CHECKING:
    #: What is called with one thing and gives another.
    Call: TypeAlias = Callable[[A], R]

now = time.monotonic


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
        self._event = threading.Event()

    def wake(self) -> None:
        """End the wait, or the next one if there is none now."""
        self._event.set()

    def wait(self, seconds: float) -> None:
        """Wait for so many seconds, or until woken."""
        with _waiting(self._event.set):
            self._event.wait(seconds)
        self._event.clear()


class SingleFlight:
    """Does something once for all who want it at the same time, in whichever thread they are."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: Future[None] | None = None
        self._thread: int | None = None

    def run(self, work: Work) -> None:
        """Do it, or wait for it if it is under way; whoever waits shares its error too."""
        with self._lock:
            future, first = self._under_way, self._under_way is None
            if future is None:
                future = self._under_way = Future()
                self._thread = threading.get_ident()
        if first:
            self._fly(work, future)
        elif threading.get_ident() == self._thread:
            raise RuntimeError("this would wait for itself: on_token must not call the client")
        future.result()

    def settle(self) -> None:
        """Wait until nothing is under way any more, whatever came of it."""
        with suppress(Exception):
            if future := self._under_way:
                future.result()

    def _fly(self, work: Work, future: Future[None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  # it goes to all who wait
            self._land()
            future.set_exception(error)
        except BaseException:
            # Only this thread is interrupted. Those who wait in another one look again, and do it themselves.
            self._land()
            future.set_result(None)
            raise
        else:
            self._land()
            future.set_result(None)

    def _land(self) -> None:
        with self._lock:
            self._under_way = self._thread = None


class Transport:
    """Sends requests and returns whole answers, from any number of threads, and after a fork.

    Args:
        base_url: The host that all requests go to.
        timeout: Seconds that one request may take in all; `None` for 30, or for what `http_client` says.
        http_client: A client of the caller's to send with, instead of connections of our own.
    """

    #: Until the constructor is through there is nothing to close.
    _refuses = True

    def __init__(self, *, base_url: str, timeout: float | None, http_client: httpx.Client | None) -> None:
        _http.check_client(http_client, httpx.Client)
        self._refuses = False
        self._pool = _Pool(base_url)
        self._base_url = base_url
        self._timeout = timeout
        self._http_client = http_client
        _transports.add(self)

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
            if self._http_client is not None:
                return self._borrow(self._http_client, outgoing, sink)
            return self._pool.exchange(outgoing, self._timeout or _http.TIMEOUT, sink)
        except BaseException as cause:  # noqa: BLE001  # it is raised again, without what its traceback would show
            raise _http.failure(cause, outgoing.url, outer=outer, closed=self.closed)  # noqa: B904  # chained there

    def _borrow(self, client: httpx.Client, outgoing: Outgoing, sink: Sink | None) -> Reply:
        request = _http.request_by(client, outgoing, self._timeout)
        deadline = math.inf if sink or self._timeout is None else time.monotonic() + self._timeout
        return _read(client.send(request, stream=True, follow_redirects=False), outgoing, sink, deadline)

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
        abandoned, self._pool = self._pool, _Pool(self._base_url)
        abandoned.abandon()

    def __del__(self) -> None:
        if not self._refuses and self._pool.open:
            warnings.warn(f"unclosed client of {self._base_url}", ResourceWarning, source=self, stacklevel=2)
            self._pool.close()


class _Pool:
    """The connections of one process, each in an httpx transport of its own, the one used last first.

    httpcore looks through all connections of a pool at every request. A pool of one has nothing to look through.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._turns = threading.Semaphore(_http.MAX_CONNECTIONS)
        self._idle: list[_Connection] = []
        self._all: list[_Connection] = []
        self._closed = threading.Event()

    @property
    def open(self) -> bool:
        return bool(self._all)

    def exchange(self, outgoing: Outgoing, timeout: float, sink: Sink | None) -> Reply:
        with self._turns:
            if self._closed.is_set():
                raise TransportError("the client was closed during the call")
            # `pop` and `append` of a list are atomic, and what was popped is nobody else's.
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connection()
            try:
                return connection.exchange(outgoing, timeout, sink)
            finally:
                self._idle.append(connection)
                if self._closed.is_set():
                    self._close_idle()

    def _connection(self) -> _Connection:
        connection = _Connection(self._base_url)
        self._all.append(connection)
        if self._closed.is_set():
            connection.shut_down()
        return connection

    def close(self) -> None:
        # A socket is closed by the thread that uses it, or its number might be another socket's before that thread is
        # done with it. Shutting it down wakes the thread.
        self._closed.set()
        for connection in list(self._all):  # a copy: the threads that wake take theirs out
            connection.shut_down()
        self._close_idle()

    def _close_idle(self) -> None:
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                connection.close()
                self._all.remove(connection)

    def abandon(self) -> None:
        for connection in self._all:
            connection.abandon()


class _Connection(httpcore.SyncBackend):
    """One connection to the host, whose every wait ends at one deadline.

    A blocking socket has a timeout for each read but none for all of them, so that a server which sends a byte a second
    is never late. Here each wait gets what is left of the time of the whole request.
    """

    def __init__(self, base_url: str) -> None:
        self._transport = httpx.HTTPTransport(**_http.connection_options(base_url))
        # httpx has no argument for this; a test sees to it that it goes on working.
        vars(self._transport)["_pool"] = _Lane(vars(self._transport)["_pool"], self)
        self._stream: _Stream | None = None
        self._deadline = 0.0
        self._closed = False

    def exchange(self, outgoing: Outgoing, timeout: float, sink: Sink | None) -> Reply:
        self._deadline = math.inf if sink else time.monotonic() + timeout
        try:
            with _waiting(self.interrupt):
                return _read(self._transport.handle_request(_http.request(outgoing, timeout)), outgoing, sink)
        finally:
            if _http.has_leftovers(self._transport):
                self._transport.close()

    def left(self, timeout: float | None) -> float:
        """Seconds that a wait may take which was to take `timeout`."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the whole answer took too long")
        return left if timeout is None else min(timeout, left)

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any) -> _Stream:
        self._stream = _Stream(super().connect_tcp(host, port, self.left(timeout), *args, **options), self)
        if self._closed:
            self._stream.shut_down()
        return self._stream

    def shut_down(self) -> None:
        """End the request under way, from any thread, and all that may follow."""
        self._closed = True
        self.interrupt()

    def interrupt(self) -> None:
        """End the wait of another thread for this connection."""
        if self._stream:
            self._stream.shut_down()

    def close(self) -> None:
        self._transport.close()

    def abandon(self) -> None:
        if self._stream:
            self._stream.close()


class _Lane:
    """One connection, made anew when it is gone, in the place of the httpcore pool that it is made by.

    A pool sorts and locks at both ends of every request; with one connection and one request at a time that is for
    nothing.
    """

    def __init__(self, pool: Any, backend: httpcore.NetworkBackend) -> None:
        pool._network_backend = backend
        self._pool: httpcore.ConnectionPool = pool
        self.connections: list[httpcore.ConnectionInterface] = []

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        if not any(_http.is_ready(connection, request) for connection in self.connections):
            self.close()
            self.connections = [self._pool.create_connection(request.url.origin)]
        return self.connections[0].handle_request(request)

    def close(self) -> None:
        connections, self.connections = self.connections, []
        for connection in connections:
            connection.close()


class _Stream(httpcore.NetworkStream):
    """A stream whose waits end at the deadline of its connection."""

    def __init__(self, stream: httpcore.NetworkStream, connection: _Connection) -> None:
        self._stream = stream
        self._left = connection.left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        self._stream = self._stream.start_tls(ssl_context, server_hostname, self._left(timeout))
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()

    def shut_down(self) -> None:
        with suppress(OSError):
            # Not the method of the TLS socket: that one takes its TLS state away from under the reading thread.
            socket.socket.shutdown(self.get_extra_info("socket"), socket.SHUT_RDWR)


def _read(response: httpx.Response, outgoing: Outgoing, sink: Sink | None, deadline: float = math.inf) -> Reply:
    try:
        body = _http.Body(response, outgoing)
        for chunk in cast("httpx.SyncByteStream", body.stream()):
            if sink and response.is_success:
                sink(body.unpack(chunk), body.length)
            else:
                body.add(chunk)
            # In a client of the caller's, no wait ends at our deadline; at least none is begun after it.
            if time.monotonic() > deadline:
                raise TimeoutError
    finally:
        response.close()
    return body.reply()


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


def fan_out(fn: Call[A, R], items: Iterable[A], limit: int) -> Generator[R]:
    """The results of many calls, as they complete.

    The first error ends the calls under way and is raised, and so does closing the generator.

    Args:
        fn: What is called with each item.
        items: Taken one by one, each when a call completes; asked again even after there was nothing left, as long as
            calls are under way.
        limit: How many calls may be under way at once, 1 or more.
    """
    source = iter(items)
    done: SimpleQueue[Future[R]] = SimpleQueue()
    crew = _Crew(limit)
    begun: set[Future[R]] = set()

    def begin() -> None:
        for item in islice(source, limit - len(begun)):
            future = crew.submit(fn, item)
            begun.add(future)
            future.add_done_callback(done.put)

    try:
        begin()
        while begun:
            future = done.get()
            begun.discard(future)
            result = future.result()
            begin()
            yield result
    finally:
        crew.dismiss()


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
            self._check()
            self._interrupts.add(interrupt)
        try:
            yield
        finally:
            with self._lock:
                self._interrupts.discard(interrupt)
                self._check()

    def _check(self) -> None:
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
            self._pool.shutdown(cancel_futures=True)


class _DismissedError(BaseException):
    """Ends a call on a thread whose crew was dismissed. No `Exception`, so that nothing takes it for a failure."""


_local = threading.local()


def _waiting(interrupt: Callable[[], None]) -> AbstractContextManager[None]:
    """A wait that ends early if the thread that it blocks is called off."""
    crew: _Crew | None = getattr(_local, "crew", None)
    return crew.waiting(interrupt) if crew else nullcontext()


_transports: WeakSet[Transport] = WeakSet()


def _leave_connections_to_parent() -> None:
    for transport in _transports:
        transport.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_connections_to_parent)
