"""The chart of the damage in a session."""

# matplotlib leaves its **kwargs without types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import NullLocator

from scapi._views.charts import compact, span
from scapi.models import OperationSession
from scapi.plot._chart import Chart, check_suffix, finished
from scapi.plot._heading import headed
from scapi.plot._letters import families, legible
from scapi.plot._paper import finish, named, reachable, text_style
from scapi.plot._theme import Theme, ThemeName, check_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scapi.enums import RegionLike
    from scapi.models import OperationParticipant
    from scapi.plot._chart import FilePath

__all__ = ["damage"]

#: Height of a player's row and of the title, in inches.
ROW, HEAD = 0.42, 1.25


def damage(
    session: OperationSession,
    *,
    region: RegionLike | None = None,
    theme: ThemeName | None = None,
    path: FilePath | None = None,
) -> Chart:
    """Draw the damage that each player of a session dealt and received. The player who dealt most is on top.

    Args:
        session: The session.
        region: The region, for the title.
        theme: `"light"` or `"dark"`. By default light, and in notebooks the theme of the reader.
        path: A file to write, ending in `.png` or `.svg`.

    Returns:
        A `matplotlib.figure.Figure` that notebooks show.

    Raises:
        TypeError: `session` isn't an `OperationSession`.
        ValueError: The session has no participants, a time or number can't be drawn, or an argument isn't allowed.
        OSError: The file can't be written.
    """
    check_theme(theme)
    check_suffix(path)
    if not isinstance(session, OperationSession):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
        raise TypeError(f"session must be an OperationSession, not {session!r}")
    if not session.participants:
        raise ValueError(f"session must have participants, but {session.id} has none: there is nothing to draw")
    reachable("session", session, "duration_seconds", "start_time", "end_time")
    for player in session.participants:
        reachable("participants", player, "damage_dealt", "damage_received")
    players = sorted(session.participants, key=lambda player: player.damage_dealt, reverse=True)
    title, subtitle = named(_title(session), region), _about(session)

    def draw(theme: Theme) -> Chart:
        chart = Chart(theme, HEAD + ROW * max(len(players), 2))
        dealt, received = chart.subplots(ncols=2, sharey=True, width_ratios=[2, 1])
        _draw_dealt(dealt, players, theme)
        _draw_received(received, players, theme)
        headed(chart, dealt, theme, title, subtitle)
        return chart

    return finished(draw, theme, path)


def _title(session: OperationSession) -> str:
    return session.map.value.replace("_", " ").capitalize()


def _about(session: OperationSession) -> str:
    facts: list[str] = []
    if session.difficulty is not None:
        facts.append(f"Difficulty {session.difficulty}")
    if session.duration_seconds is not None:
        minutes, seconds = divmod(round(session.duration_seconds), 60)
        facts.append(f"{minutes} min {seconds} s")
    when = span(session.start_time, session.end_time or session.start_time)
    return f"{', '.join(facts)}  ·  {when}" if facts else when


def _draw_dealt(axes: Axes, players: list[OperationParticipant], theme: Theme) -> None:
    dealt = [player.damage_dealt for player in players]
    # Without any damage there are no shares.
    total = sum(dealt) or 1.0
    labels = [f"{compact(damage)}  {damage / total:.0%}" for damage in dealt]
    _bars(axes, dealt, labels, theme, color=theme.accent, caption="damage dealt")
    names = [legible(player.username or "–", 24) for player in players]
    axes.set_yticks(range(len(players)), labels=names, fontfamily=families(), parse_math=False)
    axes.tick_params(axis="y", labelsize=10, labelcolor=theme.ink)
    axes.invert_yaxis()


def _draw_received(axes: Axes, players: list[OperationParticipant], theme: Theme) -> None:
    received = [player.damage_received for player in players]
    labels = [compact(damage) for damage in received]
    _bars(axes, received, labels, theme, color=theme.muted, caption="received")


def _bars(axes: Axes, values: list[float], labels: list[str], theme: Theme, *, color: str, caption: str) -> None:
    finish(axes, theme)
    axes.grid(visible=False)
    bars = axes.barh(range(len(values)), values, height=0.62, color=color)
    axes.bar_label(bars, labels=labels, padding=5, fontsize=9, **text_style(theme.muted))
    # Leave room for the labels, which aren't part of the scale.
    axes.set_xlim(0, max(*values, 1.0) * 1.3)
    axes.xaxis.set_major_locator(NullLocator())
    axes.set_xlabel(caption, loc="left", fontsize=9, **text_style(theme.muted))
