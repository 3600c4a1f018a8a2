"""A listing is a list that knows where it stands."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from scapi.models import Listing, Rejected

BAD = Rejected(1, {"amount": "many"}, "Expected `int`, got `str`")


def test_it_is_a_list() -> None:
    page = Listing(["a", "b"], total=9, limit=2)
    assert isinstance(page, list)
    assert page == ["a", "b"]
    assert [*page, "c"] == ["a", "b", "c"]
    assert page[1] == "b"


@pytest.mark.parametrize(
    ("rows", "rejected", "total", "offset", "limit", "more"),
    [
        (2, 0, 5, 0, 2, True),
        (2, 0, 5, 2, 2, True),
        (1, 0, 5, 4, 2, False),
        (2, 0, 2, 0, 2, False),
        (1, 1, 4, 2, 2, False),
        (0, 2, 9, 0, 2, True),
        (0, 0, 0, 0, 20, False),
        (0, 0, 9, 0, 0, True),
        (0, 0, 9, 9, 0, False),
        (0, 0, 9, 3, 20, False),
        (10, 0, 10, 0, 3, False),
    ],
)
def test_has_more(*, rows: int, rejected: int, total: int, offset: int, limit: int, more: bool) -> None:
    page = Listing(range(rows), total=total, limit=limit, offset=offset, rejected=[BAD] * rejected)
    assert page.has_more is more


def test_a_page_that_came_back_empty_is_the_end_whatever_total_says() -> None:
    assert not Listing([], total=100, limit=20, offset=60).has_more


@pytest.mark.parametrize(
    "clone",
    [copy.copy, copy.deepcopy, lambda page: pickle.loads(pickle.dumps(page))],  # our own pickle
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_has_everything(clone: Any) -> None:
    page = Listing([1, 2], total=9, limit=3, offset=3, rejected=[BAD])
    page.append(3)
    twin = clone(page)
    assert type(twin) is Listing
    assert twin == [1, 2, 3]
    assert twin is not page
    assert (twin.total, twin.limit, twin.offset, twin.rejected, twin.has_more) == (9, 3, 3, [BAD], page.has_more)


def test_repr_shows_rows_and_place() -> None:
    page = Listing(["a"], total=9, limit=2, offset=4, rejected=[BAD])
    assert repr(page) == "Listing(['a'], total=9, limit=2, offset=4, rejected=1)"


def test_a_rejected_row_is_index_raw_and_reason() -> None:
    index, raw, reason = BAD
    assert (index, raw, reason) == (BAD.index, BAD.raw, BAD.reason)
