"""What the terminal shows of each model. Times are UTC; text of strangers is cleaned before it is printed."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from scapi.cli.words import ago, clock, number, plain, span
from scapi.enums import Quality, StatType

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from rich.console import RenderableType

    from scapi.models import (
        AuctionLot,
        AuctionPrice,
        CharacterProfile,
        EmissionState,
        OperationSession,
        Statistic,
    )

__all__ = ["emission", "figure", "lots", "profile", "sales", "session", "table"]

#: The colours that the game gives the qualities, as far as sixteen colours go.
QUALITY_STYLES = {
    Quality.COMMON: "white",
    Quality.UNCOMMON: "green",
    Quality.SPECIAL: "blue",
    Quality.RARE: "magenta",
    Quality.EXCEPTIONAL: "red",
    Quality.LEGENDARY: "yellow",
    Quality.UNIQUE: "cyan",
}


def table(*columns: Column | str) -> Table:
    """An empty table in the one look that all of ours have."""
    return Table(*columns, box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False)


def figure(heading: str) -> Column:
    """A column of figures."""
    return Column(heading, justify="right", no_wrap=True)


def emission(state: EmissionState, now: datetime) -> RenderableType:
    """The emission in a sentence."""
    if state.current_start is not None:
        text = Text("An emission is running", style="bold red")
        return text.append(
            f", since {clock(state.current_start)}, {span(now - state.current_start)} by now.", "default"
        )
    text = Text("No emission", style="bold green")
    if state.previous_start is None or state.previous_end is None:
        return text.append(".", "not bold default")
    lasted = span(state.previous_end - state.previous_start)
    ended = f" The last one ended {ago(state.previous_end, now)}, after {lasted}."
    return text.append(".", "not bold default").append(ended, "not bold default")


def profile(player: CharacterProfile, now: datetime) -> RenderableType:
    """A character: who it is, where it belongs, and what it did."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    clan = player.clan and f"{player.clan.info.name} [{player.clan.info.tag}], {player.clan.member.rank.lower()}"
    for name, value in (
        ("name", player.name),
        ("alliance", player.alliance or "–"),
        ("clan", clan or "–"),
        ("status", player.status or "–"),
        ("last seen", ago(player.last_login, now)),
        ("achievements", ", ".join(player.displayed_achievements) or "–"),
    ):
        facts.add_row(name, Text(plain(value)))
    return Group(facts, Text(), _statistics(player.stats))


def _statistics(stats: list[Statistic]) -> Table:
    """The statistics in three columns: there are more than a hundred of them."""
    grid = Table.grid(padding=(0, 2))
    for _ in range(3):
        grid.add_column(style="dim", overflow="ellipsis", no_wrap=True)
        grid.add_column(justify="right", no_wrap=True)
    cells = iter((Text(plain(stat.id)), Text(_value(stat))) for stat in stats)
    while row := list(islice(cells, 3)):
        grid.add_row(*(cell for pair in row for cell in pair))
    return grid


def _value(stat: Statistic) -> str:
    """A statistic's value; what is no figure and no text has no room here."""
    match stat.type, stat.value:
        case StatType.DURATION, int() | float() as milliseconds:
            return f"{number(milliseconds / 3_600_000, 1)} h"
        case StatType.INTEGER | StatType.DECIMAL, int() | float() as value:
            return number(value)
        case StatType.DATE, str() as moment:
            return moment[:10]
        case _, str() | int() | float() as value:
            return plain(str(value))[:20]
        case _:
            return "…"


def lots(rows: Iterable[AuctionLot], now: datetime) -> Table:
    """Lots on offer; the prices are for whole lots, but for the one per piece."""
    result = table(
        figure("Pieces"),
        figure("Start"),
        figure("Bid"),
        figure("Buyout"),
        figure("Per piece"),
        "Quality",
        figure("Ends"),
    )
    for lot in rows:
        result.add_row(
            number(lot.amount),
            number(lot.start_price or None),
            number(lot.current_price),
            number(lot.buyout_price or None),
            number(lot.unit_price),
            _quality(lot),
            ago(lot.end_time, now),
        )
    return result


def sales(rows: Iterable[AuctionPrice]) -> Table:
    """Sales made; the price is for all pieces of one."""
    result = table("Time (UTC)", figure("Pieces"), figure("Price"), figure("Per piece"), "Quality")
    for sale in rows:
        result.add_row(
            clock(sale.time), number(sale.amount), number(sale.price), number(sale.unit_price), _quality(sale)
        )
    return result


def _quality(traded: AuctionLot | AuctionPrice) -> Text:
    """`rare +7`, in the colour of the game; a dash where the server didn't say."""
    if traded.quality is None:
        return Text("–", style="dim")
    level = f" +{traded.upgrade_level}" if traded.upgrade_level else ""
    style = QUALITY_STYLES.get(traded.quality, "default")
    return Text(traded.quality.name.lower().replace("_", " ") + level, style=style)


def session(row: OperationSession) -> RenderableType:
    """A session: what it was, who took part, and what they did in it."""
    title = Text(plain(row.map), style="bold").append(
        f", difficulty {row.difficulty}, {span(timedelta(seconds=row.duration_seconds))}, ended {clock(row.end_time)}",
        style="not bold",
    )
    return Group(title, Text(), _participants(row))


def _participants(row: OperationSession) -> Table:
    result = table("Player", figure("Dealt"), figure("Taken"), figure("Kills"), figure("Deaths"), "Weapon", "Armor")
    for player in row.participants:
        result.add_row(
            Text(plain(player.username)),
            number(player.damage_dealt),
            number(player.damage_received),
            number(player.mob_kills),
            number(player.death),
            _gear(player.primary_weapon_item_id, player.primary_weapon_level),
            _gear(player.armor_item_id, player.armor_level),
        )
    return result


def _gear(item_id: str | None, level: int) -> Text:
    if item_id is None:
        return Text("–", style="dim")
    return Text(plain(item_id) + (f" +{level}" if level else ""))
