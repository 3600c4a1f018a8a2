"""Tables that fit the width of the terminal without cutting a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from scapi.cli.formatting import NOTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

__all__ = ["FittedTable", "HangingText", "figure", "fixed", "table"]


def table(*columns: Column | str) -> Table:
    """Make an empty table in the style of all tables."""
    return Table(
        *columns, box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False, padding=(0, 1, 0, 0)
    )


class FittedTable:
    """A table that leaves out columns if it is too wide, and says which. Numbers are never cut.

    Args:
        columns: All columns.
        rows: The cells of each row.
        spare: The headings of columns that may be left out, in this order.
        drop_empty: Whether to leave out columns that are empty in every row.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Sequence[Sequence[str | Text]],
        spare: Sequence[str],
        *,
        drop_empty: bool = False,
    ) -> None:
        kept: Sequence[int] = range(len(columns))
        if drop_empty and rows:
            kept = [n for n in kept if any(str(row[n]) != NOTHING for row in rows)]
        self._columns = {str(columns[n].header): columns[n] for n in kept}
        self._rows = [dict(zip(self._columns, (row[n] for n in kept), strict=True)) for row in rows]
        self._spare = [heading for heading in spare if heading in self._columns]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the table in the available width."""
        gone = 0
        while (wide := self._width(console, options, gone)) > options.max_width and gone < len(self._spare):
            gone += 1
        yield from console.render(self._table(gone), options.update(max_width=max(wide, options.max_width)))
        if gone:
            yield Text(f"Not shown, for lack of width: {', '.join(self._spare[:gone])}", style="dim")

    def _width(self, console: Console, options: ConsoleOptions, gone: int) -> int:
        return Measurement.get(console, options.update(max_width=9999), self._table(gone)).minimum

    def _table(self, gone: int) -> Table:
        headings = [heading for heading in self._columns if heading not in self._spare[:gone]]
        result = table(*(self._columns[heading].copy() for heading in headings))
        for column, heading in zip(result.columns, headings, strict=True):
            if column.overflow == "fold":
                # Otherwise rich breaks numbers at their no-break spaces.
                column.min_width = max(cell_len(str(text)) for text in (heading, *(row[heading] for row in self._rows)))
        for row in self._rows:
            result.add_row(*(row[heading] for heading in headings))
        return result


class HangingText:
    """A text with details, which go on an indented line of their own if they don't fit behind it.

    Args:
        head: The text.
        details: The details.
    """

    def __init__(self, head: Text, details: Text) -> None:
        self._head = head
        self._details = details

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the text in the available width."""
        line = Text("  ").join([self._head, self._details])
        if cell_len(line.plain) <= options.max_width:
            yield line
        else:
            yield self._head
            yield Padding(self._details, (0, 0, 0, 2))


def figure(heading: str) -> Column:
    """Make a column of numbers, which are never cut."""
    return Column(heading, justify="right", no_wrap=True, overflow="fold")


def fixed(heading: str) -> Column:
    """Make a column of text that is never cut."""
    return Column(heading, no_wrap=True, overflow="fold")
