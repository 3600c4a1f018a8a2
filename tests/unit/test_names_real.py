"""The same promises on the real database."""

from __future__ import annotations

from pathlib import Path

import pytest

from scapi._items import database, names
from tests.unit.real_data import REASON, real_database

FOLDER = real_database() or Path()

pytestmark = pytest.mark.skipif(real_database() is None, reason=REASON)


@pytest.fixture(scope="module", params=["ru", "global"])
def realm(request: pytest.FixtureRequest) -> str:
    realm: str = request.param
    return realm


@pytest.mark.parametrize("kind", ["listing", "achievements", "stats"])
def test_every_name_finds_its_own_id_first_or_says_ambiguous(realm: str, kind: str) -> None:
    index = database.read_index(kind, (FOLDER / realm / f"{kind}.json").read_bytes())
    assert index.entries
    assert index.rejected == []
    for id_, entry in index.entries.items():
        for name in entry.translation.lines.values():
            first = names.search(index, name, limit=1)[0]
            assert first.score == 100
            assert first.id == id_ or first.ambiguous, (name, id_, first.id)


def test_every_id_finds_itself(realm: str) -> None:
    index = database.read_index("listing", (FOLDER / realm / "listing.json").read_bytes())
    assert all(names.search(index, id_, limit=1)[0].id == id_ for id_ in index.entries)


def test_recipes_are_read_whole() -> None:
    settlements = database.read_barter((FOLDER / "ru" / "barter_recipes.json").read_bytes())
    assert sum(len(settlement.recipes) for settlement in settlements) == 1497
    assert not settlements.rejected
    assert not any(settlement.recipes.rejected for settlement in settlements)
    hideout = database.read_hideout((FOLDER / "ru" / "hideout_recipes.json").read_bytes())
    assert (len(hideout.perks), len(hideout.recipes)) == (8, 368)
    assert not hideout.perks.rejected
    assert not hideout.recipes.rejected


def test_every_item_file_is_read() -> None:
    files = sorted((FOLDER / "ru" / "items").rglob("*.json"))
    assert files
    for file in files:
        info = database.read_item(file.read_bytes())
        assert info.id in {file.stem, file.parent.name}
        assert info.info_blocks
