"""Check the states that walks and watchers continue from."""

from __future__ import annotations

from typing import TypeVar

from scapi._base import validation

S = TypeVar("S")


def checked(name: str, state: object, kind: type[S], **place: object) -> S | None:
    """Return the state to continue from, `None` if there is none.

    Args:
        name: The name of the argument.
        state: The value of the argument.
        kind: The type that it must have.
        place: The attributes that it must have, such as the region.

    Raises:
        TypeError: The state has another type.
        ValueError: The state has other attributes.
    """
    if state is None:
        return None
    if not isinstance(state, kind):
        raise TypeError(f"{name} must be a {kind.__name__}, not {type(state).__name__}")
    for attribute, value in place.items():
        if getattr(state, attribute) != value:
            raise validation.refuse(name, getattr(state, attribute), f"that of {attribute} {value!r}")
    return state
