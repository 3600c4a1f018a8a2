"""Charts: what is drawn, on which scale, in which colours, and into which files; and the numbers behind them."""

from __future__ import annotations

import builtins
import re
import sys
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.text import Text

from scapi import plot
from scapi._views.charts import (
    DAY,
    HOUR,
    MINUTE,
    book,
    buckets,
    ceiling,
    compact,
    grouped,
    length,
    partial_buckets,
    shortest_step,
    span,
    unfinished,
    width_for,
)
from scapi.enums import OperationsMap, Quality
from scapi.models import AuctionLot, AuctionPrice, Listing, OperationParticipant, OperationSession
from scapi.plot._letters import families, legible
from scapi.plot._theme import theme_named
from scapi.store import Candle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure

NOON = datetime(2026, 8, 19, 12, 0, tzinfo=UTC)


def sale(price: int = 100, *, minutes: float = 0, amount: int = 1, **additional: Any) -> AuctionPrice:
    return AuctionPrice(amount=amount, price=price, time=NOON + timedelta(minutes=minutes), additional=additional)


def lot(buyout: int = 100, *, amount: int = 1, **additional: Any) -> AuctionLot:
    return AuctionLot(
        item_id="kqgy",
        amount=amount,
        start_price=0,
        buyout_price=buyout,
        start_time=NOON,
        end_time=NOON + DAY,
        additional=additional,
    )


def session(**dealt: float) -> OperationSession:
    return OperationSession(
        id=1,
        map=OperationsMap("shock_therapy"),
        start_time=NOON,
        end_time=NOON + timedelta(seconds=718),
        difficulty=7,
        duration_seconds=718.1,
        reward=300,
        participants=[
            OperationParticipant(username=name, damage_dealt=damage, damage_received=damage / 10)
            for name, damage in dealt.items()
        ],
    )


def texts(figure: Figure) -> list[str]:
    """Everything that is written, once it is drawn."""
    figure.draw_without_rendering()
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def candle(day: float, open_: float = 100, close: float = 110, **options: Any) -> Candle:
    known = {"region": "eu", "item": "kqgy", "quality": None, "level": None, "count": 4, "pieces": 8}
    known |= {
        "time": NOON + day * DAY,
        "high": max(open_, close) + 10,
        "low": min(open_, close) - 10,
        "vwap": open_,
        "turnover": 800,
    }
    return Candle(open=open_, close=close, **{**known, **options})


# ── price history ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_history_has_a_median_a_band_and_the_volume_below() -> None:
    sales = [sale(100 + n, minutes=n / 2) for n in range(120)]
    figure = plot.price_history(reversed(sales), item="Гравий", region="eu")
    prices, volume = figure.axes
    [line] = prices.get_lines()
    rows = buckets(sales, width_for(sales))
    assert list(line.get_ydata()) == [row.median for row in rows]
    assert len(prices.collections) == 1
    assert [bar.get_height() for bar in volume.patches] == [row.pieces for row in rows]
    assert sum(row.pieces for row in rows) == 120
    assert {"Гравий · EU", "pieces"} <= set(texts(figure))
    assert (
        "Price per piece, median and 10–90 % every 5 minutes  ·  19 Aug 2026 12:00 to 12:59 UTC  ·  120 sales"
        in texts(figure)
    )


def test_a_history_by_quality_has_a_line_each_in_the_colours_of_the_game() -> None:
    sales = [sale(100 * (n % 3 + 1), minutes=n, qlt=n % 3) for n in range(90)] + [sale(5, minutes=1)]
    figure = plot.price_history(sales, by="quality", theme="dark")
    prices, volume = figure.axes
    lines = {label: line for line in prices.get_lines() if not (label := str(line.get_label())).startswith("_")}
    assert list(lines) == ["no quality", "Common", "Uncommon", "Special"]
    palette = theme_named("dark").qualities
    assert [to_hex(lines[name].get_color()) for name in ("Common", "Uncommon", "Special")] == list(palette[:3])
    assert len({line.get_marker() for line in lines.values()}) == 4
    # Only a part of a period is dotted.
    assert [line.get_linestyle() for line in lines.values()] == ["--", "-", "-", "-"]
    assert [text.get_text() for text in prices.get_legend().get_texts()] == [*lines][::-1]
    # Stacked: no bar begins before another of its time has ended.
    for bar in volume.patches:
        inside = [one for one in volume.patches if one.get_x() == bar.get_x()]
        assert sum(one.get_height() for one in inside) == max(one.get_y() + one.get_height() for one in inside)


def test_the_first_and_the_last_period_are_dotted_where_the_sales_cover_a_part_of_them() -> None:
    """Two sales of a week that has just begun are no crash."""
    sales = [sale(100, minutes=n * 10) for n in range(18, 600)]
    width = width_for(sales)
    assert width == 3 * HOUR
    figure = plot.price_history(sales)
    prices, volume = figure.axes
    whole, *parts = prices.get_lines()
    rows = buckets(sales, width)
    assert partial_buckets(sales, width) == {rows[-1].start}
    assert len(whole.get_xdata()) == len(rows) - 1
    assert [line.get_linestyle() for line in parts] == [":"]
    assert [bar.get_alpha() for bar in volume.patches] == [0.75] * (len(rows) - 1) + [0.3]
    assert any("dotted: part of a period" in text for text in texts(figure))


def test_days_on_the_axis_of_time_are_written_as_in_the_subtitle() -> None:
    figure = plot.price_history([sale(100 + n, minutes=60 * 24 * (n + 14)) for n in range(8)])
    assert any("2 Sep to 9 Sep 2026" in text for text in texts(figure))
    assert {"3 Sep", "9 Sep"} <= set(texts(figure))
    assert not [text for text in texts(figure) if re.match(r"0\d [A-Z]", text)]


def test_a_period_that_the_sales_cover_is_whole() -> None:
    sales = [sale(100, minutes=n) for n in range(600)]
    assert partial_buckets(sales, HOUR) == set()
    assert partial_buckets(sales[40:-40], HOUR) == {NOON, NOON + 9 * HOUR}
    # Of two periods neither could be left out.
    assert partial_buckets(sales[40:100], HOUR) == set()


@pytest.mark.parametrize("draw", [plot.price_history, plot.order_book])
def test_several_qualities_are_never_one_line_unless_asked_for(draw: Callable[..., Figure]) -> None:
    rows: list[Any] = [(sale if draw is plot.price_history else lot)(100 + n, qlt=n % 2) for n in range(20)]
    assert draw(rows).axes[0].get_legend() is not None
    assert draw(rows, by=None).axes[0].get_legend() is None
    assert draw(rows[::2]).axes[0].get_legend() is None


def test_a_history_by_level_puts_the_levels_of_a_step_together() -> None:
    figure = plot.price_history([sale(minutes=level, ptn=level) for level in (0, 1, 4, 5, 9, 10, 15, 40)], by="level")
    assert [line.get_label() for line in figure.axes[0].get_lines()] == [
        "+0",
        "+1 to +4",
        "+5 to +9",
        "+10 to +14",
        "+15",
    ]


@pytest.mark.parametrize(
    ("prices", "scale"),
    [([100, 1900], "linear"), ([100, 2000], "log"), ([0, 5000], "linear"), ([7, 7], "linear"), ([0, 0], "linear")],
)
def test_the_axis_is_logarithmic_where_prices_lie_far_apart(prices: list[int], scale: str) -> None:
    figure = plot.price_history([sale(price, minutes=n * 300) for n, price in enumerate(prices)] * 5)
    axes = figure.axes[0]
    assert axes.get_yscale() == scale
    low, high = axes.get_ylim()
    assert low <= min(prices) <= max(prices) < high


def test_a_single_sale_is_a_chart() -> None:
    figure = plot.price_history([sale(12_500)])
    [line] = figure.axes[0].get_lines()
    assert (list(line.get_ydata()), line.get_marker()) == ([12_500], "o")
    assert "Price history" in texts(figure)


# ── candles ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_candle_is_hollow_if_the_price_rose_and_filled_if_it_fell() -> None:
    figure = plot.candles([candle(0, 100, 150), candle(1, 150, 90)], item="Гравий", until=NOON + 2 * DAY)
    prices, volume = figure.axes
    bodies = [(bar.get_y(), bar.get_height()) for bar in prices.patches]
    assert bodies == [(100, 50), (90, 60)]
    paper, accent = theme_named("light").paper, theme_named("light").accent
    assert [to_hex(bar.get_facecolor()) for bar in prices.patches] == [paper, accent]
    assert [bar.get_height() for bar in volume.patches] == [8, 8]
    assert "Гравий · EU" in texts(figure)
    assert "Price per piece, a candle every day  ·  19 Aug 2026 12:00 to 20 Aug 12:00 UTC  ·  8 sales" in texts(figure)


def test_candles_that_the_sales_cover_in_part_are_dotted_and_pale() -> None:
    rows = [candle(day) for day in range(4)]
    figure = plot.candles(rows, since=NOON + HOUR, until=NOON + 3.5 * DAY)
    prices, volume = figure.axes
    assert [bar.get_linestyle() for bar in prices.patches] == [":", "-", "-", ":"]
    assert [bar.get_alpha() for bar in volume.patches] == [0.3, 0.75, 0.75, 0.3]
    assert any("dotted: unfinished" in text for text in texts(figure))
    # The present is where sales end by default.
    now = datetime.now(UTC)
    recent = [candle(0, time=now - age) for age in (2 * DAY, DAY, timedelta(hours=1))]
    assert [bar.get_linestyle() for bar in plot.candles(recent, "1d").axes[0].patches] == ["-", "-", ":"]


def test_each_quality_has_a_panel_in_its_colour() -> None:
    rows = [candle(day, quality=Quality(quality)) for quality in (3, 0) for day in range(3)]
    figure = plot.candles(rows, theme="dark", until=NOON + 9 * DAY)
    rare, common, volume = figure.axes
    palette = theme_named("dark").qualities
    assert {to_hex(bar.get_edgecolor()) for bar in rare.patches} == {palette[3]}
    assert {to_hex(bar.get_edgecolor()) for bar in common.patches} == {palette[0]}
    assert {"Rare", "Common"} <= set(texts(figure))
    assert len(volume.patches) == 6


def test_groups_by_quality_and_level_have_colours_of_their_own() -> None:
    rows = [candle(0, quality=Quality.RARE, level=level) for level in (0, 15)]
    figure = plot.candles(rows)
    assert len({to_hex(axes.patches[0].get_edgecolor()) for axes in figure.axes[:2]}) == 2
    assert {"Rare +0", "Rare +15"} <= set(texts(figure))


def test_of_many_levels_the_busiest_are_drawn_and_the_subtitle_says_so() -> None:
    rows = [candle(0, level=level, count=1 + (level % 2)) for level in range(16)]
    figure = plot.candles(rows)
    shown = [text for text in texts(figure) if re.fullmatch(r"\+\d+", text)]
    assert shown == ["+13", "+11", "+9", "+7", "+5", "+3", "+1"]
    assert any("14 sales, busiest 7 of 16 groups" in text for text in texts(figure))


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([], ValueError, "candles must not be empty"),
        ([1], TypeError, "candles must contain only Candle, not int"),
        ([candle(0), candle(0, item="zyv9")], ValueError, "of one item in one region, not of kqgy in eu, zyv9 in eu"),
        ([candle(0), candle(0, region="ru")], ValueError, "of one item in one region"),
        ([candle(0, high=1e300)], ValueError, "high of candles must be a number of 64 bits"),
    ],
)
def test_candles_that_cannot_be_drawn_are_refused(rows: list[Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plot.candles(rows)


def test_an_interval_is_as_long_as_the_distance_of_two_candles() -> None:
    assert shortest_step([NOON, NOON + 3 * HOUR, NOON + HOUR, NOON]) == HOUR
    assert shortest_step([NOON]) == DAY
    assert unfinished([NOON, NOON + HOUR], HOUR, NOON + MINUTE, NOON + 2 * HOUR) == {NOON}
    assert unfinished([NOON, NOON + HOUR], HOUR, None, NOON + 2 * HOUR) == set()
    assert [length(DAY), length(1.5 * DAY), length(90 * MINUTE), length(timedelta(seconds=30))] == [
        "day", "36 hours", "90 minutes", "30 seconds",
    ]  # fmt: skip


# ── order book ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_order_book_goes_up_from_the_cheapest_piece() -> None:
    figure = plot.order_book([lot(900, amount=3), lot(100, amount=2), lot(0)], region="ru")
    [axes] = figure.axes
    steps = axes.patches[-1].get_data()
    assert (list(steps.values), list(steps.edges)) == ([50.0, 300.0], [0, 2, 5])
    written = texts(figure)
    assert "kqgy · RU" in written
    assert any("from 50" in text and "3 lots, 1 without buyout" in text for text in written)


def test_prices_that_nobody_pays_are_above_the_chart_and_counted() -> None:
    figure = plot.order_book([lot(100 + n) for n in range(40)] + [lot(10_000_000_000)])
    assert figure.axes[0].get_ylim()[1] < 1000
    assert any("41 lots, 1 above" in text for text in texts(figure))


def test_an_order_book_by_quality_has_a_line_each() -> None:
    figure = plot.order_book([lot(100, qlt=1), lot(5000, qlt=5), lot(7000, qlt=9)], by="quality")
    axes = figure.axes[0]
    assert axes.get_yscale() == "log"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Quality 9", "Legendary", "Uncommon"]


# ── damage ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_damage_is_by_player_with_who_dealt_most_on_top() -> None:
    figure = plot.damage(session(low=1000.0, _high=3000.0), region="na")
    dealt, received = figure.axes
    assert [bar.get_width() for bar in dealt.patches] == [3000.0, 1000.0]
    assert [bar.get_width() for bar in received.patches] == [300.0, 100.0]
    written = texts(figure)
    assert [label.get_text() for label in dealt.get_yticklabels()] == ["_high", "low"]
    assert dealt.yaxis_inverted()
    assert {"3k  75%", "1k  25%", "Shock therapy · NA"} <= set(written)
    assert "Difficulty 7, 11 min 58 s  ·  19 Aug 2026 12:00 to 12:11 UTC" in written


def test_players_who_dealt_none_are_there_all_the_same() -> None:
    assert "0  0%" in texts(plot.damage(session(a=0.0)))


# ── what all have in common ───────────────────────────────────────────────────────────────────────────────────────────


def history_chart(**options: Any) -> Figure:
    return plot.price_history([sale(), sale(200, minutes=9)], **options)


def book_chart(**options: Any) -> Figure:
    return plot.order_book([lot(), lot(200)], **options)


def damage_chart(**options: Any) -> Figure:
    return plot.damage(session(a=1.0), **options)


CHARTS: list[Callable[..., Figure]] = [history_chart, book_chart, damage_chart]


@pytest.mark.parametrize("draw", CHARTS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chart_is_painted_in_its_theme_and_written(draw: Callable[..., Figure], theme: str, tmp_path: Path) -> None:
    png, svg = tmp_path / "chart.PNG", tmp_path / "chart.svg"
    figure = draw(theme=theme, path=str(png))
    draw(theme=theme, path=svg)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert svg.read_text().startswith("<?xml")
    paper = theme_named(theme).paper
    assert to_hex(figure.get_facecolor()) == paper
    assert all(to_hex(axes.get_facecolor()) == paper for axes in figure.axes)


@pytest.mark.parametrize("draw", CHARTS)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"theme": "pink"}, "theme must be 'light' or 'dark', not 'pink'"),
        ({"region": "mars"}, "region must be one of ru, eu, na, sea, nea, not 'mars'"),
        ({"path": "chart.gif"}, "path must be a file name that ends in .png or .svg, not 'chart.gif'"),
    ],
)
def test_a_wrong_argument_is_named(draw: Callable[..., Figure], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        draw(**options)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"time": datetime.max.replace(tzinfo=timezone(timedelta(hours=-23)))}, "time"),
        ({"time": datetime.min.replace(tzinfo=timezone(timedelta(hours=23)))}, "time"),
        ({"price": 10**400}, "price"),
        ({"amount": 10**400}, "amount"),
    ],
    ids=["after", "before", "price", "amount"],
)
def test_what_no_axis_reaches_is_named(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} of sales must be "):
        plot.price_history([sale(), msgspec.structs.replace(sale(), **changes)])


def test_a_buyout_that_no_axis_reaches_is_named() -> None:
    with pytest.raises(ValueError, match=r"^buyout_price of lots must be a number of 64 bits to be drawn, not 1.000e"):
        plot.order_book([lot(10**400)])


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="sales must not be empty"):
        plot.price_history(Listing(total=0, limit=20, model=AuctionPrice))
    with pytest.raises(ValueError, match="lots must not be empty"):
        plot.order_book([])
    with pytest.raises(ValueError, match="lots must contain at least one with a buyout"):
        plot.order_book([lot(0)])
    with pytest.raises(ValueError, match="session must have participants, but 1 has none"):
        plot.damage(session())
    with pytest.raises(ValueError, match="by must be 'auto', 'quality', 'level' or None, not 'colour'"):
        plot.price_history([sale()], by="colour")  # type: ignore[arg-type]  # it is the test
    with pytest.raises(TypeError, match="sales must contain only AuctionPrice, not AuctionLot"):
        plot.price_history([sale(), lot()])  # type: ignore[list-item]  # it is the test
    with pytest.raises(TypeError, match="session must be an OperationSession"):
        plot.damage([session(a=1.0)])  # type: ignore[arg-type]  # it is the test


def test_a_file_that_was_there_stays_when_a_chart_fails(tmp_path: Path) -> None:
    path = tmp_path / "chart.png"
    path.write_text("before")
    with pytest.raises(ValueError, match="must not be empty"):
        plot.price_history([], path=path)
    assert path.read_text() == "before"


@pytest.mark.parametrize("draw", CHARTS)
def test_a_notebook_shows_a_chart_in_the_theme_of_the_reader(draw: Callable[..., Any]) -> None:
    chart = draw()
    assert chart._repr_png_().startswith(b"\x89PNG")
    page = chart._repr_html_()
    assert page.count("data:image/png;base64,") == 2
    assert '<source media="(prefers-color-scheme: dark)"' in page
    # Shown twice, it is the same: to show a chart doesn't change it.
    assert chart._repr_html_() == page


def test_a_chart_with_a_theme_or_a_change_of_its_own_is_shown_as_it_is() -> None:
    sales = [sale(100 + n, minutes=n) for n in range(9)]
    assert "<source" not in plot.price_history(sales, theme="dark")._repr_html_()
    chart = plot.price_history(sales)
    chart.axes[0].axhline(104)
    assert "<source" not in chart._repr_html_()


def test_global_settings_and_pyplot_are_left_alone() -> None:
    before = dict(mpl.rcParams)
    for draw in CHARTS:
        draw(theme="dark").draw_without_rendering()
    assert dict(mpl.rcParams) == before
    assert not any(
        getattr(module, "Gcf", None) and module.Gcf.figs for module in [sys.modules.get("matplotlib._pylab_helpers")]
    )


@pytest.mark.parametrize("name", ["강철의 심장", "$x$ and $", "😀\u200d🔥", "x" * 300, "Ё\nЖ\tЩ", "_hidden", "ᚠ"])
def test_any_name_is_drawn_without_a_warning(name: str, tmp_path: Path) -> None:
    # Warnings are errors here.
    plot.price_history([sale()], item=name, path=tmp_path / "a.png")
    plot.damage(session(**{name: 1.0}), path=tmp_path / "b.svg")


def test_a_picture_is_written_to_the_home_folder_or_says_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    plot.price_history([sale()], path="~/sales.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["sales.svg"]
    with pytest.raises(TypeError, match="path must be a path"):
        plot.price_history([sale()], path=7)  # type: ignore[arg-type]  # callers without a type checker


def test_letters_without_a_font_become_boxes_and_others_stay() -> None:
    assert legible("Гравий №5 «x»") == "Гравий №5 «x»"
    assert legible("a\U0001f9ffb" if len(families()) == 1 else "a\U000fffffb") == "a□b"
    assert len(legible("x" * 300)) == 60


def test_a_players_name_turns_no_letter_of_a_picture() -> None:
    # Fonts have letters for some of these, and engines of letters obey them.
    assert legible("a\u202eb\u200f\x1b[2J\nc") == "ab[2J c"


def test_a_missing_matplotlib_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "matplotlib":
            raise ModuleNotFoundError(f"No module named {name!r}", name="matplotlib")
        return real(name, *rest)

    for name in [name for name in sys.modules if name.startswith("scapi.plot")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=re.escape('matplotlib is missing: pip install ".[plot]"')):
        import scapi.plot._damage  # noqa: F401  # what is imported is what fails


# ── headings ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def history_with_many_facts() -> Figure:
    return plot.price_history([sale(100 + n, minutes=5 + 7 * n) for n in range(200)], item="Gravi", region="eu")


def candles_with_many_facts() -> Figure:
    rows = [candle(day / 24, level=level) for level in range(9) for day in range(5)]
    return plot.candles(rows, "1h", item="Gravi", since=NOON + HOUR, until=NOON + DAY)


def heading(figure: Figure) -> tuple[Text, Text]:
    """The title and the subtitle of a chart."""
    axes = figure.axes[0]
    title = axes.get_title(loc="left")
    return next(text for text in axes.findobj(Text) if text.get_text() == title), max(
        axes.texts, key=lambda text: len(text.get_text())
    )


@pytest.mark.parametrize("draw", [history_with_many_facts, candles_with_many_facts, *CHARTS])
@pytest.mark.parametrize("inches", [9, 4])
def test_a_heading_lies_within_the_chart_and_the_axes_fill_the_width(draw: Callable[..., Figure], inches: int) -> None:
    figure = draw()
    figure.set_size_inches(inches, 5)
    title, subtitle = heading(figure)
    words = subtitle.get_text().replace("·", "").split()
    figure.draw_without_rendering()
    above, below = title.get_window_extent(), subtitle.get_window_extent()
    assert 0 < below.x0 < below.x1 < figure.bbox.x1
    assert figure.axes[0].bbox.y1 < below.y0 < below.y1 < above.y0 < above.y1 < figure.bbox.y1
    assert subtitle.get_text().replace("·", "").split() == words
    # Beside them is only the label of a group.
    assert figure.axes[-1].bbox.x1 > (0.9 if inches > 4 else 0.85) * figure.bbox.x1


def test_a_heading_follows_the_width_of_the_chart_and_words_of_your_own() -> None:
    figure = history_with_many_facts()
    title, subtitle = heading(figure)
    figure.set_size_inches(20, 5)
    figure.draw_without_rendering()
    wide = subtitle.get_text()
    assert wide.endswith("  ·  200 sales  ·  dotted: part of a period")
    figure.set_size_inches(4, 5)
    figure.draw_without_rendering()
    assert subtitle.get_text().splitlines() == [
        "Price per piece, median and 10–90 % every hour",
        "19 Aug 2026 12:05 to 20 Aug 11:18 UTC",
        "200 sales  ·  dotted: part of a period",
    ]
    figure.set_size_inches(20, 5)
    figure.draw_without_rendering()
    assert (subtitle.get_text(), title.get_fontweight()) == (wide, "bold")
    figure.axes[0].set_title("A word or two " * 20, loc="left")
    subtitle.set_text("first line\nsecond line")
    figure.draw_without_rendering()
    assert subtitle.get_text() == "first line\nsecond line"
    assert title.get_window_extent().x1 < figure.bbox.x1
    subtitle.remove()
    figure.axes[0].set_title("Another", loc="left")
    figure.draw_without_rendering()
    assert title.get_text() == "Another"


def test_a_chart_can_be_emptied() -> None:
    figure = history_with_many_facts()
    figure.axes[0].clear()
    figure.draw_without_rendering()
    figure.clear()
    figure.draw_without_rendering()


# ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────────

sales = st.lists(
    st.builds(sale, st.integers(0, 10**10), minutes=st.integers(-(10**6), 10**6), amount=st.integers(0, 100)),
    min_size=1,
)


@given(sales)
def test_every_sale_is_in_one_bucket_and_every_bucket_is_in_order(rows: list[AuctionPrice]) -> None:
    width = width_for(rows)
    found = buckets(rows, width)
    assert sum(bucket.pieces for bucket in found) == sum(row.amount for row in rows)
    assert all(a.start + width <= b.start for a, b in pairwise(found))
    for bucket in found:
        inside = [row.unit_price for row in rows if bucket.start <= row.time < bucket.start + width]
        steps = [min(inside), bucket.low, bucket.median, bucket.high, max(inside)]
        assert all(low <= high * (1 + 1e-12) for low, high in pairwise(steps))


@pytest.mark.parametrize(
    ("count", "apart", "width"),
    [(1, 1, MINUTE), (100, 9, HOUR), (4000, 6.5, 12 * HOUR), (100_000, 500, 364 * DAY), (1000, 1440, 28 * DAY)],
)
def test_the_width_follows_from_number_and_span(count: int, apart: float, width: timedelta) -> None:
    assert width_for([sale(minutes=n * apart) for n in range(count)]) == width


def test_the_tenths_are_those_of_the_sales() -> None:
    [bucket] = buckets([sale(price) for price in range(11)], HOUR)
    assert (bucket.low, bucket.median, bucket.high) == (1, 5, 9)


def test_weeks_begin_on_mondays() -> None:
    [bucket] = buckets([sale()], 7 * DAY)
    assert bucket.start == datetime(2026, 8, 17, tzinfo=UTC)


def test_groups_are_in_order_with_those_without_first() -> None:
    rows = [sale(qlt=5), sale(), sale(qlt=0)]
    assert list(grouped(rows, "quality")) == [None, Quality.COMMON, Quality.LEGENDARY]
    assert list(grouped(rows, None)) == [None]
    assert list(grouped([sale(ptn=-3), sale(ptn=99)], "level")) == [0, 15]


def test_a_book_counts_pieces_and_a_ceiling_leaves_out_the_absurd() -> None:
    assert book([lot(100, amount=0), lot(500, amount=5), lot(50)]) == ([50.0, 100.0], [0, 1, 6])
    assert ceiling([1.0]) == 1.0
    assert ceiling([1.0, 2.0, 3.0]) == 3.0
    assert ceiling([1.0] * 20 + [100.0]) == 10.0


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (0.5, "0.5"),
        (950, "950"),
        (999.9, "1k"),
        (12_500, "12.5k"),
        (999_999, "1M"),
        (1e10, "10B"),
        (-5e6, "-5M"),
    ],
)
def test_numbers_are_short(number: float, text: str) -> None:
    assert compact(number) == text


def test_spans_say_nothing_twice() -> None:
    assert span(NOON, NOON + HOUR) == "19 Aug 2026 12:00 to 13:00 UTC"
    assert span(NOON, NOON + DAY) == "19 Aug 2026 12:00 to 20 Aug 12:00 UTC"
    assert span(NOON, NOON + 30 * DAY) == "19 Aug to 18 Sep 2026"
    assert span(NOON, NOON + 300 * DAY) == "19 Aug 2026 to 15 Jun 2027"


def test_lengths_are_in_words() -> None:
    assert [length(stretch) for stretch in (MINUTE, 15 * MINUTE, HOUR, 12 * HOUR, DAY, 28 * DAY)] == [
        "minute", "15 minutes", "hour", "12 hours", "day", "28 days",
    ]  # fmt: skip
