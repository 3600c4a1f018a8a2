"""Rows as files: CSV, JSON lines and Parquet, there in whole or not at all."""

from __future__ import annotations

import csv
import io
import os
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import msgspec

from scapi._base import atomic, escaping, formatting
from scapi._base.extras import install
from scapi.cli.records import Record, columns, flat, record
from scapi.exceptions import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

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

OTHERS = ".csv and .jsonl hold it"

#: Rows per group of a Parquet file: enough to compress well, few enough to hold.
GROUP = 10_000


class HomePath(click.Path):
    """A path whose `~` in front is the home folder, also behind a `=`, where a shell leaves it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Make a path of what was entered."""
        return super().convert(os.path.expanduser(value), param, ctx)  # noqa: PTH111  # see `arguments.path`


def check(context: click.Context, path: Path) -> None:
    """Raise an `OSError` before anything is sent if no file can be written there at the end."""
    if not context.resilient_parsing:  # the shell only asks how a line may go on
        atomic.check(path)


@contextmanager
def whole_file(path: Path) -> Generator[BinaryIO]:
    """A file that takes its name when it is whole. Whatever ends the block early leaves what was there before."""
    draft = atomic.Draft(atomic.place(path))
    try:
        yield draft.file
        draft.publish()
    finally:
        draft.discard()


class Screen(io.RawIOBase):
    """A terminal as a file of text: it shows what is written, and obeys nothing of it."""

    def __init__(self, terminal: BinaryIO) -> None:
        self._terminal = terminal

    def writable(self) -> bool:
        """Whether it can be written to, as it can."""
        return True

    def write(self, text: Any, /) -> int:
        """Show whole characters in UTF-8."""
        self._terminal.write(escaping.screen(bytes(text).decode()).encode())
        return len(text)

    def flush(self) -> None:
        """Show at once what was written."""
        self._terminal.flush()


def write_csv(file: BinaryIO, rows: Iterable[msgspec.Struct], model: type[msgspec.Struct]) -> None:
    """Write a line of names, then a line per row; nested values are JSON."""
    _write_csv(file, map(flat, map(record, rows)), model)


def write_spreadsheet(file: BinaryIO, rows: Iterable[msgspec.Struct], model: type[msgspec.Struct]) -> None:
    """Write CSV with an apostrophe before all text that a spreadsheet would take for a formula."""
    _write_csv(file, map(_guarded, map(flat, map(record, rows))), model)


def _guarded(cells: Record) -> Record:
    return {name: escaping.cell(value) if isinstance(value, str) else value for name, value in cells.items()}


def _write_csv(file: BinaryIO, rows: Iterable[Record], model: type[msgspec.Struct]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        table = csv.DictWriter(text, columns(model), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    finally:
        # Else the wrapper closes a file that isn't its own when it is collected.
        text.detach()


def write_json(file: BinaryIO, rows: Iterable[msgspec.Struct], model: type[msgspec.Struct]) -> None:
    """One array of objects, a line for each, written as they come."""
    encoder = msgspec.json.Encoder()
    before = b"["
    for row in rows:
        file.write(before + b"\n  " + encoder.encode(record(row)))
        before = b","
    file.write(b"[]\n" if before == b"[" else b"\n]\n")


def write_one(file: BinaryIO, rows: Iterable[msgspec.Struct], model: type[msgspec.Struct]) -> None:
    """One object, of the first row."""
    file.write(msgspec.json.format(msgspec.json.encode(record(next(iter(rows))))) + b"\n")


def write_jsonl(file: BinaryIO, rows: Iterable[msgspec.Struct], model: type[msgspec.Struct]) -> None:
    """An object per line."""
    encoder = msgspec.json.Encoder()
    file.writelines(encoder.encode(record(row)) + b"\n" for row in rows)


def write_parquet(file: BinaryIO, rows: Iterable[msgspec.Struct], model: type[msgspec.Struct]) -> None:
    """A Parquet file whose schema is the model's, however many rows there are; nested values are JSON."""
    arrow = require_pyarrow()
    parquet: Any = import_module("pyarrow.parquet")
    types = {
        "int": arrow.int64(),
        "float": arrow.float64(),
        "bool": arrow.bool_(),
        "time": arrow.timestamp("us", "UTC"),
    }
    schema = arrow.schema([(name, types.get(kind, arrow.string())) for name, kind in columns(model).items()])
    remaining = iter(rows)
    with parquet.ParquetWriter(file, schema) as table:
        while group := [_arrow_cells(record(row), model) for row in islice(remaining, GROUP)]:
            table.write_table(arrow.Table.from_pylist(group, schema))


def _arrow_cells(cells: Record, model: type[msgspec.Struct]) -> Record:
    kinds = columns(model)
    return {name: _arrow_cell(name, kinds[name], value) for name, value in cells.items()}


def _arrow_cell(name: str, kind: str, value: Any) -> Any:
    """The value as its column takes it, or an error that names it; pyarrow's only says that something is too large."""
    if kind == "json" and value is not None:
        return msgspec.json.encode(value).decode()
    if kind == "int" and value is not None and value not in formatting.INTEGERS:
        raise DecodeError(f"{name} must fit in 64 bits in Parquet, which {formatting.integer(value)} doesn't: {OTHERS}")
    if isinstance(value, datetime):
        try:
            return value.astimezone(UTC)
        except OverflowError:
            raise DecodeError(
                f"{name} must be of the years 1 to 9999 in UTC in Parquet, not {value}: {OTHERS}"
            ) from None
    return value


def require_pyarrow() -> Any:
    """The module `pyarrow`, or an `ImportError` that names the command to install it."""
    try:
        return import_module("pyarrow")
    except ImportError as error:
        raise ImportError(f"Parquet needs pyarrow: {install('arrow')}") from error


#: Who writes a file of this name.
WRITERS: dict[str, Writer] = {".csv": write_spreadsheet, ".jsonl": write_jsonl, ".parquet": write_parquet}
