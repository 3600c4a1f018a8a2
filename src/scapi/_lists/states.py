"""Check the states that walks and watchers go on from."""

from __future__ import annotations

from typing import TypeVar

from scapi._base import validation

S = TypeVar("S")


def checked(name: str, state: object, kind: type[S], **place: object) -> S | None:
    """Return the state to go on from, `None` if there is none.

    Args:
        name: The argument that it came in.
        state: What came.
        kind: What it has to be.
        place: The attributes that it has to have, such as the region.

    Raises:
        TypeError: It is another kind of state.
        ValueError: It is the state of another place.
    """
    if state is None:
        return None
    if not isinstance(state, kind):
        raise TypeError(f"{name} must be a {kind.__name__}, not {type(state).__name__}")
    for attribute, value in place.items():
        if getattr(state, attribute) != value:
            raise validation.refuse(name, getattr(state, attribute), f"that of {attribute} {value!r}")
    return state
