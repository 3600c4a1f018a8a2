"""Read a whole list while it changes: decide which page to fetch, and find its new rows."""

from __future__ import annotations

import sys
from copy import copy
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from scapi._api.decoding import Page
from scapi._base import validation
from scapi._lists.cursor import Cursor
from scapi._lists.search import Search
from scapi._lists.shapes import SHAPES, entries_of, sort_values, sorting_of
from scapi.models import Listing, Rejected

if TYPE_CHECKING:
    from datetime import datetime

    from scapi._api.requests import ListRequest


T = TypeVar("T")


class _Fed(NamedTuple):
    """The page that was fed last.

    Attributes:
        before: The cursor before the page.
        entries: All rows of the page, rejected ones too.
        values: The sort value of each row.
        fresh: The places of the new rows.
        places: The places of the rows in `listing`.
        listing: The result of `feed`.
    """

    before: Cursor
    entries: list[Any]
    values: list[Any]
    fresh: list[int]
    places: list[int]
    listing: Listing[Any]


class Paginator(Generic[T]):
    """A walk through all rows of a list: `request` is the next request, `feed` takes its response.

    Args:
        first: A request for any page of the list.
        limit: The number of rows in all, 0 or more; all of them by default.
        since: Only rows with a later time than this. For lists that are sorted by time, newest first.
        until: Only rows with this time or an earlier one. For lists that are sorted by time, newest first.

    Raises:
        ValueError: An argument is out of its range.
    """

    def __init__(
        self,
        first: ListRequest[T],
        *,
        limit: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> None:
        left = sys.maxsize if limit is None else validation.integer("limit", limit, 0)
        self._first = first
        self._since = since
        self._until = until
        shape = SHAPES[first.operation]
        self._search = None if until is None or left == 0 else Search(until, shape.page_size)
        # One attribute, so that an interrupt can't leave one part updated and the other not.
        self._stand: tuple[Cursor, _Fed | None] = Cursor(shape, sorting_of(first), left), None

    @property
    def _cursor(self) -> Cursor:
        return self._stand[0]

    @property
    def done(self) -> bool:
        """Whether there are no more pages to fetch."""
        return self._cursor.done

    @property
    def request(self) -> ListRequest[T]:
        """The request for the next page."""
        if self._search is not None and not self._search.done:
            return self._first.with_page(limit=1, offset=self._search.offset)
        return self._first.with_page(limit=self._cursor.size, offset=self._cursor.offset)

    def feed(self, page: Listing[T]) -> Listing[T]:
        """Process the page that was fetched. From now on `request` is the next one.

        After an exception at any moment, even from a signal handler, the walk is in its state before or after the page.

        Args:
            page: The decoded page; with `json=True` the plain object that the server sent.

        Returns:
            The new rows in the page's order, with rejected ones separate. `has_more` is whether there is another page
            to fetch.

        Raises:
            DecodeError: A plain object isn't a page.
        """
        before = self._cursor
        entries, total = entries_of(page, before.shape)
        if self._search is not None and self._is_searching(self._search, entries, total):
            return self._listing([], [], total, has_more=True)
        after = copy(before)
        fresh, values = after.feed(entries, total)
        wanted = self._wanted(after, fresh, values)
        rejected = [entries[place] for place in wanted if type(entries[place]) is Rejected]
        places = [place for place in wanted if type(entries[place]) is not Rejected] if rejected else wanted
        places = places[: before.left]
        after.left -= len(places)
        after.done = after.done or not after.left
        rows = [entries[place] for place in places]
        listing = self._listing(rows, rejected, total, has_more=not after.done)
        self._stand = after, _Fed(before, entries, values, fresh, places, listing)
        return listing

    def _is_searching(self, search: Search, entries: list[Any], total: int) -> bool:
        """Use a page for the search for the first wanted row. Return whether the search needed it."""
        values = sort_values(entries[:1], self._cursor.sorting)
        time = values[0] if values else None
        if not search.done:
            search.feed(time, total)
            self._begin_at(search.start)
            return True
        if self._stand[1] is None and search.is_below(time):
            search.step_back()
            self._begin_at(search.start)
            return True
        return False

    def _begin_at(self, offset: int) -> None:
        cursor = self._cursor
        self._stand = Cursor(cursor.shape, cursor.sorting, cursor.left, offset), None

    def _wanted(self, cursor: Cursor, fresh: list[int], values: list[Any]) -> list[int]:
        """Return the places of the new rows between `since` and `until`. End the walk below `since`."""
        if not values:
            return fresh
        since, until = self._since, self._until
        if since is not None:
            # If the rows aren't sorted newest first, wanted rows may be anywhere.
            cursor.done = cursor.done or (values[-1] <= since and not cursor.by_position)
            fresh = [place for place in fresh if values[place] > since]
        return fresh if until is None else [place for place in fresh if values[place] <= until]

    def _listing(self, rows: list[Any], rejected: list[Rejected], total: int, *, has_more: bool) -> Listing[T]:
        page = Page(limit=self._cursor.size, offset=self._cursor.offset)
        listing = Listing[T](rows, total=total, rejected=rejected, **page._asdict())
        listing.has_more = has_more
        return listing

    def cursor(self, page: Listing[T] | None, unread: int) -> Cursor:
        """Return the cursor for a consumer that has not used all rows yet.

        Args:
            page: The last page that was used, `None` before the first one.
            unread: How many rows at the end of the page were not used.
        """
        cursor, fed = self._stand
        if fed is None:
            return cursor
        if fed.listing is page and not unread:
            return cursor
        used = len(fed.places) - unread
        if fed.listing is not page or used <= 0:
            return fed.before
        cursor = copy(cursor)
        cursor.stop_at(fed.before, fed.entries, fed.values, fed.fresh, fed.places[used - 1])
        cursor.left = fed.before.left - used
        return cursor
