"""Write rows as CSV, JSON lines and Parquet. A file is complete or doesn't exist."""

from __future__ import annotations

import csv
import io
import os
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import msgspec

from scapi._base import atomic, escaping, formatting
from scapi._base.extras import extra
from scapi._views import builders
from scapi._views.filled_columns import Table
from scapi._views.values import as_object
from scapi.exceptions import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from scapi._views.columns import Kind

    Writer = Callable[[BinaryIO, Iterable[msgspec.Struct], type[msgspec.Struct]], None]

__all__ = [
    "WRITERS",
    "HomePath",
    "Screen",
    "atomic",
    "check",
    "require_pyarrow",
    "write_csv",
    "write_json",
    "write_jsonl",
    "write_one",
    "write_parquet",
    "write_spreadsheet",
]

OTHERS = "Parquet can't store it, but .csv and .jsonl can"

#: Rows per group of a Parquet file: enough to compress well, few enough to hold in memory.
GROUP = 10_000


class HomePath(click.Path):
    """A path in which a leading `~` is the home folder. Shells don't expand it after a `=`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert the argument to a path."""
        return super().convert(os.path.expanduser(value), param, ctx)  # noqa: PTH111  # see `validation.path`


def check(context: click.Context, path: Path) -> None:
    """Raise an `OSError` before anything is sent if the file can't be written."""
    if not context.resilient_parsing:  # otherwise this is shell completion
        atomic.check(path)


@contextmanager
def whole_file(path: Path) -> Generator[BinaryIO]:
    """Open a file that gets its name when it is complete. If the block fails, an existing file stays as it was."""
    draft = atomic.Draft(atomic.place(path))
    try:
        yield draft.file
        draft.publish()
    finally:
        draft.discard()


class Screen(io.RawIOBase):
    """A terminal as a text file. It shows control sequences instead of executing them."""

    def __init__(self, terminal: BinaryIO) -> None:
        self._terminal = terminal

    def writable(self) -> bool:
        """Return `True`."""
        return True

    def write(self, text: Any, /) -> int:
        """Show whole characters in UTF-8."""
        self._terminal.write(escaping.screen(bytes(text).decode()).encode())
        return len(text)

    def flush(self) -> None:
        """Flush the terminal."""
        self._terminal.flush()


def write_csv(file: BinaryIO, rows: Iterable[msgspec.Struct], model: type[msgspec.Struct]) -> None:
    """Write CSV with a header and the columns of frames. Lists and objects are JSON."""
    _write_csv(file, rows, model, exact)


def write_spreadsheet(file: BinaryIO, rows: Iterable[msgspec.Struct], model: type[msgspec.Struct]) -> None:
    """Write CSV. Text that a spreadsheet would read as a formula gets an apostrophe in front."""
    _write_csv(file, rows, model, escaping.cell)


def exact(text: str) -> str:
    """Return the text as it is."""
    return text


def _write_csv(
    file: BinaryIO, rows: Iterable[msgspec.Struct], model: type[msgspec.Struct], spell: Callable[[str], str]
) -> None:
    table = Table(model, bounded=False)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(column.name for column in table.fill([]))
        for row in rows:
            cells = (_cell(column.kind, column.values[0]) for column in table.fill([row]))
            lines.writerow(spell(cell) if isinstance(cell, str) else cell for cell in cells)
    finally:
        # Otherwise the wrapper would close the caller's file when it is garbage-collected.
        text.detach()


def _cell(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    if kind == "time":
        return formatting.moment(value, "T", "auto", "Z")
    return msgspec.json.encode(value).decode() if kind in {"json", "strings", "bool"} else value


def write_json(file: BinaryIO, rows: Iterable[msgspec.Struct], model: type[msgspec.Struct]) -> None:
    """Write an array of objects, one per line, row by row."""
    encoder = msgspec.json.Encoder()
    before = b"["
    for row in rows:
        file.write(before + b"\n  " + encoder.encode(as_object(row)))
        before = b","
    file.write(b"[]\n" if before == b"[" else b"\n]\n")


def write_one(file: BinaryIO, rows: Iterable[msgspec.Struct], model: type[msgspec.Struct]) -> None:
    """Write the first row as an object."""
    file.write(msgspec.json.format(msgspec.json.encode(as_object(next(iter(rows))))) + b"\n")


def write_jsonl(file: BinaryIO, rows: Iterable[msgspec.Struct], model: type[msgspec.Struct]) -> None:
    """Write an object per line."""
    encoder = msgspec.json.Encoder()
    file.writelines(encoder.encode(as_object(row)) + b"\n" for row in rows)


def write_parquet(file: BinaryIO, rows: Iterable[msgspec.Struct], model: type[msgspec.Struct]) -> None:
    """Write a Parquet file with the columns of frames. The schema doesn't depend on the rows."""
    require_pyarrow()
    parquet: Any = import_module("pyarrow.parquet")
    library, table = builders.arrow(), Table(model)
    remaining = iter(rows)
    group: list[Any] = []
    schema = library.make([library.pack(column) for column in table.fill(group)]).schema
    with parquet.ParquetWriter(file, schema) as written:
        while group := list(islice(remaining, GROUP)):
            try:
                columns = table.fill(group)
            except ValueError as error:
                raise DecodeError(f"{error}: {OTHERS}") from None
            written.write_table(library.make([library.pack(column) for column in columns]))


def require_pyarrow() -> Any:
    """Return the module `pyarrow`, or raise an `ImportError` with the command that installs it."""
    with extra("arrow", "Parquet"):
        return import_module("pyarrow")


#: The writer for each file suffix.
WRITERS: dict[str, Writer] = {".csv": write_spreadsheet, ".jsonl": write_jsonl, ".parquet": write_parquet}
