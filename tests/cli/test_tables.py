from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from rich.console import Console

from scapi.cli import formatting, records_table, tables
from scapi.enums import Quality, StatType
from scapi.models import AuctionLot, CharacterProfile, LotEvent, Statistic
from tests.cli.snapshots import COMMANDS, FOLDER, camera

NOW = datetime(2026, 8, 19, 12, tzinfo=UTC)


def test_the_tables_look_as_their_snapshots() -> None:
    with camera() as take:
        shown = {name: take(arguments) for name, arguments in COMMANDS.items()}
    assert shown == {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}


@pytest.mark.parametrize(
    ("statistic", "shown"),
    [
        (Statistic(id="dis-on-foo", type=StatType.DECIMAL, value=1_234_567.8), "12.3 km"),
        (Statistic(id="tpacks-distance-all", type=StatType.DECIMAL, value=100_000.0), "1.0 km"),
        (Statistic(id="dam-dea-pla", type=StatType.DECIMAL, value=1_234_567.8), "1\xa0234\xa0568"),
        (Statistic(id="pla-tim", type=StatType.DURATION, value=3_660_000), "1 h 1 min"),
    ],
)
def test_a_statistic_has_its_unit(statistic: Statistic, shown: str) -> None:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(tables.profile(CharacterProfile(uuid="1", name="ZIV", stats=[statistic]), NOW, {}))
    assert captured.get().rstrip().endswith(f"{statistic.id}  {shown}")


@pytest.mark.parametrize("width", [30, 40, 50, 80, 200])
@pytest.mark.parametrize("named", [True, False])
def test_no_value_of_a_statistic_is_cut(width: int, named: bool) -> None:
    stats = [
        Statistic(id=f"statistic-{number}", type=StatType.INTEGER, value=1_111_111 * number) for number in range(1, 9)
    ]
    names = {stat.id: f"A statistic with quite a long name {stat.id}" for stat in stats} if named else {}
    console = Console(width=width)
    with console.capture() as captured:
        console.print(tables.profile(CharacterProfile(uuid="1", name="ZIV", stats=stats), NOW, names))
    shown = captured.get()
    assert all(formatting.number(stat.value) in shown for stat in stats)
    assert all(len(line) <= width for line in shown.splitlines())


class Row(msgspec.Struct):
    item: str
    time: datetime
    close: float


@pytest.mark.parametrize(("hours", "shown"), [(0, "2026-08-19  "), (5, "2026-08-19 05:00:00")])
def test_days_have_no_hours(hours: int, shown: str) -> None:
    rows = [Row("kqgy", datetime(2026, 8, day, hours, tzinfo=UTC), 5.0) for day in (18, 19)]
    console = Console(width=80)
    with console.capture() as captured:
        console.print(records_table.records(rows, NOW))
    assert shown in captured.get()


def test_a_line_of_a_watched_lot_breaks_between_its_price_and_its_details() -> None:
    details = {"qlt": Quality.LEGENDARY, "ptn": 15}
    lot = AuctionLot(item_id="kqgy", amount=1, buyout_price=10**10, end_time=NOW, additional=details)
    event = LotEvent(kind="gone", region="ru", item_id="kqgy", lot=lot)
    shown = list[str]()
    for width in (40, 80):
        console = Console(width=width)
        with console.capture() as captured:
            console.print(tables.lot_event([event], NOW))
        shown.append("\n".join(line.rstrip() for line in captured.get().splitlines()))
    price = "12:00:00  gone  10\xa0000\xa0000\xa0000"
    assert shown == [f"{price}\n  legendary +15, over", f"{price}  legendary +15, over"]
