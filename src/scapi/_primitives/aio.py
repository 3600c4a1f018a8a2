"""The primitives of the async world. `threads` is its twin, with the same names and parameters."""

from __future__ import annotations

import asyncio
import inspect
import threading
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeAlias, TypeVar

from scapi.exceptions import ClosedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
    from types import TracebackType

    import httpcore

    Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
    #: Receives a part of a body, and the length of the whole body if that is known.
    Sink: TypeAlias = Callable[[bytes, int | None], Awaitable[None]]


A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")

if TYPE_CHECKING:
    #: A function of one argument.
    Call: TypeAlias = Callable[[A], Coroutine[Any, Any, R]]

#: The module that programs import this world from. Classes name it in their `__module__`.
PUBLIC = "scapi"

#: The minimum number of bytes to read from a stream: as many as an event loop reads from a socket at once.
LEAST_READ = 2**18

#: Run a function that does disk I/O or heavy computation without blocking the event loop.
to_thread = asyncio.to_thread


async def give_way() -> None:
    """Let other tasks run that are ready."""
    await asyncio.sleep(0)


def callback(name: str, function: Callable[[T], object]) -> Callable[[T], object]:
    """Return a function or coroutine function of the user. Raise `TypeError` if `call` can't call it."""
    if not callable(function):
        raise TypeError(f"{name} must be a function, or a coroutine function, not {type(function).__name__}")
    return function


async def call(function: Callable[[T], object], argument: T) -> None:
    """Call a function or coroutine function of the user."""
    result = function(argument)
    if inspect.isawaitable(result):
        await result


class Wakeup:
    """A wait that others can end early, from any thread.

    Attributes:
        hold: A lock that the waiting call holds in a `with`, see `scapi._primitives.held_objects`.
    """

    def __init__(self) -> None:
        self.hold = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def alive(self) -> bool:
        """Return whether a call holds the lock and its event loop is open."""
        return self.hold.locked() and not self._loop.is_closed()

    def wake(self) -> None:
        """End the current wait, or the next one if there is none."""
        # The loop may be closed, and the waiting task gone with it.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float) -> None:
        """Wait for a number of seconds, or until woken."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        self._event.clear()


def current() -> object:
    """Return the current task."""
    return asyncio.current_task()


def runtime() -> Callable[[], bool]:
    """Return a function that returns whether the current event loop still runs: a stopped loop finishes nothing."""
    return asyncio.get_running_loop().is_running


def spawn(work: Work) -> None:
    """Do some work in a task that is only cancelled at the end of the event loop."""
    task = asyncio.ensure_future(work())
    _spawned.add(task)
    task.add_done_callback(_spawned.discard)


_spawned: set[asyncio.Future[None]] = set()

#: Begin some work. Here it runs concurrently with the caller: a task is cheap.
begin = spawn


class Deadline:
    """The time limit of a call. The event loop ends the call.

    The twin keeps the time itself and limits each wait, because a thread can't be ended from outside.
    """

    def __init__(self) -> None:
        self._timeout = asyncio.timeout(None)
        self._is_under_way = False

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._is_under_way = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_under_way = False
        await self._timeout.__aexit__(kind, error, trace)

    def set(self, seconds: float | None) -> None:
        """End the call after a number of seconds from now, or never."""
        # An expired timeout can't be rescheduled, even if the call is still cleaning up.
        if self._is_under_way and not self._timeout.expired():
            self._timeout.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)

    def end(self) -> None:
        """End the call at once."""
        self.set(0)
        self._is_under_way = False

    def left(self, stream: object = None) -> float | None:
        """Return the time limit of a wait for a stream: none, as the event loop ends the wait."""
        return None


async def connect(
    backend: httpcore.AsyncNetworkBackend, host: str, port: int, deadline: Deadline
) -> httpcore.AsyncNetworkStream:
    """Connect to a host. The backend tries its addresses concurrently."""
    return await backend.connect_tcp(host, port)


async def uninterrupted(work: Callable[[], Awaitable[T]], deadline: Deadline) -> T:
    """Do some work that can't watch the deadline itself. Here the event loop can end any work."""
    return await work()


class _Closable(Protocol):
    async def aclose(self) -> None: ...

    def __len__(self) -> int: ...


P = TypeVar("P", bound=_Closable)


class PerRuntime(Generic[P]):
    """One set of connections for each event loop, closed with its loop. The twin has one for the process.

    Args:
        make: Makes a set.
        owner: The name of the owner, for the warning about an unclosed one.
    """

    def __init__(self, make: Callable[[], P], owner: str) -> None:
        self._make = make
        self._owner = owner
        self._entries: dict[asyncio.AbstractEventLoop, tuple[P, AsyncGenerator[None]]] = {}
        self._lock = threading.Lock()
        self._closed = False

    async def get(self) -> P:
        """Return the set of the running loop."""
        loop = asyncio.get_running_loop()
        entry = self._entries.get(loop)
        if entry is None:
            made = self._make()
            entry = made, _closed_with_the_loop(made)
            await anext(entry[1])
            with self._lock:
                # If another thread has just closed the client, it has missed this set.
                if self._closed:
                    raise ClosedError("the client was closed during the call")
                # The guards of closed loops have closed their sets.
                for over in [other for other in self._entries if other.is_closed()]:
                    del self._entries[over]
                self._entries[loop] = entry
        return entry[0]

    async def close(self) -> None:
        """Close all sets. Other loops close theirs later."""
        with self._lock:
            self._closed = True
            entries = list(self._entries.items())
            self._entries.clear()
        for loop, (_, guard) in entries:
            if loop is asyncio.get_running_loop():
                await guard.aclose()
            else:
                # If the loop ends right now, it closes its set itself.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(spawn, guard.aclose)

    def __del__(self) -> None:
        # The guards close the sets: the garbage collector passes them to their event loops.
        if any(len(made) for made, _ in self._entries.values()):
            warnings.warn(f"unclosed {self._owner}", ResourceWarning, source=self, stacklevel=2)


async def _closed_with_the_loop(made: _Closable) -> AsyncGenerator[None]:
    """Close a set when the event loop ends or the generator is garbage collected.

    In both cases the event loop itself closes a started async generator, while it still runs.
    """
    try:
        yield
    finally:
        await made.aclose()


class Workers(Generic[A, R]):
    """Calls that run concurrently with the caller, each in a task. The arguments are for the threads of the twin."""

    def __init__(self, limit: int, hold: threading.Lock) -> None:
        self._done: asyncio.Queue[asyncio.Task[R]] = asyncio.Queue()
        self._begun: set[asyncio.Task[R]] = set()

    def __len__(self) -> int:
        return len(self._begun)

    def start(self, function: Call[A, R], argument: A) -> None:
        """Begin a call."""
        task = asyncio.get_running_loop().create_task(function(argument))
        self._begun.add(task)
        task.add_done_callback(self._done.put_nowait)

    async def ready(self, seconds: float) -> bool:
        """Wait until a call completes, for so many seconds at most. Return whether `result` has one at once."""
        if self._done.empty():
            await asyncio.wait(self._begun, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return not self._done.empty()

    async def result(self) -> R:
        """Return the result of the next call that completes, or raise its error."""
        task = await self._done.get()
        self._begun.discard(task)
        return task.result()

    async def end(self) -> None:
        """Cancel the running calls, and wait until they end."""
        for task in self._begun:
            task.cancel()
        if self._begun:
            await asyncio.wait(self._begun)
        for task in self._begun:
            # The event loop would report an error that is never retrieved.
            if not task.cancelled():
                task.exception()
