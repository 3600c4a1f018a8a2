"""What isn't installed with scapi itself."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["extra"]


@contextmanager
def extra(name: str) -> Generator[None]:
    """Imports of an optional library.

    Args:
        name: The extra that brings it.

    Raises:
        ImportError: It is missing; the message has the command that installs it.
    """
    try:
        yield
    except ImportError as error:
        raise ImportError(f'{error.name} is missing: pip install "scapi-client[{name}]"', name=error.name) from error
