"""Rows as files: CSV, JSON lines and Parquet, there in whole or not at all."""

from __future__ import annotations

import csv
import io
import os
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from scapi._core.extras import install
from scapi.cli.records import columns, flat, record

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

    Writer = Callable[[BinaryIO, Iterable[msgspec.Struct], type[msgspec.Struct]], None]

__all__ = [
    "WRITERS",
    "atomic",
    "require_pyarrow",
    "write_csv",
    "write_json",
    "write_jsonl",
    "write_one",
    "write_parquet",
]

#: Rows per group of a Parquet file: enough to compress well, few enough to hold.
GROUP = 10_000


@contextmanager
def atomic(path: Path) -> Generator[BinaryIO]:
    """A file that takes its name when it is whole. Whatever ends the block early leaves what was there before."""
    # Where the name is a link, the file that it leads to is replaced, not the link.
    target = path.resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            yield file
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_csv(file: BinaryIO, rows: Iterable[msgspec.Struct], model: type[msgspec.Struct]) -> None:
    """A line of names, then a line per row; nested values are JSON."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        table = csv.DictWriter(text, columns(model), lineterminator="\n")
        table.writeheader()
        table.writerows(flat(record(row)) for row in rows)
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


def _arrow_cells(cells: dict[str, Any], model: type[msgspec.Struct]) -> dict[str, Any]:
    kinds = columns(model)
    return {
        name: msgspec.json.encode(value).decode() if kinds[name] == "json" and value is not None else value
        for name, value in cells.items()
    }


def require_pyarrow() -> Any:
    """The module `pyarrow`, or an `ImportError` that names the command to install it."""
    try:
        return import_module("pyarrow")
    except ImportError as error:
        raise ImportError(f"Parquet needs pyarrow: {install('arrow')}") from error


#: Who writes a file of this name.
WRITERS: dict[str, Writer] = {".csv": write_csv, ".jsonl": write_jsonl, ".parquet": write_parquet}
