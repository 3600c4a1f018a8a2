"""Forks: in the child of one, what was under way is the parent's."""

from __future__ import annotations

import itertools
import os
from typing import Protocol
from weakref import ref


class _Forked(Protocol):
    def forked(self) -> None:
        """Begin anew."""


# No `WeakSet`: its callbacks run wherever an object dies, and an exception of a signal's is lost in them.
_known: dict[int, ref[_Forked]] = {}
_numbers = itertools.count()
_FEW = 64


def reset_after_fork(one: _Forked) -> None:
    """Call a method of this object, `forked`, in the child of every fork, for as long as the object lives."""
    number = next(_numbers)
    _known[number] = ref(one)
    if number % _FEW == 0:
        for gone in [number for number, held in list(_known.items()) if held() is None]:
            _known.pop(gone, None)


def _begin_anew() -> None:
    for held in list(_known.values()):
        if one := held():
            one.forked()


if hasattr(os, "register_at_fork"):  # absent on Windows, which doesn't fork
    os.register_at_fork(after_in_child=_begin_anew)
