"""One budget for each pair of host and credentials in the process, or the one that a client was given."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

from scapi._base import forks
from scapi._ratelimit.budget import Budget
from scapi._ratelimit.protocol import BudgetSource

if TYPE_CHECKING:
    from scapi._ratelimit.protocol import Pacing


class _Registry:
    """The budgets of this process."""

    def __init__(self) -> None:
        # No `WeakValueDictionary`: its callbacks run wherever an object dies, and an exception of a signal's is lost
        # in them.
        self._budgets: dict[tuple[str, str], weakref.ref[Budget]] = {}
        self._lock = threading.Lock()
        forks.reset_after_fork(self)

    def find(self, key: tuple[str, str]) -> Budget:
        with self._lock:
            known = self._budgets.get(key)
            budget = None if known is None else known()
            if budget is None:
                for gone in [key for key, held in self._budgets.items() if held() is None]:
                    self._budgets.pop(gone, None)
                budget = Budget()
                self._budgets[key] = weakref.ref(budget)
            return budget

    def clear(self) -> None:
        """Forget all budgets. Clients that exist keep theirs."""
        with self._lock:
            self._budgets.clear()

    def forked(self) -> None:
        """Begin anew in the child of a fork: what was queued or in flight is the parent's."""
        # A lock that another thread held can't be released in the child.
        self._lock = threading.Lock()
        for held in list(self._budgets.values()):
            if (budget := held()) is not None:
                budget.forget_tickets()


registry = _Registry()


def budget_for(host: str, credentials: str, given: Pacing | BudgetSource | None = None) -> Pacing:
    """Find the budget of a client.

    Args:
        host: The base URL, in any case.
        credentials: What tells them from others without giving them away, see `Credentials.fingerprint`.
        given: The budget that the client was given, or what has one for each key.

    Returns:
        The given budget, or the one that all clients in this process share for the host and credentials. That lives
        as long as somebody holds it.
    """
    if given is None:
        return registry.find((host.lower(), credentials))
    if isinstance(given, BudgetSource):
        return given.budget_for(host.lower(), credentials)
    return given
