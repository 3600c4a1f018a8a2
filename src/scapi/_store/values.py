"""Convert column values to record values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from scapi._store.times import moment
from scapi.enums import Quality
from scapi.models import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

R = TypeVar("R", bound=msgspec.Struct)

#: A Monday at midnight UTC, in microseconds since 1970. Weeks, days and hours are aligned to it.
MONDAY = 4 * 86_400_000_000

decode = msgspec.json.Decoder().decode


def listing(rows: Iterable[Mapping[Any, Any]], model: type[R]) -> Listing[R]:
    """Convert rows to a listing of records."""
    # Look up the converter of each column once, not for each row.
    makers = [(name, MAKERS.get(name)) for name in model.__struct_fields__]
    found = [model(**{name: _made(row[name], make) for name, make in makers}) for row in rows]
    return Listing(found, total=len(found), limit=len(found), model=model)


def _made(value: Any, make: Callable[[Any], Any] | None) -> Any:
    if make is None:
        return value
    if make is _details:
        return _details(value)
    return None if value is None else make(value)


def _details(text: str | None) -> dict[str, Any]:
    return decode(text) if text else {}


#: Converters from column values to record values.
MAKERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("time", "newest", "oldest", "start_time", "end_time"), moment),
    **dict.fromkeys(("started", "ended", "joined", "left_at"), moment),
    **dict.fromkeys(
        ("seen_at", "first_seen", "last_seen", "gone_at", "sales_at", "lots_at", "looked_at", "error_at"), moment
    ),
    "quality": Quality,
    "additional": _details,
    "pieces": int,
}
