"""Tell what decoded JSON is, in a way that type checkers understand."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_object(raw: object) -> TypeGuard[dict[str, Any]]:
    """Whether decoded JSON is an object."""
    return isinstance(raw, dict)


def is_array(raw: object) -> TypeGuard[list[Any]]:
    """Whether decoded JSON is an array."""
    return isinstance(raw, list)
