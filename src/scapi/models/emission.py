"""Emissions."""

from __future__ import annotations

from typing import ClassVar

from scapi.models._base import Model, Time

__all__ = ["EmissionState"]


class EmissionState(Model, frozen=True, kw_only=True, rename="camel", gc=False):
    """The emission of a region, refreshed by the server every 10 to 15 seconds.

    Attributes:
        current_start: When the running emission began; `None` if none is running.
        previous_start: When the last finished emission began.
        previous_end: When the last finished emission ended.
    """

    # `None` means that no emission is running, so a start that can't be read is an error.
    _exact: ClassVar[frozenset[str]] = frozenset({"current_start"})

    current_start: Time | None = None
    previous_start: Time | None = None
    previous_end: Time | None = None

    @property
    def active(self) -> bool:
        """Whether an emission is running."""
        return self.current_start is not None
