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
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Generic, ParamSpec, Protocol, Self, TypeAlias, TypeVar

from scapi._core import forks
from scapi._core.effort import OutOfPatienceError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Future, ThreadPoolExecutor
    from contextlib import AbstractContextManager
    from types import TracebackType

    import httpcore

    Work: TypeAlias = Callable[[], None]
    #: Takes a part of a body, and the length of the whole if that is known.
    Sink: TypeAlias = Callable[[bytes, int | None], None]

__all__ = [
    "Deadline",
    "PerRuntime",
    "SingleFlight",
    "Wakeup",
    "Workers",
    "call",
    "callback",
    "connect",
    "give_way",
    "now",
    "outcome",
    "to_thread",
    "uninterrupted",
]


class _Closable(Protocol):
    def close(self) -> None: ...


class _Set(_Closable, Protocol):
    def __len__(self) -> int: ...


A = TypeVar("A")
Options = ParamSpec("Options")
P = TypeVar("P", bound=_Set)
R = TypeVar("R")
S = TypeVar("S", bound=_Closable)
T = TypeVar("T")

if TYPE_CHECKING:
    #: What is called with one thing and gives another.
    Call: TypeAlias = Callable[[A], R]

now = time.monotonic

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


def outcome(future: Future[T], seconds: float) -> T:
    """The result of what goes on in a thread, or a `TimeoutError` after so many seconds."""
    return future.result(seconds)


def to_thread(function: Callable[Options, T], /, *args: Options.args, **options: Options.kwargs) -> T:
    """Run a function that keeps a disk or the processor busy; here the caller's own thread will do."""
    return function(*args, **options)


class Wakeup:
    """A wait that others can end early, from any thread.

    Attributes:
        hold: Whoever waits for a turn holds it in a `with`, see `scapi._core.holds`.
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


class SingleFlight:
    """Does something once for all who want it at the same time, in whichever thread they are.

    Args:
        lasting: What has begun is finished, even if those who wait for it are interrupted: it is done in a thread of
            its own, where no signal arrives and which the interpreter waits for at its exit.
    """

    def __init__(self, *, lasting: bool = False) -> None:
        self._lasting = lasting
        self.forked()
        forks.begins_anew(self)

    def forked(self) -> None:
        """Begin anew: in the child of a fork, what was under way is somebody else's."""
        self._lock = threading.Lock()
        self._under_way: _Flight | None = None

    def run(self, work: Work, patience: float | None = None) -> bool:
        """Do it, or wait for it if it is under way; whoever waits shares its error too.

        Args:
            work: What to do.
            patience: Seconds to wait for what another has begun, or an `OutOfPatienceError` follows.

        Returns:
            Whether another had begun it.
        """
        mine = _Flight(work)
        with mine.begun:
            with self._lock:
                if self._under_way is None or self._under_way.is_over():
                    self._under_way = mine
                flight = self._under_way
            if flight is not mine:
                flight.join(patience)
            elif self._lasting:
                # From a thread of its own: `Thread.start` waits in a way that may lose an interrupt.
                _thread.start_new_thread(self._depart, (flight,))
                flight.join(None)
            else:
                self._fly(flight)
        if flight.error is not None:
            raise flight.error
        return flight is not mine

    def settle(self) -> None:
        """Wait until nothing is under way any more, whatever came of it."""
        if flight := self._under_way:
            flight.join(None)

    def _depart(self, flight: _Flight) -> None:
        try:
            threading.Thread(target=self._fly, args=(flight,), name="scapi_renewal", daemon=False).start()
        except RuntimeError as error:  # the interpreter is about to exit, or there are too many threads
            flight.land(error)

    def _fly(self, flight: _Flight) -> None:
        with flight.flying:
            with self._lock:
                # Whoever began it may have been interrupted before this, and another have begun anew.
                if self._under_way is not flight:
                    return
            flight.thread = threading.get_ident()
            try:
                flight.work()
            except Exception as error:  # noqa: BLE001  # it goes to all who wait
                flight.land(error)
            else:
                flight.land(None)


class _Flight:
    """What is done once for all. It is under way as long as one of its two locks is held, and it hasn't landed."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.begun, self.flying = threading.Lock(), threading.Lock()
        self.thread: int | None = None
        self.error: Exception | None = None
        self._landed = False
        self._waiting: dict[Wakeup, None] = {}

    def is_over(self) -> bool:
        return self._landed or not (self.begun.locked() or self.flying.locked())

    def land(self, error: Exception | None) -> None:
        self.error, self._landed = error, True
        for wakeup in list(self._waiting):
            wakeup.wake()

    def join(self, patience: float | None) -> None:
        """Wait until it is over: until it has landed, or those who would bring it down were interrupted."""
        deadline = math.inf if patience is None else time.monotonic() + patience
        wakeup = Wakeup()
        self._waiting[wakeup] = None
        while not self.is_over():
            if threading.get_ident() == self.thread:
                raise RuntimeError("this would wait for itself: on_token must not call the client")
            left = deadline - time.monotonic()
            if left <= 0:
                raise OutOfPatienceError("another's renewal isn't done within queue_timeout; nothing was sent")
            wakeup.wait(min(left, PATIENCE))


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
        """Return the seconds that a wait may take. `end` shuts this stream down, which wakes who waits for it.

        Raises:
            TimeoutError: There are none left.
            ConnectionAbortedError: The call was ended.
        """
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
    results: SimpleQueue[tuple[S | None, Exception | None]] = SimpleQueue()
    wanted = threading.Lock()

    def run() -> None:
        try:
            results.put((work(), None))
        except Exception as error:  # noqa: BLE001  # it is raised where it is waited for
            results.put((None, error))
        if not wanted.locked():
            _close_unwanted(results)

    with wanted:
        _thread.start_new_thread(run, ())
        try:
            result, error = _result(results, deadline)
        except BaseException:
            _close_unwanted(results)
            raise
    if error is not None:
        raise error
    assert result is not None
    return result


def _result(results: SimpleQueue[T], deadline: Deadline) -> T:
    while True:
        with suppress(Empty):
            return results.get(timeout=min(deadline.left(), PATIENCE))


def _close_unwanted(results: SimpleQueue[tuple[S | None, Exception | None]]) -> None:
    with suppress(Empty):
        result, _ = results.get_nowait()
        if result is not None:
            result.close()


class PerRuntime(Generic[P]):
    """One set of connections for the process. The child of a fork begins with one of its own.

    Args:
        make: Makes a set.
        owner: What a warning says nobody has closed.
    """

    def __init__(self, make: Callable[[], P], owner: str) -> None:
        self._make = make
        self._owner = owner
        self._made = make()
        self._closed = False
        forks.begins_anew(self)

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
    """Calls that go on beside the caller, each on a thread. The twin has tasks.

    Args:
        limit: How many calls are made at once at the most; the caller keeps to it.
    """

    def __init__(self, limit: int) -> None:
        self._crew = _Crew(limit)
        self._done: SimpleQueue[Future[R]] = SimpleQueue()
        self._begun: set[Future[R]] = set()

    def __len__(self) -> int:
        return len(self._begun)

    def start(self, function: Call[A, R], argument: A) -> None:
        """Begin a call."""
        future = self._crew.submit(function, argument)
        self._begun.add(future)
        future.add_done_callback(self._done.put)

    def result(self) -> R:
        """Return the result of the next call that completes, or raise its error."""
        future = self._done.get()
        self._begun.discard(future)
        return future.result()

    def end(self) -> None:
        """End the calls under way, and see their threads end."""
        self._crew.dismiss()


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
