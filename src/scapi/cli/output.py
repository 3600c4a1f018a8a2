"""From an answer to what a person, a pipe or a file gets of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, Literal, TypeAlias, TypeVar, cast

import click
import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from scapi._base import escaping
from scapi.cli import exports, terminal
from scapi.cli.formatting import number
from scapi.models import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from rich.console import RenderableType

__all__ = ["Answer", "Form", "deliver", "fewer", "listing", "now", "single", "walk"]

Form: TypeAlias = Literal["table", "json", "csv"]
T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[T]):
    """What a command found out.

    Attributes:
        model: What the rows are.
        rows: The rows; they may still be fetched while they are read.
        view: The rows as a person sees them, at a time that is now.
        kind: What the rows are called, many of them.
        keep: Which of them are wanted; `None` for all.
        single: Whether it is one thing and not a list, so that its JSON is one object.
        total: How many rows are to come, where they take long and it is known.
        long: Whether the rows take so long that progress is shown.
        note: What is to be said of the rows; by default how many there are.
        live: Whether the rows never end, so that each is shown when it comes.
    """

    model: type[T]
    rows: Iterable[T]
    view: Callable[[Sequence[T], datetime], RenderableType]
    kind: str = "rows"
    keep: Callable[[T], bool] | None = None
    single: bool = False
    total: int | None = None
    long: bool = False
    note: str | None = None
    live: bool = False


class _Rows(Generic[T]):
    """The wanted rows of an answer, counted while they pass."""

    def __init__(self, answer: Answer[T], *, bar: bool) -> None:
        self.seen = self.kept = 0
        self._answer = answer
        self._bar = bar

    def __iter__(self) -> Iterator[T]:
        keep = self._answer.keep
        for row in self._counted():
            if keep is None or keep(row):
                self.kept += 1
                yield row

    def _counted(self) -> Iterator[T]:
        columns = (TextColumn(self._answer.kind), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=terminal.stderr(), disable=not self._bar, transient=True) as progress:
            bar = progress.add_task("", total=self._answer.total)
            for row in self._answer.rows:
                self.seen += 1
                progress.advance(bar)
                yield row

    def note(self) -> str:
        """How many rows there were."""
        note = f"{number(self.seen)} {self._answer.kind}" if self._answer.note is None else self._answer.note
        return note if self._answer.keep is None else f"{number(self.kept)} that fit among {note}"


def listing(
    page: Sequence[T],
    model: type[T],
    view: Callable[[Sequence[T], datetime], RenderableType],
    kind: str,
) -> Answer[T]:
    """The answer that is a page, with a note on how much of all there is it holds.

    Args:
        page: The rows; a `Listing` where there may be more of them.
        model: What the rows are.
        view: The table of them.
        kind: What they are called.
    """
    note = None
    if isinstance(page, Listing):
        end = page.offset + len(page) + len(page.rejected)
        more = f", the next with --offset {end}, all with --all" if page.has_more else ""
        note = f"{number(len(page))} of {number(page.total)} {kind}{more}"
    return Answer(model=model, rows=page, view=view, kind=kind, note=note)


def walk(
    rows: Iterable[T],
    model: type[T],
    view: Callable[[Sequence[T], datetime], RenderableType],
    kind: str,
    total: int | None,
) -> Answer[T]:
    """The answer that is every page there is, fetched while it is read.

    Args:
        rows: The rows.
        model: What the rows are.
        view: The table of them.
        kind: What they are called.
        total: How many there will be, or `None` where nobody knows.
    """
    return Answer(model=model, rows=rows, view=view, kind=kind, total=total, long=True)


def fewer(total: int, limit: int | None) -> int:
    """How many rows come of so many, where no more than `limit` are wanted."""
    return total if limit is None else min(total, limit)


def single(row: T, view: Callable[[T, datetime], RenderableType]) -> Answer[T]:
    """The answer that is one thing."""
    return Answer(
        model=type(row), rows=[row], view=lambda rows, now: view(rows[0], now), kind="record", single=True, note=""
    )


def now() -> datetime:
    """What time it is."""
    return datetime.now(UTC)


def deliver(answer: Answer[Any], form: Form, out: Path | None, *, spreadsheet: bool | None = None) -> None:
    """Print an answer in a form, or write it to a file, whose name then says the form.

    Args:
        answer: The answer.
        form: How it is printed.
        out: The file.
        spreadsheet: Whether CSV is made for a spreadsheet. By default a file is, and what is printed is not.
    """
    if answer.live:
        _follow(answer, form, out)
        return
    console = terminal.stderr()
    # Rows that are printed while they arrive would be drawn over by a bar.
    printing = out is None and form != "table" and sys.stdout.isatty()
    rows = _Rows(answer, bar=answer.long and console.is_terminal and not printing)
    said = ""
    if out is not None:
        with exports.whole_file(out) as file:
            exact = out.suffix == ".csv" and spreadsheet is False
            write = exports.write_csv if exact else exports.WRITERS[out.suffix]
            write(file, rows, answer.model)
        said = f"{number(rows.kept)} {answer.kind} in {out}"
    elif form == "table":
        terminal.stdout().print(answer.view(list(rows), now()))
        said = rows.note()
    else:
        _print(rows, answer, form, spreadsheet=bool(spreadsheet))
    if said:
        console.print(escaping.terminal(said), style="dim", soft_wrap=True)


def _follow(answer: Answer[Any], form: Form, out: Path | None) -> None:
    """Show each row when it comes: a line of words, or of JSON."""
    if out is not None or form == "csv":
        raise click.UsageError("what never ends is printed: as it is, or with --json as a line each")
    for row in answer.rows:
        if form == "json":
            exports.write_jsonl(_stdout(), [row], answer.model)
        else:
            terminal.stdout().print(answer.view([row], now()))
        sys.stdout.flush()


def _stdout() -> BinaryIO:
    # Bytes, so that what is piped is UTF-8 on every system, and exact. A terminal would obey some of them.
    return cast("BinaryIO", exports.Screen(sys.stdout.buffer)) if sys.stdout.isatty() else sys.stdout.buffer


def _print(rows: Iterable[T], answer: Answer[T], form: Form, *, spreadsheet: bool) -> None:
    stdout = _stdout()
    write = exports.write_one if answer.single else exports.write_json
    if form == "csv":
        write = exports.write_spreadsheet if spreadsheet else exports.write_csv
    try:
        write(stdout, rows, answer.model)
        stdout.flush()
    except BrokenPipeError:
        raise terminal.PipeClosedError from None
