"""Import optional libraries."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


def install(extra: str) -> str:
    """Return the command that installs an extra. It needs a clone, as scapi isn't on a package index yet."""
    return f'pip install ".[{extra}]" in your clone of scapi'


@contextmanager
def extra(name: str, purpose: str = "") -> Generator[None]:
    """Import an optional library within this block.

    Args:
        name: The extra that installs the library.
        purpose: What needs the library, if the caller may not know.

    Raises:
        ImportError: The library is missing. The message contains the command that installs it.
    """
    try:
        yield
    except ImportError as error:
        missing = f"{error.name} is missing for {purpose}" if purpose else f"{error.name} is missing"
        raise ImportError(f"{missing}: {install(name)}", name=error.name) from error
