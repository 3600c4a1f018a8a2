"""Walk through a whole list that moves while it is read: which page to ask for, and which of its rows are new."""

from __future__ import annotations

import sys
from copy import copy
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from scapi._api.decoding import Page
from scapi._base import validation
from scapi._lists.cursor import Cursor
from scapi._lists.rows import SHAPES, entries_of, sort_values, sorting_of
from scapi._lists.search import Search
from scapi.models import Listing, Rejected

if TYPE_CHECKING:
    from datetime import datetime

    from scapi._api.requests import ListRequest


T = TypeVar("T")


class _Fed(NamedTuple):
    """The page that was fed last.

    Attributes:
        before: The cursor before it.
        entries: All its rows, rejected ones too.
        values: The sort value of each.
        fresh: The places of the new ones.
        places: The places of those that `listing` has.
        listing: What was returned.
    """

    before: Cursor
    entries: list[Any]
    values: list[Any]
    fresh: list[int]
    places: list[int]
    listing: Listing[Any]


class Paginator(Generic[T]):
    """A walk through all rows of a list: `request` is the page to ask for, `feed` takes the answer.

    Args:
        first: A request for any page of the list.
        limit: The number of rows in all, 0 or more; all of them by default.
        since: Only rows with a later time than this, and
        until: only rows that aren't later than this; for lists that are sorted by time, newest first.

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
        # One attribute, so that an interrupt can't come between its parts.
        self._stand: tuple[Cursor, _Fed | None] = Cursor(shape, sorting_of(first), left), None

    @property
    def _cursor(self) -> Cursor:
        return self._stand[0]

    @property
    def done(self) -> bool:
        """Whether there is nothing more to ask for."""
        return self._cursor.done

    @property
    def request(self) -> ListRequest[T]:
        """The page to ask for now."""
        if self._search is not None and not self._search.done:
            return self._first.with_page(limit=1, offset=self._search.offset)
        return self._first.with_page(limit=self._cursor.size, offset=self._cursor.offset)

    def feed(self, page: Listing[T]) -> Listing[T]:
        """Take the page that was asked for. From here on `request` is the next one.

        An exception at any moment, a signal's too, leaves the walk where it was before or after the page.

        Args:
            page: The page as it was decoded; with `json=True` the plain object that the server sent.

        Returns:
            The new rows in the page's order, rejected ones apart. `has_more` is whether there is another page to ask
            for.

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
        """Take a page for the search of where the wanted rows begin. Returns whether it was one."""
        values = sort_values(entries[:1], self._cursor.sorting)
        time = values[0] if values else None
        if not search.done:
            search.feed(time, total)
            self._begin_at(search.start)
            return True
        if (
            search.start
            and self._stand[1] is None
            and self._until is not None
            and (time is None or time <= self._until)
        ):
            search.step_back()
            self._begin_at(search.start)
            return True
        return False

    def _begin_at(self, offset: int) -> None:
        cursor = self._cursor
        self._stand = Cursor(cursor.shape, cursor.sorting, cursor.left, offset), None

    def _wanted(self, cursor: Cursor, fresh: list[int], values: list[Any]) -> list[int]:
        """Return the places of the new rows between the two times. Ends the walk below the earlier one."""
        if not values:
            return fresh
        since, until = self._since, self._until
        if since is not None:
            # Where the rows don't come newest first, as they should, those that are wanted may be anywhere.
            cursor.done = cursor.done or (values[-1] <= since and not cursor.by_position)
            fresh = [place for place in fresh if values[place] > since]
        return fresh if until is None else [place for place in fresh if values[place] <= until]

    def _listing(self, rows: list[Any], rejected: list[Rejected], total: int, *, has_more: bool) -> Listing[T]:
        page = Page(limit=self._cursor.size, offset=self._cursor.offset)
        listing = Listing[T](rows, total=total, rejected=rejected, **page._asdict())
        listing.has_more = has_more
        return listing

    def cursor(self, page: Listing[T] | None, unread: int) -> Cursor:
        """Return where the walk stands for somebody who has not used all of its rows yet.

        Args:
            page: The last page that was used, `None` before the first one.
            unread: How many of its rows, at its end, were not used.
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
