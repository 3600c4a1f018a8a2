"""A listing is a list that knows where it stands."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from scapi import frames
from scapi._api import decoding
from scapi.models import (
    AuctionLot,
    Character,
    CharacterInfo,
    ClanAffiliation,
    ClanInfo,
    Listing,
    RegionInfo,
    Rejected,
)

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
    [copy.copy, copy.deepcopy, Listing.copy, lambda page: pickle.loads(pickle.dumps(page))],  # our own pickle
    ids=["copy", "deepcopy", "method", "pickle"],
)
def test_a_copy_has_everything(clone: Any) -> None:
    page = Listing([1, 2], total=9, limit=3, offset=3, rejected=[BAD])
    page.append(3)
    twin = clone(page)
    assert type(twin) is Listing
    assert twin == [1, 2, 3]
    assert twin is not page
    assert (twin.total, twin.limit, twin.offset, twin.rejected, twin.has_more) == (9, 3, 3, [BAD], page.has_more)


def lots(count: int, **place: Any) -> Listing[AuctionLot]:
    rows = [
        AuctionLot(item_id="kqgy", amount=2, buyout_price=3_000_000 + n, additional={"qlt": 3}) for n in range(count)
    ]
    return Listing(rows, **{"total": 1819, "limit": 200, "model": AuctionLot, **place})


def test_repr_is_one_screen_with_the_count_the_first_rows_and_what_matters_of_them() -> None:
    lines = repr(lots(200, offset=400)).splitlines()
    assert lines[0] == "Listing of 200 AuctionLot, 1,819 in all, offset 400, limit 200"
    assert lines[1].split() == ["item_id", "amount", "buyout_price", "quality", "upgrade_level", "unit_price"]
    assert lines[2].split() == ["kqgy", "2", "3,000,000", "rare", "0", "1,500,000.00"]
    assert lines[-1] == "  … 190 more"
    assert len(lines) == 13
    assert max(map(len, lines)) <= 120


def test_repr_of_few_many_and_no_rows() -> None:
    assert repr(Listing(["a"], total=9, limit=2, offset=4, rejected=[BAD])) == (
        "Listing of 1 str, 9 in all, offset 4, limit 2, 1 rejected\n  'a'"
    )
    assert repr(Listing([], total=0, limit=20)) == "Listing of 0 rows, 0 in all, offset 0, limit 20"
    wide = Listing([Character(info=CharacterInfo(uuid="u" * 60, name="Имя"), clan=clan())], total=1, limit=20)
    assert repr(wide).splitlines()[1].endswith("…")
    assert max(map(len, repr(wide).splitlines())) <= 120


def test_repr_shows_nothing_that_a_terminal_would_obey() -> None:
    evil = Listing([RegionInfo(id="\x1b[2J\u202e", name="a\nb")], total=1, limit=1)
    assert repr(evil).splitlines()[2].split() == ["[2J", "a", "b"]
    assert "\x1b" not in repr(evil[0])


def clan() -> ClanAffiliation:
    return ClanAffiliation(info=ClanInfo(uuid="u", name="n" * 50, tag="t", description="d" * 90, leader="l" * 30))


def test_next_offset_is_where_the_next_page_begins() -> None:
    assert lots(200, offset=400).next_offset == 600
    assert lots(199, offset=400, rejected=[BAD]).next_offset == 600
    assert lots(19, offset=1800).next_offset is None
    page = lots(200)
    page.pop()
    assert page.next_offset == 200, "what a program takes out of a page moves no page"


def test_a_slice_is_a_listing_of_the_same_page() -> None:
    page = lots(200, offset=400, rejected=[BAD])
    part = page[:3]
    assert type(part) is Listing
    assert part == list(page)[:3]
    assert (part.total, part.offset, part.limit, part.model, part.rejected) == (1819, 400, 200, AuctionLot, [BAD])
    assert (part.has_more, part.next_offset) == (True, page.next_offset)
    assert page[-1:][0] == page[-1]
    assert len(page) == 200
    assert [row["unit_price"] for row in part.to_dicts()] == [1_500_000.0, 1_500_000.5, 1_500_001.0]


def test_what_sorted_returns_goes_into_frames() -> None:
    cheapest = sorted(lots(5), key=lambda lot: lot.unit_price or 0, reverse=True)
    assert frames.to_dicts(cheapest)[0]["unit_price"] == 1_500_002.0
    assert frames.to_dicts(lots(5)[5:]) == []


def test_sorting_in_place_keeps_the_methods_and_the_place() -> None:
    page = lots(5, offset=400)
    page.sort(key=lambda lot: lot.unit_price or 0, reverse=True)
    assert [row["unit_price"] for row in page[:2].to_dicts()] == [1_500_002.0, 1_500_001.5]
    assert (page.total, page.next_offset) == (1819, 405)


# ── as plain data ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_listing_is_a_dict_and_json_that_can_be_read_back() -> None:
    page = lots(2, offset=4, rejected=[BAD])
    plain = page.to_dict()
    assert plain == {
        "total": 1819,
        "limit": 200,
        "offset": 4,
        "next_offset": 7,
        "rows": [lot.to_dict() for lot in page],
        "rejected": [list(BAD)],
    }
    again = Listing.from_json(page.to_json(), AuctionLot)
    assert again == page
    assert (again.total, again.next_offset, again.rejected, again.model) == (1819, 7, [BAD], AuctionLot)
    with pytest.raises(ValueError, match=r"text must be what Listing\.to_json\(\) returned"):
        Listing.from_json('{"rows": 1}', AuctionLot)


def test_a_listing_in_the_shape_of_the_api_is_what_the_api_sends() -> None:
    body = b'{"total":9,"lots":[{"itemId":"a","amount":1},{"amount":"many"},{"itemId":"b","amount":2,"buyoutPrice":5}]}'
    page = decoding.LOTS(body, page=decoding.Page(limit=3, offset=0))
    assert len(page) == 2
    sent = page.to_dict(wire=True)
    assert sent["total"] == 9
    assert sent["lots"][1] == {"amount": "many"}
    assert decoding.LOTS(page.to_json(wire=True).encode(), page=decoding.Page(limit=3, offset=0)) == page
    assert Listing([RegionInfo(id="RU")], total=1, limit=1).to_dict(wire=True) == [{"id": "RU"}]
    assert list(Listing([clan().info], total=7, limit=1).to_dict(wire=True)) == ["totalClans", "data"]


def test_a_rejected_row_is_index_raw_and_reason() -> None:
    index, raw, reason = BAD
    assert (index, raw, reason) == (BAD.index, BAD.raw, BAD.reason)
