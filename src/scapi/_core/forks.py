"""Forks: in the child of one, what was under way is the parent's."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet

__all__ = ["begins_anew"]


class _Forked(Protocol):
    def forked(self) -> None:
        """Begin anew."""


_known: WeakSet[_Forked] = WeakSet()


def begins_anew(one: _Forked) -> None:
    """Call a method of this object, `forked`, in the child of every fork, for as long as the object lives."""
    _known.add(one)


def _begin_anew() -> None:
    for one in list(_known):
        one.forked()


if hasattr(os, "register_at_fork"):  # absent on Windows, which doesn't fork
    os.register_at_fork(after_in_child=_begin_anew)
