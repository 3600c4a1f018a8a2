"""The primitives of the async world. `_threads` is its twin: same names, same parameters."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeAlias, TypeVar

from scapi.exceptions import ClosedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
    from types import TracebackType

    import httpcore

    Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
    #: Takes a part of a body, and the length of the whole if that is known.
    Sink: TypeAlias = Callable[[bytes, int | None], Awaitable[None]]


A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")

if TYPE_CHECKING:
    #: What is called with one thing and gives another.
    Call: TypeAlias = Callable[[A], Coroutine[Any, Any, R]]

#: The module that programs import this world from, by which classes name themselves.
PUBLIC = "scapi"

now = time.monotonic
#: Bytes to ask a stream for at least: as many as an event loop takes off a socket at once.
LEAST_READ = 2**18

#: Run a function that keeps a disk or the processor busy, while everything else goes on.
to_thread = asyncio.to_thread


async def give_way() -> None:
    """Let everything go on that is ready to."""
    await asyncio.sleep(0)


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


class Wakeup:
    """A wait that others can end early, from any thread.

    Attributes:
        hold: Whoever waits for a turn holds it in a `with`, see `scapi._primitives.holds`.
    """

    def __init__(self) -> None:
        self.hold = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def alive(self) -> bool:
        """Whether somebody holds it, who can still go on."""
        return self.hold.locked() and not self._loop.is_closed()

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


def current() -> object:
    """Return who runs: the task."""
    return asyncio.current_task()


def runtime() -> Callable[[], bool]:
    """Return what tells whether the event loop that runs now still does: in one that has stopped nothing goes on."""
    return asyncio.get_running_loop().is_running


def spawn(work: Work) -> None:
    """Do something in a task that nobody cancels but the end of the event loop."""
    task = asyncio.ensure_future(work())
    _spawned.add(task)
    task.add_done_callback(_spawned.discard)


_spawned: set[asyncio.Future[None]] = set()

#: Begin something, which here is beside the caller: a task costs little.
begin = spawn


class Deadline:
    """When a call has to be through. The event loop ends it then.

    A thread has to be told how long each of its waits may take, so the twin keeps the time and looks at it.
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
        """End the call after so many seconds from now, or not at all."""
        # One that has ended already can't be changed any more, even if the call still tidies up.
        if self._is_under_way and not self._timeout.expired():
            self._timeout.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)

    def end(self) -> None:
        """End the call at once."""
        self.set(0)
        self._is_under_way = False

    def left(self, stream: object = None) -> float | None:
        """Return how long a wait for a stream may take: the event loop ends it, so it needs no limit."""
        return None


async def connect(
    backend: httpcore.AsyncNetworkBackend, host: str, port: int, deadline: Deadline
) -> httpcore.AsyncNetworkStream:
    """Connect to a host. The backend tries its addresses beside each other."""
    return await backend.connect_tcp(host, port)


async def uninterrupted(work: Callable[[], Awaitable[T]], deadline: Deadline) -> T:
    """Do something that no deadline can end from within. An event loop can end everything."""
    return await work()


class _Closable(Protocol):
    async def aclose(self) -> None: ...

    def __len__(self) -> int: ...


P = TypeVar("P", bound=_Closable)


class PerRuntime(Generic[P]):
    """One set of connections for each event loop, closed with its loop. The twin has one for the process.

    Args:
        make: Makes a set.
        owner: What a warning says nobody has closed.
    """

    def __init__(self, make: Callable[[], P], owner: str) -> None:
        self._make = make
        self._owner = owner
        self._entries: dict[asyncio.AbstractEventLoop, tuple[P, AsyncGenerator[None]]] = {}
        self._lock = threading.Lock()
        self._closed = False

    async def get(self) -> P:
        """Return the set of the loop that runs."""
        loop = asyncio.get_running_loop()
        entry = self._entries.get(loop)
        if entry is None:
            made = self._make()
            entry = made, _closed_with_the_loop(made)
            await anext(entry[1])
            with self._lock:
                # Whoever closed the client just now, in another thread, hasn't seen this one.
                if self._closed:
                    raise ClosedError("the client was closed during the call")
                # Those of loops that are over, whose guards have closed them.
                for over in [other for other in self._entries if other.is_closed()]:
                    del self._entries[over]
                self._entries[loop] = entry
        return entry[0]

    async def close(self) -> None:
        """Close all sets, those of other loops in their own time."""
        with self._lock:
            self._closed = True
            entries = list(self._entries.items())
            self._entries.clear()
        for loop, (_, guard) in entries:
            if loop is asyncio.get_running_loop():
                await guard.aclose()
            else:
                # It may end at this very moment, and closes its set itself then.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(spawn, guard.aclose)

    def __del__(self) -> None:
        # The sets themselves are closed by their guards, which the collector hands to their event loops.
        if any(len(made) for made, _ in self._entries.values()):
            warnings.warn(f"unclosed {self._owner}", ResourceWarning, source=self, stacklevel=2)


async def _closed_with_the_loop(made: _Closable) -> AsyncGenerator[None]:
    """Close a set when the event loop ends, or when nobody refers to the set any more.

    A started async generator is what an event loop closes by itself in both cases, while it still runs.
    """
    try:
        yield
    finally:
        await made.aclose()


class Workers(Generic[A, R]):
    """Calls that go on beside the caller, each in a task. The arguments are for the twin, which has threads."""

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

    async def result(self) -> R:
        """Return the result of the next call that completes, or raise its error."""
        task = await self._done.get()
        self._begun.discard(task)
        return task.result()

    async def end(self) -> None:
        """Cancel the calls under way, and see them end."""
        for task in self._begun:
            task.cancel()
        if self._begun:
            await asyncio.wait(self._begun)
        for task in self._begun:
            # An error that nobody looks at would be reported by the event loop.
            if not task.cancelled():
                task.exception()
