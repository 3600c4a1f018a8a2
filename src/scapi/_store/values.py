"""From the values of columns to those of records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from scapi._store.times import moment
from scapi.enums import Quality
from scapi.models import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

R = TypeVar("R", bound=msgspec.Struct)

#: A Monday, at which weeks begin, in microseconds since 1970. Days and hours begin with it, too.
MONDAY = 4 * 86_400_000_000

decode = msgspec.json.Decoder().decode


def listing(rows: Iterable[Mapping[Any, Any]], model: type[R]) -> Listing[R]:
    """Return rows as records."""
    # A value is made by what its column is, looked up once.
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


#: How the values of columns become those of records.
MAKERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("time", "newest", "oldest", "start_time", "end_time"), moment),
    **dict.fromkeys(("seen_at", "first_seen", "last_seen", "gone_at", "sales_at", "lots_at", "error_at"), moment),
    "quality": Quality,
    "additional": _details,
    "pieces": int,
}
