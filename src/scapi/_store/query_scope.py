"""The regions, items and times that a query covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class QueryScope(NamedTuple):
    """The regions, items and times that a query covers.

    Attributes:
        regions: The regions; `None` for all.
        items: The ids of items; `None` for all.
        since: The start; `None` for the first sale.
        until: The end, exclusive; `None` for the last sale.
    """

    regions: Sequence[str] | None = None
    items: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
