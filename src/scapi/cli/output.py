"""Print the answer of a command, or write it to a file."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, Literal, TypeAlias, TypeVar, cast

import click
import msgspec
from rich.progress import BarColumn, Progress, TextColumn

from scapi._base import escaping
from scapi.cli import exports, terminal
from scapi.cli.formatting import counted, number
from scapi.cli.progress import CountColumn, RemainingColumn
from scapi.models import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from rich.console import RenderableType

    from scapi.models import RateLimit

__all__ = ["Answer", "Form", "capped", "deliver", "listing", "now", "single", "walk"]

Form: TypeAlias = Literal["table", "json", "csv"]
T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[T]):
    """The result of a command.

    Attributes:
        model: The model of the rows.
        rows: The rows; they may be fetched while they are read.
        view: Renders the rows for a person, given the present time.
        kind: The plural name of the rows.
        keep: Selects the rows to show; `None` for all.
        selected: Describes a number of selected rows, such as `8 rare sales`.
        leading: What the first rows are called if only these were read.
        single: Whether the answer is one record, so that its JSON is one object.
        total: The number of rows to come, if it is known.
        long: Whether to show progress.
        skip: The number of selected rows to skip at the beginning.
        most: The most selected rows to show; `None` for all.
        note: The line below the rows; by default their number.
        live: Whether the rows never end, so that each is shown as soon as it comes.
        picture: The picture that is drawn of the rows. It stands in place of their table.
    """

    model: type[T]
    rows: Iterable[T]
    view: Callable[[Sequence[T], datetime], RenderableType]
    kind: str = "rows"
    keep: Callable[[T], bool] | None = None
    selected: Callable[[int], str] | None = None
    leading: Literal["first", "newest"] = "first"
    single: bool = False
    total: int | None = None
    long: bool = False
    skip: int = 0
    most: int | None = None
    note: str | None = None
    live: bool = False
    picture: Path | None = None


class _Rows(Generic[T]):
    """The selected rows of an answer. Iterating counts them."""

    def __init__(self, answer: Answer[T], remaining: RemainingColumn, *, bar: bool) -> None:
        self.seen = self.kept = 0
        self.ended = False
        self._answer = answer
        self._remaining = remaining
        self._bar = bar

    def __iter__(self) -> Iterator[T]:
        keep, skip, most = self._answer.keep, self._answer.skip, self._answer.most
        selected = (row for row in self._counted() if keep is None or keep(row))
        for row in islice(selected, skip, None if most is None else skip + most):
            self.kept += 1
            yield row

    def _counted(self) -> Iterator[T]:
        columns = (
            TextColumn(self._answer.kind),
            BarColumn(),
            CountColumn(),
            self._remaining,
        )
        with Progress(*columns, console=terminal.stderr(), disable=not self._bar, transient=True) as progress:
            bar = progress.add_task("", total=self._answer.total)
            for row in self._answer.rows:
                self.seen += 1
                progress.advance(bar)
                yield row
        self.ended = True

    def note(self) -> str:
        """Return the line below the rows."""
        if self._answer.selected is not None:
            among = "all" if self.ended else f"the {self._answer.leading}"
            return f"{self._answer.selected(self.kept)}, found among {among} {number(self.seen)}"
        return counted(self.seen, self._answer.kind) if self._answer.note is None else self._answer.note


def listing(
    page: Sequence[T],
    model: type[T],
    view: Callable[[Sequence[T], datetime], RenderableType],
    kind: str,
) -> Answer[T]:
    """Make an answer of a page, with a note about its place in the whole list.

    Args:
        page: The rows; a `Listing` if there may be more of them.
        model: The model of the rows.
        view: Renders the rows.
        kind: The plural name of the rows.
    """
    note = None
    if isinstance(page, Listing):
        end = page.offset + len(page) + len(page.rejected)
        more = f", the next with --offset {end}, all with --all" if page.has_more else ""
        note = f"{number(len(page))} of {counted(page.total, kind)}{more}"
    return Answer(model=model, rows=page, view=view, kind=kind, note=note)


def walk(
    rows: Iterable[T],
    model: type[T],
    view: Callable[[Sequence[T], datetime], RenderableType],
    kind: str,
    total: int | None,
) -> Answer[T]:
    """Make an answer of all pages, which are fetched while it is read.

    Args:
        rows: The rows.
        model: The model of the rows.
        view: Renders the rows.
        kind: The plural name of the rows.
        total: The number of rows to come, or `None` if it is unknown.
    """
    return Answer(model=model, rows=rows, view=view, kind=kind, total=total, long=True)


def capped(total: int, limit: int | None) -> int:
    """Return the number of rows left after `limit`."""
    return total if limit is None else min(total, limit)


def single(row: T, view: Callable[[T, datetime], RenderableType]) -> Answer[T]:
    """Make an answer of one record."""
    return Answer(
        model=type(row), rows=[row], view=lambda rows, now: view(rows[0], now), kind="record", single=True, note=""
    )


def now() -> datetime:
    """Return the present time, as the function tells it that `run` was given."""
    present: Callable[[], datetime] = click.get_current_context().obj
    return present()


def deliver(
    answer: Answer[Any],
    form: Form,
    out: Path | None,
    *,
    spreadsheet: bool | None = None,
    ratelimit: Callable[[], RateLimit] | None = None,
) -> None:
    """Print an answer in a form, or write it to a file, whose suffix decides the form.

    Args:
        answer: The answer.
        form: The form to print.
        out: The file.
        spreadsheet: Whether CSV is made safe for a spreadsheet. By default files are, and printed CSV is not.
        ratelimit: Returns the points that are left, for an estimate of how long the rows take.
    """
    if answer.live:
        _follow(answer, form, out)
        return
    console = terminal.stderr()
    # A progress bar would draw over rows that are printed while they arrive.
    printing = out is None and form != "table" and sys.stdout.isatty()
    rows = _Rows(answer, RemainingColumn(ratelimit), bar=answer.long and console.is_terminal and not printing)
    said = ""
    if out is not None:
        with exports.whole_file(out) as file:
            exact = out.suffix == ".csv" and spreadsheet is False
            write = exports.write_csv if exact else exports.WRITERS[out.suffix]
            write(file, rows, answer.model)
        said = f"{counted(rows.kept, answer.kind)} in {out}"
    elif form == "table" and answer.picture is not None:
        for _ in rows:
            pass  # the picture is drawn after the last one
        said = f"drawn in {answer.picture}: {rows.note()}"
    elif form == "table":
        # Not cropped: a number that doesn't fit continues in the next line.
        terminal.stdout().print(answer.view(list(rows), now()), crop=False)
        said = rows.note()
    else:
        _print(rows, answer, form, spreadsheet=bool(spreadsheet))
    if said:
        console.print(escaping.terminal(said), style="dim", soft_wrap=True)


def _follow(answer: Answer[Any], form: Form, out: Path | None) -> None:
    """Print each row as soon as it comes, as text or as a line of JSON."""
    if out is not None or form == "csv":
        raise click.UsageError(
            "--watch never ends, so it prints each event: as text, or with --json as one line of JSON"
        )
    for row in islice(answer.rows, answer.most):
        if form == "json":
            exports.write_jsonl(_stdout(), [row], answer.model)
        else:
            terminal.stdout().print(answer.view([row], now()))
        sys.stdout.flush()


def _stdout() -> BinaryIO:
    # Bytes, so that piped output is exact UTF-8 on every system. A terminal would execute control characters.
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
