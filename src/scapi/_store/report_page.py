"""A report on the market as a page: one file without scripts, which fetches nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scapi._base import formatting
from scapi._base.escaping import page as escape
from scapi._store.report_style import style
from scapi._store.rows import ItemHealth
from scapi._views import svg
from scapi._views.charts import MONDAY, compact, length, span, unfinished
from scapi.enums import Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from scapi._store.report import BusyItem, Mover, Report
    from scapi._store.rows import Deal, Run, Stats

#: How many items the table of the collector's health shows.
HEALTH = 40

#: The page must fetch nothing, whatever text it contains.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class Names:
    """How items are called on a page.

    Args:
        names: The names of items by their ids.
        graded: The ids of items that have qualities or levels.
    """

    def __init__(self, names: Mapping[str, str], graded: set[str]) -> None:
        self._names = names
        self._graded = graded

    def item(self, item: str) -> str:
        """Return the name of an item, or its id, escaped."""
        return escape(self._names.get(item, item))

    def cell(self, row: Deal | ItemHealth | Stats, facts: Iterable[str], error: str | None = None) -> str:
        """Return a cell with the item, and below it its quality, level and region, more facts, and an error."""
        known = [escape(row.region.upper()), *map(escape, facts)]
        if row.item in self._graded and not isinstance(row, ItemHealth):
            level = f" +{row.level}" if row.level else ""
            known.insert(0, f'<i class="{_quality(row.quality)}"></i>{_name(row.quality)}{level}')
        wrong = f'<small class="fallen">{escape(error)}</small>' if error else ""
        return f"<td>{self.item(row.item)} <small>{' · '.join(known)}</small>{wrong}</td>"


def render(report: Report, names: Mapping[str, str]) -> str:
    """Return the page.

    Args:
        report: What it says.
        names: The names of items by their ids. Other items are called by their ids.
    """
    known = Names(names, _graded(report))
    period = span(report.since, report.until)
    sections = (
        f"<header><h1>The market</h1><p>{escape(period)} · made {_minute(report.until)} UTC</p></header>",
        _totals(report),
        _section("Busiest items", _charts_note(report), _busiest(report, known)),
        _section("Movers", _movers_note(report), _movers(report, known)),
        _section(
            "Deals",
            "Lots that cost at most 80 % of what their kind sells for, after a fee of 5 %.",
            _deals(report.deals, known),
        ),
        _section("The collector", "All times are UTC.", _health(report, known)),
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<title>The market, {escape(period)}</title><style>{style()}</style></head>"
        f"<body><main>{''.join(sections)}</main></body></html>\n"
    )


def _graded(report: Report) -> set[str]:
    rows = [mover.now for mover in (*report.risen, *report.fallen)]
    rows += [row for busy in report.busiest for row in busy.qualities]
    found = {row.item for row in rows if row.quality or row.level}
    return found | {deal.item for deal in report.deals if deal.quality or deal.level}


def _section(title: str, note: str, content: str) -> str:
    return f"<section><h2>{title}</h2><p>{escape(note)}</p>{content}</section>"


def _totals(report: Report) -> str:
    sales, turnover = sum(row.count for row in report.totals), sum(row.turnover for row in report.totals)
    failing = sum(row.failures > 0 for row in report.health)
    facts = {
        "sales": compact(sales),
        "turnover": compact(turnover),
        "items": formatting.integer(len({row.item for row in report.totals})),
        "lots on offer": compact(sum(row.lots for row in report.health)),
        "gaps": formatting.integer(sum(row.gaps for row in report.health)),
        "failing items": formatting.integer(failing),
    }
    return f"<dl>{''.join(f'<div><dt>{name}</dt><dd>{value}</dd></div>' for name, value in facts.items())}</dl>"


# ── charts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _charts_note(report: Report) -> str:
    every = length(report.width)
    return f"Lines: the average price per piece of every {every}. Bars: the pieces sold. Dotted and pale: unfinished."


def _busiest(report: Report, names: Names) -> str:
    cards = "".join(_card(busy, report, names) for busy in report.busiest)
    return f'<div class="cards">{cards}</div>' if cards else _nothing("There are no sales.")


def _card(busy: BusyItem, report: Report, names: Names) -> str:
    """Return the charts of an item. All items have the same axis of time, so that they can be compared."""
    first = MONDAY + (report.since - MONDAY) // report.width * report.width
    places = (report.until - first) // report.width + 1
    parts = unfinished((row.time for row in busy.candles), report.width, busy.since, busy.until)
    lines: dict[int, list[svg.Point]] = {}
    pieces: dict[datetime, float] = {}
    for row in busy.candles:
        point = svg.Point((row.time - first) // report.width, row.vwap, row.time in parts)
        lines.setdefault(row.quality or 0, []).append(point)
        pieces[row.time] = pieces.get(row.time, 0) + row.pieces
    volume = [svg.Point((time - first) // report.width, value, time in parts) for time, value in pieces.items()]
    total, prices = busy.total, [row.vwap for row in busy.candles if row.time not in parts]
    prices = prices or [row.vwap for row in busy.candles]
    series = [(_quality(key) if len(lines) > 1 else "only", line) for key, line in lines.items()]
    return (
        f"<article><h3>{names.item(total.item)} <small>{escape(total.region.upper())}</small></h3>"
        f"<p>{formatting.integer(total.count)} sales · {compact(total.pieces)} pieces"
        f" · turnover {compact(total.turnover)}</p>"
        f'<div class="chart"><span>{compact(max(prices))}</span><span>{compact(min(prices))}</span>'
        f"{svg.lines(series, places, 'Prices')}</div>"
        f'<div class="volume"><span>{compact(max(pieces.values()))}</span>'
        f"{svg.bars(volume, places, 'Pieces sold')}</div>"
        f'<div class="dates"><span>{_date(first)}</span><span>{_date(report.until)}</span></div>'
        f"{_legend(busy)}</article>"
    )


def _legend(busy: BusyItem) -> str:
    """Return the usual price of each quality, the highest quality first."""
    several = len(busy.qualities) > 1
    entries = (
        f'<li><i class="{_quality(row.quality) if several else "only"}"></i>'
        f"{_name(row.quality) if several else 'median'}"
        f" <b>{compact(row.median)}</b></li>"
        for row in reversed(busy.qualities)
    )
    return f"<ul>{''.join(entries)}</ul>"


# ── tables ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _movers_note(report: Report) -> str:
    window = length(report.window)
    return f"The median of the last {window} against that of the {window} before, if both have five sales or more."


def _movers(report: Report, names: Names) -> str:
    rows = [_mover(mover, names) for mover in (*report.risen, *reversed(report.fallen))]
    return (
        _table(("Item", "Before", "Now", "Change"), rows)
        if rows
        else _nothing("No price moved by 1 % or more, or too little was sold.")
    )


def _mover(mover: Mover, names: Names) -> str:
    row = mover.now
    kind = "risen" if mover.change > 0 else "fallen"
    return (
        f"{names.cell(row, [f'{formatting.integer(row.count)} sales'])}"
        f"<td>{compact(mover.before.median)}</td><td>{compact(row.median)}</td>"
        f'<td class="{kind}">{_percent(mover.change)}</td>'
    )


def _deals(deals: Sequence[Deal], names: Names) -> str:
    rows = [
        f"{names.cell(deal, _ending(deal))}"
        f"<td>{compact(deal.unit_price)}</td><td>{compact(deal.median)}</td>"
        f"<td>{1 - deal.unit_price / deal.median:.0%}</td><td>{compact(deal.profit)}</td>"
        for deal in deals
    ]
    return _table(("Item", "Per piece", "Usual", "Below", "Profit"), rows) if rows else _nothing("There are none.")


def _ending(deal: Deal) -> list[str]:
    return [f"{deal.amount:,} pieces"] * (deal.amount > 1) + ([f"until {_day(deal.end_time)}"] if deal.end_time else [])


def _health(report: Report, names: Names) -> str:
    worst = sorted(report.health, key=lambda row: (-row.failures, -row.gaps, _looked(row) or MONDAY))
    rows = [_state(row, report.until, names) for row in worst[:HEALTH]]
    more = len(worst) - len(rows)
    others = f"<p>And {formatting.integer(more)} more, with at most as many failures and gaps.</p>" if more else ""
    table = (
        _table(("Item", "Looked at", "Gaps", "Lots", "Failures"), rows) if rows else _nothing("Nothing was collected.")
    )
    return f"{table}{others}{_runs(report.runs)}"


def _state(row: ItemHealth, now: datetime, names: Names) -> str:
    whole = [] if row.newest is None else [f"complete to {_day(row.newest)}"]
    cell = names.cell(row, whole, row.error if row.failures else row.aside)
    at = _looked(row)
    looked = "never" if at is None else f"{_ago(at, now)} ago"
    return f"{cell}<td>{looked}</td><td>{row.gaps}</td><td>{compact(row.lots)}</td><td>{row.failures}</td>"


def _looked(row: ItemHealth) -> datetime | None:
    """Return when an item, an emission or a clan was last fetched."""
    return row.sales_at or row.lots_at or row.looked_at


def _runs(runs: Iterable[Run]) -> str:
    entries = (
        f"<li>{_minute(run.began)} to {_minute(run.ended or run.seen_at)}{'' if run.ended else ', running or killed'}: "
        f"{formatting.integer(run.rows)} rows, {formatting.integer(run.failures)} failures</li>"
        for run in runs
    )
    listed = "".join(entries)
    return f"<h3>Last runs</h3><ul>{listed}</ul>" if listed else ""


def _table(heads: Sequence[str], rows: Iterable[str]) -> str:
    head = "".join(f'<th scope="col">{head}</th>' for head in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table>"


def _nothing(text: str) -> str:
    return f'<p class="nothing">{text}</p>'


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _quality(quality: int | None) -> str:
    return f"q{0 if quality is None else int(quality)}"


def _name(quality: int | None) -> str:
    return escape(Quality(0 if quality is None else quality).name.replace("_", " ").capitalize())


def _minute(time: datetime) -> str:
    return formatting.moment(time, timespec="minutes")


def _percent(share: float) -> str:
    return f"{share:+.0%}".replace("-", "\N{MINUS SIGN}")


def _date(time: datetime) -> str:
    return f"{time.day} {time:%b}"


def _day(time: datetime) -> str:
    return f"{_date(time)} {time:%H:%M}"


def _ago(time: datetime, now: datetime) -> str:
    seconds = max((now - time).total_seconds(), 0)
    size, unit = next(
        ((size, unit) for size, unit in ((86_400, "d"), (3_600, "h")) if seconds >= 2 * size), (60, "min")
    )
    return f"{seconds / size:.0f} {unit}"
