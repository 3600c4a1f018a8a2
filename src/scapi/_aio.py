"""The primitives of the async world. `_threads` is its twin: same names, same parameters."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
import warnings
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeAlias, TypeVar

from scapi._core import forks
from scapi._core.effort import OutOfPatienceError
from scapi.exceptions import ClosedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
    from types import TracebackType

    import httpcore

    Work: TypeAlias = Callable[[], Awaitable[None]]
    #: Takes a part of a body, and the length of the whole if that is known.
    Sink: TypeAlias = Callable[[bytes, int | None], Awaitable[None]]

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

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")

if TYPE_CHECKING:
    #: What is called with one thing and gives another.
    Call: TypeAlias = Callable[[A], Coroutine[Any, Any, R]]

now = time.monotonic

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


async def outcome(future: Future[T], seconds: float) -> T:
    """The result of what goes on in a thread, or a `TimeoutError` after so many seconds."""
    async with asyncio.timeout(seconds):
        return await asyncio.wrap_future(future)


class Wakeup:
    """A wait that others can end early, from any thread.

    Attributes:
        hold: Whoever waits for a turn holds it in a `with`, see `scapi._core.holds`.
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


class SingleFlight:
    """Does something once for all who want it at the same time, in whichever event loop they are.

    What has begun is finished as long as its event loop runs, even if those who wait for it are cancelled.

    Args:
        lasting: Changes nothing here. In the twin it makes threads finish what has begun, too.
    """

    def __init__(self, *, lasting: bool = False) -> None:
        self.forked()
        forks.begins_anew(self)

    def forked(self) -> None:
        """Begin anew: in the child of a fork, what was under way is somebody else's."""
        self._lock = threading.Lock()
        self._under_way: Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, work: Work, patience: float | None = None) -> bool:
        """Do it, or wait for it if it is under way; whoever waits shares its error too.

        Args:
            work: What to do.
            patience: Seconds to wait for what another has begun, or an `OutOfPatienceError` follows.

        Returns:
            Whether another had begun it.
        """
        mine, loop = _uncancellable(), asyncio.get_running_loop()
        with self._lock:
            # What began in an event loop that has stopped since may never go on.
            if self._under_way is None or self._is_over():
                self._under_way, self._loop, self._task = mine, loop, None
            future = self._under_way
        if future is mine:
            # Not under the lock: a task of an eager factory runs at once, and may be through when this returns.
            asyncio.create_task(self._fly(work, mine))  # noqa: RUF006  # once it runs, `_task` refers to it
        elif asyncio.current_task() is self._task:
            raise RuntimeError("this would wait for itself: on_token must not call the client")
        limit = asyncio.timeout(None if future is mine else patience)
        try:
            async with limit:
                await asyncio.wrap_future(future)
        except TimeoutError:
            if not limit.expired():
                raise
            raise OutOfPatienceError("another's renewal isn't done within queue_timeout; nothing was sent") from None
        return future is not mine

    def _is_over(self) -> bool:
        is_cut_off = self._task is not None and self._task.done()
        return is_cut_off or self._loop is None or not self._loop.is_running()

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
        if self._is_under_way:
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
    """One set of connections for each event loop, closed with its loop.

    A loop closes what it is told to, and only an async generator can tell it. The twin has one set for the process.

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
                    loop.call_soon_threadsafe(_close_soon, guard)

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


def _close_soon(guard: AsyncGenerator[None]) -> None:
    """Close a set in its own event loop, in a task that is kept until it is done."""
    task = asyncio.ensure_future(guard.aclose())
    _closing.add(task)
    task.add_done_callback(_closing.discard)


_closing: set[asyncio.Future[None]] = set()


class Workers(Generic[A, R]):
    """Calls that go on beside the caller, each in a task. The twin has threads.

    Args:
        limit: How many calls are made at once at the most; the caller keeps to it.
    """

    def __init__(self, limit: int) -> None:
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
