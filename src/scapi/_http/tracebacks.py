"""Drop tracebacks: their frames contain headers and bodies, and some tools print local variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator


def strip(error: BaseException, outer: BaseException | None) -> list[BaseException]:
    """Drop the tracebacks of an exception and its causes.

    Args:
        error: The exception.
        outer: The exception that was being handled when the work began. It belongs to the caller and is left alone.

    Returns:
        The exception and its causes, the first cause last.
    """
    chain = list(_chain(error, outer))
    for link in chain:
        link.__traceback__ = None
    return chain


def _chain(error: BaseException, outer: BaseException | None) -> Iterator[BaseException]:
    found = {id(outer)}
    waiting: list[BaseException | None] = [error]
    while waiting:
        link = waiting.pop()
        if link is None or id(link) in found:
            continue
        found.add(id(link))
        yield link
        waiting += [link.__context__, link.__cause__]
        if isinstance(link, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", link).exceptions
