"""A page of rows that knows where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Listing", "Rejected"]

T = TypeVar("T")


class Rejected(NamedTuple):
    """A row that could not be read.

    Attributes:
        index: Its place in the page as the server sent it, from 0.
        raw: The row as it was sent.
        reason: Why it could not be read.
    """

    index: int  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]  # nobody needs tuple.index of these
    raw: Any
    reason: str


class Listing(list[T]):
    """One page of rows: a `list` that knows how many there are in all.

    Attributes:
        total: How many rows the server has in all; it may change between two pages.
        limit: How many rows were asked for.
        offset: How many rows come before this page.
        rejected: The rows of this page that could not be read.
        has_more: Whether there are rows after this page.
    """

    __slots__ = ("has_more", "limit", "offset", "rejected", "total")

    def __init__(
        self, rows: Iterable[T] = (), *, total: int, limit: int, offset: int = 0, rejected: Sequence[Rejected] = ()
    ) -> None:
        super().__init__(rows)
        self.total = total
        self.limit = limit
        self.offset = offset
        self.rejected = list(rejected)
        received = len(self) + len(self.rejected)
        # A page that came back empty although it was asked for is the end, whatever `total` says: a loop must stop.
        self.has_more = offset + received < total and (received > 0 or limit == 0)

    def __repr__(self) -> str:
        place = f"total={self.total}, limit={self.limit}, offset={self.offset}, rejected={len(self.rejected)}"
        return f"Listing({super().__repr__()}, {place})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (list(self), self.total, self.limit, self.offset, self.rejected)


def _restore(rows: list[T], total: int, limit: int, offset: int, rejected: list[Rejected]) -> Listing[T]:
    return Listing(rows, total=total, limit=limit, offset=offset, rejected=rejected)
