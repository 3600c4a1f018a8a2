"""Records that lack what the API has always sent so far: tables, charts and frames of them have dashes and nulls."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from scapi import frames, models, plot
from scapi.cli import exports, tables
from scapi.enums import OperationsMap

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec
    from rich.console import RenderableType

NOW = datetime(2026, 8, 5, tzinfo=UTC)

REGION = models.RegionInfo(id="RU")
CLAN = models.ClanInfo(uuid="c-1", name="Wolves")
MEMBER = models.ClanMember(name="ZIV")
PROFILE = models.CharacterProfile(
    uuid="u-1",
    name="ZIV",
    clan=models.ClanAffiliation(info=CLAN),
    stats=[models.Statistic(id="kil", value=7), models.Statistic(id="hist", value=[1, 0])],
)
LOT = models.AuctionLot(item_id="zyv9", amount=2)
WHOLE = models.AuctionLot(item_id="zyv9", amount=1, buyout_price=9000, end_time=NOW + timedelta(hours=1))
SESSION = models.OperationSession(
    id=1, map=OperationsMap.BIG_CLEANUP, start_time=NOW, participants=[models.OperationParticipant(damage_dealt=3.0)]
)
CHARACTER = models.Character(info=models.CharacterInfo(uuid="i", name="n"), clan=models.ClanAffiliation(info=CLAN))

TABLES: dict[str, tuple[Callable[[], RenderableType], tuple[str, ...]]] = {
    "regions": (lambda: tables.regions([REGION], NOW), ("RU",)),
    "clans": (lambda: tables.clans([CLAN], NOW), ("Wolves", "c-1")),
    "clan": (lambda: tables.clan(CLAN, NOW), ("Wolves\n", "c-1")),
    "profile": (lambda: tables.profile(PROFILE, NOW, {}), ("ZIV", "Wolves\n", "kil")),
    "lots": (lambda: tables.lots([LOT, WHOLE], NOW), ("Buyout", "9\N{NO-BREAK SPACE}000", "1 h")),
    "sessions": (lambda: tables.sessions([SESSION], NOW), ("big_cleanup",)),
    "session": (lambda: tables.session(SESSION, {}), ("big_cleanup", "difficulty –")),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_a_dash_for_what_is_not_known(name: str) -> None:
    draw, shown = TABLES[name]
    console = Console(width=120, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(draw())
    text = "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"
    assert "None" not in text
    assert "–" in text
    for word in shown:
        assert word in text


ROWS: list[Any] = [REGION, CLAN, MEMBER, PROFILE, LOT, SESSION, CHARACTER]


@pytest.mark.parametrize("row", ROWS, ids=[type(row).__name__ for row in ROWS])
def test_a_frame_has_the_same_columns_with_nulls_in_them(row: msgspec.Struct) -> None:
    frame, empty = frames.to_polars([row]), frames.to_polars([], model=type(row))
    assert frame.schema == empty.schema
    assert frame.height == 1
    assert frames.to_dicts([row])[0].keys() == dict.fromkeys(frame.columns).keys()
    lines = BytesIO()
    exports.write_csv(lines, [row], type(row))
    header, line = csv.reader(lines.getvalue().decode().splitlines())
    assert len(header) == len(line)


def test_a_chart_leaves_out_what_is_not_known() -> None:
    texts = [text.get_text() for axes in plot.damage(SESSION).axes for text in axes.texts]
    assert not [text for text in texts if "None" in text or "Difficulty" in text]
    priced = models.AuctionLot(item_id="zyv9", amount=1, buyout_price=5)
    texts = [text.get_text() for axes in plot.order_book([LOT, priced]).axes for text in axes.texts]
    assert not [text for text in texts if "None" in text or "put up" in text]
