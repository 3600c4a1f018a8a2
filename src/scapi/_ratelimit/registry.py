"""One budget for each pair of host and credentials in the process, and the seam where another kind takes its place."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable

from scapi._base import forks
from scapi._ratelimit.budget import Budget
from scapi._ratelimit.protocol import Pacing

#: Makes the budget for a base URL and the fingerprint of credentials.
Factory = Callable[[str, str], Pacing]


def _in_this_process(_host: str, _credentials: str) -> Pacing:
    return Budget()


class _Registry:
    """The budgets of this process."""

    def __init__(self) -> None:
        self.factory: Factory = _in_this_process
        # No `WeakValueDictionary`: its callbacks run wherever an object dies, and an exception of a signal's is lost
        # in them.
        self._budgets: dict[tuple[str, str], weakref.ref[Pacing]] = {}
        self._lock = threading.Lock()
        forks.reset_after_fork(self)

    def find(self, key: tuple[str, str]) -> Pacing:
        with self._lock:
            known = self._budgets.get(key)
            budget = None if known is None else known()
            if budget is None:
                for gone in [key for key, held in self._budgets.items() if held() is None]:
                    self._budgets.pop(gone, None)
                budget = self.factory(*key)
                self._budgets[key] = weakref.ref(budget)
            return budget

    def replace_factory(self, factory: Factory) -> None:
        with self._lock:
            self.factory = factory
            self._budgets.clear()

    def forked(self) -> None:
        """Begin anew in the child of a fork: what was queued or in flight is the parent's."""
        # A lock that another thread held can't be released in the child.
        self._lock = threading.Lock()
        for held in list(self._budgets.values()):
            if isinstance(budget := held(), Budget):
                budget.forget_tickets()


_registry = _Registry()


def budget_for(host: str, credentials: str) -> Pacing:
    """Find the budget that all clients in this process share for a host and credentials.

    Args:
        host: The base URL, in any case.
        credentials: What tells them from others without giving them away, see `Credentials.fingerprint`.

    Returns:
        The budget, which lives as long as somebody holds it.
    """
    return _registry.find((host.lower(), credentials))


def set_factory(factory: Factory | None) -> None:
    """Choose what paces the clients that are made from now on, in this process and in both worlds.

    Args:
        factory: Called with the base URL (lower case) and a fingerprint of the credentials, 32 hex digits that are
            the same in every process and don't give them away. Called once for all clients of the same two that
            live at the same time, one call at a time; it must not make a client itself. `None` for a `Budget`, as
            at the start.
    """
    _registry.replace_factory(_in_this_process if factory is None else factory)
