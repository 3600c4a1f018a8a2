"""Read and write sales as Parquet, CSV and JSON lines, without loss."""

from __future__ import annotations

import csv
import io
from datetime import UTC
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, cast

import msgspec

from scapi._base import atomic, validation
from scapi._base.extras import extra
from scapi._store.times import micros, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

#: The columns and their types.
COLUMNS = {
    "region": "text",
    "item": "text",
    "time": "time",
    "key": "int",
    "n": "int",
    "amount": "int",
    "price": "int",
    "quality": "int",
    "level": "int",
    "additional": "text",
    "seen_at": "time",
}

#: Columns that may be empty.
OPTIONAL = {"quality", "additional"}

KINDS = (".parquet", ".csv", ".jsonl")

Row = dict[str, Any]


class Writer(Protocol):
    """A file being written."""

    def write(self, rows: list[Row]) -> None:
        """Add rows."""

    def finish(self) -> None:
        """Move the finished file to its place."""

    def discard(self) -> None:
        """Remove the file unless it is finished."""


def writer(path: Path) -> Writer:
    """Return a writer for the format of a file.

    Raises:
        ValueError: The file has an unknown suffix.
        ImportError: The extra `arrow` is missing.
        OSError: The file can't be written.
    """
    return _Parquet(path) if _kind(path) == ".parquet" else _Text(path, _kind(path))


def portions(path: Path, size: int) -> Iterator[list[Row]]:
    """Yield the rows of a file in lists of `size`.

    Raises:
        ValueError: The file has an unknown suffix, or a row isn't from an export.
        ImportError: The extra `arrow` is missing.
        OSError: The file can't be read.
    """
    if _kind(path) == ".parquet":
        return _read_parquet(path, size)
    return _read_text(path, size, _csv if _kind(path) == ".csv" else _json_lines)


def _kind(path: Path) -> str:
    if path.suffix not in KINDS:
        raise validation.refuse("path", str(path), f"a file whose name ends in {', '.join(KINDS)}")
    return path.suffix


class _Text:
    """A writer of CSV or JSON lines, with times in ISO 8601."""

    def __init__(self, path: Path, kind: str) -> None:
        self._draft = atomic.Draft(atomic.place(path))
        self._lines = _csv_lines if kind == ".csv" else _objects
        if kind == ".csv":
            self._draft.write((",".join(COLUMNS) + "\n").encode())

    def write(self, rows: list[Row]) -> None:
        spelled = [{name: _spelled(kind, row[name]) for name, kind in COLUMNS.items()} for row in rows]
        self._draft.write(self._lines(spelled))

    def finish(self) -> None:
        self._draft.publish()

    def discard(self) -> None:
        self._draft.discard()


def _spelled(kind: str, value: Any) -> Any:
    return moment(value).isoformat().replace("+00:00", "Z") if kind == "time" else value


def _csv_lines(rows: list[Row]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(row.values() for row in rows)
    return text.getvalue().encode()


def _objects(rows: list[Row]) -> bytes:
    return msgspec.json.Encoder().encode_lines(rows)


class _Parquet:
    def __init__(self, path: Path) -> None:
        with extra("arrow"):
            import pyarrow as pa
            import pyarrow.parquet as pq
        kinds: dict[str, pa.DataType] = {"text": pa.string(), "int": pa.int64(), "time": pa.timestamp("us", "UTC")}
        self._schema = pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
        self._table: Any = pa.Table
        self._draft = atomic.Draft(atomic.place(path))
        self._file: Any = pq.ParquetWriter(self._draft.file, self._schema)

    def write(self, rows: list[Row]) -> None:
        self._file.write_table(self._table.from_pylist(rows, self._schema))

    def finish(self) -> None:
        self._file.close()
        self._draft.publish()

    def discard(self) -> None:
        self._draft.discard()


def _read_parquet(path: Path, size: int) -> Iterator[list[Row]]:
    with extra("arrow"):
        import pyarrow as pa
        import pyarrow.parquet as pq
    try:
        with pq.ParquetFile(path) as opened:
            file: Any = opened  # pyarrow has no types for it
            for batch in file.iter_batches(size):
                rows: list[Any] = batch.to_pylist()
                yield [_read(row, f"a row of {path.name}") for row in rows]
    except pa.ArrowInvalid as cause:
        raise ValueError(f"{path.name} must be a Parquet file of an export: {cause}") from None


def _read_text(path: Path, size: int, parse: Any) -> Iterator[list[Row]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = (_read(row, f"row {number} of {path.name}") for number, row in enumerate(parse(file), 1))
        while portion := list(islice(rows, size)):
            yield portion


def _csv(file: Iterable[str]) -> Iterator[Row]:
    for row in csv.DictReader(file):
        yield {name: None if value == "" and name in OPTIONAL else value for name, value in row.items()}


def _json_lines(file: Iterable[str]) -> Iterator[Any]:
    for line in file:
        try:
            yield msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeError):
            yield line


def _read(row: Any, where: str) -> Row:
    """Return a row with the values that the table holds."""
    if not isinstance(row, dict) or not COLUMNS.keys() <= row.keys():
        raise ValueError(f"{where} must have {', '.join(COLUMNS)}")
    values = cast("Row", row)
    return {name: _value(name, kind, values[name], where) for name, kind in COLUMNS.items()}


def _value(name: str, kind: str, value: Any, where: str) -> Any:
    if value is None and name in OPTIONAL:
        return None
    try:
        if kind == "time":
            return micros(validation.moment(name, value).astimezone(UTC))
        if kind == "int":
            return _whole(value)
    except ValueError:
        value = None
    if not isinstance(value, str):
        raise ValueError(f"{where} must have {WANTED[kind]} in {name}")
    return value


WANTED = {"text": "text", "int": "an integer of 64 bits", "time": "a time in ISO 8601"}


def _whole(value: Any) -> int:
    number = int(value)
    if isinstance(value, float | bool) or not -(2**63) <= number < 2**63:
        raise ValueError("not an integer of 64 bits")
    return number
