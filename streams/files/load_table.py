"""Load one data file into a table of DuckDB; the lines that are no rows go to `_rejected`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING, Any

import numpy as np

from streams.files.csv_lines import CsvFile
from streams.files.json_columns import json_to_table
from streams.files.json_lines import avro_records, json_lines, looks_like_lines
from streams.files.open_file import DataFileError, ReadOptions, format_of, is_packed, opened
from streams.files.split_lines import BadLine, Record
from streams.files.sql_macros import MACROS
from streams.files.sql_names import literal, quoted, unique_names

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

REJECTED = "_rejected"
# Tables larger than this are written to the temporary folder.
_MEMORY_LIMIT = "2GB"
_BATCH_ROWS = 20_000
_MAX_JSON_BYTES = 64 * 1024 * 1024
_HOW_TO_GET = (
    "reading data files needs DuckDB, the extra `files`; in Concierge's source folder: "
    "pip install -c constraints.txt '.[files]'"
)


class MissingDuckDB(DataFileError):
    """The extra `files` is not installed."""


@dataclass(frozen=True)
class Loaded:
    """A loaded file: its line or record n is the row `first_row - 1 + n` of `table`.

    `columns` is None where rows may have different ones. A file that `stays_open` is read by
    the queries themselves. `skipped_comments` are lines before the header.
    """

    path: Path
    table: str
    first_row: int
    last_row: int
    columns: tuple[str, ...] | None
    stays_open: bool = False
    skipped_comments: int = 0


def connect(folder: Path) -> DuckDBPyConnection:
    """Open an empty database that writes to `folder` at most; it fetches nothing from anywhere."""
    try:
        import duckdb
    except ImportError:
        raise MissingDuckDB(_HOW_TO_GET) from None
    connection = duckdb.connect(
        # In memory, with what is over the limit in files of the folder: a database file would
        # wait for the disk at every small statement.
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            # A query sees no variable of this program.
            "python_enable_replacements": "false",
            # Objects are text; no types are guessed from a sample.
            "pandas_analyze_sample": "0",
            "memory_limit": _MEMORY_LIMIT,
            "temp_directory": str(folder),
            # One thread: sums of floats and the order within lists do not depend on chance.
            "threads": "1",
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE TABLE {REJECTED} (row BIGINT, reason VARCHAR, text VARCHAR)")
    for macro in MACROS:
        connection.execute(macro)
    return connection


def lock(connection: DuckDBPyConnection, still_read: Sequence[Path]) -> None:
    """Close everything outside the database but the files in `still_read`, for good."""
    paths = ", ".join(literal(str(path)) for path in still_read)
    connection.execute(f"SET allowed_paths = [{paths}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def load(
    connection: DuckDBPyConnection, path: Path, options: ReadOptions, table: str, first_row: int
) -> Loaded:
    """Load a file into `table`; DataFileError when it cannot be read as a whole."""
    import duckdb

    form = format_of(path, options)
    comments = 0
    try:
        if form == "parquet":
            return _parquet(connection, path, table, first_row)
        if form == "csv":
            file = CsvFile(path, options)
            _texts(connection, table, file.columns, file.records(), first_row)
            columns: tuple[str, ...] | None = file.columns
            comments = file.skipped_comments
        else:
            _json(connection, path, options, form, table, first_row)
            columns = None
        last_row = number(
            connection,
            f"SELECT max(row) FROM (SELECT row FROM {table} UNION ALL SELECT row FROM {REJECTED})",
        )
    except duckdb.Error as error:
        raise DataFileError(f"{path}: cannot be read: {error}") from error
    last_row = max(last_row, first_row)
    return Loaded(path, table, first_row, last_row, columns, skipped_comments=comments)


def _parquet(connection: DuckDBPyConnection, path: Path, table: str, first_row: int) -> Loaded:
    if is_packed(path):
        raise DataFileError(f"{path}: a compressed Parquet file; unpack it first")
    source = f"read_parquet({literal(str(path))}, file_row_number = true)"
    described = connection.execute(f"DESCRIBE SELECT * EXCLUDE (file_row_number) FROM {source}")
    given = [str(column[0]) for column in described.fetchall()]
    names = unique_names(given)
    columns = [f"{quoted(old)} AS {quoted(new)}" for old, new in zip(given, names, strict=True)]
    counted = f"file_row_number + {first_row} AS row"
    connection.execute(
        f"CREATE VIEW {table} AS SELECT {', '.join([counted, *columns])} FROM {source}"
    )
    rows = number(connection, f"SELECT count(*) FROM {source}")
    return Loaded(path, table, first_row, first_row + rows - 1, names, stays_open=True)


def _json(
    connection: DuckDBPyConnection,
    path: Path,
    options: ReadOptions,
    form: str,
    table: str,
    first_row: int,
) -> None:
    raw = f"{table}_json"
    if form == "avro":
        _texts(connection, raw, ("text",), avro_records(path), first_row)
    elif form == "jsonl" or looks_like_lines(path, options):
        _texts(connection, raw, ("text",), json_lines(path, options), first_row)
    else:
        _json_array(connection, path, raw, first_row)
    try:
        json_to_table(connection, raw, table, REJECTED)
    except DataFileError as error:
        raise DataFileError(f"{path}: {error}") from error
    connection.execute(f"DROP TABLE {raw}")


def _json_array(connection: DuckDBPyConnection, path: Path, raw: str, first_row: int) -> None:
    """Read one JSON array, or objects over several lines each; here one fault spoils the file."""
    with tempfile.NamedTemporaryFile(prefix="concierge-", suffix=".json") as unpacked:
        with opened(path) as plain:
            copyfileobj(plain, unpacked)
        unpacked.flush()
        connection.execute(
            f"CREATE TABLE {raw} AS SELECT row_number() OVER () + {first_row - 1} AS row, "
            f"json::VARCHAR AS text FROM read_json_objects({literal(unpacked.name)}, "
            f"maximum_object_size = {_MAX_JSON_BYTES})"
        )


def _texts(
    connection: DuckDBPyConnection,
    table: str,
    columns: Sequence[str],
    found: Iterable[Record | BadLine],
    first_row: int,
) -> None:
    """Make a table of texts, and keep what is no row among the rejected."""
    texts = ", ".join(f"{quoted(name)} VARCHAR" for name in columns)
    connection.execute(f"CREATE TABLE {table} (row BIGINT, {texts})")
    rows = iter(found)
    while batch := list(islice(rows, _BATCH_ROWS)):
        good = [item for item in batch if isinstance(item, Record)]
        bad = [item for item in batch if isinstance(item, BadLine)]
        insert(
            connection,
            table,
            [item.number + first_row - 1 for item in good],
            list(zip(*(item.cells for item in good), strict=True)),
        )
        insert(
            connection,
            REJECTED,
            [item.number + first_row - 1 for item in bad],
            [[item.reason for item in bad], [escaped(item.text) for item in bad]],
        )


def insert(
    connection: DuckDBPyConnection,
    table: str,
    rows: Sequence[int],
    texts: Sequence[Sequence[str | None]],
) -> None:
    """Append row numbers and columns of texts to a table."""
    if not rows:
        return
    batch: dict[str, Any] = {"row": np.array(rows, np.int64)}
    for place, column in enumerate(texts):
        batch[f"c{place}"] = np.array(column, object)
    connection.register("_batch", batch)
    connection.execute(f"INSERT INTO {table} SELECT * FROM _batch")
    connection.unregister("_batch")


def escaped(text: str) -> str:
    """Return a text that UTF-8 can hold: a lone half of a surrogate pair is written as its code."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def number(connection: DuckDBPyConnection, sql: str) -> int:
    """Return the one number that a query gives; 0 for none."""
    found = connection.execute(sql).fetchone()
    return int(found[0] or 0) if found else 0
