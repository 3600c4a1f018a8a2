"""The primitives of the sync world. `aio` is its twin, with the same names and parameters."""

from __future__ import annotations

import _thread
import errno
import inspect
import math
import os
import socket
import threading
import time
import warnings
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, Self, TypeAlias, TypeVar

from scapi._base import forks
from scapi._primitives import thread_results

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager
    from types import TracebackType

    import httpcore

    from scapi._primitives.thread_results import Outcome

    Work: TypeAlias = Callable[[], None]
    #: Receives a part of a body, and the length of the whole body if that is known.
    Sink: TypeAlias = Callable[[bytes, int | None], None]


class _Closable(Protocol):
    def close(self) -> None: ...

    def __len__(self) -> int: ...


A = TypeVar("A")
Options = ParamSpec("Options")
P = TypeVar("P", bound=_Closable)
R = TypeVar("R")
S = TypeVar("S", bound="httpcore.NetworkStream")
T = TypeVar("T")

if TYPE_CHECKING:
    #: A function of one argument.
    Call: TypeAlias = Callable[[A], R]

#: The module that programs import this world from. Classes name it in their `__module__`.
PUBLIC = "scapi.sync"

#: The minimum number of bytes to read from a stream. Here unread bytes stay in the socket.
LEAST_READ = 0

#: How often a waiting thread checks whether it should give up, in seconds.
PATIENCE = 1


def give_way() -> None:
    """Let other threads run that are ready. The interpreter does this by itself, except in long C calls."""


def callback(name: str, function: Callable[[T], object]) -> Callable[[T], object]:
    """Return a function of the user. Raise `TypeError` if `call` can't call it."""
    if not callable(function):
        raise TypeError(f"{name} must be a function, not {type(function).__name__}")
    if inspect.iscoroutinefunction(function):
        raise TypeError(f"{name} must be a plain function, not a coroutine function: sync code can't await it")
    return function


def call(function: Callable[[T], object], argument: T) -> None:
    """Call a function of the user. Raise `TypeError` if it returns a coroutine: nothing here could await it."""
    result = function(argument)
    if inspect.iscoroutine(result):
        result.close()
        raise TypeError(f"{function!r} must be a plain function, not a coroutine function: sync code can't await it")


def to_thread(function: Callable[Options, T], /, *args: Options.args, **options: Options.kwargs) -> T:
    """Run a function that does disk I/O or heavy computation. Here it runs in the caller's thread."""
    return function(*args, **options)


class Wakeup:
    """A wait that others can end early, from any thread.

    Attributes:
        hold: A lock that the waiting call holds in a `with`, see `scapi._primitives.held_objects`.
    """

    def __init__(self) -> None:
        self.hold = threading.Lock()
        # Every call makes a wakeup, and few wait with it: a queue takes a tenth of the time of an event to make. An
        # interrupted event may also lose the interrupt.
        self._wakes: SimpleQueue[None] = SimpleQueue()

    def alive(self) -> bool:
        """Return whether a call holds the lock."""
        return self.hold.locked()

    def wake(self) -> None:
        """End the current wait, or the next one if there is none."""
        self._wakes.put(None)

    def wait(self, seconds: float) -> None:
        """Wait for a number of seconds, or until woken."""
        with suppress(Empty), _waiting(self.wake):
            self._wakes.get(timeout=seconds)
            while True:
                self._wakes.get_nowait()


def current() -> object:
    """Return the current thread."""
    return threading.get_ident()


def runtime() -> Callable[[], bool]:
    """Return a function that returns whether the current runtime still runs: always, as threads run until the exit."""
    return lambda: True


def spawn(work: Work) -> None:
    """Do some work in a thread. It receives no signals, and the interpreter waits for it at exit."""
    # Started from a helper thread: `Thread.start` waits in a way that may lose an interrupt.
    _thread.start_new_thread(_spawn, (work,))


def begin(work: Work) -> None:
    """Begin some work. Here it runs in the caller's thread: another thread would be too expensive."""
    work()


def _spawn(work: Work) -> None:
    try:
        threading.Thread(target=work, name="scapi_spawned", daemon=False).start()
    except RuntimeError:  # the interpreter is about to exit, or there are too many threads
        work()


class Deadline:
    """The time limit of a call, on the monotonic clock.

    A blocking socket has a timeout for each read but none for all reads: a server that sends a byte per second never
    runs into it. So each wait is limited to the remaining time of the whole call.
    """

    def __init__(self) -> None:
        self._at = math.inf
        self._stream: httpcore.NetworkStream | None = None
        self._ended = False
        self._cancellation = _waiting(self.end)

    def __enter__(self) -> Self:
        self._cancellation.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cancellation.__exit__(kind, error, trace)

    def set(self, seconds: float | None) -> None:
        """End the call after a number of seconds from now, or never."""
        self._at = math.inf if seconds is None else time.monotonic() + seconds

    def end(self) -> None:
        """End the call at once, from any thread."""
        self._ended = True
        if self._stream is not None:
            with suppress(OSError):
                # Not the method of the TLS socket: it removes the TLS state while the other thread is reading.
                socket.socket.shutdown(self._stream.get_extra_info("socket"), socket.SHUT_RDWR)

    def left(self, stream: httpcore.NetworkStream | None = None) -> float:
        """Return the time limit of a wait for a stream, in seconds. `end` shuts down this stream to end the wait."""
        self._stream = stream
        if self._ended:
            raise ConnectionAbortedError(errno.ECONNABORTED, os.strerror(errno.ECONNABORTED))
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time limit was exceeded")
        return min(left, threading.TIMEOUT_MAX)


def connect(backend: httpcore.NetworkBackend, host: str, port: int, deadline: Deadline) -> httpcore.NetworkStream:
    """Connect to the first address of a host that responds. Each address gets its share of the remaining time."""
    ends = time.monotonic() + deadline.left()

    def work() -> httpcore.NetworkStream:
        found = [address for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        for more, address in zip(range(len(found), 0, -1), found, strict=True):
            try:
                return backend.connect_tcp(str(address[0]), port, timeout=max((ends - time.monotonic()) / more, 0.001))
            except Exception:
                if more == 1:
                    raise
        raise OSError(errno.EADDRNOTAVAIL, "the host has no address")

    return uninterrupted(work, deadline)


def uninterrupted(work: Callable[[], S], deadline: Deadline) -> S:
    """Do some work that can't watch the deadline itself: a name lookup, connecting, a handshake.

    It runs in a thread of its own. If the call ends first, the thread is left behind.
    """
    results: SimpleQueue[Outcome[S]] = SimpleQueue()
    wanted = threading.Lock()

    def run() -> None:
        results.put(thread_results.capture(work))
        if not wanted.locked():
            close_unwanted()

    def close_unwanted() -> None:
        with suppress(Empty):
            result, _ = results.get_nowait()
            if result is not None:
                result.close()

    try:
        with wanted:
            _thread.start_new_thread(run, ())
            while True:
                with suppress(Empty):
                    return thread_results.unwrap(results.get(timeout=min(deadline.left(), PATIENCE)))
    except BaseException:
        close_unwanted()
        raise


class PerRuntime(Generic[P]):
    """One set of connections for the process, see the twin. The child of a fork starts with a new one."""

    def __init__(self, make: Callable[[], P], owner: str) -> None:
        self._make = make
        self._owner = owner
        self._made = make()
        self._closed = False
        forks.reset_after_fork(self)

    def get(self) -> P:
        """Return the set."""
        return self._made

    def close(self) -> None:
        """Close the set."""
        self._closed = True
        self._made.close()

    def forked(self) -> None:
        """Leave the connections to the parent process, which still uses them. Our copies are garbage collected."""
        self._made = self._make()

    def __del__(self) -> None:
        if not self._closed and len(self._made):
            warnings.warn(f"unclosed {self._owner}", ResourceWarning, source=self, stacklevel=2)
            self._made.close()


class Workers(Generic[A, R]):
    """Calls that run concurrently with the caller, each in a thread. They can be cancelled during a wait.

    Args:
        limit: The maximum number of concurrent calls. The caller must respect it.
        hold: A lock that the owner holds in a `with`, see `scapi._primitives.held_objects`. Its release also ends the
            threads.
    """

    def __init__(self, limit: int, hold: threading.Lock) -> None:
        self._limit, self._hold = limit, hold
        # Not an executor: an exception of a signal handler may leave its locks locked, and then its threads never end.
        # Here the caller only uses queues.
        self._orders: SimpleQueue[Callable[[], R] | None] = SimpleQueue()
        self._done: SimpleQueue[Outcome[R]] = SimpleQueue()
        self._over: SimpleQueue[None] = SimpleQueue()
        self._begun = self._threads = 0
        self._interrupts: dict[Callable[[], None], None] = {}
        self._ended = False

    def __len__(self) -> int:
        return self._begun

    def start(self, function: Call[A, R], argument: A) -> None:
        """Begin a call."""
        self._begun += 1
        self._orders.put(partial(function, argument))
        if self._threads < min(self._limit, self._begun):
            spawn(self._work)
            self._threads += 1

    def ready(self, seconds: float) -> bool:
        """Wait until a call completes, for so many seconds at most. Return whether `result` has one at once."""
        with suppress(Empty):
            self._done.put(self._done.get(timeout=seconds))
        return not self._done.empty()

    def result(self) -> R:
        """Return the result of the next call that completes, or raise its error."""
        box = [self._done.get()]
        self._begun -= 1
        return thread_results.unwrap(box.pop())  # no local variable: the traceback of an error refers to this frame

    def end(self) -> None:
        """Cancel the running calls, and wait until their threads end."""
        self._ended = True
        for interrupt in list(self._interrupts):
            interrupt()
        for _ in range(self._threads):
            self._orders.put(None)
        # The garbage collector may end an iterator in one of its own threads, which can't wait for itself.
        while self._threads and getattr(_local, "workers", None) is not self:
            # Not `join`: `threading` may lose an interrupt while it drops an object of a thread.
            self._over.get()
            self._threads -= 1

    def _work(self) -> None:
        """Make calls, one after another, until the workers are ended or released."""
        _local.workers = self
        # An unclosed iterator must not block the exit of the interpreter.
        while self._hold.locked() and not self._ended and threading.main_thread().is_alive():
            with suppress(Empty):
                if (order := self._orders.get(timeout=PATIENCE)) is not None and not self._ended:
                    self._done.put(thread_results.capture(order))
        self._over.put(None)

    @contextmanager
    def waiting(self, interrupt: Callable[[], None]) -> Generator[None]:
        """Wrap a wait in one of the threads. `end` calls `interrupt` to end the wait."""
        self._interrupts[interrupt] = None
        try:
            self._check()
            yield
        finally:
            self._interrupts.pop(interrupt, None)
            self._check()

    def _check(self) -> None:
        if self._ended:
            raise _CancelledError


class _CancelledError(BaseException):
    """Ends a call after its workers were ended. Not an `Exception`, so that no handler takes it for a failure."""


_local = threading.local()


def _waiting(interrupt: Callable[[], None]) -> AbstractContextManager[None]:
    """Wrap a wait so that it ends early if the workers of the current thread are ended."""
    workers: Workers[Any, Any] | None = getattr(_local, "workers", None)
    return nullcontext() if workers is None else workers.waiting(interrupt)
