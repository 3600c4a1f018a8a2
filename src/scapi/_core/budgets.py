"""One budget for each pair of host and credentials in the process, and the seam where another kind takes its place."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable

from scapi._core.pacing import Budget, Pacing

__all__ = ["Factory", "budget_for", "set_factory"]

#: Makes the budget for a base URL and the fingerprint of credentials.
Factory = Callable[[str, str], Pacing]


def _in_this_process(_host: str, _credentials: str) -> Pacing:
    return Budget()


_factory: Factory = _in_this_process
# No `WeakValueDictionary`: its callbacks run wherever an object dies, and an exception of a signal's is lost in them.
_budgets: dict[tuple[str, str], weakref.ref[Pacing]] = {}
_lock = threading.Lock()


def budget_for(host: str, credentials: str) -> Pacing:
    """Find the budget that all clients in this process share for a host and credentials.

    Args:
        host: The base URL, in any case.
        credentials: What tells them from others without giving them away, see `Credentials.fingerprint`.

    Returns:
        The budget, which lives as long as somebody holds it.
    """
    key = host.lower(), credentials
    with _lock:
        known = _budgets.get(key)
        budget = None if known is None else known()
        if budget is None:
            for gone in [key for key, held in _budgets.items() if held() is None]:
                _budgets.pop(gone, None)
            budget = _factory(*key)
            _budgets[key] = weakref.ref(budget)
        return budget


def set_factory(factory: Factory | None) -> None:
    """Choose what paces the clients that are made from now on, in this process and in both worlds.

    Args:
        factory: Called with the base URL (lower case) and a fingerprint of the credentials, 32 hex digits that are
            the same in every process and don't give them away. Called once for all clients of the same two that
            live at the same time, one call at a time; it must not make a client itself. `None` for a `Budget`, as
            at the start.
    """
    global _factory  # noqa: PLW0603  # the one hook of the process
    with _lock:
        _factory = _in_this_process if factory is None else factory
        _budgets.clear()


def _begin_anew_after_fork() -> None:
    global _lock  # noqa: PLW0603  # a lock that another thread held can not be released in the child
    _lock = threading.Lock()
    for held in list(_budgets.values()):
        if isinstance(budget := held(), Budget):
            budget.forget_tickets()


if hasattr(os, "register_at_fork"):  # absent on Windows, which doesn't fork
    os.register_at_fork(after_in_child=_begin_anew_after_fork)
