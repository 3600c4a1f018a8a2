"""The primitives of the sync world. `_aio` is its twin: same names, same parameters."""

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
from scapi._primitives import outcomes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager
    from types import TracebackType

    import httpcore

    from scapi._primitives.outcomes import Outcome

    Work: TypeAlias = Callable[[], None]
    #: Takes a part of a body, and the length of the whole if that is known.
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
    #: What is called with one thing and gives another.
    Call: TypeAlias = Callable[[A], R]

#: The module that programs import this world from, by which classes name themselves.
PUBLIC = "scapi.sync"

now = time.monotonic
LEAST_READ = 0  # what a thread doesn't take stays in the socket

#: How often a thread that waits checks whether it should give up, in seconds.
PATIENCE = 1


def give_way() -> None:
    """Let everything go on that is ready to; the interpreter does it by itself, but in long calls of C code."""


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


def to_thread(function: Callable[Options, T], /, *args: Options.args, **options: Options.kwargs) -> T:
    """Run a function that keeps a disk or the processor busy; here the caller's own thread will do."""
    return function(*args, **options)


class Wakeup:
    """A wait that others can end early, from any thread.

    Attributes:
        hold: Whoever waits for a turn holds it in a `with`, see `scapi._primitives.holds`.
    """

    def __init__(self) -> None:
        self.hold = threading.Lock()
        # Every call makes one and few wait with it: a queue is made in a tenth of the time that an event takes. And an
        # event that is interrupted may lose the interrupt.
        self._wakes: SimpleQueue[None] = SimpleQueue()

    def alive(self) -> bool:
        """Whether somebody holds it."""
        return self.hold.locked()

    def wake(self) -> None:
        """End the wait, or the next one if there is none now."""
        self._wakes.put(None)

    def wait(self, seconds: float) -> None:
        """Wait for so many seconds, or until woken."""
        with suppress(Empty), _waiting(self.wake):
            self._wakes.get(timeout=seconds)
            while True:
                self._wakes.get_nowait()


def current() -> object:
    """Return who runs: the thread."""
    return threading.get_ident()


def runtime() -> Callable[[], bool]:
    """Return what tells whether that which runs now still does: threads go on as long as the process."""
    return lambda: True


def spawn(work: Work) -> None:
    """Do something in a thread where no signal arrives, and which the interpreter waits for at its exit."""
    # Begun from another thread: `Thread.start` waits in a way that may lose an interrupt.
    _thread.start_new_thread(_spawn, (work,))


def begin(work: Work) -> None:
    """Do something at once, in the caller's thread: another one would cost more than it is worth."""
    work()


def _spawn(work: Work) -> None:
    try:
        threading.Thread(target=work, name="scapi_spawned", daemon=False).start()
    except RuntimeError:  # the interpreter is about to exit, or there are too many threads
        work()


class Deadline:
    """When a call has to be through, on the monotonic clock.

    A blocking socket has a timeout for each read but none for all of them, so that a server which sends a byte a second
    is never late. Here each wait gets what is left of the time of the whole call.
    """

    def __init__(self) -> None:
        self._at = math.inf
        self._stream: httpcore.NetworkStream | None = None
        self._ended = False
        self._called_off = _waiting(self.end)

    def __enter__(self) -> Self:
        self._called_off.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._called_off.__exit__(kind, error, trace)

    def set(self, seconds: float | None) -> None:
        """End the call after so many seconds from now, or not at all."""
        self._at = math.inf if seconds is None else now() + seconds

    def end(self) -> None:
        """End the call at once, from any thread."""
        self._ended = True
        if self._stream is not None:
            with suppress(OSError):
                # Not the method of the TLS socket: that one takes its TLS state away from under the reading thread.
                socket.socket.shutdown(self._stream.get_extra_info("socket"), socket.SHUT_RDWR)

    def left(self, stream: httpcore.NetworkStream | None = None) -> float:
        """Return the seconds that a wait may take. `end` shuts this stream down, which wakes who waits for it."""
        self._stream = stream
        if self._ended:
            raise ConnectionAbortedError(errno.ECONNABORTED, os.strerror(errno.ECONNABORTED))
        left = self._at - now()
        if left <= 0:
            raise TimeoutError("it took too long")
        return min(left, threading.TIMEOUT_MAX)


def connect(backend: httpcore.NetworkBackend, host: str, port: int, deadline: Deadline) -> httpcore.NetworkStream:
    """Connect to the first address of a host that answers; each may take its share of the time that is left."""
    ends = now() + deadline.left()

    def work() -> httpcore.NetworkStream:
        found = [address for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        for more, address in zip(range(len(found), 0, -1), found, strict=True):
            try:
                return backend.connect_tcp(str(address[0]), port, timeout=max((ends - now()) / more, 0.001))
            except Exception:
                if more == 1:
                    raise
        raise OSError(errno.EADDRNOTAVAIL, "the host has no address")

    return uninterrupted(work, deadline)


def uninterrupted(work: Callable[[], S], deadline: Deadline) -> S:
    """Do something that no deadline can end from within: looking up a name, connecting, a handshake.

    It is done on a thread of its own, which is left behind when the call ends before.
    """
    results: SimpleQueue[Outcome[S]] = SimpleQueue()
    wanted = threading.Lock()

    def run() -> None:
        results.put(outcomes.of(work))
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
                    return outcomes.told(results.get(timeout=min(deadline.left(), PATIENCE)))
    except BaseException:
        close_unwanted()
        raise


class PerRuntime(Generic[P]):
    """One set of connections for the process, see the twin. The child of a fork begins with one of its own."""

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
        """Leave the connections to the parent process, which goes on using them. The collector closes our copies."""
        self._made = self._make()

    def __del__(self) -> None:
        if not self._closed and len(self._made):
            warnings.warn(f"unclosed {self._owner}", ResourceWarning, source=self, stacklevel=2)
            self._made.close()


class Workers(Generic[A, R]):
    """Calls that go on beside the caller, each on a thread, which can be called off in the middle of a wait.

    Args:
        limit: How many calls are made at once at the most; the caller keeps to it.
        hold: Held by the owner in a `with`, see `scapi._primitives.holds`: the threads end with it, even without `end`.
    """

    def __init__(self, limit: int, hold: threading.Lock) -> None:
        self._limit, self._hold = limit, hold
        # No executor: an exception of a signal's leaves its locks locked, and then its threads never end. A caller
        # only touches the queues.
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

    def result(self) -> R:
        """Return the result of the next call that completes, or raise its error."""
        box = [self._done.get()]
        self._begun -= 1
        return outcomes.told(box.pop())  # no local variable: the traceback of an error holds this frame

    def end(self) -> None:
        """End the calls under way, and see their threads end."""
        self._ended = True
        for interrupt in list(self._interrupts):
            interrupt()
        for _ in range(self._threads):
            self._orders.put(None)
        # The collector may drop an iterator on a thread of the iterator's own, which can't wait for itself.
        while self._threads and getattr(_local, "workers", None) is not self:
            # No `join`: where an object of a thread dies, `threading` may lose an interrupt.
            self._over.get()
            self._threads -= 1

    def _work(self) -> None:
        """Make calls, one after another, until nobody wants any."""
        _local.workers = self
        # An iterator that nobody has closed doesn't keep the interpreter from its exit.
        while self._hold.locked() and not self._ended and threading.main_thread().is_alive():
            with suppress(Empty):
                if (order := self._orders.get(timeout=PATIENCE)) is not None and not self._ended:
                    self._done.put(outcomes.of(order))
        self._over.put(None)

    @contextmanager
    def waiting(self, interrupt: Callable[[], None]) -> Generator[None]:
        """A wait of one of the threads, which `end` ends by calling `interrupt`."""
        self._interrupts[interrupt] = None
        try:
            self._check()
            yield
        finally:
            self._interrupts.pop(interrupt, None)
            self._check()

    def _check(self) -> None:
        if self._ended:
            raise _CalledOffError


class _CalledOffError(BaseException):
    """Ends a call on a thread whose workers were ended. No `Exception`, so that nothing takes it for a failure."""


_local = threading.local()


def _waiting(interrupt: Callable[[], None]) -> AbstractContextManager[None]:
    """A wait that ends early if the thread that it blocks is called off."""
    workers: Workers[Any, Any] | None = getattr(_local, "workers", None)
    return nullcontext() if workers is None else workers.waiting(interrupt)
