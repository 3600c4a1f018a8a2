"""What budgets in a database have in common: one budget for each key, and the thread that talks to the database.

Async and sync clients share them: their side never blocks.
"""

from __future__ import annotations

import _thread
import os
import threading
import time
import weakref
from contextlib import suppress
from hashlib import blake2b
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from scapi._base import forks, validation
from scapi._base.escaping import log
from scapi._ratelimit.shared import SharedBudget

if TYPE_CHECKING:
    from scapi._ratelimit.protocol import Pacing
    from scapi._ratelimit.shared_messages import Grant, Reply

#: The longest sleep of a thread, in seconds, before it checks whether it is still needed.
LOOK = 1.0


class Steps(Protocol):
    """Takes the steps of one budget in a database. One thread at a time uses it."""

    def take(self, request: dict[str, Any]) -> tuple[Reply, list[Grant]]:
        """Take a step: send a request, and return the reply and the grants. It may raise anything."""
        ...

    def close(self) -> None:
        """Close what only this budget uses. The next step opens it again."""
        ...


class SharedBudgets:
    """The budgets of one database, one for each host and credentials.

    Args:
        prefix: The prefix of the names in the database.
        share: The part of the points that each process spends without the database; `None`: an equal part.
        timeout: Seconds without a reply after which the database counts as unavailable.

    Raises:
        ValueError: An argument is out of its range.
    """

    #: The name of the database for logged messages.
    _database: str

    def __init__(self, *, prefix: str, share: float | None, timeout: float) -> None:
        if share is not None and not 0 < share <= 1:
            raise validation.refuse("share", share, "None, or above 0 and at most 1")
        if not prefix or not prefix.isprintable() or set("{}") & set(prefix):
            raise validation.refuse("prefix", prefix, "printable text without braces")
        self._prefix = prefix
        self._share = share
        self._timeout = validation.positive("timeout", timeout)
        # Not a `WeakValueDictionary`: its callbacks run wherever an object dies, and an exception from a signal handler
        # is lost in them.
        self._budgets: dict[tuple[str, str], weakref.ref[SharedBudget]] = {}
        self.forked()
        forks.reset_after_fork(self)

    def forked(self) -> None:
        """Start afresh in the child of a fork: another thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def budget_for(self, base_url: str, credentials: str) -> Pacing:
        """Return the budget of a host and credentials.

        Args:
            base_url: The base URL, lower case.
            credentials: A fingerprint that doesn't reveal the credentials.

        Returns:
            The budget, which lives as long as it is referenced.
        """
        with self._lock:
            known = self._budgets.get((base_url, credentials))
            budget = None if known is None else known()
            if budget is None:
                for gone in [key for key, held in self._budgets.items() if held() is None]:
                    self._budgets.pop(gone, None)
                name = blake2b(f"{base_url}\n{credentials}".encode(), digest_size=12).hexdigest()
                thread = _StepThread(self._steps(name))
                budget = SharedBudget(
                    name=_new_name,
                    database=self._database,
                    share=self._share,
                    patience=self._timeout,
                    kick=thread.kick,
                )
                thread.serve(budget)
                self._budgets[base_url, credentials] = weakref.ref(budget)
            return budget

    def _steps(self, name: str) -> Steps:
        """Return the steps of a new budget by its name, which is unique and no secret."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prefix={self._prefix!r})"


class _StepThread:
    """The thread that takes the steps of one budget. It ends after a while without calls."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._budget: weakref.ref[SharedBudget]
        self.forked()
        forks.reset_after_fork(self)

    def forked(self) -> None:
        """Start afresh in the child of a fork, where the thread doesn't exist."""
        self._kicks: SimpleQueue[None] = SimpleQueue()
        self._running = threading.Lock()

    def serve(self, budget: SharedBudget) -> None:
        """Serve a budget as long as it is referenced elsewhere."""
        self._budget = weakref.ref(budget)

    def kick(self) -> None:
        """Request a step soon. May be called from any thread at any point."""
        self._kicks.put(None)
        if not self._running.locked():
            # `Thread.start` would wait in a way that may lose an interrupt. At the end of the interpreter no thread
            # can be started.
            with suppress(RuntimeError):
                _thread.start_new_thread(self._run, (self._running,))

    def _run(self, running: threading.Lock) -> None:
        if not running.acquire(blocking=False):
            return  # another call has started one
        try:
            while (wait := self._step()) is not None:
                self._sleep(min(wait, LOOK))
        finally:
            with suppress(Exception):  # whatever is wrong with the connection, it is given up
                self._steps.close()
            running.release()
        # A kick just before the release saw the lock held and started no thread.
        if not self._kicks.empty() and self._budget() is not None:
            self.kick()

    def _step(self) -> float | None:
        """Take a step if it is due. Return the seconds until the next, or `None` if the thread is needed no more."""
        budget = self._budget()
        if budget is None:
            return None
        now = time.monotonic()
        if budget.is_idle(now):
            self._ask(budget, bye=True)
            return None
        wait = budget.due(now)
        return wait if wait > 0 else self._ask(budget)

    def _sleep(self, seconds: float) -> None:
        try:
            self._kicks.get(timeout=seconds)
            while not self._kicks.empty():
                self._kicks.get_nowait()
        except Empty:
            pass

    def _ask(self, budget: SharedBudget, *, bye: bool = False) -> float:
        try:
            reply, grants = self._steps.take(budget.request(time.monotonic(), bye=bye))
            return budget.apply_reply(reply, grants, time.monotonic())
        except Exception as error:  # noqa: BLE001  # calls continue whatever is wrong with the database
            return budget.fail(f"{type(error).__name__}: {log(str(error))}", time.monotonic())


def _new_name() -> str:
    return os.urandom(8).hex()
