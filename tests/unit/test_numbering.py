"""Rows that are equal in everything are told apart by counting, page after page."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

import scapi
import scapi.sync
from scapi.models import SALES_OVERLAP, AuctionLot, AuctionPrice, RowCounts, numbered

T0 = datetime(2026, 8, 5, tzinfo=UTC)


def sale(second: int = 0, price: int = 100) -> AuctionPrice:
    return AuctionPrice(amount=1, price=price, time=T0 - timedelta(seconds=second), additional={"qlt": 1})


def lot(second: int = 0) -> AuctionLot:
    return AuctionLot(item_id="zyv9", amount=1, start_time=T0 + timedelta(seconds=second))


def marks(rows: Any, seen: RowCounts | None = None) -> list[tuple[int, int]]:
    return [(key, n) for _, key, n in numbered(rows, seen)]


def test_equal_rows_are_counted_from_zero() -> None:
    rows = [sale(), sale(price=5), sale(), sale(), sale(1)]
    found = list(numbered(rows))
    assert [row for row, _, _ in found] == rows
    assert [key for _, key, _ in found] == [row.key() for row in rows]
    assert [row.n for row in found] == [0, 0, 1, 2, 0]


def test_counting_goes_on_across_pages_wherever_they_are_cut() -> None:
    rows = [sale(second) for second in range(5) for _ in range(second + 1)]
    whole = marks(rows)
    for size in range(1, len(rows) + 1):
        seen: RowCounts = {}
        pages = [rows[start : start + size] for start in range(0, len(rows), size)]
        assert [mark for page in pages for mark in marks(page, seen)] == whole


def test_the_same_rows_have_the_same_marks_whenever_they_are_read() -> None:
    rows = [sale(second // 3, price) for second in range(30) for price in (1, 2, 2)]
    turned = random.Random(1).sample(rows, len(rows))
    assert set(marks(turned)) == set(marks(rows))
    assert len(set(marks(rows))) == len(rows)


def test_what_was_counted_survives_as_json() -> None:
    seen: RowCounts = {}
    marks([sale(), sale()], seen)
    kept = msgspec.json.decode(msgspec.json.encode(seen), type=RowCounts)
    assert marks([sale()], kept) == [(sale().key(), 2)]


def test_a_walk_through_many_sales_remembers_only_the_last_half_hour() -> None:
    seen: RowCounts = {}
    for second in range(20_000):
        marks([sale(second)], seen)
    half_hour = int(SALES_OVERLAP.total_seconds())
    assert len(seen) <= half_hour + 2
    # A sale that turns up as late as sales do still meets its equals.
    assert marks([sale(20_000 - half_hour + 60)], seen)[0][1] == 1


def test_no_lot_is_forgotten_since_lots_come_in_any_order() -> None:
    seen: RowCounts = {}
    far = [lot(0), lot(100_000), lot(50_000)]
    marks(far, seen)
    assert [n for _, n in marks(far, seen)] == [1, 1, 1]


def test_both_worlds_have_the_same_function() -> None:
    assert scapi.numbered is scapi.sync.numbered is numbered
