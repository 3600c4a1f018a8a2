"""What isn't installed with scapi itself."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


def install(extra: str) -> str:
    """Return the command that installs an extra. It works in a clone, as scapi isn't on a package index yet."""
    return f'pip install ".[{extra}]" in your clone of scapi'


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
        raise ImportError(f"{error.name} is missing: {install(name)}", name=error.name) from error
