"""Finds the budget of a client: one for each host and credentials in the process, or the one passed to the client."""

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
        # Not a `WeakValueDictionary`: its callbacks run whenever an object is freed, and would swallow the exception of
        # a signal handler.
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
        """Forget all budgets. Existing clients keep theirs."""
        with self._lock:
            self._budgets.clear()

    def forked(self) -> None:
        """Reset the budgets in the child of a fork: queued and sent requests belong to the parent."""
        # The old lock may be held by a thread that doesn't exist in the child.
        self._lock = threading.Lock()
        for held in list(self._budgets.values()):
            if (budget := held()) is not None:
                budget.forget_tickets()


registry = _Registry()


def budget_for(host: str, credentials: str, given: Pacing | BudgetSource | None = None) -> Pacing:
    """Return the budget of a client.

    Args:
        host: The base URL, in upper or lower case.
        credentials: The fingerprint of the credentials, see `Credentials.fingerprint`.
        given: The budget that was passed to the client, or a source with a budget for each key.

    Returns:
        The given budget, or the one that all clients in this process share for the host and credentials. The shared
        one exists as long as a client refers to it.
    """
    if given is None:
        return registry.find((host.lower(), credentials))
    if isinstance(given, BudgetSource):
        return given.budget_for(host.lower(), credentials)
    return given
