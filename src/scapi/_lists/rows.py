"""How the list of each endpoint is built: its pages, its rows, what sorts them, and what tells them apart."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from scapi._api import requests
from scapi._base import validation
from scapi._base.json_types import is_array, is_object
from scapi.enums import Order
from scapi.exceptions import DecodeError
from scapi.models import Listing, Rejected, _identity
from scapi.models.auction import LOT_VOLATILE

if TYPE_CHECKING:
    from scapi._api.requests import ListRequest


class Shape(NamedTuple):
    """How an endpoint's list is built.

    Attributes:
        rows: The name of the rows on the wire.
        total: The name on the wire of the number of rows in the whole list.
        page_size: The largest page that the API gives.
        identity: The fields on the wire that tell one row from another; empty: all but the `volatile` ones.
        volatile: Fields on the wire that change while the row stays the same one.
        margin: Rows before the tie that are read again, so that as many may go without leaving a gap.
    """

    rows: str
    total: str = "total"
    page_size: int = requests.MAX_LIMIT
    identity: tuple[str, ...] = ()
    volatile: frozenset[str] = frozenset()
    margin: int = 1


SHAPES = {
    "price_history": Shape("prices"),
    "lots": Shape("lots", volatile=LOT_VOLATILE, margin=10),
    "clans": Shape("data", "totalClans", identity=("id",), margin=10),
    "operations_sessions": Shape("sessions", page_size=requests.MAX_LIMIT_OPERATIONS, identity=("id",)),
}


class Sorting(NamedTuple):
    """What a list is sorted by.

    Attributes:
        field: The field's name in the model; empty where there is none, or where its value may change.
        wire: Its name on the wire.
        descending: Whether the largest value comes first.
        newest_first: Whether new rows come in before all others.
    """

    field: str = ""
    wire: str = ""
    descending: bool = False
    newest_first: bool = False


#: Clans have no known order, and a bid changes the current price: these lists can only be read by position.
SORTINGS = {
    ("price_history", None): Sorting("time", "time"),
    ("lots", "time_created"): Sorting("start_time", "startTime"),
    ("lots", "time_left"): Sorting("end_time", "endTime"),
    ("lots", "buyout_price"): Sorting("buyout_price", "buyoutPrice"),
    ("operations_sessions", "date_finish"): Sorting("end_time", "endTime"),
    ("operations_sessions", "difficulty"): Sorting("difficulty", "difficulty"),
}

#: Sort parameters that put a new row last, or first where the order is descending.
CHRONOLOGICAL = {None, "time_created", "date_finish"}


def sorting_of(first: ListRequest[Any]) -> Sorting:
    """Return what the list of a request is sorted by."""
    sorting = SORTINGS.get((first.operation, first.sort), Sorting())
    descending = first.order is not Order.ASCENDING
    return sorting._replace(descending=descending, newest_first=descending and first.sort in CHRONOLOGICAL)


def entries_of(page: Listing[Any] | dict[str, Any], shape: Shape) -> tuple[list[Any], int]:
    """Return all rows of a page, rejected ones in their places, and the number of rows in the whole list."""
    if isinstance(page, Listing):
        entries: list[Any] = list(page)
        for rejected in page.rejected:
            entries.insert(rejected.index, rejected)
        return entries, page.total
    rows: Any = page.get(shape.rows) if is_object(page) else None
    total: Any = page.get(shape.total) if is_object(page) else None
    if not is_array(rows) or not isinstance(total, int):
        expected = f"expected an object with {shape.total!r} and a list in {shape.rows!r}"
        raise DecodeError(f"not a page: {expected}", model="dict")
    return rows, total


def sort_values(entries: list[Any], sorting: Sorting) -> list[Any]:
    """Return the value that each row is sorted by, `None` where it can't be read."""
    try:
        return list(map(operator.attrgetter(sorting.field), entries))
    except AttributeError:  # there are plain objects or rejected rows among them
        return [_sort_value(entry, sorting) for entry in entries]


def _sort_value(entry: Any, sorting: Sorting) -> Any:
    if isinstance(entry, msgspec.Struct):
        return getattr(entry, sorting.field)
    raw: Any = entry.get(sorting.wire) if is_object(entry) else None
    if not isinstance(raw, str):
        return raw if isinstance(raw, int | float) else None
    try:
        return validation.moment(sorting.wire, raw)
    except ValueError:
        return None


def without_gaps(values: list[Any]) -> list[Any]:
    """Put the value of a neighbour in place of each `None`. Returns an empty list if there are no values at all."""
    if None not in values:
        return values
    last = next((value for value in values if value is not None), None)
    return [] if last is None else [last := last if value is None else value for value in values]


def are_sorted(values: list[Any], *, descending: bool) -> bool:
    """Return whether values are in order."""
    return all(map(operator.ge if descending else operator.le, values, values[1:]))


def row_key(entry: Any, shape: Shape) -> int:
    """Return what tells a row from others, as a signed 64-bit integer.

    The API gives most rows no id, so it is all that the row holds. Of a sale or a lot it is its `key()`.
    """
    raw = entry.raw if isinstance(entry, Rejected) else msgspec.to_builtins(entry)
    if is_object(raw):
        raw = {name: raw[name] for name in shape.identity or raw.keys() - shape.volatile if name in raw}
    return _identity.number(_identity.settled(raw))
