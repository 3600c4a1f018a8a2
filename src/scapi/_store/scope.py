"""What a question is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class Scope(NamedTuple):
    """What a question is about.

    Attributes:
        regions: The regions; `None` for all.
        items: The ids of items; `None` for all.
        since: From when on; `None` from the first sale on.
        until: Until when, not included; `None` to the last sale.
    """

    regions: Sequence[str] | None = None
    items: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
