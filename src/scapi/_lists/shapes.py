"""The structure of each endpoint's list: its pages, its rows, their order and their identity."""

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
    """The structure of an endpoint's list.

    Attributes:
        rows: The name of the rows on the wire.
        total: The name on the wire of the number of rows in the whole list.
        page_size: The maximum page size of the API.
        identity: The fields on the wire that identify a row; empty for all but the `volatile` ones.
        volatile: Fields on the wire that may change in the same row.
        margin: How many rows before the tie are read again. As many may be removed without leaving a gap.
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
        field: The field's name in the model; empty if there is none, or if its value may change.
        wire: The field's name on the wire.
        descending: Whether the largest value comes first.
        newest_first: Whether new rows are inserted before all others.
    """

    field: str = ""
    wire: str = ""
    descending: bool = False
    newest_first: bool = False


#: Clans have no known order, and bids change the current price, so these lists can only be read by position.
SORTINGS = {
    ("price_history", None): Sorting("time", "time"),
    ("lots", "time_created"): Sorting("start_time", "startTime"),
    ("lots", "time_left"): Sorting("end_time", "endTime"),
    ("lots", "buyout_price"): Sorting("buyout_price", "buyoutPrice"),
    ("operations_sessions", "date_finish"): Sorting("end_time", "endTime"),
    ("operations_sessions", "difficulty"): Sorting("difficulty", "difficulty"),
}

#: Sort parameters that put a new row last, or first if the order is descending.
CHRONOLOGICAL = {None, "time_created", "date_finish"}


def sorting_of(first: ListRequest[Any]) -> Sorting:
    """Return what the list of a request is sorted by."""
    sorting = SORTINGS.get((first.operation, first.sort), Sorting())
    descending = first.order is not Order.ASCENDING
    return sorting._replace(descending=descending, newest_first=descending and first.sort in CHRONOLOGICAL)


def entries_of(page: Listing[Any] | dict[str, Any], shape: Shape) -> tuple[list[Any], int]:
    """Return all rows of a page, with rejected ones in place, and the number of rows in the whole list."""
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
    """Return the sort value of each row, `None` if it can't be read."""
    try:
        return list(map(operator.attrgetter(sorting.field), entries))
    except AttributeError:  # some are plain objects or rejected rows
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
    """Replace each `None` with the value of a neighbour. Return an empty list if all are `None`."""
    if None not in values:
        return values
    last = next((value for value in values if value is not None), None)
    return [] if last is None else [last := last if value is None else value for value in values]


def are_sorted(values: list[Any], *, descending: bool) -> bool:
    """Return whether values are in order."""
    return all(map(operator.ge if descending else operator.le, values, values[1:]))


def row_key(entry: Any, shape: Shape) -> int:
    """Return the key that identifies a row, as a signed 64-bit integer.

    Most rows have no id, so the key depends on all their fields. For sales and lots it is their `key()`.
    """
    raw = entry.raw if isinstance(entry, Rejected) else msgspec.to_builtins(entry)
    if is_object(raw):
        raw = {name: raw[name] for name in shape.identity or raw.keys() - shape.volatile if name in raw}
    return _identity.key(raw)
