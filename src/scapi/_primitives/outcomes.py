"""What came of a function, to be told in another thread: its result or its error."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable


R = TypeVar("R")

#: A result, or an error in its place.
Outcome: TypeAlias = tuple[R | None, BaseException | None]


def of(work: Callable[[], R]) -> Outcome[R]:
    """Call a function and return what came of it."""
    try:
        return work(), None
    except BaseException as error:  # noqa: BLE001  # it is raised where the result is asked for
        return None, error


def told(outcome: Outcome[R]) -> R:
    """Return the result, or raise the error."""
    result, error = outcome
    if error is not None:
        try:
            raise error
        finally:
            del error, outcome  # its traceback holds this frame
    return cast("R", result)
