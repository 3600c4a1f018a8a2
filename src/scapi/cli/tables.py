"""Render models as tables. Times are UTC. Text from players and servers is escaped."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from scapi._base.escaping import terminal as plain
from scapi.cli import item_card
from scapi.cli.fitted_tables import FittedTable, HangingText, figure, fixed, table
from scapi.cli.formatting import NOTHING, ago, clock, minute, number, span
from scapi.enums import StatType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from scapi.cli.models import Account, Match
    from scapi.enums import LanguageLike
    from scapi.models import (
        AuctionLot,
        AuctionPrice,
        CharacterProfile,
        ClanAffiliation,
        ClanInfo,
        EmissionState,
        ItemInfo,
        LotEvent,
        OperationSession,
        RegionInfo,
        Statistic,
    )

__all__ = [
    "account",
    "card",
    "clan",
    "clans",
    "emission",
    "figure",
    "lot_event",
    "lots",
    "matches",
    "profile",
    "regions",
    "sales",
    "session",
    "sessions",
    "table",
]

#: How the ids of distances begin. These statistics are centimetres.
DISTANCES = ("dis-", "tpacks-distance")
#: The least width to which names of statistics are cut.
SHORTEST_NAME = 16
#: The greatest width of ids of statistics that isn't cut.
LONGEST_ID = 40
#: Centimetres in a kilometre.
CENTIMETRES_PER_KM = 100_000


def emission(state: EmissionState, now: datetime) -> RenderableType:
    """Describe an emission in a sentence."""
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


def regions(rows: Iterable[RegionInfo], now: datetime) -> Table:
    """Render regions with the ids that `--region` takes."""
    result = table("Region", "Name")
    for region in rows:
        result.add_row(Text(plain(region.id)), _text(region.name))
    return result


def profile(player: CharacterProfile, now: datetime, names: Mapping[str, str]) -> RenderableType:
    """Render a character: facts, then statistics by name, or by id if there are no names."""
    facts = _facts(
        name=player.name,
        alliance=player.alliance,
        clan=_affiliation(player.clan),
        status=player.status,
        last_seen=ago(player.last_login, now),
        achievements=", ".join(player.displayed_achievements),
    )
    return Group(facts, Text(), _Statistics(player.stats, names))


def _affiliation(place: ClanAffiliation | None) -> str | None:
    """Format a membership as `Wolves [W], leader`, without unknown parts."""
    if place is None:
        return None
    rank = place.member.rank if place.member else None
    return _tagged(place.info) + (f", {rank.lower()}" if rank else "")


def _tagged(clan: ClanInfo) -> str:
    return f"{clan.name} [{clan.tag}]" if clan.tag else clan.name


def _text(value: str | None) -> Text:
    """Escape a text of the server; `None` is a dash."""
    return Text(plain(value or "") or NOTHING)


def _facts(**facts: str | None) -> Table:
    """Render facts, one in a line; `None` is a dash."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for name, value in facts.items():
        grid.add_row(Text(plain(name.replace("_", " "))), _text(value))
    return grid


class _Statistics:
    """Statistics in as many columns as fit, up to two with names or three with ids: there are more than a hundred.

    Names may be cut, ids and values are not.

    Args:
        stats: The statistics.
        names: Their names by id; empty if there are none.
    """

    def __init__(self, stats: Sequence[Statistic], names: Mapping[str, str]) -> None:
        self._cells = [(Text(plain(names.get(stat.id, stat.id))), Text(_value(stat))) for stat in stats]
        self._most = 2 if names else 3
        self._shortest = SHORTEST_NAME if names else LONGEST_ID

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the statistics in the available width."""
        widest = max((cell_len(value.plain) for _, value in self._cells), default=0)
        name = min(max((cell_len(name.plain) for name, _ in self._cells), default=0), self._shortest)
        # Each pair has two gaps of two places.
        width = options.max_width + 2
        columns = max(1, min(self._most, len(self._cells), width // (name + widest + 4)))
        grid = Table.grid(padding=(0, 2))
        for _ in range(columns):
            grid.add_column(
                style="dim", overflow="ellipsis", no_wrap=True, max_width=max(1, width // columns - widest - 4)
            )
            grid.add_column(justify="right", no_wrap=True, min_width=widest)
        cells = iter(self._cells)
        while row := list(islice(cells, columns)):
            grid.add_row(*(cell for pair in row for cell in pair))
        yield grid


def _value(stat: Statistic) -> str:
    """Format a statistic's value; an ellipsis stands for anything but numbers, times and texts."""
    match stat.parsed:
        case timedelta() as duration:
            return span(duration)
        case datetime() as moment:
            return clock(moment)[:10]
        case int() | float() as value if stat.type in {StatType.INTEGER, StatType.DECIMAL}:
            return f"{number(value / CENTIMETRES_PER_KM, 1)} km" if stat.id.startswith(DISTANCES) else number(value)
        case str() | int() | float() as value:
            return plain(str(value))[:20]
        case _:
            return "…"


def lots(rows: Sequence[AuctionLot], now: datetime) -> RenderableType:
    """Render lots. Prices are for whole lots, except the one per piece."""
    stacks = any(lot.amount != 1 for lot in rows)
    columns = [*map(figure, ("Pieces", "Start", "Bid", "Buyout", "Per piece")), Column("Quality"), figure("Ends in")]
    cells = [
        (
            number(lot.amount if stacks else None),
            number(lot.start_price or None),
            number(lot.current_price),
            number(lot.buyout_price or None),
            number(lot.unit_price if stacks else None),
            _quality(lot),
            _left(lot.end_time, now),
        )
        for lot in rows
    ]
    return FittedTable(columns, cells, ["Start", "Bid", "Ends in", "Per piece"], drop_empty=True)


def lot_event(events: Sequence[LotEvent], now: datetime) -> RenderableType:
    """Render a lot that appeared or disappeared as a line. Its time is that of the check."""
    (event,) = events
    lot, details = event.lot, list[Text]()
    if lot.quality is not None:
        details.append(_quality(lot))
    if lot.amount != 1:
        each = "" if lot.unit_price is None else f", {number(lot.unit_price)} each"
        details.append(Text(f"{number(lot.amount)} pieces{each}"))
    if lot.end_time is not None:
        details.append(Text("over" if lot.end_time <= now else f"{span(lot.end_time - now)} left", style="dim"))
    price = number(lot.buyout_price) if lot.buyout_price else f"bid {number(lot.current_price or lot.start_price)}"
    kind = f"{event.kind:<4}", "green" if event.kind == "new" else "red"
    head = Text.assemble((clock(now)[11:], "dim"), "  ", kind, f"{price:>16}")
    return HangingText(head, Text(", ").join(details))


def _left(end: datetime | None, now: datetime) -> str | Text:
    if end is None:
        return NOTHING
    return span(end - now) if end > now else Text("over", style="dim")


def sales(rows: Sequence[AuctionPrice], now: datetime) -> RenderableType:
    """Render sales. Prices are for whole sales, except the one per piece."""
    stacks = any(sale.amount != 1 for sale in rows)
    columns = [fixed("Time (UTC)"), *map(figure, ("Pieces", "Price", "Per piece")), Column("Quality"), figure("Age")]
    cells = [
        (
            clock(sale.time),
            number(sale.amount if stacks else None),
            number(sale.price),
            number(sale.unit_price if stacks else None),
            _quality(sale),
            span(now - sale.time),
        )
        for sale in rows
    ]
    return FittedTable(columns, cells, ["Age", "Per piece"], drop_empty=True)


def _quality(traded: AuctionLot | AuctionPrice) -> Text:
    """Format a quality as `rare +7` in the colour of the game; a dash if the server didn't send it."""
    if traded.quality is None:
        return Text(NOTHING, style="dim")
    level = f" +{traded.upgrade_level}" if traded.upgrade_level else ""
    return Text(traded.quality.name.lower().replace("_", " ") + level, style=traded.quality.color)


def clans(rows: Iterable[ClanInfo], now: datetime) -> RenderableType:
    """Render clans with the ids that `scapi clan` takes."""
    columns = [Column("Tag"), Column("Name"), figure("Level"), figure("Members"), fixed("Id")]
    cells = [
        (
            _text(clan.tag),
            Text(plain(clan.name)),
            number(clan.level),
            number(clan.member_count),
            Text(plain(clan.uuid)),
        )
        for clan in rows
    ]
    return FittedTable(columns, cells, ["Members", "Level", "Tag"])


def clan(row: ClanInfo, now: datetime) -> Table:
    """Render a clan."""
    return _facts(
        name=_tagged(row),
        id=row.uuid,
        level=f"{number(row.level)}, {number(row.level_points)} points",
        founded=f"{clock(row.registration_time)}, {ago(row.registration_time, now)}" if row.registration_time else None,
        alliance=row.alliance,
        leader=row.leader,
        members=number(row.member_count),
        description=row.description,
    )


def sessions(rows: Iterable[OperationSession], now: datetime) -> RenderableType:
    """Render sessions. Only the JSON has their participants."""
    columns = [
        fixed("Ended (UTC)"),
        fixed("Map"),
        figure("Level"),
        figure("Took"),
        figure("Reward"),
        figure("Players"),
        Column("Most damage", no_wrap=True, max_width=14),
    ]
    cells = [
        (
            NOTHING if session.end_time is None else minute(session.end_time),
            Text(plain(session.map)),
            number(session.difficulty),
            _minutes(session.duration_seconds),
            number(session.reward),
            number(len(session.participants)),
            _text(max(session.participants, key=attrgetter("damage_dealt")).username if session.participants else None),
        )
        for session in rows
    ]
    return FittedTable(columns, cells, ["Players", "Reward", "Most damage", "Took"])


def _minutes(seconds: float | None) -> str:
    return NOTHING if seconds is None else "{:.0f}:{:02.0f}".format(*divmod(seconds, 60))


def session(row: OperationSession, names: Mapping[str, str]) -> RenderableType:
    """Render a session with its participants. Gear is shown by name, or by id if there is no name."""
    title = Text(plain(row.map), style="bold").append(
        f", difficulty {number(row.difficulty)}, {_length(row.duration_seconds)}, ended {clock(row.end_time)}",
        style="not bold",
    )
    return Group(title, Text(), _participants(row, names))


def _length(seconds: float | None) -> str:
    if seconds is None:
        return NOTHING
    try:
        return span(timedelta(seconds=seconds))
    except OverflowError:
        return f"{seconds:g} s"


def _participants(row: OperationSession, names: Mapping[str, str]) -> Table:
    result = table("Player", figure("Dealt"), figure("Taken"), figure("Kills"), figure("Deaths"), "Weapon", "Armor")
    for player in row.participants:
        result.add_row(
            _text(player.username),
            number(player.damage_dealt),
            number(player.damage_received),
            number(player.mob_kills),
            number(player.death),
            _gear(player.primary_weapon_item_id, player.primary_weapon_level, names),
            _gear(player.armor_item_id, player.armor_level, names),
        )
    return result


def _gear(item_id: str | None, level: int, names: Mapping[str, str]) -> Text:
    if item_id is None:
        return Text(NOTHING, style="dim")
    return Text(plain(names.get(item_id, item_id)) + (f" +{level}" if level else ""))


def matches(rows: Iterable[Match], now: datetime) -> Table:
    """Render the items that match a query, with their ids."""
    result = table(fixed("Id"), Column("Name"), Column("Category"), figure("Score"), fixed(""))
    for match in rows:
        result.add_row(
            Text(plain(match.id)),
            Text(plain(match.name)),
            Text(plain(match.category or NOTHING)),
            number(match.score),
            Text("ambiguous" if match.ambiguous else "", style="yellow"),
        )
    return result


def card(row: ItemInfo, language: LanguageLike) -> RenderableType:
    """Render an item: its names, its facts and the blocks of its card."""
    facts = _facts(
        name=row.name(language),
        id=row.id,
        category=row.category,
        color=row.color,
        status=row.status,
        **{f"in {code}": text for code, text in row.translation.lines.items() if text.strip() and code != language},
    )
    lines = [Text(plain(line)) for line in item_card.lines(row.info_blocks, language)]
    return Group(facts, Text(), *lines) if lines else facts


def account(row: Account, now: datetime) -> Table:
    """Render the account that is logged in."""
    return _facts(
        login=row.login,
        token=f"valid until {clock(row.expires_at)}, {ago(row.expires_at, now)}",
        characters=", ".join(row.characters),
    )
