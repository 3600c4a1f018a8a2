"""Prepare objects for a fork, and reset them in its child: work in progress belongs to the parent."""

from __future__ import annotations

import itertools
import os
from typing import Protocol, runtime_checkable
from weakref import ref


class _Forked(Protocol):
    def forked(self) -> None:
        """Reset the object."""


@runtime_checkable
class _Forking(_Forked, Protocol):
    def about_to_fork(self) -> None:
        """Give up what a child must not inherit."""


#: Not a `WeakSet`: its callbacks run wherever an object dies, and swallow an exception raised by a signal handler.
_known: dict[int, ref[_Forked]] = {}
_numbers = itertools.count()
FEW = 64


def reset_after_fork(one: _Forked) -> None:
    """Call the `forked` method of an object in the child of every fork, as long as the object lives.

    If it has a method `about_to_fork`, call that in the parent before every fork.
    """
    number = next(_numbers)
    _known[number] = ref(one)
    if number % FEW == 0:
        for gone in [number for number, held in list(_known.items()) if held() is None]:
            _known.pop(gone, None)


def _prepare_all() -> None:
    for held in list(_known.values()):
        one = held()
        if isinstance(one, _Forking):
            one.about_to_fork()


def _reset_all() -> None:
    for held in list(_known.values()):
        if one := held():
            one.forked()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_prepare_all, after_in_child=_reset_all)
