"""Data files as tables of an in-process DuckDB, for a user's SQL to read.

In: files. Out: a view `data` (and one for each further table) with the column `row`, the number
of the line (CSV, JSON Lines) or of the record from 1 (other formats). What may surprise: all
values of CSV, JSON and Avro files are text, so that ids keep their zeros and digits; the SQL casts
what it computes with. Parquet keeps its types. The SQL can read nothing but the tables named here.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from streams.files.load_table import REJECTED, Loaded, connect, load, lock, number
from streams.files.open_file import DataFileError, ReadOptions
from streams.files.sql_names import quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# What a query reads, and all rows behind it (a query may be shown a part of them).
DATA, ALL_DATA = "data", "_data"
_BATCH_ROWS = 10_000
_TABLE_NAME = re.compile(r"[A-Za-z]\w*$", re.ASCII)


@dataclass
class Tables:
    """The open files. `row_count` are the rows of `data`, `rejected_count` lines that are none.

    `comment_count` are comment lines before the headers of all files.

    With several files `row` counts on from file to file, so that it names one row; `place`
    says which line of which file it is.
    """

    connection: DuckDBPyConnection
    files: tuple[Loaded, ...]
    row_count: int
    rejected_count: int
    comment_count: int = 0

    def place(self, row: int) -> str:
        """Return the file and line of a row, such as `visits.csv:17`."""
        file = next((file for file in reversed(self.files) if file.first_row <= row), None)
        return f"{file.path.name}:{row - file.first_row + 1}" if file else f"row {row}"

    def cells(self, row: int) -> dict[str, object]:
        """Return the values of a row by column, as they are in the file."""
        found = self.connection.cursor().execute(f"FROM {ALL_DATA} WHERE row = ?", [row])
        columns = [str(column[0]) for column in found.description or ()]
        values = found.fetchone() or ()
        return {name: value for name, value in zip(columns, values, strict=True) if name != "row"}

    def rejected(self) -> Iterator[tuple[int, str, str]]:
        """Yield the row, reason and text of each line that is no row, in the files' order."""
        found = self.connection.cursor().execute(f"FROM {REJECTED} ORDER BY row")
        while batch := found.fetchmany(_BATCH_ROWS):
            yield from batch


@contextmanager
def open_tables(
    paths: Sequence[Path],
    options: ReadOptions | None = None,
    further: Mapping[str, Path] | None = None,
) -> Iterator[Tables]:
    """Read files: `paths` together are the view `data`, `further` are tables by their names.

    A line that is no row is kept among the rejected; in a further table it is an error.
    DataFileError when a file cannot be used, MissingDuckDB without the extra.
    """
    options = options or ReadOptions()
    with tempfile.TemporaryDirectory(prefix="concierge-") as folder:
        connection = connect(Path(folder))
        try:
            files: list[Loaded] = []
            for place, path in enumerate(paths):
                first_row = files[-1].last_row + 1 if files else 1
                files.append(load(connection, path, options, f"_data_{place}", first_row))
            _join(connection, files)
            rows = number(connection, f"SELECT count(*) FROM {ALL_DATA}")
            tables = Tables(
                connection,
                tuple(files),
                rows,
                number(connection, f"SELECT count(*) FROM {REJECTED}"),
            )
            named = [_further(tables, name, path) for name, path in (further or {}).items()]
            tables.comment_count = sum(file.skipped_comments for file in (*files, *named))
            lock(connection, [file.path for file in (*files, *named) if file.stays_open])
            yield tables
        finally:
            connection.close()


def _join(connection: DuckDBPyConnection, files: Sequence[Loaded]) -> None:
    """Make the view of all files' rows; files with fixed columns must have the same ones."""
    for file in files[1:]:
        if file.columns is None or files[0].columns is None:
            continue
        for one, other in ((files[0], file), (file, files[0])):
            missing = [name for name in one.columns or () if name not in (other.columns or ())]
            if missing:
                raise DataFileError(
                    f"{other.path}: has no column {missing[0]}, which {one.path.name} has"
                )
    parts = " UNION ALL BY NAME ".join(f"SELECT * FROM {file.table}" for file in files)
    connection.execute(f"CREATE VIEW {ALL_DATA} AS {parts}")
    connection.execute(f"CREATE VIEW {DATA} AS SELECT * FROM {ALL_DATA}")


def _further(tables: Tables, name: str, path: Path) -> Loaded:
    if not _TABLE_NAME.match(name) or name.lower() == DATA:
        raise DataFileError(f"`{name}` cannot name a table; use letters, digits and _")
    before = number(tables.connection, f"SELECT count(*) FROM {REJECTED}")
    loaded = load(tables.connection, path, ReadOptions(), f"_further_{name}", 1)
    if number(tables.connection, f"SELECT count(*) FROM {REJECTED}") > before:
        found = tables.connection.execute(
            f"SELECT row, reason FROM {REJECTED} OFFSET {before} LIMIT 1"
        ).fetchone()
        row, reason = found or (1, "")
        raise DataFileError(f"{path}:{row}: {reason}; what is joined must be whole")
    # Without `row`, so that the one of `data` needs no prefix.
    tables.connection.execute(
        f"CREATE VIEW {quoted(name)} AS SELECT * EXCLUDE (row) FROM {loaded.table}"
    )
    return loaded
