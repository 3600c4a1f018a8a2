"""Pass the result or the error of a function to another thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable


R = TypeVar("R")

#: A result and `None`, or `None` and an error.
Outcome: TypeAlias = tuple[R | None, BaseException | None]


def capture(work: Callable[[], R]) -> Outcome[R]:
    """Call a function and return its outcome."""
    try:
        return work(), None
    except BaseException as error:  # noqa: BLE001  # `unwrap` raises it
        return None, error


def unwrap(outcome: Outcome[R]) -> R:
    """Return the result, or raise the error."""
    result, error = outcome
    if error is not None:
        try:
            raise error
        finally:
            del error, outcome  # the traceback refers to this frame
    return cast("R", result)
