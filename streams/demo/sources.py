"""Read the rows of a data file, one at a time, with the number of each row.

CSV and JSON Lines may be gzipped (a name that ends in .gz). Parquet needs the `parquet` extra.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NamedTuple

import fastavro

from streams.demo.mapping import FORMATS, Lookup, Source

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".avro": "avro",
    ".parquet": "parquet",
}
# A line longer than this is no row; without a limit a wrong file would be read into memory whole.
MAX_LINE_CHARS = 1_000_000
_PARQUET_BATCH_ROWS = 8_192
# All looked-up files together stay in memory.
MAX_LOOKUP_ROWS = 5_000_000


class SourceError(ValueError):
    """A data file that cannot be read at all."""


class Numbered(NamedTuple):
    """A row and its number: the line for CSV and JSON Lines, else counted from 1.

    `problem` is set, and `values` is empty, when the line is no row.
    """

    number: int
    values: Mapping[str, Any]
    problem: str | None = None


class Rows:
    """An open data file; iterate once. Use as a context manager."""

    def __init__(self, path: Path, source: Source) -> None:
        self._path, self._source = path, source
        self._format = source.format or _format_of(path)
        self._stack = ExitStack()
        self._raw: IO[bytes] | None = None
        self._size = 1
        self._done = 0

    def __enter__(self) -> Rows:
        try:
            self._raw = self._stack.enter_context(self._path.open("rb"))
            self._size = max(self._path.stat().st_size, 1)
        except OSError as error:
            raise SourceError(f"{self._path}: cannot be read: {error.strerror}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def has_fixed_columns(self) -> bool:
        """Whether every row has every column of the file; JSON Lines may leave some out."""
        return self._format != "jsonl"

    @property
    def share_read(self) -> float:
        """How much of the file has been read, 0..1, for a progress bar."""
        if self._format == "parquet":
            return min(self._done / self._size, 1.0)
        if self._raw is None or self._raw.closed:
            return 1.0
        return min(self._raw.tell() / self._size, 1.0)

    def __iter__(self) -> Iterator[Numbered]:
        if self._raw is None:
            raise SourceError("a data file is read inside `with Rows(...)`")
        read = {
            "csv": self._csv,
            "jsonl": self._jsonl,
            "avro": self._avro,
            "parquet": self._parquet,
        }[self._format]
        try:
            yield from read(self._raw)
        except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
            raise SourceError(f"{self._path}: cannot be read further: {error}") from error

    def _text(self, raw: IO[bytes]) -> IO[str]:
        plain: Any = gzip.GzipFile(fileobj=raw) if self._path.suffix == ".gz" else raw
        text = io.TextIOWrapper(plain, encoding=self._source.encoding, newline="")
        return self._stack.enter_context(text)

    def _csv(self, raw: IO[bytes]) -> Iterator[Numbered]:
        delimiter = "\t" if ".tsv" in self._path.suffixes else self._source.delimiter
        reader = csv.reader(self._text(raw), delimiter=delimiter)
        header = [name.removeprefix("\ufeff").strip() for name in next(reader, [])]
        if not header or len(set(header)) != len(header):
            raise SourceError(f"{self._path}:1: the first line must name each column once")
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                what = f"{len(cells)} cells where the header has {len(header)}"
                yield Numbered(reader.line_num, {}, what)
                continue
            values = {name: cell or None for name, cell in zip(header, cells, strict=True)}
            yield Numbered(reader.line_num, values)

    def _jsonl(self, raw: IO[bytes]) -> Iterator[Numbered]:
        text = self._text(raw)
        number = 0
        while line := text.readline(MAX_LINE_CHARS + 1):
            number += 1
            if len(line) > MAX_LINE_CHARS:
                raise SourceError(f"{self._path}:{number}: longer than {MAX_LINE_CHARS} characters")
            if not line.strip():
                continue
            try:
                values = json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                yield Numbered(number, {}, f"no JSON: {error}")
                continue
            if isinstance(values, dict):
                yield Numbered(number, values)
            else:
                yield Numbered(number, {}, "a JSON value that is no object")

    def _avro(self, raw: IO[bytes]) -> Iterator[Numbered]:
        try:
            for number, values in enumerate(fastavro.reader(raw), start=1):
                if not isinstance(values, dict):
                    raise SourceError(f"{self._path}: holds values that are no records")
                yield Numbered(number, values)
        except (ValueError, IndexError, StopIteration) as error:
            raise SourceError(f"{self._path}: no readable Avro file: {error}") from error

    def _parquet(self, raw: IO[bytes]) -> Iterator[Numbered]:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise SourceError(
                f"{self._path}: reading Parquet needs the extra `parquet`: pip install pyarrow"
            ) from None
        try:
            file = pyarrow.parquet.ParquetFile(raw)
            self._size = max(file.metadata.num_rows, 1)
            for batch in file.iter_batches(_PARQUET_BATCH_ROWS):
                for values in batch.to_pylist():
                    self._done += 1
                    yield Numbered(self._done, values)
        except pyarrow.ArrowException as error:
            raise SourceError(f"{self._path}: no readable Parquet file: {error}") from error


class LookupTable:
    """A looked-up file in memory: rows by the text of their key."""

    def __init__(self, lookup: Lookup, beside: Path) -> None:
        self._lookup = lookup
        path = beside.parent / lookup.file
        self._names = tuple(f"{lookup.name}.{column}" for column in lookup.columns)
        self._rows: dict[str, tuple[Any, ...]] = {}
        with Rows(path, Source()) as rows:
            for number, values, problem in rows:
                missing = [c for c in (lookup.key, *lookup.columns) if c not in values]
                if problem or missing:
                    what = problem or f"no column {missing[0]}"
                    raise SourceError(f"{path}:{number}: {what}")
                if number > MAX_LOOKUP_ROWS:
                    raise SourceError(f"{path}: more than {MAX_LOOKUP_ROWS} rows to look up")
                found = tuple(values[column] for column in lookup.columns)
                self._rows.setdefault(str(values[lookup.key]), found)
        self._none = (None,) * len(self._names)

    def added(self, row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield the columns that a row gets; all empty when its key is not in the file."""
        found = self._rows.get(str(row.get(self._lookup.column)), self._none)
        return zip(self._names, found, strict=True)


def _format_of(path: Path) -> str:
    for suffix in reversed(path.suffixes):
        if suffix in _SUFFIXES:
            return _SUFFIXES[suffix]
    raise SourceError(
        f"{path}: its name does not tell the format; set source.format to one of "
        + ", ".join(FORMATS)
    )
