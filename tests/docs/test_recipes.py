"""The recipes for other readers of a store find what the store itself answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from scapi.models import AuctionPrice
from scapi.store import SalesReading
from scapi.sync import Store
from tests.docs.pages import Example, examples

if TYPE_CHECKING:
    from pathlib import Path

RECIPES = [recipe for recipe in examples("store.md") if "daily = " in recipe.source]


def test_there_are_two() -> None:
    assert [recipe.source.split()[1] for recipe in RECIPES] == ["duckdb", "polars"]


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_a_recipe_finds_what_the_store_answers(
    recipe: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # A machine's own zone must not move a sale to another day.
    monkeypatch.setenv("TZ", "Asia/Vladivostok")
    now = datetime.now(UTC).replace(microsecond=0)
    sales = [
        AuctionPrice(
            amount=1 + n % 4, price=100 * (1 + n % 7), time=now - timedelta(hours=3 * n), additional={"qlt": n % 3}
        )
        for n in range(150)
    ]
    with Store("market.db") as store:
        store.write_sales("eu", "kqgy", SalesReading().piece(sales))
        store.write_sales("ru", "zyv9", SalesReading().piece(sales[:9]))
        daily = recipe.run()["daily"]
        rows = daily if isinstance(daily, list) else daily.rows()
        candles = store.candles(["kqgy", "zyv9"], "1d", by="quality")
        assert len(rows) == len(candles) > 50
        found = {row[:3]: 0 for row in rows}
        for region, item, quality, day, median, pieces in rows:
            found[region, item, quality] += pieces
            begin = day.replace(tzinfo=UTC)
            [stats] = [
                stats
                for stats in store.stats(item, begin, begin + timedelta(days=1), by="quality", region=region)
                if stats.quality == quality
            ]
            assert (stats.median, stats.pieces) == (pytest.approx(median), pieces)
        assert sum(found.values()) == sum(sale.amount for sale in (*sales, *sales[:9]))
